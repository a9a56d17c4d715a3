"""What is known of the work on a case, one small file a case."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from VSClickCorrectLib.errors import Unreadable
from VSClickCorrectLib.io.files import read_ordinary, reading
from VSClickCorrectLib.io.json_files import parse_json
from VSClickCorrectLib.session.chain import JournalPoint

FORMAT = 1
# Names of files and folders are made of it.
_LABEL = re.compile(r"[A-Za-z0-9]{1,100}(_ses-[A-Za-z0-9]{1,100})?")


class CaseState(str, Enum):
    """How far the work on a case is.

    ``TODO``: nobody has worked on it. ``IN_WORK``: begun, or reopened and changed. ``DONE``: its label is
    written. ``NO_TUMOUR``: likewise, and says that there is none. ``SKIPPED``: left out on purpose.
    ``FAILED``: it could not be worked on. ``UNREADABLE``: its record cannot be read at the moment, so nobody
    knows; never written.
    """

    TODO = "todo"
    IN_WORK = "in work"
    DONE = "done"
    NO_TUMOUR = "no tumour"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREADABLE = "unreadable"

    @property
    def labelled(self) -> bool:
        """Whether the case's label is written."""
        return self in (CaseState.DONE, CaseState.NO_TUMOUR)


@dataclass(frozen=True)
class CaseRecord:
    """The work on one case.

    Parameters
    ----------
    case : str
        The case's name.
    label : str
        What the label set calls it, see `WorkCase.label`.
    state : CaseState
        How far the work is.
    annotator : str
        Initials of who worked on it last.
    comment : str
        Free text; for a skipped or failed case, why.
    clicks, rounds : int
        Standing clicks, and rounds of clicks.
    seconds : float
        Time of work, breaks left out.
    volume_mm3 : float or None
        Volume of the mask as it was last told.
    models : tuple of str
        Name and hash of each model that had a part in the mask.
    events : int
        How many events the case's journal had when its label was written.
    checksum : str
        The journal's checksum then, see `session.chain.JournalPoint`.
    started, finished, changed : str
        When work began, when the label was written, when anything was changed last: ISO 8601, UTC, empty if
        never.
    files : dict of str
        The case's files by role, as they were when work began.
    unknown : dict
        What another version wrote of which this one knows nothing; it is written again as it was.
    """

    case: str
    label: str
    state: CaseState = CaseState.TODO
    annotator: str = ""
    comment: str = ""
    clicks: int = 0
    rounds: int = 0
    seconds: float = 0.0
    volume_mm3: float | None = None
    models: tuple[str, ...] = ()
    events: int = 0
    checksum: str = ""
    started: str = ""
    finished: str = ""
    changed: str = ""
    files: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)

    @property
    def point(self) -> JournalPoint:
        """The point of the journal that the label holds."""
        return JournalPoint(self.events, self.checksum)

    @property
    def untouched(self) -> bool:
        """Whether nothing was done that would be worth keeping."""
        return self.clicks == 0 and not self.comment and not self.finished

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON-ready values."""
        known = asdict(self)
        return {
            **known.pop("unknown"),
            "format": FORMAT,
            **known,
            "state": self.state.value,
            "models": list(self.models),
            "seconds": round(self.seconds, 1),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CaseRecord:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError, OverflowError
            If it is something else, see `NO_RECORD`.
        Unreadable
            If a newer version wrote it in a format of its own.
        """
        if not isinstance(values, dict):
            raise TypeError("no record of a case")
        written = values.get("format", FORMAT)
        if type(written) is int and written > FORMAT:
            raise Unreadable(
                f"the record of case {values.get('case', '')} was written by a newer VSClickCorrect (format "
                f"{written}, this one knows {FORMAT}); update VSClickCorrect to work on the case."
            )
        names = cls.__dataclass_fields__.keys() - {"unknown"}
        known = {name: value for name, value in values.items() if name in names}
        for name, value in known.items():
            if not isinstance(value, _TYPES.get(name, object)):
                raise TypeError(f"no record of a case: {name} is {value!r}")
        others = {name: value for name, value in values.items() if name not in {*names, "format"}}
        record = cls(**known, unknown=others)
        state = CaseState(record.state)
        if state is CaseState.UNREADABLE or not _LABEL.fullmatch(record.label):
            raise ValueError(f"no record of a case: state {state.value}, label {record.label}")
        return replace(
            record,
            state=state,
            models=tuple(record.models),
            seconds=float(record.seconds),
            volume_mm3=None if record.volume_mm3 is None else float(record.volume_mm3),
        )


# What reading something else as a record raises.
NO_RECORD = (ValueError, KeyError, TypeError, OverflowError)
_TYPES: dict[str, Any] = {
    **dict.fromkeys(
        ("case", "label", "state", "annotator", "comment", "checksum", "started", "finished", "changed"), str
    ),
    **dict.fromkeys(("clicks", "rounds", "events"), int),
    "seconds": (int, float),
    "volume_mm3": (int, float, type(None)),
    "models": list,
    "files": dict,
}


def now() -> str:
    """Return the present time as ISO 8601, UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def read_record(path: Path) -> CaseRecord | None:
    """Read a record; None if there is none or it is damaged, or another one than its file's name says.

    Raises
    ------
    ImageError
        If there may be one, which cannot be read, or a newer version wrote it.
    """
    with reading(path):
        content = read_ordinary(path)
    try:
        record = CaseRecord.from_json(parse_json(content)) if content is not None else None
    except NO_RECORD:
        return None
    return record if record is not None and path.name == f"sub-{record.label}.json" else None
