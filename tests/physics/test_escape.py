"""Escape from the Galaxy against theory: straight flight, field lines, diffusion out of a slab.

Theory: without a field a particle from the plane leaves |z| < H after H/|mu|, mu the direction's
component along z, and has crossed h/|mu| of a slab |z| < h, or h (1 - exp(-H/h))/|mu| of gas that
falls as exp(-|z|/h). Isotropic diffusion from the plane takes (H + 0.71 lambda)^2/(2 D) on average,
lambda = 3 D/c, 0.71 lambda being the distance beyond an absorbing boundary at which the density of
isotropically scattered particles would vanish (Milne's problem).
"""

import numpy as np
import pytest

from hpc_cr import backtrack, make_field
from hpc_cr.campaigns.experiments import experiment_of
from hpc_cr.campaigns.work import plan_of
from hpc_cr.config import parse_job
from hpc_cr.diffusion.escape import G_PER_CM2, leaves, mean_density
from hpc_cr.sources.discs import disc_positions
from hpc_cr.sources.distributions import radius_of_share
from hpc_cr.trajectories.directions import random_directions, random_positions
from hpc_cr.trajectories.state import FINISHED, UNFINISHED, empty_state, start

JOB = """
[run]
kind = "escape"
[turbulence]
rms = "{rms}"
outer_scale = "25 pc"
[grids]
cells = 32
periods = 3
cells_per_wavelength = 3
{regular}
[particles]
rigidities = ["{rigidity}"]
count = {count}
[boundary]
half_height = "{height}"
{limit}
[escape]
sources = "sun"
[gas]
profile = "{gas}"
half_height = "{gas_height}"
density = "2 / cm3"
"""


def make_job(rms="0 uG", regular="", rigidity="10 PV", count=500, height="5 kpc", limit="",
             gas="slab", gas_height="150 pc", overrides=()):
    text = JOB.format(rms=rms, regular=regular, rigidity=rigidity, count=count, height=height,
                      limit=limit, gas=gas, gas_height=gas_height)
    return parse_job(text, overrides=overrides)


def follow(job, shares=((0.0, 1.0),), field=None):
    """State, measured entry and first directions of a job; `shares` are followed one by one."""
    field = field or make_field(job)
    experiment, plan = experiment_of(job), plan_of(job, 0)
    origins, directions = experiment.start(0)
    state = empty_state(job.n_pix, 1)
    for low, high in shares:
        first, last = round(low * job.n_pix), round(high * job.n_pix)
        start(state, first, last, origins, directions, plan)
        assert experiment.track(field, plan, state, first, last, 0, None)
    return state, experiment.measure(field, state, 0, 0), directions


@pytest.mark.parametrize("gas", ["slab", "exponential"])
def test_straight_flight(gas):
    job = make_job(gas=gas)
    state, entry, u = follow(job)
    assert np.all(state.status == FINISHED)
    # to the plane |z| = 5 kpc or the cylinder r = 20 kpc around the centre, what comes first
    a, b = u[:, 0] ** 2 + u[:, 1] ** 2, -8500 * u[:, 0]
    aside = (-b + np.sqrt(b**2 + a * (20e3**2 - 8500**2))) / a
    up = 5000 / np.abs(u[:, 2])
    np.testing.assert_allclose(entry["escape_time"], np.minimum(up, aside), rtol=1e-9)
    np.testing.assert_allclose(entry["exit"], np.minimum(up, aside)[:, None] * u, rtol=1e-7)
    assert 0.1 < np.mean(aside < up) < 0.4
    height = np.minimum(5000.0, np.abs(entry["exit"][:, 2]))
    crossed = np.minimum(height, 150) if gas == "slab" else 150 * (1 - np.exp(-height / 150))
    np.testing.assert_allclose(entry["grammage"], 2 * G_PER_CM2 * crossed / np.abs(u[:, 2]),
                               rtol=1e-6)
    # P(t > T) = H/T for particles that leave upwards, T > H
    late, n = np.count_nonzero(up > 8000), len(up)
    assert abs(late / n - 5 / 8) < 4 * np.sqrt(5 / 8 * 3 / 8 / n)
    # control: a Galaxy around the observer
    other = (20e3 / np.sqrt(a)) < up
    assert np.any(other != (aside < up))


def test_along_a_field_in_the_plane():
    """No way up; r = 20 kpc lies 18.1 kpc away along y. What takes longer than the limit is lost.

    The path along the field is that of the guiding centre, to r_g = 0.11 pc of 18.1 kpc.
    """
    field = '[regular]\nmodel = "uniform"\nstrength = "100 uG"\ndirection = [90, 0]\n'
    job = make_job(regular=field, rigidity="10 PV", limit='limit = "40 kpc"', count=200,
                   overrides=["integrator.steps_per_gyroradius=0.2"])
    state, entry, u = follow(job)
    expected = np.sqrt(20e3**2 - 8500**2) / np.abs(u[:, 1])
    assert set(state.status) == {FINISHED, UNFINISHED}
    gone = state.status == FINISHED
    np.testing.assert_allclose(entry["escape_time"][gone], expected[gone], rtol=3e-4)
    # a limit is noticed within the pieces of path that are followed together
    assert np.all(gone[expected < 40e3]) and not np.any(gone[expected > 45e3])
    assert np.isnan(entry["escape_time"][~gone]).all() and np.isnan(entry["grammage"][~gone]).all()
    assert np.isnan(entry["exit"][~gone]).all()
    # in the gas all the way
    np.testing.assert_allclose(entry["grammage"][gone],
                               2 * G_PER_CM2 * entry["escape_time"][gone], rtol=1e-6)


def measured_diffusion(job, field, count=3000):
    """D/c of other particles in the same field, pc, and its standard error."""
    directions = random_directions(count, 99)
    places = random_positions(count, 99, 0, 2000.0)
    times = [60.0, 180.0]  # 6 and 19 mean free paths
    x = backtrack(field, 10.0, directions, times, position=places, charge=1).displacement
    square = (x**2).sum(axis=2)
    each = (square[1] - square[0]) / (6 * (times[1] - times[0]))
    return each.mean(), each.std(ddof=1) / np.sqrt(count)


def test_diffusion_out_of_a_slab():
    job = make_job(rms="4 uG", height="150 pc", count=1200, limit='limit = "500 kpc"',
                   gas_height="30 pc")
    field = make_field(job)
    diffusion, diffusion_error = measured_diffusion(job, field)
    state, entry, _ = follow(job, field=field)
    assert np.all(state.status == FINISHED)
    time = entry["escape_time"]
    mean, error = time.mean(), time.std(ddof=1) / np.sqrt(time.size)
    expected = (150 + 0.71 * 3 * diffusion) ** 2 / (2 * diffusion)
    # d ln(expected)/d ln D is about -1 + 0.15; all particles share one realisation and start at one
    # point, within the first L_c of which they are not independent: (L_c/H)^2 is negligible
    total = np.hypot(error, 0.9 * expected * diffusion_error / diffusion)
    assert total / expected < 0.05
    assert abs(mean - expected) < 3.5 * total
    # control: a sphere instead of a slab
    sphere = (150 + 0.71 * 3 * diffusion) ** 2 / (6 * diffusion)
    assert abs(mean - sphere) > 10 * total
    # grammage: int of the density that the plane feeds, within h: (h/D)(H + 0.71 lambda - h/2)
    gas = entry["grammage"] / (2 * G_PER_CM2)
    crossed = 30 / diffusion * (150 + 0.71 * 3 * diffusion - 15)
    gas_error = np.hypot(gas.std(ddof=1) / np.sqrt(gas.size),
                         0.9 * crossed * diffusion_error / diffusion)
    assert abs(gas.mean() - crossed) < 3.5 * gas_error


GALAXY = '[regular]\nmodel = "jf12"\n'


@pytest.mark.parametrize("method", ["boris", "cash-karp"])
def test_shares_do_not_matter(method):
    """Bit by bit, however the particles are shared out; another seed gives others."""
    job = make_job(rms="0.3 uG", regular=GALAXY, rigidity="1 EV", count=90, overrides=[
        "turbulence.profile='jf12-halo'", "escape.sources='green2015'", "run.seed=5",
        f"integrator.method='{method}'"])
    field = make_field(job)
    _, whole, _ = follow(job, field=field)
    alone = [(i / 90, (i + 1) / 90) for i in range(20)]  # one particle at a time
    _, parts, _ = follow(job, [(0.5, 1.0), *alone, (20 / 90, 0.5)], field=field)
    for name, values in whole.items():
        assert np.isfinite(values).all()
        assert values.tobytes() == parts[name].tobytes(), name
    _, other, _ = follow(make_job(rms="0.3 uG", regular=GALAXY, rigidity="1 EV", count=90),
                         field=field)
    assert other["escape_time"].tobytes() != whole["escape_time"].tobytes()


STRONG = '[regular]\nmodel = "jf12"\ncomponents = ["disk", "x-field"]\n'
PITCH = (0.6, 0.9)


def scattered(steps, shortest):
    """<(mu - mu0)^2> after 60 pc at 1 PV in 4.2 uG with B_rms = 0.385 uG, by mu0, and errors.

    The gyroradius is 0.257 pc. No step is longer than the shortest wave.
    """
    job = parse_job(f"""
[turbulence]
rms = "0.385 uG"
outer_scale = "25 pc"
inner_scale = "{shortest} pc"
[grids]
cells = 32
periods = 3
cells_per_wavelength = 3
[regular]
model = "uniform"
strength = "4.2 uG"
direction = [0, 0]
[particles]
rigidities = ["1 PV"]
[boundary]
times = ["60 pc"]
""")
    count = 4000
    mu = np.repeat(PITCH, count)
    phase = 2 * np.pi * np.random.default_rng(3).random(mu.size)
    across = np.sqrt(1 - mu**2)
    u = np.stack([mu, across * np.cos(phase), across * np.sin(phase)], axis=1)
    places = random_positions(mu.size, 4, 0, 2000.0)
    found = backtrack(make_field(job), 1.0, u, [60.0], position=places, charge=1,
                      steps_per_gyroradius=steps).direction[0, :, 0]
    square = ((found - mu) ** 2).reshape(len(PITCH), count)
    return square.mean(axis=1), square.std(axis=1, ddof=1) / np.sqrt(count)


def test_two_steps_per_least_gyroradius_are_enough():
    """Pitch angles scatter with two steps per gyroradius as with twenty; with less they do not."""
    from hpc_cr.config.job import LEAST_STEPS

    for shortest in (0.18, 0.9):
        few, error = scattered(LEAST_STEPS, shortest)
        many, other = scattered(20.0, shortest)
        assert np.all(np.abs(few - many) < 3.5 * np.hypot(error, other))
        assert np.all(np.hypot(error, other) < 0.05 * many)
    one, error = scattered(0.5, 0.9)  # control
    assert np.sum(((one - many) / np.hypot(error, other)) ** 2) > 25


def test_steps_in_the_strongest_field():
    """In the ring of a Galaxy steps are half a gyroradius; without one nothing changes."""
    galaxy = make_job(rms="0.3 uG", regular=GALAXY, rigidity="1 PV",
                      overrides=["turbulence.inner_scale='0.18 pc'"])
    strongest = galaxy.strongest_field
    assert strongest > 3 * galaxy.b_ref
    step = plan_of(galaxy, 0).interval_step[0]
    assert step == pytest.approx(1.0810076 / strongest / 2, rel=1e-4)
    # r_g/5 at the Sun would be more
    assert 1.0810076 / galaxy.b_ref / 5 > 1.4 * step
    finer = make_job(rms="0.3 uG", regular=GALAXY, rigidity="1 PV", overrides=[
        "turbulence.inner_scale='0.18 pc'", "integrator.steps_per_gyroradius=50"])
    assert plan_of(finer, 0).interval_step[0] == pytest.approx(1.0810076 / galaxy.b_ref / 50,
                                                               rel=1e-3)
    uniform = make_job(rms="0.3 uG", rigidity="1 PV")
    assert uniform.strongest_field == uniform.b_ref
    adaptive = make_job(rms="0.3 uG", regular=GALAXY, rigidity="1 PV", overrides=[
        "turbulence.inner_scale='0.18 pc'", "integrator.method='cash-karp'"])
    assert adaptive.longest_steps[0] > step  # chooses its own


def test_plan_says_steps_in_the_strongest_field(capsys):
    from hpc_cr.cli.plan import _scales

    galaxy = make_job(rms="0.3 uG", regular=GALAXY, rigidity="1 PV",
                      overrides=["turbulence.inner_scale='0.18 pc'"])
    for job, said in ((galaxy, True), (make_job(rms="0.3 uG"), False)):
        (case,) = job.cases
        _scales(case)
        text = capsys.readouterr().out
        assert ("steps per gyroradius there 2\n" in text) == said
        assert (f"{job.strongest_field:.4g} uG with turbulence" in text) == said


def test_abandoned_at_once():
    job = make_job(rms="4 uG", count=100)
    experiment, plan = experiment_of(job), plan_of(job, 0)
    origins, directions = experiment.start(0)
    state = empty_state(100, 1)
    start(state, 0, 100, origins, directions, plan)
    calls = []
    assert not experiment.track(make_field(job), plan, state, 0, 100, 0,
                                lambda: calls.append(1) or len(calls) > 2)
    assert len(calls) == 3 and state.steps.sum() > 0


def test_places_of_sources():
    """Shares within a radius against numerical integrals of the published densities."""
    r = np.linspace(0, 20e3, 200_001)
    for sources, density in (("uniform", np.ones_like(r)),
                             ("green2015", (r / 8500) ** 1.09 * np.exp(-3.87 * (r / 8500 - 1))),
                             ("case1998", (r / 8500) ** 2.00 * np.exp(-3.53 * (r / 8500 - 1)))):
        share = np.cumsum(r * density)
        share /= share[-1]
        for level in (0.1, 0.5, 0.9):
            expected = np.interp(level, share, r)
            assert radius_of_share(np.array([level]), sources, 20e3) == pytest.approx(
                expected, rel=1e-3)
    places = disc_positions(4000, 1, 0, "green2015", 100.0, 20e3)
    radius = np.hypot(places[:, 0] - 8500, places[:, 1])
    within = np.mean(radius < radius_of_share(np.array([0.5]), "green2015", 20e3))
    assert abs(within - 0.5) < 4 * 0.5 / np.sqrt(4000)
    assert np.abs(places[:, 2]).max() < 100 and abs(places[:, 2].mean()) < 4 * 58 / np.sqrt(4000)
    # control: centred on the observer they would not fit
    around = np.hypot(places[:, 0], places[:, 1])
    assert np.mean(around < 6e3) < 0.4
    assert np.array_equal(disc_positions(10, 1, 0, "green2015", 100.0, 20e3), places[:10])
    assert not disc_positions(5, 1, 0, "sun", 100.0, 20e3).any()


def test_pieces_of_path():
    inside, up = np.array([8500.0, 0, 0]), np.array([8500.0, 0, 10])
    assert np.isinf(leaves(inside, up, 11.0, 100.0)) and leaves(inside, up, 4.0, 100.0) == 0.4
    corner = np.array([8700.0, 0, 10])  # leaves aside first
    assert leaves(inside, corner, 9.0, 100.0) == 0.5 and leaves(inside, corner, 4.0, 100.0) == 0.4
    for profile in ("slab", "exponential"):
        z = np.linspace(-30, 70, 100_001)
        density = np.abs(z) < 20 if profile == "slab" else np.exp(-np.abs(z) / 20)
        assert mean_density(-30.0, 70.0, 20.0, profile) == pytest.approx(density.mean(), rel=1e-3)
        assert mean_density(70.0, -30.0, 20.0, profile) == pytest.approx(density.mean(), rel=1e-3)
    assert mean_density(5.0, 5.0, 20.0, "slab") == 1 and mean_density(25.0, 25.0, 20.0, "slab") == 0
