"""hpc-cr info and the closing table."""

import io
import json
import shutil

import h5py
import numpy as np
import pytest
import synthetic_results
from click.testing import CliRunner

import hpc_cr
from hpc_cr.cli import info, summary
from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance
from hpc_cr.io.errors import ResultError


def run(*arguments):
    return CliRunner().invoke(info.command, [str(a) for a in arguments], catch_exceptions=False)


def test_json(partial):
    document = json.loads(run(partial, "--json").stdout)
    assert document["format_version"] == 1
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
    text = run(complete, "--verify").stdout
    for words in ("seed 7", "6 realisations x 1 observers", "complete", "1 PV", "10 PV"):
        assert words in text
    for words in (str(complete), "whole", "1 ranks", "did not reach the last stop"):
        assert words in text
    # mean |delta| for g = 1e-4/pc along y: sqrt(2^2 + 4^2) 1e-4, without scatter
    assert "4.47 +- 0.00" in text.replace("\N{PLUS-MINUS SIGN}", "+-")
    assert "[1e-04]" in text


def test_a_damaged_file_is_reported(tmp_path, complete):
    path = shutil.copy(complete, tmp_path / "out.h5")
    with h5py.File(path, "r+") as file:
        file["anisotropy/noise"][2, 1, 0, 0, 0] += 1
    with pytest.raises(ResultError, match="row 2, rigidity 1"):
        run(path, "--verify")


def test_table_of_cases_and_of_nothing(tmp_path, partial, job):
    stream = io.StringIO()
    summary.print_summary(partial, stream=stream)
    text = stream.getvalue()
    assert text.isascii()  # the stream does not say that it can show more
    assert "isotropic" in text and "strong-field" in text and "7 of 20 entries done" in text
    rows = [line for line in text.splitlines() if " PV " in line]
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
        rows = [line for line in text.splitlines() if " PV " in line]
        assert len(rows) == 4 and all(len(line) <= width for line in rows)


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
