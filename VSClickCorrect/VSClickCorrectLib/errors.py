"""The errors a person sees: each message is one sentence that says what is wrong and what to do."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

# Control characters, halves of pairs that stand for bytes of no text, and separators of lines.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}


def on_one_line(text: str) -> str:
    """Return a text with what would not be seen, or would steer a terminal, shown by its number."""
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _UNSEEN else c for c in text
    )


def as_sentence(message: str) -> str:
    """Return a message as it stands alone: large letter first, but a file's name as it is."""
    word = message.split(" ", maxsplit=1)[0].rstrip(":,;")
    return message[:1].upper() + message[1:] if word.isalpha() else message


class VSClickError(Exception):
    """Base of every error that is meant to be read by the user."""

    @classmethod
    def told(cls, message: str, **fields: object) -> VSClickError:
        """Return the error of this kind with a message that another process has told, and what it holds."""
        error = cls.__new__(cls)
        error.args = (message,)
        vars(error).update(fields)
        return error

    def __reduce__(self) -> tuple:
        """Go to another process as message and fields: what some kinds are made from is neither."""
        return _told, (type(self), *self.args), vars(self)

    @property
    def sentence(self) -> str:
        """The message standing alone; on the command line it follows a colon and so begins small."""
        return as_sentence(str(self))

    def __str__(self) -> str:
        """Return the message on one line: a file's name may hold line breaks and what is no text."""
        return on_one_line(super().__str__())


def _told(kind: type[VSClickError], message: str) -> VSClickError:
    return kind.told(message)


class ImageError(VSClickError):
    """An image, mask or geometry cannot be used."""

    # Whether it is of no use tomorrow, either.
    lasting = True


class Unreadable(ImageError):
    """A file cannot be read at the moment, which says nothing of what it holds."""

    lasting = False


class DifferentPatients(ImageError):
    """Two images, or one and its mask, are of different PatientIDs, and nobody has said that they are one's.

    Parameters
    ----------
    first, second : str
        Whose they are.
    names : tuple of str
        What they are called.
    """

    def __init__(self, first: str, second: str, names: tuple[str, str] = ("T1ce", "T2")) -> None:
        super().__init__(
            f"the {names[0]} is of patient '{first}' and the {names[1]} of '{second}'; give scans of one "
            "patient, or name the option --different-patients if the two are one."
        )
        self.first, self.second, self.names = first, second, names


class StorageError(VSClickError):
    """A file or a folder cannot be written, or must not be; no input is to blame."""


class CorrectionError(VSClickError):
    """A click, undo or redo cannot be carried out; the mask is unchanged."""


class DamagedJournalError(CorrectionError):
    """A journal is not as it was written, so that nothing can go on from it."""


class ModelError(VSClickError):
    """A model manifest or a weights file cannot be used."""


class WorklistError(VSClickError):
    """A list of cases, one of its cases or its label set cannot be used."""


class CaseLockedError(WorklistError):
    """Somebody else has the case open.

    Parameters
    ----------
    case : str
        The case.
    holder : str
        Who has it, on which computer, since when.
    """

    def __init__(self, case: str, holder: str) -> None:
        super().__init__(
            f"case {case} is open with {holder}; take another, or take it over if they have left."
        )
        self.case, self.holder = case, holder


class LockLostError(WorklistError):
    """Somebody else has taken over the case that was open; what was done since is not kept."""


class Cancelled(VSClickError):
    """The user cancelled a running computation; nothing was changed."""


class OutOfMemory(VSClickError):
    """Memory ran out; what was asked for was not done, and no input is to blame."""

    def __init__(self) -> None:
        super().__init__("there is not enough memory for this; close other programs or crop the images.")


@contextmanager
def passed_over(what: str, *kinds: type[Exception]) -> Iterator[None]:
    """Go on where what is done inside fails, and leave a trace of it in the log.

    Parameters
    ----------
    what : str
        What was not done, as the log is to say it.
    *kinds : type
        The errors that stop nobody.
    """
    try:
        yield
    except kinds as error:
        logging.getLogger("VSClickCorrect").warning("%s: %s", what, error)


# What torch and ITK say, which have no MemoryError of their own.
_NO_MEMORY = re.compile(
    r"out of memory|(?:can't|cannot|failed to) allocate|not enough memory|bad_alloc", re.IGNORECASE
)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raise `OutOfMemory` where memory runs out in what is done inside, whoever says so."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _NO_MEMORY.search(str(error)):
            raise
        raise OutOfMemory from None


class ProcessDied(VSClickError):
    """The process that did a case ended before it was done; another try may go well."""

    def __init__(self) -> None:
        super().__init__("its process ended before it was done; close other programs to free memory.")


class ClusterError(VSClickError):
    """A cluster cannot be used, or not any longer; what it has done is kept."""
