"""Start of a run: only one process compiles at a time."""

import fcntl
import os

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
