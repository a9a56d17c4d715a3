"""The errors a person sees: each message is one sentence that says what is wrong and what to do."""


class VSClickError(ValueError):
    """Base of every error that is meant to be read by the user."""


class ImageError(VSClickError):
    """An image, mask or geometry cannot be used."""


class CorrectionError(VSClickError):
    """A click, undo or redo cannot be carried out; the mask is unchanged."""


class ModelError(VSClickError):
    """A model manifest or a weights file cannot be used."""


class WorklistError(VSClickError):
    """A list of cases, one of its cases or its label set cannot be used."""


class CaseTaken(WorklistError):
    """Somebody else has the case open."""


class Cancelled(VSClickError):
    """The user cancelled a running computation; nothing was changed."""


class BenchmarkError(VSClickError):
    """Something cannot be measured here."""


class RivalMissing(BenchmarkError):
    """A program to compare with is not installed."""
