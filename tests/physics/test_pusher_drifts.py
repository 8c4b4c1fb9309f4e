"""Gradient and curvature drift with their known speeds and signs.

Theory, for a particle of charge sign s with pitch-angle components u_par and u_perp (times in
pc/c, r_g = R/B at the guiding centre):

* a gradient of |B| across B: v = s (u_perp^2 r_g/2) B x grad|B| / B^2. In B = B0 (1 + eps sin kx)
  z the drift along y is, to first order in eps, exactly s eps u_perp J_1(k r_g u_perp) about
  x = 0; its limit for long waves is the formula, s u_perp^2 r_g eps k/2, smaller by the relative
  amount (k r_g u_perp)^2/8;
* a curvature with radius R_c: v = s (u_par^2 r_g/R_c) R_c x B/(R_c B), R_c from the centre of
  curvature to the particle. In B = B0 phi-hat (|B| constant, circles about z) a helix of constant
  radius r with u_z = s r_g u_phi^2/r is an exact orbit;
* both in the vacuum field B = B0 (r0/r) phi-hat: v_z = s (r_g/r0)(u_par^2 + u_perp^2/2), and no
  drift across the field otherwise.

Parameters: B0 = 4 uG; gradient: eps = 1e-3, wavelength 30 pc, R = 1 PV (r_g = 0.270 pc), 30
gyrations. Curvature: circles of 20 pc on a grid of 64^3 with cells of 1 pc, turned and shifted at
random in space, R = 4 PV (r_g = 1.08 pc), through the trilinear interpolation of the nodes.
"""

import numpy as np
import pytest
from physics_common import hand_made

from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.fields.nested import random_rotation
from hpc_cr.trajectories import backtrack

FIELD = 4.0
INTEGRATORS = {"boris": {"steps_per_gyroradius": 20}, "cash-karp": {"tolerance": 1e-9}}


# ---- gradient --------------------------------------------------------------------------------

EPSILON, WAVELENGTH, GYRATIONS = 1e-3, 30.0, 30
PITCHES = np.array([0.0, 0.5, 0.8])


def gradient_drift(sign, method, epsilon=EPSILON):
    """Mean velocity (n, 3) over whole gyrations of particles of guiding centre x = 0."""
    r_g = GYRORADIUS_PC_UG_PER_PV / FIELD
    wave = ([[2 * np.pi / WAVELENGTH, 0, 0]], [[0, 0, 0]], [[0, 0, epsilon * FIELD]])
    field = hand_made([0, 0, FIELD], waves=wave)
    across = np.sqrt(1 - PITCHES**2)
    # the force s u x z points to the guiding centre: with u along +y it lies at +s r_g u_perp x
    n = np.stack([0 * across, across, PITCHES], axis=1)
    start = np.stack([-sign * r_g * across, 0 * across, 0 * across], axis=1)
    times = 2 * np.pi * r_g * np.array([GYRATIONS])
    tracks = backtrack(field, 1.0, n, times, position=start, charge=sign, method=method,
                       **INTEGRATORS[method])
    return tracks.displacement[0] / times[0], r_g, across


def check_gradient_drift(velocity, speed):
    """2e-3: (k r_g)^2/8 = 4e-4 from the formula itself, and (h/r_g)^2/12 = 2e-4 from the steps.
    Along the gradient nothing: the gyrations are whole ones to eps (k r_g)^2."""
    np.testing.assert_allclose(velocity[:, 1], speed, rtol=2e-3)
    assert np.all(np.abs(velocity[:, 0]) < 1e-3 * np.abs(speed))


@pytest.mark.parametrize("method", INTEGRATORS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_gradient_drift(sign, method):
    velocity, r_g, across = gradient_drift(sign, method)
    speed = sign * across**2 * r_g / 2 * EPSILON * 2 * np.pi / WAVELENGTH
    check_gradient_drift(velocity, speed)
    np.testing.assert_allclose(velocity[:, 2], PITCHES, atol=1e-6)   # along B as it started
    for wrong in (-speed, 2 * speed):  # controls: the other charge; the factor 1/2 missing
        with pytest.raises(AssertionError):
            check_gradient_drift(velocity, wrong)


# ---- curvature -------------------------------------------------------------------------------

CELLS, CELL, RADIUS, RIGIDITY = 64, 1.0, 20.0, 4.0


def circles(power, generator):
    """Field B0 (RADIUS/r)^power phi-hat about the axis of a turned and shifted cube.

    Returns
    -------
    field : MagneticField
    to_space : function of points (n, 3) in pc of the cube's frame (axis z through the origin)
    rotation : (3, 3), rows are the cube's axes in Galactic Cartesian
    """
    node = (np.arange(CELLS + 1) - CELLS / 2) * CELL
    x, y = node[:, None, None], node[None, :, None]
    r = np.hypot(x, y)
    size = FIELD * (RADIUS / np.maximum(r, 1.0)) ** power / np.maximum(r, 1e-9)
    nodes = np.stack(np.broadcast_arrays(-y * size, x * size, 0 * size + 0 * node), axis=-1)
    rotation, shift = random_rotation(generator), generator.uniform(-50, 50, 3)
    # cell coordinates = Q x cells/box + offset; the axis lies in the middle of the cube
    field = hand_made(grids=nodes[None], boxes=[CELLS * CELL], rotations=[rotation],
                      offsets=[CELLS / 2 - rotation @ shift / CELL], b_ref=FIELD)
    return field, lambda points: points @ rotation + shift, rotation


@pytest.mark.parametrize("method", INTEGRATORS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_curvature_drift_of_the_exact_helix(sign, method):
    r_g = GYRORADIUS_PC_UG_PER_PV * RIGIDITY / FIELD
    # u_z = s r_g (1 - u_z^2)/r
    ratio = r_g / RADIUS
    u_z = sign * (np.sqrt(1 + 4 * ratio**2) - 1) / (2 * ratio)
    field, to_space, rotation = circles(0, np.random.default_rng(11))
    time = 2 * np.pi * RADIUS
    tracks = backtrack(field, RIGIDITY, [np.array([0, np.sqrt(1 - u_z**2), u_z]) @ rotation],
                       [time], position=to_space(np.array([[RADIUS, 0, 0]])), charge=sign,
                       method=method, **INTEGRATORS[method])
    x, u = tracks.displacement[0, 0] @ rotation.T, tracks.direction[0, 0] @ rotation.T

    def check(drift):
        # interpolated chords of the circles are shorter by at most (cell/r)^2/8 = 3e-4 along
        # each axis; the drift, and the gyration that starts with it, follow to 1e-3 and 1e-3 r_g
        assert abs(x[2] / time - drift) < 2e-3 * abs(drift) + 2e-3 * r_g / time

    check(u_z)
    check(sign * ratio * (1 - u_z**2))   # the formula, the same number
    angle = np.sqrt(1 - u_z**2) * time / RADIUS
    np.testing.assert_allclose(x[:2] + [RADIUS, 0], RADIUS * np.array(
        [np.cos(angle), np.sin(angle)]), atol=0.02 * r_g)
    np.testing.assert_allclose(u[2], u_z, atol=3e-3)
    for wrong in (-u_z, u_z / 2):  # controls: the other charge; a gradient drift's 1/2
        with pytest.raises(AssertionError):
            check(wrong)


def drift_velocity(power, sign, across, gyrations=10):
    """v_z in the cube's frame of a particle that gyrates about the circle of RADIUS: the slope of
    its track over whole gyrations (least squares)."""
    field, to_space, rotation = circles(power, np.random.default_rng(11))
    r_g = GYRORADIUS_PC_UG_PER_PV * RIGIDITY / FIELD
    # u_z as the formula has it; the gyration begins across the circle, in its plane, where the
    # force s u x phi-hat points along s z: the guiding centre lies r_g u_perp further that way
    u_z = sign * r_g / RADIUS * (1 - across**2 + power * across**2 / 2)
    u = np.array([across, np.sqrt(1 - across**2 - u_z**2), u_z])
    start = np.array([[RADIUS, 0, -sign * r_g * across]])
    times = 2 * np.pi * r_g / 40 * np.arange(1, 40 * gyrations + 1)
    tracks = backtrack(field, RIGIDITY, [u @ rotation], times, position=to_space(start),
                       charge=sign, **INTEGRATORS["boris"])
    return np.polyfit(times, (tracks.displacement[:, 0] @ rotation.T)[:, 2], 1)[0]


@pytest.mark.parametrize("sign", [-1, 1])
def test_drift_in_a_vacuum_field(sign):
    """u_par^2 + u_perp^2/2 in B ~ 1/r; u_par^2 alone where |B| is constant."""
    r_g = GYRORADIUS_PC_UG_PER_PV * RIGIDITY / FIELD

    def speed(power, across):
        return sign * r_g / RADIUS * (1 - across**2 + power * across**2 / 2)

    def check(velocity, expected):
        # a gyration of r_g u_perp whose number is off by a tenth tilts the line by 6/(pi n)^2
        # u_perp x 0.1 = 4e-4, 1 % of the drift; second order in r_g/r: 0.3 %; the grid 0.1 %
        assert abs(velocity - expected) < 0.02 * abs(expected)

    for power, across in ((1, 0.6), (1, 0.3), (0, 0.6)):
        velocity = drift_velocity(power, sign, across)
        check(velocity, speed(power, across))
        # controls: the other charge; a field with gradient for one without, and the reverse
        for wrong in (-speed(power, across), speed(1 - power, across)):
            with pytest.raises(AssertionError):
                check(velocity, wrong)
