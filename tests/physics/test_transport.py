"""Transport: what the response tends to, and diffusion coefficients with known values.

Theory. By stationarity of isotropic particles in homogeneous turbulence the mean response over
realisations is at every T, not only in the limit,
    <M_ij>(T) = 3 int_0^T <u_i(T) u_j(t)> dt = 3 <U_i X_j>
of positive particles that move forward in time from anywhere, with the symmetric part
    (3/2) d<X_i X_j>/dT -> 3 D_ij/c          (Taylor 1922, Green 1951, Kubo 1957).
The time average <X_i X_j>/(2T) is another function of T with the same limit: for ballistic
particles, M = T, it is T/6 instead of T/3.

Small angles, r_g >> L_c: per path length the direction gains <|du|^2> = L_c/(2 r_g^2) (two of
three components turn the particle, and the transverse ones carry half of the line integral of
<B.B>), so <u(T).u(0)> = exp(-T/tau) with tau = 4 r_g^2/L_c (pc/c) and
    D/c = tau/3 = (4/3) r_g^2/L_c,
L_c two-sided, by the full formula. Between T_1 and T_2 the average of the running value is D/c
times 1 - tau [exp(-T_1/tau) - exp(-T_2/tau)]/(T_2 - T_1).

All energies (Harari, Mollerach & Roulet 2014, PRD 89, 123001, a fit to their simulations):
    D = (c l_c/3) [4 x^2 + 0.9 x + 0.23 x^(1/3)],  x = r_g/l_c,  here l_c = L_max/5.

Parameters: Kolmogorov turbulence of 4 uG, L_max = 100 pc; L_min from 50 pc (small angles: any
band will do) down to 0.12 pc; r_g from 0.6 to 370 pc.
"""

import numpy as np
import pytest
from particles import forward, mean_and_error, rigidity_of, transport_job

from hpc_cr import make_field
from hpc_cr.anisotropy.ensembles import coefficients
from hpc_cr.anisotropy.liouville import local_response
from hpc_cr.anisotropy.response import response_of
from hpc_cr.diffusion.tensors import arrival_tensor, displacement_tensor, interval_tensor
from hpc_cr.frames import unit_vector
from hpc_cr.trajectories import backtrack
from hpc_cr.trajectories.directions import healpix_directions

OTHER = 1000  # first of the realisations of forward-moving particles


def mean_responses(job, realisations, gyroradius, times, *, nside=4, observers=4):
    """M and W of every realisation, (n_realisation, n_stop, 3, 3), averaged over observers."""
    n = healpix_directions(nside)
    generator = np.random.default_rng(51)
    result = []
    for realisation in range(realisations):
        field = make_field(job, realisation)
        skies = []
        for position in generator.uniform(-2000, 2000, (observers, 3)):
            sky = backtrack(field, rigidity_of(gyroradius, field), n, times, position=position)
            skies.append([[response_of(n, x).response for x in maps]
                          for maps in (sky.displacement, sky.direction)])
        result.append(np.mean(skies, axis=0))
    return np.moveaxis(result, 1, 0)


def forward_tensors(job, realisations, gyroradius, times, count=600, charge=+1):
    """3 <U_i X_j> and 3 <X_i X_j>/2T of every realisation, (n_realisation, n_stop, 3, 3)."""
    arrival, average = [], []
    for realisation in range(OTHER, OTHER + realisations):
        tracks = forward(job, realisation, gyroradius, count, times, charge=charge)
        arrival.append(3 * arrival_tensor(tracks.displacement, tracks.direction)[0])
        average.append(3 * displacement_tensor(tracks.displacement, times)[0])
    return np.array(arrival), np.array(average)


def check_same_mean(one, other):
    """Two independent ensembles (n_realisation, ...) have the same mean."""
    (mean, error), (other_mean, other_error) = mean_and_error(one), mean_and_error(other)
    # 3 sigma, errors from the scatter between realisations
    pulls = (mean - other_mean) / np.hypot(error, other_error)
    assert np.abs(pulls).max() <= 3.0


# ---- mean response = derivative of the displacement's variance -------------------------------

TIMES = np.array([10.0, 30.0, 60.0])


def test_mean_response_isotropic():
    """r_g = 10 pc, mean free path about 30 pc: T from the ballistic range to the plateau."""
    job = transport_job(inner=6.0, seed=52)
    response, _ = mean_responses(job, 64, 10.0, TIMES)
    arrival, average = forward_tensors(job, 64, 10.0, TIMES)

    def trace(tensors):
        return np.trace(tensors, axis1=-2, axis2=-1) / 9  # D/c, of M/3

    # the test must be able to tell: the means are known to 5 % or better
    assert np.all(mean_and_error(trace(response))[1] <= 0.05 * trace(response).mean(axis=0))
    check_same_mean(trace(response), trace(arrival))
    with pytest.raises(AssertionError):  # control: the time average, before the plateau
        check_same_mean(trace(response)[:, -1], trace(average)[:, -1])
    with pytest.raises(AssertionError):  # control: one third missing
        check_same_mean(trace(response) / 3, trace(arrival))


def test_mean_response_with_regular_field():
    """Parallel, perpendicular and Hall parts beside a uniform field as strong as the turbulence;
    r_g = 30 pc in both fields together."""
    direction = (75.0, -25.0)
    b = unit_vector(*direction)
    times = np.array([15.0, 60.0, 120.0])
    job = transport_job(inner=6.0, seed=53, regular=(4.0, direction))
    response, _ = mean_responses(job, 32, 30.0, times)
    arrival, average = forward_tensors(job, 32, 30.0, times)
    other_charge, _ = forward_tensors(job, 32, 30.0, times, charge=-1)

    def parts(tensors):
        return coefficients(tensors, b)

    hall, error = (value[..., 2] for value in mean_and_error(parts(response)))
    assert np.all(hall >= 5 * error)  # positive for positive particles, and seen at 5 sigma
    check_same_mean(parts(response), parts(arrival))
    with pytest.raises(AssertionError):  # control: antiparticles
        check_same_mean(parts(response), parts(other_charge))
    check_same_mean(parts(response)[..., :2], parts(other_charge)[..., :2])
    with pytest.raises(AssertionError):  # control: the time average
        check_same_mean(parts(response)[..., :2], parts(average)[..., :2])


# ---- small angles ----------------------------------------------------------------------------

OUTER, INNER = 100.0, 50.0
L_C = 37.02414  # pc, two-sided, q = 5/3 between 50 and 100 pc


def check_small_angle(values, coherence_length, gyroradius, interval):
    """Mean D/c of the realisations against (4/3) r_g^2/L_c."""
    tau = 4 * gyroradius**2 / coherence_length
    first, second = interval
    transient = 1 - tau * (np.exp(-first / tau) - np.exp(-second / tau)) / (second - first)
    mean, error = mean_and_error(values)
    expected = 4 / 3 * gyroradius**2 / coherence_length * transient
    # 5 %: three times the statistical error asked for, or 2 sigma and the corrections of order
    # (L_c/r_g)^2 that the limit neglects (at most 3 %)
    assert error <= 0.017 * expected
    assert abs(mean / expected - 1) <= 0.05


@pytest.mark.parametrize("x", [3, 10])
def test_small_angle_limit(x):
    gyroradius = x * L_C
    tau = 4 * gyroradius**2 / L_C
    interval = np.array([3.0, 6.0]) * tau
    job = transport_job(OUTER, INNER, cells=32, levels=1, seed=54)
    assert job.coherence_length == pytest.approx(L_C, rel=1e-6)
    values = []
    for realisation in range(24):
        # step = L_min/4
        tracks = forward(job, realisation, gyroradius, 300, interval,
                         steps_per_gyroradius=gyroradius / (INNER / 4))
        values.append(np.trace(interval_tensor(tracks.displacement, interval)[0][1]) / 3)
    check_small_angle(values, L_C, gyroradius, interval)
    with pytest.raises(AssertionError):  # control: the one-sided coherence length
        check_small_angle(values, L_C / 2, gyroradius, interval)
    with pytest.raises(AssertionError):  # control: tau for 3 D/c
        check_small_angle(3 * np.array(values), L_C, gyroradius, interval)


def test_local_term_shortens_the_transient():
    """In the small-angle limit M = tau (1 - exp(-T/tau)) and W = exp(-T/tau): with the diffusive
    dipole already present at -T the response M + 3 W K is tau = 3 D/c at any T."""
    gyroradius = 3 * L_C
    tau = 4 * gyroradius**2 / L_C
    job = transport_job(OUTER, INNER, cells=32, levels=1, seed=55)
    m, w = mean_responses(job, 16, gyroradius, [tau / 2, tau], observers=2)
    diffusion = tau / 3 * np.eye(3)

    def check(responses):
        values = np.trace(responses, axis1=-2, axis2=-1) / 3
        mean, error = mean_and_error(values)
        assert np.all(error <= 0.017 * tau)
        # 5 % as in check_small_angle
        assert np.all(np.abs(mean / tau - 1) <= 0.05)

    check(local_response(m, w, diffusion))
    with pytest.raises(AssertionError):  # control: without the term
        check(m)
    with pytest.raises(AssertionError):  # control: the dipole at -T with the wrong sign
        check(local_response(m, -w, diffusion))


# ---- all energies ----------------------------------------------------------------------------


def harari(gyroradius, coherence_length):
    """D/c in pc."""
    x = gyroradius / coherence_length
    return coherence_length / 3 * (4 * x**2 + 0.9 * x + 0.23 * x ** (1 / 3))


def diffusion_coefficients(gyroradius, inner, interval, realisations, count):
    """D/c (pc) of each realisation from the interval between two times (pc)."""
    job = transport_job(100.0, inner, seed=56)
    values = []
    for realisation in range(realisations):
        # at most r_g/8, and L_min whatever the number of steps (make_plan)
        tracks = forward(job, realisation, gyroradius, count, interval)
        values.append(np.trace(interval_tensor(tracks.displacement, interval)[0][1]) / 3)
    return np.array(values)


def check_level(values, gyroradius, coherence_length=20.0):
    """Mean D/c within -25/+20 % of the fit, which is as well as such fits agree."""
    mean, error = mean_and_error(values)
    assert error <= 0.03 * mean
    assert 0.75 <= mean / harari(gyroradius, coherence_length) <= 1.20


# x, L_min, interval (both in pc), realisations, particles in each. L_min is r_g/5 at most, and
# 1 pc, since the fit is for L_min << L_max. The interval begins after four outer scales (low x:
# the slow tail) and five mean free paths (high x: exp(-5) < 1 % of the transient is left)
FAST = [(0.3, 1.0, (400, 800), 40, 150), (1.0, 0.6, (800, 1600), 40, 150)]
FULL = [(0.03, 0.12, (1000, 2000), 60, 150), (0.1, 0.4, (600, 1200), 60, 150),
        (0.3, 0.6, (400, 800), 60, 300), (1.0, 0.6, (800, 1600), 60, 150),
        (3.0, 1.0, (4000, 8000), 40, 150)]


@pytest.mark.parametrize("x, inner, interval, realisations, count", FAST)
def test_diffusion_coefficient(x, inner, interval, realisations, count):
    values = diffusion_coefficients(20 * x, inner, interval, realisations, count)
    check_level(values, 20 * x)
    with pytest.raises(AssertionError):  # control: B_rms taken for the rms of one component
        check_level(values, 20 * x * np.sqrt(3))
    with pytest.raises(AssertionError):  # control: the missing factor 3
        check_level(3 * values, 20 * x)


@pytest.mark.slow
@pytest.mark.parametrize("x, inner, interval, realisations, count", FULL)
def test_diffusion_coefficient_all_energies(x, inner, interval, realisations, count):
    values = diffusion_coefficients(20 * x, inner, interval, realisations, count)
    check_level(values, 20 * x)
    with pytest.raises(AssertionError):  # control: the missing factor 3
        check_level(3 * values, 20 * x)
