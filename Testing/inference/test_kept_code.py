"""What oneDNN keeps for boxes of many sizes, seen by the system's figures in a process of its own."""

import os
import subprocess
import sys

import pytest
import torch

if sys.platform != "linux":
    pytest.skip("a process's own memory is read from /proc", allow_module_level=True)
if not torch.backends.mkldnn.is_available():
    pytest.skip("this torch has no oneDNN", allow_module_level=True)

# Prints by how many kB memory has grown once boxes of 500 sizes have passed a layer of the click network.
MANY_SIZES = """
import ctypes
import itertools
import VSClickCorrectLib.inference.device
import torch

def own_kb():
    getattr(ctypes.CDLL(None), "malloc_trim", lambda left: None)(0)
    with open("/proc/self/smaps_rollup") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))

layer = torch.nn.Conv3d(16, 16, 3, padding=1)
torch.set_num_threads(1)
with torch.inference_mode():
    layer(torch.zeros(2, 16, 12, 12, 12))
    before = own_kb()
    for shape in itertools.product(range(4, 12), repeat=3):
        layer(torch.zeros(2, 16, *shape))
print(own_kb() - before)
"""
NAME = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


def grown_kb(**variables):
    plain = {name: value for name, value in os.environ.items() if name != NAME}
    command = [sys.executable, "-c", MANY_SIZES]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=plain | variables)
    return int(ended.stdout)


def test_code_for_boxes_of_many_sizes_is_kept_for_some_alone():
    assert grown_kb() < 0.75 * grown_kb(**{NAME: "1024"})
