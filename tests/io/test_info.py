"""hpc-cr info and the closing table."""

import gzip
import io
import json
import shutil
from pathlib import Path

import click
import h5py
import numpy as np
import pytest
import synthetic_results
from click.testing import CliRunner

import hpc_cr
from hpc_cr.cli import info, summary
from hpc_cr.cli.main import run as hpc_cr_command
from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance
from hpc_cr.io.lock import FileLock

VERSION_1 = Path(__file__).with_name("version-1.h5.gz")


def run(*arguments):
    """The command's result; errors that it would put into one line are raised."""
    return CliRunner().invoke(info.command, [str(a) for a in arguments], catch_exceptions=False,
                              standalone_mode=False)


def test_json(partial):
    document = json.loads(run(partial, "--json").stdout)
    assert document["format_version"] == 3
    assert (document["complete"], document["done"], document["total"]) == (False, 7, 20)
    keys = [(r["case"], r["rigidity_PV"], r["stop"]) for r in document["results"]]
    assert keys == [
        (case, rigidity, stop)
        for case in ("isotropic", "strong-field")
        for rigidity in (1.0, 10.0)
        for stop in (15.0, 30.0, 60.0)
    ]
    with hpc_cr.open_results(partial) as results:
        expected = results.summary(stop=0)[0]
    first = document["results"][0]
    assert first["dipole_mean"] == pytest.approx(expected.mean_amplitude)
    assert first["dipole_mean_error"] == pytest.approx(expected.mean_amplitude_error)
    np.testing.assert_allclose(first["vector_mean"], expected.vector_mean)
    assert first["stop_unit"] == "pc"
    assert document["provenance"]["runs"][0]["entries"] == 7


def test_json_of_one_realisation_has_null_for_undefined(tmp_path):
    job = parse_job(synthetic_results.JOB.replace("realisations = 6", "realisations = 1"))
    document = json.loads(run(synthetic_results.write(tmp_path / "a.h5", job), "--json").stdout)
    assert document["complete"]
    assert document["results"][0]["dipole_mean"] > 0
    assert document["results"][0]["dipole_mean_error"] is None
    text = run(tmp_path / "a.h5").stdout
    assert " -\n" in text or " -  " in text
    assert "nan" not in text


def test_text(complete):
    text = run(complete).stdout
    for words in ("seed 7", "6 realisations (0 to 5)", "complete", "1 PV", "10 PV"):
        assert words in text
    for words in (str(complete), "did not reach the last stop", f"numpy {np.__version__}"):
        assert words in text
    # mean |delta| for g = 1e-4/pc along y: sqrt(2^2 + 4^2) 1e-4, without scatter
    assert "4.47 +- 0.00" in text.replace("\N{PLUS-MINUS SIGN}", "+-")
    assert "[1e-04]" in text


@pytest.fixture
def history(tmp_path, complete):
    """Three runs by two programs on two hosts; entry (2, 1) took five times as long as usual."""
    path = shutil.copy(complete, tmp_path / "history.h5")
    with h5py.File(path, "r+") as file:
        runs = file["provenance/runs"][...]
        runs[1] = runs[2] = runs[0]
        runs["started"][:3] = [b"2026-01-0%dT00:00:00Z" % day for day in (1, 2, 3)]
        runs["ended"][:3] = [b"", b"2026-01-02T01:00:00Z", b"2026-01-03T00:30:00Z"]
        runs["seen"][0] = b"2026-01-01T00:10:00Z"
        runs["state"][:3] = [b"killed", b"stopped by SIGUSR1", b"complete"]
        runs["host"][:3], runs["nodes"][:3] = [b"one", b"one", b"two"], [1, 1, 2]
        runs["ranks"][:3], runs["team_size"][:3] = [8, 8, 64], [1, 1, 16]
        runs["job_id"][1:3], runs["array_task"][1:3] = b"4711", b"3"
        runs["restart"][2], runs["wall"][1:3] = 1, [3600, 1800]
        runs["dirty"][:2], runs["libraries"][:2] = 1, b"numpy 1.0.0"
        for name, share in (("synthesis", 1), ("tracking", 6), ("measuring", 1), ("waiting", 2)):
            runs[name][1:3] = 3600 * share
        file["provenance/runs"][...] = runs
        origin = file["status/origin"][...]
        origin["host"], origin["run"] = [[b"one", b"two"]] * 6, [[1, 2]] * 6
        file["status/origin"][...] = origin
        file["status/seconds"][2, 1] *= 5
        file["status/rank"][2, 1] = 40
    return path


def test_runs_versions_and_cost(history):
    text = run(history).stdout
    table = [line.split() for line in text.splitlines() if " 2026-01-0" in line]
    assert table[0] == ("0 2026-01-01 00:00:00 2026-01-01 00:10:00 (seen) one 1 8 1 12"
                        " killed").split()
    assert table[1] == ("1 2026-01-02 00:00:00 2026-01-02 01:00:00 one 1 8 1 4711_3 12 60 min"
                        " stopped by SIGUSR1").split()
    assert table[2] == ("2 2026-01-03 00:00:00 2026-01-03 00:30:00 two 2 64 16 4711_3 restart 1 12"
                        " 30 min complete").split()
    made = [line for line in text.splitlines() if line.startswith("runs ")]
    assert len(made) == 2
    assert made[0].startswith("runs 0-1 ") and "with uncommitted changes" in made[0]
    assert "numpy 1.0.0" in made[0] and f"numpy {np.__version__}" in made[1]
    assert "20 core-hours: synthesis 10 %, tracking 60 %, measuring 10 %" in text
    assert "waiting 20 %" in text
    # host two: one of six entries took five times as long as usual, 10/6 in all
    assert "two took 1.67 times as long as usual" in text and "one took" not in text
    slow = [line for line in text.splitlines() if line.startswith("slow entry")]
    assert len(slow) == 1
    for words in ("realisation 2, 10 PV", "2 s of core time", "5 times", "rank 40 on two"):
        assert words in slow[0]


def test_the_same_as_json(history):
    document = json.loads(run(history, "--json").stdout)
    runs = document["provenance"]["runs"]
    assert [r["restart"] for r in runs] == [0, 0, 1] and runs[0]["libraries"] == "numpy 1.0.0"
    assert document["cost"]["core_seconds"]["tracking"] == 2 * 6 * 3600
    slow = document["cost"]["slow_entries"][0]
    assert (slow["realisation"], slow["rigidity_PV"], slow["host"]) == (2, 10.0, "two")
    assert slow["slowness"] == pytest.approx(5) and slow["run"] == 2
    assert document["watch"]["life"] == "ended"


def test_entries_as_a_table(history):
    header, *lines = (line.split("\t") for line in run(history, "--entries").stdout.splitlines())
    assert len(lines) == 12 and len(set(map(len, [header, *lines]))) == 1
    slow = dict(zip(header, lines[5], strict=True))
    assert (slow["realisation"], slow["rigidity_PV"], slow["rank"]) == ("2", "10", "40")
    assert (slow["core_seconds"], slow["host"], slow["run"]) == ("2.5", "two", "2")
    assert float(slow["ended_s"]) - float(slow["began_s"]) == pytest.approx(0.5)


def test_a_single_row_of_many_observers_is_told(tmp_path):
    job = parse_job(synthetic_results.JOB, overrides=["particles.observers=3",
                                                      "run.first_realisation=4"])
    path = synthetic_results.write(tmp_path / "a.h5", job, finished=lambda n, row, rig: row == 4)
    assert "6 realisations (4 to 9), 3 observers in each" in run(path).stdout
    line = run(path, "--entries").stdout.splitlines()[1].split("\t")
    assert line[1:3] == ["5", "1"]


def test_a_job_that_has_not_begun_its_run(tmp_path, job):
    path = tmp_path / "new.h5"
    layout.create(path, job, provenance=provenance.collect())
    assert "none was begun" in run(path).stdout and "STARTING" not in run(path).stdout
    with FileLock(path):
        assert "STARTING" in run(path).stdout
        assert json.loads(run(path, "--json").stdout)["watch"]["life"] == "starting"


def test_a_file_of_version_1(tmp_path, capsys):
    path = tmp_path / "one.h5"
    path.write_bytes(gzip.decompress(VERSION_1.read_bytes()))
    text = run(path).stdout
    assert "format version 1" in text and "nan" not in text
    assert "core-seconds for the finished entries" in text
    document = json.loads(run(path, "--json").stdout)
    assert document["format_version"] == 1 and document["cost"]["core_seconds"] == {}
    n_done = document["done"]
    assert len(run(path, "--entries").stdout.splitlines()) == n_done + 1 > 1
    # its record does not name the libraries, its attributes do
    assert f"numpy {document['provenance']['numpy']}" in run(path, "--job").stdout
    assert hpc_cr_command(["check", str(path)]) == 0
    assert hpc_cr_command(["diff", str(path), str(path)]) == 0
    assert f"{n_done} finished entries" in capsys.readouterr().out
    assert hpc_cr_command(["figure", "timeline", str(path)]) == 2
    assert "format version 1 does not tell" in capsys.readouterr().err


def test_options_exclude_each_other(complete):
    with pytest.raises(click.UsageError):
        run(complete, "--json", "--job")


def test_table_of_cases_and_of_nothing(tmp_path, partial, job):
    stream = io.StringIO()
    summary.print_summary(partial, stream=stream)
    text = stream.getvalue()
    assert text.isascii()  # the stream does not say that it can show more
    assert "isotropic" in text and "strong-field" in text and "7 of 20 entries done" in text
    rows = [line for line in text.splitlines() if " PV " in line and " M" not in line]
    assert len(rows) == 4 and all(line.rstrip().endswith("4.00") for line in rows)
    empty = tmp_path / "empty.h5"
    layout.create(empty, job, provenance=provenance.collect())
    stream = io.StringIO()
    summary.print_summary(empty, stream=stream)
    assert "0 of 12 entries done" in stream.getvalue() and "nan" not in stream.getvalue()


def test_terminal_gets_a_table_that_fits(partial, monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    frame = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
    for width, framed in ((150, True), (100, True), (80, False)):
        monkeypatch.setenv("COLUMNS", str(width))
        stream = Terminal()
        summary.print_summary(partial, stream=stream)
        text = stream.getvalue()
        assert "\N{PLUS-MINUS SIGN}" in text and (frame in text) == framed
        assert ("median" in text.splitlines()[4]) == (width == 150)
        rows = [line for line in text.splitlines() if " PV " in line and " M" not in line]
        assert len(rows) == 4 and all(len(line) <= width for line in rows)


def test_statement_on_convergence(complete, tmp_path):
    """tr M/3 = (108 + row + T)/3 drifts as T does; |delta| = sqrt(20) 1e-4 at every stop."""
    text = run(complete).stdout.replace("\N{PLUS-MINUS SIGN}", "+-")
    (line,) = [one for one in text.splitlines() if "tr M/3" in one]
    # the same at both rigidities: one line; 30 of 108 + 2.5 + 60 pc, without errors
    assert line.strip() == ("1 PV to 10 PV: tr M/3 not converged: +18 % in the last step;"
                            " |delta| converged within 0 %")  # fmt: skip
    document = json.loads(run(complete, "--json").stdout)["convergence"]
    assert [(d["rigidity_PV"], d["quantity"]) for d in document] == [
        (rigidity, name) for rigidity in (1.0, 10.0) for name in ("tr M/3", "|delta|")
    ]
    first = document[0]
    assert (first["state"], first["previous"], first["last"]) == ("not converged", 30.0, 60.0)
    assert first["change"] == pytest.approx(30 / (108 + 2.5 + 60), rel=1e-6)
    assert first["bound"] is None  # it grows with T: there is none
    single = parse_job(synthetic_results.JOB, overrides=["run.realisations=1"])
    text = run(synthetic_results.write(tmp_path / "one.h5", single)).stdout
    assert "1 PV to 10 PV: tr M/3, |delta| not decided (one realisation)" in text


def test_a_part_of_the_sky_has_no_rows_of_dashes(tmp_path):
    def patch_entry(job, row, rig):
        values = synthetic_results.entry(job, row, rig)
        empty = ("response", "response_error", "direction_response", "noise", "dipole")
        return values | {name: np.full_like(values[name], np.nan) for name in empty}

    text = synthetic_results.JOB + synthetic_results.CASES
    text += '"particles.patch" = { l = 90, b = 0, width = 60 }\n'
    job = parse_job(text, overrides=["output.displacement=true"])

    def entry(case_job, row, rig):
        make = synthetic_results.entry if case_job.particles.patch is None else patch_entry
        return make(case_job, row, rig)

    path = synthetic_results.write(tmp_path / "patch.h5", job, entry=entry)
    text = run(path).stdout
    told = [one for one in text.splitlines()
            if "strong-field" in one and "cases" not in one and "did not reach" not in one]
    assert len(told) == 1 and "a part of the sky has no dipole" in told[0]
    assert "isotropic, 1 PV" in text
    quantities = json.loads(run(path, "--json").stdout)["convergence"]
    assert {q["case"] for q in quantities} == {"isotropic"}


@pytest.mark.parametrize(
    ("value", "error", "exponent", "text"),
    [
        (4.126e-4, 0.523e-4, -4, "4.13 +- 0.52"),
        (4.126e-4, 12e-4, -4, "4 +- 12"),
        (4.126e-4, np.nan, -4, "4.13 +- -"),
        (np.nan, np.nan, 0, "-"),
        (4.126e-4, None, -4, "4.13"),
        (0.0, 0.0, 0, "0.00 +- 0.00"),
    ],
)
def test_numbers_with_errors(value, error, exponent, text):
    assert summary.with_error(value, error, exponent) == text


@pytest.mark.parametrize(
    ("rigidity", "text"),
    [(1, "1 PV"), (0.01, "10 TV"), (10, "10 PV"), (1e-5, "10 GV"), (2e3, "2 EV"), (1e-7, "0.1 GV")],
)
def test_rigidities(rigidity, text):
    assert summary.rigidity_text(rigidity) == text
