"""The interstellar gas.

Theory. Dickey & Lockman's layers add up to 6.2e20 HI atoms per cm^2 through the whole disc. CO
emissivity times X over a kpc is the density of molecules. About 1 hydrogen nucleus per cm^3 at the
Sun, half of it in molecules. The column through cells does not depend on the cells.
"""

import numpy as np
import pytest
from astropy import units

from hpc_cr.galaxy import gas, grid

HEIGHTS = np.linspace(-3000.0, 3000.0, 6001)


def test_layers_of_atoms():
    for r in (3000.0, 6000.0):
        atoms = gas.components(r, HEIGHTS).atoms
        column = (np.trapezoid(atoms, HEIGHTS) / atoms.max() * units.pc).to_value(units.cm)
        # 0.566 cm^-3 in the plane is theirs
        assert 0.566 * column == pytest.approx(6.2e20, rel=0.01)
    # the outer disc flares: thicker at 16 than at 12 kpc
    widths = [np.ptp(HEIGHTS[gas.components(r, HEIGHTS).atoms
                             > 0.5 * gas.components(r, 0.0).atoms]) for r in (12e3, 16e3)]
    assert widths[1] / widths[0] == pytest.approx(np.exp(0.11 * 4), rel=0.02)


def test_molecules_of_a_row_of_the_table():
    # 9.2 K km/s per kpc at 7.25 kpc, middle 14 pc below the plane, half width 58 pc
    middle = gas.components(7250.0, -14.0).molecules
    wanted = 9.2 * 1.9e20 / units.cm**2 / units.kpc
    assert middle == pytest.approx(2 * wanted.to_value(units.cm**-3), rel=1e-6)
    assert gas.components(7250.0, -14.0 + 58.0).molecules == pytest.approx(middle / 2, rel=1e-6)
    # none beyond the last row
    assert gas.components(25e3, 0.0).molecules == 0.0


def test_around_the_sun():
    here = gas.components(8500.0, 0.0)
    assert sum(here) == pytest.approx(1.16, rel=0.05)
    assert 0.4 < here.molecules / sum(here) < 0.5
    assert here.ions == pytest.approx(0.025 * np.exp(-(8.5**2) / 400) + 0.2 * np.exp(-2.25**2))
    np.testing.assert_allclose(gas.hydrogen(8500.0, HEIGHTS),
                               sum(gas.components(8500.0, HEIGHTS)))  # fmt: skip


def test_continuous_with_radius():
    r = np.linspace(2000, 24e3, 22001)
    plane = gas.hydrogen(r, 0.0)
    # steps of 1 pc; the steepest slope of the tables is 2 per kpc
    assert np.max(np.abs(np.diff(plane))) < 0.005
    assert np.all(plane > 0)


@pytest.mark.parametrize("profile", gas.PROFILES)
def test_columns_do_not_depend_on_the_cells(profile):
    columns = []
    for cells in (30, 120):
        # one more ring means another mean over radii: 24 rings in both
        cell = grid.make_grid(20e3, 4e3, 24, cells, 20.0)
        density = gas.on_grid(cell, profile, 0.7, 90.0)
        assert density.shape == cell.shape
        columns.append(np.sum(density * np.diff(cell.z_edges), axis=1))
    # four nodes in a cell of 30 are good to 1e-4 of layers thicker than it; inside of 0.3 kpc the
    # layer of 15 pc takes a cell of 20 pc
    rtol = {"galaxy": 3e-3, "slab": 1e-12, "exponential": 1e-4}[profile]
    np.testing.assert_allclose(columns[0], columns[1], rtol=rtol)
    if profile == "slab":
        np.testing.assert_allclose(columns[0], 0.7 * 90)
    if profile == "exponential":
        np.testing.assert_allclose(columns[0], 0.7 * 90, rtol=1e-4)
    # control: densities at the middles of cells miss the slab's edge
    if profile == "slab":
        middles = gas.hydrogen(cell.r[:, None], cell.z, profile, 0.7, 90.0)
        assert np.sum(middles * np.diff(cell.z_edges), axis=1)[0] != pytest.approx(63, rel=1e-3)


def test_components_on_grid():
    cell = grid.make_grid(20e3, 4e3, 20, 40, 20.0)
    found = gas.components_on_grid(cell)
    np.testing.assert_allclose(sum(found), gas.on_grid(cell))
    assert all(part.shape == cell.shape and np.all(part >= 0) for part in found)


def test_errors():
    with pytest.raises(ValueError, match="no gas profile 'disc'"):
        gas.hydrogen(8500.0, 0.0, "disc")
    with pytest.raises(ValueError, match="half height above 0"):
        gas.hydrogen(8500.0, 0.0, "slab", half_height=0.0)
