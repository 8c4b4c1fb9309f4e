"""Files of diffusion and source jobs are told apart, read whole and in part, and never mixed.

What a user does wrong with them is one line that says what the file is, or which key differs.
"""

import shutil

import h5py
import numpy as np
import pytest

from hpc_cr.cli.main import run
from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance, schema
from hpc_cr.io.errors import ResultError
from hpc_cr.io.results import CLASSES, open_results
from hpc_cr.io.resume import check_resumable
from hpc_cr.io.writer import ResultWriter

TEXT = """
[run]
kind = "KIND"
realisations = 3
[turbulence]
outer_scale = "20 pc"
[regular]
model = "uniform"
strength = "4 uG"
direction = [0, 0]
[particles]
rigidities = ["1 PV", "10 PV"]
[boundary]
times = ["10 pc", "30 pc"]
"""
KINDS = {"diffusion": "[field_lines]\ncount = 5\n", "source": "", "anisotropy": ""}
NEVER = (1, 1)
"""Row and rigidity of the entry that is not finished."""


def job_of(kind, *changes):
    return parse_job(TEXT.replace("KIND", kind) + KINDS[kind], overrides=changes)


def entry(job, row, rig):
    """Data of an entry by name: random numbers of its own."""
    rng = np.random.default_rng([row, rig])
    found = {"unfinished": 0, "over_tolerance": 0, "steps": 10, "seconds": 1.0, "rank": 0,
             "origin": (0, "here", 0.0, 1.0)}
    for spec, shape in schema.datasets(job):
        if spec.role == "data":
            values = rng.normal(size=shape[2:])
            found[spec.name] = (10 * np.abs(values)).astype(spec.dtype)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Kind -> file with all entries but one."""
    folder, found = tmp_path_factory.mktemp("kinds"), {}
    for kind in KINDS:
        job, path = job_of(kind), folder / f"{kind}.h5"
        layout.create(path, job, provenance=provenance.collect())
        writer = ResultWriter(path, job)
        for row in range(3):
            for rig in range(2):
                if (row, rig) != NEVER:
                    writer.write_entry("", row, rig, entry(job, row, rig))
        writer.close()
        found[kind] = path
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_class_and_numbers(files, kind):
    with open_results(files[kind]) as results:
        assert type(results).__name__ == CLASSES[kind] and results.kind == kind
        assert not results.complete and results.done.sum() == 5
        for spec, shape in schema.datasets(results.job):
            if spec.role != "data":
                continue
            values = results.array(spec.path)
            assert values.shape == shape
            assert np.isnan(values[NEVER]).all(), spec.path
            expected = entry(results.job, 2, 1)[spec.name]
            np.testing.assert_array_equal(values[2, 1], expected)
            if "stop" in spec.dims:
                one = results.one(spec.name, 1, -1)
                np.testing.assert_array_equal(one[2], expected[-1])
                assert np.isnan(one[NEVER[0]]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_xarray(files, kind):
    with open_results(files[kind]) as results:
        data = results.to_xarray()
        names = {spec.name for spec, _ in schema.datasets(results.job) if spec.role == "data"}
        assert names <= set(data.data_vars), "a variable has become a coordinate, or is missing"
        for name in names:
            np.testing.assert_array_equal(data[name].values, results.array(f"{kind}/{name}"))
            assert data[name].attrs["units"] and data[name].attrs["description"]
    if kind == "source":
        assert data.sizes["along"] == data.sizes["along_edge"] - 1
        forward = data.density.sel(side=1)
        np.testing.assert_array_equal(forward, data.density.values[:, :, :, 0])
        assert list(data.kurtosis.axis.values) == ["along", "across 1", "across 2"]
    if kind == "diffusion":
        assert data.field_line.sel(distance=data.distance[-1]).shape == (3, 2, 3, 3)
        assert "axis" in data.kurtosis.dims and "i" in data.tensor.dims


@pytest.mark.parametrize("kind", ["diffusion", "source"])
@pytest.mark.parametrize("command", [["figure", "dipole-map"], ["detect"],
                                     ["paper", "mertsch_funk2015"]], ids=lambda words: words[0])
def test_commands_for_skies(files, kind, command, capsys):
    assert run([*command, str(files[kind])]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and f'a result of kind "{kind}"' in error
    assert 'kind "anisotropy"' in error


@pytest.mark.parametrize("kind", ["diffusion", "source"])
def test_commands_for_every_file(files, kind, capsys):
    path = str(files[kind])
    assert run(["check", path]) == 0
    for option in ([], ["--json"], ["--job"], ["--entries"]):
        assert run(["info", path, *option]) == 0
        assert kind in capsys.readouterr().out or option == ["--entries"]
    assert run(["diff", path, path]) == 0
    assert "the same to the last bit" in capsys.readouterr().out


def test_files_of_different_kinds_have_nothing_in_common(files, tmp_path, capsys):
    paths = [str(files["diffusion"]), str(files["source"])]
    assert run(["diff", *paths]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert 'of kind "diffusion"' in error and 'of kind "source"' in error
    assert run(["merge", *paths, "-o", str(tmp_path / "out.h5")]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and "run.kind is source, not diffusion" in error
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("value, words", [
    ("source", "its kind is 'source', that of its job 'diffusion'"),
    ("banana", "the attribute kind is 'banana'"),
    (3, "the attribute kind is"),
    (None, "the attribute kind is missing"),
])
def test_damaged_kind(files, tmp_path, value, words):
    path = tmp_path / "damaged.h5"
    shutil.copy(files["diffusion"], path)
    with h5py.File(path, "r+") as file:
        del file.attrs["kind"]
        if value is not None:
            file.attrs["kind"] = value
    with pytest.raises(ResultError, match="damaged result file") as caught:
        open_results(path)
    assert words in str(caught.value) and "\n" not in str(caught.value)


REFUSED = {
    "particles": ("diffusion", ["particles.count=99"], "particles.count is 99 now, 2000 in"),
    "lines": ("diffusion", ["field_lines.count=6"], "field_lines.count is 6 now, 5 in the file"),
    "shorter lines": ("diffusion", ["field_lines.length=7 pc"], "field_lines.length is 7.0 pc now"),
    "no lines": ("diffusion", ["field_lines.count=0"], "field_lines.count is 0 now, 5"),
    "other cells": ("source", ['source.along=["0 pc", "9 pc"]'], "source.along is [0.0 pc, 9.0"),
    "more sources": ("source", ["particles.observers=2"], "particles.observers is 2 now, 1 in"),
    "fewer rows": ("source", ["run.realisations=2"], "run.realisations is 2 now, 3 in the file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_resume_refuses(files, name):
    kind, changes, words = REFUSED[name]
    with pytest.raises(ResultError) as caught:
        check_resumable(files[kind], job_of(kind, *changes))
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["diffusion", "source"])
def test_what_resume_accepts(files, kind):
    done = check_resumable(files[kind], job_of(kind, "run.realisations=5"))[""]
    assert done.shape == (5, 2) and done.sum() == 5 and not done[NEVER]
    done = check_resumable(files[kind], job_of(kind, "parallel.team_size=2"))[""]
    assert done.sum() == 5


def test_resume_with_another_kind(files):
    with pytest.raises(ResultError, match='of kind "diffusion", but the job has run.kind = "sou'):
        check_resumable(files["diffusion"], job_of("source"))
