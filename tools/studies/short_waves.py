"""What leaving out short waves and long steps change of the response.

Waves far below the gyroradius hardly scatter. Here the response with all waves followed (down to
r_g/50, steps of half the shortest wave) is compared, in the same fields and directions, with that
of steps and grids that stop at a wavelength W: steps of at most W/2, and only the grids with
waves longer than W. Run in the root of the checkout:

    .venv/bin/python -m tools.studies.short_waves [-n 24] [-o results/study_short_waves.json]

About four minutes on one core.
"""

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"  # one core, before numpy is imported

import click  # noqa: E402
import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import Progress  # noqa: E402
from rich.table import Table  # noqa: E402

from hpc_cr import make_field  # noqa: E402
from hpc_cr.anisotropy.response import dipole_matrix  # noqa: E402
from hpc_cr.config import parse_job  # noqa: E402
from hpc_cr.fields.interpolation import coarsest_levels  # noqa: E402
from hpc_cr.trajectories.backtrack import advance, make_plan  # noqa: E402
from hpc_cr.trajectories.directions import healpix_directions  # noqa: E402
from hpc_cr.trajectories.state import empty_state, start  # noqa: E402

JOB = """
[run]
kind = "anisotropy"
seed = 11
[turbulence]
rms = "{rms} uG"
outer_scale = "100 pc"
inner_scale = "0.0054 pc"
[regular]
{regular}
[grids]
cells = 64
[particles]
rigidities = ["1 PV"]
nside = {nside}
[boundary]
times = {times}
"""
UNIFORM = 'model = "uniform"\nstrength = "3.795 uG"\ndirection = [0, 90]'
CASES = {
    "isotropic": {"rms": 4, "regular": "", "nside": 8, "times": ["5 pc", "15 pc", "40 pc"]},
    "strong field": {"rms": 1.265, "regular": UNIFORM, "nside": 8,
                     "times": ["100 pc", "200 pc", "400 pc"]},
}
WAVES = (0.05, 0.1, 0.2, 0.4)
"""W in gyroradii."""


class Follow(NamedTuple):
    """One way to follow the trajectories of a field."""

    name: str
    wave: float  # W, pc
    skip: bool  # leave grids out


def ways(job):
    """All ways, the complete one first."""
    r_g, shortest = job.gyroradii[0], job.turbulence.inner_scale
    found = [Follow("all", shortest, False)]
    for wave in WAVES:
        found += [Follow(f"step {wave:g} r_g / 2", wave * r_g, False),
                  Follow(f"and no grid below {wave:g} r_g", wave * r_g, True)]
    return found


def response(job, arrays, way, directions):
    """Response along the field or averaged over the axes (n_stop,) pc, and seconds."""
    levels = sum(level.longest > way.wave for level in job.levels) if way.skip else len(job.levels)
    plan = make_plan(job.b_ref, way.wave / 2, job.particles.rigidities[0], job.stops[0],
                     sphere=False, method="boris", steps_per_gyroradius=8.0, tolerance=1e-4)
    state = empty_state(len(directions), len(plan.stops))
    start(state, 0, len(directions), np.zeros(3), directions, plan)
    began = time.process_time()
    advance(coarsest_levels(arrays, levels), plan, state, 0, len(directions), "boris")
    seconds = time.process_time() - began
    m = np.array([dipole_matrix(directions, x) for x in state.out_position])
    return (m[:, 2, 2] if job.regular.strength else np.trace(m, axis1=1, axis2=2) / 3), seconds


def rows_of(name, job, realisations, advance_bar):
    """Table rows of a case: way, seconds, response and its relative change with errors."""
    found = {way: [] for way in ways(job)}
    directions = healpix_directions(job.particles.nside)
    for number in range(realisations):
        arrays = make_field(job, number).arrays
        for way in found:
            found[way].append(response(job, arrays, way, directions))
            advance_bar()
    rows = []
    complete = np.array([value for value, _ in next(iter(found.values()))])
    for way, results in found.items():
        values = np.array([value for value, _ in results])
        change = (values - complete) / complete.mean(axis=0)
        rows.append({
            "case": name, "way": way.name, "seconds": float(np.mean([s for _, s in results])),
            "stops_pc": job.stops[0].tolist(), "response_pc": values.mean(axis=0).tolist(),
            "response_error_pc": _error(values), "change": change.mean(axis=0).tolist(),
            "change_error": _error(change)})
    return rows


def _error(values):
    return (values.std(axis=0, ddof=1) / np.sqrt(len(values))).tolist()


def table(rows):
    """The rows as a rich table."""
    shown = Table(title="Response with short waves left out, relative to all of them")
    for column in ("case", "followed", "s per field", "change [%] at the stops", "stops [pc]"):
        shown.add_column(column)
    for row in rows:
        changes = "  ".join(f"{100 * c:.2f} ± {100 * e:.2f}" for c, e in
                            zip(row["change"], row["change_error"], strict=True))
        shown.add_row(row["case"], row["way"], f"{row['seconds']:.2f}", changes,
                      " ".join(f"{stop:g}" for stop in row["stops_pc"]))
    return shown


@click.command()
@click.option("-n", "realisations", default=24, show_default=True, type=click.IntRange(2))
@click.option("-o", "output", default="results/study_short_waves.json", show_default=True)
def main(realisations, output):
    """Measure, print the table and write the JSON."""
    rows = []
    with Progress(console=Console(stderr=True)) as progress:
        for name, settings in CASES.items():
            settings = settings | {"times": json.dumps(settings["times"])}
            job = parse_job(JOB.format(**settings))
            bar = progress.add_task(name, total=realisations * len(ways(job)))
            rows += rows_of(name, job, realisations, lambda bar=bar: progress.advance(bar))
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    Path(output).write_text(json.dumps(rows, indent=1) + "\n")
    Console(width=120).print(table(rows))


if __name__ == "__main__":
    main()
