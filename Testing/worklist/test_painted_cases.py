"""Cases of whose painting only the journal knows, after a crash for instance."""

import numpy as np
import pytest
from volume_files import PLAIN, SHAPE, blob
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.io.images import read_mask
from VSClickCorrectLib.session.edit import Change
from VSClickCorrectLib.session.journal import Journal, change_event, session_event
from VSClickCorrectLib.session.start_mask import start_json
from written_journals import chained, events_of

PAINTED = (0, 0, 0)


def paint(worklist, start):
    """Begin the open case's journal, or go on with it, and record that a hand has set a voxel."""
    journal = Journal(worklist.opened.journal_path)
    if not journal.events:
        journal.append(session_event(PLAIN, "model@1", "progressive", start_json(ArrayMask(PLAIN, start))))
    added = np.ones((1, 1, 1), bool)
    journal.append(change_event("paint", Change.of(Box.of_voxel(PAINTED), added, ~added)))


def state(worklist):
    return worklist.record("VS-2").state.value


def test_a_done_case_is_in_work_again(open_list):
    worklist = open_list()
    worklist.go_to("VS-2")
    label = worklist.done(blob(), PLAIN)
    worklist.go_to("VS-2")
    paint(worklist, blob())
    again = open_list()
    again.go_to("VS-2", take_over=True)
    values = again.opened.saved_mask(PLAIN)
    assert (values[PAINTED], read_mask(label, PLAIN)[PAINTED]) == (True, False)
    again.opened.keep(values, PLAIN)
    assert state(again) == "in work"
    again.done(again.opened.saved_mask(PLAIN), PLAIN)
    assert read_mask(label, PLAIN)[PAINTED]


def test_a_case_in_which_nothing_else_was_done_is_not_to_do_again(open_list):
    worklist, start = open_list(), np.zeros(SHAPE, bool)
    start[1, 1, 1] = True
    worklist.go_to("VS-2")
    paint(worklist, start)
    worklist.close()
    assert state(worklist) == "in work"
    worklist.go_to("VS-2")
    assert sorted(map(tuple, np.argwhere(worklist.opened.saved_mask(PLAIN)))) == [PAINTED, (1, 1, 1)]


def test_a_damaged_change_beyond_the_kept_mask_is_told(open_list):
    worklist = open_list()
    worklist.next()
    worklist.opened.keep(blob(), PLAIN)
    paint(worklist, blob())
    events = events_of(worklist.opened.journal_path.read_text(encoding="utf-8"))
    events.append(events[-1] | {"change": events[-1]["change"] | {"voxels": "AAAA"}})
    worklist.opened.journal_path.write_text(chained(events), encoding="utf-8")
    with pytest.raises(CorrectionError, match="the journal is damaged"):
        worklist.opened.saved_mask(PLAIN)
