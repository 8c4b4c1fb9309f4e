"""Liouville's theorem: skies whose intensity is known exactly.

Theory. The phase-space density is constant along trajectories, so the intensity from n is the
one at the other end of the backtracked trajectory. For a uniform gradient g it is 1 + g.X(T; n)
and the dipole is delta_i = M_ij g_j with the response M_ij, i = axis on the sky, j = axis of X.

* Uniform density (g = 0): an isotropic sky stays isotropic in any magnetic field (Swann 1933),
  here with all multipoles but the monopole exactly 0, also where a part of the sky is missing.
* No field: X = T n, so M_ij = T delta_ij; on a sphere X = R n and M_ij = R delta_ij. The map has
  no structure besides its dipole, so no sampling error and no shot noise may be claimed.
* Uniform field B along b: with the phase phi = T/r_g the antiparticle of u' = -(u x b)/r_g has
  X = T b (b.n) + r_g sin(phi) [n - b (b.n)] + r_g (1 - cos phi) b x n, linear in n, so
      M_ij = T b_i b_j + r_g sin(phi) (delta_ij - b_i b_j) + r_g (1 - cos phi) eps_ijk b_k,
  again without noise. The antisymmetric (Hall) part gives delta = r_g (1 - cos phi) g x b, the
  diamagnetic anisotropy of positive particles; it has the other sign for the wrong charge.

Parameters: R = 2 PV, B = 4 uG (r_g = 0.5405 pc), b towards (l, b) = (30, 40) degrees; T between
a quarter and 20 gyrations. Turbulence, where there is any: 4 uG between 100 and 25 pc.
"""

import numpy as np
import pytest
from particles import rigidity_of, transport_job

from hpc_cr import make_field
from hpc_cr.anisotropy.liouville import (
    gradient_intensity,
    local_response,
    local_term,
    sphere_intensity,
)
from hpc_cr.anisotropy.multipoles import alm_of
from hpc_cr.anisotropy.response import nested_quads, response_of
from hpc_cr.anisotropy.skymaps import intensity_map
from hpc_cr.frames import unit_vector
from hpc_cr.trajectories import backtrack
from hpc_cr.trajectories.directions import healpix_directions, random_directions

NSIDE = 8
LEVI_CIVITA = np.array([[[(i - j) * (j - k) * (k - i) / 2 for k in range(3)] for j in range(3)]
                        for i in range(3)])


def sky(trajectories, directions, quads=None):
    """Responses of the displacement maps, one per stop."""
    return [response_of(directions, x, quads) for x in trajectories.displacement]


# ---- uniform boundary ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def turbulent():
    """A sky of 1 r_g = 10 pc behind turbulence: by time, and by sphere with unfinished paths."""
    field = make_field(transport_job(inner=25.0, cells=32, seed=21), 0)
    n = healpix_directions(NSIDE)
    rigidity = rigidity_of(10.0, field)
    by_time = backtrack(field, rigidity, n, [20.0, 60.0])
    by_radius = backtrack(field, rigidity, n, radii=[10.0, 50.0], limit=90.0)
    return n, by_time, by_radius


def check_isotropic(n, intensity, l_max=8):
    """No dipole, and no multipole but the monopole of intensity 1; NaN where nothing arrived."""
    dipole = response_of(n, intensity[:, None]).response[:, 0]
    (alm,) = alm_of(intensity[None], l_max)
    # a constant map is zero without its mean, and what is computed from zeros is zero, exactly
    assert np.all(dipole == 0.0)
    assert np.all(alm[1:] == 0.0)
    assert abs(alm[0] - np.sqrt(4 * np.pi)) <= 1e-15 * np.sqrt(4 * np.pi)


def test_uniform_density_gives_exactly_no_anisotropy(turbulent):
    """The intensity of every direction is that of the far end: 1, whatever the path to it."""
    n, by_time, by_radius = turbulent
    x, u = by_time.displacement[-1], by_time.direction[-1]
    check_isotropic(n, intensity_map(x.T, np.zeros(3)))
    check_isotropic(n, 1 + gradient_intensity(x, np.zeros(3)))
    check_isotropic(n, 1 + local_term(u, 40.0 * np.eye(3), np.zeros(3)))
    # on the sphere of 50 pc not all arrive, and the hole in the sky must not look like a dipole
    crossing = by_radius.displacement[-1]
    arrived = np.isfinite(crossing[:, 0])
    assert 0 < np.sum(~arrived) < len(n) / 2
    on_sphere = 1 + sphere_intensity(crossing, 50.0, 0.0, [0, 0, 1])
    check_isotropic(n, on_sphere)
    # controls: a plain sum over what has arrived sees the hole; a gradient is seen
    assert np.linalg.norm(3 * n[arrived].T @ on_sphere[arrived] / arrived.sum()) > 1e-2
    gradient = np.array([0.0, 1e-3, 0.0])
    for intensity in (intensity_map(x.T, gradient),
                      1 + local_term(u, 40.0 * np.eye(3), gradient),
                      1 + sphere_intensity(crossing, 50.0, 50.0 * 1e-3, [0, 1, 0])):
        with pytest.raises(AssertionError):
            check_isotropic(n, intensity)
        assert np.linalg.norm(response_of(n, intensity[:, None]).response) > 1e-3


# ---- no field --------------------------------------------------------------------------------


def check_free_particles(response, error, noise, length):
    """M = length x 1 and no noise claimed."""
    # 1e-12: rounding of sums over some hundred pixels (1e-16 each) and of the 3 x 3 solution
    assert np.abs(response - length * np.eye(3)).max() <= 1e-12 * length
    # the residual is rounding, 1e-15 of the length, and errors are smaller still; noise is squared
    assert np.abs(error).max() <= 1e-12 * length
    assert np.abs(noise).max() <= (1e-12 * length) ** 2


@pytest.mark.parametrize("method", ["boris", "cash-karp"])
@pytest.mark.parametrize("sampling", ["healpix", "random"])
def test_free_particles(sampling, method):
    field = make_field(transport_job(rms=0.0), 0)
    if sampling == "healpix":
        n, quads = healpix_directions(NSIDE), nested_quads(NSIDE)
    else:
        n, quads = random_directions(500, seed=3), None
    stops = [0.7, 35.0, 1200.0]
    by_time = backtrack(field, 1.0, n, stops, method=method)
    by_radius = backtrack(field, 1.0, n, radii=stops, method=method)
    for trajectories in (by_time, by_radius):
        assert np.all(trajectories.status == 1)
        np.testing.assert_allclose(trajectories.time, np.array(stops)[:, None] + 0 * n[:, 0],
                                   rtol=1e-12)
        for stop, result in zip(stops, sky(trajectories, n, quads), strict=True):
            check_free_particles(*result, stop)
    # control: 3 <n X^T> without A^-1, off because <n_i n_j> is not quite 1/3
    plain = 3 * n.T @ by_time.displacement[-1] / len(n)
    with pytest.raises(AssertionError):
        check_free_particles(plain, 0.0, 0.0, stops[-1])


def test_plain_variance_claims_noise_where_there_is_none():
    """Control for the quads: the variance of X/(n_pix) is what a sky without noise has."""
    n = healpix_directions(NSIDE)
    x = 30.0 * n
    naive = np.sqrt(3 / len(n) * x.var(axis=0))
    with pytest.raises(AssertionError):
        check_free_particles(30.0 * np.eye(3), naive, 0.0, 30.0)
    check_free_particles(*response_of(n, x, nested_quads(NSIDE)), 30.0)


def test_free_particles_with_missing_pixels():
    """Least squares over the finite directions is exact for a linear map; plain sums are not."""
    n, quads = healpix_directions(NSIDE), nested_quads(NSIDE)
    missing = (n @ unit_vector(120.0, 35.0)) > 0.7  # a hole in the sky, 15 % of it
    x = np.where(missing[:, None], np.nan, 30.0 * n)
    check_free_particles(*response_of(n, x, quads), 30.0)
    with pytest.raises(AssertionError):
        check_free_particles(3 * n[~missing].T @ x[~missing] / np.sum(~missing), 0.0, 0.0, 30.0)


# ---- uniform field ---------------------------------------------------------------------------

RIGIDITY, STRENGTH, AXIS = 2.0, 4.0, (30.0, 40.0)
R_G = 1.0810076 * RIGIDITY / STRENGTH
TURNS = np.array([0.25, 0.5, 0.8, 3.3, 20.0])
STEPS = 200


def closed_form(time, gyroradius, b):
    """M_ij of positive particles in a uniform field along b, pc."""
    phase = time / gyroradius
    bb = np.outer(b, b)
    return (time * bb + gyroradius * np.sin(phase) * (np.eye(3) - bb)
            + gyroradius * (1 - np.cos(phase)) * LEVI_CIVITA @ b)


def check_closed_form(responses, errors, times, tolerance):
    """All nine components at all times, and no noise."""
    for response, error, time in zip(responses, errors, times, strict=True):
        expected = closed_form(time, R_G, unit_vector(*AXIS))
        assert np.abs(response - expected).max() <= tolerance
        assert error.max() <= 1e-10 * time  # rounding along thousands of steps


def uniform_sky(method, charge=-1, **settings):
    field = make_field(transport_job(rms=0.0, regular=(STRENGTH, AXIS)), 0)
    n = healpix_directions(NSIDE)
    times = TURNS * 2 * np.pi * R_G
    trajectories = backtrack(field, RIGIDITY, n, times, method=method, charge=charge, **settings)
    result = sky(trajectories, n, nested_quads(NSIDE))
    return np.array([r.response for r in result]), np.array([r.error for r in result]), times


# Boris with the exact angle has the exact phase; its path is the trapezoidal sum of directions,
# a circle too small by (h/2 r_g)/tan(h/2 r_g) = 1 - (h/r_g)^2/12: X is off by at most 2 r_g of
# that, 2.3e-6 pc. The next order is (h/r_g)^4/720, and the tangent's series and the constant
# 1.0810076 (5e-9 over a phase of 126, times r_g) add 1e-6.
BORIS_TOLERANCE = 2 * R_G / 12 / STEPS**2 + 1e-6


def test_uniform_field_all_nine_components():
    responses, errors, times = uniform_sky("boris", steps_per_gyroradius=STEPS)
    check_closed_form(responses, errors, times, BORIS_TOLERANCE)
    hall = (responses - responses.swapaxes(1, 2)) / 2
    # the Hall part is large enough for its sign to be seen at all times but full turns
    assert np.abs(hall[:4]).max(axis=(1, 2)).min() > 0.1 * R_G


def test_uniform_field_cash_karp():
    """An error per step of at most 1e-10, each way, over 126 gyroradii at 16 or more steps each;
    errors of the phase grow to their sum, 2e-7 of r_g (the constant adds 1e-6, see above)."""
    responses, errors, times = uniform_sky("cash-karp", tolerance=1e-10)
    check_closed_form(responses, errors, times, 2e-6)


def test_uniform_field_wrong_charge_flips_the_hall_part():
    right, errors, times = uniform_sky("boris", steps_per_gyroradius=STEPS)
    wrong, _, _ = uniform_sky("boris", charge=+1, steps_per_gyroradius=STEPS)
    with pytest.raises(AssertionError):
        check_closed_form(wrong, errors, times, BORIS_TOLERANCE)
    # nothing else changes: the other charge sees the mirrored motion, M^T
    check_closed_form(wrong.swapaxes(1, 2), errors, times, BORIS_TOLERANCE)
    np.testing.assert_allclose(right, wrong.swapaxes(1, 2), atol=1e-11)


def test_hall_part_is_the_diamagnetic_anisotropy():
    """A positive particle arriving from n has its guiding centre at r_g b x n from the observer:
    on the dense side (b x n).g > 0 for n along g x b. Half a gyration ago it was twice as far."""
    responses, _, times = uniform_sky("boris", steps_per_gyroradius=STEPS)
    b = unit_vector(*AXIS)
    gradient = np.cross(b, [0.0, 0.0, 1.0])
    dipole = responses[1] @ gradient  # after half a turn: sin(phi) = 0, 1 - cos(phi) = 2
    np.testing.assert_allclose(dipole, 2 * R_G * np.cross(gradient, b), atol=2 * BORIS_TOLERANCE)


# ---- boundaries that must agree --------------------------------------------------------------


def test_sphere_weight_is_a_gradient(turbulent):
    """1 + Delta n_R.e on a sphere of radius R is the gradient g = (Delta/R) e there."""
    _, _, by_radius = turbulent
    crossing, radius, strength, axis = by_radius.displacement[0], 10.0, 0.3, unit_vector(80, -20)
    np.testing.assert_allclose(np.linalg.norm(crossing, axis=1), radius, rtol=1e-12)
    np.testing.assert_allclose(
        sphere_intensity(crossing, radius, strength, axis),
        gradient_intensity(crossing, strength / radius * axis), rtol=0, atol=1e-14)
    with pytest.raises(AssertionError):  # control: the gradient of an inverted sphere
        np.testing.assert_allclose(sphere_intensity(crossing, radius, strength, -axis),
                                   gradient_intensity(crossing, strength / radius * axis),
                                   rtol=0, atol=1e-14)


def test_local_term_map_and_response_agree(turbulent):
    """The dipole of the map g.X + 3 U.K g is (M + 3 W K) g, W the response of U."""
    n, by_time, _ = turbulent
    x, u = by_time.displacement[-1], by_time.direction[-1]
    gradient = np.array([2e-3, -1e-3, 5e-4])
    diffusion = np.array([[40.0, 3.0, 0.0], [3.0, 20.0, -5.0], [0.0, -5.0, 10.0]])
    intensity = gradient_intensity(x, gradient) + local_term(u, diffusion, gradient)
    of_map = response_of(n, intensity[:, None]).response[:, 0]
    response, direction_response = response_of(n, x).response, response_of(n, u).response
    both = local_response(response, direction_response, diffusion) @ gradient
    # linear least squares of a sum is the sum: rounding only
    np.testing.assert_allclose(of_map, both, rtol=0, atol=1e-13)
    with pytest.raises(AssertionError):  # control: the missing factor 3
        np.testing.assert_allclose(of_map, (response + direction_response @ diffusion) @ gradient,
                                   rtol=0, atol=1e-13)
