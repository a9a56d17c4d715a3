"""What tests of commands share."""

from command_fixtures import files, older, refused, vsclick

__all__ = ["files", "older", "refused", "vsclick"]
