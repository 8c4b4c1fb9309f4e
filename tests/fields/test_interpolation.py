"""Evaluation of the field at points against trilinear interpolation written out in numpy.

B(x) = B0 + sum over levels of Q^T b(c) + sum of waves, c = Q x cells/box + offset in cells, b by
the product of three linear interpolations between the nodes. Random nodes, rotations and offsets
of three levels, two waves; points up to many boxes away on both sides of the origin.
"""

import numpy as np
import pytest

from hpc_cr.fields.interpolation import LANES, FieldArrays, field_at, field_at_lanes
from hpc_cr.fields.nested import MagneticField, random_rotation

CELLS, BOXES = 8, np.array([40.0, 13.1, 3.7])


def field_of(dtype):
    generator = np.random.default_rng(8)
    grid = np.zeros((3, *[CELLS + 1] * 3, 4), dtype)
    nodes = generator.standard_normal((3, CELLS, CELLS, CELLS, 3))
    grid[..., :3] = np.pad(nodes, [(0, 0), *[(0, 1)] * 3, (0, 0)], mode="wrap")
    rotation = np.array([random_rotation(generator) for _ in range(3)])
    to_cells = np.empty((3, 3, 4))
    to_cells[..., :3] = rotation * (CELLS / BOXES)[:, None, None]
    to_cells[..., 3] = generator.uniform(0, CELLS, (3, 3))
    return FieldArrays(generator.standard_normal(3), grid, rotation, to_cells,
                       *generator.standard_normal((3, 2, 3)))


def in_numpy(arrays, points, turn=True):
    """The same field, slowly; with turn=False vectors stay in the level's axes."""
    b = np.tile(arrays.regular, (len(points), 1))
    for grid, q, a in zip(arrays.grid, arrays.rotation, arrays.to_cells, strict=True):
        c = points @ a[:, :3].T + a[:, 3]
        whole = np.floor(c).astype(int)
        part = c - whole
        own = 0
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, part, 1 - part), axis=1)
            i, j, k = ((whole + corner) % CELLS).T
            own = own + weight[:, None] * grid[i, j, k, :3].astype(float)
        b += own @ q if turn else own
    phase = points @ arrays.wave_vector.T
    return b + np.cos(phase) @ arrays.wave_cos + np.sin(phase) @ arrays.wave_sin


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(9).uniform(-300, 300, (40 * LANES, 3))


def at_lanes(arrays, points):
    """The field at points (n, 3), n a multiple of LANES, by groups of neighbours."""
    b, work, start = np.empty((3, LANES)), np.empty((3, LANES)), np.empty(LANES, np.int64)
    found = np.empty_like(points)
    for first in range(0, len(points), LANES):
        group = slice(first, first + LANES)
        field_at_lanes(arrays, np.ascontiguousarray(points[group].T), b, work, start)
        found[group] = b.T
    return found


@pytest.mark.parametrize("dtype, tolerance", [
    # cell coordinates up to 1000 are rounded to 1e-13; single-precision weights to 6e-8
    ("float64", 1e-11), ("float32", 3e-6),
])
def test_trilinear_interpolation(points, dtype, tolerance):
    arrays = field_of(dtype)
    expected = in_numpy(arrays, points)
    for found in (MagneticField(arrays, 1.0, 1.0).at(points), at_lanes(arrays, points)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
        with pytest.raises(AssertionError):  # control: vectors that are not turned with the level
            np.testing.assert_allclose(found, in_numpy(arrays, points, turn=False), atol=0.1)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_lane_is_as_if_alone(points, dtype):
    arrays = field_of(dtype)
    one = np.array([field_at(arrays, *point) for point in points])
    order = np.random.default_rng(10).permutation(len(points))
    np.testing.assert_array_equal(at_lanes(arrays, points[order]), at_lanes(arrays, points)[order])
    np.testing.assert_array_equal(at_lanes(arrays, points), one)


def test_nodes_and_edges():
    """At a node the node's value; on the closing plane that of the first."""
    arrays = field_of("float64")
    arrays = arrays._replace(grid=arrays.grid[:1], rotation=np.eye(3)[None],
                             to_cells=np.append(np.eye(3), np.zeros((3, 1)), axis=1)[None],
                             regular=np.zeros(3), **{name: np.zeros((0, 3)) for name in (
                                 "wave_vector", "wave_cos", "wave_sin")})
    for node in ([0, 0, 0], [3, 5, 7], [8, 0, 8], [-1, -8, 15], [-1e-18, 0, 0], [1e9, -1e9, 0]):
        i, j, k = (np.rint(node).astype(int) % CELLS)
        np.testing.assert_allclose(field_at(arrays, *map(float, node)), arrays.grid[0, i, j, k, :3],
                                   atol=1e-12)
