"""What importing the package does, and does not do."""

import os
import subprocess
import sys

import pytest

ASK = "import VSClickCorrectLib, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"


@pytest.mark.parametrize("before, after", [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_sleep_unless_somebody_has_said_otherwise_and_torch_is_not_there_yet(before, after):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}
    if before is not None:
        environment["OMP_WAIT_POLICY"] = before
    told = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, check=True)
    assert told.stdout.decode().split() == [after, "False"]
