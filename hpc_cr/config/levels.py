"""Layout of the nested grids: which box carries which band of wavelengths.

Every level is a periodic cube of `cells`^3 whose box holds `periods` of its longest wavelength;
bands are disjoint and cover L_max to L_min. Boxes shrink geometrically except for a detuning of
up to 8 % that keeps their ratios from being simple numbers:

    box_i = periods x longest_i x f_i,  f_i = 1 + 0.08 frac(0.618... i),
    shortest_i = c box_i / cells = longest_(i+1),

so that n levels leave c = (cells/periods) [(L_min/L_max)/prod f_i]^(1/n) cells for the shortest
wavelength of each.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.config.errors import JobError
from hpc_cr.config.scales import power_integral

LEAST_CELLS = 2.0
"""Fewest cells per wavelength that a lattice can hold (Nyquist)."""

MOST_LEVELS = 16


class Level(NamedTuple):
    """One cube of the nested grids.

    Attributes
    ----------
    box : float
        Side of the periodic cube, pc.
    longest, shortest : float
        Band of wavelengths, pc.
    rms : float
        Turbulent field of this band, root of the sum of three components' variances, uG.
    cells : int
        Cells per side.
    """

    box: float
    longest: float
    shortest: float
    rms: float
    cells: int


def detuning(n):
    """Factors f_i (n,) between 1 and 1.08 from the golden ratio's low-discrepancy sequence."""
    return 1.0 + 0.08 * ((np.arange(n) * 0.6180339887) % 1.0)


def cells_per_shortest(n, outer_scale, inner_scale, cells, periods):
    """Cells c per shortest wavelength when n levels share the band."""
    return cells / periods * (inner_scale / outer_scale / detuning(n).prod()) ** (1.0 / n)


def number_of_levels(outer_scale, inner_scale, cells, periods, wanted):
    """Fewest levels that leave `wanted` cells per shortest wavelength.

    Raises
    ------
    JobError
        If no number of levels does.
    """
    for n in range(1, MOST_LEVELS + 1):
        if cells_per_shortest(n, outer_scale, inner_scale, cells, periods) >= wanted:
            return n
    raise JobError(
        f"{cells} cells for {periods:g} periods of the longest wavelength cannot carry the band "
        f"from {outer_scale:g} to {inner_scale:g} pc with {wanted:g} cells per wavelength in up to "
        f"{MOST_LEVELS} levels; raise grids.cells, or lower grids.periods or "
        "grids.cells_per_wavelength", "grids.cells")


def band_rms(rms, band, whole, slope):
    """Turbulent field of a band, uG: rms^2 times the band's share of int E dk."""
    return float(rms * np.sqrt(power_integral(*band, slope) / power_integral(*whole, slope)))


def geometric_levels(n, turbulence, cells, periods):
    """Boxes and bands of n levels between the outer and the inner scale.

    Parameters
    ----------
    n : int
        Number of levels.
    turbulence : Turbulence
        Its outer_scale and inner_scale, pc.
    cells : int
    periods : float

    Returns
    -------
    boxes : list of float
        pc.
    bands : list of (longest, shortest)
        pc.

    Raises
    ------
    JobError
        If fewer than two cells are left for the shortest wavelength, or a band is empty.
    """
    outer, inner = turbulence.outer_scale, turbulence.inner_scale
    c = cells_per_shortest(n, outer, inner, cells, periods)
    if c < LEAST_CELLS:
        raise JobError(
            f"{n} level{'s' if n > 1 else ''} of {cells} cells leave {c:.2g} cells for the "
            f"shortest wavelength of each between {outer:g} and {inner:g} pc (at least 2); raise "
            "grids.levels or grids.cells, or turbulence.inner_scale", "grids.levels")
    boxes, bands, longest = [], [], outer
    for i, factor in enumerate(detuning(n)):
        boxes.append(float(periods * longest * factor))
        shortest = inner if i == n - 1 else float(c * boxes[-1] / cells)
        if shortest >= longest:
            raise JobError(f"{n} levels are too many for the band from {outer:g} to {inner:g} pc; "
                           'lower grids.levels, or set it to "auto"', "grids.levels")
        bands.append((longest, shortest))
        longest = shortest
    return boxes, bands


def check_explicit(boxes, bands, cells):
    """Raise JobError unless every box carries its band and the bands descend without overlap."""
    if len(boxes) != len(bands):
        raise JobError(f"{len(boxes)} boxes for {len(bands)} bands; give one box per band",
                       "grids.boxes")
    for i, (box, (longest, shortest)) in enumerate(zip(boxes, bands, strict=True)):
        if shortest >= longest:
            raise JobError(f"band {i + 1} must be [longest, shortest] wavelength, not "
                           f"[{longest:g} pc, {shortest:g} pc]", "grids.bands")
        if i and longest > bands[i - 1][1]:
            raise JobError(f"band {i + 1} begins at {longest:g} pc, above the end of band {i} at "
                           f"{bands[i - 1][1]:g} pc; bands must descend without overlap",
                           "grids.bands")
        if box < longest:
            raise JobError(f"box {i + 1} of {box:g} pc does not hold its longest wavelength of "
                           f"{longest:g} pc", "grids.boxes")
        c = shortest * cells / box
        if c < LEAST_CELLS:
            raise JobError(f"box {i + 1} of {box:g} pc with {cells} cells leaves {c:.2g} cells for "
                           f"its shortest wavelength of {shortest:g} pc (at least 2); raise "
                           "grids.cells, or split the band", "grids.bands")


def has_modes(level):
    """Whether any Fourier mode of the periodic cube has its wavelength in the level's band.

    Squared lengths m^2 of integer vectors are all whole numbers but 4^a (8 b + 7) (Legendre), so
    that of three in a row at least one is there.
    """
    # the same tolerance-free rule as at synthesis: lowest <= m^2 < highest
    lowest = int(np.ceil((level.box / level.longest) ** 2))
    highest = (level.box / level.shortest) ** 2
    for m2 in range(max(lowest, 1), lowest + 4):
        odd = m2
        while odd % 4 == 0:
            odd //= 4
        if m2 < highest and odd % 8 != 7:
            return True
    return False


def make_levels(turbulence, grids):
    """Levels of a job, largest first.

    Parameters
    ----------
    turbulence : Turbulence
        Resolved section.
    grids : Grids
        Resolved section.

    Returns
    -------
    tuple of Level
        Empty without turbulence, or where plane waves replace the grids.

    Raises
    ------
    JobError
        If the grids cannot carry the band.
    """
    if turbulence.rms == 0.0 or turbulence.synthesis != "grids":
        return ()
    whole = (turbulence.outer_scale, turbulence.inner_scale)
    if grids.boxes is not None:
        check_explicit(grids.boxes, grids.bands, grids.cells)
        boxes, bands = grids.boxes, grids.bands
    else:
        n = grids.levels
        if n == "auto":
            n = number_of_levels(*whole, grids.cells, grids.periods, grids.cells_per_wavelength)
        boxes, bands = geometric_levels(n, turbulence, grids.cells, grids.periods)
    levels = tuple(
        Level(float(box), float(band[0]), float(band[1]),
              band_rms(turbulence.rms, band, whole, turbulence.slope), grids.cells)
        for box, band in zip(boxes, bands, strict=True)
    )
    for i, level in enumerate(levels):
        if not has_modes(level):
            raise JobError(
                f"no wave of box {i + 1}, {level.box:g} pc, has a length between "
                f"{level.longest:g} and {level.shortest:g} pc; widen the band or raise the box",
                "grids.bands" if grids.boxes is not None else "grids.periods")
    return levels
