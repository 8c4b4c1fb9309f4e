"""Counting a cloud in rings around a field line.

Theory: N particles of a Gaussian cloud with widths a along an axis and b across it, sheared along
a line x = line(s), have in the cell [s1, s2] x [d1, d2] the number N/2 [erf(s2/a') - erf(s1/a')]
[exp(-d1^2/2b^2) - exp(-d2^2/2b^2)] on each side, a' = sqrt(2) a: counts are Poisson about it, so
chi^2/cells is 1 within 5 sqrt(2/cells).
"""

import numpy as np
import pytest
from scipy.special import erf

from hpc_cr.diffusion.clouds import count_in_cells, moments, spread
from hpc_cr.frames import field_axes

ALONG, ACROSS = np.array([0.0, 20.0, 50.0, 100.0]), np.array([0.0, 2.0, 4.0, 8.0])
WIDTH, NARROW, COUNT = 60.0, 3.0, 40_000  # pc, pc
AXES = field_axes([0.3, -0.5, 0.8])
NODES = np.linspace(0, ALONG[-1], 401)


def bend(s):
    """Displacement of the line at s along the axis, (..., 3): 15 pc in one direction, then back."""
    return (15 * np.sin(np.asarray(s) / 40.0))[..., None] * AXES[1]


def straight(s):
    return np.zeros((*np.shape(s), 3))


def line_of(shape):
    """As the tracer gives it: both sides."""
    return np.stack([sign * NODES[:, None] * AXES[0] + shape(sign * NODES) for sign in (1, -1)])


def cloud(shape, seed=2):
    rng = np.random.default_rng(seed)
    s, across = rng.normal(scale=WIDTH, size=COUNT), rng.normal(scale=NARROW, size=(COUNT, 2))
    place = s[:, None] * AXES[0] + across @ AXES[1:] + shape(s)
    return place[None], s, across


def expected():
    along = np.diff(erf(ALONG / (np.sqrt(2) * WIDTH))) / 2
    return COUNT * along[:, None] * -np.diff(np.exp(-(ACROSS**2) / (2 * NARROW**2)))


def chi2(count):
    cells = np.broadcast_to(expected(), count.shape)
    return np.mean((count - cells) ** 2 / cells)


@pytest.mark.parametrize("shape", [straight, bend])
def test_counts_are_poisson_about_the_gaussian(shape):
    place, s, across = cloud(shape)
    direction = np.broadcast_to(AXES[0], place.shape)
    cells = count_in_cells(place, direction, line_of(shape), AXES[0], ALONG, ACROSS)
    limit = 1 + 5 * np.sqrt(2 / cells.count[0].size)
    assert chi2(cells.count[0]) < limit
    volume = np.pi * np.diff(ALONG)[:, None] * np.diff(ACROSS**2)
    np.testing.assert_allclose(cells.density[0], cells.count[0] / (COUNT * volume))
    if shape is bend:  # control: as if the line were straight
        wrong = count_in_cells(place, direction, line_of(straight), AXES[0], ALONG, ACROSS)
        assert chi2(wrong.count[0]) > 2 * limit


def test_flow_along_away_and_around():
    place, s, across = cloud(bend)
    radial = across / np.linalg.norm(across, axis=1, keepdims=True)
    away, around = radial @ AXES[1:], np.cross(AXES[0], radial @ AXES[1:])
    direction = (0.6 * AXES[0] + 0.48 * away + 0.64 * around)[None]
    flow = count_in_cells(place, direction, line_of(bend), AXES[0], ALONG, ACROSS).flow[0]
    np.testing.assert_allclose(flow[..., 0], 0.6)
    # the line is straight between nodes 0.25 pc apart: sagitta 15 pc (0.125/40)^2/2 = 7e-5 pc,
    # over the distance from the line; the mean over a ring holds 1e-3
    np.testing.assert_allclose(flow[..., 1], 0.48, atol=1e-3)
    np.testing.assert_allclose(flow[..., 2], 0.64, atol=1e-3)


def test_edges_and_gaps_of_the_line():
    line = line_of(bend)
    line[0, NODES > 49.9] = np.nan  # the last cell, and a gap that begins inside the second one
    place, *_ = cloud(bend)
    cells = count_in_cells(place, np.zeros_like(place), line, AXES[0], ALONG, ACROSS)
    known = np.isfinite(cells.density[0]).all(axis=-1)
    assert known.tolist() == [[True, False, False], [True, True, True]]
    assert np.isnan(cells.flow[0, 0, 1:]).all()
    assert not cells.count[0, 0, 2].any()
    edge = (ALONG[1] * AXES[0] + bend(ALONG[1]) + ACROSS[1] * AXES[2])[None, None]
    one = count_in_cells(edge, edge, line_of(bend), AXES[0], ALONG, ACROSS).count[0, 0]
    assert one[1].sum() == 1 and one.sum() == 1  # an edge belongs to the cell that begins there
    beyond = (1.001 * ALONG[-1] * AXES[0])[None, None]
    assert not count_in_cells(beyond, beyond, line_of(straight), AXES[0], ALONG, ACROSS).count.any()


def test_nothing_finished_is_not_a_number():
    none = np.empty((2, 0, 3))
    cells = count_in_cells(none, none, line_of(straight), AXES[0], ALONG, ACROSS)
    assert not cells.count.any() and np.isnan(cells.density).all() and np.isnan(cells.flow).all()
    assert all(np.isnan(values).all() for values in moments(none, AXES))


def test_spread_and_kurtosis_of_gaussian_clouds():
    """Ten clouds of 4000 particles whose centres differ by 2 pc across: what is about the source
    has that in it, what is about the own mean has not. Errors of the mean from theory."""
    rng = np.random.default_rng(9)
    found, time, rows, count = [], 500.0, 10, 4000
    for _ in range(rows):
        x = rng.normal(size=(1, count, 3)) * [WIDTH, NARROW, NARROW]
        x[..., 1:] += rng.normal(scale=2.0, size=2)
        found.append(moments(x @ AXES, AXES))
    mean, covariance, kurtosis = (np.stack(v) for v in zip(*found, strict=True))
    one = spread(mean, covariance, kurtosis, [time], AXES, np.arange(rows))
    along = WIDTH**2 / (2 * time)
    assert abs(one.parallel[0] - along) < 4 * along * np.sqrt(2 / (rows * count))
    own = NARROW**2 / (2 * time)
    assert abs(one.own_perpendicular[0] - own) < 4 * own / np.sqrt(rows * count)
    whole = own + 4.0 / (2 * time)
    # the centres: 20 squares of a normal number of scale 2
    assert abs(one.perpendicular[0] - whole) < 4 * (4.0 / (2 * time)) * np.sqrt(2 / 20)
    assert one.perpendicular[0] - own > 3 * one.perpendicular_error[0]  # control: not the same
    # kurtosis of n normal numbers: error sqrt(24/n)/3
    error = np.sqrt(24 / (rows * count)) / 3
    assert np.all(np.abs(one.kurtosis[0] - 1) < 4 * error)
    box = moments(rng.uniform(-1, 1, (1, 4000, 3)), AXES).kurtosis  # control: 0.6 for a box
    assert np.all(np.abs(box[0] - 1) > 20 * error)
