"""Whatever is handed in: a value or one plain sentence, never a traceback, a hang or a half-written file."""

import pytest
from bad_input_table import DOCUMENT, document
from bad_table import CASES
from good_files import write_good_files


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    # One case gives up the rights of root, which alone may enter pytest's folders.
    for parent in (folder, *list(folder.parents)[:3]):
        parent.chmod(0o755)
    return write_good_files(folder)


def test_the_table_has_no_row_twice():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert len(names) > 200


@pytest.mark.parametrize("case", [c for c in CASES if not c.accepted], ids=lambda case: case.name)
def test_a_bad_input_gets_its_sentence_and_leaves_nothing(case, good):
    outcome = case.run(good)
    assert outcome.said == f"vsclick: {case.said}\n"
    assert outcome.status == 2
    assert outcome.new == []


@pytest.mark.parametrize("case", [c for c in CASES if c.accepted], ids=lambda case: case.name)
def test_an_odd_input_that_is_of_use_is_used(case, good):
    outcome = case.run(good)
    assert case.prints in outcome.printed
    assert (outcome.status, outcome.said) == (0, "")
    # A mask, or a worklist's folder, and nothing beside it.
    assert {name.split("/")[0] for name in outcome.new} <= {"out.nii.gz", "results"}


@pytest.mark.parametrize("case", [c for c in CASES if not c.accepted], ids=lambda case: case.name)
def test_a_sentence_is_one_sentence(case):
    assert case.said.endswith(".")
    assert "Traceback" not in case.said and "Error" not in case.said and "object" not in case.said


def test_the_document_says_what_the_table_says():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "`make bad-inputs` writes it anew"
