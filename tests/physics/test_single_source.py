"""A burst in concrete fields: the flow in its cloud is the diffusive dipole.

20 PV in B_rms = 1 uG, B0 = 0.5 uG, L_max = 25 pc: r_g = 19 pc > L_c = 7 pc, so that few steps make
a mean free path of about 200 pc; T = 4000 pc. Then along the field

    3 <u_away> = -3 D_par d ln n/ds = 3 s/(2T) (1 + tau/T), tau < 3 D_par/c,

the last factor from <X^2> = 2 D_par (T - tau). With N particles the ratio has the error
sqrt(3 N)/(N rms(3s/2T)), plus what the realisations differ; it is measured over them.
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
times = ["100 pc", "2000 pc", "4000 pc"]
[source]
along = ["0 pc", "200 pc", "400 pc", "700 pc", "1100 pc", "1600 pc"]
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


def test_flow_is_the_gaussian_dipole(results):
    found = results.dipoles(0, 2)
    memory = 3 * results.coefficients(0)["D_par"].value / results.stops[0, 2]
    assert memory < 0.25
    assert -4 * found.ratio_error < found.ratio - 1 < memory + 4 * found.ratio_error
    assert found.ratio_error < 0.1
    early = results.dipoles(0, 0)  # control: free flight has x = T u: twice as much
    assert early.ratio - 1 > 6 * early.ratio_error + 0.3
    # control: the streaming <u> itself is three times smaller
    assert abs(found.ratio / 3 - 1) > 6 * found.ratio_error


def test_flow_is_the_diffusion_of_the_gradient(results):
    """3 <u> = 3 D grad n/n cell by cell: at each border the mean of the flows of both cells."""
    found = results.dipoles(0, 2)
    flow = (found.flow.value[1:] + found.flow.value[:-1]) / 2
    error = np.hypot(found.flow.error[1:], found.flow.error[:-1]) / 2
    pull = (flow - found.gradient) / np.hypot(error, found.gradient_error)
    assert np.mean(pull**2) < 1 + 4 * np.sqrt(2 / pull.size)
    wrong = (flow + found.gradient) / np.hypot(error, found.gradient_error)  # control: the sign
    assert np.mean(wrong**2) > 1 + 8 * np.sqrt(2 / pull.size)


def test_density_is_the_gaussian(results):
    """Cells near the source against the Gaussian with the cloud's own widths; the kurtosis along
    the
    field, 1 - O(tau/T), makes the centre flatter by about as much."""
    from hpc_cr.sources.gaussian import mean_in_cells

    mean, poisson, error = results.mean_density(0, 2)
    spread = results.spread(0)
    expected = mean_in_cells(results.along, results.perpendicular, results.stops[0, 2],
                             spread.parallel[2], spread.perpendicular[2])
    near = np.s_[:3, :2]
    allowed = np.hypot(4 * np.fmax(poisson, error), 0.1 * expected)
    assert np.all(np.abs(mean - expected)[near] < allowed[near])
    assert np.all(np.abs(mean - 8 * expected)[near] > allowed[near])  # control: pi^(3/2)
    assert abs(spread.kurtosis[2, 0] - 1) < 0.15 and spread.kurtosis[0, 0] < 0.8


def test_field_line_starts_at_the_source(results):
    line = results.field_line[0, 0]
    assert not line[:, 0].any()
    axis = results.axes[0]
    along = line @ axis
    nodes = np.linspace(0, results.along[-1], line.shape[1])
    known = np.isfinite(along)
    np.testing.assert_allclose(along[known], np.stack([nodes, -nodes])[known], atol=1e-6)
    profile = dipole.flow_profile(results.one("count", 0, 2), results.one("flow", 0, 2),
                                  results.realisation)
    assert profile.value.shape == (5, 3)
