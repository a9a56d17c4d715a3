"""No file, message or name from outside is ever run as code: by the syntax of every file of the product."""

import ast
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[1] / "VSClickCorrect"
# Reading what these wrote runs code, or lets a document name other documents.
IMPORTS = {
    *("pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "jsonpickle"),
    *("code", "codeop", "pty", "commands", "yaml", "xml", "xmlrpc", "lxml"),
}
CALLS = {
    *("eval", "exec", "compile", "__import__", "runpy.run_path", "runpy.run_module", "tempfile.mktemp"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "shutil.unpack_archive"),
    *("torch.jit.load", "torch.hub.load", "torch.package.PackageImporter", "numpy.fromregex"),
}
# Tables are counted with pandas, never read with it: some of its readers run code.
STARTS = (
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "asyncio.create_subprocess_shell",
    "pandas.read_",
    "pandas.io",
)
METHODS = {"extractall", "extract", "query"}
# Calls that are safe with one argument only.
WANTED = {"numpy.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}


def found_in(source: str) -> list[str]:
    """Return what a file does that it must not."""
    tree, names, found = ast.parse(source), {}, []
    for node in ast.walk(tree):
        for name, alias in imported(node):
            names[alias] = name
            found += [name] if name.partition(".")[0] in IMPORTS else []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name, options = full_name(call.func, names), {k.arg: k.value for k in call.keywords}
        forbidden = name in CALLS or name.startswith(STARTS) or name.rpartition(".")[2] in METHODS
        option, value = WANTED.get(name, (None, None))
        if forbidden or (option and not is_literally(options.get(option), value)):
            found.append(name)
        if "shell" in options and not is_literally(options["shell"], False):
            found.append(f"{name} with a shell")
        if "allow_pickle" in options and not is_literally(options["allow_pickle"], False):
            found.append(f"{name} with pickles")
    return found


def imported(node):
    """Return the names that a statement imports, each with what the file calls it."""
    if isinstance(node, ast.Import):
        return [(a.name, a.asname or a.name.partition(".")[0]) for a in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(f"{node.module or ''}.{a.name}", a.asname or a.name) for a in node.names]
    return []


def full_name(node, names) -> str:
    """Return a called thing's name, its first part as it was imported."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value, names)}.{node.attr}"
    return ""


def is_literally(node, value) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def test_the_product_runs_nothing_from_outside():
    files = sorted(MODULE.rglob("*.py"))
    assert len(files) > 150
    found = {str(f.relative_to(MODULE)): found_in(f.read_text(encoding="utf-8")) for f in files}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "def f():\n    import dill",
        "import xml.etree.ElementTree as ET",
        "from yaml import load",
        "eval('1')",
        "exec(text)",
        "import os\nos.system('ls')",
        "from os import popen as run\nrun('ls')",
        "import os\nos.execv('a', [])",
        "import subprocess as s\ns.run('ls', shell=True)",
        "import subprocess\nsubprocess.Popen('ls', shell=chosen)",
        "import numpy as np\nnp.load('a')",
        "import numpy as np\nnp.load('a', allow_pickle=True)",
        "from numpy import load\nload('a', allow_pickle=chosen)",
        "import torch\ntorch.load('a')",
        "import torch\ntorch.load('a', weights_only=False)",
        "import tempfile\ntempfile.mktemp()",
        "import zipfile\nzipfile.ZipFile('a').extractall()",
        "with opened as archive:\n    archive.extract(name)",
        "import shutil\nshutil.unpack_archive('a')",
        "import pandas as pd\npd.read_pickle('a')",
        "from pandas import read_hdf\nread_hdf('a')",
        "table.query(text)",
    ],
)
def test_it_would_be_noticed(source):
    assert found_in(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.load('a', allow_pickle=False)",
        "import torch\ntorch.load('a', weights_only=True)",
        "import subprocess\nsubprocess.Popen(['a'], shell=False)",
        "import json\njson.loads(text)",
        "network.eval()",
        "import pandas as pd\npd.cut(values, 3)",
    ],
)
def test_what_is_harmless_is_not(source):
    assert found_in(source) == []
