"""Giacinti & Sigl 2012: statements on the dipole and on the map of one field (figure 1)."""

import numpy as np

from hpc_cr.anisotropy import ensembles, skymaps
from hpc_cr.anisotropy.correlation import common_share
from hpc_cr.anisotropy.estimators import debiased_amplitudes, half_responses
from hpc_cr.anisotropy.features import find_features
from hpc_cr.papers import Statement
from hpc_cr.papers.giacinti_sigl2012_cases import HIGH, LOW, SMOOTHING, verdict_of


def dipoles(case):
    """Amplitude, mean vector, direction and common part of the dipoles of `ensemble`."""
    found = []
    for rigidity, rig in case.rig.items():
        gradient = case.gradient(rig)
        size = np.linalg.norm(gradient)
        response = case.response(rig)
        at = f"at {rigidity:g} PV, R = {case.stops[-1]:g} pc"
        amplitude = 100 * np.linalg.norm(response @ gradient, axis=1)
        # spheres without a patch: all particles finish, halves come from the multipoles
        halves = half_responses(
            case.results.alm_half[case.rows, rig, -1], case.results.job.particles.nside
        )
        of_halves = 100 * np.linalg.norm(halves @ gradient, axis=-1)
        mean, error = ensembles.mean_and_error(
            debiased_amplitudes(amplitude, of_halves), case.rows
        )
        scatter, scatter_error = ensembles.scatter_and_error(amplitude, case.rows)
        expected, expected_error = 100 * size * np.array(case.mean_free_path(rig))
        note = (
            f"single dipoles scatter by {scatter:.2g} +- {scatter_error:.1g} %; the paper's value"
            " is one realisation's"
        )
        verdict = verdict_of(mean, error, 6 - scatter, 6 + scatter) if rigidity == LOW else "open"
        if rigidity == HIGH:
            note += ", and it does not say of which rigidity"
        found.append(
            Statement("p. 3", f"mean |delta| {at}", "~6 %", mean, error, "%", verdict, note)
        )
        found.append(
            Statement(
                "p. 3", f"|mean delta|, lambda |g| {at}", "~6 %", expected, expected_error, "%",
                verdict_of(expected, expected_error, 5, 7),
                "mean vector of the ensemble under isotropy: what diffusion with lambda = 3 D/c"
                " predicts; a single dipole is longer, since it has a part of random direction",
            )
        )  # fmt: skip
        found += _direction(case, rig, at, gradient)
    found += _rescaled(found[0])
    return found


def _direction(case, rig, at, gradient):
    dipoles = case.response(rig) @ gradient
    cosine = dipoles @ gradient / np.linalg.norm(dipoles, axis=1) / np.linalg.norm(gradient)
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    angle, error = ensembles.mean_and_error(angles, case.rows)
    found = [
        Statement(
            "p. 3", f"mean angle of a dipole to the gradient {at}", "small", angle, error, "deg",
            "differs" if angle - 2 * error > 20 else verdict_of(angle, error, 0, 20),
            "in a random direction it would be 90 deg",
        )
    ]  # fmt: skip
    if len(case.rows) < 2:
        return found
    for which, name, paper in (
        ((1, 1), "dipole", "varies only slightly"),
        ((2, None), "multipoles l >= 2", "strongly realisation dependent"),
    ):
        share, error = common_share(case.halves(rig), which)
        low, high = (0.8, 1.0) if which == (1, 1) else (0.0, 0.2)
        found.append(
            Statement(
                "p. 3", f"power of the {name} common to all realisations {at}", paper, share,
                error, "", verdict_of(share, error, low, high),
                "1: the same sky in every realisation; 0: nothing in common"
                if which == (1, 1) else "",
            )
        )  # fmt: skip
    return found


def _rescaled(mean):
    """The dipole at 10 TV and 1/(1 kpc) as the paper rescales it from 10 PV and 1/(290 pc)."""
    factor = 290 / 1000 * (1e-3) ** (1 / 3)
    value, error = mean.value * factor, mean.error * factor
    return [
        Statement(
            "p. 3", "mean |delta| rescaled to 10 TV and 1/(1 kpc) with R^(1/3)", "~0.1 %", value,
            error, "%", verdict_of(value, error, 0.05, 0.2), "a rescaling, not a computation there",
        )
    ]  # fmt: skip


def maps(case):
    """Hot and cold spots of the map shown, and its noise."""
    found = []
    for rigidity, rig in case.rig.items():
        at = f"at {rigidity:g} PV, R = {case.stops[-1]:g} pc"
        gradient, row = case.gradient(rig), int(case.rows[0])
        if not case.results.job.output.displacement:
            continue
        intensity = skymaps.intensity_map(
            case.results.maps("displacement", row, rig), gradient
        )
        result = skymaps.residual_map(intensity, SMOOTHING)
        found += _noise(case, intensity, result, at)
        for sign, name in ((1, "hot"), (-1, "cold")):
            spots = [
                one for one in find_features(result, SMOOTHING, 0.0, 100)
                if sign * one.amplitude > 0
            ]  # fmt: skip
            if not spots:
                continue
            spot = spots[0]
            paper, verdict = "larger than at 10 PV", "open"
            if rigidity == LOW:
                paper = f"~{sign * 6} %"
                verdict = verdict_of(100 * abs(spot.amplitude), 100 * spot.noise, 4, 8)
            found.append(
                Statement(
                    "figure 1", f"strongest {name} spot {at}", paper, 100 * spot.amplitude,
                    100 * spot.noise, "%", verdict,
                    f"(l, b) = ({spot.longitude:.0f}, {spot.latitude:.0f}) deg,"
                    f" {abs(spot.significance):.0f} sigma, {spot.diameter:.0f} deg wide; one"
                    " realisation's, others differ (see the r.m.s. below)",
                )
            )  # fmt: skip
    return found


def _noise(case, intensity, result, at):
    """Predicted noise of the smoothed map, and that of the difference of half-samples."""
    from hpc_cr.anisotropy.multipoles import half_samples
    from hpc_cr.anisotropy.response import nested_quads

    nside = case.results.job.particles.nside
    predicted = float(np.nanmax(result.noise))
    residual = skymaps.subtract_dipole(intensity).residual
    smoothed = [
        skymaps.smooth_top_hat(np.where(half, residual, np.nan), SMOOTHING)[0]
        for half in half_samples(nested_quads(nside), len(residual))
    ]
    difference = (smoothed[0] - smoothed[1]) / 2
    measured = float(np.nanstd(difference))
    # discs overlap: as many independent places as discs fit on the sphere
    places = 2 / (1 - np.cos(np.radians(SMOOTHING)))
    error = measured / np.sqrt(2 * places)
    return [
        Statement(
            "p. 3", f"noise of the smoothed map {at}", "< 0.5 %", 100 * measured, 100 * error, "%",
            "agrees" if measured - 2 * error < 0.005 else "differs",
            f"from the difference of two half-samples; predicted: at most {100 * predicted:.2g} %",
        )
    ]  # fmt: skip
