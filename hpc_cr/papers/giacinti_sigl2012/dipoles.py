"""Giacinti & Sigl 2012: statements on the dipole and on the map of one field (figure 1)."""

import numpy as np

from hpc_cr.anisotropy import ensembles, skymaps
from hpc_cr.anisotropy.correlation import common_share
from hpc_cr.anisotropy.estimators import debiased_amplitudes, half_responses
from hpc_cr.anisotropy.features import find_features
from hpc_cr.papers.giacinti_sigl2012.cases import (
    LOW,
    SAMPLING,
    SMOOTHING,
    statement,
    verdict_between,
    verdict_of,
    verdict_of_one,
    words,
)

ABOUT_6 = (5.0, 7.0)  # per cent


def dipoles(case):
    """Amplitude, mean vector, direction and common part of the dipoles of `ensemble`."""
    found = []
    for rigidity, rig in case.rig.items():
        at = f"at {rigidity:g} PV, R = {case.stops[-1]:g} pc"
        found += _amplitude(case, rigidity, rig, at)
        found += _direction(case, rig, at)
    found += _rescaled(found[0])
    return found


def _amplitude(case, rigidity, rig, at):
    """Mean of the lengths, and length of the mean."""
    gradient = case.gradient(rig)
    amplitude = 100 * np.linalg.norm(case.response(rig) @ gradient, axis=1)
    # spheres without a patch: all particles finish, halves come from the multipoles
    halves = half_responses(
        case.results.alm_half[case.rows, rig, -1], case.results.job.particles.nside
    )
    of_halves = 100 * np.linalg.norm(halves @ gradient, axis=-1)
    mean = ensembles.mean_and_error(debiased_amplitudes(amplitude, of_halves), case.rows)
    expected = 100 * np.linalg.norm(gradient) * np.array(case.mean_free_path(rig))
    one, average = "open", "open"
    unsaid = "; the paper's value is taken for that of 10 PV, where it calls the spots alike"
    if rigidity == LOW:
        one, average = verdict_of_one(6.0, amplitude), verdict_of(*expected, *ABOUT_6)
        unsaid = ""
    note = "the paper's is one realisation's"
    if len(amplitude) > 1:
        scatter = ensembles.scatter_and_error(amplitude, case.rows)
        low, high = np.quantile(amplitude, [0.025, 0.975])
        note += f"; single ones scatter by {words(*scatter)} %, 95 % lie in {low:.1f} to {high:.1f}"
    return [
        statement("p. 3", f"mean |delta| {at}", "~6 %", mean, "%", one, note + unsaid),
        statement(
            "p. 3", f"|mean delta| = lambda |g| {at}", "~6 %", expected, "%", average,
            "what diffusion with lambda = 3 D/c predicts; a single dipole is longer, since most of"
            " it points anywhere" + unsaid,
        ),
    ]  # fmt: skip


def _direction(case, rig, at):
    gradient = case.gradient(rig)
    dipoles = case.response(rig) @ gradient
    cosine = dipoles @ gradient / np.linalg.norm(dipoles, axis=1) / np.linalg.norm(gradient)
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    angle = ensembles.mean_and_error(angles, case.rows)
    found = [
        statement(
            "p. 3", f"mean angle of a dipole to the gradient {at}", "small", angle, "deg",
            verdict_between(*angle, 20, 45), "in a random direction it would be 90 deg",
        )
    ]  # fmt: skip
    if len(case.rows) < 2:
        return found
    for which, name, paper, lines in (
        ((1, 1), "dipole", "varies only slightly", (0.8, 0.5)),
        ((2, None), "multipoles l >= 2", "strongly realisation dependent", (0.2, 0.5)),
    ):
        share = common_share(case.halves(rig), which)
        found.append(
            statement(
                "p. 3", f"power of the {name} common to all realisations {at}", paper, share, "",
                verdict_between(*share, *lines),
                "1: the same in every realisation; 0: nothing in common",
            )
        )  # fmt: skip
    return found


def _rescaled(mean):
    """The dipole at 10 TV and 1/(1 kpc) as the paper rescales it from 10 PV and 1/(290 pc)."""
    factor = 290 / 1000 * (1e-3) ** (1 / 3)
    value, error = mean.value * factor, mean.error * factor
    return [
        statement(
            "p. 3", "mean |delta| rescaled to 10 TV and 1/(1 kpc) with R^(1/3)", "~0.1 %",
            (value, error), "%", verdict_of(value, error, 0.05, 0.2),
            "a rescaling as in the paper, not a computation there",
        )
    ]  # fmt: skip


def maps(case):
    """Hot and cold spots of the map shown, its noise and its mean."""
    found = []
    if not case.results.job.output.displacement:
        return found
    for rigidity, rig in case.rig.items():
        at = f"at {rigidity:g} PV, R = {case.stops[-1]:g} pc"
        gradient, row = case.gradient(rig), int(case.rows[0])
        intensity = skymaps.intensity_map(case.results.maps("displacement", row, rig), gradient)
        result = skymaps.residual_map(intensity, SMOOTHING)
        found += _noise(case, intensity, result, at) + _mean(intensity, at)
        for sign, name in ((1, "hot"), (-1, "cold")):
            spots = [
                one for one in find_features(result, SMOOTHING, 0.0)
                if sign * one.amplitude > 0
            ]  # fmt: skip
            if not spots:
                continue
            spot = spots[0]
            found.append(
                statement(
                    "figure 1", f"strongest {name} spot of the field shown {at}",
                    f"~{sign * 6} %" if rigidity == LOW else "larger than at 10 PV",
                    (100 * spot.amplitude, 100 * spot.noise), "%", "open",
                    f"(l, b) = ({spot.longitude:.0f}, {spot.latitude:.0f}) deg,"
                    f" {abs(spot.significance):.0f} sigma, {spot.diameter:.0f} deg wide; for"
                    " other fields see the strongest spots of all", SAMPLING,
                )
            )  # fmt: skip
    return found


def _mean(intensity, at):
    """Monopole: amplitudes are relative to the density at the observer, not to the sky's mean."""
    fit = skymaps.subtract_dipole(intensity)
    error = skymaps.pixel_noise(intensity) / np.sqrt(np.isfinite(intensity).sum())
    return [
        statement(
            "eq. 7", f"mean intensity of the field shown {at}", "1", (fit.monopole, error), "I0",
            "open", f"relative to the mean all amplitudes are {1 / fit.monopole:.2f} times those"
            " given", SAMPLING,
        )
    ]  # fmt: skip


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
    measured = 100 * float(np.nanstd(difference))
    # discs overlap: as many independent places as discs fit on the sphere
    places = 2 / (1 - np.cos(np.radians(SMOOTHING)))
    error = measured / np.sqrt(2 * places)
    return [
        statement(
            "p. 3", f"noise of the smoothed map {at}", "< 0.5 %", (measured, error), "%",
            verdict_between(measured, error, 0.5, 0.5),
            f"from the difference of two half-samples; predicted: at most {100 * predicted:.2g} %",
            SAMPLING,
        )
    ]  # fmt: skip
