"""A burst in concrete fields: the flow in its cloud is the diffusive dipole.

20 PV in B_rms = 1 uG, B0 = 0.5 uG, L_max = 25 pc: r_g = 19 pc > L_c = 7 pc, so that a mean free
path of about 200 pc takes few steps. Along the field

    sum N u s/sum N s^2 = (1/2) d ln<s^2>/dT

holds at any time, since d<s^2>/dT = 2 <s u>: the dipole over 3 s/(2 c T) is d ln<s^2>/d ln T,
2 for free flight and 1 + tau/T later on. The derivative comes from stops 10 % apart: a central
difference of a power law T^a is wrong by a (a-1)(a-2)/600, below 1e-3. With cells in place of the
places of the particles it holds for a Gaussian cloud.
"""

import subprocess
import sys

import numpy as np
import pytest

from hpc_cr import open_results
from hpc_cr.sources import dipole

JOB = """
[run]
kind = "source"
seed = 5
realisations = 12
[turbulence]
spectrum = "kolmogorov"
rms = "1 uG"
outer_scale = "25 pc"
inner_scale = "4 pc"
[grids]
cells = 48
periods = 3
[regular]
model = "uniform"
strength = "0.5 uG"
direction = [30, -20]
[particles]
rigidities = ["20 PV"]
count = 1000
[boundary]
times = ["90 pc", "100 pc", "110 pc", "1800 pc", "2000 pc", "2200 pc",
         "3600 pc", "4000 pc", "4400 pc"]
[source]
along = ["0 pc", "25 pc", "50 pc", "75 pc", "100 pc", "200 pc", "400 pc", "700 pc", "1100 pc",
         "1600 pc", "2800 pc"]
perpendicular = ["0 pc", "150 pc", "300 pc", "600 pc"]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    (folder / "job.toml").write_text(JOB)
    done = subprocess.run([sys.executable, "-m", "hpc_cr", "run", "job.toml", "-o", "out.h5"],
                          cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "flow" in done.stdout
    with open_results(folder / "out.h5") as found:
        yield found


EARLY, MIDDLE, LATE = 1, 4, 7
"""Stops with others 10 % before and after them."""


def growth(results, stop):
    """d ln<s^2>/d ln T about the source and its error, by jackknife over realisations."""
    from hpc_cr.diffusion.clouds import second_moments
    from hpc_cr.statistics import function_of_mean

    square = second_moments(results.mean[:, 0], results.covariance[:, 0], results.axes)[0]
    times = results.stops[0]
    step = np.log(times[stop + 1] / times[stop - 1])
    return function_of_mean(lambda m: np.log(m[..., stop + 1] / m[..., stop - 1]) / step, square,
                            results.realisation)


@pytest.mark.parametrize("stop", [EARLY, MIDDLE, LATE])
def test_flow_is_the_growth_of_the_cloud(results, stop):
    found = results.dipoles(0, stop)
    expected, error = growth(results, stop)
    # the mean place in a cell of width w is wrong by (w^2/12)/s at most, relative to s: w^2/(12
    # <s^2>) of the sum; cells as wide as half of a Gaussian cloud: 1/48
    width = (25.0 / 60) ** 2 / 12 if stop == EARLY else 1 / 48
    assert abs(found.ratio - expected) < 4 * np.hypot(found.ratio_error, error) + width
    assert found.ratio_error < 0.1
    assert expected > 1.8 if stop == EARLY else expected < 1.3
    # control: the streaming <u> itself is three times smaller
    assert abs(found.ratio / 3 - expected) > 6 * np.hypot(found.ratio_error, error)


def test_dipole_needs_cells_that_resolve_the_cloud(results):
    assert np.isfinite([results.dipoles(0, stop).ratio for stop in (EARLY, LATE)]).all()
    wide = results.along.copy()
    results.along = np.delete(wide, [1, 2, 3, 4])  # control: 200 pc, the cloud 60
    try:
        one = dipole.resolved(results.along, 2 * 100 * results.spread(0).parallel[EARLY])
    finally:
        results.along = wide
    assert one == (False, True)


def test_flow_is_the_diffusion_of_the_gradient(results):
    """3 <u> = 3 D grad n/n cell by cell: at each border the mean of the flows of both cells."""
    found = results.dipoles(0, LATE)
    flow = (found.flow.value[1:] + found.flow.value[:-1]) / 2
    error = np.hypot(found.flow.error[1:], found.flow.error[:-1]) / 2
    # D at this time: half of the growth of <s^2>
    parallel = results.spread(0).parallel[LATE] * np.array(growth(results, LATE))
    variance = 2 * results.stops[0, LATE] * results.spread(0).parallel[LATE]
    cells = results.along, results.perpendicular, variance, parallel, results.realisation
    _, gradient, noise = dipole.gradient_profile(results.one("density", 0, LATE), *cells)
    pull = (flow - gradient) / np.hypot(error, noise)
    assert np.mean(pull**2) < 1 + 4 * np.sqrt(2 / pull.size)
    wrong = (flow + gradient) / np.hypot(error, noise)  # control: the sign
    assert np.mean(wrong**2) > 1 + 8 * np.sqrt(2 / pull.size)


def test_density_is_the_gaussian(results):
    """Cells near the source against the Gaussian with the cloud's own widths; the kurtosis along
    the
    field, 1 - O(tau/T), makes the centre flatter by about as much."""
    from hpc_cr.sources.gaussian import mean_in_cells

    mean, poisson, error = results.mean_density(0, LATE)
    spread = results.spread(0)
    expected = mean_in_cells(results.along, results.perpendicular, results.stops[0, LATE],
                             spread.parallel[LATE], spread.perpendicular[LATE])
    near = np.s_[:7, :2]
    allowed = np.hypot(4 * np.fmax(poisson, error), 0.1 * expected)
    assert np.all(np.abs(mean - expected)[near] < allowed[near])
    assert np.all(np.abs(mean - 8 * expected)[near] > allowed[near])  # control: pi^(3/2)
    assert abs(spread.kurtosis[LATE, 0] - 1) < 0.15 and spread.kurtosis[EARLY, 0] < 0.8


def test_field_line_starts_at_the_source(results):
    line = results.field_line[0, 0]
    assert not line[:, 0].any()
    axis = results.axes[0]
    along = line @ axis
    nodes = np.linspace(0, results.along[-1], line.shape[1])
    known = np.isfinite(along)
    np.testing.assert_allclose(along[known], np.stack([nodes, -nodes])[known], atol=1e-6)
    profile = dipole.flow_profile(results.one("count", 0, LATE), results.one("flow", 0, LATE),
                                  results.realisation)
    assert profile.value.shape == (10, 3)
