"""A server process for each browser: ``python -m VSClickCorrectLib.app.launcher launcher.json``.

wslink's own launcher writes keys on command lines, where every user of the machine can read them, takes them
from a generator that can be foretold, and lets a page choose its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

import wslink.backends.aiohttp.launcher as backend
from wslink import launcher

from VSClickCorrectLib.app.guard import TOKEN_VARIABLE, ServerError, new_token
from VSClickCorrectLib.errors import VSClickError

_SECRET = ("${secret}", "$secret")


class Sessions(launcher.SessionManager):
    """Sessions whose keys are made here and nowhere else."""

    def createSession(self, options: dict) -> dict | None:  # noqa: N802
        """Begin a session, with a key of its own whatever the page has sent."""
        return super().createSession({**options, "secret": new_token()})


class Processes(launcher.ProcessManager):
    """Processes that get their key in their environment, which their own user alone can read."""

    def startProcess(self, session: dict) -> subprocess.Popen | None:  # noqa: N802
        """Start a session's process; None if it cannot be started."""
        environment = {**os.environ, TOKEN_VARIABLE: session["secret"]}
        try:
            with self._getLogFilePath(session["id"]).open("ab") as log:
                process = subprocess.Popen(  # noqa: S603, the operator's own command
                    session["cmd"], stdout=log, stderr=log, env=environment
                )
        except OSError as error:
            print(f"{session['cmd'][0]} cannot be started ({error.strerror}).", file=sys.stderr)
            return None
        self.processes[session["id"]] = process
        return process


def checked(config: dict) -> dict:
    """Return a configuration that puts no key on a command line.

    Raises
    ------
    ServerError
        If one does.
    """
    for name, application in config["apps"].items():
        if any(secret in str(word) for word in application["cmd"] for secret in _SECRET):
            raise ServerError(
                f"the command of '{name}' holds ${{secret}}, and everyone on this machine can read command "
                f"lines; leave it out, the process finds its key in {TOKEN_VARIABLE}."
            )
    return config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the launcher; return 2, after one line, if its configuration cannot be used."""
    parser = argparse.ArgumentParser(description="Start a server process for each browser.")
    launcher.add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        config = checked(launcher.parseConfig(options))
    except VSClickError as error:
        print(f"launcher: {error.sentence}", file=sys.stderr)
        return 2
    # wslink offers no other way to choose them.
    backend.SessionManager, backend.ProcessManager = Sessions, Processes
    backend.startWebServer(options, config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
