"""Stopping on a sphere: where within a step the particle first crosses it."""

import numpy as np

from hpc_cr.kernel import njit


@njit
def hermite(s, h, x0, u0, x1, u1):
    """Cubic through x0, x1 with slopes u0, u1 at fraction s of a step of length h (one axis)."""
    r = 1.0 - s
    return (r * r * (1.0 + 2.0 * s) * x0 + s * s * (3.0 - 2.0 * s) * x1
            + h * s * r * (r * u0 - s * u1))


@njit
def hermite_slope(s, h, x0, u0, x1, u1):
    """Slope dx/dt of `hermite` at fraction s of the step (one axis)."""
    r = 1.0 - s
    return 6.0 * s * r * (x1 - x0) / h + r * (r - 2.0 * s) * u0 + s * (s - 2.0 * r) * u1


@njit
def record_crossing(state, p, radius, h, t0, x0, y0, z0, ux0, uy0, uz0, x1, y1, z1, ux1, uy1, uz1):
    """Write the crossing of the sphere of this radius inside a step to the outputs.

    The path inside the step is the cubic that joins both ends with their directions; the root is
    bracketed, found by bisection to rounding, and the point is put exactly on the sphere. A graze
    out and back inside one step is not seen: its height is below h^2/(8 r_g), and such a particle
    crosses for good soon after.
    """
    stop = state.stop[p]
    low, high = 0.0, 1.0
    for _ in range(60):
        s = 0.5 * (low + high)
        x = hermite(s, h, x0, ux0, x1, ux1)
        y = hermite(s, h, y0, uy0, y1, uy1)
        z = hermite(s, h, z0, uz0, z1, uz1)
        if x * x + y * y + z * z < radius * radius:
            low = s
        else:
            high = s
    s = high
    x = hermite(s, h, x0, ux0, x1, ux1)
    y = hermite(s, h, y0, uy0, y1, uy1)
    z = hermite(s, h, z0, uz0, z1, uz1)
    scale = radius / np.sqrt(x * x + y * y + z * z)
    ux = hermite_slope(s, h, x0, ux0, x1, ux1)
    uy = hermite_slope(s, h, y0, uy0, y1, uy1)
    uz = hermite_slope(s, h, z0, uz0, z1, uz1)
    norm = 1.0 / np.sqrt(ux * ux + uy * uy + uz * uz)
    state.out_position[stop, p, 0] = x * scale
    state.out_position[stop, p, 1] = y * scale
    state.out_position[stop, p, 2] = z * scale
    state.out_direction[stop, p, 0] = ux * norm
    state.out_direction[stop, p, 1] = uy * norm
    state.out_direction[stop, p, 2] = uz * norm
    state.out_time[stop, p] = t0 + s * h
    state.stop[p] = stop + 1


@njit
def record(state, p, time, x, y, z, ux, uy, uz):
    """Write a stop at a given time to the outputs."""
    stop = state.stop[p]
    state.out_position[stop, p, 0] = x
    state.out_position[stop, p, 1] = y
    state.out_position[stop, p, 2] = z
    state.out_direction[stop, p, 0] = ux
    state.out_direction[stop, p, 1] = uy
    state.out_direction[stop, p, 2] = uz
    state.out_time[stop, p] = time
    state.stop[p] = stop + 1
