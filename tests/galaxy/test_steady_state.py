"""The steady-state solver as a function: shapes, repeatability, places, refusals."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hpc_cr.galaxy.grid import make_grid
from hpc_cr.galaxy.transport import Factorised, at_sun, balance, in_plane, medium, on_map

GRID = make_grid(20e3, 5e3, 40, 30, 40.0)

PRINT_BYTES = """
import zlib
import numpy as np
from hpc_cr.galaxy.grid import make_grid
from hpc_cr.galaxy.transport import Factorised, medium
grid = make_grid(20e3, 5e3, 150, 150)
place = medium(grid, lambda r, z: np.exp(z / 2e3) * (1 + r / 1e4), 1e-7, 1e-5)
source = np.exp(-grid.z / 200) * np.exp(-grid.r[:, None] / 5e3)
print(zlib.crc32(Factorised(grid, place).solve(source).tobytes()))
"""


def uniform(r, z):
    return np.full(np.broadcast_shapes(np.shape(r), np.shape(z)), 0.5)


def smooth(grid):
    """A density that is even in r and z and 0 at the boundary, (n_r, n_z)."""
    return np.cos(0.5 * np.pi * grid.r[:, None] / 20e3) * np.cos(0.5 * np.pi * grid.z / 5e3)


def test_several_sources_at_once_are_each_alone_bit_for_bit():
    solver = Factorised(GRID, medium(GRID, uniform, 1e-7))
    sources = np.random.default_rng(1).random((2, 3, *GRID.shape))
    together = solver.solve(sources)
    assert together.shape == sources.shape
    assert np.array_equal(together[1, 2], solver.solve(sources[1, 2]))
    assert np.array_equal(together, Factorised(GRID, medium(GRID, uniform, 1e-7)).solve(sources))


def test_bits_do_not_depend_on_the_threads():
    found = {subprocess.run([sys.executable, "-c", PRINT_BYTES], text=True, check=True,
                            capture_output=True, timeout=120,
                            env=os.environ | {"OPENBLAS_NUM_THREADS": threads}).stdout
             for threads in ("1", "2", "4")}
    assert len(found) == 1


def test_both_halves_of_the_galaxy_are_counted():
    place = medium(GRID, uniform, 1e-7)
    source = np.ones(GRID.shape)
    counted = balance(GRID, place, Factorised(GRID, place).solve(source), source)
    assert counted.injected == pytest.approx(np.pi * 20e3**2 * 10e3, rel=1e-13)


def test_a_wind_may_be_given_per_face():
    source = smooth(GRID)
    one = Factorised(GRID, medium(GRID, uniform, wind=1e-5)).solve(source)
    same = Factorised(GRID, medium(GRID, uniform, wind=np.full(31, 1e-5))).solve(source)
    assert np.array_equal(one, same)
    rising = Factorised(GRID, medium(GRID, uniform, wind=1e-5 * GRID.z_edges / 5e3)).solve(source)
    still = Factorised(GRID, medium(GRID, uniform)).solve(source)
    # it empties the plane; what it carries up gathers below the boundary
    plane = [in_plane(GRID, density) for density in (one, rising, still)]
    assert np.all(plane[0] < plane[1]) and np.all(plane[1] < plane[2])


@pytest.mark.parametrize("radius", [0.0, 300.0, 8500.0, 19.9e3])
def test_local_values_are_those_of_a_smooth_density(radius):
    """Cubics through cells of 500 pc, k = pi/(40 kpc): the next term is (500 pc k)^4 of the
    density, less than 3e-6, and of the order of (500 pc k)^3 k in the slope. In z a parabola
    through 20 and 61 pc, of which the slope at 41 pc stands for that at 40 pc: (k_z 61 pc)^2/8
    of its 1/20."""
    local = at_sun(GRID, smooth(GRID), radius)
    k = 0.5 * np.pi / 20e3
    assert local.density == pytest.approx(np.cos(k * radius), abs=2e-5)
    assert local.radial == pytest.approx(-k * np.sin(k * radius), abs=k * (500 * k) ** 3)


def test_maps_are_linear_between_middles_and_zero_outside():
    density = smooth(GRID)
    found = on_map(GRID, density, GRID.r, np.concatenate((-GRID.z, GRID.z)))
    assert np.allclose(found, np.hstack([density, density]), rtol=1e-13, atol=0)
    assert np.allclose(on_map(GRID, density, GRID.r, [0.0])[:, 0], in_plane(GRID, density))
    assert not on_map(GRID, density, [20e3, 25e3], [0.0, 100.0]).any()
    assert not on_map(GRID, density, [0.0, 8e3], [5e3, -6e3]).any()
    # chords of a cosine lie below it by (step k)^2/8 at most
    radii = np.linspace(0, 19e3, 57)
    exact = np.cos(0.5 * np.pi * radii / 20e3)
    assert np.allclose(on_map(GRID, density, radii, [0.0])[:, 0], exact, atol=2.5e-4, rtol=0)


@pytest.mark.parametrize("wrong", [
    {"coefficient": lambda r, z: 0.0}, {"coefficient": lambda r, z: np.nan},
    {"coefficient": lambda r, z: np.inf}, {"coefficient": lambda r, z: z - 100},
    {"loss": -1e-9}, {"loss": np.nan}, {"wind": -1e-5}, {"wind": 2.0}])
def test_impossible_media_are_refused(wrong):
    with pytest.raises(ValueError):
        medium(GRID, **({"coefficient": uniform} | wrong))


def test_impossible_sources_and_places_are_refused():
    solver = Factorised(GRID, medium(GRID, uniform))
    with pytest.raises(ValueError, match="shape"):
        solver.solve(np.ones((30, 40)))
    with pytest.raises(ValueError, match="finite"):
        solver.solve(np.full(GRID.shape, np.nan))
    with pytest.raises(ValueError, match="outside"):
        at_sun(GRID, smooth(GRID), 21e3)
