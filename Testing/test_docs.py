"""What documents name exists: modules, classes, files, commands and targets."""

import ast
import re
from pathlib import Path

import pytest
from VSClickCorrectApp.cli.commands import COMMANDS as OF_THE_APP
from VSClickCorrectLib.cli.commands import _COMMANDS as OF_THE_LIBRARY
from VSClickCorrectResearch.cli.commands import COMMANDS as OF_RESEARCH

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "VSClickCorrect"
COMMANDS = {**OF_THE_LIBRARY, **OF_THE_APP, **OF_RESEARCH}
DOCS = ROOT / "Resources" / "Docs"
# Bad input is written by what it describes, and names files that are none.
DOCUMENTS = [
    ROOT / "CONTRIBUTING.md",
    ROOT / "README.md",
    *sorted(path for path in DOCS.glob("*.md") if path.name != "bad-input.md"),
    *sorted(DOCS.glob("decisions/*.md")),
    *sorted(ROOT.glob("models/*.md")),
]
CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# In blocks: files, and members of classes.
IN_BLOCK = re.compile(r"(?:[\w-]+/)*[\w-]+\.py\b|\b[A-Z]\w*[a-z]\w*\.[a-z_]\w+")
TYPED = re.compile(r"(?:`|^\s*)(make|vsclick) ([a-z][\w-]*)(?: ([a-z][\w-]*))?", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
# A name, and the file that it is said to be in.
PLACED = re.compile(r"`([A-Za-z_][\w.]*)`\s(?:(?:in|of)\s|\()`([\w/]+\.py)`")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.\w+)+(\(\))?")
NAME = re.compile(r"(?=[A-Za-z]*_|[A-Z][A-Z0-9]*[a-z]\w*[A-Z])\w+(\(\))?")
FILE = re.compile(r"[\w.-]+(/[\w.-]+)*(/|\.(py|sh|toml|js|ui))|[\w.-]+(/[\w.-]+)+")
# What commands read and write, not what is in the repository.
DATA = re.compile(r".*\.(cff|csv|dcm|gz|html|json|jsonl|md|mrb|nii|nrrd|png|safetensors|tfm|txt)")
OUTPUT = re.compile(r"(cases|demo-output|evaluation-output|heads|runs|worst)/.*|models/vs-name-1\..*")
# Packages of others, and the name of the entry points.
FOREIGN = {"slicer", "torch", "vsclick", "vtk"}


def _members(tree, name):
    """Yield the qualified names of what a module or class defines."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{name}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _members(node, f"{name}.{node.name}")
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = ast.walk(node if isinstance(node, ast.Assign) else node.target)
            yield from (f"{name}.{t.id}" for t in targets if isinstance(t, ast.Name))
    if isinstance(tree, ast.ClassDef):
        stored = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))
        yield from (f"{name}.{attribute.attr}" for attribute in stored)


@pytest.fixture(scope="module")
def defined():
    """The qualified name of every module, class, function and attribute."""
    names = set()
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        names |= {module, *_members(ast.parse(path.read_text(encoding="utf-8")), module)}
    return names


@pytest.fixture(scope="module")
def files():
    """Every file and folder of the repository, relative to its root."""
    tops = ("Resources", "Testing", "VSClickCorrect", "models", ".ci")
    found = [*ROOT.glob("*"), *(path for top in tops for path in (ROOT / top).rglob("*"))]
    # A folder that holds nothing but what Python compiled is one that was moved away.
    kept = [path.relative_to(ROOT) for path in found if path.is_file() and path.suffix != ".pyc"]
    return {one.as_posix() for path in kept for one in (path, *path.parents)}


@pytest.fixture(scope="module")
def words():
    """Every word of the source, of tests and of what is built with."""
    found = {*SOURCE.rglob("*.py"), *SOURCE.rglob("*.js"), *(ROOT / "Testing").rglob("*.py")}
    found |= {ROOT / "Makefile", ROOT / "pyproject.toml"}
    found -= {Path(__file__)}
    return "\n".join(path.read_text(encoding="utf-8") for path in found)


def ends_with(found, name, separator):
    return any(one == name or one.endswith(separator + name) for one in found)


def spans(document):
    """Return what a document has in code quotes, and in blocks what looks like a file or a member."""
    text = document.read_text(encoding="utf-8")
    return CODE.findall(FENCED.sub("", text)) + IN_BLOCK.findall("".join(FENCED.findall(text)))


def missing(span, defined, files, words):
    """Tell whether a span names something of ours that there is not."""
    if OUTPUT.fullmatch(span) or re.split(r"[./]", span)[0] in FOREIGN:
        return False
    if FILE.fullmatch(span):
        return not ends_with(files, span.rstrip("/"), "/")
    if DATA.fullmatch(span):
        return False
    if DOTTED.fullmatch(span):
        return not ends_with(defined, span.removesuffix("()"), ".")
    return bool(NAME.fullmatch(span)) and span.removesuffix("()") not in words


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_named_exists(document, defined, files, words):
    assert not [span for span in spans(document) if missing(span, defined, files, words)]


@pytest.mark.parametrize(
    "span", ["imaging/grid.py", "imaging.grid", "imaging/", "CutGeometry", "Grid.cut", "spoil_mask()"]
)
def test_what_is_gone_is_noticed(span, defined, files, words):
    assert missing(span, defined, files, words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_figure_waits_to_be_filled_in(document):
    assert re.findall(r"@[A-Z]+@|\bTODO\b", document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (document.parent / target).exists()]


def actions_of(command):
    """Return the actions of a command of ``vsclick`` that has any, such as list and verify."""
    module = SOURCE.joinpath(*COMMANDS[command][0].split(".")).with_suffix(".py")
    return re.findall(r'add_parser\("([\w-]+)"', module.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_are_there(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    experiments = {path.stem for path in ROOT.glob("Resources/Experiments/*.toml")}
    targets = {*re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE)} | experiments
    text = document.read_text(encoding="utf-8")
    for program, command, action in TYPED.findall(text):
        if program == "make":
            assert command in targets, f"make {command}"
        else:
            assert command in COMMANDS, f"vsclick {command}"
            assert not action or action in (actions_of(command) or [action]), f"vsclick {command} {action}"


def test_the_architecture_describes_every_package():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    described = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"\*\*(`.*?)\*\*", text))))
    packages = {path.parent.name for path in SOURCE.glob("VSClickCorrect*/*/__init__.py")}
    modules = {path.stem for path in SOURCE.glob("VSClickCorrect*/*.py")} - {"__init__"}
    assert described == packages | modules


def test_the_architecture_tells_state_verbs_and_signals_as_they_are(defined):
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]\w+)` \| (.*)$", text, re.MULTILINE)
    named = [f"{part}.{member}" for part, cells in rows for member in CODE.findall(cells)]
    assert len(named) > 60
    assert not [name for name in named if not ends_with(defined, name, ".")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_document_writes_a_key_on_a_command_line(document):
    text = document.read_text(encoding="utf-8")
    assert not re.findall(r"VSCLICK_(?:TOKEN|PROXY_SECRET)=|--authKey|--token\b|wslink\.launcher", text)


def not_where_it_is_said(text):
    """Return the names that a text says are defined in a file which does not define them."""
    wrong = []
    for name, file in PLACED.findall(FENCED.sub("", text)):
        named = (path for top in (SOURCE, ROOT / "Testing") for path in top.rglob(Path(file).name))
        paths = [path for path in named if path.as_posix().endswith(f"/{file}")]
        members = {one for path in paths for one in _members(ast.parse(path.read_text("utf-8")), path.stem)}
        if not ends_with(members, name, "."):
            wrong.append(f"{name} in {file}")
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_named_is_in_the_file_that_is_named(document):
    assert not not_where_it_is_said(document.read_text(encoding="utf-8"))


def test_a_name_that_is_elsewhere_is_noticed():
    text = "`ROLES` in `inference/manifest.py`, `GEOMETRIES` (`inference/model_entry.py`)"
    assert not_where_it_is_said(text) == ["ROLES in inference/manifest.py"]


def test_contributing_names_classes_that_there_are(defined, files):
    text = FENCED.sub("", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    # One capital alone: `missing` takes such a word for a name of others.
    named = [span for span in CODE.findall(text) if re.fullmatch(r"[A-Z][a-z]+", span)]
    assert "Section" in named
    assert not [name for name in named if not (ends_with(defined, name, ".") or name in files)]
