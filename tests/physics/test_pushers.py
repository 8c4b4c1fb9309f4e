"""Integrators against exact orbits: gyration, |u|, order of convergence, time reversal.

Theory: du/dt = s (u x B)/(r_g B), dx/dt = u with s = -1 for the antiparticles that are sent back
and s = +1 for cosmic rays moving forward (times in pc/c, r_g = 1.0810076 pc R[PV]/B[uG]). In a
uniform field along b, with u0 = p b + q (q perpendicular to b) and phi = t/r_g,

    u(t) = p b + q cos phi + s (q x b) sin phi
    x(t) = p b t + r_g [q sin phi + s (q x b)(1 - cos phi)].

Boris with the exact angle has u(t) to rounding; its positions are sums of half drifts, so that
the part of x(t) across the field comes out multiplied by (a/2)/tan(a/2) = 1 - a^2/12, a = h/r_g.
With the plain angle 2 arctan(a/2) the phase falls behind by a^2/12 per unit of t/r_g.

Parameters: R = 1 PV, B = 4 uG (r_g = 0.27025 pc) along l = 30, b = 40 degrees; smooth fields of
three plane waves of 3 to 5 pc for the orders, grids of 48^3 with L_min = 0.3 pc for the rest.
"""

import numpy as np
import pytest
from physics_common import grid_job, gyration, hand_made, random_unit
from scipy import constants
from scipy.integrate import solve_ivp

from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.fields import make_field
from hpc_cr.frames import unit_vector
from hpc_cr.kernel import njit
from hpc_cr.lanes import WIDTH, load, spread, store
from hpc_cr.trajectories import backtrack
from hpc_cr.trajectories.backtrack import DEFAULT_STEPS_PER_GYRORADIUS as STEPS
from hpc_cr.trajectories.boris import half_angle_tangent, rotate
from hpc_cr.trajectories.cash_karp import try_step

AXIS = unit_vector(30.0, 40.0)
FIELD = 4.0
R_G = GYRORADIUS_PC_UG_PER_PV / FIELD
ROUNDING = 1e-12
"""Directions after some hundred steps of 1e-16 each, with room."""


@pytest.fixture(scope="module")
def directions():
    return random_unit(np.random.default_rng(1), 40)


@pytest.fixture(scope="module")
def turbulent():
    """Field with waves from 10 pc to 0.3 pc, 4 uG; r_g of 1 PV is 0.9 L_min."""
    job = grid_job([40.0, 11.0], [(10.0, 2.6), (2.6, 0.3)], cells=96,
                   precision="double")
    return make_field(job, 0)


# ---- uniform field ---------------------------------------------------------------------------

TIMES = R_G * np.array([0.3, 1.0, 2.5, 20.0, 100.0])


def boris_position(u0, sign, step_limit):
    """Displacements (n_time, n, 3) of Boris: (a/2)/tan(a/2) of each interval's way across."""
    found, last = [], np.zeros_like(u0)
    for i, t in enumerate(TIMES):
        began = TIMES[i - 1] if i else 0.0
        move = gyration(u0, t, R_G, sign, AXIS)[0] - gyration(u0, began, R_G, sign, AXIS)[0]
        along = (move @ AXIS)[:, None] * AXIS
        half = 0.5 * (t - began) / np.ceil((t - began) / step_limit - 1e-9) / R_G
        last = last + along + (move - along) * half / np.tan(half)
        found.append(last)
    return np.array(found)


def check_gyration(tracks, u0, sign, tolerance_x, tolerance_u):
    for i, t in enumerate(TIMES):
        x, u = gyration(u0, t, R_G, sign, AXIS)
        assert np.max(np.abs(tracks.direction[i] - u)) < tolerance_u, "direction"
        assert np.max(np.abs(tracks.displacement[i] - x)) < tolerance_x, "position"


@pytest.mark.parametrize("charge", [-1, 1])
def test_boris_gyration(charge, directions):
    tracks = backtrack(hand_made(FIELD * AXIS), 1.0, directions, TIMES, charge=charge)
    # position: at most 2 r_g a^2/12 across the field with a = 1/5: 1.8e-3 pc
    check_gyration(tracks, directions, charge, 2 * R_G / STEPS**2 / 12, ROUNDING)
    exact = boris_position(directions, charge, R_G / STEPS)
    assert np.max(np.abs(tracks.displacement - exact)) < 30 * ROUNDING   # 27 pc of path
    with pytest.raises(AssertionError, match="direction"):  # control: the other charge
        check_gyration(tracks, directions, -charge, 1e-3, ROUNDING)


@pytest.mark.parametrize("charge", [-1, 1])
def test_cash_karp_gyration(charge, directions):
    tracks = backtrack(hand_made(FIELD * AXIS), 1.0, directions, TIMES, charge=charge,
                       method="cash-karp", tolerance=1e-8)
    # at most the tolerance in each step, about ten steps per gyroradius: 1000 steps
    assert tracks.steps.max() < 1000
    check_gyration(tracks, directions, charge, 1e-5, 1e-5)
    with pytest.raises(AssertionError, match="direction"):
        check_gyration(tracks, directions, -charge, 1e-5, 1e-5)


def test_gyroradius_of_one_petavolt_in_one_microgauss():
    """r_g = R/(c B): 1e15 V / (c 1e-10 T)."""
    r_g = 1e15 / (constants.c * 1e-10) / constants.parsec
    assert r_g == pytest.approx(GYRORADIUS_PC_UG_PER_PV, rel=1e-12)
    assert r_g == pytest.approx(1.0810076, rel=5e-8)   # digits of the documentation


def test_cosmic_ray_turns_left_handed_about_the_field():
    """A positive particle along +x in a field along +z turns towards -y, its mirror to +y."""
    field = hand_made([0, 0, FIELD])
    for charge, side in ((1, -1), (-1, 1)):
        track = backtrack(field, 1.0, [[1, 0, 0]], [np.pi / 2 * R_G], charge=charge)
        np.testing.assert_allclose(track.direction[0, 0], [0, side, 0], atol=ROUNDING)
        # the exact point (r_g, side r_g, 0), times (a/2)/tan(a/2) > 1 - a^2/12
        np.testing.assert_allclose(track.displacement[0, 0], [R_G, side * R_G, 0],
                                   atol=R_G / STEPS**2 / 12)


def test_no_field_is_a_straight_line(directions):
    field = hand_made([0, 0, 0])
    for method in ("boris", "cash-karp"):
        tracks = backtrack(field, 1.0, 3 * directions, [10.0, 1000.0], method=method)
        for i, t in enumerate((10.0, 1000.0)):
            np.testing.assert_allclose(tracks.displacement[i], t * directions, rtol=0,
                                       atol=ROUNDING * t)
            np.testing.assert_allclose(tracks.direction[i], directions, atol=1e-15)


def plain_boris(field, u, r_g, step, count, sign=-1, exact=False):
    """Boris in numpy with the plain tangent a/2, or the exact one: (x, u) after count steps."""
    x = np.zeros_like(u)
    for _ in range(count):
        x = x + 0.5 * step * u
        b = field.at(x)
        strength = np.linalg.norm(b, axis=1, keepdims=True)
        half = 0.5 * step * strength / (r_g * FIELD)
        t = sign * (np.tan(half) if exact else half) * b / strength
        u = u + np.cross(u + np.cross(u, t), 2 * t / (1 + np.sum(t * t, axis=1, keepdims=True)))
        x = x + 0.5 * step * u
    return x, u


def phase_error(u, u0, t, r_g):
    """Angle by which u lags behind the exact gyration about AXIS."""
    _, exact = gyration(u0, t, r_g, -1, AXIS)
    across, other = (v - (v @ AXIS)[:, None] * AXIS for v in (u, exact))
    return np.arctan2(np.cross(other, across) @ AXIS, np.sum(across * other, axis=1))


def test_exact_angle_has_no_phase_error(directions):
    field = hand_made(FIELD * AXIS)
    count, gyroradii = 400, 50
    t = gyroradii * R_G

    def check(u):
        assert np.max(np.abs(phase_error(u, directions, t, R_G))) < 10 * ROUNDING

    check(backtrack(field, 1.0, directions, [t]).direction[0])
    _, plain = plain_boris(field, directions, R_G, t / count, count)
    with pytest.raises(AssertionError):  # control: the plain angle
        check(plain)
    # by L a^2/12 (next term: a^2/5 smaller); antiparticles turn right-handed about b, and lag
    lag = phase_error(plain, directions, t, R_G)
    np.testing.assert_allclose(lag, -gyroradii * (gyroradii / count) ** 2 / 12, rtol=0.02)


def test_exact_angle_pays_where_the_field_is_strong():
    """Direction after 5 r_g at 8 steps per r_g, where the local field is three times B_ref."""
    job = grid_job([40.0], [(10.0, 3.4)], cells=48, rms=4.0, regular=(12.0, [30.0, 40.0]))
    field = make_field(job, 0)
    n = random_unit(np.random.default_rng(2), 60)
    t, count = 5 * R_G, 40
    truth = plain_boris(field, n, R_G, t / count / 32, count * 32, exact=True)[1]
    error = {exact: np.median(np.linalg.norm(
        plain_boris(field, n, R_G, t / count, count, exact=exact)[1] - truth, axis=1))
        for exact in (True, False)}
    assert error[False] > 3 * error[True]
    # the program is the exact one: the same scheme in other code, so rounding
    field.b_ref, field.shortest = FIELD, np.inf
    found = backtrack(field, 1.0, n, [t], steps_per_gyroradius=8).direction[0]
    exact = plain_boris(field, n, R_G, t / count, count, exact=True)[1]
    # weights of single precision: positions that differ by 1e-15 may see another rounding, 1e-6 B
    assert np.max(np.abs(found - exact)) < 1e-5


def test_half_angle_tangent_series():
    a = np.concatenate([np.linspace(1e-6, 0.3, 396), [0.2235, 0.2237, 1.0, 1.5]])
    a = a.reshape(-1, WIDTH)
    found = np.empty_like(a)
    _tangents(a * a, found)
    np.testing.assert_allclose(found * a, np.tan(a), rtol=1e-13)   # as documented
    # a lane beyond the series leaves its neighbours as they are
    beyond, alone = a.copy(), np.empty_like(a)
    beyond[:, 2] = 1.0
    _tangents(beyond * beyond, alone)
    kept = np.arange(WIDTH) != 2
    np.testing.assert_array_equal(alone[:, kept], found[:, kept])
    _tangents(np.zeros((1, WIDTH)), alone)
    assert np.all(alone[0] == 1.0)


@njit
def _tangents(half2, out):
    for row in range(len(out)):
        if row < len(half2):
            store(out, row, half_angle_tangent(load(half2, row)))


@njit
def _rotated(u, b, half_turn, out):
    ux, uy, uz = rotate(spread(u[0]), spread(u[1]), spread(u[2]), spread(b[0]), spread(b[1]),
                        spread(b[2]), half_turn)
    store(out, 0, ux)
    store(out, 1, uy)
    store(out, 2, uz)


# ---- |u| -------------------------------------------------------------------------------------


def check_unit(direction):
    assert np.max(np.abs(np.linalg.norm(direction, axis=-1) - 1)) < 1e-12


def test_boris_keeps_the_length_of_u(turbulent, directions):
    # 1e4 rotations that keep |u| but for rounding: a random walk of 1e-16 each
    tracks = backtrack(turbulent, 1.0, directions, [1e4 * R_G / STEPS])
    assert np.all(tracks.steps == 10000)
    check_unit(tracks.direction)

    def stretched(u, b):  # control: a rotation with 2 t instead of 2 t/(1 + t^2)
        t = 0.01 * b
        return u + np.cross(u + np.cross(u, t), 2 * t)

    u = np.array([1.0, 0.0, 0.0])
    for _ in range(100):
        u = stretched(u, np.array([0.0, 0.0, 1.0]))
    with pytest.raises(AssertionError):
        check_unit(u)
    u = np.empty((3, WIDTH))
    _rotated(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), 0.01, u)
    check_unit(u.T)
    np.testing.assert_allclose(u[:, 0], [np.cos(0.02), -np.sin(0.02), 0], atol=1e-15)


def pitch_drift(tracks, n):
    return np.abs(tracks.direction[0] @ AXIS - n @ AXIS)


def test_cash_karp_keeps_the_length_of_u_but_not_the_pitch_angle(directions):
    """1000 gyroradii in a uniform field: the pitch-angle cosine drifts by 0.02-0.04 at a tolerance
    of 1e-4 and by 0.1-0.3 at 1e-3 (largest over directions), a false scattering; Boris keeps it."""
    field = hand_made(FIELD * AXIS)
    t = [1000 * R_G]
    boris = backtrack(field, 1.0, directions, t)
    assert pitch_drift(boris, directions).max() < 1e-12
    for tolerance, least, most in ((1e-4, 0.01, 0.08), (1e-3, 0.1, 0.4), (1e-7, 0, 1e-4)):
        tracks = backtrack(field, 1.0, directions, t, method="cash-karp", tolerance=tolerance)
        check_unit(tracks.direction)
        assert least < pitch_drift(tracks, directions).max() < most
        assert np.all(tracks.over_tolerance == 0)


# ---- order of convergence --------------------------------------------------------------------

WAVES = (2 * np.pi * np.array([[0.3, 0, 0.1], [0, 0.25, 0], [0.1, 0.1, -0.15]]),
         np.array([[0, 2.0, 0], [1.5, 0, 1.0], [1.0, -1.0, 0]]),
         np.array([[0, 0, 0.0], [0, 0, 1.0], [0, 0.5, 1 / 3]]))
REGULAR = np.array([1.0, 0.5, -3.0])


@pytest.fixture(scope="module")
def smooth():
    """A smooth field and the truth after 2 pc (about 7 r_g) for ten directions, by DOP853."""
    field = hand_made(REGULAR, waves=WAVES, b_ref=FIELD)
    n = random_unit(np.random.default_rng(3), 10)
    k, c, s = WAVES
    scale = -1 / GYRORADIUS_PC_UG_PER_PV

    def slope(_, y):
        phase = k @ y[:3]
        b = REGULAR + np.cos(phase) @ c + np.sin(phase) @ s
        return np.concatenate([y[3:], scale * np.cross(y[3:], b)])

    truth = np.array([solve_ivp(slope, (0, 2.0), np.concatenate([np.zeros(3), u]), "DOP853",
                                rtol=1e-13, atol=1e-13).y[:, -1] for u in n])
    return field, n, truth


def errors_of(smooth, run):
    """Largest error of (x, u) of the ten particles; run(field, n) -> (x, u)."""
    field, n, truth = smooth
    x, u = run(field, n)
    return np.max(np.abs(np.concatenate([x, u], axis=1) - truth))


def check_order(errors, order, slack):
    """Errors at steps h, h/2, h/4, ... fall by 2^order: the local order of the last halvings."""
    found = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(found[-2:] > order - slack), f"order {found}"
    return found


def boris_run(steps):
    def run(field, n):
        tracks = backtrack(field, 1.0, n, [2.0], steps_per_gyroradius=steps)
        return tracks.displacement[0], tracks.direction[0]
    return run


def off_centre_run(count):
    """First-order control: the field at the beginning of the step instead of its middle."""
    def run(field, n):
        x, u, h = np.zeros_like(n), n, 2.0 / count
        for _ in range(count):
            b = field.at(x)
            t = -0.5 * h / GYRORADIUS_PC_UG_PER_PV * b
            u = u + np.cross(u + np.cross(u, t), 2 * t / (1 + np.sum(t * t, axis=1)[:, None]))
            x = x + h * u
        return x, u
    return run


def test_boris_is_of_second_order(smooth):
    errors = [errors_of(smooth, boris_run(steps)) for steps in (10, 20, 40, 80, 160)]
    # corrections are O(h^2): 0.05 after three halvings; not of higher order either
    assert np.all(check_order(errors, 2, 0.05) < 2.2)
    assert errors[-1] < 1e-4
    with pytest.raises(AssertionError, match="order"):
        check_order([errors_of(smooth, off_centre_run(75 * 2**i)) for i in range(4)], 2, 0.05)


def fixed_cash_karp(count):
    def run(field, n):
        x, u = np.zeros_like(n), n.copy()
        slope_x, slope_u, new_x, new_u = np.empty((6, 3)), np.empty((6, 3)), *np.empty((2, 3))
        for p in range(len(n)):
            for _ in range(count):
                try_step(field.arrays, -1 / GYRORADIUS_PC_UG_PER_PV, np.zeros(3), x[p], u[p],
                         2.0 / count, slope_x, slope_u, new_x, new_u)
                x[p], u[p] = new_x, new_u
        return x, u
    return run


def test_cash_karp_is_of_fifth_order(smooth):
    errors = [errors_of(smooth, fixed_cash_karp(count)) for count in (20, 40, 80, 160)]
    check_order(errors, 5, 0.5)
    assert errors[-1] < 1e-7
    # its error estimate is that of the embedded fourth-order step: h^5 per step
    field, n, _ = smooth
    work = np.empty((6, 3)), np.empty((6, 3)), *np.empty((2, 3))
    estimates = [max(try_step(field.arrays, -1 / GYRORADIUS_PC_UG_PER_PV, np.zeros(3), np.zeros(3),
                              n[0], h, *work)) for h in (0.1, 0.05, 0.025, 0.0125)]
    check_order(estimates, 5, 0.5)
    with pytest.raises(AssertionError, match="order"):
        check_order([errors_of(smooth, boris_run(steps)) for steps in (10, 20, 40)], 5, 0.5)


def test_cash_karp_follows_its_tolerance(smooth):
    def run(tolerance):
        def tracked(field, n):
            tracks = backtrack(field, 1.0, n, [2.0], method="cash-karp", tolerance=tolerance)
            return tracks.displacement[0], tracks.direction[0]
        return tracked

    tolerances = np.array([1e-4, 1e-6, 1e-8, 1e-10])
    errors = np.array([errors_of(smooth, run(tolerance)) for tolerance in tolerances])
    # about 20-300 steps at the tolerance or below; chaos adds a small factor
    assert np.all(errors < 100 * tolerances)
    # step ~ tolerance^(1/5), error ~ step^5: proportional, within a factor 10 per decade pair
    assert np.all(errors[:-1] / errors[1:] > 10)


# ---- time reversal ---------------------------------------------------------------------------


def check_return(field, n, method, charge_back, within, **options):
    """Backtracked for 10 r_g, then sent forward from there with direction -U."""
    out = backtrack(field, 1.0, n, [10 * R_G], method=method, **options)
    back = backtrack(field, 1.0, -out.direction[0], [10 * R_G], method=method,
                     position=out.displacement[0], charge=charge_back, **options)
    home = out.displacement[0] + back.displacement[0]
    assert np.max(np.abs(home)) < within, "elsewhere"
    assert np.max(np.abs(back.direction[0] + n)) < within, "other direction"


def test_the_cosmic_ray_sent_forward_arrives(turbulent, directions):
    # Boris is its own inverse: rounding (1e-16) grown by the chaos of 10 gyroradii (below 1e4)
    check_return(turbulent, directions, "boris", 1, 1e-11)
    # Cash-Karp is not: 1e-9 per step, a few hundred steps, the same growth of some tens
    check_return(turbulent, directions, "cash-karp", 1, 1e-5, tolerance=1e-9)
    for method in ("boris", "cash-karp"):
        with pytest.raises(AssertionError, match="elsewhere"):  # control: the charge kept
            check_return(turbulent, directions, method, -1, 1e-5)
