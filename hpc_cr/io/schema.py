"""Every dataset of a result file: its path, shape, type, unit and meaning.

The format is described for readers in docs/results.md; its version grows with every change that
an older reader would get wrong.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy.observables import MEMORY_L
from hpc_cr.config.job import FIELD_LINE_NODES, N_SMOOTHING
from hpc_cr.config.schema import PARTICLE_KINDS

FORMAT = "hpc-cr results"
FORMAT_VERSION = 3
READABLE = (1, 2, 3)
"""Versions that this program reads; it writes the last one."""
MAX_RUNS = 256
"""Rows of /provenance/runs in a new file, and free ones after a merge; once they are used, the file
is laid out anew (`resume.must_lay_out`)."""

RUN_DTYPE = np.dtype(
    [
        ("started", "S32"),
        ("ended", "S32"),
        ("seen", "S32"),
        ("user", "S32"),
        ("host", "S64"),
        ("cpu", "S96"),
        ("nodes", "<i4"),
        ("ranks", "<i4"),
        ("team_size", "<i4"),
        ("job_id", "S32"),
        ("array_task", "S16"),
        ("restart", "<i4"),
        ("commit", "S40"),
        ("dirty", "<i1"),
        ("version", "S32"),
        ("python", "S16"),
        ("libraries", "S256"),
        ("mpi", "S64"),
        ("command", "S1024"),
        ("state", "S128"),
        ("entries", "<i8"),
        ("wall", "<f8"),
        ("synthesis", "<f8"),
        ("tracking", "<f8"),
        ("measuring", "<f8"),
        ("writing", "<f8"),
        ("waiting", "<f8"),
        ("piece", "S128"),
    ]
)
"""One row per start of a job on the file; an unused row has an empty `started`."""

RUN_DTYPE_1 = np.dtype(
    [(name, RUN_DTYPE[name]) for name in ("started", "ended", "host", "ranks", "team_size",
                                          "job_id", "commit", "dirty", "version", "mpi", "state",
                                          "entries")]
)  # fmt: skip
"""The same in files of version 1."""

SINCE = {
    "status/origin": 2,
    "axes/smoothing": 3,
    "anisotropy/direction_alm_half": 3,
    "anisotropy/memory": 3,
    "anisotropy/local_field": 3,
}
"""Format version that brought a dataset."""

ORIGIN_DTYPE = np.dtype([("run", "<i4"), ("host", "S64"), ("began", "<f8"), ("ended", "<f8")])


ATTRIBUTES = {
    "kind": (str, True),
    "job": (str, True),
    "seed": (Integral, True),
    "version": (str, False),
    "commit": (str, False),
    "dirty": (Integral, False),
}
"""Root attributes that the program itself uses: type, and whether a file must have them."""


class Dataset(NamedTuple):
    """One dataset of the file.

    path is relative to the case's group; dims are names of `sizes`; role is "axis",
    "data", "status" or "runs"; option is the job's [output] key that asks for it, or None; kinds
    are the kinds of job (run.kind) that have it, all where empty.
    """

    path: str
    dims: tuple
    dtype: str | np.dtype
    units: str
    description: str
    role: str
    option: str | None = None
    kinds: tuple = ()

    @property
    def name(self):
        """Last part of the path: the key of an entry's array."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def labels(self):
        """Names of the axes for readers of the file."""
        return [{"rig": "rigidity", MAX_RUNS: "run"}.get(name, name) for name in self.dims]


_ENTRY = ("row", "rig", "stop")
_TENSOR = (*_ENTRY, "i", "j")

AXES = (
    Dataset("axes/rigidity", ("rig",), "<f8", "PV", "rigidity R = p c / (Z e); with"
            " energies.per_nucleon of a galaxy job that of nuclei with A = 2 Z", "axis"),
    Dataset("axes/time", ("rig", "stop"), "<f8", "pc", "stopping times c T", "axis",
            kinds=PARTICLE_KINDS),
    Dataset("axes/radius", ("rig", "stop"), "<f8", "pc", "radii of the spheres", "axis",
            kinds=PARTICLE_KINDS),
    Dataset(
        "axes/gradient",
        ("rig", "j"),
        "<f8",
        "1/pc",
        "gradient of the density, grad(n)/n, Galactic Cartesian, points to the dense side",
        "axis",
        kinds=("anisotropy",),
    ),
    Dataset(
        "axes/observer",
        ("row", "i"),
        "<f8",
        "pc",
        "position of the observer in its realisation;"
        " row = (realisation - run.first_realisation) * observers + observer",
        "axis",
        kinds=("anisotropy",),
    ),
    Dataset(
        "axes/smoothing",
        ("rig", "smoothing"),
        "<f8",
        "pc",
        "radii of the balls around the observer over which anisotropy/local_field is averaged",
        "axis",
        kinds=("anisotropy",),
    ),
    Dataset(
        "axes/distance", ("distance",), "<f8", "pc",
        "distances along the uniform field at which field lines are measured", "axis",
        kinds=("diffusion",),
    ),
    Dataset(
        "axes/source", ("row", "i"), "<f8", "pc",
        "position of the source in its realisation;"
        " row = (realisation - run.first_realisation) * observers + source", "axis",
        kinds=("source",),
    ),
    Dataset(
        "axes/along", ("along_edge",), "<f8", "pc",
        "edges of the cells by distance from the source along the uniform field", "axis",
        kinds=("source",),
    ),
    Dataset(
        "axes/perpendicular", ("perpendicular_edge",), "<f8", "pc",
        "edges of the cells by distance from the source's field line, across the uniform field",
        "axis", kinds=("source",),
    ),
    Dataset(
        "axes/species", ("row",), "S8", "1",
        "nuclei by symbol and mass number", "axis", kinds=("galaxy",),
    ),
    Dataset(
        "axes/species_rigidity", ("row", "rig"), "<f8", "PV",
        "rigidity of a nucleus at an energy", "axis", kinds=("galaxy",),
    ),
    Dataset(
        "axes/kinetic_energy", ("row", "rig"), "<f8", "GeV",
        "the same as kinetic energy per nucleon", "axis", kinds=("galaxy",),
    ),
    Dataset(
        "axes/map_radius", ("map_radius",), "<f8", "pc",
        "Galactocentric radii of galaxy/flux_map", "axis", kinds=("galaxy",),
    ),
    Dataset(
        "axes/map_height", ("map_height",), "<f8", "pc",
        "heights above the plane of galaxy/flux_map", "axis", kinds=("galaxy",),
    ),
)  # fmt: skip

_SKIES = tuple(d._replace(kinds=("anisotropy",)) for d in (
    Dataset(
        "anisotropy/response",
        _TENSOR,
        "<f8",
        "pc",
        "response M_ij: dipole component i (direction of arrival) = M_ij g_j for the gradient g;"
        " i = sky axis, j = displacement axis",
        "data",
    ),
    Dataset(
        "anisotropy/response_error",
        _TENSOR,
        "<f8",
        "pc",
        "sampling error of M_ij within the realisation, from the scatter inside pixel quads",
        "data",
    ),
    Dataset(
        "anisotropy/direction_response",
        _TENSOR,
        "<f8",
        "1",
        "3 <n_i U_j>: dipole component i of the backtracked direction's component j",
        "data",
    ),
    Dataset(
        "anisotropy/noise",
        _TENSOR,
        "<f8",
        "pc2",
        "shot-noise power N_jk of the displacement maps X_j, X_k, from pixel quads: C_l of pure"
        " noise for the gradient g is N_jk g_j g_k",
        "data",
    ),
    Dataset(
        "anisotropy/dipole",
        (*_ENTRY, "i"),
        "<f8",
        "1",
        "dipole vector delta for the job's gradient: intensity 1 + delta.n, n = direction of"
        " arrival, Galactic Cartesian",
        "data",
    ),
    Dataset(
        "anisotropy/alm",
        (*_ENTRY, "j", "lm"),
        "<c16",
        "pc",
        "multipoles a_lm of the displacement map X_j(n), healpy order, per gradient axis j",
        "data",
    ),
    Dataset(
        "anisotropy/alm_half",
        (*_ENTRY, "half", "j", "lm"),
        "<c16",
        "pc",
        "the same from each of the two half-samples (NESTED pixel index mod 4 in {0, 3} and {1, 2};"
        " index parity for random directions)",
        "data",
    ),
    Dataset(
        "anisotropy/direction_alm_half",
        (*_ENTRY, "half", "j", "lm"),
        "<c16",
        "1",
        "multipoles of the map of the backtracked direction's component U_j(n) from each of the two"
        " half-samples, for the local anisotropy term 3 U_i K_ij g_j",
        "data",
    ),
    Dataset(
        "anisotropy/memory",
        (*_ENTRY, "ell"),
        "<f8",
        "1",
        "mean over the sky of P_l(n.U), l from 0: what is left of a multipole l that the directions"
        " had at -T",
        "data",
    ),
    Dataset(
        "anisotropy/local_field",
        ("row", "rig", "smoothing", "i"),
        "<f8",
        "uG",
        "magnetic field averaged over balls around the observer, Galactic Cartesian",
        "data",
    ),
    Dataset(
        "anisotropy/displacement",
        (*_ENTRY, "j", "pix"),
        "<f4",
        "pc",
        "displacement map X_j(n) of the backtracked particle that arrives from n; HEALPix RING,"
        " Galactic; NaN where it did not finish",
        "data",
        "displacement",
    ),
    Dataset(
        "anisotropy/final_direction",
        (*_ENTRY, "j", "pix"),
        "<f4",
        "1",
        "direction U_j(n) of the backtracked particle at the stop (the cosmic ray moved along -U)",
        "data",
        "final_direction",
    ),
    Dataset(
        "anisotropy/crossing_time",
        (*_ENTRY, "pix"),
        "<f4",
        "pc",
        "path length c t of the backtracked particle at the stop",
        "data",
        "crossing_time",
    ),
))


def _with_error(path, dims, units, description):
    """A mean over particles and its standard error."""
    return (
        Dataset(path, dims, "<f8", units, description, "data", kinds=("diffusion",)),
        Dataset(f"{path}_error", dims, "<f8", units,
                "standard error of the mean over the realisation's particles", "data",
                kinds=("diffusion",)),
    )  # fmt: skip


_DIFFUSION = (
    *_with_error("diffusion/tensor", _TENSOR, "pc",
                 "running diffusion tensor D_ij/c from displacements, <X_i X_j>/(2 T)"),
    *_with_error("diffusion/tensor_velocity", _TENSOR, "pc",
                 "D_ij/c from the velocity correlation, int_0^T <u_i(t) u_j(0)> dt ="
                 " <X_i(T) u_j(0)>; i = axis of the displacement, j = axis of the first direction"),
    *_with_error("diffusion/tensor_arrival", _TENSOR, "pc",
                 "int_0^T <u_i(T) u_j(t)> dt = <U_i X_j>, a third of the mean response of"
                 " backtracking; i = axis of the last direction, j = axis of the displacement"),
    *_with_error("diffusion/interval", _TENSOR, "pc",
                 "[<X_i X_j>(T_k) - <X_i X_j>(T_k-1)]/[2 (T_k - T_k-1)], T_0 = 0, for stop k"),
    Dataset(
        "diffusion/kurtosis", (*_ENTRY, "axis"), "<f8", "1",
        "<X_i^4>/(3 <X_i^2>^2), 1 for a Gaussian; axes along the uniform field and two across it,"
        " without a uniform field the Galactic ones", "data", kinds=("diffusion",),
    ),
    *_with_error("diffusion/field_line", ("row", "rig", "distance", "i", "j"), "pc",
                 "<x_i x_j>/(2 s) of field lines that moved by x across the uniform field over the"
                 " distance s along it"),
)  # fmt: skip

_SOURCE = (
    Dataset(
        "source/count", (*_ENTRY, "side", "along", "perpendicular"), "<i8", "1",
        "particles in a cell around the source's field line; side 0: where the uniform field points"
        " to, 1: the other side", "data", kinds=("source",),
    ),
    Dataset(
        "source/density", (*_ENTRY, "side", "along", "perpendicular"), "<f8", "1/pc3",
        "number density per particle of the burst: count/(particles x volume of the cell)", "data",
        kinds=("source",),
    ),
    Dataset(
        "source/flow", (*_ENTRY, "side", "along", "perpendicular", "component"), "<f8", "1",
        "mean direction of motion <u> of the particles in a cell: along the uniform field, away"
        " from the field line, around it; the dipole on the sky is -3 of it; NaN where none is",
        "data",
        kinds=("source",),
    ),
    Dataset(
        "source/mean", (*_ENTRY, "i"), "<f8", "pc",
        "mean displacement from the source", "data", kinds=("source",),
    ),
    Dataset(
        "source/covariance", (*_ENTRY, "i", "j"), "<f8", "pc2",
        "<X_i X_j> - <X_i> <X_j> of the cloud", "data", kinds=("source",),
    ),
    Dataset(
        "source/kurtosis", (*_ENTRY, "axis"), "<f8", "1",
        "<x^4>/(3 <x^2>^2) of the cloud about its mean, 1 for a Gaussian; axes along the uniform"
        " field and two across it", "data", kinds=("source",),
    ),
    Dataset(
        "source/field_line", ("row", "rig", "side", "node", "i"), "<f8", "pc",
        "the source's field line in the waves that the rigidity's trajectories see: displacement"
        " from the source at equal distances along the uniform field, from 0 to the last edge of"
        " axes/along; NaN where it turns back", "data", kinds=("source",),
    ),
)  # fmt: skip

_PARTICLE = ("row", "rig", "particle")

_ESCAPE = (
    Dataset(
        "escape/start", (*_PARTICLE, "i"), "<f8", "pc",
        "where a particle started; the Galaxy's centre is at x = 8500 pc", "data",
        kinds=("escape",),
    ),
    Dataset(
        "escape/escape_time", _PARTICLE, "<f8", "pc",
        "escape time c t from the start to the halo's boundary; NaN where it was not reached within"
        " boundary.limit", "data", kinds=("escape",),
    ),
    Dataset(
        "escape/grammage", _PARTICLE, "<f8", "g/cm2",
        "gas crossed on the way, c int rho dt", "data", kinds=("escape",),
    ),
    Dataset(
        "escape/exit", (*_PARTICLE, "i"), "<f8", "pc",
        "where it left the halo", "data", kinds=("escape",),
    ),
)  # fmt: skip

_FLUX = "1 / (GV m2 s sr)"

_GALAXY = tuple(Dataset(*given, "data", kinds=("galaxy",)) for given in (
    (
        "galaxy/flux", ("row", "rig", "part"), "<f8", _FLUX,
        "interstellar flux at the Sun per rigidity; part 0: the background of all sources, 1: the"
        " local source (0 without one)",
    ),
    (
        "galaxy/gradient", ("row", "rig", "part", "i"), "<f8", "1/pc",
        "grad(N)/N of the density N at the Sun, Galactic Cartesian, points to the dense side; parts"
        " as in galaxy/flux",
    ),
    (
        "galaxy/tensor", ("row", "rig", "i", "j"), "<f8", "pc",
        "diffusion tensor D_ij/c at the Sun, Galactic Cartesian; with it the dipole of a part is"
        " 3 D_ij/(c beta) times its gradient",
    ),
    (
        "galaxy/coarse_flux", ("row", "rig"), "<f8", _FLUX,
        "part 0 of galaxy/flux on a grid of half the cells: a third of the difference is about the"
        " error of the finer grid",
    ),
    (
        "galaxy/coarse_gradient", ("row", "rig"), "<f8", "1/pc",
        "the same of the background's gradient towards the Galactic centre",
    ),
    (
        "galaxy/fate", ("row", "rig", "way"), "<f8", "1",
        "shares of the injected particles, those made by spallation and decay among them, that"
        " leave through top and bottom, through the rim, that collisions and decay remove, and that"
        " losses and gains of energy move to other energies (negative: brought from there); their"
        " sum is 1",
    ),
    (
        "galaxy/flux_map", ("row", "rig", "map_radius", "map_height"), "<f8", _FLUX,
        "flux of the background per rigidity over the Galaxy",
    ),
))  # fmt: skip

DATA = (*_SKIES, *_DIFFUSION, *_SOURCE, *_ESCAPE, *_GALAXY)

STATUS = (
    Dataset(
        "status/unfinished", ("row", "rig"), "<i8", "1",
        "particles that did not reach the last stop (left out of means, NaN in maps)", "status",
    ),
    Dataset(
        "status/over_tolerance", ("row", "rig"), "<i8", "1",
        "steps accepted with an error estimate above the tolerance; of a galaxy job cells with a"
        " negative density, by which the entry is NaN", "status",
    ),
    Dataset("status/steps", ("row", "rig"), "<i8", "1",
            "particle-steps; unknowns solved for, of a galaxy job", "status"),
    Dataset(
        "status/seconds", ("row", "rig"), "<f8", "s",
        "core-seconds spent on the trajectories, summed over the ranks that shared them", "status",
    ),
    Dataset("status/rank", ("row", "rig"), "<i4", "1", "rank that led the entry", "status"),
    Dataset(
        "status/origin", ("row", "rig"), ORIGIN_DTYPE, "1",
        "who computed the entry: run (row of /provenance/runs), host of the leading rank, began and"
        " ended (s since the start of that run)", "status",
    ),
    Dataset(
        "status/checksum", ("row", "rig"), "<u4", "1",
        "CRC-32 of the entry's data, dataset after dataset in the file's order", "status",
    ),
    Dataset(
        "status/done", ("row", "rig"), "|u1", "1",
        "1 once every number of the entry is in the file, 0 before", "status",
    ),
)  # fmt: skip

RUNS = Dataset(
    "provenance/runs",
    (MAX_RUNS,),
    RUN_DTYPE,
    "1",
    "one row per start of a job on this file: started, ended, seen (UTC; the last is a sign of"
    " life), user, host and cpu of rank 0, nodes, ranks, team_size, job_id, array_task, restart"
    " (SLURM), commit, dirty, version, python, libraries, mpi, command, state (running, complete,"
    " or how it ended), entries finished, wall (s), core-seconds of all ranks in synthesis,"
    " tracking, measuring, writing, waiting, and piece (the merged file that the row comes from)",
    "runs",
)

FIELDS = {
    RUNS.path: {
        "started": ("1", "UTC, ISO 8601"),
        "ended": ("1", "UTC; empty while the job runs, and after a kill"),
        "seen": ("1", "UTC; last sign of life, about every 10 s"),
        "user": ("1", "who ran it"),
        "host": ("1", "machine of rank 0"),
        "cpu": ("1", "its processor"),
        "nodes": ("1", "number of machines"),
        "ranks": ("1", "number of MPI ranks"),
        "team_size": ("1", "ranks that share a field (parallel.team_size)"),
        "job_id": ("1", "SLURM job"),
        "array_task": ("1", "SLURM array task"),
        "restart": ("1", "how often SLURM had requeued the job"),
        "commit": ("1", "git commit of the program"),
        "dirty": ("1", "1 with changes that were not committed, -1 unknown"),
        "version": ("1", "version of hpc_cr"),
        "python": ("1", "version of Python"),
        "libraries": ("1", "versions of the libraries"),
        "mpi": ("1", "MPI library"),
        "command": ("1", "command line"),
        "state": ("1", "running, complete, or how it ended; killed: a later run found it running"),
        "entries": ("1", "entries that this run finished"),
        "wall": ("s", "duration, until it was last seen"),
        "synthesis": ("s", "core-seconds of all ranks making fields"),
        "tracking": ("s", "core-seconds of all ranks following particles"),
        "measuring": ("s", "core-seconds of all ranks measuring what is kept"),
        "writing": ("s", "core-seconds of all ranks writing entries"),
        "waiting": ("s", "core-seconds of all ranks without work"),
        "piece": ("1", "merged file that the record comes from; empty for a run on this file"),
    },
    "status/origin": {
        "run": ("1", "row of /provenance/runs, -1 unknown"),
        "host": ("1", "machine of the rank that led the entry"),
        "began": ("s", "since the start of that run"),
        "ended": ("s", "since the start of that run"),
    },
}
"""Fields of the compound datasets: unit and meaning, in the order of their types."""

ALL = (*AXES, *DATA, *STATUS, RUNS)
"""Every dataset that a file can have, in the file's order, besides /config."""


def case_group(case):
    """Group of a case: "/" for the job without cases (name ""), else "/case/NAME"."""
    return f"/case/{case}" if case else "/"


def sizes(job):
    """Lengths of the named dimensions for one case's job.

    Parameters
    ----------
    job : hpc_cr.config.Job
        The job of one case.

    Returns
    -------
    dict
        row, rig, stop, i, j (Galactic axes), axis (along the uniform field and two across it), and
        what the kind of job has: lm, pix, half, ell, smoothing; distance; along, perpendicular
        (cells, and their edges), side, component, node; particle; part, way, map_radius,
        map_height.
    """
    n_rig, n_stop = np.shape(job.stops)
    size = {"row": job.n_row, "rig": n_rig, "stop": n_stop, "i": 3, "j": 3, "axis": 3}
    if job.run.kind == "diffusion":
        return size | {"distance": len(job.field_line_distances)}
    if job.run.kind == "escape":
        return size | {"particle": job.n_pix}
    if job.run.kind == "galaxy":
        return size | {"part": 2, "way": 4, "map_radius": len(job.map_radii),
                       "map_height": len(job.map_heights)}
    if job.run.kind == "source":
        edges = {name: len(getattr(job.source, name)) for name in ("along", "perpendicular")}
        cells = {name: count - 1 for name, count in edges.items()}
        edges = {f"{name}_edge": count for name, count in edges.items()}
        return size | cells | edges | {"side": 2, "component": 3, "node": FIELD_LINE_NODES}
    l_max = job.output.l_max
    return size | {
        "lm": (l_max + 1) * (l_max + 2) // 2,
        "pix": job.n_pix,
        "half": 2,
        "ell": MEMORY_L + 1,
        "smoothing": N_SMOOTHING,
    }


def datasets(job, version=FORMAT_VERSION):
    """Datasets of one case's group, in the file's order (without /provenance/runs).

    Parameters
    ----------
    job : hpc_cr.config.Job
        The job of one case.
    version : int
        Of the format.

    Returns
    -------
    list of (Dataset, tuple of int)
        Each with its shape.
    """
    size = sizes(job)
    absent = {"axes/time" if job.boundary.kind == "sphere" else "axes/radius"}
    absent |= {name for name, since in SINCE.items() if version < since}
    if not job.field_lines.count:
        absent |= {"axes/distance", "diffusion/field_line", "diffusion/field_line_error"}
    return [
        (d, tuple(size[name] for name in d.dims))
        for d in (*AXES, *DATA, *STATUS)
        if job.run.kind in (d.kinds or (job.run.kind,))
        and d.path not in absent
        and (d.option is None or getattr(job.output, d.option))
    ]


def data_bytes(job):
    """Bytes of the numerical datasets of all cases of a job; the file is a few kB larger."""
    return sum(
        int(np.prod(shape, dtype=object)) * np.dtype(d.dtype).itemsize
        for case in job.cases
        for d, shape in datasets(case.job)
    )
