"""Figure of the fluctuations that discrete sources make.

Theory: with uniform D the slab between absorbing boundaries is the job's own halo, apart from its
rim and its grid, so that the steady solution of the transport equation and the mean over Galaxies
agree: here with 40 cells of 500 pc in radius, of second order, to (500 pc/2 kpc)^2/12 = 5e-3 of the
density and twice that of the gradient. Densities are the same whatever the local field, which only
turns flows.
"""

import subprocess
import sys

import numpy as np
import pytest

from hpc_cr import open_results
from hpc_cr.figures import draw, source_fluctuations
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.frames import unit_vector
from hpc_cr.galaxy.coefficients import DiffusionModel
from hpc_cr.sources import discrete

JOB = """
[run]
kind = "galaxy"
[halo]
half_height = "2 kpc"
cells = [80, 80]
[diffusion]
coefficient = "2.7e29 cm2/s"
[energies]
rigidity = ["10 GV", "100 TV"]
count = 5
[[case]]
name = "isotropic"
[[case]]
name = "field"
set = { "local_field.direction" = [210.5, -57.1], "local_field.ratio" = 1e-6 }
[[case]]
name = "exponential"
set = { "diffusion.model" = "exponential", "diffusion.scale_height" = "500 pc" }
[[case]]
name = "elsewhere"
set = { "halo.sun" = "8 kpc" }
[[case]]
name = "low"
set = { "energies.rigidity" = ["1 GV", "50 GV"] }
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("galaxy")
    (folder / "job.toml").write_text(JOB)
    subprocess.run([sys.executable, "-m", "hpc_cr", "run", "job.toml", "-o", "galaxy.h5"],
                   cwd=folder, check=True, capture_output=True, timeout=120)
    return folder / "galaxy.h5"


@pytest.fixture
def cases(path):
    with open_results(path) as results:
        yield {case.case: case for case in results.each_case()}


def test_steady_disc_is_that_of_the_transport_equation(cases):
    job, rigidity = cases["isotropic"].job, np.array([100.0, 1e4])
    population = source_fluctuations.population_of(job, rigidity)
    np.testing.assert_allclose(population.half_height_pc, 2000.0, rtol=1e-12)
    found = source_fluctuations.steady_disc(job, rigidity)
    at_sun = DiffusionModel("uniform", job.diffusion.coefficient / 9.2508e28, 4.0, 0.6)
    expected = discrete.mean(population._replace(oldest_yr=np.inf), at_sun.at(8500, 0, rigidity))
    # beside the grid: exp(-8) of the mean, 5e-6 of the constant
    np.testing.assert_allclose(found.density, expected.density, rtol=5e-3)
    np.testing.assert_allclose(found.gradient[:, 0], expected.gradient[:, 0], rtol=1e-2)
    # control: half of the sources
    assert not np.allclose(found.density, expected.density / 2, rtol=0.3, atol=0)


def test_effective_height_of_an_exponential(cases):
    """D0 exp(z/H_D): int_0^H dz D(0)/D = H_D [1 - exp(-H/H_D)]; trapezoids of 1 pc."""
    found = source_fluctuations.effective_height(cases["exponential"].job, np.array([1e3, 1e5]))
    np.testing.assert_allclose(found, 500 * (1 - np.exp(-4)), rtol=1e-6)


def test_fluctuations_of_a_case(cases):
    one = source_fluctuations.fluctuations_of(cases["isotropic"], galaxies=20, count=3)
    np.testing.assert_allclose(one.rigidity_GV, [100.0, 10**3.5, 1e5])
    assert one.ratio.shape == (20, 3) and one.dipoles.shape == (20, 3, 3)
    assert np.all(np.isfinite(one.dipoles)) and np.all(one.ratio > 0)
    # the tail is above: the median lies below the mean, which needs more Galaxies to converge; at
    # 100 TV the mean free path 3 D/c is 3.8 kpc, so that causality takes much of it
    middle = np.median(one.ratio, axis=0)
    assert np.all(middle < 1) and middle[2] < 0.8 * middle[0]
    # the steady disc has its excess towards the centre
    steady = one.steady / np.linalg.norm(one.steady, axis=-1)[:, None]
    np.testing.assert_allclose(steady, np.tile(unit_vector(0, 0), (3, 1)), atol=1e-12)
    field = source_fluctuations.fluctuations_of(cases["field"], galaxies=20, count=3)
    np.testing.assert_array_equal(field.ratio, one.ratio)
    along = unit_vector(210.5, -57.1)
    # D_perp/D_par is 1e-6 (1e5/4)^0.32 = 2.6e-5 at most
    projected = (one.dipoles @ along)[..., None] * along
    size = np.linalg.norm(one.dipoles, axis=-1)[..., None]
    assert np.all(np.abs(field.dipoles - projected) < 3e-5 * size)
    assert not np.allclose(one.dipoles, projected, rtol=0.1)  # control: without the field


def test_figure(path):
    figure = draw("source-fluctuations", [path], Options(cases=("field",), data="IceCube"))
    left, right = figure.axes
    assert left.get_ylabel() and right.get_xlabel() == "rigidity [PV]"
    labels = [text.get_text() for one in figure.legends for text in one.get_texts()]
    assert "steady disc" in labels and "IceCube" in labels
    steady = left.get_lines()[-1].get_ydata()
    np.testing.assert_array_equal(steady, 1.0)


@pytest.mark.parametrize(("case", "told"), [("elsewhere", "needs halo.sun"),
                                            ("low", "begins at 100 GV"), ("none", "none")])
def test_what_cannot_be_drawn_is_told(path, case, told):
    with pytest.raises(FigureError, match=told) as error:
        draw("source-fluctuations", [path], Options(cases=(case,)))
    assert "\n" not in str(error.value)
