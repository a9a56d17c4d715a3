"""Memory between cases: what is free is given back."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Free what Python's collector alone finds, and return freed pages to the system.

    Views that change their size leave drawing buffers that glibc frees and keeps. Nothing of that is lost,
    but over a day the process would look as if it leaked (Resources/Docs/performance.md). It takes a moment,
    so it is for the time between cases.
    """
    gc.collect()
    if sys.platform == "linux":
        # musl has no such function and needs none.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
