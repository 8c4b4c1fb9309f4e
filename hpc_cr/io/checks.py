"""Is it a result file that this version reads, and are its data what was written?

A file that was damaged or changed by hand must give a ResultError when it is opened, not some
exception of h5py or numpy later on: every attribute and dataset is compared with what the format
says and the file's own job needs.
"""

import zlib

import numpy as np

from hpc_cr.io.errors import ResultError
from hpc_cr.io.schema import (
    ATTRIBUTES,
    FORMAT,
    READABLE,
    RUN_DTYPE,
    RUN_DTYPE_1,
    RUNS,
    case_group,
    datasets,
)

DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError)
"""What h5py raises when it meets damaged structures, or other objects than were asked for."""


def check_path(path):
    """Raise ResultError for what can be no file's name: nothing, or text with a NUL."""
    if not path.name or "\0" in str(path):
        raise ResultError(f"{str(path)!r} is not the name of a file")


def open_checked(path):
    """The HDF5 file, open for reading and checked to be a result file of a known version.

    Parameters
    ----------
    path : Path

    Returns
    -------
    h5py.File
        Opened without file locks: a job may be writing it.

    Raises
    ------
    ResultError
    """
    import h5py

    check_path(path)
    try:
        # a pipe would keep us waiting for its writer
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ResultError(f"{path}: not a result file of hpc-cr (no regular file)")
        with path.open("rb"):
            pass
        if not h5py.is_hdf5(path):
            raise ResultError(f"{path}: not a result file of hpc-cr (not HDF5)")
        file = h5py.File(path, "r", locking=False)
    except FileNotFoundError:
        raise ResultError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise ResultError(f"{path}: is a folder") from None
    except OSError as error:
        if "truncated" in str(error):
            raise ResultError(f"{path}: the file is truncated; its end is missing") from None
        raise ResultError(f"{path}: cannot read: {error.strerror or error}") from None
    try:
        problem = _not_ours(file)
    except DAMAGE as error:
        problem = f"damaged result file: {error}"
    if problem:
        file.close()
        raise ResultError(f"{path}: {problem}")
    return file


def _not_ours(file):
    """What keeps this version from reading the file, in words; None if nothing does."""
    attributes = dict(file.attrs)
    if not _equal(attributes.get("format"), FORMAT) or "config" not in file:
        return "an HDF5 file, but not a result file of hpc-cr"
    version = attributes.get("format_version")
    if not any(_equal(version, known) for known in READABLE):
        return (
            f"format version {version}, but this version of hpc_cr reads"
            f" {', '.join(map(str, READABLE[:-1]))} and {READABLE[-1]}; it was written by hpc_cr"
            f" {attributes.get('version', 'of unknown version')}"
        )
    for name, (kind, needed) in ATTRIBUTES.items():
        value = attributes.get(name)
        if value is None and needed:
            return f"damaged result file: the attribute {name} is missing"
        if value is not None and not isinstance(value, kind):
            return f"damaged result file: the attribute {name} is {value!r}"
    return None


def _equal(value, expected):
    """The same for values that may also be arrays."""
    return np.shape(value) == () and bool(value == expected)


def check_datasets(file, case, job):
    """Raise ValueError unless a case's group holds every dataset that its job needs.

    Parameters
    ----------
    file : h5py.File
    case : str
    job : hpc_cr.config.Job
        The job of the case.
    """
    import h5py

    group = case_group(case).rstrip("/")
    version = int(file.attrs["format_version"])
    for spec, shape in datasets(job, version):
        path, dtype = f"{group}/{spec.path}", np.dtype(spec.dtype)
        found = file.get(path)
        if not isinstance(found, h5py.Dataset):
            raise ValueError(f"there is no dataset {path}")
        if found.shape != shape or found.dtype != dtype:
            raise ValueError(f"{path} is {found.dtype} {found.shape}, not {dtype} {shape}")
    runs, dtype = file.get(f"{group}/{RUNS.path}"), RUN_DTYPE_1 if version == 1 else RUN_DTYPE
    if not isinstance(runs, h5py.Dataset) or runs.ndim != 1 or runs.dtype != dtype:
        raise ValueError(f"{group}/{RUNS.path} is missing or does not have the format's fields")


def checksum(arrays):
    """CRC-32 over the bytes of arrays as they are stored, one after the other."""
    value = 0
    for array in arrays:
        value = zlib.crc32(array.reshape(-1).view(np.uint8), value)
    return value
