"""Kachelriess 2018, equation 1 and figures 1 and 2: diffusion without a regular field.

Each function takes the cases of the paper's job by name. x = r_g/L with L = L_max/5 (Kolmogorov) or
L_max/6 (Kraichnan), the two-sided coherence length of a long spectrum.
"""

import numpy as np

from hpc_cr.anisotropy.ensembles import mean_and_error
from hpc_cr.config.scales import gyroradius
from hpc_cr.diffusion.fits import unit_length
from hpc_cr.figures.diffusion_points import fit_isotropic
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements.diffusion import BAND_CM2_PER_S, BAND_PV, boron_to_carbon_band
from hpc_cr.papers.kachelriess2018.files import ISOTROPIC, KRAICHNAN, OUTER_SCALE
from hpc_cr.papers.kachelriess2018.measured import (
    Number,
    at,
    band,
    cgs,
    coefficient,
    decided,
    fewest,
    growth,
    join,
    points,
    same,
    scaled,
    statement,
    words,
)
from hpc_cr.papers.verdicts import above, below, factor, zero

NEAR = 0.1
"""Tolerance for exponents called asymptotic: the last decade computed is not the asymptote."""
MUCH_LESS = 1 / 3
"""What "much smaller" is taken to mean."""
TYPICAL_UG = (1.0, 10.0)
TENS_PC = 50.0
"""What "a few tens of pc" are taken to be at most."""
REFERENCE = "isotropic-4uG"
FIELDS = tuple(dict.fromkeys(ISOTROPIC.values()))
"""B_rms, uG."""
UNIT = unit_length(OUTER_SCALE, 5 / 3)
"""L = L_max/5, pc."""


def figure_1(cases):
    """Statements on the tensor, its asymptotes, the transition and the size of D."""
    found = isotropy(cases.get(REFERENCE)) + exponents(cases) + transition(cases)
    return found + sizes(cases) + green_band(cases)


def isotropy(case):
    """Equation 1 gives the same D in all directions."""
    if case is None or not case.done.any():
        return []
    rig = int(np.argmin(np.abs(np.log(case.rigidities))))
    rows = case.done[:, rig]
    tensor = case.tensor[rows, rig, -1]
    trace = np.trace(tensor, axis1=-2, axis2=-1).mean() / 3
    upper = (tensor + np.swapaxes(tensor, -1, -2)) / (2 * trace)
    x, y, z = (upper[:, i, i] for i in range(3))
    parts = [(x - y) / 2, (x + y - 2 * z) / np.sqrt(12)]
    parts = np.stack([*parts, upper[:, 0, 1], upper[:, 0, 2], upper[:, 1, 2]], axis=-1)
    mean, error = mean_and_error(parts, case.realisation[rows])
    verdict, test = zero(parts, case.realisation[rows])
    number = Number(np.linalg.norm(mean), np.linalg.norm(error), int(rows.sum()))
    return [
        statement(
            "eq. 1",
            f"{case.case}, {at(case.rigidities[rig])}: anisotropic part of D_ij over D, five"
            " components in quadrature",
            "0: a scalar D",
            number,
            "",
            verdict,
            f"{test}; T = {case.stops[rig, -1]:.3g} pc",
        )
    ]


def exponents(cases):
    """D ~ E^(1/3) at low and E^2 at high energies."""
    found = []
    low = _step(cases, lambda x: min(x, key=lambda pair: pair[0]))
    high = _step(cases, lambda x: max(x, key=lambda pair: pair[1]))
    for pair, expected, paper, side in ((low, 1 / 3, "1/3", "lowest"), (high, 2.0, "2", "highest")):
        if pair is None:
            continue
        number, strength, rigidities, x = pair
        extra = ""
        if side == "lowest":
            extra = _free_exponent(cases)
        text = f"{strength:g} uG: d ln D/d ln E from {at(rigidities[0])} to {at(rigidities[1])}"
        found.append(
            statement(
                "figure 1",
                f"{text}, the {side} x = r_g/(L_max/5), {x[0]:.2g} to {x[1]:.2g}",
                paper,
                number,
                "",
                same(number, expected, NEAR),
                join(f"{NEAR:g} is granted, as the asymptote is not reached exactly", extra),
            )
        )
    return found


def _step(cases, choose):
    """Exponent between neighbouring rigidities of the case that has the extreme x."""
    every = {}
    for strength in FIELDS:
        known = of_field(cases, strength)
        rigidities = sorted(known)
        for pair in zip(rigidities, rigidities[1:], strict=False):
            x = tuple(gyroradius(r, strength) / UNIT for r in pair)
            every[x] = strength, pair, [known[r] for r in pair]
    if not every:
        return None
    x = choose(every)
    strength, pair, (low, high) = every[x]
    return growth(high, low, pair[1] / pair[0]), strength, pair, x


def of_field(cases, strength):
    """Rigidity (PV) -> D_iso of a field strength (uG), a Number, from all of its cases."""
    found = {}
    for case in (cases[name] for name, b in ISOTROPIC.items() if b == strength and name in cases):
        for rigidity in case.rigidities:
            number = coefficient(case, rigidity, "D_iso")
            if number is not None:
                found[float(rigidity)] = number
    return found


def fit_of(cases, slope=5 / 3):
    """The fit that the figure draws, and its least number of realisations, or None.

    Parameters
    ----------
    cases : dict
        Name -> case.
    slope : float
        5/3 for the cases of figure 1, 3/2 for Kraichnan's.
    """
    found = points(cases, KRAICHNAN if slope == 1.5 else ISOTROPIC)
    if not found:
        return None
    try:
        return fit_isotropic(found, "figure 1"), fewest(found)
    except (FigureError, ValueError):
        return None


def _free_exponent(cases):
    fitted = fit_of(cases)
    free = fitted and fitted[0].others.get("free exponent")
    if not free:
        return ""
    return f"fit to all points with a free exponent: {words(*free.fit['exponent'])}"


def transition(cases):
    """Where the two regimes meet."""
    fitted = fit_of(cases)
    if fitted is None:
        return []
    fit, n = fitted
    (half, half_error), (cross, cross_error) = fit.halfway(), fit.crossing()
    number = Number(half / 5, half_error / 5, n)
    log_x = np.log([4.9, 5.1])
    there = np.diff(np.log(fit.evaluate(np.exp(log_x))[0]))[0] / np.diff(log_x)[0]
    return [
        statement(
            "figure 1",
            "R_L/L_max where d ln D/d ln E is half-way between 1/3 and 2 (fit to all four fields)",
            "1",
            number,
            "",
            factor(number.value, number.error, 1.0, n),
            f"a factor 2 is granted; asymptotes cross at {words(cross / 5, cross_error / 5)} L_max;"
            f" at R_L = L_max the exponent is {there:.2f} already: nearly all of the change happens"
            " below; 2 pi R_L = L_max, the resonance with the longest wave, is at 0.16",
        )
    ]


def _below_band(cases, fitted, strength, rigidity):
    """D of a field at a rigidity over the lowest that B/C allows; measured or by the fit."""
    known = of_field(cases, strength)
    for value, number in known.items():
        if np.isclose(value, rigidity, rtol=1e-2):
            return scaled(number, 1 / band(rigidity)[0])
    if not known or fitted is None:
        return None
    fit, n = fitted
    d = fit.extrapolate(gyroradius(rigidity, strength) / UNIT)
    return scaled(Number(float(d.value) * UNIT, float(d.total) * UNIT, n), 1 / band(rigidity)[0])


def _freed_text(fitted, strength, rigidity):
    """" (3e+26 with ...)": D in cm^2/s of the fit that does not keep the exponent."""
    if fitted is None:
        return ""
    fit, _ = fitted
    freed = fit.extrapolate(gyroradius(rigidity, strength) / UNIT).freed
    if not np.isfinite(freed):
        return ""
    return f" ({words(cgs(float(freed) * UNIT), np.nan)} with the exponent freed)"


def sizes(cases):
    """For all fields D is much smaller than B/C asks for."""
    found, fitted = [], fit_of(cases)
    for rigidity, how in ((BAND_PV, "extrapolated"), (1.0, "measured")):
        # at 1 PV particles in 0.1 uG scatter by small angles: D says nothing about B/C
        fields = [b for b in FIELDS if rigidity == BAND_PV or b >= 1.0]
        numbers = {b: _below_band(cases, fitted, b, rigidity) for b in fields}
        numbers = {b: number for b, number in numbers.items() if number is not None}
        if not numbers:
            continue
        largest = max(numbers, key=lambda b: numbers[b].value)
        number = numbers[largest]
        low = cgs(band(rigidity)[0])
        each = ", ".join(
            f"{b:g} uG {words(cgs(one.value * band(rigidity)[0]), np.nan)}"
            + _freed_text(fitted, b, rigidity) * (rigidity == BAND_PV)
            for b, one in numbers.items()
        )
        found.append(
            statement(
                "figure 1",
                f"largest D of the fields at {at(rigidity)} ({how}; {largest:g} uG) over"
                f" {low:.2g} cm^2/s, the least that B/C allows",
                "<< 1",
                number,
                "",
                decided(number, lambda value, error, n: below(value, error, MUCH_LESS, n)),
                f'D in cm^2/s: {each}; "much smaller" is taken as below 1/3; the fields are chosen'
                " here, as the text does not print them"
                + ("" if rigidity == BAND_PV else "; r_g in 0.1 uG is above L_c there: left out"),
            )
        )
    return found


def green_band(cases):
    """The field strengths that would give B/C's D with L_max = 25 pc."""
    fitted = fit_of(cases)
    if fitted is None:
        return []
    fit, n = fitted
    low, high = boron_to_carbon_band(BAND_PV)
    found = []
    for d, wanted in ((low, BAND_CM2_PER_S[0]), (high, BAND_CM2_PER_S[1])):
        try:
            number = field_needed(fit, d, UNIT, n)
        except ValueError:  # a fit that falls somewhere has no single answer
            continue
        found.append(
            statement(
                "figure 1",
                f"B_rms that gives D0 = {wanted:.0e} cm^2/s at 10 GV with L_max = 25 pc",
                "not 1-10 uG",
                number,
                "uG",
                below(np.log(number.value / TYPICAL_UG[0]), number.error / number.value, 0.0, n),
                "green band, whose ends are not printed; there r_g/L ="
                f" {radius_at(number.value) / UNIT:.2g}; error: fit and other forms of it",
            )
        )
    return found


def field_needed(fit, wanted, unit, n):
    """B_rms (uG) that gives D/c = wanted (pc) at 10 GV for a unit length L (pc), a Number."""
    from hpc_cr.diffusion.grammage import field_strengths

    def strength(one):
        return float(field_strengths(one, [unit], band=(wanted, wanted))[0][0, 0])

    value = strength(fit)
    x = radius_at(value) / unit
    d = fit.extrapolate(x)
    # d ln B = -d ln D / (d ln D/d ln x)
    slope = float(np.log(fit.evaluate(1.01 * x)[0] / fit.evaluate(x)[0]) / np.log(1.01))
    return Number(value, value * float(d.total / d.value) / slope, n)


def radius_at(strength):
    """r_g at 10 GV in a field of so many uG, pc."""
    return float(gyroradius(BAND_PV, strength))


def figure_2(cases):
    """B_rms and L_coh that B/C would ask for."""
    found = []
    for slope, spectrum in ((5 / 3, "Kolmogorov"), (1.5, "Kraichnan")):
        fitted = fit_of(cases, slope)
        if fitted is None:
            continue
        for strength in TYPICAL_UG:
            try:
                number = length_needed(*fitted, strength, band(BAND_PV)[0])
            except ValueError:  # a fit that falls somewhere has no answer, or several
                continue
            found.append(
                statement(
                    "figure 2",
                    f"{spectrum}: least L_coh for D0 >= 3e28 cm^2/s at 10 GV in {strength:g} uG",
                    "> a few tens",
                    number,
                    "pc",
                    above(np.log(number.value / TENS_PC), number.error / number.value, 0.0,
                          number.n),
                    f'L_coh is the two-sided one; "a few tens" are taken as {TENS_PC:g} pc; error:'
                    " fit and other forms of it",
                )
            )
    return found


def length_needed(fit, n, strength, wanted):
    """L (pc) with which a field in uG gives D/c = wanted (pc) at 10 GV, a Number."""
    from scipy.optimize import brentq

    r_g = radius_at(strength)

    def away(log_length):
        length = np.exp(log_length)
        return np.log(length * fit.curve(fit.fit.values, r_g / length) / wanted)

    length = float(np.exp(brentq(away, np.log(r_g), np.log(1e9))))
    d = fit.extrapolate(r_g / length)
    slope = (away(np.log(length) + 0.01) - away(np.log(length))) / 0.01
    return Number(length, length * float(d.total / d.value) / slope, n)
