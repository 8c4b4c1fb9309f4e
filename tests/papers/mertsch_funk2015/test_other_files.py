"""Files that are not, or not wholly, results of the paper's job.

A table of the paper's statements needs the paper's turbulence, fields and boundary; what else a
file lacks (cases, rigidities, realisations, datasets of later format versions) leaves rows out.
"""

import h5py
import numpy as np
import pytest
import synthetic_alignment as known
from click.testing import CliRunner

import hpc_cr.papers
from hpc_cr.cli import paper
from hpc_cr.io.errors import ResultError
from hpc_cr.io.results import open_results
from hpc_cr.papers import PaperFigure, draw_figures, module_of
from hpc_cr.papers.mertsch_funk2015 import statements

pytestmark = pytest.mark.paper

OTHERS = {
    "outer scale": ('outer_scale = "100 pc"', 'outer_scale = "150 pc"',
                    "turbulence.outer_scale = 150 pc (paper: 100 pc)"),
    "slope": ('spectrum = "kolmogorov"', 'spectrum = "kraichnan"',
              "turbulence.slope = 1.5 (paper: 1.667)"),
    "rms": ('"turbulence.rms" = "1.265 uG"', '"turbulence.rms" = "2 uG"',
            "turbulence.rms = 2 uG (paper: 1.265 uG)"),
    "field": ('"regular.strength" = "12 uG"', '"regular.strength" = "11 uG"',
              "regular.strength = 11 uG (paper: 12 uG)"),
    "boundary": ('times = ["0.5 pc", "1 pc", "2 pc"]',
                 'kind = "sphere"\nradii = ["0.5 pc", "1 pc", "2 pc"]',
                 "boundary.kind = sphere (paper: time)"),
}  # fmt: skip


def table(path):
    with open_results(path) as results:
        return statements(results)


@pytest.mark.parametrize("name", OTHERS)
def test_another_set_up_is_refused_in_one_line(tmp_path, name):
    old, new, message = OTHERS[name]
    text = known.JOB + known.FIELDS
    assert old in text
    text = text.replace(old, new).replace(f"realisations = {known.ROWS}", "realisations = 2")
    path = known.write(tmp_path / "other.h5", text)
    done = CliRunner().invoke(paper.command, ["mertsch_funk2015", str(path)])
    assert isinstance(done.exception, ResultError)
    assert str(done.exception).count("\n") == 0 and message in str(done.exception)


def test_other_cases(tmp_path):
    text = known.JOB.replace('name = "isotropic"', 'name = "other"')
    with pytest.raises(ResultError, match="nothing finished at 1 PV in a case of the paper"):
        table(known.write(tmp_path / "other.h5", text))


def test_a_file_of_another_job_is_named(tmp_path):
    text = known.JOB.replace(f"realisations = {known.ROWS}", "realisations = 2")
    path = known.write(tmp_path / "other.h5", text, name="quickstart")
    done = CliRunner().invoke(paper.command, ["mertsch_funk2015", str(path)])
    assert done.exit_code == 0 and "a file of the job quickstart" in done.output
    path = known.write(tmp_path / "own.h5", text)
    done = CliRunner().invoke(paper.command, ["mertsch_funk2015", str(path)])
    assert done.exit_code == 0 and "a file of the job" not in done.output


def check_no_nan(found):
    for s in found:
        assert "nan" not in f"{s.text} {s.note} {s.paper}", s


def test_one_case_one_realisation_one_stop(tmp_path):
    """What is missing is left out, and nothing is decided without errors."""
    text = known.JOB.replace(f"realisations = {known.ROWS}", "realisations = 1")
    text = text.replace('times = ["0.5 pc", "1 pc", "2 pc"]', 'times = ["2 pc"]')
    for fields in ("", known.FIELDS):
        alone = table(known.write(tmp_path / f"one{len(fields)}.h5", text + fields))
        assert alone and any("4uG" in s.text for s in alone) == bool(fields)
        assert all(s.verdict == "open" for s in alone)
        assert not any("change of the mean" in s.text for s in alone)
        check_no_nan(alone)


def test_five_realisations_decide_nothing(tmp_path):
    text = (known.JOB + known.FIELDS).replace(f"realisations = {known.ROWS}", "realisations = 5")
    few = table(known.write(tmp_path / "few.h5", text))
    assert any(np.isfinite(s.error) for s in few)
    assert all(s.verdict == "open" for s in few)
    check_no_nan(few)


def test_a_file_of_format_version_2(tmp_path):
    """Neither the memory of directions nor the field around the observer."""
    path = known.write(tmp_path / "old.h5")
    whole = table(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
        found = []
        file.visit(lambda name: found.append(name)
                   if name.endswith(("anisotropy/memory", "anisotropy/local_field")) else None)
        for name in found:
            del file[name]
    assert len(found) == 6
    old = table(path)
    gone = [s for s in whole if s not in old]
    assert old and gone and [s for s in whole if s in old] == old
    words = ("multipoles at -T", "what is left", "<P_3>", "the dipole's axis to the field")
    assert all(any(word in s.text for word in words) for s in gone)
    check_no_nan(old)


@pytest.fixture
def two_figures(monkeypatch):
    """A paper with one figure of each kind of turbulence."""
    figures = {
        "figure 2": PaperFigure("dipole-map", {"cases": ("isotropic",)}, ""),
        "figure 4": PaperFigure("dipole-map", {"cases": ("total-4uG",)}, ""),
    }
    module = module_of("mertsch_funk2015")
    monkeypatch.setattr(module, "FIGURES", figures)
    return figures


def test_impossible_figures_are_left_out(two_figures, tmp_path):
    text = known.JOB.replace(f"realisations = {known.ROWS}", "realisations = 2")
    path = known.write(tmp_path / "isotropic.h5", text)
    folder = tmp_path / "figures"
    done = CliRunner().invoke(
        paper.command, ["mertsch_funk2015", str(path), "--figures", str(folder)]
    )
    assert done.exit_code == 0, done.output
    assert [p.name for p in folder.iterdir()] == ["mertsch_funk2015-figure-2.png"]
    (line,) = [line for line in done.output.splitlines() if line.startswith("left out")]
    assert "figure 4" in line and "no case 'total-4uG'" in line
    del two_figures["figure 2"]
    with pytest.raises(ResultError, match="no case 'total-4uG'"):
        draw_figures("mertsch_funk2015", path, folder)


def test_module_of():
    for name in hpc_cr.papers.PAPERS:
        module = module_of(name)
        assert module.FIGURES and callable(module.statements)
