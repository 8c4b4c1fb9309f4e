"""B/C at equal quality for every tau, the D0 that this takes, and antiprotons."""

import numpy as np
from scipy.optimize import minimize_scalar

from hpc_cr.figures.boron_to_carbon import RATIO, isotopes, prediction
from hpc_cr.figures.panels import FigureError
from hpc_cr.galaxy.ratio_fits import fit_ratio
from hpc_cr.measurements import spectra as tables
from hpc_cr.papers.evoli2012.cases import NONE, PAPER, REFERENCE, scan, statement, within

OLD = ("HEAO-3-C2", "CREAM", "ATIC-2", "PAMELA")
"""B/C as known about 2012: PAMELA's points are of 2014, its flights of 2006 to 2008. TRACER's five
points are left out: the one at 29 GeV/n is a quarter above those of all others, four errors."""
NEW = ("AMS-02",)
RANGE_GEV = (0.5, 1.2e3)
"""Kinetic energies per nucleon of the fits."""
GOOD = 2.0
"""chi^2 per degree of freedom up to which a fit is taken as good: points of one experiment share
errors that are counted as independent, and cross sections are known to 10 to 20 % each."""
SAME = 0.2
"""Relative change of chi^2 up to which fits are of equal quality."""
MILD = 0.3
CHOSEN = (0.0, 0.5, REFERENCE, 1.0)
ANTIPROTON_GEV = 10.0


def has_boron(case):
    """Whether a case has boron and carbon."""
    try:
        return bool(isotopes(case, 5) and isotopes(case, 6))
    except FigureError:
        return False


def quality(case, experiments=OLD, factor=1.0):
    """chi^2 of a case's B/C times a factor (hpc_cr.galaxy.ratio_fits.RatioFit)."""
    ratio = prediction(case)
    return fit_ratio(lambda *given: factor * ratio(*given), tables.points(RATIO, experiments),
                     RANGE_GEV)


def best_factor(case, experiments=OLD):
    """Factor on B/C that fits best, and its error (chi^2 up by 1, or chi^2/ndf if that is more)."""
    def chi2(factor):
        return quality(case, experiments, factor).chi2

    best = minimize_scalar(chi2, bounds=(0.7, 1.4), method="bounded", options={"xatol": 1e-4})
    step = 0.03
    curvature = (chi2(best.x + step) - 2 * best.fun + chi2(best.x - step)) / step**2
    rise = max(1.0, best.fun / quality(case, experiments).ndf)
    return float(best.x), float(np.sqrt(2 * rise / curvature))


def boron_to_carbon(found):
    """chi^2 of B/C for the scan in tau."""
    cases = {tau: case for tau, case in scan(found, PAPER).items() if has_boron(case)}
    fits = {tau: quality(case) for tau, case in cases.items()}
    rows = []
    for tau in [tau for tau in CHOSEN if tau in fits]:
        fit = fits[tau]
        factor, error = best_factor(cases[tau])
        potentials = ", ".join(f"{name} {chi2:.0f}/{n}" for name, (chi2, n) in fit.parts.items())
        rows.append(statement(
            "p. 3", f"chi^2 per degree of freedom of B/C of HEAO-3, CREAM, ATIC-2 and PAMELA, 0.5"
            f" GeV/n to 1 TeV/n, tau = {tau:g}", "a good fit", fit.chi2 / fit.ndf,
            within(fit.chi2 / fit.ndf, 0, GOOD),
            note=f"good: up to {GOOD:g}; {potentials} points; the common factor on B/C that fits"
                 f" best is {factor:.3f} +- {error:.3f}"))
    if len(fits) > 1:
        chi2 = [fit.chi2 for fit in fits.values()]
        spread = max(chi2) / min(chi2) - 1
        rows.append(statement(
            "p. 3", f"largest chi^2 of B/C over the least, less 1, tau = {min(fits):g} to"
            f" {max(fits):g} ({len(fits)} values)", "good for all tau", spread,
            within(spread, 0, SAME), note=f"equal quality: up to {SAME:g}"))
    for tau in [tau for tau in (NONE, REFERENCE) if tau in cases]:
        fit = quality(cases[tau], NEW)
        factor, error = best_factor(cases[tau], NEW)
        scaled = quality(cases[tau], NEW, factor)
        rows.append(statement(
            "p. 3", f"the same chi^2 per degree of freedom with AMS-02 instead, tau = {tau:g}",
            "not known then", fit.chi2 / fit.ndf, "open",
            note=f"chi^2 {fit.chi2:.0f} for {fit.ndf} degrees of freedom, with a factor"
                 f" {factor:.3f} +- {error:.3f} on B/C {scaled.chi2:.0f}: R^-0.6 is too steep above"
                 " 60 GeV/n for the errors of today"))
    return rows


def normalisation(found):
    """D0 that fits B/C depends mildly on tau."""
    cases = scan(found, PAPER)
    if NONE not in cases or len(cases) < 2:
        return []
    d0 = {tau: case.job.diffusion.coefficient for tau, case in cases.items()}
    rows = []
    for tau in [tau for tau in (REFERENCE, 1.0) if tau in d0]:
        ratio = d0[tau] / d0[NONE]
        rows.append(statement(
            "p. 3", f"D0 that fits B/C, tau = {tau:g} over tau = 0", "depends mildly", ratio,
            within(ratio, 1 - MILD, 1 + MILD),
            note=f"{d0[NONE]:.3g} and {d0[tau]:.3g} cm2/s at 4 GV; mildly: within {MILD:g}"))
    return rows


def antiprotons(found):
    """Antiprotons over protons at 10 GeV."""
    from hpc_cr.figures.antiproton_ratio import ratio

    cases = {tau: case for tau, case in scan(found, PAPER).items() if tau in (NONE, REFERENCE)}
    values = {}
    for tau, case in cases.items():
        try:
            kinetic, antiproton, proton = ratio(case, count=12)
        except FigureError:
            continue
        values[tau] = np.exp(np.interp(np.log(ANTIPROTON_GEV), np.log(kinetic),
                                       np.log(antiproton / proton)))
    return [statement(
        "p. 3", f"antiprotons over protons at {ANTIPROTON_GEV:g} GeV, interstellar, tau = {tau:g}",
        "as measured", value, "open",
        note="no measured antiprotons are in the package's tables; without reacceleration and"
             " ionisation of antiprotons")
        for tau, value in values.items()]
