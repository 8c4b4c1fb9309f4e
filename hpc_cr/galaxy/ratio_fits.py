"""Predicted ratios such as B/C against the measured ones, and the D0 that fits best.

Each experiment sees the interstellar spectra through the Sun's modulation of its years
(`hpc_cr.galaxy.spectra.modulated`); the potential of the force field is a nuisance per experiment,
within POTENTIALS_GV. Errors are statistical and systematic in quadrature as if points were
independent, which makes chi^2 of experiments with large common errors too small.

The best D0 is the minimum of chi^2 over log10 D0 from a few runs: of a parabola through three, of
a cubic spline through more.
"""

from typing import NamedTuple

import numpy as np
from scipy import interpolate, optimize

from hpc_cr.galaxy.spectra import modulated
from hpc_cr.measurements import spectra as tables

POTENTIALS_GV = (0.2, 1.0)
MODULATED_GEV = 20.0
"""Kinetic energy per nucleon (GeV) above which these potentials move B/C by less than 1 %."""


class RatioFit(NamedTuple):
    """A predicted ratio against the measured one.

    Attributes
    ----------
    chi2 : float
        At the best potentials.
    ndf : int
        Points, less one for each potential.
    potentials : dict of str to float
        Best modulation potential (GV) of each experiment with points below MODULATED_GEV.
    parts : dict of str to (float, int)
        chi^2 and number of points per experiment.
    """

    chi2: float
    ndf: int
    potentials: dict
    parts: dict


def modulated_ratio(nucleon_GeV, numerator, denominator, potential_GV, wanted):
    """Ratio of two modulated elements at equal kinetic energy per nucleon.

    Parameters
    ----------
    nucleon_GeV : array (n,)
        Energies of the interstellar fluxes, increasing.
    numerator, denominator : sequence of (flux, z, a)
        Isotopes: interstellar flux (n,) per GeV per nucleon, charge and mass number.
    potential_GV : float
    wanted : array (m,)
        Kinetic energies per nucleon at the Earth, GeV.

    Returns
    -------
    ndarray (m,)
        NaN where the interstellar fluxes do not reach.
    """
    above, below = (sum(modulated(nucleon_GeV, flux, z, a, potential_GV, wanted)
                        for flux, z, a in isotopes)
                    for isotopes in (numerator, denominator))  # fmt: skip
    return above / below


def fit_ratio(prediction, points, energies=(0.0, np.inf)):
    """chi^2 of a ratio with the modulation of each experiment as a nuisance.

    Parameters
    ----------
    prediction : callable
        (potential in GV, kinetic energies per nucleon (n,) in GeV) -> ratio (n,).
    points : sequence of hpc_cr.measurements.spectra.SpectrumPoint
        Such as ``points("B/C")``; all against energy per nucleon.
    energies : (float, float)
        Lowest and highest kinetic energy per nucleon, GeV.

    Returns
    -------
    RatioFit

    Raises
    ------
    ValueError
        No points, another axis, or a prediction that does not reach all of them; one line.
    """
    points = [p for p in points if energies[0] <= p.energy <= energies[1]]
    if not points:
        raise ValueError(f"no points between {energies[0]:g} and {energies[1]:g} GeV/n")
    if any(p.axis != "nucleon" for p in points):
        raise ValueError("ratios are compared at equal energy per nucleon only")
    potentials, parts = {}, {}
    for name in dict.fromkeys(p.experiment for p in points):
        data = tables.arrays([p for p in points if p.experiment == name])
        parts[name], potential = _one_experiment(prediction, data, name)
        if data.energy.min() < MODULATED_GEV:
            potentials[name] = potential
    chi2 = sum(part for part, _ in parts.values())
    return RatioFit(chi2, len(points) - len(potentials), potentials, parts)


def _one_experiment(prediction, data, name):
    """(chi^2, number of points) and the best potential."""

    def chi2(potential):
        model = prediction(potential, data.energy)
        error = np.where(model > data.value, data.high, data.low)
        return float(np.sum(((model - data.value) / error) ** 2))

    for end in POTENTIALS_GV:
        if not np.isfinite(chi2(end)):
            raise ValueError(f"the prediction does not reach {name}'s {data.energy.min():.3g} to"
                             f" {data.energy.max():.3g} GeV/n")  # fmt: skip
    best = optimize.minimize_scalar(chi2, bounds=POTENTIALS_GV, method="bounded",
                                    options={"xatol": 1e-4})  # fmt: skip
    return (float(best.fun), len(data.energy)), float(best.x)


class Minimum(NamedTuple):
    """Where chi^2 is least.

    Attributes
    ----------
    value : float
        Of the parameter, such as log10 D0.
    low, high : float
        Errors downwards and upwards: chi^2 up by 1, or by chi^2/ndf where that is above 1.
    chi2 : float
    ndf : int
    """

    value: float
    low: float
    high: float
    chi2: float
    ndf: int


def minimum(parameter, chi2, ndf):
    """Minimum of chi^2 over one parameter from a few values.

    Parameters
    ----------
    parameter : array (n,)
        At least three different values, such as log10 of D0.
    chi2 : array (n,)
    ndf : int
        Degrees of freedom of each fit, less this parameter.

    Returns
    -------
    Minimum
        An error is NaN on a side where chi^2 does not rise so far within the values.

    Raises
    ------
    ValueError
        Fewer than three values, the least chi^2 at an end, or more minima than one; one line.
    """
    parameter, chi2 = np.asarray(parameter, float), np.asarray(chi2, float)
    order = np.argsort(parameter)
    parameter, chi2 = parameter[order], chi2[order]
    if len(parameter) < 3 or (np.diff(parameter) <= 0).any() or not np.isfinite(chi2).all():
        raise ValueError("a minimum needs three different values or more, with finite chi^2")
    least = int(np.argmin(chi2))
    if least in (0, len(chi2) - 1):
        raise ValueError(f"chi^2 is least at the end of the values, {parameter[least]:.4g}: go on"
                         " beyond it")  # fmt: skip
    if (np.diff(chi2[: least + 1]) > 0).any() or (np.diff(chi2[least:]) < 0).any():
        raise ValueError("chi^2 has more minima than one among these values")
    if len(parameter) == 3:
        curve = np.polynomial.Polynomial.fit(parameter, chi2, 2)
    else:
        curve = interpolate.CubicSpline(parameter, chi2)
    around = (parameter[least - 1], parameter[least + 1])
    found = optimize.minimize_scalar(curve, bounds=around, method="bounded",
                                     options={"xatol": 1e-6})  # fmt: skip
    value, lowest = float(found.x), float(found.fun)
    step = max(1.0, lowest / ndf)
    sides = [_crossing(curve, value, end, lowest + step) for end in parameter[[0, -1]]]
    return Minimum(value, value - sides[0], sides[1] - value, lowest, int(ndf))


def _crossing(curve, start, end, level):
    """Where a curve reaches a level between start and end; NaN where it does not."""
    if curve(end) < level:
        return np.nan
    return float(optimize.brentq(lambda x: curve(x) - level, start, end))
