"""Memory that is free goes back to the system, seen by glibc's own figures in a process of its own."""

import subprocess
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("glibc's memory is only on Linux", allow_module_level=True)

# Prints how many bytes lie in blocks mapped on their own, once 8 MB were taken, freed and taken again.
TAKEN_TWICE = """
import ctypes
import sys
from VSClickCorrectLib.app.memory import give_large_blocks_back

class Information(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd".split()] + [
        ("rest", ctypes.c_size_t * 5)
    ]

libc = ctypes.CDLL(None)
if not hasattr(libc, "mallinfo2"):
    sys.exit()
libc.mallinfo2.restype = Information
libc.malloc.restype = ctypes.c_void_p
if {given_back}:
    give_large_blocks_back()
libc.free(ctypes.c_void_p(libc.malloc(2**23)))
before = libc.mallinfo2().hblkhd
libc.malloc(2**23)
print(libc.mallinfo2().hblkhd - before)
"""


def mapped(given_back):
    program = TAKEN_TWICE.format(given_back=given_back)
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    if not printed.stdout:
        pytest.skip("this C library does not tell how it holds memory")
    return int(printed.stdout)


def test_a_large_block_is_mapped_on_its_own_every_time():
    assert 2**23 <= mapped(given_back=True) < 2**23 + 2**16


def test_else_it_would_lie_among_small_ones():
    assert mapped(given_back=False) == 0
