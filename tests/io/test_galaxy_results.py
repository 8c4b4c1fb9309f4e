"""Reading a galaxy job's file, and handing its gradient to an anisotropy job.

Checked against what the file must say by its own job: fluxes as asked for at 100 GeV, dipoles
as 3 D_ij d_j ln N/beta put together by hand, sums over components, units.
"""

import subprocess
import sys

import galaxy_files
import numpy as np
import pytest

import hpc_cr
from hpc_cr.campaigns import galaxy_setting
from hpc_cr.config import JobError, load_job, parse_job
from hpc_cr.galaxy.spectra import nucleon_mass, velocity
from hpc_cr.io.errors import ResultError
from hpc_cr.io.galaxy import sun_gradient

ANISOTROPY = """
[particles]
rigidities = ["10 TV", "1 PV"]
[gradient]
from = "galaxy.h5"
case = "as-printed"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("handed")
    galaxy_files.run(place, galaxy_files.small_job())
    (place / "sky.toml").write_text(ANISOTROPY)
    return place


@pytest.fixture
def results(folder):
    with hpc_cr.open_results(folder / "galaxy.h5", "as-printed") as found:
        yield found


def test_fluxes_at_the_energy_where_they_are_given(results):
    """Interpolated in rigidity: steps of a factor 5, slopes that change by 0.01 per step."""
    for name, asked in (("H1", 1.91e-2), ("He4", 1.43e-3), ("Fe56", 1.23e-5)):
        kinetic = 100.0 - nucleon_mass(results.nuclei[results.number(name)].a)
        found = results.flux(name, np.array([kinetic]), "nucleon").background[0]
        assert found == pytest.approx(asked, rel=5e-3), name


def test_fluxes_per_energy_nucleon_and_rigidity_are_the_same_particles(results):
    """J dE = J dR: by the numbers in a small interval, to the second order in its width."""
    at = 300.0 * np.array([1 - 1e-4, 1, 1 + 1e-4])
    s = results.nuclei[results.number("He4")]
    per_rigidity = results.flux("He4", at, "rigidity").total[1] * (at[2] - at[0])
    energy = s.a * np.hypot(at * s.z / s.a, nucleon_mass(s.a))
    per_energy = results.flux("He4", energy, "energy").total[1] * (energy[2] - energy[0])
    assert per_energy == pytest.approx(per_rigidity, rel=1e-6)
    assert per_energy != pytest.approx(per_rigidity / s.z, rel=0.1)  # control: the charge forgotten


def test_dipole_is_put_together_from_stored_numbers(results):
    rig = 6
    at = results.rigidities_GV[0, rig : rig + 1]
    flux = results.array("galaxy/flux")[:, rig]
    gradient = results.array("galaxy/gradient")[:, rig]
    tensor = results.array("galaxy/tensor")[:, rig]
    beta = np.array([velocity(at[0], s.z, s.a) for s in results.nuclei])
    flows = np.einsum("sp,sij,spj->i", flux / beta[:, None], 3 * tensor, gradient)
    np.testing.assert_allclose(results.dipoles(at, "rigidity")[0], flows / flux.sum(), rtol=1e-9)
    isotropic = results.dipoles(at, "rigidity", direction=None)[0]
    assert np.linalg.norm(isotropic) > 1.05 * np.linalg.norm(flows / flux.sum())


def test_gradient_is_that_of_all_nuclei_together(results):
    at = results.rigidities_GV[0, 6:7]
    flux = results.array("galaxy/flux")[:, 6]
    beta = np.array([velocity(at[0], s.z, s.a) for s in results.nuclei])
    density = flux / beta[:, None]
    gradient = np.einsum("sp,spi->i", density, results.array("galaxy/gradient")[:, 6])
    np.testing.assert_allclose(results.gradient(at)[0], gradient / density.sum(), rtol=1e-9)
    inward = results.gradient(at, part="background")[0]
    assert inward[0] > 0 and inward[1] == inward[2] == 0  # more cosmic rays towards the centre


def test_half_the_cells_change_little_above_a_tv(results):
    """24 x 24 cells of 833 pc by some 200 pc: the scheme is of second order, (h/L)^2 ~ 0.01 for
    lengths of some kpc. Protons and helium: collisions bring iron's gradient through zero."""
    flux, gradient = results.convergence()
    high = results.rigidities_GV[0] > 1e3
    steepness = np.abs(results.array("galaxy/gradient")[..., 0, 0])
    assert 0 < np.abs(flux[:, high]).max() < 0.05
    assert 0 < np.abs(gradient / steepness)[:2, high].max() < 0.05


COUPLED = """
[run]
kind = "galaxy"
[halo]
cells = [24, 20]
[diffusion]
wind = "50 km/s"
[nuclei]
species = ["H1", "He4"]
[energies]
per_nucleon = ["3 GeV", "3 TeV"]
count = 25
[injection]
flux = ["0.02 / (GeV m2 s sr)", "1e-3 / (GeV m2 s sr)"]
"""


def test_fluxes_of_connected_energies_are_the_ones_asked_for(tmp_path):
    """Also where a wind takes energy away: 13 % at 100 GeV, which would be missing if the scale
    were that of particles that keep their energy. Read between energies in steps of a third; the
    flux over the injected spectrum bends by 0.03 per step."""
    path = galaxy_files.run(tmp_path, COUPLED)
    with hpc_cr.open_results(path) as results:
        for name, asked in (("H1", 0.02), ("He4", 1e-3)):
            kinetic = 100.0 - nucleon_mass(results.nuclei[results.number(name)].a)
            found = results.flux(name, np.array([kinetic]), "nucleon").background[0]
            assert found == pytest.approx(asked, rel=3e-3), name
        fate = results.array("galaxy/fate")
        np.testing.assert_allclose(fate.sum(axis=-1), 1, atol=1e-6)
        assert np.abs(fate[..., 3]).max() > 0.01  # control: without what changes energy it is not 1


ABUNDANCES = """
[run]
kind = "galaxy"
[nuclei]
species = ["H1", "He4", "Fe56"]
[injection]
slope = 2.3
cutoff = "10 TV"
cutoff_in = "A"
break_rigidity = "8 GV"
slope_below = 1.9
abundance = [1000, 100, 1]
"""


@pytest.mark.parametrize("axis", ['rigidity = ["1 GV", "1 PV"]',
                                  'per_nucleon = ["1 GeV", "1 PeV"]'])
def test_abundances_are_at_equal_momentum_per_nucleon(axis):
    """Q per momentum per nucleon, dR = (A/Z) dp_n, in the ratio of the abundances, below and above
    the break in rigidity apart; with cutoff_in = "A" all end at one momentum per nucleon."""
    job = parse_job(ABUNDANCES + f"[energies]\n{axis}\n")
    momentum = np.array([100.0, 1e4])
    per_momentum = [
        galaxy_setting.injection(job, number, momentum * s.a / s.z) * s.a / s.z
        for number, s in enumerate(galaxy_setting.species_of(job))]
    np.testing.assert_allclose(per_momentum[1] / per_momentum[0], 0.1, rtol=1e-12)
    np.testing.assert_allclose(per_momentum[2] / per_momentum[0], 1e-3, rtol=1e-12)
    slope = np.log(per_momentum[0][1] / per_momentum[0][0]) / np.log(100)
    assert slope == pytest.approx(-2.3 - (1e4 - 100) / 1e4 / np.log(100))
    rigidity = np.array([1.0, 2.0, 8.0])
    helium = galaxy_setting.injection(job, 1, rigidity)
    assert np.log(helium[1] / helium[0]) / np.log(2) == pytest.approx(-1.9, abs=1e-3)
    assert np.log(helium[2] / helium[1]) / np.log(4) == pytest.approx(-1.9, abs=1e-3)


def test_gradient_for_an_anisotropy_job(folder, results):
    job = load_job(folder / "sky.toml")
    np.testing.assert_allclose(job.gradient_vectors, results.gradient([1e4, 1e6]), rtol=1e-12)
    again = parse_job(job.to_toml(), name="sky")  # what a result file keeps; no other file is read
    assert again == job
    np.testing.assert_array_equal(again.gradient_vectors, job.gradient_vectors)
    other = load_job(folder / "sky.toml", ["gradient.case=consistent-kernel"])
    assert np.abs(other.gradient_vectors - job.gradient_vectors).max() > 1e-6
    mine = load_job(folder / "sky.toml", ["gradient.direction=[90, 0]"])
    assert mine.gradient.from_ is None


def test_anisotropy_run_with_that_gradient(folder):
    small = ["grids.cells=64", "turbulence.inner_scale=1 pc", "particles.nside=4",
             "boundary.times=['1 pc']", "run.realisations=1", "output.l_max=2"]  # fmt: skip
    words = [word for one in small for word in ("--set", one)]
    subprocess.run([sys.executable, "-m", "hpc_cr", "run", "sky.toml", "--quiet", *words],
                   cwd=folder, check=True, capture_output=True, timeout=120)  # fmt: skip
    with hpc_cr.open_results(folder / "sky.h5") as sky:
        expected = np.einsum("rstij,sj->rsti", sky.response, sky.job.gradient_vectors)
        np.testing.assert_allclose(sky.dipoles(), expected, rtol=1e-12)


@pytest.mark.parametrize("change, words", [
    ('rigidities = ["10 EV"]', ["1e+10 GV is beyond its rigidities"]),
    ('case = "nothing"', ["no case 'nothing'", "as-printed"]),
    ('from = "none.h5"', ["none.h5", "no such file"]),
    ('from = "sky.toml"', ["sky.toml"]),
])  # fmt: skip
def test_wrong_files_are_one_clear_line(folder, change, words):
    key = change.split(" ")[0]
    text = "".join(f"{change}\n" if line.startswith(f"{key} ") else f"{line}\n"
                   for line in ANISOTROPY.splitlines())
    (folder / "wrong.toml").write_text(text)
    with pytest.raises(JobError) as caught:
        load_job(folder / "wrong.toml")
    line = str(caught.value)
    assert "gradient.from" in line and "\n" not in line
    for word in words:
        assert word in line, line


def test_other_kinds_have_no_gradient(folder, tmp_path):
    with pytest.raises(ResultError, match="no such file"):
        sun_gradient(tmp_path / "none.h5", [1.0])


def test_xarray_has_nuclei_and_units(results):
    data = results.to_xarray()
    assert list(data.row.values) == list(results.species)
    assert data.fate.sel(row="He4", way="lost").shape == results.rigidities.shape
    assert data.flux.dims == ("row", "rigidity", "part")
    assert data.gradient.attrs["units"] == "1/pc"
