"""Diffusion coefficients of known motions, and of particles in turbulence where theory knows them.

Theory, c = 1, lengths and times in pc:
* isotropic scattering at random times with the mean free path l: <u(t).u(0)> = exp(-t/l),
  int_0^T of it/3 -> D = l/3, <X.X>/(6T) = (l/3) [1 - (l/T) (1 - exp(-T/l))];
* uniform field: X of `physics_common.gyration`, <X X> along it T^2 <mu^2>, across it
  r_g^2 (1 - mu^2) (1 - cos(T/r_g)) for each axis; Hall part r_g (1 - mu^2) [1 - cos(T/r_g)]/2;
* r_g >> L_c: tau = 4 r_g^2/L_c, r_g in the turbulent field alone, D = tau/3 = (4/3) r_g^2/L_c;
  beside a uniform field in which r_0 >> L_c as well (white noise: the scattering does not know of
  it), with W = tau/r_0, D_par = tau/3, D_perp = D_par/(1 + W^2), D_A = W D_perp;
* d(T D_ij)/dT = (1/2) d<X_i X_j>/dT = <X_i U_j + U_i X_j>/2 on the very same trajectories;
* field lines in weak turbulence: D_FL = (L_c/8) (dB/B0)^2.
Errors are those of means over realisations; tests allow Student's t at 1e-3, about 4 sigma.
"""

import numpy as np
import pytest
from particles import forward, isotropic, transport_job
from physics_common import gyration, hand_made

from hpc_cr import make_field
from hpc_cr.constants import GYRORADIUS_PC_UG_PER_PV
from hpc_cr.diffusion import tensors, theory
from hpc_cr.diffusion.coefficients import coefficient, components, hall
from hpc_cr.fields.lines import field_lines, line_step
from hpc_cr.frames import unit_vector
from hpc_cr.statistics import student
from hpc_cr.trajectories import backtrack


def mean_and_margin(values):
    """Mean over realisations (the leading axis) and what its errors may amount to."""
    values = np.asarray(values, float)
    n = len(values)
    return values.mean(axis=0), student(n, 1e-3) * values.std(axis=0, ddof=1) / np.sqrt(n)


def all_tensors(displacement, direction, first, times):
    """The four running tensors of one realisation, each (n_stop, 3, 3)."""
    return {
        "displacement": tensors.displacement_tensor(displacement, times)[0],
        "interval": tensors.interval_tensor(displacement, times)[0],
        "velocity": tensors.velocity_tensor(displacement, first)[0],
        "arrival": tensors.arrival_tensor(displacement, direction)[0],
    }


def collect(realisations):
    """Dict of arrays (n_realisation, n_stop, 3, 3) from dicts of tensors."""
    return {name: np.array([one[name] for one in realisations]) for name in realisations[0]}


# ---- a known random walk ---------------------------------------------------------------------

FREE_PATH = 2.0
WALK_TIMES = np.array([1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0])


def walk(rng, count):
    """Isotropic scattering at random times: displacement and direction at WALK_TIMES."""
    events = 60  # in 32 pc there are 16 +- 4
    lengths = rng.exponential(FREE_PATH, (count, events))
    legs = isotropic(rng, count * events).reshape(count, events, 3)
    ends = np.cumsum(lengths, axis=1)
    assert ends[:, -1].min() > WALK_TIMES[-1]
    displacement, direction = [], []
    for time in WALK_TIMES:
        spent = np.clip(time - (ends - lengths), 0, lengths)
        displacement.append(np.einsum("ne,nei->ni", spent, legs))
        direction.append(legs[np.arange(count), np.argmax(ends > time, axis=1)])
    return np.array(displacement), np.array(direction), legs[:, 0]


def test_known_random_walk():
    rng = np.random.default_rng(1)
    found = collect([all_tensors(*walk(rng, 1000), WALK_TIMES) for _ in range(20)])
    t, limit = WALK_TIMES, FREE_PATH / 3
    left = np.exp(-t / FREE_PATH)
    expected = {"displacement": limit * (1 - FREE_PATH / t * (1 - left)),
                "velocity": limit * (1 - left), "arrival": limit * (1 - left)}
    for name, curve in expected.items():
        mean, margin = mean_and_margin(components(found[name])["D_iso"])
        assert np.all(np.abs(mean - curve) <= margin), name
        assert np.all(margin <= 0.12 * limit)
    measured = coefficient(components(found["displacement"])["D_iso"], t)
    assert measured.state == "plateau"
    # what is not there yet at its beginning is at most the velocity correlation's tail
    tail = limit * np.exp(-measured.since / FREE_PATH) * FREE_PATH / (t[-1] - measured.since)
    assert abs(measured.value - limit) <= student(20, 1e-3) * measured.error + tail
    # controls: the time average at the end; the mean free path for D
    mean, margin = mean_and_margin(components(found["displacement"])["D_iso"][:, -1])
    assert limit - mean > margin
    assert abs(measured.value - FREE_PATH) > 20 * measured.error


# ---- uniform field ---------------------------------------------------------------------------


def test_uniform_field():
    """Exact tensors of particles in a uniform field; no coefficient exists there."""
    b, r_g, rng = unit_vector(70.0, -25.0), 2.0, np.random.default_rng(2)
    field = hand_made(regular=3.0 * b)
    rigidity = r_g * 3.0 / GYRORADIUS_PC_UG_PER_PV
    times = r_g * np.array([0.3, 1.0, 3.0, 7.0, 12.0, 25.0, 40.0, 60.0])
    rows, halls = [], []
    for _ in range(12):
        first = isotropic(rng, 500)
        tracks = backtrack(field, rigidity, first, times, charge=+1, steps_per_gyroradius=100)
        found = all_tensors(tracks.displacement, tracks.direction, first, times)
        parts = components(found["displacement"], b)
        mu2 = np.mean((first @ b) ** 2)
        wave = 1 - np.cos(times / r_g)
        # phase error of Boris: at most (T/r_g)/(12 x 100^2) = 5e-4 rad, twice that of r_g^2
        tolerance = 1e-3 * r_g**2 / (2 * times)
        assert np.all(np.abs(parts["D_par"] - times * mu2 / 2) <= 1e-9 * times)
        across = r_g**2 * (1 - mu2) * wave / (2 * times)
        assert np.all(np.abs(parts["D_perp"] - across) <= tolerance)
        assert np.all(np.abs(hall(found["velocity"], b) - r_g * (1 - mu2) * wave / 2)
                      <= 1e-3 * r_g)
        other, _ = gyration(first, times[2], r_g, -1, b)  # control: the other charge
        wrong = tensors.velocity_tensor(other[None], first)[0][0]
        assert hall(wrong, b) == pytest.approx(-hall(found["velocity"][2], b), rel=1e-3)
        rows.append([parts["D_par"], parts["D_perp"]])
        halls.append(hall(found["velocity"], b))
    along, across = np.swapaxes(rows, 0, 1)
    along, across = coefficient(along, times, name="D_par"), coefficient(across, times)
    assert (along.state, along.reason) == ("rising", "ballistic")
    assert along.exponent == pytest.approx(1, abs=0.05)
    assert across.state == "falling" and "bounded" in across.reason


# ---- turbulence: both estimators, identities, isotropy ---------------------------------------

OUTER, INNER = 5.0, 0.5


@pytest.fixture(scope="module")
def isotropic_runs():
    """r_g = 1 pc without a uniform field, L_max = 5 pc; pairs of stops close to each other."""
    job = transport_job(OUTER, INNER, cells=48, levels=2, seed=31)
    close = 0.02
    times = np.array([1.0, 1.0 + close, 2.0, 2.0 + close, 12.0, 20.0, 20.0 + close, 30.0, 40.0])
    runs = []
    for realisation in range(30):
        tracks = forward(job, realisation, 1.0, 400, times)
        generator = np.random.default_rng([20240517, job.run.seed, realisation])
        runs.append((tracks, isotropic(generator, 400)))
    return times, runs


def test_growth_is_the_symmetrised_arrival(isotropic_runs):
    """On the same particles, up to the curvature between two stops and the steps of Boris."""
    times, runs = isotropic_runs
    for first, second in ((0, 1), (2, 3), (5, 6)):
        growth, arrival, lone = [], [], []
        for tracks, start in runs:
            step = times[second] - times[first]
            x, u = tracks.displacement[[first, second]], tracks.direction[[first, second]]
            product = np.einsum("sni,snj->sij", x, x) / x.shape[1]
            growth.append((product[1] - product[0]) / (2 * step))
            both = tensors.arrival_tensor(x, u)[0].mean(axis=0)
            arrival.append((both + both.T) / 2)
            lone.append(tensors.velocity_tensor(x, start)[0].mean(axis=0))
        growth, arrival, lone = map(np.array, (growth, arrival, lone))
        # trapezoidal rule: step^2/12 times (3 u.du/dt, X d2u/dt2) ~ X/r^2 with |B| to 2.5 B_rms
        size = np.sqrt(np.mean(np.sum(x[0] ** 2, axis=-1)))
        error = step**2 / 12 * (size + 3) * 2.5**2 + 2e-3
        assert np.abs(growth - arrival).max() <= error
        # control: the velocity correlation is another sample of the same mean
        assert np.abs(growth - lone).max() > 3 * error


def test_displacements_and_velocities_agree(isotropic_runs):
    """T = 20 to 40 pc, ten mean free paths: D of both within the error of their difference."""
    times, runs = isotropic_runs
    found = collect([all_tensors(tracks.displacement, tracks.direction, start, times)
                     for tracks, start in runs])
    velocity = components(found["velocity"])["D_iso"][:, [5, 7, 8]].mean(axis=1)
    spread = components(found["displacement"])["D_iso"] * times
    growth = (spread[:, -1] - spread[:, 5]) / (times[-1] - times[5])
    mean, margin = mean_and_margin(growth - velocity)
    assert abs(mean) <= margin
    assert margin <= 0.15 * growth.mean()
    # control: the time average at T = 2 pc, before the plateau
    early, margin = mean_and_margin(spread[:, 2] / times[2] - growth)
    assert abs(early) > 3 * margin


def deviations(values):
    """The five traceless symmetric parts of tensors (n, 3, 3), in units of their errors."""
    parts = np.stack([values[:, 0, 1], values[:, 0, 2], values[:, 1, 2],
                      (values[:, 0, 0] - values[:, 1, 1]) / 2,
                      (2 * values[:, 2, 2] - values[:, 0, 0] - values[:, 1, 1]) / 6], axis=1)
    mean, margin = mean_and_margin(parts)
    return mean / margin


def test_tensor_is_isotropic_without_a_uniform_field(isotropic_runs):
    times, runs = isotropic_runs
    values = []
    for tracks, _ in runs:
        x = tracks.displacement[[4, 8]]
        product = np.einsum("sni,snj->sij", x, x) / x.shape[1]
        values.append((product[1] - product[0]) / (2 * (times[8] - times[4])))
    values = np.array(values)
    assert np.abs(deviations(values)).max() <= 1
    # control: one axis with 20 % more
    assert np.abs(deviations(values * np.sqrt(np.outer([1, 1, 1.2], [1, 1, 1.2])))).max() > 1


# ---- small angles ----------------------------------------------------------------------------

SMALL_OUTER, SMALL_INNER, SMALL_LENGTH = 100.0, 50.0, 37.02414


def small_angle_runs(x, times, regular=None, realisations=24, count=300):
    """Tensors and <u(0).u(T)> at r_g = x L_c in a turbulent field of 4 uG; times in tau."""
    job = transport_job(SMALL_OUTER, SMALL_INNER, cells=32, levels=1, seed=32, regular=regular)
    assert job.coherence_length == pytest.approx(SMALL_LENGTH, rel=1e-6)
    tau = 4 * x**2 * SMALL_LENGTH
    # `forward` wants the gyroradius in both fields together
    whole = x * SMALL_LENGTH * job.turbulence.rms / job.b_ref
    found, memory = [], []
    for realisation in range(realisations):
        tracks = forward(job, realisation, whole, count, tau * np.asarray(times),
                         steps_per_gyroradius=whole / (SMALL_INNER / 4))
        start = isotropic(np.random.default_rng([20240517, job.run.seed, realisation]), count)
        found.append(all_tensors(tracks.displacement, tracks.direction, start,
                                 tau * np.asarray(times)))
        memory.append(np.einsum("sni,ni->s", tracks.direction, start) / count)
    return collect(found), np.array(memory), tau


def test_small_angle_limit():
    times = np.array([0.25, 0.5, 1.0, 3.0, 6.0])
    found, memory, tau = small_angle_runs(10, times)
    limit = theory.small_angle(10 * SMALL_LENGTH, SMALL_LENGTH)
    assert tau / 3 == pytest.approx(limit) and theory.VALID["small_angle"](10.0, 1.0)
    # directions: 2 % of tau, for corrections of order (L_c/r_g)^2 and the lattice's few waves
    mean, margin = mean_and_margin(memory[:, :3])
    rate = -np.log(mean) / times[:3]
    assert np.all(np.abs(rate - 1) <= margin / mean / times[:3] + 0.02)
    spread = components(found["displacement"])["D_iso"] * tau * times
    growth = (spread[:, -1] - spread[:, -2]) / (tau * 3)
    transient = 1 - (np.exp(-3) - np.exp(-6)) / 3
    mean, margin = mean_and_margin(growth / (limit * transient))
    assert abs(mean - 1) <= margin + 0.02 and margin <= 0.1
    # control: the one-sided coherence length
    assert abs(mean - theory.small_angle(10, 0.5) / theory.small_angle(10, 1.0)) > 5 * margin


def test_white_noise_beside_a_uniform_field():
    """r_g = 4 L_c in the turbulence and 16 L_c in the uniform field: W = 4."""
    direction, x, ratio = (70.0, -25.0), 4, 4
    b = unit_vector(*direction)
    found, _, tau = small_angle_runs(x, [3.0, 6.0], regular=(4.0 / ratio, direction), count=600)
    turns = tau / (x * ratio * SMALL_LENGTH)
    assert turns == pytest.approx(4.0)
    parts = components(found["interval"][:, 1], b)
    parts["D_A"] = hall((found["velocity"] + found["arrival"])[:, 0] / 2, b)
    along = 1 - (np.exp(-3) - np.exp(-6)) / 3
    expected = {"D_par": tau / 3 * along, "D_perp": tau / 3 / (1 + turns**2),
                "D_A": tau / 3 * turns / (1 + turns**2)}
    for name, value in expected.items():
        mean, margin = mean_and_margin(parts[name] / value)
        # 5 %: (L_c/r_g)^2 = 6 % of a part of it, as for x = 3 without a uniform field; what
        # exp(-3) leaves of the oscillating transients across is 4 % and 1 % of D_perp and D_A
        assert abs(mean - 1) <= margin + 0.05, name
        assert margin <= 0.25, name
    # controls: no gyration; the other charge
    mean, margin = mean_and_margin(parts["D_perp"])
    assert abs(mean - tau / 3) > 10 * margin
    assert mean_and_margin(parts["D_A"])[0] > mean_and_margin(parts["D_A"])[1]


# ---- turbulence level ------------------------------------------------------------------------


def check_ordering(found):
    """D_par falls and D_perp rises with the turbulence, and they never meet."""
    def apart(smaller, larger):
        return smaller[0] + smaller[1] < larger[0] - larger[1]

    for weak, strong in zip(found[:-1], found[1:], strict=True):
        assert apart(strong["D_par"], weak["D_par"])
        assert apart(weak["D_perp"], strong["D_perp"])
    for one in found:
        assert apart(one["D_perp"], one["D_par"])


def test_turbulence_level():
    """r_g = 0.3 pc in both fields, L_max = 5 pc: shares of the turbulence 0.1, 0.3 and 0.8."""
    direction, found = (20.0, 40.0), []
    b = unit_vector(*direction)
    for share, last in ((0.1, 500.0), (0.3, 150.0), (0.8, 50.0)):
        job = transport_job(OUTER, INNER, cells=48, levels=2, seed=33, rms=4 * share**0.5,
                            regular=(4 * (1 - share) ** 0.5, direction))
        times = last * np.array([0.2, 0.4, 0.7, 1.0])
        runs = [tensors.displacement_tensor(forward(job, n, 0.3, 150, times).displacement, times)[0]
                for n in range(16)]
        parts = components(runs, b)
        spread = {name: values * times for name, values in parts.items()}
        found.append({name: mean_and_margin((s[:, -1] - s[:, 0]) / (times[-1] - times[0]))
                      for name, s in spread.items()})
    check_ordering(found)
    with pytest.raises(AssertionError):  # control: levels taken for their opposites
        check_ordering(found[::-1])
    # quasi-linear: D_par ~ r_g0^(1/3) (B0/dB)^2 for a spectrum, whatever the waves' directions,
    # with corrections of the next order, (dB/B0)^2 = 0.43 of it at the larger level
    slab = [theory.quasilinear_parallel(0.3 / np.sqrt(1 - share), np.sqrt(share / (1 - share)),
                                        2 * np.pi / OUTER) for share in (0.1, 0.3)]  # fmt: skip
    (weak, weak_margin), (strong, strong_margin) = (one["D_par"] for one in found[:2])
    margin = np.hypot(weak_margin / weak, strong_margin / strong)
    off = weak / strong / (slab[0] / slab[1]) - 1
    assert abs(off) <= 0.3 / 0.7 + margin and margin <= 0.25
    # controls: D_par independent of dB/B0, or going as its inverse fourth power
    step = 0.3 / 0.7 / (0.1 / 0.9)
    for wrong in (1 / step, step):
        assert abs(wrong * (1 + off) - 1) > 0.3 / 0.7 + margin


# ---- field lines -----------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.1, 0.3])
def test_field_line_random_walk(ratio):
    direction = (20.0, 40.0)
    b, values = unit_vector(*direction), []
    job = transport_job(OUTER, INNER, cells=32, levels=2, seed=34, rms=4 * ratio,
                        regular=(4.0, direction))
    length = job.coherence_length
    distances = length * np.array([3.0, 6.0, 9.0, 12.0])
    for realisation in range(60):
        starts = np.random.default_rng(realisation).uniform(-2000, 2000, (400, 3))
        lines = field_lines(make_field(job, realisation).arrays, starts, b, distances,
                            line_step(INNER, distances[-1]))
        across = lines - (lines @ b)[..., None] * b
        square = np.sum(across**2, axis=-1).mean(axis=0) / 4  # <x_i^2>/2 of one of two components
        values.append((square[-1] - square[0]) / (distances[-1] - distances[0]))
    expected = theory.field_line_walk(ratio, length)
    assert theory.VALID["field_line_walk"](ratio, length)
    mean, margin = mean_and_margin(np.array(values) / expected)
    # 10 %: corrections of the order (dB/B0)^2 = 0.09, and waves of finite number and length
    assert margin <= 0.05
    assert abs(mean - 1) <= 0.1
    # controls: the one-sided coherence length; the strength of one component for dB
    for wrong in (theory.field_line_walk(ratio, length / 2),
                  theory.field_line_walk(ratio / np.sqrt(3), length)):
        assert abs(mean - wrong / expected) > margin + 0.1
