"""The dipole in a cloud from counts in cells, on synthetic clouds.

Theory: particles of a Gaussian cloud at s along the field with an intensity 1 + delta.n have
<u_par> = -delta/3 with delta = -3 s/(2T) (towards the source), so flow, gradient and 3 s/(2T)
agree for every cell. Directions are drawn with p(u) ~ 1 + 3 m.u, of the mean m, which needs |m| <
1/3.
"""

import numpy as np
import pytest

from hpc_cr.diffusion.clouds import count_in_cells
from hpc_cr.sources import dipole, gaussian

TIME, PARALLEL, PERP = 4000.0, 20.0, 0.05  # pc
ROWS, COUNT = 12, 8000
AXIS = np.array([0.0, 0.6, 0.8])
TENSOR = gaussian.uniaxial(PARALLEL, PERP, AXIS)
ALONG, ACROSS = np.array([0, 100, 200, 350, 500, 700.0]), np.array([0, 10, 20, 40.0])
LINE = np.stack([s * np.linspace(0, ALONG[-1], 9)[:, None] * AXIS for s in (1, -1)])


def directions(rng, mean):
    """Random directions with a mean (n, 3): turned to where they point with (1 + 3 m.u)/2."""
    u = rng.normal(size=mean.shape)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    keep = rng.random(len(u)) < (1 + 3 * np.sum(mean * u, axis=1)) / 2
    return np.where(keep[:, None], u, -u)


def clouds(factor=1.0):
    """Count, density and flow of all rows."""
    rng = np.random.default_rng(6)
    width = np.linalg.cholesky(2 * TIME * TENSOR)
    found = []
    for _ in range(ROWS):
        x = rng.normal(size=(COUNT, 3)) @ width.T
        mean = -gaussian.dipole(x, TIME, TENSOR) / 3 * factor
        u = directions(rng, np.clip(mean, -0.33, 0.33))
        found.append(count_in_cells(x[None], u[None], LINE, AXIS, ALONG, ACROSS))
    return [np.stack([getattr(cells, name)[0] for cells in found])
            for name in ("count", "density", "flow")]


COUNTS, DENSITY, FLOW = clouds()
GROUP = np.arange(ROWS)
PLACES = dipole.mean_places(ALONG, 2 * TIME * PARALLEL)


def test_mean_places():
    rng = np.random.default_rng(2)
    s = np.abs(rng.normal(scale=400, size=2_000_000))
    for low, high, place in zip(ALONG, ALONG[1:], PLACES, strict=False):
        inside = s[(s >= low) & (s < high)]
        assert abs(inside.mean() - place) < 5 * inside.std() / np.sqrt(len(inside))
    assert dipole.mean_places([0.0, 5e4, 6e4], 100.0)[1] == 5.5e4  # a cell that is never reached


def test_flow_is_the_gaussian_dipole():
    profile = dipole.flow_profile(COUNTS, FLOW, GROUP)
    expected = (1.5 * PLACES / TIME)[:, None]
    # 3 u has the variance 3 in nearly isotropic directions
    pull = (profile.value - expected) / np.sqrt(3 / profile.particles)
    assert np.mean(pull**2) < 1 + 4 * np.sqrt(2 / pull.size)
    assert profile.particles.sum() == COUNTS.sum()
    # control: the streaming itself is a third of the dipole
    streaming = (profile.value / 3 - expected) / np.sqrt(3 / profile.particles)
    assert np.mean(streaming**2) > 10
    # the particle errors alone, sqrt(3/N), are what the scatter over realisations comes to
    ratio = profile.error / np.sqrt(3 / profile.particles)
    assert 0.6 < np.median(ratio) < 1.5


def test_ratio():
    ratio, error = dipole.flow_over_gaussian(COUNTS, FLOW, PLACES, TIME, GROUP)
    assert abs(ratio - 1) < 4 * error and error < 0.06
    other = dipole.flow_over_gaussian(COUNTS, -FLOW, PLACES, TIME, GROUP)  # control: wrong sign
    assert abs(other[0] - 1) > 10 * other[1]


def test_density_and_gradient():
    mean, poisson, error = dipole.mean_density(COUNTS, DENSITY, GROUP)
    expected = gaussian.mean_in_cells(ALONG, ACROSS, TIME, PARALLEL, PERP)
    some = COUNTS.sum(axis=(0, 1)) > 30
    pull = (mean - expected)[some] / poisson[some]
    assert np.mean(pull**2) < 1 + 4 * np.sqrt(2 / pull.size)
    empty = COUNTS.sum(axis=(0, 1)) == 0
    assert not mean[empty].any() and np.all(np.isnan(error[empty]) & np.isnan(poisson[empty]))
    assert 0.5 < np.median((error / poisson)[some]) < 1.6
    printed = 8 * expected  # control: the volume pi^(3/2) D_perp D_par^(1/2) t^(3/2)
    assert np.all(np.abs(mean - printed)[some] > 5 * error[some])
    variance = 2 * TIME * PARALLEL
    between, value, spread = dipole.gradient_profile(DENSITY, ALONG, ACROSS, variance,
                                                     (PARALLEL, 0.0), GROUP)
    pull = (value - 1.5 * between / TIME) / spread
    assert np.all(np.abs(pull) < 5)
    wrong = dipole.gradient_profile(DENSITY, ALONG, ACROSS, variance, (2 * PARALLEL, 0.0), GROUP)
    assert np.mean(((wrong[1] - 1.5 * between / TIME) / wrong[2]) ** 2) > 10  # control: D
    exact = np.broadcast_to(expected, DENSITY.shape)  # cells as wide as sigma/2, and no noise
    value = dipole.gradient_profile(exact, ALONG, ACROSS, variance, (PARALLEL, 0.0), GROUP)[1]
    np.testing.assert_allclose(value, 1.5 * between / TIME)


def test_gradient_over_gaussian():
    variance = 2 * TIME * PARALLEL
    cells = DENSITY, ALONG, ACROSS, variance, (PARALLEL, 0.0)
    ratio, error = dipole.gradient_over_gaussian(*cells, TIME, GROUP)
    assert abs(ratio - 1) < 4 * error and error < 0.05
    other = dipole.gradient_over_gaussian(*cells, TIME / 2, GROUP)  # control: another time
    assert abs(other[0] - 1) > 8 * other[1]
    unsure = dipole.gradient_over_gaussian(*cells[:4], (PARALLEL, 0.3 * PARALLEL), TIME, GROUP)
    assert unsure[0] == ratio and unsure[1] == pytest.approx(np.hypot(error, 0.3 * ratio))
    exact = gaussian.mean_in_cells(ALONG, ACROSS, TIME, PARALLEL, PERP)
    rng = np.random.default_rng(1)
    noisy = exact * (1 + 1e-6 * rng.normal(size=DENSITY.shape))
    assert dipole.gradient_over_gaussian(noisy, *cells[1:], TIME, GROUP)[0] == pytest.approx(1)
    nothing = dipole.gradient_over_gaussian(np.full_like(DENSITY, np.nan), *cells[1:], TIME, GROUP)
    assert np.all(np.isnan(nothing))


def test_cells_have_to_resolve_the_cloud():
    """A box as wide as the first cell: its mean place is 1/sqrt(3) of the edge in place of what a
    Gaussian of its variance has, and the flow of free flight is not twice the Gaussian's."""
    assert dipole.resolved(ALONG, 300.0**2) == (True, True)
    assert dipole.resolved(ALONG, 190.0**2) == (False, True)
    assert dipole.resolved(ALONG, 360.0**2) == (True, False)
    rng, time, rows, count = np.random.default_rng(5), 90.0, 12, 2000
    ratios = []
    for edges in (ALONG, np.linspace(0, 100, 11)):
        flows, counts = [], []
        for _ in range(rows):
            u = rng.normal(size=(count, 3))
            u /= np.linalg.norm(u, axis=1, keepdims=True)
            line = np.stack([s * np.linspace(0, edges[-1], 9)[:, None] * AXIS for s in (1, -1)])
            cells = count_in_cells((time * u)[None], u[None], line, AXIS, edges, [0.0, 200.0])
            counts.append(cells.count[0])
            flows.append(cells.flow[0])
        places = dipole.mean_places(edges, time**2 / 3)
        ratios.append(dipole.flow_over_gaussian(np.array(counts), np.array(flows), places, time,
                                                np.arange(rows)))
    assert abs(ratios[1][0] - 2) < 4 * ratios[1][1] + 0.01  # d ln<s^2>/d ln T of free flight
    assert abs(ratios[0][0] - 2) > 5 * ratios[0][1]  # what is left out


def test_cells_that_are_not_known_are_left_out():
    flow, density = FLOW.copy(), DENSITY.copy()
    flow[:, 1], density[:, 1] = np.nan, np.nan
    profile = dipole.flow_profile(COUNTS, flow, GROUP)
    assert profile.particles.sum() == COUNTS[:, 0].sum()
    mean = dipole.mean_density(COUNTS, density, GROUP)[0]
    np.testing.assert_allclose(mean, DENSITY[:, 0].mean(axis=0) * np.where(mean > 0, 1, np.nan))
    flow[1:] = np.nan
    assert np.isnan(dipole.flow_profile(COUNTS, flow, GROUP).value).all()  # one realisation


def test_backtracking_into_a_gaussian():
    """Displacements X = M^T n of a known response: the dipole is M grad ln n."""
    rng = np.random.default_rng(3)
    n = rng.normal(size=(20_000, 3))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    n = np.concatenate([n, -n])
    response = 3 * TENSOR + 4.0 * np.cross(np.eye(3), AXIS)  # with a Hall part
    position, late = np.array([3.0, 150.0, 210.0]), 6e5
    found = dipole.backtracked_dipole(n @ response, n, position, late, 100.0, TENSOR)
    expected = dipole.response_dipole(response, position, late, TENSOR)
    # linear in the gradient up to (X.g)^2 and T - tau for T: 1e-3
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.linalg.norm(expected))
    symmetric = dipole.response_dipole(3 * TENSOR, position, late, TENSOR)
    np.testing.assert_allclose(symmetric, -1.5 * position / late)
    mean, error = dipole.response_over_diffusion(np.array([symmetric, symmetric]), position, late,
                                                 np.arange(2))
    np.testing.assert_allclose(mean, [1, 0, 0], atol=1e-12)
    # control: the Hall part is no part of 3 D grad n/n
    assert np.linalg.norm(expected - symmetric) > 0.1 * np.linalg.norm(symmetric)
    assert not np.any(np.abs(error) > 1e-12)
    with pytest.raises(np.linalg.LinAlgError):
        dipole.backtracked_dipole(n[:1] @ response, n[:1], position, late, 100.0, TENSOR)
