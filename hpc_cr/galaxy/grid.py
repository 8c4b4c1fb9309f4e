"""Cells of the Galactic halo: rings in Galactocentric radius r and height z above the plane.

Only the upper half is held, the plane z = 0 being one of symmetry. Cells have equal widths in r;
in z they grow geometrically from a thin first one, because sources, gas and the steepest changes
of the diffusion coefficient lie near the plane.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq


class Grid(NamedTuple):
    """Cells between edges.

    r_edges : ndarray (n_r + 1)
        From 0 to the radius of the halo, pc.
    z_edges : ndarray (n_z + 1)
        From 0 to its half height, pc.
    """

    r_edges: np.ndarray
    z_edges: np.ndarray

    @property
    def r(self):
        """Middles of the cells, pc, (n_r)."""
        return 0.5 * (self.r_edges[1:] + self.r_edges[:-1])

    @property
    def z(self):
        """Middles of the cells, pc, (n_z)."""
        return 0.5 * (self.z_edges[1:] + self.z_edges[:-1])

    @property
    def shape(self):
        """(n_r, n_z)."""
        return self.r_edges.size - 1, self.z_edges.size - 1

    @property
    def ring(self):
        """Areas of the rings as seen from above, pc^2, (n_r)."""
        return np.pi * np.diff(self.r_edges) * (self.r_edges[1:] + self.r_edges[:-1])

    @property
    def volume(self):
        """Volumes of the whole rings in the upper half, pc^3, (n_r, n_z)."""
        return self.ring[:, None] * np.diff(self.z_edges)


def make_grid(radius, half_height, cells_r=200, cells_z=200, first_cell=10.0):
    """Grid of a cylindrical halo.

    Parameters
    ----------
    radius, half_height : float
        Of the halo, pc.
    cells_r, cells_z : int
        Numbers of cells, at least 4 each.
    first_cell : float
        Height of the cell at the plane, pc; where equal cells would be thinner they are equal.

    Returns
    -------
    Grid
    """
    if not (radius > 0 and half_height > 0 and first_cell > 0):
        raise ValueError(f"a halo needs a positive radius, half height and first cell, "
                         f"not {radius}, {half_height} and {first_cell} pc")
    if cells_r < 4 or cells_z < 4:
        raise ValueError(f"a grid needs at least 4 x 4 cells, not {cells_r} x {cells_z}")
    r_edges = np.linspace(0.0, radius, cells_r + 1)
    return Grid(r_edges, half_height * _stretched(cells_z, first_cell / half_height))


def _stretched(count, first):
    """Edges from 0 to 1 of cells that grow by one factor from the first, (count + 1)."""
    number = np.arange(count + 1.0)
    if first * count >= 1:
        return number / count

    def height(logarithm):
        return first * np.expm1(count * logarithm) / np.expm1(logarithm) - 1

    # the last cell alone would be higher than all at the upper end
    top = np.log(1 / first) / (count - 1)
    logarithm = brentq(height, 1e-9, top, xtol=1e-15)
    return np.expm1(number * logarithm) / np.expm1(count * logarithm)


def half_grid(grid):
    """The same halo with half the cells in both directions: pairs of cells become one.

    The difference between both solutions, divided by three, estimates the error of the finer one.
    """
    return Grid(_pairs(grid.r_edges), _pairs(grid.z_edges))


def _pairs(edges):
    return edges[::2] if edges.size % 2 else np.append(edges[:-1:2], edges[-1])
