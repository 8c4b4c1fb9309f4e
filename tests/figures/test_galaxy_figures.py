"""Figures of a galaxy job with a local source: spectra, all particles, dipole.

From the shipped job on a coarse grid. Curves must be what the reader gives, times E^2.6 or
projected on the equator; the physics is that of a steep background towards the Galactic centre and
a burst 330 pc away near the anticentre, so that the phase without the local field is that of the
source (5.50 h), then that of the centre (17.76 h), and with diffusion along the field alone one of
its two ends (3.23 and 15.23 h).
"""

import matplotlib.text
import numpy as np
import pytest
from galaxy_files import CASES

from hpc_cr.detector.harmonics import amplitude_and_phase, first_harmonic
from hpc_cr.figures import draw, galaxy_dipole, galaxy_groups, galaxy_spectra, measured, style
from hpc_cr.figures.measured_spectra import chosen, looks
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.io.results import open_results
from hpc_cr.measurements import spectra

FIGURES = ("galaxy-spectra", "all-particle", "galaxy-dipole")


@pytest.fixture
def cases(geminga):
    with open_results(geminga) as results:
        yield {case.case: case for case in results.each_case()}


def curves(axes, gid):
    return [line for line in axes.lines if line.get_gid() == gid]


def texts(figure):
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


@pytest.mark.parametrize("name", FIGURES)
def test_drawn_legible_and_whole(geminga, name):
    figure = draw(name, [geminga])
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in shown) >= 7
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < style.DOUBLE + 0.02
    assert box.y0 > -0.02 and box.y1 < figure.get_figheight() + 0.02
    text = texts(figure)
    assert "as printed" in text and "refitted" in text and "consistent kernel" in text
    assert any(curves(axes, measured.GID) for axes in figure.axes)


def test_modes_and_cases_with_other_spectra(cases):
    """The local field changes spectra only where the source spreads along it."""
    assert [galaxy_groups.mode(cases[name]) for name in CASES[:4]] == [
        "as printed", "as printed", "refitted", "refitted, consistent kernel"]  # fmt: skip
    distinct = galaxy_groups.with_other_spectra(cases.values())
    assert [case.case for case in distinct] == ["as-printed", "refitted", "consistent-kernel"]
    assert galaxy_groups.title(cases["as-printed"]) == "as printed"
    assert galaxy_groups.title(cases["rise-0"]) == "rise-0: as printed"
    assert [names for _, names in galaxy_groups.groups(cases["rise-0"])] == [
        ("H1",), ("He4",), ("C12", "N14", "O16"), ("Ne20", "Mg24", "Si28"), ("Fe56",)]


def test_spectra_are_what_the_file_has(geminga, cases):
    figure = draw("galaxy-spectra", [geminga], Options(data="DAMPE"))
    assert len(figure.axes) == 6
    panels = iter(figure.axes)
    for case in ("as-printed", "refitted", "consistent-kernel"):
        for name in ("H1", "He4"):
            axes = next(panels)
            (background,), (local,), (total,) = (curves(axes, part) for part in
                                                 ("background", "local", "total"))
            energy = total.get_xdata()
            flux = cases[case].flux(name, energy)
            np.testing.assert_allclose(total.get_ydata(), flux.total * energy**2.6)
            np.testing.assert_allclose(background.get_ydata(), flux.background * energy**2.6)
            both = background.get_ydata() + np.nan_to_num(local.get_ydata())
            np.testing.assert_allclose(both, total.get_ydata())
            points = spectra.arrays(spectra.per_total_energy(
                spectra.points({"H1": "H", "He4": "He"}[name], ["DAMPE"])))  # fmt: skip
            (shown,) = curves(axes, measured.GID)
            np.testing.assert_allclose(shown.get_ydata(), points.value * points.energy**2.6)
    printed, fitted = (curves(axes, "total")[0].get_ydata() for axes in figure.axes[:3:2])
    assert np.abs(printed / fitted - 1).max() > 0.3  # control: fitted is another curve


def test_refitted_stands_closer_to_what_is_measured(geminga, cases):
    """Between 100 GeV and 100 TeV the r.m.s. of ln(sum/measured) halves at least, and the panel
    says by which factors."""
    text = texts(draw("galaxy-spectra", [geminga]))
    fit = cases["refitted"].fit
    for row in (0, 1):
        assert rf"{fit.scales[row, 0]:.3g} $\pm$ {fit.errors[row, 0]:.2g}" in text
    points = [p for p in spectra.per_total_energy(spectra.points("H"))
              if p.experiment in spectra.IDENTIFIED and 100 < p.energy < 1e5]  # fmt: skip
    energy, value, _, _ = spectra.arrays(points)
    off = {name: np.sqrt(np.mean(np.log(cases[name].flux("H1", energy).total / value) ** 2))
           for name in ("as-printed", "refitted")}  # fmt: skip
    assert off["refitted"] < 0.5 * off["as-printed"]
    # fitted factors are those of the panel's curves
    ratio = cases["refitted"].flux("H1", energy).background
    ratio = ratio / cases["as-printed"].flux("H1", energy).background
    np.testing.assert_allclose(ratio, fit.scales[0, 0])


def test_mass_groups_add_up(geminga, cases):
    figure = draw("all-particle", [geminga], Options(cases=("refitted",), data="none"))
    (axes,) = figure.axes
    (total,) = curves(axes, "total")
    groups = curves(axes, "group")
    assert [line.get_label() for line in groups] == ["H", "He", "C, N, O", "Ne to Si", "Fe"]
    energy = total.get_xdata()
    # curves of groups stand at other energies; between their 300 points they are straight to 1e-3
    summed = sum(np.exp(np.interp(np.log(energy), np.log(line.get_xdata()),
                                  np.log(line.get_ydata()))) for line in groups)
    use = energy < 1e7  # cut-offs bend more between points
    np.testing.assert_allclose(summed[use], total.get_ydata()[use], rtol=2e-3)
    without = summed - np.interp(energy, groups[0].get_xdata(), groups[0].get_ydata())
    assert (without[use] < 0.97 * total.get_ydata()[use]).any()  # control: protons count


def phase(case, energy, **local):
    """Right ascension in hours."""
    harmonic = first_harmonic(case.dipoles(np.array([energy]), **local), None)
    return amplitude_and_phase(harmonic)[1] / 15


def test_phases_are_those_of_field_source_and_centre(cases):
    """At 1 TeV the burst decides, at 10 PeV it is cut off and the background decides."""
    printed, narrow = cases["as-printed"], cases["ratio-1e-3"]
    assert phase(printed, 1e3, direction=None) == pytest.approx(5.50, abs=0.1)
    assert phase(printed, 1e7, direction=None) == pytest.approx(17.76, abs=0.05)
    # D_perp/D_par = 1e-3 (250)^0.32 = 0.006 at 1 TV: along the field within 0.1 h, and so at
    # 10 PeV (0.11 for protons, less for nuclei) on its other side, drawn to the centre by an hour
    assert phase(narrow, 1e3) == pytest.approx(3.23, abs=0.1)
    assert 15.2 < phase(narrow, 1e7) < 16.5
    # the case without a field is the same as asking for none
    assert phase(cases["isotropic"], 1e4) == pytest.approx(phase(printed, 1e4, direction=None))
    # a burst that spreads with the tensor has the dipole 3d/(2ct) towards the source for any
    # tensor: where it makes half of the particles (30 TeV), the field does not draw it to 3.23 h
    assert phase(cases["consistent-kernel"], 3e4) > 5.0


def test_dipoles_are_what_the_file_has(geminga, cases):
    figure = draw("galaxy-dipole", [geminga], Options(data="IceCube"))
    assert len(figure.axes) == 8
    pairs = [figure.axes[2 * i : 2 * i + 2] for i in range(4)]
    # as printed and refitted with and without the field; a source that spreads along it only with
    assert [len(curves(pair[0], "curve")) for pair in pairs] == [5, 6, 3, 4]
    expected = {0: [("as-printed", {}), ("as-printed", {"direction": None}), ("refitted", {})],
                2: [("ratio-1e-3", {}), ("as-printed", {}), ("ratio-1e-1", {})],
                3: [("rise-0", {}), ("rise-0_3", {}), ("as-printed", {}), ("rise-0_8", {})]}
    for number, which in expected.items():
        upper, lower = pairs[number]
        for (name, local), line, angle in zip(which, curves(upper, "curve"),
                                              curves(lower, "curve"), strict=False):
            energy = line.get_xdata() * 1e6
            harmonic = first_harmonic(cases[name].dipoles(energy, **local), None)
            np.testing.assert_allclose(line.get_ydata(), np.hypot(*harmonic.T), rtol=1e-6)
            right = np.degrees(np.arctan2(harmonic[:, 1], harmonic[:, 0]))
            drawn = angle.get_ydata()[np.isfinite(angle.get_ydata())]
            away = (drawn - right + 180) % 360 - 180
            assert np.abs(away).max() < 1e-6
    protons = curves(pairs[1][0], "curve")[1]
    alone = cases["as-printed"].dipoles(protons.get_xdata() * 1e6, species=["H1"])
    np.testing.assert_allclose(protons.get_ydata(), np.hypot(*first_harmonic(alone, None).T),
                               rtol=1e-6)  # fmt: skip


def test_lines_of_phases_break_at_the_edges():
    x, angle = galaxy_dipole._broken(np.arange(4.0), np.array([10.0, -60.0, 280.0, 200.0]))
    assert np.isnan(angle[2]) and np.isnan(x[2]) and len(angle) == 5


def test_some_cases_only(geminga):
    figure = draw("galaxy-dipole", [geminga], Options(cases=("refitted",), data="none"))
    assert len(figure.axes) == 4  # with and without field, mass groups
    assert not any(curves(axes, measured.GID) for axes in figure.axes)
    assert "mass groups, refitted" in texts(figure)


def test_measured_spectra():
    everything = chosen(Options(), ["H", "all"])
    assert all(p.axis == "total" for own in everything.values() for p in own)
    assert chosen(Options(data="none"), ["H"]) == {"H": ()}
    some = chosen(Options(data="ams-02, LHAASO"), ["H", "all"])
    assert {p.experiment for p in some["H"]} == {"AMS-02", "LHAASO"}
    assert {p.experiment for p in some["all"]} == {"LHAASO"}
    with pytest.raises(FigureError, match="no spectrum of H by 'auger'; there are AMS-02"):
        chosen(Options(data="Auger"), ["H"])
    look = looks([p for own in everything.values() for p in own])
    assert len({tuple(one.items()) for one in look.values()}) == len(look)


@pytest.mark.parametrize("name", FIGURES)
def test_refusals(geminga, name, two_cases):
    with pytest.raises(FigureError, match="no case 'x'"):
        draw(name, [geminga], Options(cases=("x",)))
    with pytest.raises(FigureError, match="Tibbet|tibbet"):
        draw(name, [geminga], Options(data="Tibbet"))
    from hpc_cr.io.errors import ResultError

    with pytest.raises(ResultError, match='for kind "galaxy"'):
        draw(name, [two_cases])


def test_too_many_spectra(cases):
    with pytest.raises(FigureError, match="more than galaxy-spectra has room for"):
        galaxy_groups.at_most(list(cases.values()), galaxy_spectra.MOST, "galaxy-spectra")
