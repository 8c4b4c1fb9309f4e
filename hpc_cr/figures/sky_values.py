"""The intensity of one realisation as a map: from a file's stored maps or its multipoles.

Shared by the figures that show skies. Intensities contain the panel's normalisation and, if
wanted, the dipole that diffusion has built up at -T already.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import ensembles, skymaps
from hpc_cr.anisotropy.features import find_features
from hpc_cr.anisotropy.liouville import local_response
from hpc_cr.figures.panels import FigureError, of_case

SYNTHESIS_NSIDE = 64
NUMBERED = 10
"""Features that a map has room for."""


class Sky(NamedTuple):
    """What a sky map shows; see `sky_of`."""

    values: np.ndarray  # (n_pix,) relative intensity without monopole, or significance
    noise: float  # largest predicted noise of the relative intensity; NaN from multipoles
    source: str  # empty for stored maps, else what limits the synthesis
    features: list  # of hpc_cr.anisotropy.features.Feature, the strongest NUMBERED
    found: int  # significant features in all


def sky_of(panel, options):
    """The map to show.

    Parameters
    ----------
    panel : hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    Sky
        HEALPix RING, Galactic; of a coarser nside than the stored map where that is smoothed much
        (`hpc_cr.anisotropy.skymaps.smooth_nside`). Features of a smoothed sky without its dipole.

    Raises
    ------
    FigureError
        The file does not have the realisation, or it is not finished, or significance is wanted
        without stored maps.
    """
    row = row_of(panel, options.realisation)
    intensity, source = intensity_of(panel, row)
    if source and options.significance:
        raise FigureError(
            f"{panel.results.path}: significance needs displacement maps{of_case(panel.results)}"
        )
    result = skymaps.residual_map(
        intensity, options.smooth, options.subtract_dipole, 0.0 if source else None
    )
    features = []
    if options.smooth and options.subtract_dipole and not source:
        features = find_features(result, options.smooth)
    shown = result.significance if options.significance else result.values
    noise = np.nan if source else float(np.nanmax(result.noise))
    return Sky(shown, noise, source, features[:NUMBERED], len(features))


def intensity_of(panel, row):
    """Relative intensity 1 + g.X (n_pix,) of a whole sky, and in words what it is limited by.

    Maps of a part of the sky come back at the resolution of their pixels, NaN elsewhere.
    """
    results, (rig, stop) = panel.results, (panel.rig, panel.stop)
    gradient = panel.scale * panel.gradient
    diffusion = _diffusion(panel) if panel.options.local_term else None
    if not _has_maps(panel):
        alm = results.alm[row, rig, stop]
        if diffusion is not None:
            halves = results.direction_alm_half[row, rig, stop]
            # the a_lm of the map 3 U_i K_ij for each gradient axis j, as those of X_j
            alm = alm + 3 * diffusion.T @ halves.mean(axis=0)
        l_max = results.job.output.l_max
        limit = rf"from multipoles $\ell \leq$ {l_max}"
        return skymaps.map_from_alm(alm, gradient, SYNTHESIS_NSIDE), limit
    maps = [results.maps("displacement", row, rig, stop)]
    if diffusion is not None:
        maps += [results.maps("final_direction", row, rig, stop), diffusion]
    patch = results.job.particles.patch
    if patch is None:
        return skymaps.intensity_map(maps[0], gradient, *maps[1:]), ""
    from hpc_cr.frames import patch_pixels

    nside = results.job.particles.nside
    whole = np.full(12 * nside**2, np.nan)
    pixels = patch_pixels(nside, patch.l, patch.b, patch.width)
    whole[pixels] = skymaps.intensity_map(maps[0], gradient, *maps[1:])
    return whole, ""


def dipole_of(panel, row):
    """Dipole (3,) of the intensity of a row, with the local term where that is shown."""
    results, (rig, stop) = panel.results, (panel.rig, panel.stop)
    response = results.response[row, rig, stop]
    if panel.options.local_term:
        there = results.direction_response[row, rig, stop]
        response = local_response(response, there, _diffusion(panel))
    return panel.scale * response @ panel.gradient


def _has_maps(panel):
    """Whether a file has pixel maps of all that the intensity needs."""
    particles, output = panel.results.job.particles, panel.results.job.output
    if particles.count is not None or not output.displacement:
        return False
    return output.final_direction or not panel.options.local_term


def _diffusion(panel):
    """K = D/c (3, 3) in pc from the mean response at the file's last stop, as computed.

    The last stop is the best that the file knows of the diffusion; the dipole that it has built
    up is the same at every stop (as in the figure power-spectrum).
    """
    if panel.results.job.particles.patch is not None:
        raise FigureError(
            f"{panel.results.path}: a part of the sky{of_case(panel.results)} has no diffusion"
            " tensor for the local term"
        )
    response = panel.results.response[panel.rows, panel.rig, -1]
    return ensembles.symmetrise(response, panel.symmetry).mean(axis=0) / 3


def row_of(panel, realisation):
    """Row of a realisation's first observer; None stands for the file's first realisation."""
    results, numbers = panel.results, panel.results.realisation
    first, last = int(numbers[0]), int(numbers[-1])
    rows = np.flatnonzero(numbers == (first if realisation is None else realisation))
    there = f"{first} to {last}" if first < last else f"{first} only"
    if not len(rows):
        raise FigureError(
            f"{results.path}: realisation {realisation} does not exist{of_case(results)};"
            f" the file has {there}"
        )
    if rows[0] not in panel.rows:
        raise FigureError(
            f"{results.path}: {results.job.entry_name(rows[0], panel.rig, results.case)}"
            f" is not finished; the file is for realisations {there}"
        )
    return int(rows[0])
