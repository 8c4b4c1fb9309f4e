"""Kachelriess 2018, pages 1, 3 and 5: how many sources count, and the one nearby.

The number of sources comes from a Monte Carlo with the paper's coefficients; suppression by the
distance to the field line from the coefficients measured at eta = 0.25.
"""

import numpy as np

from hpc_cr.diffusion.fits import FitError
from hpc_cr.figures.single_source import CUTOFFS, SHARE, SHARE_AT, flip, models, of_points
from hpc_cr.papers.kachelriess2018.measured import (
    Number,
    at,
    band,
    coefficient,
    fewest,
    growth,
    points,
    ratio,
    statement,
    words,
)
from hpc_cr.papers.kachelriess2018.regular_field import QUARTER
from hpc_cr.papers.verdicts import factor
from hpc_cr.sources import gaussian
from hpc_cr.sources.local_source import (
    Source,
    energy_error,
    of_boron_to_carbon,
)
from hpc_cr.sources.supernovae import ISOTROPIC, SETS, YEAR_PC, Galaxy, sources_that_count

DISTANCE_PC, AGE_MYR = 70.0, 2.5
"""d_perp, and the middle of 2-3 Myr."""

def numbers_of_sources():
    """Sources that make the local flux: 1e4, 100 and 10."""
    found = []
    for rigidity, galaxy, paper, expected, where, text in (
        (1e-5, ISOTROPIC, "1e4", 1e4, "p. 2", "isotropic diffusion"),
        (1e-5, Galaxy(), "1e2", 1e2, "p. 3", "D_par = 5 D_iso, D_perp = D_iso/500"),
        (1e-3, Galaxy(), "10", 10.0, "p. 3", "D_par = 5 D_iso, D_perp = D_iso/500"),
    ):
        got = sources_that_count(rigidity, galaxy)[0]
        value, error = got.half[:2]
        found.append(
            statement(
                where,
                f"supernovae that make half of the local flux at {at(rigidity)}, {text}",
                paper,
                Number(value, error, SETS),
                "",
                factor(value, error, expected, SETS, most=np.sqrt(10)),
                f"median of {SETS} Monte Carlo sets; 90 % of the flux come from"
                f" {words(*got.most[:2])}, (sum f)^2/sum f^2 = {words(*got.effective[:2])}, with a"
                " heavy tail; the paper does not say what it counts; half a decade is granted",
            )
        )
    every = sources_that_count(1e-5, ISOTROPIC)[0].half[:2]
    few = sources_that_count(1e-5, Galaxy())[0].half[:2]
    number = ratio(Number(*every, SETS), Number(*few, SETS))
    found.append(
        statement(
            "abstract",
            "the same at 10 GV, isotropic over anisotropic",
            "200",
            number,
            "",
            factor(number.value, number.error, 200.0, SETS),
            "200 is the ratio of the clouds' volumes; the disc of the sources is thinner than the"
            " clouds of isotropic diffusion, and what counts there is their area,"
            " D_iso/(D_par D_perp)^(1/2) = 10",
        )
    )
    return found


def dominates(cases):
    """The source's share of the flux at 10 TV, and where the dipole changes sides."""
    found = []
    options = [("the paper's coefficients", of_boron_to_carbon(), 0)]
    known = points(cases, (QUARTER,))
    if len(known) > 1:
        try:
            measured = of_points(known)
        except FitError:  # no two positive ones
            measured = None
        if measured is not None:
            options.append(("measured ones, as power laws", measured, fewest(known)))
    for text, coefficients, n in options:
        source = Source()
        share = float(source.share(SHARE_AT, coefficients))
        error = float(source.share_error(SHARE_AT, coefficients))
        needed = [x / 1e50 for x in energy_error(source, coefficients, SHARE, SHARE_AT)]
        found.append(
            statement(
                "p. 4",
                "share f of the proton flux at 10 TV from 1e50 erg in protons ~ R^-2.2, 250 pc and"
                f" 2.5 Myr away, d_perp = 70 pc; {text}",
                "dominates",
                Number(share, error, n),
                "",
                "open",
                f"the spectrum is ours; f = {SHARE:g} takes ({words(*needed)})e50 erg; errors are"
                " those of the measured flux and of fits, not that power laws may bend",
            )
        )
        (first, second), seas = (
            [flip(coefficients, cutoff) for cutoff, _, _ in CUTOFFS],
            [sea for _, sea in models(coefficients)],
        )
        if np.isfinite(first[0]):
            found.append(
                statement(
                    "p. 4",
                    f"energy of the phase flip, f = {SHARE:g} at 10 TV, cut-off 100 TV; {text}",
                    "> 20",
                    Number(1e3 * first[0], 1e3 * first[1], n),
                    "TV",
                    "open",
                    f"cut-off 1 PV: {words(*(1e3 * v for v in second))} TV; f is free, and the sea"
                    " ~ E^(1/3) beside the source is fitted to measured dipoles from 0.3 to 5 PeV:"
                    f" {_seas(seas)}, errors with the scatter in them",
                )
            )
    return found


def _seas(seas):
    """delta_0 and chi2 per cut-off."""
    parts = [f"delta_0 = {words(sea.value, sea.error)} (chi2 = {sea.chi2:.0f} of"
             f" {sea.n_point} points)" for sea in seas]  # fmt: skip
    return " and ".join(parts)


def suppression(cases):
    """A source 70 pc from our field line is suppressed below 1 TeV."""
    case = cases.get(QUARTER)
    time = 1e6 * AGE_MYR * YEAR_PC
    found = []
    d = coefficient(case, 1.0, "D_perp")
    low = coefficient(case, 0.1, "D_perp")
    options = []
    if d is not None:
        options.append(("measured at 1 PV, ~ E^(1/3)", d, 1.0, (1 / 3, 0.0)))
    if d is not None and low is not None:
        steep = growth(d, low, 10.0)
        options.append(
            (f"measured at 0.1 PV, ~ E^({words(steep.value, steep.error)}) as from 0.1 to 1 PV",
             low, 0.1, (steep.value, steep.error))
        )  # fmt: skip
    own = band(1.0)[1] / gaussian.PERPENDICULAR_LOSS
    printed = gaussian.suppression_rigidity(DISTANCE_PC, time, own, 1 / 3)
    for text, number, reference, (exponent, exponent_error) in options:
        rigidity = reference * gaussian.suppression_rigidity(
            DISTANCE_PC, time, number.value, exponent
        )
        steps = np.log(rigidity / reference)
        error = rigidity / exponent * np.hypot(number.error / number.value,
                                               steps * exponent_error)  # fmt: skip
        value = Number(1e3 * rigidity, 1e3 * error, number.n, number.note)
        found.append(
            statement(
                "p. 5",
                "rigidity below which less than half of the density is left at d_perp = 70 pc"
                f" after 2.5 Myr; D_perp {text}",
                "1",
                value,
                "TV",
                factor(value.value, value.error, 1.0, value.n),
                f"D_iso/500 (4.9e28 cm^2/s at 10 GV) gives {1e3 * printed:.2g} TV; a factor 2 is"
                " granted",
            )
        )
    return found
