"""Laying out a result file.

The whole file is laid out once, serially, before anything is computed: afterwards only raw
data are written, so that a kill at any moment cannot damage HDF5's own structures. The disk
space is claimed at the same time, so that a full disk shows before the computation, not in it.
"""

import errno
import os
from glob import escape
from pathlib import Path

import numpy as np

from hpc_cr.io.checks import check_path
from hpc_cr.io.errors import ResultError
from hpc_cr.io.schema import (
    FIELDS,
    FORMAT,
    FORMAT_VERSION,
    MAX_RUNS,
    RUN_DTYPE,
    RUNS,
    case_group,
    data_bytes,
    datasets,
)


def create(path, job, *, provenance, observers=None, n_runs=MAX_RUNS, fill=None,
           poll=lambda: None):
    """Lay out the result file of a job, whole and with its disk space, and put it in place.

    One process calls this, before any other opens the file. The file is made under a temporary
    name beside the target and renamed when it is complete: `path` never holds half a layout. A
    file that is already there is replaced; the caller decides whether that is allowed and holds
    the lock.

    Parameters
    ----------
    path : path-like
        The result file.
    job : hpc_cr.config.Job
        The resolved job, with its cases.
    provenance : dict
        From `hpc_cr.io.provenance.collect`; becomes root attributes.
    observers : mapping of str to array (n_row, 3), optional
        Positions of the observers, or sources, by case name, pc, Galactic Cartesian. Default: the
        origin.
    n_runs : int, optional
        Rows for run records.
    fill : callable, optional
        Called with the path of the temporary file, closed and with its disk space, before it is
        renamed: puts in what other files hold already.
    poll : callable, optional
        Called now and then while the disk space is claimed: some file systems write every byte.

    Raises
    ------
    ResultError
        The folder is missing or cannot be written, the disk is full, or no file can have this
        name; nothing is left behind. So does whatever `fill` raises.
    """
    path = Path(path)
    check_path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        remove_partials(path)
        _check_room(path, data_bytes(job), beside=fill is not None)
        # open by hand: the system's own reason is clearer than HDF5's, and O_EXCL follows no link
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _try_size(handle, data_bytes(job))
            _lay_out(partial, job, provenance, observers or {}, n_runs)
            _claim_space(partial, poll)
            if fill is not None:
                fill(partial)
                _sync(partial)
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        if not os.path.isdir(path.parent):  # unlike Path.is_dir, False for over-long names
            raise ResultError(f"{path}: there is no folder {path.parent}") from None
        reason = os.strerror(error.errno) if error.errno else error
        size = f" ({human_bytes(data_bytes(job))} needed)" if error.errno in _FULL else ""
        raise ResultError(f"{path}: cannot create the result file: {reason}{size}") from None


CLAIM_BYTES = 1_000_000_000
"""Bytes of disk space that are claimed at once."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def remove_partials(path):
    """Remove the temporary files of jobs that were killed while they laid this file out.

    The caller holds the lock, which says that nobody is making one now.
    """
    for stale in path.parent.glob(f".{escape(path.name)}.*.partial"):
        stale.unlink(missing_ok=True)


def _check_room(path, needed, beside):
    """Refuse at once what the disk cannot hold, before gigabytes are claimed and given back."""
    disk = os.statvfs(path.parent)
    free = disk.f_bavail * disk.f_frsize
    if disk.f_blocks and needed > free:
        remedy = (
            "it is made beside what it is copied from, which stays until it is whole"
            if beside
            else "fewer realisations or stops, or [output] displacement = false, make it smaller"
        )
        raise ResultError(
            f"{path}: the result file needs {human_bytes(needed)}, the disk has"
            f" {human_bytes(free)} free ({remedy})"
        )


def _try_size(handle, needed):
    """Meet a limit on the file's size or an exhausted quota before HDF5 does.

    HDF5 can crash the process when its own structures cannot be written. They need far less than
    what is claimed here, so that afterwards only `_claim_space` can find too little room.
    """
    try:
        os.ftruncate(handle, needed)
        _allocate(handle, min(needed, 32_000_000))
    finally:
        os.close(handle)


def _lay_out(partial, job, provenance, observers, n_runs):
    """Every group, dataset and attribute of the file, closed again."""
    import h5py

    with h5py.File(partial, "w", locking=False) as file:
        attributes = {"format": FORMAT, "format_version": FORMAT_VERSION, "kind": job.run.kind}
        attributes |= {"job": job.name, "seed": job.run.seed} | dict(provenance)
        for name, value in attributes.items():
            file.attrs[name] = _text(value) if isinstance(value, str) else value
        text = job.to_toml().encode()
        config = _create(file, "config", (), f"S{len(text)}", filled=True, utf8=True)
        config[()] = text
        config.attrs["units"] = "1"
        config.attrs["description"] = "the job with every default resolved, as TOML text"
        runs = _create(file, RUNS.path, (n_runs,), RUN_DTYPE, filled=True)
        runs[...] = np.zeros(n_runs, RUN_DTYPE)
        _describe(runs, RUNS)
        for case in job.cases:
            group = file.require_group(case_group(case.name))
            for spec, shape in datasets(case.job):
                # all but data are zero now: HDF5 fills what it allocates
                dataset = _create(group, spec.path, shape, spec.dtype, spec.role != "data")
                if spec.role == "axis":
                    dataset[...] = _axis(spec, case.job, observers.get(case.name))
                _describe(dataset, spec)
            if case.name:
                group["provenance"] = file["provenance"]  # a hard link: one table for all cases


def _text(text):
    """Text that can be stored: names of files may hold bytes that are no characters."""
    return text.encode(errors="replace").decode()


def _axis(spec, job, observers):
    """Values of one axis."""
    if spec.name in ("observer", "source"):
        return np.zeros((job.n_row, 3)) if observers is None else np.asarray(observers, float)
    read = {
        "rigidity": lambda: job.particles.rigidities,
        "time": lambda: job.stops,
        "radius": lambda: job.stops,
        "gradient": lambda: job.gradient_vectors,
        "smoothing": lambda: job.smoothing_radii,
        "distance": lambda: job.field_line_distances,
        "along": lambda: job.source.along,
        "perpendicular": lambda: job.source.perpendicular,
        "map_radius": lambda: job.map_radii,
        "map_height": lambda: job.map_heights,
    }
    if spec.name == "species":
        return np.array(job.nuclei.species, dtype=spec.dtype)
    if spec.name in ("species_rigidity", "kinetic_energy"):
        return _energies(spec.name, job)
    return np.asarray(read[spec.name](), dtype=float)


def _energies(name, job):
    """Energies of the nuclei of a galaxy job, (n_row, n_rig): PV, or GeV per nucleon."""
    from hpc_cr.campaigns.galaxy_setting import rigidities, species_of
    from hpc_cr.galaxy.spectra import nucleon_energy

    found = rigidities(job)
    if name == "species_rigidity":
        return 1e-6 * found
    return np.array([nucleon_energy(row, s.z, s.a)
                     for row, s in zip(found, species_of(job), strict=True)])


def _describe(dataset, spec):
    """Unit, meaning and names of the axes; of a compound also those of its fields, one per line."""
    dataset.attrs["units"] = spec.units
    dataset.attrs["description"] = spec.description
    for axis, label in enumerate(spec.labels):
        dataset.dims[axis].label = label
    if spec.path in FIELDS:
        lines = [f"{name} [{unit}]: {text}" for name, (unit, text) in FIELDS[spec.path].items()]
        dataset.attrs["fields"] = "\n".join(lines)


def _create(group, path, shape, dtype, filled=False, utf8=False):
    """A contiguous dataset whose space is allocated now.

    Data are never filled: at allocation that would write every byte of the file twice.
    """
    import h5py

    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    create.set_layout(h5py.h5d.CONTIGUOUS)
    create.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    create.set_fill_time(h5py.h5d.FILL_TIME_ALLOC if filled else h5py.h5d.FILL_TIME_NEVER)
    create.set_obj_track_times(False)
    kind = h5py.h5t.py_create(np.dtype(dtype), logical=True)
    if utf8:
        kind.set_cset(h5py.h5t.CSET_UTF8)
    space = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    parent = group.require_group(path.rsplit("/", 1)[0]) if "/" in path else group
    name = path.rsplit("/", 1)[-1].encode()
    return h5py.Dataset(h5py.h5d.create(parent.id, name, kind, space, create))


def _claim_space(partial, poll):
    """Give every byte of the file a place on the disk, and make it durable.

    HDF5's early allocation leaves a sparse file; writing into it later could still find the disk
    full, in the middle of a run.
    """
    handle = os.open(partial, os.O_RDWR)
    try:
        size = os.fstat(handle).st_size
        for first in range(0, size, CLAIM_BYTES):
            _allocate(handle, min(CLAIM_BYTES, size - first), first)
            os.fdatasync(handle)
            poll()
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync(partial):
    """Make the contents of the file durable, before its name promises them."""
    handle = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _allocate(handle, size, first=0):
    try:
        os.posix_fallocate(handle, first, size)
    except OSError as error:
        # some C libraries do not emulate the call where the file system lacks it; then a
        # full disk shows as a failing write, which is an error too, only a later one
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise


def _sync_folder(folder):
    """Make the rename durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # file systems that cannot sync a folder
            raise
    finally:
        os.close(handle)


def human_bytes(n_bytes):
    """A number of bytes with a unit, such as "3.2 GB"."""
    value = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} PB"
