"""Files damaged at random, a few seconds for each reader; `make fuzz` takes longer."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from damage import damaged
from hypothesis import given

FUZZ = Path(__file__).with_name("fuzz.py")
FIXED_SEED = 20240
SECONDS = 10
LEAST = 20


def run(folder, *arguments):
    """Run a script in a process of its own, since it forks."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=900, check=False)
    print(done.stdout)
    return done


@pytest.mark.long
def test_damaged_files_are_read_or_refused_in_one_sentence(tmp_path):
    fresh = random.SystemRandom().randrange(10**9)
    done = run(tmp_path, FUZZ, "--seconds", SECONDS, "--seed", FIXED_SEED, "--seed", fresh)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("seed")] == [f"seed {FIXED_SEED}", f"seed {fresh}"]
    counts = [int(line.split(" tried")[0].split()[-1]) for line in lines if " tried" in line]
    assert len(counts) > 30
    assert min(counts) >= LEAST


SPOILED = {
    "crash": ("raise KeyError('unplanned')", "KeyError: 'unplanned'"),
    "two lines": ("raise VSClickError('no full stop')", "Confused: no full stop"),
    "killed": ("os.kill(os.getpid(), 11)", "ended with status -11"),
    "greedy": ("bytearray(64 << 30)", "MemoryError"),
}


def test_what_no_reader_may_do_is_found(tmp_path):
    script = tmp_path / "spoiled.py"
    lines = [
        f"import os, sys; sys.path.insert(0, {str(FUZZ.parent)!r})",
        "import fuzz, readers",
        "from VSClickCorrectLib.errors import VSClickError",
    ]
    for name, (deed, _) in SPOILED.items():
        lines += [
            "def read(content, folder):",
            f"    if content != b'good': {deed}",
            f"def make(folder, read=read): return {{{name!r}: readers.Reader(b'good', read)}}",
            f"fuzz.MAKERS[{name!r}] = make",
        ]
    lines += [
        f"results = fuzz.fuzz({list(SPOILED)!r}, 0.4, 0)",
        "for name, result in results.items(): print(name, '>>', result.get('failure'), '###')",
    ]
    script.write_text("\n".join(lines))
    done = run(tmp_path, script)
    for name, (_, said) in SPOILED.items():
        assert said in done.stdout.partition(f"{name} >>")[2].partition("###")[0], done.stdout + done.stderr
    assert len(list((tmp_path / "fuzz-failures").iterdir())) == len(SPOILED)


@given(damaged(b'{"markups": [{"position": [1, 2.5, 3]}]}' * 9))
def test_damage_adds_little(content):
    assert isinstance(content, bytes)
    assert len(content) < 9 * 40 + 4 * 420
