"""The textbook kernel: what one would write down first, as a yardstick for the program's own.

Boris with the exact rotation angle, one particle after the other, one field evaluation per step:
every level is a periodic cube of three separate float32 arrays, eight values of each of which are
weighted trilinearly in double precision. Plain numba; nothing in it is tuned, nothing is spoiled.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def interpolate(component, i, j, k, i1, j1, k1, fx, fy, fz):
    """Trilinear value of one array (cells, cells, cells) inside the cell (i, j, k)."""
    return ((1 - fx) * ((1 - fy) * ((1 - fz) * component[i, j, k] + fz * component[i, j, k1])
                        + fy * ((1 - fz) * component[i, j1, k] + fz * component[i, j1, k1]))
            + fx * ((1 - fy) * ((1 - fz) * component[i1, j, k] + fz * component[i1, j, k1])
                    + fy * ((1 - fz) * component[i1, j1, k] + fz * component[i1, j1, k1])))


@njit(cache=True, error_model="numpy")
def textbook_field(regular, bx, by, bz, to_cells, x, y, z):
    """B (3 numbers, uG) at a point in pc; arguments as in `track`."""
    fieldx, fieldy, fieldz = regular[0], regular[1], regular[2]
    cells = bx.shape[1]
    for level in range(bx.shape[0]):
        a = to_cells[level]
        cx = a[0, 0] * x + a[0, 1] * y + a[0, 2] * z + a[0, 3]
        cy = a[1, 0] * x + a[1, 1] * y + a[1, 2] * z + a[1, 3]
        cz = a[2, 0] * x + a[2, 1] * y + a[2, 2] * z + a[2, 3]
        lowx, lowy, lowz = np.floor(cx), np.floor(cy), np.floor(cz)
        i, j, k = int(lowx) % cells, int(lowy) % cells, int(lowz) % cells
        i1, j1, k1 = (i + 1) % cells, (j + 1) % cells, (k + 1) % cells
        fx, fy, fz = cx - lowx, cy - lowy, cz - lowz
        fieldx += interpolate(bx[level], i, j, k, i1, j1, k1, fx, fy, fz)
        fieldy += interpolate(by[level], i, j, k, i1, j1, k1, fx, fy, fz)
        fieldz += interpolate(bz[level], i, j, k, i1, j1, k1, fx, fy, fz)
    return fieldx, fieldy, fieldz


@njit(cache=True, error_model="numpy")
def tangent(angle2):
    """tan(a)/a for a^2 = angle2 below 0.05 by a series, else by the library."""
    if angle2 < 0.05:
        series = 929569.0 / 638512875.0 * angle2 + 21844.0 / 6081075.0
        series = series * angle2 + 1382.0 / 155925.0
        series = series * angle2 + 62.0 / 2835.0
        series = series * angle2 + 17.0 / 315.0
        series = series * angle2 + 2.0 / 15.0
        series = series * angle2 + 1.0 / 3.0
        return series * angle2 + 1.0
    return np.tan(np.sqrt(angle2)) / np.sqrt(angle2)


@njit(cache=True, error_model="numpy")
def track(regular, bx, by, bz, to_cells, position, direction, turn, step, steps):
    """Move particles by a number of equal steps, in place.

    Parameters
    ----------
    regular : ndarray (3,)
        Uniform field, uG.
    bx, by, bz : ndarray (n_level, cells, cells, cells) of float32
        Components along the Galactic axes at the nodes, uG.
    to_cells : ndarray (n_level, 3, 4)
        Cell coordinates = to_cells[:, :3] x + to_cells[:, 3], x in pc.
    position, direction : ndarray (n, 3)
        pc; unit vectors.
    turn : float
        Signed 1/(r_g B), 1/(pc uG).
    step : float
        pc.
    steps : int
    """
    half = 0.5 * step
    for p in range(position.shape[0]):
        x, y, z = position[p, 0], position[p, 1], position[p, 2]
        ux, uy, uz = direction[p, 0], direction[p, 1], direction[p, 2]
        for _ in range(steps):
            x += half * ux
            y += half * uy
            z += half * uz
            fx, fy, fz = textbook_field(regular, bx, by, bz, to_cells, x, y, z)
            turned = half * turn
            turned *= tangent(turned * turned * (fx * fx + fy * fy + fz * fz))
            tx, ty, tz = turned * fx, turned * fy, turned * fz
            vx = ux + uy * tz - uz * ty
            vy = uy + uz * tx - ux * tz
            vz = uz + ux * ty - uy * tx
            s = 2.0 / (1.0 + tx * tx + ty * ty + tz * tz)
            ux += s * (vy * tz - vz * ty)
            uy += s * (vz * tx - vx * tz)
            uz += s * (vx * ty - vy * tx)
            x += half * ux
            y += half * uy
            z += half * uz
        position[p, 0], position[p, 1], position[p, 2] = x, y, z
        direction[p, 0], direction[p, 1], direction[p, 2] = ux, uy, uz
