"""Start of a run: only one process compiles at a time."""

import fcntl
import os
import subprocess
import sys

import pytest

from hpc_cr import kernel


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "_FOLDER", str(tmp_path))
    return tmp_path


def test_one_compiles_at_a_time(cache):
    asked = []

    def stopped():
        asked.append(None)
        return len(asked) > 3

    with open(cache / "lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with kernel.alone_in_cache(stopped):  # waits in vain, and is told to stop
            assert len(asked) == 4
    with kernel.alone_in_cache(lambda: False), open(cache / "lock", "w") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with open(cache / "lock", "w") as other:  # and is free again
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_without_a_cache_nothing_is_awaited(monkeypatch):
    monkeypatch.setattr(kernel, "_FOLDER", None)
    with kernel.alone_in_cache(lambda: False):
        pass


def test_an_edit_of_a_kernel_leads_to_another_folder(monkeypatch, tmp_path):
    """The folder is named after all sources that hold kernels, numba's version and nothing else."""
    package = tmp_path / "package"
    package.mkdir()
    source = package / "some.py"
    source.write_text("from hpc_cr.kernel import njit\n")
    (package / "other.py").write_text("no kernel\n")
    monkeypatch.setattr(kernel, "__file__", str(package / "kernel.py"))
    monkeypatch.setenv("HPC_CR_CACHE_DIR", str(tmp_path / "cache"))
    before = kernel._cache_folder()
    (package / "other.py").write_text("edited\n")
    assert kernel._cache_folder() == before and os.path.isdir(before)
    source.write_text("from hpc_cr.kernel import njit  # edited\n")
    assert kernel._cache_folder() != before


IMPORTED = """
import sys
from hpc_cr.campaigns.warm_up import warm_up
from hpc_cr.config import parse_job
from hpc_cr.parallel.communicator import SingleProcess

warm_up(parse_job("run.kind = '{kind}'"), SingleProcess(), lambda: True)
assert "pyfftw" in sys.modules and "scipy.fftpack" not in sys.modules
print("healpy" in sys.modules, "matplotlib" in sys.modules)
import {plots}, scipy.fftpack
assert "matplotlib" in sys.modules and scipy.fftpack.fft([1.0])
"""


@pytest.mark.parametrize("kind, plots, told", [("anisotropy", "matplotlib.figure", "True False"),
                                               ("diffusion", "healpy", "False False")])
def test_ranks_import_what_they_need(kind, plots, told):
    """Thousands of ranks would read the rest; whoever wants it later has it all the same."""
    done = subprocess.run([sys.executable, "-c", IMPORTED.format(kind=kind, plots=plots)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == told
