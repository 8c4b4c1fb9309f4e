"""Kachelriess 2018, pages 2 and 3: residence in the Galaxy with the field of Jansson & Farrar.

From the result of the job escape, at rigidities whose gyroradius is below the coherence length;
numbers at GV are powers of rigidity away and are compared as the paper's, scaled by R^(-1/3).
"""

import numpy as np

from hpc_cr.diffusion.grammage import ALLOWED
from hpc_cr.figures.escape import SLOPE, TEN_GV, TIME_AT_PV, TIME_MYR, curve
from hpc_cr.figures.panels import Options
from hpc_cr.papers.kachelriess2018.measured import Number, at, statement
from hpc_cr.papers.verdicts import inside


def escape_statements(results):
    """Escape time and grammage of one case of the job escape."""
    found = curve(results, Options())
    if found is None or not found.resonant.any():
        return []
    lowest = found.rigidity[found.resonant][0]
    rig = int(np.argmin(np.abs(results.rigidities - lowest)))
    count = results.escapes(rig)
    stays = f"; {100 * count.unfinished:.0f} % do not leave within the limit" * bool(
        count.unfinished > 0
    )
    out = []
    for values, reference, span, unit, where, text, paper in (
        (found.time, TIME_AT_PV, TIME_MYR, "Myr", "p. 2",
         "escape time times (R/5 GV)^(1/3)", "few 10"),
        (found.grammage, TEN_GV, ALLOWED, "g / cm2", "p. 3",
         "grammage times (R/10 GV)^(1/3)", "5 to 15"),
    ):  # fmt: skip
        value, error = values[found.resonant][0]
        law = found.fits["time" if unit == "Myr" else "grammage"]
        factor = (lowest / reference) ** -SLOPE
        number = Number(value * factor, error * factor, count.n)
        out.append(
            statement(
                where,
                f"{text} at {at(lowest)}, JF12, B_rms/B0 = 0.25 at the Sun",
                paper,
                number,
                unit,
                inside(number.value, number.error, *span, number.n),
                f"range taken: {span[0]:g} to {span[1]:g}; a lower bound on what comes out at GV,"
                f" as the exponent is steeper than -1/3 near {at(lowest)}; {count.n} particles"
                f"{stays}, error over them",
            )
        )
        if law is not None and law.n_point > 2:
            value, error = law["exponent"]
            out.append(
                statement(
                    where,
                    f"exponent of the {'escape time' if unit == 'Myr' else 'grammage'} with R,"
                    " r_g below L_c",
                    "-1/3",
                    Number(value, error, count.n),
                    "",
                    "open",
                    f"{law.n_point} rigidities from {at(lowest)}: the transition to D ~ E^2 is"
                    " near, and -1/3 is said of GV",
                )
            )
    return out
