"""Reading: shapes, gaps, derived quantities, and files that are none of ours."""

import h5py
import healpy
import numpy as np
import pytest
import synthetic_results

import hpc_cr
from hpc_cr.io import schema
from hpc_cr.io.errors import ResultError


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
    refused(newer, "format version 2, but this version of hpc_cr reads 1")
    with h5py.File(newer, "r+") as file:
        file.attrs["format_version"] = schema.FORMAT_VERSION
        del file["axes/observer"]
    refused(newer, "damaged")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(complete.read_bytes()[:3000])
    refused(cut, "truncated")
