"""Steady state of cosmic rays that diffuse, drift and are lost in the halo of the Galaxy.

    div(D grad N) - div(v N) - loss N + source = 0,    N = 0 at r = R_max and |z| = L,

no flux across the axis and, by symmetry, the plane. Finite volumes: the integral over a ring of
this equation, with D taken at the faces between cells. What leaves a cell enters its neighbour, so
injected = escaped + lost to rounding; gradients of D come by themselves, and the matrix is of the
kind whose inverse has no negative entry, however steep D: densities are positive. Taking
D N'' + D' N' apart has neither property.
"""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.sparse import diags_array
from scipy.sparse.linalg import splu
from scipy.special import exprel

from hpc_cr.jf12 import SUN_RADIUS


class Medium(NamedTuple):
    """What the cosmic rays move through.

    d_r : ndarray (n_r + 1, n_z)
        D/c on the faces across r, pc; the face on the axis has no area and holds 0.
    d_z : ndarray (n_r, n_z + 1)
        D/c on the faces across z, pc; no flux crosses the plane, where 0 stands.
    loss : ndarray (n_r, n_z)
        Rate over c, 1/pc.
    wind : float or ndarray (n_z + 1)
        Velocity away from the plane over c; one, or on the faces across z. At the plane, where it
        turns round, it carries nothing.
    """

    d_r: np.ndarray
    d_z: np.ndarray
    loss: np.ndarray
    wind: float | np.ndarray = 0.0


class Balance(NamedTuple):
    """Particles per pc/c in the whole Galaxy.

    injected = escaped_top + escaped_side + lost + moved, the last what goes to other energies less
    what comes from them (`hpc_cr.galaxy.momentum`).
    """

    injected: float
    escaped_top: float
    escaped_side: float
    lost: float
    moved: float = 0.0


class Local(NamedTuple):
    """Density at a place in the plane and its derivative dN/dr, per pc."""

    density: float
    radial: float


def medium(grid, coefficient, loss=0.0, wind=0.0):
    """Medium of a grid.

    Parameters
    ----------
    grid : Grid
    coefficient : callable (r, z) -> ndarray
        D/c in pc at r (n, 1) and z (m) in pc; broadcasts to (n, m).
    loss : float or ndarray (n_r, n_z)
        1/pc.
    wind : float or ndarray (n_z + 1)
        v/c away from the plane.

    Returns
    -------
    Medium
    """
    count_r, count_z = grid.shape
    d_r = np.zeros((count_r + 1, count_z))
    d_r[1:] = coefficient(grid.r_edges[1:, None], grid.z)
    d_z = np.zeros((count_r, count_z + 1))
    d_z[:, 1:] = coefficient(grid.r[:, None], grid.z_edges[1:])
    loss = np.array(np.broadcast_to(loss, grid.shape), dtype=float)
    found = Medium(d_r, d_z, loss, wind)
    _check(found)
    return found


def _check(medium):
    for values in (medium.d_r[1:], medium.d_z[:, 1:]):
        wrong = values[~((values > 0) & (values < np.inf))]
        if wrong.size:
            raise ValueError(f"diffusion coefficients must be positive and finite; {wrong.size} "
                             f"faces have others, the first {wrong[0]} pc")
    if not np.all((medium.loss >= 0) & (medium.loss < np.inf)):
        raise ValueError("loss rates must be finite and not negative")
    if not np.all((np.asarray(medium.wind) >= 0) & (np.asarray(medium.wind) < 1)):
        raise ValueError("winds blow away from the plane: 0 <= v/c < 1")


def conductances(grid, medium):
    """What flows through faces per density of the cells on their two sides.

    Wind and diffusion together are fitted exponentially (Scharfetter & Gummel 1969, IEEE Trans.
    Electron Devices 16, 64): exact where the flux is the same on both sides of a face, positive
    for any wind, second order, where upwind differences are of the first.

    Parameters
    ----------
    grid : Grid
    medium : Medium

    Returns
    -------
    along_r : ndarray (n_r + 1, n_z)
        Outwards per density inside, and back per density outside, pc^2.
    up : ndarray (n_r, n_z + 1)
        Upwards per density below the face, pc^2.
    down : ndarray (n_r, n_z + 1)
        Downwards per density above it, pc^2.
    """
    # distances that end on the boundary are half cells; those across axis and plane are not used
    steps_r = np.diff(np.concatenate(([0.0], grid.r, grid.r_edges[-1:])))
    steps_z = np.diff(np.concatenate(([0.0], grid.z, grid.z_edges[-1:])))
    side = 2 * np.pi * grid.r_edges[:, None] * np.diff(grid.z_edges)
    along_r = side * medium.d_r / steps_r[:, None]
    along_z = grid.ring[:, None] * medium.d_z / steps_z
    wind = np.broadcast_to(medium.wind, grid.z_edges.shape)
    drift = wind[1:] * steps_z[1:] / medium.d_z[:, 1:]
    up, down = np.zeros_like(along_z), np.zeros_like(along_z)
    up[:, 1:] = along_z[:, 1:] / exprel(-drift)
    down[:, 1:] = along_z[:, 1:] / exprel(drift)
    return along_r, up, down


def matrix(grid, medium):
    """Outflow minus inflow plus loss of each cell as a matrix on the densities.

    Returns
    -------
    scipy.sparse array (n_r n_z, n_r n_z)
        Cells in the order of a raveled (n_r, n_z), pc^2; symmetric without wind.
    """
    along_r, up, down = conductances(grid, medium)
    count_z = grid.shape[1]
    diagonal = medium.loss * grid.volume + along_r[1:] + along_r[:-1] + up[:, 1:] + down[:, :-1]
    # the top of one column of cells does not touch the bottom of the next
    up[:, -1] = down[:, -1] = 0.0
    across = along_r[1:-1].ravel()
    return diags_array(
        [diagonal.ravel(), -down[:, 1:].ravel()[:-1], -up[:, 1:].ravel()[:-1], -across, -across],
        offsets=[0, 1, -1, count_z, -count_z]).tocsc()


class Factorised:
    """Steady states of one medium for any number of sources.

    Parameters
    ----------
    grid : Grid
    medium : Medium
    """

    def __init__(self, grid, medium):
        self.grid, self.medium = grid, medium
        # without pivoting all factors keep the signs that make solutions positive
        self._factors = splu(matrix(grid, medium), permc_spec="MMD_AT_PLUS_A",
                             diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    def solve(self, source):
        """Densities.

        Parameters
        ----------
        source : ndarray (..., n_r, n_z)
            Injected per volume and time, in the cells.

        Returns
        -------
        ndarray (..., n_r, n_z)
        """
        source = np.asarray(source, dtype=float)
        if source.shape[-2:] != self.grid.shape:
            raise ValueError(f"sources of shape {source.shape} on a grid of {self.grid.shape}")
        if not np.isfinite(source).all():
            raise ValueError("sources must be finite")
        injected = (source * self.grid.volume).reshape(-1, self.grid.volume.size)
        # one by one: several at once are summed in another order
        found = [self._factors.solve(each) for each in injected]
        return np.reshape(found, source.shape)


def balance(grid, medium, density, source):
    """Where the particles of both halves of the Galaxy go.

    Parameters
    ----------
    grid : Grid
    medium : Medium
    density, source : ndarray (n_r, n_z)

    Returns
    -------
    Balance
    """
    along_r, up, _ = conductances(grid, medium)
    volume = grid.volume
    return Balance(2 * np.sum(source * volume),
                   2 * np.sum(up[:, -1] * density[:, -1]),
                   2 * np.sum(along_r[-1] * density[-1]),
                   2 * np.sum(medium.loss * density * volume))


def in_plane(grid, density):
    """Density at z = 0, (n_r).

    The flux grows evenly through the first cell, from none in the plane to what crosses its upper
    face; the density changes by an eighth of the cell's height times the slope at that face.
    """
    slope = (density[:, 0] - density[:, 1]) / (grid.z[1] - grid.z[0])
    return density[:, 0] + slope * grid.z_edges[1] / 8


def at_sun(grid, density, radius=SUN_RADIUS):
    """Density and its radial derivative in the plane, from a cubic through four cells.

    Parameters
    ----------
    grid : Grid
    density : ndarray (n_r, n_z)
    radius : float
        Galactocentric, pc.

    Returns
    -------
    Local
    """
    if not 0 <= radius <= grid.r_edges[-1]:
        raise ValueError(f"the place at r = {radius} pc lies outside of the halo's radius, "
                         f"{grid.r_edges[-1]} pc")
    first = np.clip(np.searchsorted(grid.r, radius) - 2, 0, grid.r.size - 4)
    near = slice(first, first + 4)
    width = grid.r[first + 1] - grid.r[first]
    nodes = (grid.r[near] - radius) / width
    cubic = np.linalg.solve(np.vander(nodes, increasing=True), in_plane(grid, density)[near])
    return Local(float(cubic[0]), float(cubic[1] / width))


def on_map(grid, density, radii, heights):
    """Density on other radii and heights, linear between middles of cells and 0 at the boundary.

    Parameters
    ----------
    grid : Grid
    density : ndarray (n_r, n_z)
    radii, heights : ndarray (n_radius), (n_height)
        pc; heights of either sign. Outside of the halo the density is 0.

    Returns
    -------
    ndarray (n_radius, n_height)
    """
    count_r, count_z = grid.shape
    values = np.zeros((count_r + 2, count_z + 2))
    values[1:-1, 1:-1] = density
    values[1:-1, 0] = in_plane(grid, density)
    # even in r: a parabola through the two cells nearest to the axis
    values[0] = (9 * values[1] - values[2]) / 8
    nodes = [np.concatenate(([0.0], middles, edges[-1:]))
             for middles, edges in ((grid.r, grid.r_edges), (grid.z, grid.z_edges))]
    linear = RegularGridInterpolator(nodes, values, bounds_error=False, fill_value=0.0)
    places = np.meshgrid(np.asarray(radii, float), np.abs(np.asarray(heights, float)),
                         indexing="ij")
    return linear(np.stack(places, axis=-1))
