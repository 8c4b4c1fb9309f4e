"""What evoli2012 quotes of coefficients beside a regular field, against the job diffusion_levels.

There L = L_max/5 is 1 pc and the total field makes r_g as many pc as the rigidity has PV; levels
B_rms^2/(B0^2 + B_rms^2) = 0.1, 0.3, 0.5, 0.8 are B_rms/B0 = 0.33, 0.65, 1, 2.
"""

import numpy as np

from hpc_cr.papers.kachelriess2018.files import UNIVERSAL
from hpc_cr.papers.kachelriess2018.measured import (
    coefficient,
    decided,
    growth,
    ratio,
    same,
    statement,
)
from hpc_cr.papers.kachelriess2018.regular_field import ENERGY, EVOLI
from hpc_cr.papers.verdicts import above

LEVELS = {name: level for name, level in UNIVERSAL.items() if level < 1}
RADII = {"-rg-003": 0.03, "-rg-01": 0.1, "": 0.3}
"""End of a case's name -> r_g/L of one of its rigidities."""


def eta_of(level):
    """B_rms/B0 of B_rms^2 over that of the total field."""
    return float(np.sqrt(level / (1 - level)))


def of_levels(cases):
    """D against rigidity at r_g << L, and D_perp/D_par at the lowest.

    Parameters
    ----------
    cases : dict
        Name -> case of the job diffusion_levels.
    """
    found = []
    for name, level in LEVELS.items():
        points = {
            r_g: {which: coefficient(cases.get(name + end), r_g, which)
                  for which in ("D_par", "D_perp")}
            for end, r_g in RADII.items()
        }  # fmt: skip
        eta = f"eta = {eta_of(level):.2g}"
        for which, (paper, expected) in ENERGY.items():
            first, last = (points[r_g][which] for r_g in (0.03, 0.3))
            middle = points[0.1][which]
            if first is None or last is None:
                continue
            number = growth(last, first, 10.0)
            halves = "" if middle is None else (
                f"; 0.03 to 0.1: {growth(middle, first, 1 / 0.3).value:.2f},"
                f" 0.1 to 0.3: {growth(last, middle, 3.0).value:.2f}")  # fmt: skip
            found.append(
                statement(
                    EVOLI,
                    f"d ln {which}/d ln E from r_g/L = 0.03 to 0.3, {eta}",
                    paper,
                    number,
                    "",
                    same(number, expected, 0.05) if eta_of(level) >= 0.5 else "open",
                    f"0.05 is granted{halves}"
                    + "; said of eta = 0.5 to 2: open" * (eta_of(level) < 0.5),
                )
            )
        par, perp = points[0.03]["D_par"], points[0.03]["D_perp"]
        if level < 0.5 or par is None or perp is None:
            continue
        number = ratio(perp, par)
        found.append(
            statement(
                EVOLI,
                f"D_perp/D_par at r_g/L = 0.03, {eta}",
                ">~ 1e-2",
                number,
                "",
                decided(number, lambda value, error, n: above(value, error, 1e-2, n)),
                "said of 0.1 PV in a field that makes r_g/L smaller still",
            )
        )
    return found
