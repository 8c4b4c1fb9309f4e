"""Which settings and estimators lower error^2 x core-seconds of anisotropy results.

Reference: HEALPix centres of one nside, one observer per realisation, each realisation a new
field. Three set-ups: isotropic turbulence with r_g << L_c and r_g ~ L_c, and a strong regular
field. Gains above 1 are for the method; lines marked "share", "ratio" of means, "rho" or
"correlation" are those numbers themselves. Errors: bootstrap over realisations. Run in the root
of the checkout:

    .venv/bin/python -m tools.studies.statistics [--share 0.2] [-o results/study_statistics.json]

About five minutes of one core; --share takes a part of the realisations.
"""

import json
import os
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"  # one core, before numpy is imported

import click  # noqa: E402
import numpy as np  # noqa: E402

from tools.studies import statistics_gains as gains  # noqa: E402
from tools.studies.statistics_skies import (  # noqa: E402
    SETUPS,
    design_skies,
    ensemble,
    random_set,
)

SEED = 21
DISTANCES = (0.0, 1.0, 3.0, 6.0, 10.0, 20.0, 40.0, 80.0, 200.0)
"""Of two observers, pc; L_c is 20 pc, the largest box 400 pc."""
SIZES = {
    # realisations for: designs, estimators, nside 1-4, nside 8; observers for the same but designs
    "r_g << L_c": ((16, 96, 64, 64), (12, 32, 4)),
    "r_g ~ L_c": ((20, 96, 96, 96), (32, 32, 16)),
    "strong field": ((12, 64, 64, 64), (8, 16, 4)),
}


def rows_of(setup, share, loop):
    """All lines of one set-up."""
    numbers, (many, small, few) = SIZES[setup.name]
    designs, estimators, coarse, fine = (max(8, round(share * n)) for n in numbers)
    strong = setup.axis != "isotropic"
    skies = design_skies(setup, designs, SEED, (1, 2, 4, 8) if strong else (1, 2, 4, 8, 16),
                         4, loop)
    rows = gains.direction_rows(setup, skies)
    observed = ensemble(setup, estimators, many, SEED, 4, loop)
    rows += gains.noise_rows(setup, skies, observed)
    rows += gains.correlation_rows(setup, observed)
    rows += gains.estimator_rows(setup, observed)
    rows += gains.limit_rows(setup, observed)
    # the same fields and places, so that differences between nsides are those of the sampling
    by_nside = {nside: ensemble(setup, coarse, small, SEED, nside, loop) for nside in (1, 2)}
    by_nside[4] = observed._replace(**{name: getattr(observed, name)[:coarse] for name in
                                       ("response", "halves", "arrival", "controls")})
    by_nside[8] = ensemble(setup, fine, few, SEED, 8, loop)
    rows += gains.sky_rows(setup, by_nside)
    rows += gains.debias_rows(setup, by_nside)
    short = setup._replace(times=setup.times[:4])
    pair = ensemble(short, coarse, 1, SEED, 4, loop)
    flipped = ensemble(short, coarse, 1, SEED, 4, loop, flip=True)
    rows += gains.antithetic_rows(short, pair, flipped)
    rows += gains.contrast_rows(
        short, pair, ensemble(short, coarse, 1, SEED, 4, loop, rigidity=3 * setup.rigidity),
        "R and 3 R")
    rows += gains.contrast_rows(
        short, pair, ensemble(short, coarse, 1, SEED, 4, loop, rms=1.2 * setup.rms),
        "B_rms and 1.2 B_rms")
    if not strong:
        axis = random_set(coarse, np.random.default_rng(SEED))[:, None, :]
        places = np.array(DISTANCES)[:, None] * axis
        apart = ensemble(short, coarse, len(DISTANCES), SEED, 4, loop, positions=places)
        rows += gains.separation_rows(short, apart, DISTANCES)
    costs = {"synthesis_s": by_nside[8].synthesis, "particle_s": by_nside[8].tracking}
    return rows, costs


@click.command()
@click.option("--share", type=click.FloatRange(0.01, 1), default=1.0, show_default=True,
              help="Part of the realisations.")
@click.option("--setup", "names", multiple=True, type=click.Choice(list(SIZES)),
              help="Only these set-ups.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
              default=Path("results/study_statistics.json"), show_default=True)
def command(share, names, output):
    """Measure gains in error^2 x core-seconds; a table on stdout, JSON in OUTPUT."""
    from rich.console import Console
    from rich.progress import Progress

    began, rows, costs = time.perf_counter(), [], {}
    output.parent.mkdir(parents=True, exist_ok=True)
    for setup in SETUPS:
        if names and setup.name not in names:
            continue
        with Progress(console=Console(stderr=True), transient=True) as progress:
            found, cost = rows_of(
                setup, share, lambda text, count: progress.track(range(count), description=text))
        for row in found:
            click.echo(_line(row))
        click.echo(f"{setup.name}: synthesis {cost['synthesis_s']:.3g} s per realisation, tracking"
                   f" {1e3 * cost['particle_s']:.3g} ms per particle")
        rows, costs[setup.name] = rows + found, cost
        seconds = time.perf_counter() - began
        output.write_text(json.dumps({"share": share, "seed": SEED, "seconds": seconds,
                                      "costs": costs, "rows": [row._asdict() for row in rows]},
                                     indent=1) + "\n")
    click.echo(f"{time.perf_counter() - began:.0f} s; written to {output}")


def _line(row):
    return (f"{row.setup:13s} T {row.time:5.0f} pc  {row.method:46s} {row.observable:16s}"
            f" {row.gain:8.3g} +- {row.error:.2g}  {row.note}").rstrip()


if __name__ == "__main__":
    command(prog_name="python -m tools.studies.statistics")
