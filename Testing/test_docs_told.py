"""What documents tell of keys, options and numbers is what the code has."""

import argparse
import re
from html import unescape
from importlib import import_module
from pathlib import Path

import pytest
from bad_table import CASES
from readers import MAKERS
from VSClickCorrectApp.cli.commands import COMMANDS as OF_THE_APP
from VSClickCorrectApp.mask_changes import SMALL_MM3 as SMALL_ISLAND_MM3
from VSClickCorrectApp.page_keys import PAGE_KEYS
from VSClickCorrectLib.cli.commands import _COMMANDS as OF_THE_LIBRARY
from VSClickCorrectLib.clicks.merging import _AROUND_MM, _AROUND_PER_MM2, REACH_MM
from VSClickCorrectLib.inference.initial import SEEN_AT_MM
from VSClickCorrectLib.inference.initial_mask import SURE
from VSClickCorrectLib.inference.manifest import VERSIONS
from VSClickCorrectLib.jobs.adaptation import FEWEST, LEAST_GAIN, TOLERANCE
from VSClickCorrectLib.jobs.lessons import CorrectorLesson, InitialLesson
from VSClickCorrectLib.measure.change import GROWTH_MM, GROWTH_PERCENT, LARGE_AGREEMENT_PERCENT, LARGE_MM3
from VSClickCorrectLib.measure.measurements import HEAD_MM, SMALL_AGREEMENT_PERCENT, SMALL_MM3
from VSClickCorrectLib.session.click_rules import BORDER_MM, DEEP_MM
from VSClickCorrectLib.workflow.doubts import _SMALLEST_MM3
from VSClickCorrectLib.workflow.just_shown import SEEN_S
from VSClickCorrectLib.workflow.learning import EVERY
from VSClickCorrectLib.workflow.masks_ahead import AHEAD
from VSClickCorrectLib.worklist.clock import IDLE_S
from VSClickCorrectLib.worklist.locks import STALE_S
from VSClickCorrectResearch.cli.commands import COMMANDS as OF_RESEARCH

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "Resources" / "Docs"
SOURCE = ROOT / "VSClickCorrect"
COMMANDS = {**OF_THE_LIBRARY, **OF_THE_APP, **OF_RESEARCH}
# A command as it is typed, in a block or in code quotes, with the lines that go on with it.
NO_COMMANDS = ("--help",)
TYPED = re.compile(r"(?:^|`|/bin/)vsclick ((?:\\\n|[^`\n#|])+)", re.MULTILINE)
SCRIPT = re.compile(r"python (Testing/[\w/]+\.py)((?: [^`\n]*)?)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# Buttons, switches and sections begin with a capital; emphasis does not, and captions end in a stop.
ITALIC = re.compile(r"(?<![\w*])\*([A-Z][^*.]*?)\*(?!\*)")
# What Slicer shows, and what paragraphs begin with.
NOT_OURS = {"Additional module paths", "Application Settings", "Edit", "Modules"}
NOT_OURS |= {"PyTorch", "PyTorch Utils", "Sample Data", "Segment Editor"}
NOT_OURS |= {"An older PyTorch is there", "Masks ahead", "Not sure"}
NOT_OURS |= {"Where the manager does not list it", "Without internet"}
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
# How the guide writes keys.
WRITTEN = {
    "PageUp": "Page Up",
    "PageDown": "Page Down",
    "Shift+ArrowUp": "Shift+Up",
    "Shift+ArrowDown": "Shift+Down",
    **dict.fromkeys(("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"), "arrows"),
}


# What the guide says of limits, and what the code has.
WORDS = {"two": 2, "three": 3, "five": 5, "ten": 10, "twenty": 20, "forty": 40, "Half a second": 0.5}
ACROSS_MM = 8  # of the outline that the guide takes as an example
TOLD = {
    r"below (\d+) % the networks are not sure": 100 * SURE,
    r"none within (\d+) mm of it": round(BORDER_MM),
    r"more than (\d+) mm (?:from the|inside the) mask": DEEP_MM,
    r"More than (\d+) mm outside the mask": DEEP_MM,
    r"reaches within (\d+) mm of the click": SEEN_AT_MM,
    r"within (\d+) mm, to insist": REACH_MM,
    r"come within (\d+) mm of the click": REACH_MM,
    r"(\d+) mm across, of a border that": ACROSS_MM,
    r"1 mm off what lies within (\d+) mm": _AROUND_MM + 1**2 * _AROUND_PER_MM2 * ACROSS_MM / 2,
    r"2 mm off what lies within (\d+) mm": _AROUND_MM + 2**2 * _AROUND_PER_MM2 * ACROSS_MM / 2,
    r"narrower than (\d+) mm": HEAD_MM,
    r"islands of less than (\d+) mm³": SMALL_ISLAND_MM3,
    r"has several parts or less than (\d+) mm³": _SMALLEST_MM3,
    r"(Half a second) must have passed": SEEN_S,
    r"initial masks of the next (\w+) cases": AHEAD,
    r"after (\w+) minutes by the clock of the drive": STALE_S / 60,
    r"of a pause of more than (\w+) minutes": IDLE_S / 60,
    r"After every (\w+) cases more": EVERY,
    r"takes at least (\w+) cases": FEWEST,
    r"at most the last (\w+), for": CorrectorLesson.most,
    r"initial mask the last (\w+)\.": InitialLesson.most,
    r"by ([\d.]+) at least": LEAST_GAIN,
    r"by ([\d.]+) at most": TOLERANCE,
    r"lists the last (\w+) versions": VERSIONS,
    r"Observers differ by up to about (\d+) %": SMALL_AGREEMENT_PERCENT,
    r"quarter of tumours \(up to (\d+) mm³\)": SMALL_MM3,
    r"and (\d+) % in the largest": LARGE_AGREEMENT_PERCENT,
    r"in the largest \(from (\d+) mm³ on\)": LARGE_MM3,
    r"growth: (\d+) %": GROWTH_PERCENT,
    r"volume, or more than (\d+) mm": GROWTH_MM,
}


def guide():
    return (DOCS / "user-guide.md").read_text(encoding="utf-8")


def robustness():
    return (DOCS / "robustness.md").read_text(encoding="utf-8")


def options_of(parser):
    """Yield the options of a command and of its actions."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from options_of(one)


def strange_options(typed):
    """Return the options of a typed command that it does not have."""
    name, *words = typed.replace("\\\n", " ").split()
    if name not in COMMANDS:
        return [] if name in NO_COMMANDS else [name]
    parser = argparse.ArgumentParser()
    import_module(COMMANDS[name][0]).configure(parser)
    given = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}
    return [f"{name} {option}" for option in sorted(given - set(options_of(parser)))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_are_the_command_s(document):
    typed = TYPED.findall(document.read_text(encoding="utf-8"))
    assert not [option for one in typed for option in strange_options(one)]


def helps_of(parser):
    """Yield the help of a command and of its actions."""
    yield " ".join(parser.format_help().split())
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from helps_of(one)


def actions_of(name):
    """Return the actions of a command one of which must be named, such as list and verify."""
    parser = argparse.ArgumentParser()
    import_module(COMMANDS[name][0]).configure(parser)
    found = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return [action for one in found for action in one.choices]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_a_help_names_run_as_they_are_typed(command):
    parser = argparse.ArgumentParser(prog=f"vsclick {command}")
    import_module(COMMANDS[command][0]).configure(parser)
    typed = [one for text in helps_of(parser) for one in re.findall("'vsclick ([^']+)'", text)]
    assert not [option for one in typed for option in strange_options(one)]
    for name, *words in map(str.split, typed):
        actions = actions_of(name)
        assert not actions or {*words} & {*actions}, f"vsclick {name} needs one of {actions}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_of_scripts_are_theirs(document):
    for script, typed in SCRIPT.findall(document.read_text(encoding="utf-8")):
        source = (ROOT / script).read_text(encoding="utf-8")
        assert not [option for option in re.findall(r"--[a-z][\w-]*", typed) if f'"{option}"' not in source]


def test_the_guide_names_buttons_and_switches_as_the_windows_do():
    text = FENCED.sub("", guide())
    named = {" ".join(one.split()).rstrip("…") for one in ITALIC.findall(text)}
    windows = {*SOURCE.rglob("*.py"), *SOURCE.rglob("*.ui")}
    shown = "\n".join(unescape(path.read_text(encoding="utf-8")) for path in windows)
    assert len(named) > 60
    gone = [one for one in named - NOT_OURS if not re.search(rf"[\"'>(]{re.escape(one)}\b", shown)]
    assert not sorted(gone)


def test_an_option_that_a_command_does_not_have_is_noticed():
    assert strange_options("segment --t1ce A.nii \\\n  --fast") == ["segment --fast"]
    assert strange_options("segmnt --t1ce A.nii") == ["segmnt"]


def test_the_guide_s_table_has_the_page_s_keys_and_no_others():
    table = guide().partition("| key | does |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    named = {name.strip() for cell in cells for name in re.split(",| or ", cell)}
    assert {WRITTEN.get(key.name, key.name) for key in PAGE_KEYS} == named - {"wheel", "held"}


@pytest.mark.parametrize(("sentence", "value"), TOLD.items())
def test_the_guide_tells_limits_as_they_are(sentence, value):
    found = re.findall(sentence.replace(" ", r"\s+"), guide())
    assert found and {float(WORDS.get(one, one)) for one in found} == {value}


def test_bad_inputs_are_counted():
    refused = sum(not case.accepted for case in CASES)
    numbers = r"(\d+) inputs that are damaged.*?(\d+) are refused.*?(\d+) are of use"
    told = re.search(numbers, robustness(), re.DOTALL)
    assert told and tuple(map(int, told.groups())) == (len(CASES), refused, len(CASES) - refused)


def test_readers_that_get_damaged_files_are_counted():
    assert f"hands them to\n{len(MAKERS)} readers" in robustness()
