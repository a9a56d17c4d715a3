"""Whatever is handed in: a value or one plain sentence, never a traceback, a hang or a half-written file."""

import pytest
from bad_input_table import DOCUMENT, document
from bad_table import CASES
from good_files import write_good_files
from sentences import faults, unnamed

pytestmark = pytest.mark.usefixtures("forked_children")
REFUSED = [case for case in CASES if not case.accepted]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    # One case gives up the rights of root, which alone may enter pytest's folders.
    for parent in (folder, *list(folder.parents)[:3]):
        parent.chmod(0o755)
    return write_good_files(folder)


@pytest.fixture(scope="module")
def outcome_of(good):
    """Hand an input in, once however many tests look at what became of it."""
    outcomes = {}

    def outcome_of(case):
        if case.name not in outcomes:
            outcomes[case.name] = case.run(good)
        return outcomes[case.name]

    return outcome_of


def test_the_table_has_no_row_twice():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert len(names) > 200


def test_every_row_tells_what_its_sentence_must_name():
    assert [case.name for case in REFUSED if len(case.names) < 2] == []
    assert [case.name for case in CASES if case.accepted and not case.happens] == []


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_bad_input_gets_its_sentence_and_leaves_nothing(case, outcome_of):
    outcome = outcome_of(case)
    assert unnamed(outcome.sentence, *case.names) == [], outcome.said
    assert outcome.status == 2
    assert outcome.new == []


@pytest.mark.parametrize("case", [c for c in CASES if c.accepted], ids=lambda case: case.name)
def test_an_odd_input_that_is_of_use_is_used(case, outcome_of):
    outcome = outcome_of(case)
    assert case.prints in outcome.printed
    assert (outcome.status, outcome.said) == (0, "")
    # A mask, or a worklist's folder, and nothing beside it.
    assert {name.split("/")[0] for name in outcome.new} <= {"out.nii.gz", "results"}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_sentence_is_one_sentence(case, outcome_of):
    outcome = outcome_of(case)
    assert outcome.said == f"vsclick: {outcome.sentence}\n"
    assert faults(outcome.sentence) == [], outcome.said


def test_the_document_says_what_is_said(outcome_of):
    said = {case.name: outcome_of(case).sentence for case in REFUSED}
    assert DOCUMENT.read_text(encoding="utf-8") == document(said), "`make bad-inputs` writes it anew"
