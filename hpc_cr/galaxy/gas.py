"""Hydrogen in the Galaxy: atoms, molecules and ions against radius and height.

    HI   plane: Gordon & Burton 1976; heights: Dickey & Lockman 1990, ARA&A 28, 215, within 8 kpc,
         Cox, Kruegel & Mezger 1986, A&A 155, 380, beyond 10 kpc, a blend between them
    H2   CO of Bronfman et al. 1988 and Wouterloot et al. 1990, inner 1.8 kpc Ferriere et al. 2007;
         1.9e20 molecules per cm^2 and K km/s (Strong & Mattox 1996, A&A 308, L21)
    HII  Cordes et al. 1991, Nature 354, 121

The tables (hpc_cr/measurements/gas.csv) were published for a Sun 10 kpc from the centre. Like
the propagation codes that use them, this takes their radii as they stand for a Sun at 8.5 kpc.
"""

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpc_cr.constants import CM_PER_PC

TABLE = Path(__file__).parents[1] / "measurements" / "gas.csv"
PROFILES = "galaxy", "slab", "exponential"
TABLE_DENSITY = 0.33
"""Mean density of HI in the plane, cm^-3, that belongs to Gordon & Burton's table."""
HI_END_KPC, HI_SCALE_KPC = 15.75, 3.0
"""Where the table of HI ends and the length of its decline from there."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)


class Components(NamedTuple):
    """Hydrogen nuclei per cm^3 in atoms, molecules and ions."""

    atoms: np.ndarray
    molecules: np.ndarray
    ions: np.ndarray


@lru_cache(maxsize=1)
def _tables():
    """Columns of the table by component, (n_column, n_row) without references."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    found = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        numbers = [float(row[name] or "nan")
                   for name in ("radius_kpc", "value", "middle_kpc", "half_width_kpc", "x_co")]
        found.setdefault(row["component"], []).append(numbers)
    return {name: np.array(rows).T for name, rows in found.items()}


def components(r, z):
    """Hydrogen by its state.

    Parameters
    ----------
    r, z : float or array (...)
        Galactocentric radius and height in pc; they broadcast.

    Returns
    -------
    Components
        Of the broadcast shape, cm^-3.
    """
    r, z = np.broadcast_arrays(np.asarray(r, float) / 1e3, np.asarray(z, float) / 1e3)
    return Components(_atoms(r, z), _molecules(r, z), _ions(r, z))


def _atoms(r, z):
    edges, density = _tables()["HI"][:2]
    middles = 0.5 * (edges[1:] + edges[:-1])
    plane = np.interp(r, middles, density[:-1])
    plane = np.where(r > HI_END_KPC,
                     density[-2] * np.exp(-(r - HI_END_KPC) / HI_SCALE_KPC), plane)  # fmt: skip
    inner = (0.395 * np.exp(-np.log(2) * (z / 0.106) ** 2)
             + 0.107 * np.exp(-np.log(2) * (z / 0.265) ** 2)
             + 0.064 * np.exp(-np.abs(z) / 0.403))  # fmt: skip
    outer = 0.57 * np.exp(-((z / (0.0523 * np.exp(0.11 * r))) ** 2))
    share = np.clip((r - 8) / 2, 0, 1)
    return plane / TABLE_DENSITY * ((1 - share) * inner + share * outer)


def _molecules(r, z):
    radius, emissivity, middle, half_width, x_co = _tables()["CO"]
    # atoms in molecules; the table is per kpc of the line of sight
    plane = 2 * np.interp(r, radius, emissivity * x_co / (1e3 * CM_PER_PC), right=0.0)
    height = (z - np.interp(r, radius, middle)) / np.interp(r, radius, half_width)
    return plane * np.exp(-np.log(2) * height**2)


def _ions(r, z):
    height = np.abs(z)
    return (0.025 * np.exp(-height / 1.0 - (r / 20.0) ** 2)
            + 0.2 * np.exp(-height / 0.15 - ((r - 4.0) / 2.0) ** 2))  # fmt: skip


def hydrogen(r, z, profile="galaxy", density=1.0, half_height=100.0):
    """Hydrogen nuclei per volume.

    Parameters
    ----------
    r, z : float or array (...)
        Galactocentric radius and height in pc; they broadcast.
    profile : {"galaxy", "slab", "exponential"}
        The observed gas; `density` up to `half_height`; density exp(-|z|/half_height).
    density : float
        Of slab and exponential in the plane, cm^-3.
    half_height : float
        pc.

    Returns
    -------
    ndarray (...)
        cm^-3.
    """
    if profile == "galaxy":
        return sum(components(r, z))
    _check(profile, density, half_height)
    height = np.abs(np.broadcast_arrays(np.asarray(z, float), np.asarray(r, float))[0])
    if profile == "slab":
        return np.where(height <= half_height, density, 0.0)
    return density * np.exp(-height / half_height)


def _check(profile, density, half_height):
    if profile not in PROFILES:
        raise ValueError(f"no gas profile {profile!r}: it is one of {', '.join(PROFILES)}")
    if not (density >= 0 and half_height > 0):
        raise ValueError(f"gas needs a density from 0 and a half height above 0, not {density}"
                         f" cm^-3 and {half_height} pc")


def on_grid(grid, profile="galaxy", density=1.0, half_height=100.0):
    """Mean hydrogen density of each cell, so that columns do not depend on the cells.

    Parameters
    ----------
    grid : hpc_cr.galaxy.grid.Grid
    profile, density, half_height
        As for `hydrogen`.

    Returns
    -------
    ndarray (n_r, n_z)
        cm^-3, both sides of the plane averaged.
    """
    _check(profile, density, half_height)
    bottom, top = grid.z_edges[:-1], grid.z_edges[1:]
    if profile == "slab":
        filled = np.clip(half_height - bottom, 0, top - bottom)
        return np.tile(density * filled / (top - bottom), (grid.shape[0], 1))
    return _cell_means(grid, lambda r, z: hydrogen(r, z, profile, density, half_height))


def components_on_grid(grid):
    """`Components` of the observed gas, means over the cells, each (n_r, n_z)."""
    return Components(*_cell_means(grid, lambda r, z: np.stack(components(r, z))))


def _cell_means(grid, function):
    """Means of function(r, z), (..., n_r, n_z), over the cells on both sides of the plane."""
    inside, outside = grid.r_edges[:-1] ** 2, grid.r_edges[1:] ** 2
    bottom, top = grid.z_edges[:-1], grid.z_edges[1:]
    found = 0.0
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        # even in area along r, even in height along z
        r = np.sqrt(0.5 * (inside + outside) + 0.5 * node * (outside - inside))
        for above, share in zip(NODES, WEIGHTS, strict=True):
            z = 0.5 * (bottom + top) + 0.5 * above * (top - bottom)
            for side in (1, -1):
                found = found + weight * share / 8 * function(r[:, None], side * z)
    return found
