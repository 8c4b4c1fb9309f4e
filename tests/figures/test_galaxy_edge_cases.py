"""Every figure of galaxy jobs from files at the edges: a figure, or one line that says why not.

Nothing here is about physics: few energies on 16 x 12 cells, jobs with the fewest keys, without
protons, with narrow spectra, nuclei without flux, cases that are not complete.
"""

import warnings

import galaxy_files
import h5py
import numpy as np
import pytest
from matplotlib.text import Text

from hpc_cr.figures import FIGURES, draw
from hpc_cr.figures.panels import Options
from hpc_cr.io.errors import ResultError

# that of discrete sources takes 8 s and needs no result, only the job: test_source_fluctuations.py
NAMES = [name for name, entry in FIGURES.items() if entry.kind == "galaxy"]
DRAWN = [name for name in NAMES if name != "source-fluctuations"]

JOB = """
[run]
kind = "galaxy"
[halo]
cells = [16, 12]
[energies]
count = 5
"""
CASES = """
[[case]]
name = "isotropic"
[[case]]
name = "field"
set = { "local_field.direction" = [210.5, -57.1] }
[[case]]
name = "wider"
set = { "local_field.direction" = [210.5, -57.1], "local_field.ratio" = 0.1 }
[[case]]
name = "narrow"
set = { "energies.rigidity" = ["30 GV", "50 GV"] }
[[case]]
name = "low"
set = { "energies.rigidity" = ["1 GV", "5 GV"] }
[[case]]
name = "nuclei"
[case.set]
"nuclei.species" = ["H1", "B10", "B11", "C12", "O16"]
"nuclei.network" = true
"energies.per_nucleon" = ["0.5 GeV", "10 TeV"]
[[case]]
name = "heavy"
[case.set]
"nuclei.species" = ["C12", "O16"]
"injection.flux" = ["0.001 / (GeV m2 s sr)", "0.001 / (GeV m2 s sr)"]
[[case]]
name = "no-boron"
[case.set]
"nuclei.species" = ["H1", "B11", "C12"]
"energies.per_nucleon" = ["0.5 GeV", "10 TeV"]
"injection.abundance" = [1, 0, 0.1]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Paths by name; one file has a case without its results, one a background of zero."""
    folder = tmp_path_factory.mktemp("edges")
    made = {"fewest": galaxy_files.run(folder, JOB, "fewest"),
            "cases": galaxy_files.run(folder, JOB + CASES, "cases")}
    for name, source in (("incomplete", "cases"), ("zero", "fewest")):
        made[name] = folder / f"{name}.h5"
        made[name].write_bytes(made[source].read_bytes())
    with h5py.File(made["incomplete"], "r+") as file:
        file["case/field/status/done"][...] = 0
    with h5py.File(made["zero"], "r+") as file:
        for flux in ("flux", "coarse_flux", "flux_map"):
            file[f"galaxy/{flux}"][...] = 0
    return made


def outcome(name, paths, data="none", **options):
    """The figure, or the line that is told instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            figure = draw(name, paths, Options(data=data, **options))
        except ResultError as error:
            assert str(error) and "\n" not in str(error)
            return str(error)
        figure.draw_without_rendering()
    lines = [line for axes in figure.axes for line in axes.lines if len(line.get_xdata()) > 2]
    assert any(np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in lines)
    return figure


def of(files, name):
    """Path of a file or of the one with this case, and the option that chooses the case."""
    return ([files[name]], {}) if name in files else ([files["cases"]], {"cases": (name,)})


def told(result):
    return result if isinstance(result, str) else "drawn"


SPECTRA = {"galaxy-spectra", "all-particle", "galaxy-dipole", "anisotropy-tau"}
POSSIBLE = {
    "fewest": SPECTRA | {"antiproton-ratio"},
    "narrow": SPECTRA - {"all-particle"},
    "low": {"galaxy-dipole", "anisotropy-tau"},
    "nuclei": set(DRAWN) - {"gamma-longitude"},  # compares cases
    "heavy": SPECTRA - {"galaxy-spectra"},
    "no-boron": {"galaxy-spectra", "emissivity", "gamma-spectrum", "antiproton-ratio"},
    "incomplete": set(),
    "zero": set(),
}
"""Figures for which a file or a case of "cases" has all."""


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("file", POSSIBLE)
def test_a_figure_or_one_line(files, file, name):
    paths, options = of(files, file)
    result = told(outcome(name, paths, **options))
    if file == "no-boron" and name in SPECTRA:
        return  # sums with a nucleus without flux are free to be there
    assert (result == "drawn") == (name in POSSIBLE[file]), result


@pytest.mark.parametrize("name", DRAWN)
def test_files_together_and_wrong_options(files, two_cases, name):
    path, case = of(files, "nuclei")
    both = told(outcome(name, [files["fewest"], *path], data="all", cases=("", "nuclei")))
    possible = POSSIBLE["fewest"] & POSSIBLE["nuclei"]
    assert (both == "drawn") == (name in possible), both
    line = told(outcome(name, path, data="Nobody", **case))
    assert "no experiments by name" in line or "nobody" in line.lower()
    assert "no case 'nothing'" in told(outcome(name, [files["cases"]], cases=("nothing",)))
    assert 'is for kind "galaxy"' in told(outcome(name, [two_cases]))
    assert "case 'field' is not complete" in told(outcome(name, [files["incomplete"]]))


@pytest.mark.parametrize("name", ["galaxy-dipole", "anisotropy-tau"])
def test_an_experiment_beyond_the_energies(files, name):
    path, case = of(files, "nuclei")
    assert "EAS-TOP has no point" in told(outcome(name, path, data="EAS-TOP", **case))


def test_another_case_may_be_incomplete(files):
    assert told(outcome("all-particle", [files["incomplete"]], cases=("wider",))) == "drawn"


def test_discrete_sources_begin_higher(files):
    for file in ("narrow", "low"):
        paths, options = of(files, file)
        assert "begins at 100 GV" in told(outcome("source-fluctuations", paths, **options))



def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def test_dipole_without_and_with_a_local_field(files):
    alone = outcome("galaxy-dipole", [files["fewest"]])
    assert titles(alone) == ["isotropic diffusion"]
    # with a first case that has none, the first one with a field is compared with
    mixed = outcome("galaxy-dipole", [files["cases"]], cases=("isotropic", "field", "wider"))
    assert titles(mixed) == ["with and without the local field",
                             r"$D_\perp/D_\parallel$ at 4 GV, as given"]  # fmt: skip
    words = [text.get_text() for text in mixed.findobj(Text)]
    assert "field: as given" in words and "field, opposite" in words
    curves = [line for line in mixed.axes[0].lines if line.get_gid() == "curve"]
    # isotropic; the field's; the same without it, which is the first
    assert len(curves) == 3
    np.testing.assert_allclose(curves[2].get_ydata(), curves[0].get_ydata())
    assert not np.allclose(curves[1].get_ydata(), curves[0].get_ydata(), rtol=0.1)  # control


def test_label_says_what_is_drawn(files):
    """With a local field the curve is the length of the tensor's dipole, not along the gradient."""
    for case, tensor in (("isotropic", False), ("field", True)):
        figure = outcome("anisotropy-tau", [files["cases"]], cases=(case,))
        assert ("D_{ij}" in figure.axes[0].get_ylabel()) == tensor
