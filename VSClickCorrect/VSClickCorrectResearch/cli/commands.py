"""The commands that this package adds to ``vsclick``, which finds them by an entry point."""

_COMMANDS = "VSClickCorrectResearch.cli"
COMMANDS = {
    "demo": (f"{_COMMANDS}.demo", "show three rounds on one case"),
    "evaluate": (f"{_COMMANDS}.evaluate", "measure corrections"),
    "evaluate-parts": (f"{_COMMANDS}.evaluate_parts", "measure a model of the tumour's parts"),
    "models": (f"{_COMMANDS}.models", "list the models or verify them"),
    "bench": (f"{_COMMANDS}.bench", "measure how fast everything is"),
    "calibrate": (f"{_COMMANDS}.calibrate", "learn how sure the initial networks may be"),
    "import": (f"{_COMMANDS}.import_cases", "import labelled scans as cases"),
    "simulate": (f"{_COMMANDS}.simulate", "write a synthetic cohort (for training)"),
    "examples": (f"{_COMMANDS}.examples", "draw what an experiment learns from"),
    "train": (f"{_COMMANDS}.train", "train a network"),
}
