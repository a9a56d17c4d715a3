import subprocess
import sys
from pathlib import Path


def test_cmake_and_pyproject_list_every_file_on_disk():
    script = Path(__file__).parent / "tools" / "file_lists.py"
    result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
