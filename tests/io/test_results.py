"""Reading: shapes, gaps, derived quantities, and files that are none of ours."""

import json
import shutil
from pathlib import Path

import h5py
import healpy
import numpy as np
import pytest
import synthetic_results
from astropy import units
from synthetic_results import JOB

import hpc_cr
from hpc_cr.cli.summary import print_summary
from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance, schema
from hpc_cr.io.errors import ResultError
from hpc_cr.io.lock import FileLock
from hpc_cr.io.resume import check_resumable


def test_axes_and_gaps(partial):
    with hpc_cr.open_results(partial) as first:
        assert first.case == "isotropic" and first.case_names == ("isotropic", "strong-field")
        assert not first.complete
    with hpc_cr.open_results(partial, case="strong-field") as results:
        assert results.job.regular.model == "uniform"
        assert results.stop_kind == "time" and results.stops.shape == (2, 3)
        np.testing.assert_allclose(results.rigidities, [1, 10])
        np.testing.assert_array_equal(results.realisation, np.arange(4))
        finite = np.isfinite(results.response).all(axis=(2, 3, 4))
        np.testing.assert_array_equal(finite, results.done)
        assert 0 < results.done.sum() < results.done.size
        assert np.isnan(results.alm[~results.done]).all()
        assert results.steps[~results.done].sum() == 0
        assert results.runs[0]["state"] == "stopped by SIGTERM"
        assert results.provenance["version"] == hpc_cr.__version__


def test_dipoles_of_any_gradient(complete, job):
    with hpc_cr.open_results(complete) as results:
        stored = results.array("anisotropy/dipole")
        np.testing.assert_allclose(results.dipoles(), stored, rtol=1e-13)
        along_z = results.dipoles(gradient=[0, 0, 2e-4])
        # M_zz = 100 + row + T, the other components of the column vanish
        expected = 2e-4 * (100 + np.arange(6)[:, None, None] + results.stops)
        np.testing.assert_allclose(along_z[..., 2], expected, rtol=1e-13)
        np.testing.assert_array_equal(along_z[..., :2], 0)
        # along y the antisymmetric part shows: M_xy = -2, M_yx = +2
        along_y = results.dipoles(gradient=[[0, 1e-4, 0], [0, 3e-4, 0]])
        np.testing.assert_allclose(along_y[:, 1, :, 0], -6e-4)
        np.testing.assert_allclose(along_y[:, 0, :, 1], 4e-4)
        # a quantity is converted, and nothing of another shape or dimension is taken
        quantity = [0, 0, 0.2] / units.kpc
        np.testing.assert_allclose(results.dipoles(quantity), along_z, rtol=1e-13)
        for wrong in (1e-4, [1e-4], [1e-4, 0], [0, 0, 1] * units.pc):
            with pytest.raises(ValueError, match="gradient|convertible"):
                results.dipoles(wrong)
        # sampling errors 0.1 pc per element, one component of the gradient
        np.testing.assert_allclose(results.dipole_errors([0, 0, 2e-4]), 0.1 * 2e-4)


def test_local_term(complete):
    """delta_i = (M_ij + (3 <n_i U_k>) 3 K_kj) g_j (Ahlers & Mertsch 2015)."""
    g, k = np.array([0, 0, 1e-4]), np.diag([1.0, 2.0, 3.0])
    with hpc_cr.open_results(complete) as results:
        added = results.dipoles(g, local_term=k) - results.dipoles(g)
        np.testing.assert_allclose(added, results.direction_response[..., 2] * 9e-4, rtol=1e-9)
        own = results.dipoles(g, local_term=True) - results.dipoles(g)
        trace = np.trace(results.response, axis1=-2, axis2=-1).mean(axis=0) / 3
        expected = results.direction_response[..., 2] * 1e-4 * trace[..., None]
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-15)


def test_summary_uses_the_set_up_s_symmetry(partial):
    with hpc_cr.open_results(partial, "strong-field") as results:
        summary = results.summary(stop=1, gradient=[0, 1e-4, 0])[0]
        rows = np.flatnonzero(results.done[:, 0])
        assert summary.n == len(rows) and summary.rigidity == 1.0 and summary.stop == 30.0
        np.testing.assert_allclose(summary.expectation, [-2e-4, 4e-4, 0], atol=1e-15)
        np.testing.assert_allclose(results.symmetry / np.linalg.norm(results.symmetry), [0, 0, 1],
                                   atol=1e-15)  # fmt: skip
        found = results.convergence(rig=0).coefficients
        expected = 100 + rows.mean() + results.stops[0]
        np.testing.assert_allclose(found[:, 0], expected)
    with hpc_cr.open_results(partial, "isotropic") as results:
        summary = results.summary(gradient=[0, 1e-4, 0])[1]
        np.testing.assert_allclose(summary.expectation[[0, 2]], 0, atol=1e-18)


@pytest.mark.parametrize("rig", [0, 1])
def test_power_spectrum_is_healpy_s(complete, job, rig):
    """C_l = sum_m |a_lm|^2 / (2l + 1), with g_j a_lm,j; noise g.N.g = 0.03 |g|^2."""
    g = np.array([1.0, -2.0, 0.5]) * 1e-4
    with hpc_cr.open_results(complete) as results:
        spectrum = results.power_spectrum(g, rig=rig, stop=1)
        cross = results.power_spectrum(g, rig=rig, stop=1, estimator="cross")
        np.testing.assert_array_equal(spectrum.l, np.arange(5))
        np.testing.assert_allclose(spectrum.noise, 0.03 * g @ g)
        for row in range(6):
            alm = np.einsum("jm,j", results.alm[row, rig, 1], g)
            # a real map has real a_l0; healpy drops an imaginary part, so compare without one
            alm[:5] = alm[:5].real
            halves = np.einsum("hjm,j->hm", results.alm_half[row, rig, 1], g)
            imaginary = np.einsum("jm,j", results.alm[row, rig, 1], g)[:5].imag
            expected = healpy.alm2cl(alm) - 0.03 * g @ g
            expected += imaginary**2 / (2 * np.arange(5) + 1)
            np.testing.assert_allclose(spectrum.cl[row], expected, rtol=1e-10)
            first, second = halves
            expected = healpy.alm2cl(np.r_[first[:5].real, first[5:]],
                                     np.r_[second[:5].real, second[5:]])  # fmt: skip
            expected += first[:5].imag * second[:5].imag / (2 * np.arange(5) + 1)
            np.testing.assert_allclose(cross.cl[row], expected, rtol=1e-10)
        with pytest.raises(ValueError, match="estimator"):
            results.power_spectrum(estimator="halves")


def test_maps(partial, cases_job):
    with hpc_cr.open_results(partial, "isotropic") as results:
        row, rig = np.argwhere(results.done)[-1]
        entry = synthetic_results.entry(cases_job.cases[0].job, row, rig)
        found = results.maps("displacement", row, rig, 2)
        np.testing.assert_array_equal(found, entry["displacement"][2].astype("f4"))
        row, rig = np.argwhere(~results.done)[0]
        with pytest.raises(ResultError, match="not finished"):
            results.maps("displacement", row, rig)
        with pytest.raises(ResultError, match="crossing_time = true"):
            results.maps("crossing_time", 0, 0)
        with pytest.raises(ResultError, match="maps: displacement, final_direction"):
            results.maps("temperature", 0, 0)


def test_xarray_has_names_and_units(partial):
    with hpc_cr.open_results(partial, "isotropic") as results:
        data = results.to_xarray()
    assert data.response.dims == ("row", "rigidity", "stop", "i", "j")
    assert data.response.attrs["units"] == "pc"
    assert data.alm_half.dims == ("row", "rigidity", "stop", "half", "j", "lm")
    assert data.sel(rigidity=10).dipole.isel(stop=-1).shape == (6, 3)
    assert data.time.dims == ("rigidity", "stop")
    assert "displacement" not in data and data.attrs["case"] == "isotropic"


def test_rows_of_a_block_have_their_realisation_s_number(tmp_path):
    """Realisations 4 to 6 with two observers; here and in xarray, as the job counts them."""
    text = JOB.replace("realisations = 6", "first_realisation = 4\nrealisations = 3")
    job = parse_job(text.replace("nside = 4", "nside = 4\nobservers = 2"), name="synthetic")
    with hpc_cr.open_results(synthetic_results.write(tmp_path / "out.h5", job)) as results:
        expected = [4, 4, 5, 5, 6, 6]
        np.testing.assert_array_equal(results.realisation, expected)
        assert [summary.n_realisation for summary in results.summary()] == [3, 3]
        data = results.to_xarray()
        np.testing.assert_array_equal(data.realisation, expected)
        assert data.realisation.dims == ("row",)
        fifth = data.response.where(data.realisation == 5, drop=True)
        np.testing.assert_array_equal(fifth, results.response[2:4])
        # negative control: the rows differ (M_zz = 100 + row + T)
        assert not np.array_equal(fifth, results.response[4:6])


def test_files_that_cannot_be_read(tmp_path, complete):
    def refused(path, match, **options):
        with pytest.raises(ResultError, match=match) as error:
            hpc_cr.open_results(path, **options)
        assert "\n" not in str(error.value) and str(path) in str(error.value)

    refused(tmp_path / "none.h5", "no such file")
    refused(tmp_path, "is a folder")
    text = tmp_path / "text.h5"
    text.write_text("not HDF5")
    refused(text, "not HDF5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["data"] = np.zeros(3)
    refused(tmp_path / "foreign.h5", "not a result file")
    refused(complete, "no case 'x'", case="x")
    newer = tmp_path / "newer.h5"
    newer.write_bytes(complete.read_bytes())
    with h5py.File(newer, "r+") as file:
        file.attrs["format_version"] = schema.FORMAT_VERSION + 1
    refused(newer, "format version 4, but this version of hpc_cr reads 1, 2 and 3")
    with h5py.File(newer, "r+") as file:
        file.attrs["format_version"] = schema.FORMAT_VERSION
        del file["axes/observer"]
    refused(newer, "damaged result file: there is no dataset /axes/observer")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(complete.read_bytes()[:3000])
    refused(cut, "truncated")


def _replace(file, path, **options):
    del file[path]
    return file.create_dataset(path, **options)


DAMAGE = {
    "no data": lambda file: file.pop("anisotropy/alm"),
    "no checksums": lambda file: file.pop("status/checksum"),
    "no runs": lambda file: file.pop("provenance/runs"),
    "a group for data": lambda file: (file.pop("status/steps"), file.create_group("status/steps")),
    "fewer rows": lambda file: _replace(file, "status/done", shape=(5, 2), dtype="u1"),
    "fewer stops": lambda file: _replace(file, "axes/time", shape=(2, 2), dtype="f8"),
    "text for numbers": lambda file: _replace(file, "axes/rigidity", shape=(2,), dtype="S4"),
    "other runs": lambda file: _replace(file, "provenance/runs", shape=(64,), dtype="f8"),
    "stops of another kind": lambda file: file.move("axes/time", "axes/radius"),
    "numbers for the job": lambda file: _replace(file, "config", data=np.arange(3)),
    "a list for the job": lambda file: _replace(file, "config", data=[b"[run]", b"seed = 1"]),
    "a group for the job": lambda file: (file.pop("config"), file.create_group("config")),
    "no characters in the job": lambda file: _replace(file, "config", data=np.bytes_(b"\xff\xfe")),
    "no TOML in the job": lambda file: _replace(file, "config", data="[run"),
    "no job of this program": lambda file: _replace(file, "config", data="[run]\nsed = 1"),
    "no seed": lambda file: file.attrs.__delitem__("seed"),
    "no name": lambda file: file.attrs.__delitem__("job"),
    "a number for the commit": lambda file: file.attrs.__setitem__("commit", 3),
    "a list for the name": lambda file: file.attrs.__setitem__("job", ["a", "b"]),
    "nothing for the seed": lambda file: file.attrs.__setitem__("seed", h5py.Empty("i8")),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, complete, job, name):
    """Wherever it is opened: for reading, by info and the closing table, for --resume."""
    path = shutil.copy(complete, tmp_path / "out.h5")
    with h5py.File(path, "r+") as file:
        DAMAGE[name](file)
    for use in (hpc_cr.open_results, print_summary, lambda path: check_resumable(path, job)):
        with pytest.raises(ResultError, match=r"out\.h5: damaged result file: ") as error:
            use(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [["a", "b"], np.arange(2), h5py.Empty("i8")], ids=str)
def test_a_format_that_is_no_word(tmp_path, complete, value):
    path = shutil.copy(complete, tmp_path / "out.h5")
    for attribute, words in (("format_version", "format version"), ("format", "not a result file")):
        with h5py.File(path, "r+") as file:
            file.attrs[attribute] = value
        with pytest.raises(ResultError, match=words):
            hpc_cr.open_results(path)


def test_attributes_that_others_have_added(tmp_path, complete):
    """They do no harm: provenance is plain text and numbers."""
    path = shutil.copy(complete, tmp_path / "out.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["empty"], file.attrs["list"] = h5py.Empty("f8"), np.arange(3)
        file.attrs["bytes"] = np.void(b"abc")
    with hpc_cr.open_results(path) as results:
        assert all(isinstance(v, str | int | float) for v in results.provenance.values())
        json.dumps(results.provenance)


@pytest.mark.parametrize("name", ["", "a" * 300, "a\0b", "b" * 300 + "/out.h5"])
def test_what_can_be_no_file_s_name(tmp_path, job, name):
    path = tmp_path / name if name else Path(name)
    for use in (
        hpc_cr.open_results,
        lambda path: check_resumable(path, job),
        lambda path: FileLock(path).acquire(),
        lambda path: layout.create(path, job, provenance=provenance.collect()),
    ):
        with pytest.raises(ResultError) as error:
            use(path)
        assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_names_that_are_not_characters(tmp_path, job):
    """A command line or a job file's name may hold bytes that are not UTF-8."""
    path = tmp_path / "out.h5"
    facts = provenance.collect(["hpc-cr", "run", "caf\udce9.toml"])
    layout.create(path, job.named("caf\udce9"), provenance=facts)
    with hpc_cr.open_results(path) as results:
        assert results.provenance["command"] == "hpc-cr run caf?.toml"
        assert results.provenance["job"] == "caf?"
