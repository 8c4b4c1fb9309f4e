"""Statements of Mertsch & Funk 2015 on weak turbulence beside a regular field (eta = 0.1).

Each function takes the panel of a case at 1 PV and the last stop. The case's name tells how the
paper's 4 uG are read.
"""

import numpy as np

from hpc_cr.anisotropy import alignment
from hpc_cr.anisotropy.resampling import bootstrap
from hpc_cr.measurements.dipole_limits import eas_top_amplitude, kascade_limit
from hpc_cr.papers import Statement
from hpc_cr.papers.observed import (
    NORMALISATIONS,
    along,
    amplitude_at,
    at_each_stop,
    below_limit,
    count,
    gradients,
    noise_share,
    observed,
    plus_minus,
    ratio_of_means,
    relative_scatter,
    resampled,
    size_text,
    start_text,
    within,
)
from hpc_cr.papers.verdicts import above, below, equal, same_share

_TOLERANCE_DEG = 3.0
"""What the paper's "about 10 degrees" is taken to mean."""
_MUCH_LESS = 0.2
"""What "markedly suppressed" is taken to mean."""
_TILT = 0.05
"""Excess of the mean length granted to a cosine law: the field around the observer is tilted."""


def cluster(panel):
    """Dipoles point along the regular field, not along the gradient."""
    found = []
    noise = noise_share(panel)
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
                verdict(value, error, alignment.RANDOM_MEDIAN, count(panel)),
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
            below(value, error, _MUCH_LESS, count(panel)),
            f'"<< 1" is taken as below {_MUCH_LESS:g}',
        )
    ]


def cosine(panel):
    """|delta| goes as |cos psi|, with little scatter away from 90 degrees."""
    psi = np.arange(0.0, 81.0, 10.0)
    amplitude = alignment.amplitudes_at(panel.response, gradients(panel, psi))
    fitted = alignment.cosine_amplitude(amplitude, psi)
    value, error = ratio_of_means(np.stack([fitted, along(panel)], axis=-1), panel.realisation)
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
            equal(value, error, 1.0, count(panel), _TILT),
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
            below(small - large, np.hypot(small_error, large_error), 0.0, count(panel)),
            '"small" is taken as less than at 90 deg:'
            f" {plus_minus(large, large_error, '.2f', '.2f')}",
        ),
    ]


def alignment_needed(panel):
    """How close to 90 degrees the gradient has to be."""
    psi = np.arange(45.0, 135.1, 0.5)
    found = []
    for normalisation in NORMALISATIONS:
        at = observed(panel.results, panel.rigidity, normalisation=normalisation)
        if at is None:
            continue
        amplitude = alignment.amplitudes_at(at.response, gradients(at, psi))
        limit = kascade_limit(at.rigidity) / at.gradient_size

        def width(rows, limit=limit):
            return alignment.alignment_needed(np.median(rows, axis=0), psi, limit)

        value, error = resampled(at, width, amplitude)
        found.append(
            Statement(
                "p. 4",
                f"{start_text(at)}, {size_text(at)}: distance from 90 deg up to which the median"
                " stays below KASCADE's limit",
                "about 10 deg",
                float(value),
                float(error),
                "deg",
                equal(value, error, 10.0, count(at), _TOLERANCE_DEG),
                f'"about" is taken as {_TOLERANCE_DEG:.0f} deg',
            )
        )
    return found


def shares(panel):
    """The shares of realisations that agree with the measurements."""
    _, middle, sigma = eas_top_amplitude()
    band = f"within EAS-TOP's ({1e4 * middle:.1f} +- {1e4 * sigma:.1f})e-4"
    found = []
    for normalisation in NORMALISATIONS:
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
                      above(value, error, 0.5, count(at)), each)
        )  # fmt: skip
        value, error = within(at, middle, sigma)
        each = text(lambda p: within(p, middle, sigma)[0])
        verdict, test = same_share(value, count(at), 10, 50)
        found.append(
            Statement("figure 5", f"{start} {band}", "about 0.2", value, error, "", verdict,
                      f"{each}; {test}")
        )  # fmt: skip
    return found


FIGURES_4_5 = (
    cluster,
    suppression,
    cosine,
    shares,
)
