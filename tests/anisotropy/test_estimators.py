"""Estimators of ensemble quantities: exact where theory is, else within 4 sigma of the sample.

Uniform field b, M exactly: M_ij = T b_i b_j + r_g sin(T/r_g) (delta_ij - b_i b_j)
+ r_g [1 - cos(T/r_g)] eps_ijk b_k, and every path is a stretch of one helix, so that 3 <X_i U_j>
is the same tensor. Small-angle scattering: M = tau (1 - exp(-T/tau)), W = exp(-T/tau), limit tau.
Noise of variance s^2 per component on a vector of length a raises the mean length by s^2/a.
"""

import numpy as np
import pytest

from hpc_cr import backtrack, make_field
from hpc_cr.anisotropy.ensembles import coefficients, mean_and_error
from hpc_cr.anisotropy.estimators import (
    amplitudes,
    arrival_response,
    controlled_mean,
    debiased_amplitudes,
    equivalent_gradients,
    field_controls,
    half_responses,
    limit_response,
)
from hpc_cr.anisotropy.multipoles import alm_of, half_samples
from hpc_cr.anisotropy.response import dipole_matrix, nested_quads
from hpc_cr.config import parse_job
from hpc_cr.frames import unit_vector
from hpc_cr.trajectories.directions import healpix_directions

AXIS = np.array([1.0, 2.0, -2.0]) / 3.0
GRADIENT = np.array([0.3, -0.1, 0.2])


def same(value, expected, error):
    """Whether a mean with its error is an expected one, 4 sigma."""
    return np.all(np.abs(value - expected) <= 4 * error)


# ---- symmetry --------------------------------------------------------------------------------


def test_equivalent_gradients_keep_length_and_angle():
    for symmetry in ("isotropic", "none", AXIS, -5 * AXIS):
        lengths = np.linalg.norm(equivalent_gradients(GRADIENT, symmetry), axis=1)
        np.testing.assert_allclose(lengths, np.linalg.norm(GRADIENT), rtol=1e-14)
    around = equivalent_gradients(GRADIENT, AXIS)
    np.testing.assert_allclose(around @ AXIS, GRADIENT @ AXIS, atol=1e-15)
    np.testing.assert_allclose(around.mean(axis=0), (GRADIENT @ AXIS) * AXIS, atol=1e-15)
    np.testing.assert_allclose(around[0], GRADIENT, atol=1e-15)
    # with their opposites the isotropic ones are all HEALPix centres: <g g> = g^2/3 to 2 %
    every = equivalent_gradients(GRADIENT, "isotropic")
    tensor = every.T @ every / len(every) / (GRADIENT @ GRADIENT)
    np.testing.assert_allclose(tensor, np.eye(3) / 3, atol=0.02)


def test_amplitudes_have_the_mean_of_one_gradient_and_less_scatter():
    generator = np.random.default_rng(1)
    response = np.eye(3) + generator.standard_normal((4000, 3, 3))  # invariant under rotations
    one = np.linalg.norm(response @ GRADIENT, axis=-1)
    all_ = amplitudes(response, GRADIENT, "isotropic")
    difference = all_ - one
    assert same(difference.mean(), 0.0, difference.std() / np.sqrt(len(one)))
    assert all_.var() < one.var() / 1.5
    # control: an ensemble with an axis has no such symmetry
    response = response * [1.0, 1.0, 0.2]
    one = np.linalg.norm(response @ GRADIENT, axis=-1)
    difference = amplitudes(response, GRADIENT, "isotropic") - one
    assert not same(difference.mean(), 0.0, difference.std() / np.sqrt(len(one)))


# ---- noise -----------------------------------------------------------------------------------


@pytest.mark.parametrize("nside", [2, 4])
def test_half_responses_are_least_squares_dipoles_of_the_halves(nside):
    n = healpix_directions(nside)
    maps = np.random.default_rng(2).standard_normal(n.shape) + n @ np.diag([1.0, 2.0, 3.0])
    halves = half_samples(nested_quads(nside), len(n))
    alm = np.array([alm_of(np.ascontiguousarray(maps.T), 2 * nside, half) for half in halves])
    expected = np.array([dipole_matrix(n[half], maps[half]) for half in halves])
    np.testing.assert_allclose(half_responses(alm, nside), expected, rtol=0, atol=1e-12)
    # control: halves the wrong way round
    assert np.abs(half_responses(alm[::-1], nside) - expected).max() > 0.05


def test_half_responses_refuse_nside_1():
    with pytest.raises(ValueError, match="nside 2"):
        half_responses(np.zeros((2, 3, 3), complex), 1)


def test_debiased_amplitudes():
    """a = 1, noise of 0.2 per component from all particles: bias 0.04, of the next order 0.0004."""
    count = 40_000
    noise = 0.2 * np.sqrt(2) * np.random.default_rng(3).standard_normal((count, 2, 3))
    halves = np.array([1.0, 0.0, 0.0]) + noise
    whole = np.linalg.norm(halves.mean(axis=1), axis=-1)
    clean = debiased_amplitudes(whole, np.linalg.norm(halves, axis=-1))
    error = clean.std() / np.sqrt(count)
    assert error < 0.0015
    assert same(clean.mean(), 1.0, error)
    assert not same(whole.mean(), 1.0, error)  # control: the bias is seen


# ---- stationarity and limit ------------------------------------------------------------------


def job_text(rms, inner, strength, cells=32, levels=1):
    return (f'[run]\nseed = 4\n[turbulence]\nrms = "{rms} uG"\nouter_scale = "100 pc"\n'
            f'inner_scale = "{inner} pc"\n[grids]\ncells = {cells}\nlevels = {levels}\n'
            f'[regular]\nmodel = "uniform"\nstrength = "{strength} uG"\ndirection = [30, 40]\n'
            '[boundary]\ntimes = ["1 pc"]\n')


def test_arrival_response_of_a_uniform_field():
    field = make_field(parse_job(job_text(0, 1, 4)))
    n, times = healpix_directions(8), [0.6, 2.0]
    tracks = backtrack(field, 1.0, n, times)
    b, radius = unit_vector(30, 40), 1.0810076 / 4
    bb, eps_b = np.outer(b, b), -np.cross(np.eye(3), b)
    found = arrival_response(np.swapaxes(tracks.displacement, 1, 2),
                             np.swapaxes(tracks.direction, 1, 2))
    for arrival, time in zip(found, times, strict=True):
        phase = time / radius
        hall = radius * (1 - np.cos(phase)) * eps_b
        expected = time * bb + radius * np.sin(phase) * (np.eye(3) - bb) + hall
        # 3 <n n> at nside 8 is the unit tensor to 1.5e-3; the integrator's phase is 1e-3
        np.testing.assert_allclose(arrival, expected, atol=3e-3 * time + 1e-3)
        # control: the other charge, or the transpose
        assert np.abs(arrival - (expected - 2 * hall)).max() > 0.1 * radius


def test_arrival_response_leaves_out_what_did_not_finish():
    n = healpix_directions(4)
    x, u = 5 * n.T, n.T.copy()
    x[:, :96] = np.nan  # the northern half
    np.testing.assert_allclose(np.trace(arrival_response(x, u)), 15.0)
    assert np.isnan(arrival_response(np.full_like(x, np.nan), u)).all()


def test_arrival_response_in_turbulence():
    """Turbulence beside a regular field as strong, r_g = 30 pc: one mean, parallel and Hall."""
    job = parse_job(job_text(4, 25, 4))
    n, observers = healpix_directions(2), 16
    start, generator = np.tile(n, (observers, 1)), np.random.default_rng(5)
    rows = []
    for realisation in range(24):
        field = make_field(job, realisation)
        places = np.repeat(generator.uniform(-1000, 1000, (observers, 3)), len(n), axis=0)
        tracks = backtrack(field, 30 * field.b_ref / 1.0810076, start, [60.0], position=places)
        x, u = (values[0].reshape(observers, len(n), 3).swapaxes(1, 2)
                for values in (tracks.displacement, tracks.direction))
        response = np.array([dipole_matrix(n, sky.T) for sky in x])
        rows.append([values.mean(axis=0) for values in
                     (response, arrival_response(x, u), arrival_response(u, x))])
    response, arrival, transposed = np.moveaxis(coefficients(rows, unit_vector(30, 40)), 1, 0)
    group = np.arange(len(rows))
    difference, error = mean_and_error(response - arrival, group)
    assert np.all(error < 0.1 * response.mean(axis=0)[0])
    assert same(difference, 0.0, error)
    difference, error = mean_and_error(response - transposed, group)
    assert not same(difference, 0.0, error)  # control: the Hall part turned


def test_limit_response():
    tau, generator = 7.0, np.random.default_rng(6)
    group = np.repeat(np.arange(200), 2)
    for time in (3.0, 10.0):
        memory = np.exp(-time / tau)
        noise = 0.1 * generator.standard_normal((2, len(group), 3, 3))
        m = tau * (1 - memory) * np.eye(3) + noise[0]
        w = memory * np.eye(3) + 0.1 * noise[1]
        limit, error = limit_response(m, w, group, "isotropic")
        assert 0 < error[0, 0] < 0.03 * tau
        assert same(limit[0, 0], tau, error[0, 0])
        wrong, _ = limit_response(m, -w, group, "isotropic")
        assert not same(wrong[0, 0], tau, error[0, 0])  # control: the dipole at -T turned


# ---- control variates ------------------------------------------------------------------------


def test_controlled_mean_takes_out_what_is_known():
    generator = np.random.default_rng(7)
    group = np.repeat(np.arange(100), 3)
    controls = generator.standard_normal((300, 2))
    values = 5 + controls @ [2.0, -1.0] + 0.5 * generator.standard_normal(300)
    plain, plain_error = mean_and_error(values, group)
    mean, error = controlled_mean(values, controls, group)
    assert same(mean, 5.0, error) and same(plain, 5.0, plain_error)
    # variances 5.25 and 0.25: errors as 4.6 to 1, each known to 7 %
    assert 3.5 < plain_error / error < 6
    shifted, error = controlled_mean(values, controls + [0.5, 0.0], group)
    assert not same(shifted, 5.0, error)  # control: a mean that is not the known one


def test_field_controls_have_no_mean():
    field = make_field(parse_job(job_text(4, 25, 2)))
    generator = np.random.default_rng(8)
    places, reference = generator.uniform(-2000, 2000, (2, 20_000, 3))
    found = field_controls(field, places, reference)
    error = np.sqrt(2) * found.std(axis=0) / np.sqrt(len(places))
    # 1/|B| has a long tail: its variance exists, 4 sigma hold for 20000
    assert same(found.mean(axis=0), 0.0, error)
    strength2 = np.sum(field.at(places) ** 2, axis=1)
    np.testing.assert_allclose(found[:, 1] - found[0, 1], strength2 - strength2[0], rtol=1e-9,
                               atol=1e-9)
    far = field_controls(field, places, 0 * reference)  # control: one place for all
    assert not same(far.mean(axis=0), 0.0, error)
