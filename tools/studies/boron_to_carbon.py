"""The D0 that fits measured B/C in every case of a galaxy job, as those of jobs/evoli2012.toml.

    python -m tools.studies.boron_to_carbon jobs/evoli2012.toml [--cases tau-0 tau-0_85] [--ranks 2]

Each case is computed with its D0 times FACTORS and all else as in the job, with fewer cells and
energies; the Sun's modulation is a nuisance per experiment (`hpc_cr.galaxy.ratio_fits`). Printed
are D0 with its error and chi^2 for the measurements that decide in the paper's table, those known
about 2012, and for AMS-02. A quarter of a minute per case.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np

from hpc_cr import open_results
from hpc_cr.figures.boron_to_carbon import RATIO, prediction
from hpc_cr.galaxy.ratio_fits import fit_ratio, minimum
from hpc_cr.measurements import spectra as tables
from hpc_cr.papers.evoli2012.nuclei import NEW, OLD, RANGE_GEV

FACTORS = (0.87, 1.0, 1.15)
"""Of the job's D0."""
COARSE = {"halo.cells": [50, 40], "energies.per_nucleon": ["0.1 GeV", "3 TeV"],
          "energies.count": 23}  # fmt: skip
"""D0 changes by less than 0.5 % with 100 x 80 cells, or half of the steps in energy."""
UNIT = 1e28


def several(path, wanted, factors, settings):
    """Text of a job with each case at several D0.

    Parameters
    ----------
    path : path-like
        Of a job with cases.
    wanted : sequence of str
        Names of cases; empty: all.
    factors : sequence of float
    settings : dict
        Further settings of every case.
    """
    text = Path(path).read_text(encoding="utf-8")
    job = tomllib.loads(text)
    parts = [text.split("[[case]]")[0]]
    for case in job["case"]:
        if wanted and case["name"] not in wanted:
            continue
        given = case["set"].get("diffusion.coefficient", job["diffusion"]["coefficient"])
        value, unit = given.split(maxsplit=1)
        for number, factor in enumerate(factors):
            changed = case["set"] | COARSE | settings
            changed["diffusion.coefficient"] = f"{factor * float(value):.5g} {unit}"
            inside = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in changed.items())
            parts.append(f'[[case]]\nname = "{case["name"]}--{number}"\nset = {{ {inside} }}\n')
    return "\n".join(parts)


def run(job, out, ranks):
    """hpc-cr run of a job file."""
    start = ["mpirun", "-q", "-n", str(ranks)] if ranks > 1 else []
    subprocess.run([*start, sys.executable, "-m", "hpc_cr", "run", str(job), "-o", str(out),
                    "--overwrite", "--quiet"], check=True)


def fits(path, experiments):
    """Best D0 of every case.

    Parameters
    ----------
    path : path-like
        Result of a job of `several`.
    experiments : sequence of str

    Returns
    -------
    dict of str to (hpc_cr.galaxy.ratio_fits.Minimum or str, ndarray (n, 2))
        Minimum over log10 of D0 in cm^2/s, or why there is none; D0 and chi^2 of what was run.
    """
    points, found = tables.points(RATIO, experiments), {}
    with open_results(path) as results:
        for case in results.each_case():
            fit = fit_ratio(prediction(case), points, RANGE_GEV)
            name = case.case.rpartition("--")[0]
            found.setdefault(name, []).append((case.job.diffusion.coefficient, fit.chi2, fit.ndf))
    best = {}
    for name, rows in found.items():
        d0, chi2, ndf = np.array(rows).T
        try:
            best[name] = minimum(np.log10(d0), chi2, ndf[0] - 1), np.array(rows)[:, :2]
        except ValueError as error:
            best[name] = str(error), np.array(rows)[:, :2]
    return best


def line(found):
    """D0 +- error and chi^2 in words."""
    best, rows = found
    if isinstance(best, str):
        return f"{best} (chi^2 {', '.join(f'{chi2:.0f}' for chi2 in rows[:, 1])})"
    d0 = 10**best.value / UNIT
    errors = d0 * np.log(10) * np.array([best.low, best.high])
    return f"({d0:.3f} +- {errors.mean():.3f})e28 cm2/s, chi^2 {best.chi2:.0f}/{best.ndf}"


def main(arguments=None):
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("job")
    parser.add_argument("--cases", nargs="*", default=())
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--set", dest="settings", action="append", default=[],
                        metavar="KEY=VALUE", help="of every case, TOML values")
    parser.add_argument("--factors", nargs="*", type=float, default=FACTORS)
    parser.add_argument("--keep", metavar="OUT.h5", default="boron_to_carbon.h5")
    given = parser.parse_args(arguments)
    settings = {key: tomllib.loads(f"x = {value}")["x"]
                for key, value in (text.split("=", 1) for text in given.settings)}
    job = Path(given.keep).with_suffix(".toml")
    job.write_text(several(given.job, given.cases, given.factors, settings), encoding="utf-8")
    run(job, given.keep, given.ranks)
    old, new = (fits(given.keep, experiments) for experiments in (OLD, NEW))
    for name in old:
        print(f"{name}: {line(old[name])}; {NEW[0]}: {line(new[name])}")


if __name__ == "__main__":
    main()
