"""Is it a result file that this version reads, and are its data what was written?"""

import zlib

import numpy as np

from hpc_cr.io.errors import ResultError
from hpc_cr.io.schema import FORMAT, FORMAT_VERSION


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

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise ResultError(f"{path}: {what}")
    try:
        with path.open("rb"):
            pass
        if not h5py.is_hdf5(path):
            raise ResultError(f"{path}: not a result file of hpc-cr (not HDF5)")
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        if "truncated" in str(error):
            raise ResultError(f"{path}: the file is truncated; its end is missing") from None
        raise ResultError(f"{path}: cannot read: {error.strerror or error}") from None
    found, version = file.attrs.get("format"), file.attrs.get("format_version")
    problem = None
    if found != FORMAT or "config" not in file:
        problem = "an HDF5 file, but not a result file of hpc-cr"
    elif version != FORMAT_VERSION:
        problem = (
            f"format version {version}, but this version of hpc_cr reads {FORMAT_VERSION};"
            f" it was written by hpc_cr {file.attrs.get('version', 'of unknown version')}"
        )
    if problem:
        file.close()
        raise ResultError(f"{path}: {problem}")
    return file


def checksum(arrays):
    """CRC-32 over the bytes of arrays as they are stored, one after the other."""
    value = 0
    for array in arrays:
        value = zlib.crc32(array.reshape(-1).view(np.uint8), value)
    return value
