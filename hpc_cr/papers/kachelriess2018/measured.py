"""Diffusion coefficients of a result file as numbers with errors, and what verdicts need.

D is D/c in pc. D_iso is what B/C asks for, (3-8)e28 cm^2/s (R/10 GV)^(1/3), unless it is said to
be that of turbulence without a regular field.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.figures import style
from hpc_cr.figures.diffusion_points import Point
from hpc_cr.measurements.diffusion import boron_to_carbon_band
from hpc_cr.papers import Statement
from hpc_cr.papers.verdicts import equal as equal_up_to

LARGEST_ERROR = 0.15
"""Errors beyond which nothing "agrees" with a number, of it, where no tolerance is larger."""
MOVES = np.linspace(0.0, 0.999, 400)[1:]
"""Relative changes that a bound is tried with; upwards their inverse ratios."""


class Number(NamedTuple):
    """A number with its error, how many realisations it rests on, and what to know.

    The error of what comes from diffusion coefficients contains what is left of their trends
    (`hpc_cr.diffusion.coefficients.Coefficient.total`). Where one of them has no plateau but still
    falls or rises the number is a bound: it may be lower or higher by any factor.
    """

    value: float
    error: float
    n: int
    note: str = ""
    lower: bool = False  # what is sought may be lower
    higher: bool = False


def statement(where, text, paper, number, unit, verdict, note=""):
    """A Statement of a Number, whose note comes after the given one."""
    notes = "; ".join(part for part in (note, number.note) if part)
    value, error = float(number.value), float(number.error)
    return Statement(where, text, paper, value, error, unit, verdict, notes)


def exact(value):
    """A number that follows from others by arithmetic."""
    return Number(value, np.nan, 0)


def rig_of(case, rigidity):
    """Index of a rigidity (PV) with something finished, or None."""
    rig = int(np.argmin(np.abs(np.log(case.rigidities / rigidity))))
    near = np.isclose(case.rigidities[rig], rigidity, rtol=1e-2)
    return rig if near and case.done[:, rig].any() else None


def coefficient(case, rigidity, name):
    """A diffusion coefficient as a Number, or None if there is none.

    Parameters
    ----------
    case : hpc_cr.io.diffusion.DiffusionResults
    rigidity : float
        PV.
    name : "D_iso", "D_par" or "D_perp"

    Returns
    -------
    Number or None
        D/c in pc, the error with what is left of a trend; its note says so where there is no
        plateau.
    """
    rig = None if case is None else rig_of(case, rigidity)
    if rig is None:
        return None
    found = case.coefficients(rig).get(name)
    if found is None or not found.value > 0:
        return None
    error = np.hypot(found.error, np.nan_to_num(found.trend) * found.value)
    return Number(found.value, error, found.n_realisation,
                  state_text(found, case.rigidities[rig]))


def points(cases, names, rigidity=None):
    """What the figures draw and fit: `hpc_cr.figures.diffusion_points.Point` of finished entries.

    Parameters
    ----------
    cases : dict
        Name -> DiffusionResults.
    names : iterable of str
        Cases to take, if they are there.
    rigidity : float, optional
        PV; default all.
    """
    found = []
    for case in (cases[name] for name in names if name in cases):
        for value in case.rigidities if rigidity is None else (rigidity,):
            rig = rig_of(case, value)
            if rig is not None:
                found.append(Point(case, rig, float(case.rigidities[rig]), case.coefficients(rig)))
    return found


def fewest(found):
    """Least number of realisations behind points."""
    return min(one.n_realisation for point in found for one in point.found.values())


def state_text(found, rigidity):
    """What is to be said of a coefficient without a plateau; "" for one with."""
    if found.state == "plateau":
        return ""
    text = f"{found.name} at {at(rigidity)} has no plateau ({found.state}"
    if np.isfinite(found.exponent) and np.isfinite(found.exponent_error):
        text += f", ~ T^({found.exponent:.2f} +- {found.exponent_error:.2f})"
    bound = {"falling": ": an upper bound", "rising": ": a lower bound"}.get(found.state, "")
    return f"{text}{bound})"


def ratio(above, below, power=1.0):
    """above/below^power, power > 0; errors in quadrature."""
    value = above.value / below.value**power
    error = value * np.hypot(above.error / above.value, power * below.error / below.value)
    return Number(value, error, min(above.n, below.n), join(above.note, below.note),
                  above.lower or below.higher, above.higher or below.lower)  # fmt: skip


def growth(high, low, factor):
    """Exponent of a power law between two numbers whose abscissas have a ratio above 1."""
    step = np.log(factor)
    value = np.log(high.value / low.value) / step
    error = np.hypot(high.error / high.value, low.error / low.value) / step
    return Number(value, error, min(high.n, low.n), join(high.note, low.note),
                  high.lower or low.higher, high.higher or low.lower)  # fmt: skip


def decided(number, rule):
    """The verdict of a rule, "open" where a bound moves into another.

    Parameters
    ----------
    number : Number
    rule : callable (value, error, n) -> verdict

    Returns
    -------
    str
    """
    verdict = rule(number.value, number.error, number.n)
    size = abs(number.value)
    moved = [*(-size * MOVES)] if number.lower else []
    moved += [*(size * (1 / (1 - MOVES) - 1))] if number.higher else []
    others = {rule(number.value + move, number.error, number.n) for move in moved}
    return verdict if others <= {verdict} else "open"


def equal(value, error, expected, n, tolerance=0.0):
    """`hpc_cr.papers.verdicts.equal` with errors of at most LARGEST_ERROR."""
    return equal_up_to(value, error, expected, n, tolerance, LARGEST_ERROR)


def same(number, expected, tolerance=0.0):
    """Verdict on a Number = expected, up to a tolerance, bounds minded."""
    return decided(number, lambda value, error, n: equal(value, error, expected, n, tolerance))


def scaled(number, factor):
    """A number times an exact factor."""
    return number._replace(value=number.value * factor, error=number.error * factor)


def join(*notes):
    """Notes behind each other, each once."""
    return "; ".join(dict.fromkeys(note for note in notes if note))


def band(rigidity):
    """D_iso of B/C: lowest, geometric mean, highest; pc."""
    low, high = boron_to_carbon_band(rigidity)
    return low, np.sqrt(low * high), high


def cgs(pc):
    """cm^2/s of a D/c in pc."""
    return pc * PC_C_CM2_PER_S


def words(value, error):
    """Number and error as text: as many digits as the error has one of, or two from 1 to 2."""
    if not np.isfinite(value):
        return "not known"
    if not (np.isfinite(error) and error > 0):
        return f"{value:.3g}"
    size = int(np.floor(np.log10(error)))
    places = (error / 10.0**size < 1.95) - size
    power = int(np.floor(np.log10(abs(value)))) if value else 0
    if -3 <= power <= 4:
        places = max(places, 0)
        return f"{value:.{places}f} +- {error:.{places}f}"
    scale, places = 10.0**power, max(places + power, 0)
    return f"({value / scale:.{places}f} +- {error / scale:.{places}f})e{power:+03d}"


def at(rigidity):
    """Text of a rigidity in PV."""
    return style.rigidity(rigidity)
