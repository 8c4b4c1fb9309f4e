"""The laid-out file: complete, described, with its disk space, or not there at all."""

import os
import re
import resource
import subprocess
import sys
from importlib.resources import files

import h5py
import numpy as np
import pytest
from astropy import units

from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance, schema
from hpc_cr.io.errors import ResultError


@pytest.fixture
def facts():
    return provenance.collect()


def test_every_dataset_is_there_with_shape_type_and_words(tmp_path, job, facts):
    path = tmp_path / "out.h5"
    layout.create(path, job, provenance=facts)
    with h5py.File(path) as file:
        expected = {"config", schema.RUNS.path}
        for spec, shape in schema.datasets(job):
            expected.add(spec.path)
            dataset = file[spec.path]
            assert dataset.shape == shape
            assert dataset.dtype == np.dtype(spec.dtype)
            assert dataset.attrs["description"] == spec.description
            assert dataset.chunks is None and dataset.compression is None
        found = set()
        file.visititems(lambda name, node: found.add(name) if hasattr(node, "shape") else None)
        assert found == expected
        assert "axes/time" in found and "axes/radius" not in found
        assert "anisotropy/displacement" not in found
        assert file["anisotropy/response"].shape == (6, 2, 3, 3, 3)
        assert file["anisotropy/alm_half"].shape == (6, 2, 3, 2, 3, 15)
        assert not file["status/done"][...].any()
        assert file.attrs["format"] == "hpc-cr results" and file.attrs["format_version"] == 3
        assert file.attrs["seed"] == 7 and file.attrs["job"] == "synthetic"
        np.testing.assert_allclose(file["axes/rigidity"], [1, 10])
        np.testing.assert_allclose(file["axes/time"], [[15, 30, 60]] * 2)
        np.testing.assert_allclose(file["axes/gradient"], [[0, 1e-4, 0]] * 2, atol=1e-19)
        assert parse_job(file["config"].asstr()[()], name="synthetic") == job


def test_every_unit_is_a_unit():
    for spec in schema.ALL:
        units.Unit(spec.units)


def test_cases_repeat_the_groups(tmp_path, cases_job, facts):
    path = tmp_path / "out.h5"
    observers = {"isotropic": np.arange(18.0).reshape(6, 3)}
    layout.create(path, cases_job, provenance=facts, observers=observers)
    with h5py.File(path) as file:
        assert set(file) == {"config", "provenance", "case"}
        assert set(file["case"]) == {"isotropic", "strong-field"}
        assert file["case/isotropic/anisotropy/displacement"].shape == (6, 2, 3, 3, 192)
        assert "displacement" not in file["case/strong-field/anisotropy"]
        assert file["case/strong-field/status/done"].shape == (4, 2)
        assert file["case/isotropic/provenance/runs"] == file["provenance/runs"]
        np.testing.assert_array_equal(
            file["case/isotropic/axes/observer"], observers["isotropic"]
        )
        assert not file["case/strong-field/axes/observer"][...].any()


def test_sphere_has_radii(tmp_path, facts):
    from synthetic_results import JOB

    text = JOB.replace('kind = "time"', 'kind = "sphere"').replace("times =", "radii =")
    path = tmp_path / "out.h5"
    layout.create(path, parse_job(text), provenance=facts)
    with h5py.File(path) as file:
        assert set(file["axes"]) == {"rigidity", "radius", "gradient", "observer", "smoothing"}
        np.testing.assert_allclose(file["axes/radius"], [[15, 30, 60]] * 2)


def test_space_is_claimed_and_nothing_else_is_left(tmp_path, cases_job, facts):
    path = tmp_path / "out.h5"
    (tmp_path / ".out.h5.123.partial").write_text("of a killed job")
    layout.create(path, cases_job, provenance=facts)
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]
    status = path.stat()
    assert status.st_blocks * 512 >= status.st_size > schema.data_bytes(cases_job)


def test_replaces_a_file_only_when_complete(tmp_path, job, facts, monkeypatch):
    path = tmp_path / "out.h5"
    path.write_text("precious")

    def full(*arguments):
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(ResultError, match="No space left on device"):
            layout.create(path, job, provenance=facts)
    assert path.read_text() == "precious" and len(list(tmp_path.iterdir())) == 1
    layout.create(path, job, provenance=facts)
    assert h5py.is_hdf5(path)


def test_a_disk_too_small_is_refused_before_anything_is_written(tmp_path, facts):
    from synthetic_results import JOB

    huge = JOB.replace("nside = 4", "nside = 1024").replace("= 6", "= 1000000")
    job = parse_job(huge + "displacement = true\n")
    with pytest.raises(ResultError, match=r"needs \d+ TB|needs .* PB") as error:
        layout.create(tmp_path / "out.h5", job, provenance=facts)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


CREATE = """
import sys
from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance, schema
from hpc_cr.io.errors import ResultError
job = parse_job(open(sys.argv[2]).read())
try:
    layout.create(sys.argv[1], job, provenance=provenance.collect())
except ResultError as error:
    sys.exit(f"ResultError: {error}")
"""


def run_create(path, job_file, **options):
    return subprocess.run(
        [sys.executable, "-c", CREATE, str(path), str(job_file)],
        capture_output=True, text=True, timeout=60, **options,
    )  # fmt: skip


def test_a_file_that_outgrows_its_limit(tmp_path):
    """The kernel's limit on a file's size stands for a quota: found while space is claimed."""
    from synthetic_results import JOB

    job_file = tmp_path / "job.toml"
    job_file.write_text(JOB + "displacement = true\n")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = run_create(tmp_path / "out.h5", job_file, preexec_fn=limit)
    assert done.returncode == 1
    assert re.fullmatch(r"ResultError: .*out.h5: cannot create .*\n", done.stderr), done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["job.toml"]


def test_a_folder_that_cannot_be_written(tmp_path, job, facts):
    with pytest.raises(ResultError, match="there is no folder"):
        layout.create(tmp_path / "none" / "out.h5", job, provenance=facts)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="there is no folder"):
        layout.create(tmp_path / "file" / "out.h5", job, provenance=facts)
    with pytest.raises(ResultError, match="cannot create the result file"):
        layout.create("/proc/out.h5", job, provenance=facts)


def test_the_page_names_every_dataset_and_its_unit():
    page = files("hpc_cr").joinpath("docs", "results.md").read_text()
    for spec in schema.ALL:
        rows = [line for line in page.splitlines() if line.startswith(f"| `/{spec.path}` |")]
        assert len(rows) == 1, spec.path
        assert f" {spec.units} " in rows[0], spec.path
    for field in schema.RUN_DTYPE.names:
        assert f"`{field}`" in page
    for name in provenance.collect():
        assert f"`{name}`" in page
