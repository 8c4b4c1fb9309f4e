"""The closing table and `hpc-cr info` of a diffusion job, from a small real run.

Three cases: turbulence alone, beside a uniform field, and the uniform field alone, in which D_par
is ballistic and <X X> across the field bounded whatever the statistics.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib

import h5py
import numpy as np
import pytest

from hpc_cr.cli.main import run
from hpc_cr.cli.summaries.diffusion import number, statement
from hpc_cr.config.scales import coherence_length, gyroradius
from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.diffusion.coefficients import Coefficient
from hpc_cr.io.results import open_results

JOB = """
[run]
kind = "diffusion"
seed = 3
realisations = 8

[turbulence]
rms = "4 uG"
outer_scale = "5 pc"
inner_scale = "1 pc"

[grids]
cells = 32

[particles]
rigidities = ["3 PV", "10 PV"]
count = 2000

[boundary]
times = ["3 pc", "10 pc", "20 pc", "30 pc", "40 pc", "60 pc", "80 pc", "120 pc"]

[[case]]
name = "turbulent"

[[case]]
name = "both"
set = { "regular.model" = "uniform", "regular.strength" = "2 uG", "regular.direction" = [30, 10], \
"field_lines.count" = 50 }

[[case]]
name = "uniform"
set = { "turbulence.rms" = "0 uG", "regular.model" = "uniform", "regular.strength" = "2 uG", \
"regular.direction" = [30, 10] }
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The result file and what the run printed."""
    folder = tmp_path_factory.mktemp("diffusion")
    (folder / "small.toml").write_text(JOB)
    result = subprocess.run([sys.executable, "-m", "hpc_cr", "run", "small.toml", "-o", "small.h5"],
                            capture_output=True, text=True, timeout=300, cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / "small.h5", result.stdout


def info(path, capsys, *options):
    capsys.readouterr()
    assert run(["info", str(path), *options]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def row(text, case, rigidity):
    """Cells of the line of the coefficients of a case and rigidity."""
    line = next(line for line in text.splitlines() if re.match(rf"\s*{case} +{rigidity} ", line))
    return re.split(r"\s{2,}", line.strip().replace("\N{PLUS-MINUS SIGN}", "+-"))


def test_table(finished):
    path, text = finished
    assert "[pc c]" in text and "[1e28 cm2/s]" in text
    with open_results(path) as results:
        cases = {case.case: case for case in results.each_case()}
        length = coherence_length(5, 1, 5 / 3)
        cells = row(text, "turbulent", "3 PV")
        assert cells[2:5] == ["8", f"{length:.4g}", f"{gyroradius(3.0, 4.0) / length:.3g}"]
        found = cases["turbulent"].coefficients(0)["D_iso"]
        assert found.state == "plateau" and cells[5] == number(found.value, found.error)
        assert cells[6] == f"{100 * found.trend:.1f}"
        # the change of growth over the plateau is not the error: control
        assert cells[6] != f"{100 * found.error / found.value:.1f}"
        assert cells[7:9] == ["-", "-"]  # no D_perp
        # both units
        value, error = (float(part) for part in cells[9].split(" +- "))
        assert value == pytest.approx(found.value * PC_C_CM2_PER_S / 1e28, rel=1e-2)
        assert error == pytest.approx(found.error * PC_C_CM2_PER_S / 1e28, rel=0.06)
        cells = row(text, "both", "3 PV")
        both = cases["both"].coefficients(0)
        assert set(both) == {"D_par", "D_perp", "D_iso"}
        assert cells[5].lstrip("<>?") == number(both["D_par"].value, both["D_par"].error)
        assert cells[7].lstrip("<>?") == number(both["D_perp"].value, both["D_perp"].error)
        for place, name in ((6, "D_par"), (8, "D_perp")):
            assert cells[place] == f"{100 * both[name].trend:.1f}"
        # lengths of another wave band would be another row: control
        assert cells[3] != f"{coherence_length(5, 2, 5 / 3):.4g}"


def test_plateaus_in_words(finished):
    _, text = finished
    assert re.search(r"turbulent, 3 PV: D_iso plateau from T = \d+ pc within [\d.]+ %", text)
    # rigidities that say the same share a line
    assert re.search(r"uniform, 3 PV to 10 PV: D_par rising as T\^\([\d.]+\): ballistic;", text)
    assert "D_perp falling: bounded, <X X> does not keep growing" in text
    assert row(text, "uniform", "3 PV")[3:5] == ["-", "-"]  # no turbulence, no L_c
    assert row(text, "uniform", "3 PV")[5].startswith(">")
    assert row(text, "uniform", "3 PV")[7].startswith("<")
    assert "< still falling" in text and "> still rising" in text
    assert "Field lines" in text and re.search(r"both +3 PV +2 ", text)
    assert not re.search(r"turbulent +3 PV +2 ", text)


def test_info_repeats_the_table(finished, capsys):
    path, text = finished
    table = text[text.index("Diffusion coefficients"):text.index("Results:")]
    told = info(path, capsys)
    assert table in told
    assert "run.kind diffusion" in told
    # the job comes back, and every entry has its line
    assert tomllib.loads(info(path, capsys, "--job"))["run"]["kind"] == "diffusion"
    entries = info(path, capsys, "--entries").splitlines()
    assert len(entries) == 1 + 3 * 2 * 8 and entries[0].startswith("case\trealisation")


def test_json(finished, capsys):
    path, _ = finished
    document = json.loads(info(path, capsys, "--json"))
    assert (document["kind"], document["complete"]) == ("diffusion", True)
    keys = [(one["case"], one["rigidity_PV"]) for one in document["results"]]
    assert keys == [(case, rigidity) for case in ("turbulent", "both", "uniform")
                    for rigidity in (3.0, 10.0)]
    with open_results(path, "both") as case:
        one = document["results"][2]
        assert one["stop_pc"] == pytest.approx([3, 10, 20, 30, 40, 60, 80, 120])
        assert one["gyroradius_pc"] == pytest.approx(gyroradius(3.0, np.hypot(4, 2)))
        assert one["coherence_length_pc"] == pytest.approx(coherence_length(5, 1, 5 / 3))
        for name, found in case.coefficients(0).items():
            told = one["coefficients"][name]
            assert told["value_pc"] == pytest.approx(found.value)
            assert told["value_cm2_per_s"] == pytest.approx(found.value * 9.2508e28, rel=1e-4)
            assert (told["state"], told["reason"]) == (found.state, found.reason)
            assert (told["since_pc"], told["until_pc"]) == (found.since, found.until)
            assert told["trend"] == pytest.approx(found.trend)
            both = np.hypot(found.error, found.trend * found.value)
            assert told["total_error_pc"] == pytest.approx(both)
        running = case.running(0)
        for name in ("D_par", "D_perp", "D_iso"):
            assert set(one["running"][name]) == {"displacement", "interval", "velocity", "arrival"}
            for estimator, (mean, error) in running[name].items():
                np.testing.assert_allclose(one["running"][name][estimator]["mean_pc"], mean)
                np.testing.assert_allclose(one["running"][name][estimator]["error_pc"], error)
        # means over realisations of what the file holds
        b = case.job.regular_field / np.linalg.norm(case.job.regular_field)
        each = np.einsum("nsij,i,j->ns", case.tensor_velocity[:, 0], b, b)
        np.testing.assert_allclose(running["D_par"]["velocity"][0], each.mean(axis=0))
        np.testing.assert_allclose(running["D_par"]["velocity"][1],
                                   each.std(axis=0, ddof=1) / np.sqrt(8))
        lines, (distances, mean, _) = one["field_line"], case.field_line_coefficient(0)
        np.testing.assert_allclose(lines["distance_pc"], distances)
        np.testing.assert_allclose(lines["mean_pc"], mean)
        assert lines["theory_pc"] == pytest.approx(coherence_length(5, 1, 5 / 3) / 8 * 4)
    turbulent, _, _, _, uniform, _ = document["results"]
    assert turbulent["hall"] is None and turbulent["field_line"] is None
    assert set(turbulent["coefficients"]) == {"D_iso"}
    assert uniform["coherence_length_pc"] is None
    # positive particles: D_A = r_g <1 - mu^2> (1 - cos)/2 > 0 in the uniform field alone
    phase = np.array(uniform["stop_pc"]) / uniform["gyroradius_pc"]
    np.testing.assert_allclose(uniform["hall"]["mean_pc"],
                               uniform["gyroradius_pc"] / 3 * (1 - np.cos(phase)),
                               atol=0.05 * uniform["gyroradius_pc"])


def test_unfinished_entries(finished, tmp_path, capsys):
    path = shutil.copy(finished[0], tmp_path / "part.h5")
    with h5py.File(path, "r+") as file:
        file["case/turbulent/status/done"][:, 1] = 0
        file["case/both/status/done"][1:, 0] = 0
    text = info(path, capsys)
    assert row(text, "turbulent", "10 PV")[2:9] == ["0", "1.416", "1.91"] + 4 * ["-"]
    assert row(text, "both", "3 PV")[5].startswith("?") and " +- -" in row(text, "both", "3 PV")[5]
    assert "both, 3 PV: D_par, D_perp not decided (one realisation)" in text
    assert "turbulent, 10 PV:" not in text
    assert "33 of 48 entries done" in text
    none = json.loads(info(path, capsys, "--json"))["results"][1]
    assert none["n_realisation"] == 0 and none["coefficients"]["D_iso"]["value_pc"] is None
    assert none["coefficients"]["D_iso"]["reason"] == "nothing finished"


def test_numbers():
    assert number(0.0087252, 0.00010328) == "0.00873 +- 0.00010"
    assert number(131.37, 0.684) == "131.37 +- 0.68"
    assert number(5320.1, 44.0) == "5320 +- 44"
    assert number(1.234e-6, 5.6e-8) == "(1.234 +- 0.056)e-06"
    assert number(2.0, np.nan) == "2 +- -" and number(np.nan, np.nan) == "-"


def test_statements():
    one = Coefficient("D_par", 2.0, 0.1, "plateau", "", 10.0, 40.0, 0.01, 0.02, 20, 0.043)
    assert statement([one]) == "plateau from T = 10 pc within 4.3 %"
    assert statement([one, one._replace(bound=0.09)]) == "plateau within 4.3 to 9 %"
    falling = one._replace(state="falling", reason="subdiffusive", exponent=-0.5)
    assert statement([falling]) == "falling as T^(-0.50 +- 0.02): subdiffusive"
    lost = one._replace(state="not decided", reason="errors too large", bound=1.234)
    assert statement([lost]) == "not decided (errors too large: 123 %)"
    assert statement([lost._replace(reason="two stops")]) == "not decided (two stops)"
