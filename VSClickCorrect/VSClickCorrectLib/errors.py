"""The errors a person sees: each message is one sentence that says what is wrong and what to do."""

import unicodedata

# Control characters, halves of pairs that stand for bytes of no text, and separators of lines.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}


class VSClickError(ValueError):
    """Base of every error that is meant to be read by the user."""

    def __str__(self) -> str:
        """Return the message on one line: a file's name may hold line breaks and what is no text."""
        return "".join(
            c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _UNSEEN else c
            for c in super().__str__()
        )


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
