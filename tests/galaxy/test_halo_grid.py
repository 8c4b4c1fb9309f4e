"""Grids of the Galactic halo: edges, volumes, refinement, refusals."""

import numpy as np
import pytest

from hpc_cr.galaxy.grid import half_grid, make_grid


@pytest.mark.parametrize("cells_r, cells_z, first", [(200, 200, 10.0), (7, 33, 100.0), (5, 4, 3.0)])
def test_edges_span_the_halo_and_grow_by_one_factor(cells_r, cells_z, first):
    grid = make_grid(20e3, 5e3, cells_r, cells_z, first)
    assert grid.shape == (cells_r, cells_z) == grid.volume.shape
    assert grid.r_edges[[0, -1]].tolist() == [0.0, 20e3]
    assert grid.z_edges[[0, -1]].tolist() == [0.0, 5e3]
    heights = np.diff(grid.z_edges)
    # heights are differences of numbers up to 5e3 rounded at 2^-53
    assert heights[0] == pytest.approx(first, rel=1e-8)
    assert np.ptp(heights[1:] / heights[:-1]) < 1e-8
    assert grid.volume.sum() == pytest.approx(np.pi * 20e3**2 * 5e3, rel=1e-13)


def test_a_first_cell_above_the_mean_gives_equal_cells():
    assert np.ptp(np.diff(make_grid(20e3, 4e3, 10, 40, 100.0).z_edges)) < 1e-9
    assert np.ptp(np.diff(make_grid(20e3, 4e3, 10, 40, 1000.0).z_edges)) < 1e-9


@pytest.mark.parametrize("cells, left", [(20, 10), (21, 11)])
def test_half_a_grid_joins_pairs_of_cells(cells, left):
    fine = make_grid(20e3, 5e3, cells, cells, 50.0)
    coarse = half_grid(fine)
    assert coarse.shape == (left, left)
    assert set(coarse.r_edges) <= set(fine.r_edges) and set(coarse.z_edges) <= set(fine.z_edges)
    assert coarse.volume.sum() == pytest.approx(fine.volume.sum(), rel=1e-13)


@pytest.mark.parametrize("wrong", [{"radius": 0.0}, {"half_height": -1.0}, {"cells_r": 3},
                                   {"cells_z": 2}, {"first_cell": 0.0}, {"radius": np.nan}])
def test_impossible_halos_are_refused(wrong):
    with pytest.raises(ValueError, match="needs"):
        make_grid(**({"radius": 20e3, "half_height": 5e3, "cells_r": 10, "cells_z": 10} | wrong))
