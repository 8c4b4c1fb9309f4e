"""The regular field of the Galaxy after Jansson & Farrar (2012), ApJ 757, 14 ("JF12").

Three parts, each a function of Galactocentric cylindrical coordinates (r, phi, z):

* disk: an azimuthal ring (3-5 kpc), then eight logarithmic spiral arms of 11.5 degrees pitch
  (5-20 kpc), b_i (5 kpc/r) in each, their flux through a cylinder being zero in all; within the
  height h_disk;
* toroidal halo: azimuthal, of opposite sense north and south, above that height;
* X field: poloidal, leaving the plane at 49 degrees beyond 4.8 kpc and more steeply within; its
  radial part changes sign at z = 0, where it has none.

Sums of it are zero beyond r = 20 kpc and within 1 kpc of the centre, as published. Lengths here
are pc. The Sun is at (-8.5 kpc, 0, 0), y runs to l = 90 degrees, z to the north: the axes of
`hpc_cr.frames`, moved. The striation of the paper (its 21st coefficient, gamma) is a factor
between observables and adds no regular field.

Plain Python, so that a job's scales need no compiler; numba compiles the same function for
kernels in `hpc_cr.fields.galactic`.
"""

from functools import lru_cache
from math import atan2, cos, exp, inf, log, pi, sin, sqrt, tan
from typing import NamedTuple


class Coefficient(NamedTuple):
    """One best-fit value of table 1 of JF12."""

    value: float
    error: float  # 0 where the paper gives a limit only
    unit: str
    meaning: str


COEFFICIENTS = {
    "b_1": Coefficient(0.1, 1.8, "uG", "arm 1 at r = 5 kpc"),
    "b_2": Coefficient(3.0, 0.6, "uG", "arm 2"),
    "b_3": Coefficient(-0.9, 0.8, "uG", "arm 3"),
    "b_4": Coefficient(-0.8, 0.3, "uG", "arm 4"),
    "b_5": Coefficient(-2.0, 0.1, "uG", "arm 5, with the Sun"),
    "b_6": Coefficient(-4.2, 0.5, "uG", "arm 6"),
    "b_7": Coefficient(0.0, 1.8, "uG", "arm 7"),
    "b_ring": Coefficient(0.1, 0.1, "uG", "ring, 3 kpc < r < 5 kpc"),
    "h_disk": Coefficient(0.40, 0.03, "kpc", "height between disk and halo"),
    "w_disk": Coefficient(0.27, 0.08, "kpc", "width of that transition"),
    "B_n": Coefficient(1.4, 0.1, "uG", "northern halo"),
    "B_s": Coefficient(-1.1, 0.1, "uG", "southern halo"),
    "r_n": Coefficient(9.22, 0.08, "kpc", "radius of the northern halo"),
    "r_s": Coefficient(16.7, 0.0, "kpc", "radius of the southern halo (lower limit)"),
    "w_h": Coefficient(0.20, 0.12, "kpc", "width of both radii's transitions"),
    "z_0": Coefficient(5.3, 1.6, "kpc", "scale height of the halo"),
    "B_X": Coefficient(4.6, 0.3, "uG", "X field at the centre"),
    "Theta_X": Coefficient(49.0, 1.0, "deg", "its elevation at z = 0, r > r_X^c"),
    "r_X^c": Coefficient(4.8, 0.2, "kpc", "radius within which it is steeper"),
    "r_X": Coefficient(2.9, 0.1, "kpc", "its scale length"),
    "gamma": Coefficient(2.92, 0.14, "1", "striation; not part of the regular field"),
}
"""The 21 coefficients with their errors."""

PARTS = ("disk", "halo", "x-field")
"""Names of the three parts."""
SUN_RADIUS = 8500.0
"""Distance of the Sun from the centre in JF12, pc."""
LARGEST_RADIUS, SMALLEST_DISTANCE = 20_000.0, 1000.0
"""Beyond this r and within this distance of the centre there is no field, pc."""


def _pc(name):
    return 1e3 * COEFFICIENTS[name].value


def _value(name):
    return COEFFICIENTS[name].value


_ARM_ENDS = (5.1, 6.3, 7.1, 8.3, 9.8, 11.4, 12.7, 15.5)
"""Where arms 1 to 8 end on the negative x axis, kpc."""
ARM_SHARES = (0.130, 0.165, 0.094, 0.122, 0.13, 0.118, 0.084, 0.156)
"""Share of a circle that lies in each arm, f_i."""
_PITCH = 11.5 * pi / 180  # given, not fitted
_SIN_PITCH, _COS_PITCH, _TAN_PITCH = sin(_PITCH), cos(_PITCH), tan(_PITCH)
_FIRST = tuple(_value(f"b_{i}") for i in range(1, 8))
# no net flux: b_8 f_8 = -sum of the others; 2.76, in the paper's table 2.7 of unrounded ones
ARMS = (*_FIRST, -sum(f * b for f, b in zip(ARM_SHARES, _FIRST, strict=False)) / ARM_SHARES[7])
"""b_1 to b_8, uG."""
_LOG_ENDS = tuple(log(1e3 * end) for end in _ARM_ENDS)
_TURN = 2 * pi * _TAN_PITCH  # of ln r along an arm around the centre
_RING_START, _RING_END, _RING = 3000.0, 5000.0, _value("b_ring")
_H_DISK, _W_DISK = _pc("h_disk"), _pc("w_disk")
_B_N, _B_S, _R_N, _R_S = _value("B_n"), _value("B_s"), _pc("r_n"), _pc("r_s")
_W_H, _Z_0 = _pc("w_h"), _pc("z_0")
_B_X, _R_C, _R_X = _value("B_X"), _pc("r_X^c"), _pc("r_X")
_THETA = _value("Theta_X") * pi / 180
_COS_X, _SIN_X, _TAN_X = cos(_THETA), sin(_THETA), tan(_THETA)
_RISE = _R_C * _TAN_X
_NOTHING = 1e-6
"""Share of the disk's field below which it is left out, from 2.3 kpc up: its arms cost time."""


def regular_field(x, y, z, disk, halo, poloidal):
    """JF12 at a point.

    Parameters
    ----------
    x, y, z : float
        Galactocentric, pc; the Sun at x = -SUN_RADIUS.
    disk, halo, poloidal : bool
        Which of disk, toroidal halo and X field are on.

    Returns
    -------
    (float, float, float)
        uG, along the same axes.
    """
    r = sqrt(x * x + y * y)
    if r > LARGEST_RADIUS or r * r + z * z < SMALLEST_DISTANCE * SMALLEST_DISTANCE:
        return 0.0, 0.0, 0.0
    height = abs(z)
    cosine, sine = (x / r, y / r) if r > 0.0 else (1.0, 0.0)
    # the disk's share; that of the halo is what is left
    inside = 1.0 / (1.0 + exp(2.0 * (height - _H_DISK) / _W_DISK))
    b_r, b_phi, b_z = 0.0, 0.0, 0.0
    if disk and r >= _RING_START and inside > _NOTHING:
        if r < _RING_END:
            b_phi += _RING * inside
        else:
            # radius at which the spiral through this point crosses the negative x axis
            crossing = log(r) - (atan2(y, x) - pi) * _TAN_PITCH
            while crossing >= _LOG_ENDS[7]:
                crossing -= _TURN
            arm = 0
            while crossing > _LOG_ENDS[arm]:
                arm += 1
            b = ARMS[arm] * _RING_END / r * inside
            b_r += b * _SIN_PITCH
            b_phi += b * _COS_PITCH
    if halo and z != 0.0:
        b, end = (_B_N, _R_N) if z > 0.0 else (_B_S, _R_S)
        b *= (1.0 - inside) * exp(-height / _Z_0)
        beyond = 2.0 * (r - end) / _W_H
        # 1 + exp(-37) is 1
        b_phi += b / (1.0 + exp(beyond)) if beyond > -37.0 else b
    if poloidal:
        side = 1.0 if z > 0.0 else -1.0 if z < 0.0 else 0.0
        aside = height / _TAN_X
        share = _R_C / (_R_C + aside)
        if r * share > _R_C:
            foot = r - aside
            b = _B_X * exp(-foot / _R_X) * foot / r
            b_r += b * _COS_X * side
            b_z += b * _SIN_X
        else:
            foot = r * share
            b = _B_X * exp(-foot / _R_X) * share * share / sqrt(foot * foot + _RISE * _RISE)
            b_r += b * foot * side
            b_z += b * _RISE
    return b_r * cosine - b_phi * sine, b_r * sine + b_phi * cosine, b_z


_SCAN_R = (0.0, 1000.1, 1500.0, 2000.0, 2500.0, 3000.0, 3500.0, 4000.0, 4500.0, 5000.0, 5500.0,
           6000.0, 7000.0, 8500.0, 10e3, 12e3, 15e3, 19.9e3)
_SCAN_Z = (0.0, 1.0, 100.0, 300.0, 500.0, 700.0, 1000.0, 1500.0, 2500.0)
_SCAN_PHI = 36
"""Where the strongest field is looked for, pc: with the inner edges, where arms and X field are
strongest, both sides of the plane, and every arm at every radius (the narrowest has 30 degrees)."""


@lru_cache(maxsize=64)
def strongest_field(parts, rms, radius=inf, height=inf):
    """Largest sqrt(|B_JF12|^2 + (s B_rms)^2) in the Galaxy, to a per cent.

    Parameters
    ----------
    parts : tuple of str
        Of PARTS: those that are on.
    rms : float
        B_rms at the Sun, uG.
    radius, height : float
        Scales R and H of s = exp[-(r - r_Sun)/R - z^2/(2 H^2)], pc.

    Returns
    -------
    float
        uG.
    """
    on = [part in parts for part in PARTS]
    largest = 0.0
    for r in _SCAN_R:
        for height_here in _SCAN_Z:
            turbulent = rms * exp(-(r - SUN_RADIUS) / radius - 0.5 * (height_here / height) ** 2)
            for number in range(_SCAN_PHI):
                phi = 2 * pi * number / _SCAN_PHI
                for z in (-height_here, height_here):
                    b = regular_field(r * cos(phi), r * sin(phi), z, *on)
                    largest = max(largest, sqrt(b[0] ** 2 + b[1] ** 2 + b[2] ** 2 + turbulent**2))
    return largest
