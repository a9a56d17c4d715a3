"""Every file that the packages write goes the one way of `files`; exceptions have a reason."""

import ast
import re
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[1] / "VSClickCorrect"
PACKAGES = tuple(MODULE / f"VSClickCorrect{part}" for part in ("Lib", "App", "Research"))
ONE_WAY = {"write_atomically", "write_folder", "write_together"}
# Methods and functions that make, fill or move files; of those that others have too, whose they are.
WRITERS = {"write_text", "write_bytes", "tofile", "savefig", "savetxt", "savez", "savez_compressed", "imsave"}
WRITERS |= {
    "WriteImage",
    "WriteTransform",
    "WriteToMRB",
    "WriteData",
    "copyfile",
    "copytree",
    "dcmwrite",
    "rename",
    "save_as",
    "to_csv",
}
OF_MODULES = {"np.save", "torch.save", "json.dump", "csv.writer", "os.replace", "os.link", "shutil.move"}
OF_MODULES |= {"shutil.copy", "shutil.copy2", "shutil.copyfileobj", "save_file"}
EXCEPTIONS = {
    "App/browser_launch.py: open": "what leads the browser to the app; the user alone may read it",
    "Research/benchmark/child.py: result_file.write_text": "what a child has measured, in a temporary folder",
    "Research/benchmark/run.py: task.write_text": "what a child is to measure, in a temporary folder",
    "Research/datasets/whole_folders.py: beside.rename": "a whole folder gets its name",
    "Research/datasets/whole_folders.py: folder.rename": "an older folder waits until then",
    "Research/datasets/whole_folders.py: old.rename": "it gets its name again where that failed",
    "Research/datasets/packed_sources.py: np.savez": "into memory, to be packed and then written the one way",
    "App/reading/scene_archive.py: shutil.copyfileobj": "an unpacked scene, in a temporary folder",
    "App/reading/scene_archive.py: target.open": "an unpacked scene, in a temporary folder",
    "Lib/session/journal_file.py: open": "the journal is appended to, synced, and cut back where that fails",
    "Research/training/reporter.py: open": "lines of a log, anew from the checkpoint when a training goes on",
    "Lib/jobs/exchange.py: open": "progress, in the job's temporary folder",
    "Lib/jobs/handover.py: np.save": "an array for a child or its parent, in a temporary folder of theirs",
    "Lib/jobs/exchange.py: (folder / _TASK).write_text": "the task, too",
    "Lib/jobs/exchange.py: np.savez": "the result, in that folder, under another name until whole",
    "Lib/jobs/exchange.py: os.replace": "the result gets its name",
    "Lib/jobs/exchange.py: (folder / _WARMING).write_text": "what it loads before there is a task, too",
    "Lib/jobs/process.py: open": "the child's last words, in the job's temporary folder",
    "App/uploads.py: file.path.open": "parts of what a browser sends, in a temporary folder",
    "App/reading/apart.py: (folder / 'task.json').write_text": "what a child reads, in a temporary folder",
    "App/reading/reading_child.py: (folder / 'answer.json').write_text": "what it found, in the same folder",
    "Lib/io/archives.py: (home / _numbered(number, name)).open": "an unpacked series, in a temporary folder",
    "Lib/io/archives.py: part.rename": "the folder of an unpacked series, whole now, gets its name",
    "Lib/io/archives.py: path.rename": "a file of an unpacked series, beside the others of that series",
    "Lib/io/archives.py: shutil.copyfileobj": "an unpacked series, in a temporary folder",
    "Lib/io/dicom_series.py: copy.write_bytes": "a slice as ITK reads it, in a temporary folder",
    "Lib/io/nifti_copy.py: copy.open": "a file as ITK reads it, in a temporary folder",
    "Lib/io/together.py: os.replace": "whole files get their names together, or the older ones theirs again",
    "Lib/panel/samples.py: slices[-1].write_bytes": "a sample, in a temporary folder",
    "Lib/mrml/segment_correction.py: self._markers.rename": "numbers of points, no file",
    "Lib/worklist/locks.py: os.rename": "a lock that is taken over is moved aside: one alone does it",
    "Lib/worklist/store.py: os.replace": "a whole file gets another name",
}


def writing_calls(text):
    """Return what calls write files outside the one way, as they stand in the source."""
    tree = ast.parse(text)
    handed_over = {
        argument.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and name_of(call) in ONE_WAY
        for argument in call.args
        if isinstance(argument, ast.Name)
    }
    return list(_outside(tree, handed_over))


def _outside(node, handed_over):
    if isinstance(node, ast.FunctionDef) and node.name in handed_over:
        return
    if isinstance(node, ast.Call):
        if name_of(node) in ONE_WAY:
            return
        if writes(node):
            yield ast.unparse(node.func)
    for child in ast.iter_child_nodes(node):
        yield from _outside(child, handed_over)


def name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def writes(call):
    name, whole = name_of(call), ast.unparse(call.func)
    if name == "open" and whole != "os.open":
        place = 1 if isinstance(call.func, ast.Name) else 0
        modes = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg == "mode")]
        return any(isinstance(mode, ast.Constant) and set(str(mode.value)) & set("wax+") for mode in modes)
    return whole in OF_MODULES or (name in WRITERS and isinstance(call.func, ast.Attribute))


def sources():
    """Return every file's path, which begins with its package's Lib, App or Research, and its text."""
    files = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]
    named = ((path.relative_to(MODULE).as_posix(), path) for path in files)
    return [(name.removeprefix("VSClickCorrect"), path.read_text("utf-8")) for name, path in named]


@pytest.fixture(scope="module")
def found():
    """Every such call of the packages, with its file."""
    texts = ((path, text) for path, text in sources() if path != "Lib/io/files.py")
    return {f"{path}: {call}" for path, text in texts for call in writing_calls(text)}


def test_every_file_goes_the_one_way_or_has_a_reason(found):
    assert sorted(found - set(EXCEPTIONS)) == []


def test_every_exception_is_there(found):
    assert sorted(set(EXCEPTIONS) - found) == []


def test_temporary_folders_are_made_where_signals_remove_them():
    other_ways = {"mkdtemp", "mkstemp", "TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile"}
    named = [(path, other_ways & set(re.findall(r"\w+", text))) for path, text in sources()]
    assert [(path, names) for path, names in named if names] == []


@pytest.mark.parametrize(
    "line",
    [
        "open(path, 'w').write(text)",
        "path.open(mode='ab')",
        "path.write_text(text)",
        "np.savez_compressed(path, a=a)",
        "os.replace(a, b)",
        "figure.savefig(path)",
        "other(path, lambda p: p.write_bytes(b''))",
    ],
)
def test_a_write_outside_the_one_way_is_seen(line):
    assert len(writing_calls(line)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "open(path)",
        "path.open('rb')",
        "'a'.replace('b', 'c')",
        "write_text(path, text)",
        "write_atomically(path, lambda p: p.write_bytes(b''))",
        "def write(p):\n  p.write_text('')\nwrite_atomically(path, write)",
    ],
)
def test_reading_and_the_one_way_are_left_alone(text):
    assert writing_calls(text) == []


def test_the_exceptions_are_counted_where_they_are_told():
    page = MODULE.parent / "Resources" / "Docs" / "robustness.md"
    assert f"{len(EXCEPTIONS)} exceptions have a reason" in page.read_text(encoding="utf-8")
