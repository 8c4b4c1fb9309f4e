"""Where trajectories end: stop times, spheres, limits, tolerance; and how the work is cut.

Theory: in a uniform field the particle that starts at pitch-angle cosine mu is at the distance
rho(t)^2 = mu^2 t^2 + 2 r_g^2 (1 - mu^2)(1 - cos(t/r_g)) from its start. It crosses the sphere of
radius R first at the smallest root of rho(t) = R, and never if mu = 0 and R > 2 r_g.

A particle's orbit is a function of its start alone: neither the number of steps per kernel call
nor the other particles change a bit of it.

Parameters: R = 1 PV, B = 4 uG (r_g = 0.270 pc), spheres of 0.05 to 2 pc; Boris with r_g/8 to r_g/64
and Cash-Karp with tolerances of 1e-4 to 1e-8.
"""

import numpy as np
import pytest
from physics_common import grid_job, gyration, hand_made, random_unit
from scipy.optimize import brentq

from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.fields import make_field
from hpc_cr.frames import unit_vector
from hpc_cr.trajectories import backtrack
from hpc_cr.trajectories.backtrack import DEFAULT_STEPS_PER_GYRORADIUS as STEPS
from hpc_cr.trajectories.backtrack import advance, make_plan
from hpc_cr.trajectories.boris import boris_to_spheres, boris_to_times
from hpc_cr.trajectories.cash_karp import cash_karp
from hpc_cr.trajectories.state import FINISHED, RUNNING, UNFINISHED, empty_state, start

AXIS = unit_vector(30.0, 40.0)
FIELD = 4.0
R_G = GYRORADIUS_PC_UG_PER_PV / FIELD
RADII = np.array([0.05, 0.3, 0.9, 2.0])


@pytest.fixture(scope="module")
def uniform():
    return hand_made(FIELD * AXIS)


@pytest.fixture(scope="module")
def turbulent():
    return make_field(grid_job([40.0, 11.0], [(10.0, 2.6), (2.6, 0.3)], cells=96), 0)


@pytest.fixture(scope="module")
def directions():
    n = random_unit(np.random.default_rng(1), 60)
    return n[np.abs(n @ AXIS) > 0.1]   # those that get away from a field line's start


# ---- spheres ---------------------------------------------------------------------------------


def crossing_time(mu, radius):
    """First t with rho(t) = radius."""
    def distance2(t):
        return mu**2 * t**2 + 2 * R_G**2 * (1 - mu**2) * (1 - np.cos(t / R_G)) - radius**2

    t = np.arange(radius, radius / abs(mu) + R_G, R_G / 500)
    last = np.argmax(distance2(t) >= 0)
    return radius if last == 0 else brentq(distance2, t[last - 1], t[last], xtol=1e-15)


def check_times(time, n, tolerance):
    """Where rho(t) grazes the sphere the crossing is ill-defined: those are left out."""
    for i, radius in enumerate(RADII):
        exact = np.array([crossing_time(v @ AXIS, radius) for v in n])
        mu = n @ AXIS
        # d rho^2/dt at the crossing: an error of position dx moves it by R dx/(rho rho')
        slope = mu**2 * exact + R_G * (1 - mu**2) * np.sin(exact / R_G)
        well = slope > 0.3 * radius
        assert np.count_nonzero(well) > len(n) / 3
        assert np.max(np.abs(time[i] - exact)[well]) < tolerance, "crossing time"


@pytest.mark.parametrize("method, options, within, turned", [
    # time: 2 r_g a^2/12 of position over the slope of 0.3, a = 1/8 and 1/64;
    # direction inside the step: the chord of a circle of pitch 45 degrees, a^2/16
    ("boris", {"steps_per_gyroradius": 8}, 2.4e-3, 1e-3),
    ("boris", {"steps_per_gyroradius": 64}, 4e-5, 2e-5),
    # 1e-8 in each of 100 steps, and the cubic inside a step, a^4 r_g/384 with a = 0.15
    ("cash-karp", {"tolerance": 1e-8}, 4e-6, 1.5e-3),
])
@pytest.mark.parametrize("charge", [-1, 1])
def test_sphere_is_crossed_exactly(uniform, directions, charge, method, options, within, turned):
    tracks = backtrack(uniform, 1.0, directions, radii=RADII, method=method, charge=charge,
                       **options)
    assert np.all(tracks.status == FINISHED)
    distance = np.linalg.norm(tracks.displacement, axis=-1)
    np.testing.assert_allclose(distance, RADII[:, None] + 0 * distance, rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(tracks.direction, axis=-1), 1, rtol=1e-12)
    # outwards at the first crossing
    assert np.all(np.sum(tracks.displacement * tracks.direction, axis=-1) > -1e-3 * distance)
    assert np.all(np.diff(tracks.time, axis=0) > 0)
    check_times(tracks.time, directions, within)
    for time, direction in zip(tracks.time, tracks.direction, strict=True):
        _, exact = gyration(directions, time, R_G, charge, AXIS)
        assert np.max(np.abs(direction - exact)) < turned
    # control: the end of the step in which the sphere is crossed
    step = tracks.time[-1].max() / tracks.steps.max()
    with pytest.raises(AssertionError, match="crossing time"):
        check_times(np.ceil(tracks.time / step) * step, directions, within)


def test_spheres_without_a_field(directions):
    """Straight lines: t = R, X = R n, U = n; several spheres inside one step too."""
    radii = [1.0, 1.001, 1.002, 50.0]
    for method in ("boris", "cash-karp"):
        tracks = backtrack(hand_made(), 1.0, directions, radii=radii, method=method)
        for i, radius in enumerate(radii):
            np.testing.assert_allclose(tracks.time[i], radius, rtol=1e-12)
            np.testing.assert_allclose(tracks.displacement[i], radius * directions,
                                       atol=1e-12 * radius)
            np.testing.assert_allclose(tracks.direction[i], directions, atol=1e-12)


def test_spheres_are_around_the_start(turbulent, directions):
    """Displacements count from the start; the same orbit as with stop times."""
    position = np.array([3.0, -70.0, 11.0])
    tracks = backtrack(turbulent, 1.0, directions, radii=[0.5], position=position)
    reached = tracks.status == FINISHED
    assert reached.any()
    np.testing.assert_allclose(np.linalg.norm(tracks.displacement[0][reached], axis=1), 0.5,
                               rtol=1e-12)
    for p in np.flatnonzero(reached)[:5]:
        t = tracks.time[0, p]
        along = backtrack(turbulent, 1.0, directions[p], [t], position=position)
        # other steps (a whole number of them ends on t): Boris' error, 1e-2 of r_g over some r_g
        np.testing.assert_allclose(along.displacement[0, 0], tracks.displacement[0, p],
                                   atol=2e-2 * R_G * max(1, t / R_G))


# ---- particles that do not finish ------------------------------------------------------------


@pytest.mark.parametrize("method", ["boris", "cash-karp"])
def test_unfinished_particles_are_counted_and_nan(uniform, method):
    """mu = 0 stays within 2 r_g; mu = 1 is at R after a path of R; mu = 0.01 after about 100 R."""
    third = np.cross(AXIS, [0, 0, 1.0])
    across = third / np.linalg.norm(third)
    slow = 0.01 * AXIS + np.sqrt(1 - 1e-4) * across
    n = np.array([AXIS, across, slow])
    radii = [R_G, 10 * R_G]
    tracks = backtrack(uniform, 1.0, n, radii=radii, method=method, limit=100 * R_G,
                       tolerance=1e-6)
    assert list(tracks.status) == [FINISHED, UNFINISHED, UNFINISHED]
    # all reach the first sphere; of the second there is nothing but NaN
    assert np.all(np.isfinite(tracks.time[0]))
    for out in (tracks.displacement, tracks.direction, tracks.time):
        assert np.all(np.isfinite(out[:, 0]))
        assert np.all(np.isnan(out[1, 1:]))
    # tracked up to the limit and one step more, not further
    if method == "boris":
        assert tracks.steps[1] == np.ceil(100 * STEPS)
    # ten times the limit is enough for the slow one, never for mu = 0
    tracks = backtrack(uniform, 1.0, n, radii=radii, method=method, limit=1010 * R_G,
                       tolerance=1e-9)
    assert list(tracks.status) == [FINISHED, UNFINISHED, FINISHED]


def test_steps_over_tolerance_are_counted(uniform, directions):
    """A field 1e5 times stronger than B_ref says: the shortest step, 1e-4 of r_g(B_ref), is ten
    gyroradii long, and every step is over the tolerance."""
    strong = hand_made(1e5 * FIELD * AXIS, b_ref=FIELD)
    tracks = backtrack(strong, 1.0, directions, [0.1], method="cash-karp")
    assert np.all(tracks.status == FINISHED)
    assert np.all(tracks.over_tolerance > 0.9 * tracks.steps)
    # control: none where the steps may be as short as they need
    tracks = backtrack(uniform, 1.0, directions, [0.1], method="cash-karp")
    assert np.all(tracks.over_tolerance == 0)
    assert np.all(backtrack(strong, 1.0, directions, [0.1]).over_tolerance == 0)


# ---- cutting the work ------------------------------------------------------------------------

KERNELS = {
    "boris to times": (boris_to_times, "boris", [0.5, 0.51, 3.0]),
    "boris to spheres": (boris_to_spheres, "boris", [0.2, 0.21, 0.7]),
    "cash-karp to times": (cash_karp, "cash-karp", [0.5, 0.51, 3.0]),
    "cash-karp to spheres": (cash_karp, "cash-karp", [0.2, 0.21, 0.7]),
}


def run_cut(field, name, n, budget, parts, between=None):
    """Track with `budget` steps per call, the particles in `parts` pieces; `between` calls."""
    kernel, method, stops = KERNELS[name]
    plan = make_plan(field.b_ref, field.shortest, 1.0, stops, sphere="spheres" in name,
                     method=method, steps_per_gyroradius=STEPS, tolerance=1e-4, limit=20.0)
    state = empty_state(len(n), len(stops))
    start(state, 0, len(n), np.array([5.0, -3.0, 1.0]), n, plan)
    edges = np.linspace(0, len(n), parts + 1).astype(int)
    for first, last in reversed(list(zip(edges[:-1], edges[1:], strict=True))):
        while np.any(state.status[first:last] == RUNNING):
            kernel(field.arrays, plan, state, first, last, budget)
            if between is not None:
                between(state)
    return state


def check_same_bits(one, other):
    for name in ("out_position", "out_direction", "out_time", "steps", "over", "status"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)


@pytest.mark.parametrize("name", KERNELS)
def test_results_do_not_depend_on_how_work_is_cut(turbulent, directions, name):
    n = directions[:23]
    whole = run_cut(turbulent, name, n, 1000, 1)
    assert np.any(whole.status == FINISHED)
    for budget, parts in ((1, 1), (2, 3), (7, 5), (1000, 23)):
        check_same_bits(whole, run_cut(turbulent, name, n, budget, parts))

    def spoil(state):  # control: a state that is kept with fewer digits between the calls
        state.position[:] = state.position.astype(np.float32)

    with pytest.raises(AssertionError):
        check_same_bits(whole, run_cut(turbulent, name, n, 7, 1, spoil))


def test_backtrack_is_the_kernels(turbulent, directions):
    """The public function cuts by the clock: the same bits."""
    n = directions[:23]
    tracks = backtrack(turbulent, 1.0, n, KERNELS["boris to times"][2], position=[5.0, -3.0, 1.0])
    # backtrack normalises its directions, which may move them by an ulp
    unit = n / np.linalg.norm(n, axis=1, keepdims=True)
    state = run_cut(turbulent, "boris to times", unit, 3, 2)
    np.testing.assert_array_equal(tracks.displacement, state.out_position)
    np.testing.assert_array_equal(tracks.direction, state.out_direction)


def test_poll_abandons(uniform, directions):
    calls = []
    plan = make_plan(FIELD, np.inf, 1.0, [300.0], sphere=False, method="boris",
                     steps_per_gyroradius=8.0, tolerance=1e-4)
    state = empty_state(len(directions), 1)
    start(state, 0, len(directions), np.zeros(3), directions, plan)

    def poll():
        calls.append(1)
        return len(calls) == 3

    assert not advance(uniform.arrays, plan, state, 0, len(directions), "boris", poll)
    assert len(calls) == 3
    assert np.all(state.status == RUNNING)


# ---- steps and stop times --------------------------------------------------------------------


def test_steps_end_on_the_stops(turbulent, directions):
    """ceil(interval/h) equal steps, h = min(r_g/n, L_min)."""
    times = np.array([0.1, 0.1005, 1.0])
    r_g = GYRORADIUS_PC_UG_PER_PV * 1.0 / turbulent.b_ref
    for per_gyroradius in (1.0, 8.0):
        tracks = backtrack(turbulent, 1.0, directions, times,
                           steps_per_gyroradius=per_gyroradius)
        np.testing.assert_array_equal(tracks.time, times[:, None] + np.zeros(len(directions)))
        h = min(r_g / per_gyroradius, turbulent.shortest)
        assert np.all(tracks.steps == np.sum(np.ceil(np.diff(times, prepend=0) / h)))
    assert turbulent.shortest == pytest.approx(0.3)
    # an earlier stop changes the steps but not the end by more than the integrator's error
    alone = backtrack(turbulent, 1.0, directions, times[2:], steps_per_gyroradius=8)
    np.testing.assert_allclose(alone.displacement[0], tracks.displacement[2], atol=0.02 * r_g)
