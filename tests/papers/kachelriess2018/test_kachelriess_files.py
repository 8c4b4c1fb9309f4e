"""One or several result files for one paper: which is which, what is refused, what is left out."""

import json
import re

import pytest
import synthetic_diffusion as known
from click.testing import CliRunner

from hpc_cr.cli import paper
from hpc_cr.io.errors import ResultError
from hpc_cr.io.results import open_results
from hpc_cr.papers import Statement, check_kinds, draw_figures, module_of
from hpc_cr.papers.kachelriess2018 import FIGURES, file_of, statements
from hpc_cr.papers.kachelriess2018.files import part_of

pytestmark = pytest.mark.paper

CASES = ["isotropic-1uG", "eta-025", "eta-035", "eta-050"]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Small files of three of the jobs."""
    folder = tmp_path_factory.mktemp("files")
    return {
        "own": known.write(folder / "own.h5", "kachelriess2018", cases=CASES, realisations=3),
        "levels": known.write(folder / "levels.h5", "diffusion_levels", realisations=2,
                              cases=["level-05", "level-05-rg-003"]),
        "source": known.write(folder / "source.h5", "single_source", realisations=2),
        "escape": known.write(folder / "escape.h5", "escape"),
    }  # fmt: skip


def invoke(*words):
    return CliRunner().invoke(paper.command, ["kachelriess2018", *map(str, words)])


def refused(*words):
    done = invoke(*words)
    assert isinstance(done.exception, ResultError), done.output
    assert str(done.exception).count("\n") == 0
    return str(done.exception)


def test_order_does_not_matter(paths):
    tables = []
    for order in (("own", "levels", "escape"), ("escape", "own", "levels")):
        done = invoke(*(paths[part] for part in order), "--json")
        assert done.exit_code == 0, done.output
        tables.append(json.loads(done.output))
    assert tables[0] == tables[1]
    alone = json.loads(invoke(paths["own"], "--json").output)
    added = [s["text"] for s in tables[0] if s not in alone]
    assert added and all("r_g/L = 0.03" in t or "JF12" in t or "below L_c" in t for t in added)
    assert [s for s in tables[0] if s in alone] == alone


def test_the_table_says_what_it_rests_on(paths):
    done = invoke(paths["own"], paths["levels"])
    assert f"{paths['own']} (job kachelriess2018): 4 cases, 3 rows, all finished" in done.output
    assert f"{paths['levels']} (job diffusion_levels): 2 cases, 2 rows" in done.output
    assert "over realisations, with what is left of the trends" in done.output
    assert "arXiv:1811.02419" in done.output and "finished skies" not in done.output


def test_small_errors_are_shown():
    def text(value, error):
        statement = Statement("p. 1", "", "", value, error, "", "open")
        return paper._with_unit(statement).replace("±", "+-")

    assert text(0.0746, 0.0004) == "(7.460 +- 0.040)e-02"
    assert text(0.0746, 0.004) == "0.075 +- 0.004"
    assert "+-" not in text(0.0746, float("nan"))


def test_parts_are_told_apart(paths):
    for part, path in paths.items():
        with open_results(path) as results:
            assert part_of(results) == part
    figure = FIGURES["source density"]
    assert file_of(figure, [paths["own"], paths["source"]]) == paths["source"]
    with pytest.raises(ResultError, match="needs the result of the job single_source"):
        file_of(figure, [paths["own"]])


def test_wrong_files(paths, tmp_path):
    assert "needs the result of the job kachelriess2018" in refused(paths["levels"])
    assert "a second file of the job kachelriess2018" in refused(paths["own"], paths["own"])
    other = known.write(tmp_path / "other.h5", "diffusion_levels", realisations=2,
                        cases=["isotropic"])  # fmt: skip
    assert "none of its cases is of the jobs" in refused(paths["own"], other)
    done = CliRunner().invoke(paper.command, ["mertsch_funk2015", str(paths["own"])])
    assert 'mertsch_funk2015 needs kind "anisotropy"' in str(done.exception)
    with pytest.raises(ResultError, match="is compared with one result file"):
        check_kinds("mertsch_funk2015", [open_results(paths["own"])] * 2)
    empty = known.write(tmp_path / "empty.h5", "kachelriess2018", cases=CASES, realisations=2,
                        rows=0)  # fmt: skip
    assert "nothing finished yet" in refused(empty)


@pytest.mark.parametrize("old, new, message", [
    ('"turbulence.rms" = "0.242536 uG"', '"turbulence.rms" = "0.3 uG"',
     "turbulence.rms = 0.3 uG (paper: 0.2425 uG)"),
    ('outer_scale = "25 pc"', 'outer_scale = "50 pc"', "outer_scale = 50 pc (paper: 25 pc)"),
    ('spectrum = "kolmogorov"', 'spectrum = "kraichnan"', "turbulence.slope = 1.5 (paper: 1.667)"),
    ('"regular.model" = "none", ', "", "regular.strength"),
])  # fmt: skip
def test_another_set_up_is_refused(tmp_path, old, new, message):
    edits = [(old, new)]
    if not new:  # the isotropic case beside a field
        edits += [('model = "uniform"\n', 'model = "uniform"\nstrength = "2 uG"\n')]
    path = known.write(tmp_path / "other.h5", "kachelriess2018", cases=CASES, realisations=2,
                       edits=edits)  # fmt: skip
    assert message in refused(path)


@pytest.mark.parametrize("part, cases, old, new, message", [
    ("escape", None, 'rms = "0.28 uG"', 'rms = "2.8 uG"', "turbulence.rms = 2.8 uG (paper: 0.28"),
    ("escape", None, 'profile = "jf12-halo"', 'profile = "uniform"',
     "turbulence.profile = uniform"),
    ("escape", None, 'profile = "jf12-halo"', 'profile = "jf12-halo"\nradial_scale = "1 kpc"',
     "turbulence.radial_scale = 1000 pc"),
    ("escape", None, 'model = "jf12"', 'model = "jf12"\ncomponents = ["halo", "disk"]',
     "regular.components = disk, halo (paper: disk, halo, x-field)"),
    ("escape", None, 'outer_scale = "25 pc"', 'outer_scale = "100 pc"', "turbulence.outer_scale"),
    ("escape", None, 'half_height = "5 kpc"', 'half_height = "10 kpc"',
     "boundary.half_height = 1e+04 pc (paper: 5000 pc)"),
    ("escape", None, 'sources = "green2015"', 'sources = "sun"', "escape.sources = sun"),
    ("escape", None, 'density = "1 / cm3"', 'density = "2 / cm3"', "gas.density = 2 / cm3"),
    ("levels", ["level-05"], 'outer_scale = "5 pc"', 'outer_scale = "25 pc"',
     "turbulence.outer_scale = 25 pc (paper: 5 pc)"),
    ("levels", ["level-05"], '"turbulence.rms" = "0.764387804 uG"', '"turbulence.rms" = "0.6 uG"',
     "turbulence.rms = 0.6 uG (paper: 0.7644 uG)"),
    ("levels", ["level-05"], '"regular.strength" = "0.764387804 uG"',
     '"regular.strength" = "1.5 uG"', "regular.strength = 1.5 uG (paper: 0.7644 uG)"),
])  # fmt: skip
def test_other_parts_of_another_set_up_are_refused(paths, tmp_path, part, cases, old, new, message):
    job = {"escape": "escape", "levels": "diffusion_levels"}[part]
    path = known.write(tmp_path / "other.h5", job, cases=cases, realisations=2, edits=[(old, new)])
    assert message in refused(paths["own"], path)


def test_impossible_figures_are_left_out(paths, tmp_path, monkeypatch):
    """Each figure is drawn from the file of its part."""
    keep = ("running coefficients", "escape", "source density", "figure 2")
    module = module_of("kachelriess2018")
    monkeypatch.setattr(module, "FIGURES", {name: FIGURES[name] for name in keep})
    drawn, left = [], []
    draw_figures("kachelriess2018", [paths["escape"], paths["own"]], tmp_path, drawn.append,
                 left.append)  # fmt: skip
    names = {path.name for path in drawn}
    assert {"kachelriess2018-escape.png", "kachelriess2018-running-coefficients.png"} <= names
    assert any("source density: needs the result of the job single_source" in t for t in left)


def test_nothing_is_nan_in_words(paths):
    with open_results(paths["own"]) as own, open_results(paths["levels"]) as levels:
        for s in statements(own, levels):
            assert not re.search(r"\bnan\b", f"{s.text} {s.note} {s.paper}"), s
