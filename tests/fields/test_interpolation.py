"""Evaluation of the field at points against interpolation written out in numpy.

B(x) = B0 + sum over levels of g(s) + sum of waves, s = to_box x in boxes, g = sum over nodes of
w(d_x) w(d_y) w(d_z) b, d the distances from the nodes in cells, with the hat function, the
Catmull-Rom spline or the cubic B-spline for w. Random nodes, rotations and offsets of three levels,
two waves; points up to many boxes away on both sides of the origin.
"""

import numpy as np
import pytest

from hpc_cr.config import parse_job
from hpc_cr.config.errors import JobError
from hpc_cr.fields import make_field
from hpc_cr.fields.interpolation import (
    FieldArrays,
    add_waves,
    field_at,
    field_in_cells,
    locate,
    work_rows,
)
from hpc_cr.fields.layouts import level_shape, node_values, numbers
from hpc_cr.fields.nested import MagneticField, random_rotation
from hpc_cr.kernel import njit
from hpc_cr.lanes import WIDTH, load, store
from hpc_cr.transfer import axis_power, axis_transfer

CELLS, BOXES = 8, np.array([40.0, 13.1, 3.7])
STORED = {"half": np.float16, "single": np.float32, "double": np.float64}
KINDS = [("trilinear", "nodes"), ("trilinear", "cells"), ("catmull-rom", "nodes"),
         ("b-spline", "nodes")]


def hat(d):
    return np.maximum(1 - d, 0)


def catmull_rom(d):
    return np.where(d < 1, 1 - 2.5 * d**2 + 1.5 * d**3,
                    np.where(d < 2, 2 - 4 * d + 2.5 * d**2 - 0.5 * d**3, 0))


def b_spline(d):
    return (np.maximum(2 - d, 0) ** 3 - 4 * np.maximum(1 - d, 0) ** 3) / 6


SPLINES = {"trilinear": hat, "catmull-rom": catmull_rom, "b-spline": b_spline}


def as_grid(nodes, interpolation, layout):
    """Grid from all nodes (n_level, N+3, N+3, N+3, 4), one before the first, two after the last."""
    n = nodes.shape[1] - 3
    shape = (len(nodes), *level_shape(n, layout, interpolation))
    if layout == "cells":
        grid = np.empty(shape, nodes.dtype)
        for i, j, k in np.ndindex(2, 2, 2):
            grid[:, :, :, :, i, j, k] = nodes[:, 1 + i:, 1 + j:, 1 + k:][:, :n, :n, :n]
        return grid
    if interpolation == "trilinear":
        nodes = nodes[:, 1:-1, 1:-1, 1:-1]
    return np.ascontiguousarray(nodes).reshape(shape)


def field_of(precision, layout="nodes", interpolation="trilinear"):
    """FieldArrays of random numbers, and its nodes as floats."""
    generator = np.random.default_rng(8)
    nodes = np.zeros((3, *[CELLS] * 3, 4), STORED[precision])
    nodes[..., :3] = generator.standard_normal((3, CELLS, CELLS, CELLS, 3))
    to_box = np.empty((3, 3, 4))
    to_box[..., :3] = [random_rotation(generator) / box for box in BOXES]
    to_box[..., 3] = generator.uniform(0, 1, (3, 3))
    grid = as_grid(np.pad(nodes, [(0, 0), *[(1, 2)] * 3, (0, 0)], mode="wrap"), interpolation,
                   layout)
    if precision == "half":
        grid = grid.view(np.uint16)
    return FieldArrays(generator.standard_normal(3), grid, to_box,
                       *generator.standard_normal((3, 2, 3))), nodes.astype(float)


def in_numpy(arrays, nodes, points, interpolation="trilinear", shift=0):
    """The same field, slowly; `shift` moves the nodes by so many cells along x."""
    spline = SPLINES[interpolation]
    b = np.tile(arrays.regular, (len(points), 1))
    for level, a in zip(nodes, arrays.to_box, strict=True):
        c = (points @ a[:, :3].T + a[:, 3]) * CELLS
        whole = np.floor(c).astype(int)
        part = c - whole
        for number in np.ndindex(4, 4, 4):
            node = np.array(number) - 1
            weight = np.prod(spline(np.abs(part - node)), axis=1)
            i, j, k = ((whole + node) % CELLS).T
            b += weight[:, None] * level[(i + shift) % CELLS, j, k, :3]
    phase = points @ arrays.wave_vector.T
    return b + np.cos(phase) @ arrays.wave_cos + np.sin(phase) @ arrays.wave_sin


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(9).uniform(-300, 300, (40 * WIDTH, 3))


@njit
def _at_lanes(field, x, b, where):
    px, py, pz = load(x, 0), load(x, 1), load(x, 2)
    locate(field.grid, field.to_box, px, py, pz, where, 0)
    bx, by, bz = field_in_cells(field.regular, field.grid, where, 0)
    bx, by, bz = add_waves(field, px, py, pz, bx, by, bz)
    store(b, 0, bx)
    store(b, 1, by)
    store(b, 2, bz)


def at_lanes(arrays, points):
    """The field at points (n, 3), n a multiple of WIDTH, by groups of neighbours."""
    b, where = np.empty((3, WIDTH)), np.empty((work_rows(arrays.grid), WIDTH))
    found = np.empty_like(points)
    for first in range(0, len(points), WIDTH):
        group = slice(first, first + WIDTH)
        _at_lanes(arrays, np.ascontiguousarray(points[group].T), b, where)
        found[group] = b.T
    return found


# positions up to 1000 cells are rounded to 1e-13, single-precision weights to 6e-8; half precision
# only stores, and the nodes compared with are the stored ones
@pytest.mark.parametrize("precision, tolerance", [("double", 1e-11), ("single", 3e-6),
                                                  ("half", 3e-6)])
@pytest.mark.parametrize("interpolation, layout", KINDS)
def test_interpolation(points, interpolation, layout, precision, tolerance):
    arrays, nodes = field_of(precision, layout, interpolation)
    expected = in_numpy(arrays, nodes, points, interpolation)
    for found in (MagneticField(arrays, 1.0, 1.0).at(points), at_lanes(arrays, points)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
        with pytest.raises(AssertionError):  # control: another cell
            np.testing.assert_allclose(
                found, in_numpy(arrays, nodes, points, interpolation, shift=1), atol=0.1)


@pytest.mark.parametrize("precision", ["half", "single", "double"])
@pytest.mark.parametrize("interpolation", SPLINES)
def test_a_lane_is_as_if_alone(points, precision, interpolation):
    arrays, _ = field_of(precision, interpolation=interpolation)
    found = at_lanes(arrays, points)
    order = np.random.default_rng(10).permutation(len(points))
    np.testing.assert_array_equal(at_lanes(arrays, points[order]), found[order])


@pytest.mark.parametrize("precision", ["half", "single", "double"])
def test_layouts_agree(points, precision):
    arrays, _ = field_of(precision)
    found = at_lanes(arrays, points)
    in_other_layout, _ = field_of(precision, "cells")
    np.testing.assert_array_equal(at_lanes(in_other_layout, points), found)
    here, there = (MagneticField(field, 1.0, 1.0) for field in (arrays, in_other_layout))
    np.testing.assert_array_equal(here.at(points), there.at(points))


@pytest.mark.parametrize("interpolation, layout", KINDS)
def test_nodes_and_edges(interpolation, layout):
    """At a node the node's value (B-spline: the mean (1, 4, 1)/6); the period closes."""
    arrays, nodes = field_of("double", layout, interpolation)
    if interpolation == "b-spline":
        for axis in (1, 2, 3):
            nodes = (np.roll(nodes, 1, axis) + 4 * nodes + np.roll(nodes, -1, axis)) / 6
    to_box = np.append(np.eye(3) / CELLS, np.zeros((3, 1)), axis=1)[None]
    arrays = arrays._replace(grid=arrays.grid[:1], to_box=to_box, regular=np.zeros(3), **{
        name: np.zeros((0, 3)) for name in ("wave_vector", "wave_cos", "wave_sin")})
    places = [[0, 0, 0], [3, 5, 7], [8, 0, 8], [-1, -8, 15], [-1e-18, 0, 0], [1e9, -1e9, 0],
              [7, 7, 7]]
    at = np.array(places + [[0, 0, 0]], float)
    for node, found in zip(places, at_lanes(arrays, at), strict=False):
        expected = nodes[(0, *np.rint(node).astype(int) % CELLS)][:3]
        np.testing.assert_allclose(field_at(arrays, *map(float, node)), expected, atol=1e-12)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("interpolation, layout", KINDS)
def test_a_place_without_a_number_has_no_field(points, interpolation, layout):
    """Not-a-number and infinity give not-a-number, and read no memory of others."""
    arrays, _ = field_of("single", layout, interpolation)
    for bad in (np.nan, np.inf, -np.inf):
        some = points[:WIDTH].copy()
        some[3, 1] = bad
        found = at_lanes(arrays, some)
        assert np.all(np.isnan(found[3]))
        good = np.arange(WIDTH) != 3
        np.testing.assert_array_equal(found[good], at_lanes(arrays, points[:WIDTH])[good])
        assert np.all(np.isnan(field_at(arrays, *some[3])))


# ---- smoothness, and what is kept of a wave ----------------------------------------------------


def single_level(arrays):
    """The first level of FieldArrays alone, one pc per cell, nothing else."""
    return arrays._replace(
        regular=np.zeros(3), grid=arrays.grid[:1],
        to_box=np.append(np.eye(3) / CELLS, np.zeros((3, 1)), axis=1)[None],
        **{name: np.zeros((0, 3)) for name in ("wave_vector", "wave_cos", "wave_sin")})


def jumps(arrays, axis):
    """Largest jump (4,) of value and derivatives, as 1, 2, 3 of them, at faces between cells."""
    generator = np.random.default_rng(3)
    found = []
    # along an axis the field is a cubic within a cell: four points give it to rounding
    places = np.array([0.1, 0.35, 0.6, 0.85])
    powers = np.linalg.inv(np.vander(places, 4, increasing=True))
    for face in range(CELLS):
        points = np.tile(generator.uniform(0, CELLS, 3), (8, 1))
        points[:, axis] = np.append(face - places, face + places)
        left, right = powers @ MagneticField(arrays, 1.0, 1.0).at(points).reshape(2, 4, 3)
        left[1::2] *= -1
        found.append(np.abs(right - left).max(axis=1))
    return np.max(found, axis=0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("interpolation, smooth", [("trilinear", 0), ("catmull-rom", 1),
                                                   ("b-spline", 2)])
def test_smoothness(interpolation, smooth, axis):
    """The B-spline has two continuous derivatives, Catmull-Rom one, trilinear none."""
    arrays, _ = field_of("double", interpolation=interpolation)
    jump = jumps(single_level(arrays), axis)
    # rounding, magnified by the inverse of the powers
    assert np.all(jump[:smooth + 1] < 1e-11)
    # control: the next derivative jumps
    assert jump[smooth + 1] > 0.05


@pytest.mark.parametrize("interpolation", SPLINES)
def test_what_is_kept_of_a_wave(interpolation):
    """A wave at random places: its own amplitude and its power against the formulas."""
    generator = np.random.default_rng(4)
    points = generator.uniform(0, CELLS, (40_000, 3))
    node = np.arange(-1.0, CELLS + 2)
    for cells in (2.2, 3.0, 5.0):
        unit = generator.standard_normal(3)
        k = 2 * np.pi / cells * unit / np.linalg.norm(unit)
        phase = k[0] * node[:, None, None] + k[1] * node[:, None] + k[2] * node
        nodes = np.stack([np.cos(phase), np.sin(phase), 0 * phase, 0 * phase], axis=-1)
        arrays, _ = field_of("double", interpolation=interpolation)
        arrays = single_level(arrays._replace(grid=as_grid(nodes[None], interpolation, "nodes")))
        b = MagneticField(arrays, 1.0, 1.0).at(points)
        found = (b[:, 0] + 1j * b[:, 1]) * np.exp(-1j * points @ k)
        transfer = np.prod(axis_transfer(interpolation, k / (2 * np.pi)))
        power = np.prod(axis_power(interpolation, k / (2 * np.pi)))
        squares = np.abs(found) ** 2
        # 4 standard errors
        assert abs(found.mean() - transfer) < 4 * found.std() / 200
        assert abs(squares.mean() - power) < 4 * squares.std() / 200
        # control: the wave itself has less power than all there is; aliases of long waves are weak
        assert cells > 2.2 or found.mean().real ** 2 < squares.mean() - 4 * squares.std() / 200


# ---- synthesis ---------------------------------------------------------------------------------

JOB = """
[turbulence]
rms = "4 uG"
[grids]
interpolation = "{}"
cells = {}
boxes = ["400 pc"]
bands = [["100 pc", "50 pc"]]
precision = "{}"
layout = "nodes"
compensate = {}
"""


def made(interpolation, cells=32, precision="double", compensate=True, threads=1):
    text = JOB.format(interpolation, cells, precision, str(compensate).lower())
    return make_field(parse_job(text), 0, threads)


def test_all_interpolations_give_the_same_waves(points):
    """With 4 cells for the shortest wave they differ by their aliases alone."""
    exact = made("b-spline", 128).at(points)
    rms = np.sqrt(np.mean(exact**2))
    # r.m.s. of a wave of 4 cells: 0.087, 0.041, 0.006 (sum over the aliases); others have more
    for interpolation, most in (("trilinear", 0.087), ("catmull-rom", 0.041), ("b-spline", 0.006)):
        error = np.sqrt(np.mean((made(interpolation).at(points) - exact) ** 2)) / rms
        assert 0.2 * most < error < most
        # control: what interpolation leaves without its transfer divided out
        plain = made(interpolation, compensate=False).at(points)
        assert np.sqrt(np.mean((plain - exact) ** 2)) / rms > 1.2 * error


@pytest.mark.parametrize("precision", ["half", "single", "double"])
@pytest.mark.parametrize("interpolation", ["catmull-rom", "b-spline"])
def test_padding_repeats_the_period_for_any_number_of_threads(interpolation, precision):
    alone = made(interpolation, precision=precision).arrays.grid
    together = made(interpolation, precision=precision, threads=3).arrays.grid
    assert np.array_equal(alone, together)
    values = numbers(alone)
    assert alone.shape == (1, *level_shape(32, "nodes", interpolation))
    whole = np.pad(node_values(alone), [(0, 0), *[(1, 2)] * 3, (0, 0)], mode="wrap")
    assert np.array_equal(values.reshape(*values.shape[:4], 4)[..., :3], whole)
    assert np.all(np.any(whole != 0, axis=-1))


def test_cubic_interpolation_has_no_layout_cells():
    text = JOB.format("b-spline", 32, "half", "true")
    with pytest.raises(JobError, match="grids.layout.*nodes"):
        parse_job(text.replace('"nodes"', '"cells"'))
    assert parse_job(text.replace('layout = "nodes"', "")).grids.layout == "nodes"
    assert parse_job(text.replace("b-spline", "trilinear").replace(
        'layout = "nodes"', "")).grids.layout == "cells"
