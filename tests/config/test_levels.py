"""Layout of the nested grids: boxes, bands, and the share of B_rms^2 in each.

    box_i = periods x longest_i x f_i,  f_i = 1 + 0.08 frac(0.6180339887 i),
    shortest_i = c box_i / cells = longest_(i+1),  last shortest = L_min.

For example 4 levels of 64 cells, 4 periods, 100 to 0.1 pc: prod f_i = 1 x 1.04944 x 1.01889 x
1.06833, c = 16 (0.001/prod)^(1/4) = 2.752.
"""

import numpy as np
import pytest

from hpc_cr.config import JobError, Level, parse_job
from hpc_cr.config.levels import detuning, has_modes

BAND = '[turbulence]\nrms = "4 uG"\nouter_scale = "100 pc"\ninner_scale = "0.1 pc"\n'


def levels(grids, turbulence=BAND):
    return parse_job(f"{turbulence}[grids]\n{grids}").levels


def cells_per_wavelength(level):
    return level.shortest * level.cells / level.box


def test_given_number_of_levels():
    made = levels("levels = 4\ncells = 64")
    assert np.allclose(detuning(4), [1, 1.0494427, 1.0188854, 1.0683282], atol=1e-7)
    product = 1.0494427 * 1.0188854 * 1.0683282
    c = 16 * (0.001 / product) ** 0.25
    assert [cells_per_wavelength(level) for level in made] == pytest.approx([c] * 4, rel=1e-6)
    assert made[0].box == pytest.approx(400.0)
    assert made[0].longest == 100.0 and made[-1].shortest == pytest.approx(0.1)
    for i, (upper, lower) in enumerate(zip(made, made[1:], strict=False)):
        assert lower.longest == upper.shortest
        assert lower.box == pytest.approx(4 * lower.longest * detuning(4)[i + 1])


@pytest.mark.parametrize("slope", [1.0, 1.5, 5 / 3, 2.5])
def test_bands_share_the_variance(slope):
    made = levels("levels = 5\ncells = 64", BAND + f"slope = {slope}\n")
    assert sum(level.rms**2 for level in made) == pytest.approx(16.0, rel=1e-12)
    # int_band E dk / int E dk by quadrature
    level = made[1]

    def energy(longest, shortest):
        log_k = np.linspace(-np.log(longest), -np.log(shortest), 4001)
        return np.trapezoid(np.exp((1 - slope) * log_k), log_k)

    share = energy(level.longest, level.shortest) / energy(100.0, 0.1)
    assert level.rms**2 == pytest.approx(16 * share, rel=1e-5)  # step 2e-3: error below 1e-6


@pytest.mark.parametrize("cells, wanted", [(64, 4.0), (128, 4.0), (128, 8.0), (256, 2.0)])
def test_auto_takes_the_fewest_levels(cells, wanted):
    made = levels(f"cells = {cells}\ncells_per_wavelength = {wanted}")
    assert cells_per_wavelength(made[-1]) >= wanted
    if len(made) > 1:
        try:
            fewer = levels(f"levels = {len(made) - 1}\ncells = {cells}")
        except JobError:
            return  # under two cells
        assert cells_per_wavelength(fewer[-1]) < wanted


def test_one_level_can_have_cells_to_spare():
    made = levels("cells = 128", '[turbulence]\nouter_scale = "100 pc"\ninner_scale = "50 pc"\n')
    assert len(made) == 1
    assert cells_per_wavelength(made[0]) == pytest.approx(16.0)


def test_boxes_are_incommensurate():
    boxes = [level.box for level in levels("levels = 6\ncells = 64")]
    for larger, smaller in zip(boxes, boxes[1:], strict=False):
        ratio = larger / smaller
        # no period of the smaller box fits the larger one to better than 1 %
        assert abs(ratio - round(ratio)) > 0.01


def test_explicit_boxes_and_bands():
    made = levels('cells = 64\nboxes = ["410 pc", "43 pc"]\n'
                  'bands = [["100 pc", "15 pc"], ["15 pc", "2 pc"]]', "")
    assert [level.box for level in made] == [410.0, 43.0]
    assert [(level.longest, level.shortest) for level in made] == [(100.0, 15.0), (15.0, 2.0)]
    assert sum(level.rms**2 for level in made) == pytest.approx(16.0)


def test_outer_and_inner_scale_follow_the_bands():
    job = parse_job('[grids]\ncells = 64\nboxes = "90 pc"\nbands = ["30 pc", "3 pc"]')
    assert (job.turbulence.outer_scale, job.turbulence.inner_scale) == (30.0, 3.0)


def test_modes_of_a_box_against_counting():
    m = np.arange(-9, 10)
    squares = np.unique(m[:, None, None] ** 2 + m[:, None] ** 2 + m**2)
    for longest, shortest in [(1, 0.99), (0.99, 0.75), (0.7, 0.6), (0.58, 0.55), (0.379, 0.371),
                              (0.3775, 0.3625), (0.26, 0.2585), (0.5, 0.48)]:
        inside = ((squares >= longest**-2) & (squares < shortest**-2)).any()
        assert has_modes(Level(1.0, longest, shortest, 1.0, 64)) == inside


def test_gap_between_bands_is_a_warning():
    job = parse_job('[grids]\ncells = 64\nboxes = ["410 pc", "43 pc"]\n'
                    'bands = [["100 pc", "20 pc"], ["10 pc", "2 pc"]]')
    assert any("the gaps leave out" in line for line in job.warnings)


def test_no_levels_without_grids():
    assert parse_job('[turbulence]\nsynthesis = "plane-waves"').levels == ()
    assert parse_job('[turbulence]\nrms = "0 uG"\n[boundary]\ntimes = ["1 pc"]').levels == ()
