"""`njit`: numba's decorator with a disk cache that follows every kernel source.

numba's own cache looks only at the file of the outermost function, so an edit in a kernel that
it calls from another file is not seen. Here the cache folder is named after a hash of all
sources that hold kernels, so that any edit leads to a fresh folder. The folder is
`$HPC_CR_CACHE_DIR` or `$XDG_CACHE_HOME/hpc_cr` or `~/.cache/hpc_cr`; where none can be written,
kernels are compiled anew in each process.
"""

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager
from pathlib import Path

import numba
from numba.core import config as numba_config


def cache_root():
    """Folder of the user's cache for this program (Path); it may not exist yet."""
    if "HPC_CR_CACHE_DIR" in os.environ:
        return Path(os.environ["HPC_CR_CACHE_DIR"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "hpc_cr"


def _cache_folder():
    package = Path(__file__).parent
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(package.rglob("*.py")):
        text = source.read_bytes()
        if b"numba" in text or b"hpc_cr.kernel import" in text:
            digest.update(str(source.relative_to(package)).encode() + b"\0" + text)
    folder = cache_root() / "kernels" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    return str(folder) if writable else None


_FOLDER = _cache_folder()


@contextmanager
def alone_in_cache(stopped):
    """One process at a time compiles into the cache folder: numba's index of it has no lock.

    Two processes that add different signatures of one kernel at the same moment may write to the
    same file. Where the file system has no locks nothing is awaited.

    Parameters
    ----------
    stopped : callable
        Asked while waiting; a true answer ends the wait.
    """
    if _FOLDER is None:
        yield
        return
    with open(os.path.join(_FOLDER, "lock"), "w") as lock:
        while not stopped():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
                continue
            except OSError:
                pass
            break
        yield


def njit(function=None, **options):
    """`numba.njit` with `cache=True` in the hashed folder; options as numba's.

    Kernels never raise (`error_model="numpy"`). `fastmath` is never set: reordered sums would
    make results depend on the compiler's mood.
    """
    if function is None:
        return lambda wrapped: njit(wrapped, **options)
    options.setdefault("error_model", "numpy")
    if _FOLDER is None:
        return numba.njit(**options)(function)
    # the folder is numba's global setting: lent for the length of the decoration only
    previous = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = _FOLDER
    try:
        return numba.njit(cache=True, **options)(function)
    finally:
        numba_config.CACHE_DIR = previous
