"""A case that a reader has accepted, read again to learn from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.jobs.learning_task import AcceptedCase
from VSClickCorrectLib.jobs.preparation import images_of
from VSClickCorrectLib.session.chain import Event
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import start_of
from VSClickCorrectLib.session.teaching import Given, accepted_mask, drawn_clicks, given_clicks


@dataclass(frozen=True, eq=False)
class AcceptedWork:
    """What such a case holds.

    Parameters
    ----------
    images : Case
        The sequences.
    events : sequence of dict
        Its journal.
    right : ArrayMask
        The mask that was accepted, with a tumour.
    """

    images: Case
    events: Sequence[Event]
    right: ArrayMask

    @property
    def rng(self) -> np.random.Generator:
        """A source of chance: one case, one series of numbers."""
        return np.random.default_rng(list(self.images.reference.fingerprint.encode("ascii")[:8]))

    def given(self) -> Iterator[Given]:
        """Yield the reader's own clicks; see `given_clicks`."""
        return given_clicks(self.events, self.images.grid)

    def drawn(self, rng: np.random.Generator) -> Iterator[Given]:
        """Yield clicks as the reader might have given them; see `drawn_clicks`."""
        label, start = self.right.values, start_of(self.events, self.images.grid)
        begun = np.zeros_like(label) if start is None else start
        return drawn_clicks(self.images.grid, label, begun, rng)


def read_accepted(accepted: AcceptedCase) -> AcceptedWork:
    """Read what one accepted case can teach.

    Raises
    ------
    CorrectionError, ImageError
        If its images, label or journal cannot be read, or do not belong together.
    """
    images = images_of(accepted.files, accepted.series, accepted.different_patients)
    label = read_mask(Path(accepted.label), images.grid)
    events = Journal(Path(accepted.journal)).events
    right = accepted_mask(events, images, label)
    if not label.any():
        raise CorrectionError("its label is empty.")
    return AcceptedWork(images, events, right)
