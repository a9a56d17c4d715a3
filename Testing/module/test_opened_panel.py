"""What comes with the panel before anybody has asked for it, by the imports of its files."""

import ast

from module_files import MODULE

# Each with what reads it when it is first wanted.
LATER = {
    "inference.doubt_map": "the networks that are loaded",
    "inference.initial": "the networks that are loaded",
    "inference.learning": "a child process",
    "inference.parts": "parts that are asked for",
    "io.dicom_out": "a mask that is saved",
    "io.dicom_series": "a case that is opened",
    "io.examinations": "an earlier examination that is compared",
    "io.image_files": "a volume that is chosen",
    "io.images": "a case that is opened, a mask that is saved",
    "jobs.adaptation": "a child process",
    "jobs.job": "the first job",
    "jobs.preparation": "a child process",
    "jobs.process": "the first job",
    "panel.samples": "the module Sample Data",
    "worklist.worklist": "a worklist that is opened",
}


def imported_with(name):
    """Return a module and all of ours that come with it: not what functions import, nor for types alone."""
    found, left = set(), [name]
    while left:
        name = left.pop()
        path = MODULE.joinpath(*name.split(".")).with_suffix(".py")
        if name not in found and path.is_file():
            found.add(name)
            left += imports(ast.parse(path.read_text(encoding="utf-8")))
    return found


def imports(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom):
            yield from (child.module, *(f"{child.module}.{alias.name}" for alias in child.names))
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from (name for other in child.orelse for name in imports(ast.Module([other], [])))
        elif not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from imports(child)


def test_a_panel_that_is_opened_reads_what_clicks_need_and_no_more():
    found = imported_with("VSClickCorrectLib.panel.panel")
    needed = {"mrml.segment_mask", "session.click_rules", "session.journal", "workflow.workflow"}
    assert found >= {f"VSClickCorrectLib.{name}" for name in needed}
    assert not found & {f"VSClickCorrectLib.{name}" for name in LATER}


def test_what_is_read_later_is_there():
    assert not [
        name
        for name in LATER
        if not (MODULE / "VSClickCorrectLib" / f"{name.replace('.', '/')}.py").is_file()
    ]
