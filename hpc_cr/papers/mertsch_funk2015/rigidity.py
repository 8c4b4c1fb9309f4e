"""Statements of Mertsch & Funk 2015 on rigidities beside a regular field: figure 1 and ranges.

Each function takes the panel of a case at 1 PV and the last stop.
"""

import numpy as np

from hpc_cr.anisotropy import scattering
from hpc_cr.anisotropy.ensembles import mean_and_error
from hpc_cr.anisotropy.resampling import bootstrap_scaled, share
from hpc_cr.papers import Statement
from hpc_cr.papers.observed import (
    NORMALISATIONS,
    along,
    count,
    observed_at_all,
    plus_minus,
    ratio_of_means,
    start_text,
)
from hpc_cr.papers.verdicts import above, equal, same_share

RIGIDITIES = (0.01, 0.1, 1.0)
"""PV."""


def energies(panel):
    """Amplitudes of single realisations need not grow with energy."""
    found = []
    for normalisation in NORMALISATIONS:
        common = observed_at_all(panel.results, RIGIDITIES, normalisation=normalisation)
        if common is None:
            continue
        panels, _, group = common
        factors = "(a)" if normalisation == "physical" else "(b)"
        start = f"{panel.label}, T = {', '.join(f'{p.length:.0f}' for p in panels)} pc, {factors}"
        start += ", gradient at 90 deg:"

        def each(statistic, normalisation=normalisation):
            return _energies_at_each_stop(panel, statistic, normalisation)

        value, error = _over_energies(common, _not_growing)
        dip = _over_energies(common, _dip)
        verdict, test = same_share(value, len(np.unique(group)), 2, 5)
        found.append(
            Statement(
                "figure 1",
                f"{start} share whose |delta| falls from 10 to 100 TV or from 100 TV to 1 PV",
                "2 of 5",
                value,
                error,
                "",
                verdict,
                f"{test}; {each(_not_growing)}; falls, then rises, as measured:"
                f" {plus_minus(*dip, '.2f', '.2f')}; {each(_dip)}",
            )
        )
        value, error = _over_energies(common, _growth)
        field = [p.gradient_size * along(p).mean() for p in panels]
        found.append(
            Statement(
                "figure 1",
                f"{start} mean |delta| at 1 PV over that at 10 TV",
                "> 1",
                value,
                error,
                "",
                above(value, error, 1.0, len(np.unique(group))),
                f"{each(_growth)}; along B0 the ensemble's dipole grows"
                f" {field[-1] / field[0]:.1f} times",
            )
        )
    return found


def _over_energies(common, statistic):
    """A statistic of |delta| at the three rigidities (n, 3) with its error."""
    panels, response, group = common
    dipoles = np.stack([m @ p.gradient for m, p in zip(response, panels, strict=True)], axis=1)
    amplitude = np.linalg.norm(dipoles, axis=-1)
    scaled = None
    if panels[0].options.normalisation != "physical":
        b = panels[0].field / np.linalg.norm(panels[0].field)
        scaled = np.einsum("rnij,i,j->nr", response, b, b)
    value, error = bootstrap_scaled(statistic, amplitude, scaled, group)
    flags = _FLAGS.get(statistic)
    if flags is not None:  # binomial, too: not zero for a share of 0 or 1
        error = np.fmax(error, share(flags(amplitude), group)[1])
    return float(value), float(error)


def _energies_at_each_stop(panel, statistic, normalisation):
    """The same at every stop as text."""
    values, times = [], []
    for stop in range(panel.results.stops.shape[1]):
        common = observed_at_all(panel.results, RIGIDITIES, stop, normalisation)
        if common is not None:
            values.append(f"{_over_energies(common, statistic)[0]:.2f}")
            times.append(f"{common[0][-1].length:.3g}")
    return f"T = {', '.join(times)} pc at 1 PV: {', '.join(values)}"


def _falls(amplitude):
    low, middle, high = amplitude.T
    return (middle < low) | (high < middle)


def _falls_and_rises(amplitude):
    low, middle, high = amplitude.T
    return (middle < low) & (high > middle)


def _not_growing(amplitude):
    return np.mean(_falls(amplitude))


def _dip(amplitude):
    return np.mean(_falls_and_rises(amplitude))


_FLAGS = {_not_growing: _falls, _dip: _falls_and_rises}


def _growth(amplitude):
    return amplitude[:, 2].mean() / amplitude[:, 0].mean()


def ranges(panel):
    """How far particles get in a scattering time, and how that grows with rigidity."""
    job, start = panel.results.job, start_text(panel)
    (path,), (error,) = mean_and_error(along(panel)[:, None], panel.realisation)
    ratio, slope = job.turbulence.rms / job.regular.strength, job.turbulence.slope
    formula = scattering.quasilinear_range(panel.rigidity, job.regular.strength, ratio, slope)
    factor = scattering.range_in_scattering_times(1.0, 2.0)
    quasilinear = float(job.mean_free_paths[panel.rig])
    found = [
        Statement("p. 4", f"{start}: D_par = c <M_par>/3", "not given", path / 3, error / 3, "pc c",
                  "open", f"<M_par> = {plus_minus(path, error, '.4g')} pc"),
        Statement("p. 4", f"{start}: sqrt(4 D_par t), t = the paper's tau_sc = 2 tau ="
                  " 6 D_par/c^2", f"{formula:.0f} pc", factor * path, factor * error, "pc",
                  equal(factor * path, factor * error, formula, count(panel)),
                  "the paper: a few hundred pc, 100/q pc (dB/B0)^-2 (R/B0)^(2-q); its prefactor is"
                  " one of order of magnitude: the quasi-linear mean free path of"
                  f" {quasilinear:.0f} pc gives {factor * quasilinear:.0f} pc"),
    ]  # fmt: skip
    common = observed_at_all(panel.results, RIGIDITIES)
    if common is None:
        return found
    for first, text in ((0, "10 to 100 TV"), (1, "100 TV to 1 PV")):
        value, error = _growth_of_range(common, first)
        at_stops = [observed_at_all(panel.results, RIGIDITIES, stop)
                    for stop in range(panel.results.stops.shape[1])]  # fmt: skip
        at_stops = [at for at in at_stops if at is not None]
        each = ", ".join(f"{_growth_of_range(at, first)[0]:.2f}" for at in at_stops)
        times = ", ".join(f"{at[0][first + 1].length:.3g}" for at in at_stops)
        found.append(
            Statement("p. 4", f"{panel.label}: growth of that range from {text}", "> 2", value,
                      error, "", above(value, error, 2.0, count(panel)),
                      f"T = {times} pc at the upper rigidity: {each}; quasi-linear: 10^(2-q) ="
                      f" {10 ** (2 - slope):.2f}")
        )  # fmt: skip
    return found


def _growth_of_range(common, first):
    """M_par at one rigidity over that at the one before it, with its error."""
    panels, response, group = common
    b = panels[0].field / np.linalg.norm(panels[0].field)
    paths = np.einsum("rnij,i,j->nr", response, b, b)
    return ratio_of_means(paths[:, [first + 1, first]], group)
