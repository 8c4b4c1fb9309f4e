"""Statements of Mertsch & Funk 2015 on weak turbulence beside a regular field (eta = 0.1).

Each function takes the panel of a case at 1 PV and the last stop. The case's name tells how the
paper's 4 uG are read.
"""

import numpy as np

from hpc_cr.anisotropy import alignment, scattering
from hpc_cr.anisotropy.ensembles import mean_and_error
from hpc_cr.anisotropy.resampling import bootstrap, share
from hpc_cr.measurements.dipole_limits import eas_top_amplitude, kascade_limit
from hpc_cr.papers import Statement
from hpc_cr.papers.observed import (
    above,
    along_field,
    amplitude_at,
    at_each_stop,
    below,
    below_limit,
    equal,
    gradients,
    observed,
    observed_at_all,
    ratio_of_means,
    relative_scatter,
    size_text,
    start_text,
    within,
)

_TOLERANCE_DEG = 3.0
"""What the paper's "about 10 degrees" is taken to mean."""
_FEW_HUNDRED_PC = 150.0
"""What "a few hundred parsecs" is taken to exceed."""
_TILT = 0.05
"""Excess of the mean length granted to a cosine law: the field around the observer is tilted."""
_OF_50 = 0.057
"""Binomial error of a share of 0.2 among the paper's 50 realisations."""
_OF_5 = 0.22
"""Binomial error of its two of five realisations."""
_NORMALISATIONS = ("physical", "diffusion")


def cluster(panel):
    """Dipoles point along the regular field, not along the gradient."""
    found = []
    noise = panel.summary.noise_floor / panel.summary.mean_amplitude
    for axis, text, paper, verdict in (
        (panel.field, "B0", "cluster", below),
        (panel.gradient, "the gradient", "not there", above),
    ):
        angle = alignment.axis_angles(panel.dipoles, axis)
        value, error = bootstrap(np.median, angle, panel.realisation)
        each = at_each_stop(panel.results, panel.rigidity, lambda p, axis=axis: np.median(
            alignment.axis_angles(p.dipoles, axis)), digits=0)  # fmt: skip
        found.append(
            Statement(
                "figure 4",
                f"{start_text(panel)}, gradient at 90 deg: median angle of the dipole's axis to"
                f" {text}",
                paper,
                value,
                error,
                "deg",
                verdict(value, error, alignment.RANDOM_MEDIAN),
                f"{each} deg; r.m.s. {np.sqrt(np.mean(angle**2)):.0f} deg; random axes have a"
                f" median of 60 deg; sampling noise is {100 * noise:.0f} % of the mean amplitude",
            )
        )
    return found


def suppression(panel):
    """Small amplitudes for a gradient across the field."""
    pair = np.stack([amplitude_at(panel, 90.0), amplitude_at(panel, 0.0)], axis=-1)
    value, error = ratio_of_means(pair, panel.realisation)
    return [
        Statement(
            "figure 4",
            f"{start_text(panel)}: mean |delta| for a gradient at 90 deg from B0, over that at 0",
            "<< 1",
            value,
            error,
            "",
            below(value, error, 0.2),
        )
    ]


def cosine(panel):
    """|delta| goes as |cos psi|, with little scatter away from 90 degrees."""
    psi = np.arange(0.0, 81.0, 10.0)
    amplitude = alignment.amplitudes_at(panel.response, gradients(panel, psi))
    fitted = alignment.cosine_amplitude(amplitude, psi)
    value, error = ratio_of_means(
        np.stack([fitted, along_field(panel)], axis=-1), panel.realisation
    )
    law = fitted.mean() * np.cos(np.radians(psi))
    worst = np.max(np.abs(amplitude.mean(axis=0) - law)) / fitted.mean()
    (small, small_error), (large, large_error) = (
        relative_scatter(panel.response @ gradients(panel, [at])[0], panel.realisation)
        for at in (60.0, 90.0)
    )
    return [
        Statement(
            "figure 5",
            f"{start_text(panel)}: A/<M_par> of the fit mean |delta| = A |g| |cos psi|, psi to 80"
            " deg",
            "1",
            value,
            error,
            "",
            equal(value, np.hypot(error, _TILT), 1.0),
            f"mean |delta| stays within {100 * worst:.1f} % of A |g| from the fit; a mean of"
            f" lengths exceeds the length of the mean: {100 * _TILT:.0f} % are granted",
        ),
        Statement(
            "figure 5",
            f"{start_text(panel)}: scatter of |delta| over its mean for a gradient at 60 deg",
            "small",
            small,
            small_error,
            "",
            below(small - large, np.hypot(small_error, large_error), 0.0),
            f"at 90 deg {large:.2f} +- {large_error:.2f}",
        ),
    ]


def alignment_needed(panel):
    """How close to 90 degrees the gradient has to be."""
    psi = np.arange(45.0, 135.1, 0.5)
    found = []
    for normalisation in _NORMALISATIONS:
        at = observed(panel.results, panel.rigidity, normalisation=normalisation)
        if at is None:
            continue
        amplitude = alignment.amplitudes_at(at.response, gradients(at, psi))
        limit = kascade_limit(at.rigidity) / at.gradient_size

        def width(rows, limit=limit):
            return alignment.alignment_needed(np.median(rows, axis=0), psi, limit)

        value, error = bootstrap(width, amplitude, at.realisation)
        found.append(
            Statement(
                "p. 4",
                f"{start_text(at)}, {size_text(at)}: distance from 90 deg up to which the median"
                " stays below KASCADE's limit",
                "about 10 deg",
                value,
                error,
                "deg",
                equal(value, np.hypot(error, _TOLERANCE_DEG), 10.0),
                f'"about" is taken as {_TOLERANCE_DEG:.0f} deg',
            )
        )
    return found


def shares(panel):
    """The shares of realisations that agree with the measurements."""
    _, middle, sigma = eas_top_amplitude()
    band = f"within EAS-TOP's ({1e4 * middle:.1f} +- {1e4 * sigma:.1f})e-4"
    found = []
    for normalisation in _NORMALISATIONS:
        at = observed(panel.results, panel.rigidity, normalisation=normalisation)
        if at is None:
            continue
        start = f"{start_text(at)}, {size_text(at)}, gradient at 90 deg: share"

        def text(number, normalisation=normalisation):
            return at_each_stop(panel.results, panel.rigidity, number, normalisation)

        value, error = below_limit(at)
        each = text(lambda p: below_limit(p)[0])
        found.append(
            Statement("figure 5", f"{start} below KASCADE's limit", "> 0.5", value, error, "",
                      above(value, error, 0.5), each)
        )  # fmt: skip
        value, error = within(at, middle, sigma)
        each = text(lambda p: within(p, middle, sigma)[0])
        found.append(
            Statement("figure 5", f"{start} {band}", "about 0.2", value, error, "",
                      equal(value, np.hypot(error, _OF_50), 0.2), each)
        )  # fmt: skip
    return found


def energies(panel):
    """Amplitudes of single realisations need not grow with energy."""
    common = observed_at_all(panel.results, (0.01, 0.1, 1.0))
    if common is None:
        return []
    panels, response, group = common
    dipoles = np.stack([m @ p.gradient for m, p in zip(response, panels, strict=True)])
    low, middle, high = np.linalg.norm(dipoles, axis=-1)
    start = f"{panel.label}, T = {', '.join(f'{p.length:.0f}' for p in panels)} pc"
    value, error = share((middle < low) | (high < middle))
    dip, dip_error = share((middle < low) & (high > middle))
    found = [
        Statement(
            "figure 1",
            f"{start}, gradient at 90 deg: share whose |delta| falls from 10 to 100 TV or from 100"
            " TV to 1 PV",
            "2 of 5",
            value,
            error,
            "",
            equal(value, np.hypot(error, _OF_5), 0.4),
            f"falls, then rises, as measured: {dip:.2f} +- {dip_error:.2f}; 2 of 5 is known to"
            f" {_OF_5}",
        )
    ]
    along = np.stack([p.gradient_size * along_field(p)[np.isin(p.realisation, group)].mean()
                      for p in panels])  # fmt: skip
    pair = np.stack([high, low], axis=-1)
    value, error = ratio_of_means(pair, group)
    found.append(
        Statement(
            "figure 1",
            f"{start}, gradient at 90 deg: mean |delta| at 1 PV over that at 10 TV",
            "> 1",
            value,
            error,
            "",
            above(value, error, 1.0),
            f"along B0 the ensemble's dipole grows {along[-1] / along[0]:.1f} times",
        )
    )
    return found


def ranges(panel):
    """How far particles get in a scattering time, and how that grows with rigidity."""
    common = observed_at_all(panel.results, (0.01, 0.1, 1.0))
    job, start = panel.results.job, start_text(panel)
    (path,), (error,) = mean_and_error(along_field(panel)[:, None], panel.realisation)
    ratio, slope = job.turbulence.rms / job.regular.strength, job.turbulence.slope
    formula = scattering.quasilinear_range(panel.rigidity, job.regular.strength, ratio, slope)
    found = [
        Statement("p. 4", f"{start}: D_par = c <M_par>/3", "not given", path / 3, error / 3, "pc c",
                  "open", f"<M_par> = {path:.4g} +- {error:.2g} pc")
    ]  # fmt: skip
    for times, name in ((1.0, "tau = 3 D_par/c^2"), (2.0, "the paper's tau_sc = 2 tau")):
        factor = scattering.range_in_scattering_times(1.0, times)
        found.append(
            Statement("p. 4", f"{start}: sqrt(4 D_par t), t = {name}", "a few 100 pc",
                      factor * path, factor * error, "pc",
                      above(factor * path, factor * error, _FEW_HUNDRED_PC),
                      f"the paper's formula 100/q pc (dB/B0)^-2 (R/B0)^(2-q) gives {formula:.0f}"
                      f' pc; "a few 100" is taken as more than {_FEW_HUNDRED_PC:.0f}')
        )  # fmt: skip
    if common is None:
        return found
    panels, response, group = common
    paths = np.einsum("rnij,i,j->nr", response, *[panel.field / np.linalg.norm(panel.field)] * 2)
    for first, text in ((0, "10 to 100 TV"), (1, "100 TV to 1 PV")):
        value, error = ratio_of_means(paths[:, [first + 1, first]], group)
        found.append(
            Statement("p. 4", f"{panel.label}: growth of that range from {text}", "> 2", value,
                      error, "", above(value, error, 2.0),
                      f"quasi-linear: 10^(2-q) = {10 ** (2 - slope):.2f}")
        )  # fmt: skip
    return found


FIGURES_4_5_1 = (
    cluster,
    suppression,
    cosine,
    shares,
    energies,
)
PAGE_4 = (
    alignment_needed,
    ranges,
)
