"""Where a result comes from: versions, commit, machine, user, command line."""

import getpass
import os
import platform
import socket
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import hpc_cr

LIBRARIES = ("numpy", "scipy", "numba", "h5py", "mpi4py", "pyfftw", "healpy")
"""Those whose version can change the last bit of a number."""
VERSIONS = ("python", *LIBRARIES, "hdf5")
"""Names of their facts, and of those of Python and of the HDF5 library."""
_SOURCE = ("version", "commit", "dirty")


def now():
    """The time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collect(argv=None):
    """Everything worth knowing about this process, as flat attributes.

    Nothing here can fail or start MPI: what cannot be found out is "unknown" or "none".

    Parameters
    ----------
    argv : sequence of str, optional
        The command line; default this process's.

    Returns
    -------
    dict of str to str or int
        software, version, commit, dirty (1 if the source tree has uncommitted changes, -1 if
        unknown), python, library versions, mpi (library string), user, host, cpu, command,
        started (UTC).
    """
    import h5py

    commit, dirty = source_state()
    mpi = sys.modules.get("mpi4py.MPI")
    facts = {
        "software": "hpc_cr",
        "version": hpc_cr.__version__,
        "commit": commit,
        "dirty": dirty,
        "python": platform.python_version(),
    }
    facts |= {name: _version(name) for name in LIBRARIES}
    facts |= {
        "hdf5": h5py.version.hdf5_version,
        "h5py_mpi": int(h5py.get_config().mpi),
        "mpi": _first_line(mpi.Get_library_version()) if mpi else "none",
        "user": _user(),
        "host": socket.gethostname(),
        "cpu": cpu_model(),
        "command": " ".join(sys.argv if argv is None else argv)[:4096],
        "started": now(),
    }
    return facts


def libraries_text(facts):
    """Versions of the libraries in one line, "numpy 2.4.1, scipy 1.17.0, ..." (`collect`)."""
    return ", ".join(f"{name} {facts[name]}" for name in (*LIBRARIES, "hdf5"))


def differences(makers, present):
    """In what the programs that wrote a file differ from the present one.

    Parameters
    ----------
    makers : sequence of dict
        Facts of every program that wrote into the file, as from `collect`; what one of them does
        not hold is not compared.
    present : dict
        From `collect`.

    Returns
    -------
    list of str
        One phrase for each of hpc_cr's version, its commit, changes that are not committed, and
        the versions of Python and the libraries, and the processor. Changes that are not
        committed count as a difference even if there are some on both sides, since they need not
        be the same.
    """
    found = []
    for name in (*_SOURCE, *VERSIONS, "cpu"):
        values = dict.fromkeys(maker[name] for maker in makers if name in maker)
        if name == "dirty":
            if 1 in values:
                found.append("made with changes to the source that are not committed")
            elif present[name] == 1 and values:
                found.append("the source has changes that are not committed")
            continue
        label = {"version": "hpc_cr"}.get(name, name)
        length = 12 if name == "commit" else None
        others = [str(value)[:length] for value in values if value != present[name]]
        if others:
            found.append(f"made with {label} {', '.join(others)}, now {present[name][:length]}")
    return found


@cache
def source_state():
    """Commit of the source tree that runs, and whether it has changes that are not committed.

    Returns
    -------
    commit : str
        "unknown" unless the package lies in a git checkout that tracks it.
    dirty : int
        1 changed, 0 clean, -1 unknown.
    """
    tree = Path(hpc_cr.__file__).resolve().parent
    # an installed package may lie inside some other project's checkout: ask whether it is tracked
    if _git(tree, "ls-files", "--error-unmatch", "__init__.py") is None:
        return "unknown", -1
    state = _git(tree, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", ".")
    if state is None:
        return _git(tree, "rev-parse", "HEAD") or "unknown", -1
    # "# branch.oid COMMIT" and other headers, then a line per change
    header, changes = [], []
    for line in state.splitlines():
        (header if line.startswith("#") else changes).append(line.split())
    commit = next((words[2] for words in header if words[1] == "branch.oid"), "unknown")
    return "unknown" if commit == "(initial)" else commit, int(bool(changes))


def _git(folder, *arguments):
    """Output of a git command, or None if there is no git, no checkout or no answer in time."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def cpu_model():
    """Model name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def _user():
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # containers run under numbers without a name


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _first_line(text):
    return text.replace("\0", "").strip().splitlines()[0].rstrip(", ")
