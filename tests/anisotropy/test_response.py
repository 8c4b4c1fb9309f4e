"""Response tensor: least squares, quads, missing particles, shapes. Physics: tests/physics."""

import numpy as np
import pytest

from hpc_cr.anisotropy.response import (
    dipole_matrix,
    nested_quads,
    quad_covariance,
    response_of,
)
from hpc_cr.trajectories.directions import healpix_directions, random_directions

MATRIX = np.array([[3.0, -1.0, 0.5], [0.2, 7.0, 2.0], [-4.0, 0.0, 1.0]])


@pytest.mark.parametrize("directions", [healpix_directions(1), healpix_directions(8),
                                        random_directions(40, seed=1)])
def test_dipole_matrix_is_exact_for_linear_maps(directions):
    maps = directions @ MATRIX + [10.0, -20.0, 0.0]
    # rounding of sums and of a 3 x 3 solution, of numbers up to 30
    np.testing.assert_allclose(dipole_matrix(directions, maps), MATRIX, rtol=0, atol=1e-12)


def test_first_index_is_the_sky_axis():
    """X_y alone, growing towards z on the sky: M_zy."""
    n = healpix_directions(4)
    maps = np.zeros_like(n)
    maps[:, 1] = 5 * n[:, 2]
    expected = np.zeros((3, 3))
    expected[2, 1] = 5.0
    np.testing.assert_allclose(response_of(n, maps).response, expected, atol=1e-12)


@pytest.mark.parametrize("nside", [2, 8])
def test_quads_are_neighbours_and_0_3_opposite(nside):
    n = healpix_directions(nside)
    quads = nested_quads(nside)
    assert np.array_equal(np.sort(quads.ravel()), np.arange(len(n)))

    def distance(a, b):
        return np.linalg.norm(n[quads[:, a]] - n[quads[:, b]], axis=1)

    side = np.sqrt(4 * np.pi / len(n))
    for a, b in ((0, 1), (0, 2), (3, 1), (3, 2)):
        # pixels that share an edge: centres 0.7 to 1.4 pixel sides apart on this distorted grid
        assert np.all((distance(a, b) > 0.6 * side) & (distance(a, b) < 1.5 * side))
    # the diagonals of the group together are longer than two of its edges
    assert np.all(distance(0, 3) + distance(1, 2) > distance(0, 1) + distance(2, 3))


def test_quad_covariance_by_hand():
    """One quad: second difference d = r0 - r1 - r2 + r3 of two maps; covariance d d^T/4."""
    residual = np.array([[1.0, 0.0], [0.5, 2.0], [0.25, -1.0], [4.0, 3.0]])
    d = np.array([1 - 0.5 - 0.25 + 4, 0 - 2 + 1 + 3])
    quads = np.array([[0, 1, 2, 3]])
    np.testing.assert_allclose(quad_covariance(residual, quads), np.outer(d, d) / 4)


def test_quads_with_missing_pixels_are_left_out():
    generator = np.random.default_rng(2)
    residual = generator.standard_normal((192, 3))
    quads = nested_quads(4)
    gaps = residual.copy()
    gaps[quads[:5, 2], 0] = np.nan
    np.testing.assert_allclose(quad_covariance(gaps, quads), quad_covariance(residual, quads[5:]))
    gaps[quads[:, 0]] = np.nan
    assert np.isnan(quad_covariance(gaps, quads)).all()


@pytest.mark.parametrize("with_quads", [True, False])
def test_missing_particles_are_left_out(with_quads):
    generator = np.random.default_rng(3)
    n = healpix_directions(4)
    x = generator.standard_normal((len(n), 3))
    gaps = x.copy()
    gone = generator.choice(len(n), 60, replace=False)
    gaps[gone, 1] = np.nan  # one missing component removes the particle
    result = response_of(n, gaps, nested_quads(4) if with_quads else None)
    kept = np.setdiff1d(np.arange(len(n)), gone)
    np.testing.assert_allclose(result.response, response_of(n[kept], x[kept]).response)
    assert np.isfinite(result.error).all() and np.isfinite(result.noise).all()
    # fewer particles, more shot noise: 4 pi/N s^2 with s^2 = 1; 4 sigma of at least 10 quads
    assert abs(np.trace(result.noise) / 3 - 4 * np.pi / len(kept)) < (
        4 * np.sqrt(2 / 3 / 10) * 4 * np.pi / len(kept))


@pytest.mark.parametrize("there", [0, 4])
def test_too_few_particles_give_nan(there):
    n = healpix_directions(2)
    x = np.full((len(n), 3), np.nan)
    x[:there] = n[:there]
    for part in response_of(n, x, nested_quads(2)):
        assert part.shape == (3, 3) and np.isnan(part).all()


@pytest.mark.parametrize("n_map", [1, 3])
def test_shapes(n_map):
    n = healpix_directions(4)
    x = np.random.default_rng(4).standard_normal((len(n), n_map))
    result = response_of(n, x, nested_quads(4))
    assert result.response.shape == result.error.shape == (3, n_map)
    assert result.noise.shape == (n_map, n_map)


@pytest.mark.parametrize("sampling", ["healpix", "random"])
def test_error_is_the_scatter_of_the_response(sampling):
    """300 skies of one smooth map plus noise: scatter of M against the error claimed.

    At fixed directions the smooth map is the same in every draw and adds nothing to the scatter;
    at random directions it does, and the error includes it.
    """
    generator = np.random.default_rng(5)
    n, quads = healpix_directions(8), nested_quads(8)
    draws = []
    for draw in range(300):
        if sampling == "random":
            n, quads = random_directions(768, seed=6, row=draw), None
        smooth = np.stack([n[:, 0] * n[:, 1], n[:, 2] ** 2, 2 * n[:, 2]], axis=1)
        result = response_of(n, smooth + 0.2 * generator.standard_normal(n.shape), quads)
        draws.append((result.response, result.error))
    response, error = np.array(draws).swapaxes(0, 1)

    def check(claimed):
        ratio = response.std(axis=0, ddof=1) ** 2 / np.mean(claimed**2, axis=0)
        # a variance of 300 draws is good to sqrt(2/300) = 8 %; mean of nine components, whose
        # n_i X_j are nearly independent: 3 %. Random directions: X depends on n, so that the
        # variance of n X is not the product of the variances, a few per cent of it here
        assert abs(ratio.mean() - 1) <= 0.15

    check(error)
    plain = np.sqrt(3 / len(n) * (0.2**2 + smooth.var(axis=0)))
    with pytest.raises(AssertionError):  # control: the plain variance of the maps
        check(np.broadcast_to(plain, error.shape))
