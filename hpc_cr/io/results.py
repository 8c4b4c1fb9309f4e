"""Reading a result file: finished entries as arrays, and what is computed from them.

Only finished entries count; everything else is NaN. Reading while a job is writing is safe: the
layout never changes, and the done flags are read before the data.
"""

from functools import lru_cache
from importlib import import_module
from pathlib import Path

import numpy as np

from hpc_cr.io import schema
from hpc_cr.io.checks import DAMAGE, check_datasets, open_checked
from hpc_cr.io.errors import ResultError


def open_results(path, case=None):
    """Open a result file for reading.

    Parameters
    ----------
    path : path-like
        The file; a job may still be writing it.
    case : str, optional
        Name of a case; default the first one. `Results.each_case` goes through all.

    Returns
    -------
    Results
        Of the file's kind: `hpc_cr.io.anisotropy.AnisotropyResults`,
        `hpc_cr.io.diffusion.DiffusionResults`, `hpc_cr.io.source.SourceResults`,
        `hpc_cr.io.escape.EscapeResults`, `hpc_cr.io.galaxy.GalaxyResults`. Use it in a with
        statement, or close it.

    Raises
    ------
    ResultError
        The file is missing, not a result file, truncated, damaged, of a newer format, or has no
        such case.
    """
    file = open_checked(Path(path))
    kind = file.attrs["kind"]
    if kind not in CLASSES:
        file.close()
        raise ResultError(f"{path}: damaged result file: the attribute kind is {kind!r}")
    results = getattr(import_module(f"hpc_cr.io.{kind}"), CLASSES[kind])
    return results(file, Path(path), case)


CLASSES = {
    "anisotropy": "AnisotropyResults",
    "diffusion": "DiffusionResults",
    "source": "SourceResults",
    "escape": "EscapeResults",
    "galaxy": "GalaxyResults",
}
"""Kind of a file -> class in the module hpc_cr.io.KIND that reads it."""


@lru_cache(maxsize=32)
def _jobs(text, name):
    """Name -> Job of each case: `Results.each_case` asks for all of them again and again."""
    from hpc_cr.config import parse_job

    return dict(parse_job(text, name=name).cases)


class Results:
    """One case of a result file, what all kinds have in common; made by `open_results`.

    Arrays have the axes (n_row, n_rig, n_stop, ...): row = (realisation - run.first_realisation)
    * observers + observer, rigidities and stops in the job's order. Vectors are Galactic Cartesian
    (x to the Galactic centre, y to l = 90 deg), directions on the sky are where particles come
    from. Lengths and times (c t) in pc, rigidities in PV, gradients in 1/pc. Entries not done are
    NaN.

    Attributes
    ----------
    path : Path
    case : str
        "" for a file without cases.
    case_names : tuple of str
        All cases of the file.
    config : str
        The resolved job with all its cases, as TOML.
    job : hpc_cr.config.Job
        The resolved job of this case.
    rigidities : ndarray (n_rig,)
    stops : ndarray (n_rig, n_stop)
    stop_kind : "time" or "radius"
    kind : str
        run.kind of the job.
    realisation : ndarray (n_row,) of int
        Realisation of each row.
    done : ndarray (n_row, n_rig) of bool
        As it was when the file was opened.
    """

    def __init__(self, file, path, case=None, owner=True):
        self._file, self._owner = file, owner
        self.path = path
        try:
            text = self.config = file["config"].asstr()[()]
            name = str(file.attrs.get("job", path.stem))
            jobs = _jobs(text, name)
            self.case_names = tuple(jobs)
            self.case = self.case_names[0] if case is None else case
            if self.case not in self.case_names:
                known = ", ".join(filter(None, self.case_names)) or "none"
                raise ResultError(f"{path}: no case {self.case!r}; the file's cases: {known}")
            self.job = jobs[self.case]
            if file.attrs["kind"] != self.job.run.kind:
                raise ValueError(f"its kind is {file.attrs['kind']!r}, that of its job"
                                 f" {self.job.run.kind!r}")
            check_datasets(file, self.case, self.job)
            self._group = file[schema.case_group(self.case)]
            self.kind = self.job.run.kind
            self.done = self._group["status/done"][...] == 1
            self._read_axes(self._group["axes"])
        except ResultError:
            self.close()
            raise
        except DAMAGE as error:
            self.close()
            raise ResultError(f"{path}: damaged result file: {error}") from None
        run, observers = self.job.run, self.job.particles.observers
        self.realisation = run.first_realisation + np.arange(len(self.done)) // observers

    def _read_axes(self, axes):
        self.stop_kind = "time" if "time" in axes else "radius"
        self.rigidities = axes["rigidity"][...]
        self.stops = axes[self.stop_kind][...]

    def each_case(self):
        """Results of every case of the file, in order; they share this open file."""
        for case in self.case_names:
            yield type(self)(self._file, self.path, case, owner=False)

    def close(self):
        """Close the file."""
        if self._owner and self._file is not None:
            self._file.close()
        self._file = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    @property
    def complete(self):
        """Whether every entry of this case is done."""
        return bool(self.done.all())

    @property
    def steps(self):
        """Particle-steps, (n_row, n_rig); 0 where not done, as the three below."""
        return self._status("steps")

    @property
    def seconds(self):
        """Core-seconds, (n_row, n_rig)."""
        return self._status("seconds")

    @property
    def origin(self):
        """Who computed the entries, (n_row, n_rig) with the fields run, host, began, ended (see
        `schema.STATUS`), undefined where not done; None in a file of version 1."""
        return self.array("status/origin")

    @property
    def unfinished(self):
        """Particles that did not reach the last stop, (n_row, n_rig)."""
        return self._status("unfinished")

    @property
    def over_tolerance(self):
        """Steps accepted above the tolerance, (n_row, n_rig)."""
        return self._status("over_tolerance")

    @property
    def symmetry(self):
        """Symmetry of the ensemble for `ensembles.symmetrise`: "isotropic" or the field's axis."""
        job = self.job
        if job.regular.model not in ("none", "uniform") or job.turbulence.profile != "uniform":
            return "none"
        field = np.asarray(self.job.regular_field, float)
        return field if np.any(field) else "isotropic"

    @property
    def provenance(self):
        """Root attributes: software, versions, commit, machine, seed, command, ..."""
        return {name: _plain(value) for name, value in self._file.attrs.items()}

    @property
    def runs(self):
        """One dict per start of a job on the file: started, ended, host, ranks, state, ..."""
        rows = self._file[schema.RUNS.path][...]
        return [
            {
                name: row[name].decode(errors="replace")
                if row.dtype[name].kind == "S"
                else row[name].item()
                for name in row.dtype.names
            }
            for row in rows
            if row["started"]
        ]

    def to_xarray(self):
        """The case as an xarray.Dataset, without the maps.

        Dimensions: row, rigidity, stop, i, j (Galactic axes x, y, z; of a response i is the sky's
        and j the displacement's), and those of the file's kind: lm, half; axis (along the uniform
        field and two across it), distance; side (1 where the uniform field points to, -1), along,
        perpendicular, component. Attributes of the variables: units, description.
        """
        from hpc_cr.io.export import to_xarray

        return to_xarray(self)

    def require_kind(self, kind, what):
        """Raise unless the file is of a kind; `what` needs it, such as "the figure memory"."""
        if self.kind != kind:
            raise ResultError(
                f'{self.path}: a result of kind "{self.kind}"; {what} is for kind "{kind}"'
            )

    def _since(self, path):
        """A dataset that files of older versions do not have."""
        self.require(path)
        return self.array(path)

    def require(self, path):
        """Raise if a file of an older version does not have a dataset."""
        if path not in self._group:
            raise ResultError(
                f"{self.path}: format version {self.provenance['format_version']} has no {path};"
                " compute it again with this version"
            )

    def array(self, path):
        """A dataset by its path in the case's group ("status/rank"), or None if not stored.

        Data are NaN where the entry is not done.
        """
        if path not in self._group:
            return None
        values = self._read(path)
        if path.startswith(f"{self.kind}/"):
            values = _with_nan(values)
            values[~self.done] = np.nan
        return values

    def one(self, name, rig, stop):
        """Data by name at one rigidity and stop (indices), (n_row, ...).

        Nothing else of the dataset is read. NaN where the entry is not done. Only for data that
        have stops.
        """
        where = (slice(None), rig, range(self.stops.shape[1])[stop])
        values = _with_nan(self._read(f"{self.kind}/{name}", where))
        values[~self.done[:, rig]] = np.nan
        return values

    def _read(self, path, where=...):
        """Numbers of a dataset of the case's group."""
        dataset = self._group[path]
        try:
            return dataset[where]
        except OSError as error:
            raise ResultError(f"{self.path}: cannot read /{path}: {error}") from None

    def _status(self, name):
        return np.where(self.done, self._read(f"status/{name}"), 0)


def _with_nan(values):
    """Numbers that can also be NaN."""
    return values if values.dtype.kind in "fc" else values.astype(float)


def _plain(value):
    """An attribute as Python's own text or number; anything else in words."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, str | int | float) else str(value)
