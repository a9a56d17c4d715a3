"""The server's memory: what is free is given back."""

from __future__ import annotations

import ctypes
import gc
import sys

import vtk

# Parameters of glibc's mallopt; see malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGE = 512 * 1024


def give_large_blocks_back() -> None:
    """Let every large block of memory go back to the system when it is freed, for the whole process.

    glibc raises the size from which blocks are mapped on their own to that of the largest one freed so far,
    at most 32 MB. Images and drawing buffers of views would then lie between small blocks, and what is free
    among those stays with the process. A size that is set stays as it is. Other C libraries are left alone.
    """
    set_option = _from_libc("mallopt")
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _LARGE)
        set_option(_TRIM_THRESHOLD, 2 * _LARGE)


def give_back() -> None:
    """Free what Python's collector alone finds, and return freed pages to the system.

    It takes a moment, so it is for the time between cases.
    """
    gc.collect()
    trim = _from_libc("malloc_trim")
    if trim is not None:
        trim(0)


def keep_surface(window: vtk.vtkRenderWindow) -> None:
    """Let a window off the screen keep the surface that it begins with, whatever size it gets.

    VTK draws into buffers of its own and never shows that surface, but makes a new one for every size, and
    Mesa keeps old ones, how many is chance. Windows that are not made by EGL are left alone. The surface is
    never freed, so this is for windows that last as long as the process.
    """
    if window.IsA("vtkEGLRenderWindow"):
        window.Initialize()
        # A window that others are said to have made is never made anew.
        window.SetWindowInfo("")


def _from_libc(name: str):
    # musl has no malloc_trim, and neither of the two is in other systems' libraries.
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
