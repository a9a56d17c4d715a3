"""Memory that is free goes back to the system, seen by glibc's own figures in a process of its own."""

import os
import subprocess
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("glibc's memory is only on Linux", allow_module_level=True)

MAPPED = """
import ctypes
import sys
import vtk
from VSClickCorrectApp.memory import give_large_blocks_back, keep_surface

class Information(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd".split()] + [
        ("rest", ctypes.c_size_t * 5)
    ]

libc = ctypes.CDLL(None)
if not hasattr(libc, "mallinfo2"):
    sys.exit()
libc.mallinfo2.restype = Information
libc.malloc.restype = ctypes.c_void_p

def mapped():
    return libc.mallinfo2().hblkhd
"""

# Prints how many bytes lie in blocks mapped on their own, once 8 MB were taken, freed and taken again.
TAKEN_TWICE = """
if {given_back}:
    give_large_blocks_back()
libc.free(ctypes.c_void_p(libc.malloc(2**23)))
before = mapped()
libc.malloc(2**23)
print(mapped() - before)
"""

# Prints by how many bytes mapped blocks have grown at most while four windows changed their size and back,
# and how many pixels of a picture larger than the surface are drawn.
SIZED_OFTEN = """
from vtk.util.numpy_support import vtk_to_numpy

give_large_blocks_back()
windows = [vtk.vtkRenderWindow() for _ in range(4)]
if not windows[0].IsA("vtkEGLRenderWindow"):
    sys.exit()
for window in windows:
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(0.0, 0.0, 1.0)
    window.AddRenderer(renderer)
    window.SetOffScreenRendering(1)
    window.SetSize(64, 64)
    keep_surface(window)
before = most = mapped()
for _ in range(20):
    for width, height in ((900, 700), (500, 400)):
        for window in windows:
            window.SetSize(width, height)
        most = max(most, mapped())
windows[0].SetSize(900, 700)
windows[0].Render()
pixels = vtk.vtkUnsignedCharArray()
windows[0].GetPixelData(0, 0, 899, 699, 0, pixels, 0)
print(most - before, (vtk_to_numpy(pixels) == (0, 0, 255)).all(axis=1).sum())
"""


def printed(program):
    # Dask sets some of glibc's variables for all that begins after its workers.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    ended = subprocess.run(
        [sys.executable, "-c", MAPPED + program], stdout=subprocess.PIPE, text=True, check=True, env=plain
    )
    if not ended.stdout:
        pytest.skip("this C library does not tell how it holds memory, or windows are not made by EGL")
    return [int(word) for word in ended.stdout.split()]


def test_a_large_block_is_mapped_on_its_own_every_time():
    assert 2**23 <= printed(TAKEN_TWICE.format(given_back=True))[0] < 2**23 + 2**16


def test_else_it_would_lie_among_small_ones():
    assert printed(TAKEN_TWICE.format(given_back=False)) == [0]


def test_views_leave_nothing_behind_when_their_size_changes():
    assert printed(SIZED_OFTEN) == [0, 900 * 700]
