"""Statements of Mertsch & Funk 2015 on turbulence without a regular field (eta = 1).

Each function takes the panel of the isotropic case at 1 PV and the last stop.
"""

import numpy as np

from hpc_cr.anisotropy import alignment
from hpc_cr.anisotropy.ensembles import mean_and_error
from hpc_cr.anisotropy.estimators import equivalent_gradients
from hpc_cr.anisotropy.resampling import bootstrap
from hpc_cr.config.scales import isotropic_mean_free_path
from hpc_cr.frames import unit_vector
from hpc_cr.measurements.dipole_limits import kascade_limit
from hpc_cr.papers import Statement
from hpc_cr.papers.observed import (
    along,
    at_each_stop,
    below_limit,
    count,
    noise_share,
    observed,
    plus_minus,
    ratio_of_means,
    relative_scatter,
    resampled,
    size_text,
    start_text,
)
from hpc_cr.papers.verdicts import above, below, equal, zero

_CONSIDERABLE_DEG = 30.0
"""What the "considerable" scatter of directions is taken to exceed."""
_FEW = 0.1
"""Share of realisations that "too little scatter to explain the limit" may leave below it."""


def larger_mean(panel):
    """The mean amplitude exceeds the amplitude of the ensemble's dipole."""

    def ratio(at):
        pair = np.stack([np.linalg.norm(at.dipoles, axis=1), along(at) * at.gradient_size], axis=-1)
        return ratio_of_means(pair, at.realisation)

    value, error = ratio(panel)
    debiased = panel.summary.rms_debiased / np.linalg.norm(panel.summary.expectation)
    each = at_each_stop(panel.results, panel.rigidity, lambda at: ratio(at)[0])
    return [
        Statement(
            "figure 2",
            f"{start_text(panel)}: mean |delta| over the ensemble's dipole at the same T",
            "> 1",
            value,
            error,
            "",
            above(value, error, 1.0, count(panel)),
            f"{each}; r.m.s. without sampling noise: {debiased:.2f} times",
        )
    ]


def mean_vector(panel):
    """The vectorial mean is the ensemble's dipole."""
    group, size = panel.realisation, panel.gradient_size
    toward = panel.gradient / size
    value, error = ratio_of_means(
        np.stack([panel.dipoles @ toward, along(panel) * size], axis=-1), group
    )
    across = panel.dipoles @ np.linalg.svd(toward[None, :])[2][1:].T
    mean, across_error = mean_and_error(across, group)
    expected = np.linalg.norm(panel.summary.expectation)
    verdict, test = zero(across, group)
    start = f"{start_text(panel)}: mean vector"
    return [
        Statement(
            "figure 2",
            f"{start} along the gradient, over the ensemble's dipole at the same T",
            "1",
            value,
            error,
            "",
            equal(value, error, 1.0, count(panel)),
            "the ensemble's dipole is tr<M>/3 |g|: all directions of the gradient taken together",
        ),
        Statement(
            "figure 2",
            f"{start} across the gradient, over the ensemble's dipole",
            "0",
            float(np.linalg.norm(mean) / expected),
            float(np.linalg.norm(across_error) / expected),
            "",
            verdict,
            test,
        ),
    ]


def scatter(panel):
    """Directions and amplitudes scatter."""
    start, n, noise = f"{start_text(panel)}:", count(panel), noise_share(panel)
    cosine = panel.dipoles @ panel.gradient
    cosine = cosine / (panel.gradient_size * np.linalg.norm(panel.dipoles, axis=1))
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    middle, middle_error = bootstrap(np.median, angle, panel.realisation)
    relative, relative_error = relative_scatter(panel.dipoles, panel.realisation)
    return [
        Statement(
            "figure 2",
            f"{start} median angle between dipole and gradient",
            "considerable",
            middle,
            middle_error,
            "deg",
            above(middle, middle_error, _CONSIDERABLE_DEG, n),
            f'"considerable" is taken as more than {_CONSIDERABLE_DEG:.0f} deg; directions without'
            " any relation to the gradient have 90 deg",
        ),
        Statement(
            "figure 2",
            f"{start} scatter of |delta| over its mean",
            "some",
            relative,
            relative_error,
            "",
            above(relative, relative_error, noise, n),
            f'"some" is taken as more than the sampling noise, {noise:.2g} of the mean;'
            f" {n} realisations",
        ),
    ]


def no_preferred_direction(panel):
    """The mean amplitude does not depend on the gradient's longitude."""
    longitude = np.arange(0.0, 360.0, 15.0)
    amplitude = alignment.amplitudes_at(panel.response, unit_vector(longitude, 0.0))
    harmonics = alignment.longitude_harmonics(amplitude, longitude)
    mean, error = mean_and_error(harmonics, panel.realisation)
    verdict, test = zero(harmonics[:, 1:], panel.realisation)
    return [
        Statement(
            "figure 3",
            f"{start_text(panel)}: variation of mean |delta| with the gradient's"
            " longitude (second harmonic), over its mean",
            "0",
            float(np.linalg.norm(mean[1:]) / mean[0]),
            float(np.linalg.norm(error[1:]) / mean[0]),
            "",
            verdict,
            test,
        )
    ]


def late_estimate(panel):
    """The ensemble's response against a published fit to trajectories at late times."""
    job = panel.results.job
    late = float(isotropic_mean_free_path(job.gyroradii[panel.rig], job.turbulence.outer_scale))
    value, error = mean_and_error(along(panel) / late, panel.realisation)
    each = at_each_stop(panel.results, panel.rigidity, lambda at: along(at).mean() / late)
    return [
        Statement(
            "figure 3",
            f"{start_text(panel)}: tr<M>/3 over 3 D/c = {late:.3g} pc at late T"
            " (fit of Harari et al. 2014)",
            "not given",
            float(value),
            float(error),
            "",
            "open",
            f"{each}; the paper's own prediction comes from B/C",
        )
    ]


def limit(panel):
    """The scatter is too small to explain the measured upper limit."""
    found = []
    for normalisation, note in (
        ("diffusion", "the normalisation that the paper's figure 3 asks for"),
        ("physical", "this field diffuses so much less than B/C asks for that eta = 1 lies below"
         " the limit as well; nothing is tuned"),
    ):  # fmt: skip
        at = observed(panel.results, panel.rigidity, normalisation=normalisation)
        if at is None:
            continue
        value, error = below_limit(at)
        mean = resampled(at, np.mean, np.linalg.norm(at.dipoles, axis=1))
        each = at.response @ equivalent_gradients(at.gradient, "isotropic").T
        others = np.mean(np.linalg.norm(each, axis=1) < kascade_limit(at.rigidity))
        found.append(
            Statement(
                "figure 3",
                f"{start_text(at)}, {size_text(at)}: share of realisations below KASCADE's limit",
                "0",
                value,
                error,
                "",
                below(value, error, _FEW, count(at)),
                f"{note}; mean |delta| = {plus_minus(*mean, '.2g', '.1g')}; share over all"
                f" directions of the gradient: {others:.3f}; 0 is taken as below {_FEW:g}",
            )
        )
    return found


FIGURES_2_3 = (
    larger_mean,
    mean_vector,
    scatter,
    no_preferred_direction,
    late_estimate,
    limit,
)
