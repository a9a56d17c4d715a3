"""The commands that the browser app adds to ``vsclick``, which finds them by an entry point."""

_COMMANDS = "VSClickCorrectApp.cli"
COMMANDS = {
    "app": (f"{_COMMANDS}.app", "correct by clicks in a browser"),
    "serve": (f"{_COMMANDS}.serve", "correct by clicks in browsers, several people on one worklist"),
}
