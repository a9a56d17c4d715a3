"""Cases that are done or skipped, and worked on again."""

import csv

import pytest
from volume_files import PLAIN, blob
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.session.start_mask import fingerprint_of

MASK = blob()


def stands(worklist, name):
    """A case's state by the list and by the table."""
    with (worklist.store.output / "summary.csv").open(encoding="utf-8") as stream:
        table = {row["case"]: row["state"] for row in csv.DictReader(stream)}
    return {row.record.state.value for row in worklist.rows() if row.case.name == name} | {table[name]}


@pytest.mark.parametrize("mask", [MASK, MASK & False])
def test_a_done_case_whose_label_is_gone_says_so_until_it_is_done_again(open_list, mask):
    worklist = open_list()
    worklist.go_to("VS-2")
    worklist.done(mask, PLAIN).unlink()
    assert open_list().rows()[0].note == "its label is missing; open it to write it again"
    worklist.go_to("VS-2")
    assert worklist.record("VS-2").state.value == "in work"
    worklist.done(mask, PLAIN)
    assert worklist.rows()[0].note == ""


@pytest.mark.parametrize("decision", ["done", "skipped"])
def test_the_state_of_a_decided_case_follows_its_mask_there_and_back(open_list, decision):
    worklist = open_list()
    worklist.next()
    worklist.done(MASK, PLAIN) if decision == "done" else worklist.skip("motion")
    worklist.go_to("VS-2")
    own = worklist.opened.saved_mask(PLAIN)
    own = MASK & False if own is None else own
    other = own.copy()
    other[0, 0, 0] = True
    for clicks, values, state in (
        (1, own, decision),
        (2, other, "in work"),
        (1, own, decision),
    ):
        worklist.update(clicks=clicks, mask=fingerprint_of(ArrayMask(PLAIN, values)))
        assert stands(worklist, "VS-2") == {state}
    colleague = open_list("CD")
    colleague.go_to("VS-2", take_over=True)
    colleague.opened.saved_mask(PLAIN)
    for clicks, values, who in ((2, own, "AB"), (3, other, "CD"), (2, own, "AB")):
        colleague.update(clicks=clicks, mask=fingerprint_of(ArrayMask(PLAIN, values)))
        assert colleague.record("VS-2").annotator == who
    colleague.close()
    worklist.go_to("VS-2")
    worklist.update(clicks=1)
    worklist.close()
    assert (stands(worklist, "VS-2"), worklist.record("VS-2").clicks) == ({decision}, 1)
