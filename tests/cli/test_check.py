"""hpc-cr check: damaged entries are named, whole ones are counted."""

import shutil

import h5py
import pytest
import synthetic_results

from hpc_cr.cli.main import run
from hpc_cr.config import parse_job


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Two cases, every third entry unfinished; not to be changed."""
    job = parse_job(synthetic_results.JOB + synthetic_results.CASES, name="synthetic",
                    overrides=["particles.observers=2", "run.realisations=3"])
    path = tmp_path_factory.mktemp("check") / "out.h5"
    return synthetic_results.write(path, job, finished=lambda n, row, rig: n % 3)


def test_whole_file(result, capsys):
    assert run(["check", str(result)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    # bytes by hand, nside 4, l_max 4 and 3 stops: 4 tensors, a dipole, the memory of nine l, 15
    # a_lm five times for three axes, 8 local fields without stops, and in the first case three
    # displacement maps as float32
    one = (3 * (4 * 9 + 3 + 9 + 5 * 3 * 15 * 2) + 8 * 3) * 8
    data = 8 * (one + 3 * 3 * 192 * 4) + 8 * one
    assert f"16 finished entries of 24, {data / 1000:.3g} kB at " in captured.out
    assert "B/s: every one is whole" in captured.out


def test_damaged_entries_are_named(result, tmp_path, capsys):
    path = shutil.copy(result, tmp_path / "damaged.h5")
    with h5py.File(path, "r+") as file:
        file["case/isotropic/anisotropy/displacement"][1, 0, 2, 0, 191] += 1e-6
        file["case/strong-field/status/checksum"][5, 1] ^= 1
        # not finished: what stands there is no number of anyone's
        assert not file["case/isotropic/status/done"][0, 0]
        file["case/isotropic/anisotropy/response"][0, 0] = 1.0
    assert run(["check", str(path), str(result)]) == 2
    captured = capsys.readouterr()
    first, second = captured.out.splitlines()
    assert "2 DAMAGED" in first and "every one is whole" in second
    lines = captured.err.splitlines()
    assert lines == [
        f"hpc-cr: {path}: damaged: case isotropic, realisation 0, observer 1, 1 PV",
        f"hpc-cr: {path}: damaged: case strong-field, realisation 2, observer 1, 10 PV",
        f"hpc-cr: {path}: run the job again with --resume to compute them anew",
    ]


def test_many_damaged_entries(result, tmp_path, capsys):
    path = shutil.copy(result, tmp_path / "damaged.h5")
    with h5py.File(path, "r+") as file:
        for case in ("isotropic", "strong-field"):
            file[f"case/{case}/anisotropy/noise"][..., 0] += 1
    assert run(["check", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 12 and "and 6 more" in lines[-2]


def test_a_wrong_file_does_not_hide_the_others(result, tmp_path, capsys):
    other = tmp_path / "other.h5"
    other.write_text("no HDF5")
    assert run(["check", str(other), str(result), str(tmp_path / "none.h5")]) == 2
    captured = capsys.readouterr()
    assert "every one is whole" in captured.out
    assert [line.split(":")[1].strip() for line in captured.err.splitlines()] == [
        str(other), str(tmp_path / "none.h5")]
    assert run(["check"]) == 2


def test_progress_of_a_large_file(result, capsys, monkeypatch):
    from hpc_cr.cli import reading

    monkeypatch.setattr(reading, "LINE_SECONDS", 0.0)
    assert run(["check", str(result)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 16
    assert "100 %" in lines[-1] and "MB/s" in lines[0] and "left" in lines[0]
