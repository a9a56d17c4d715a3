"""Options that both servers have: one person's and a group's."""

from __future__ import annotations

import argparse

from VSClickCorrectLib.cli.options import count


def port(text: str) -> int:
    """Read the number of a port, 0 for any that is free."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; give a number from 0 to 65535")
    return int(text)


def add_upload_limit(parser: argparse.ArgumentParser) -> None:
    """Add ``--upload-limit``."""
    parser.add_argument(
        "--upload-limit", type=count, default=1024, metavar="MB", help="largest upload (default: %(default)s)"
    )
