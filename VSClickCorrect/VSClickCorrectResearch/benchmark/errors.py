"""What goes wrong in benchmarks."""

from VSClickCorrectLib.errors import VSClickError


class BenchmarkError(VSClickError):
    """Something cannot be measured here."""


class ProgramMissing(BenchmarkError):
    """A program to compare with is not installed."""
