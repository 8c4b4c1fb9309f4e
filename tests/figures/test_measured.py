"""Measurements on figures: the ones that were asked for, limits as limits, in the right place.

Result file: rigidities 0.1 and 1 PV, gradient 1/(12 kpc); see conftest.py. Amplitudes by hand are
those of the papers: Tibet 2017 (2.7 +- 0.6)e-4 at 100 TeV, (6.0 +- 1.4)e-4 at 300 TeV and
(1.3 +- 0.3)e-3 at 1 PeV; KASCADE's limit of 1e-3 at 0.7 PeV.
"""

import numpy as np
import pytest
from matplotlib.markers import CARETDOWNBASE

from hpc_cr.cli.main import run
from hpc_cr.figures import draw, measured
from hpc_cr.figures.panels import Options
from hpc_cr.io.errors import ResultError
from hpc_cr.measurements import dipole, renewal

G = 1 / 12_000.0  # 1/pc


@pytest.fixture(autouse=True)
def no_renewed_table(tmp_path, monkeypatch):
    monkeypatch.setenv("HPC_CR_DATA", str(tmp_path / "data"))


def energy_axes(path, **options):
    figure = draw("dipole-energy", [path], Options(cases=("isotropic",), **options))
    return figure, figure.axes[0]


def measured_artists(figure):
    return figure.findobj(lambda artist: artist.get_gid() == measured.GID)


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def drawn(axes, experiment):
    """Error bar containers of one experiment."""
    return [c for c in axes.containers if c.get_label() == f"{measured.GID} {experiment}"]


def test_tibet_stands_where_it_was_measured(two_cases):
    figure, axes = energy_axes(two_cases, data="tibet")
    (bars,) = drawn(axes, "Tibet")
    x, y = bars.lines[0].get_data(orig=False)
    np.testing.assert_allclose(x, [0.1, 0.3, 1.0])
    np.testing.assert_allclose(y, [2.7e-4, 6.0e-4, 1.3e-3])
    half = [np.diff(segment[:, 1])[0] / 2 for segment in bars.lines[2][0].get_segments()]
    np.testing.assert_allclose(half, [0.6e-4, 1.4e-4, 3e-4])
    assert "Tibet" in legend_texts(figure) and not drawn(axes, "EAS-TOP")
    # the points at 15 and 50 TeV lie outside of the figure's energies
    low, high = axes.get_xlim()
    assert (low, high) == pytest.approx((0.1 / 1.5, 1.5))


def test_limits_are_arrows_and_not_error_bars(two_cases):
    _, axes = energy_axes(two_cases, data="KASCADE,Tibet")
    (limit,) = drawn(axes, "KASCADE")
    assert limit.lines[0].get_ydata(orig=False) == pytest.approx([1e-3])
    assert CARETDOWNBASE in [line.get_marker() for line in limit.lines[1]]  # the arrow's head
    (segment,) = limit.lines[2][0].get_segments()
    assert segment[:, 1].max() == pytest.approx(1e-3) and segment[:, 1].min() < 1e-3
    # negative control: an amplitude with errors has no head
    (detection,) = drawn(axes, "Tibet")
    assert CARETDOWNBASE not in [line.get_marker() for line in detection.lines[1]]


def test_an_amplitude_gives_way_to_the_limit_from_the_same_data(two_cases):
    # at 10 PV and above KASCADE-Grande would be both; its row choice is tested on the table
    points = measured.chosen(Options(data="KASCADE-Grande"))
    assert [p.upper_limit for p in points] == [True] * 3


def test_none_draws_no_measurement(two_cases):
    for name in ("dipole-energy", "dipole-longitude"):
        shown = draw(name, [two_cases], Options(data="none"))
        assert not measured_artists(shown)
        for axes in shown.axes:
            gids = {child.get_gid() for child in axes.get_children()}
            assert not gids & {"KASCADE", "EAS-TOP"}
        assert not [text for text in legend_texts(shown) if "PeV" in text or "KASCADE" in text]
    # negative control: by default there are some
    assert measured_artists(draw("dipole-energy", [two_cases]))


def test_all_shows_every_experiment_in_range_with_its_own_look(two_cases):
    figure, axes = energy_axes(two_cases)
    expected = {p.experiment for p in dipole.for_figures(dipole.read().points)
                if 0.1 / 1.5 <= p.energy <= 1.5}  # fmt: skip
    labels = {c.get_label().removeprefix(f"{measured.GID} ") for c in axes.containers}
    assert expected <= labels and len(expected) >= 8
    looks = measured.looks(measured.chosen(Options()))
    kinds = {(look["marker"], look["fillstyle"]) for look in looks.values()}
    assert len(kinds) == len(looks) > 30  # told apart without the colour too
    texts = legend_texts(figure)
    assert any("at the energy of protons" in text for text in texts)
    assert not any("renewed" in text for text in texts)


@pytest.mark.parametrize("name", ["dipole-energy", "dipole-longitude"])
def test_unknown_experiment(name, two_cases, capsys, tmp_path):
    with pytest.raises(ResultError, match="--data: no measurement by 'Tibbet'; did you mean Tibet"):
        draw(name, [two_cases], Options(data="Tibbet"))
    target = tmp_path / "x.png"
    command = ["figure", name, str(two_cases), "--data", "KASCADE,Tibbet", "-o", str(target)]
    assert run(command) == 2
    captured = capsys.readouterr()
    assert "did you mean Tibet?" in captured.err and captured.err.count("\n") == 1
    assert not target.exists()


def test_a_named_experiment_far_from_these_energies(two_cases):
    with pytest.raises(ResultError, match="Milagro has no point .* it has 0.006 PeV"):
        draw("dipole-energy", [two_cases], Options(data="Milagro"))
    with pytest.raises(ResultError, match="Milagro has no point"):
        draw("dipole-longitude", [two_cases], Options(data="Milagro,EAS-TOP"))


def test_kascade_outside_of_its_limit_is_told_so(two_cases):
    low = {"data": "KASCADE", "rigidities": ("100 TV",)}
    with pytest.raises(ResultError, match="known between 0.7 and 6 PeV") as error:
        draw("dipole-longitude", [two_cases], Options(**low))
    assert "half a decade" not in str(error.value) and "\n" not in str(error.value)
    # negative control: at 1 PV it is known
    draw("dipole-longitude", [two_cases], Options(data="KASCADE"))


@pytest.mark.parametrize("name", ["dipole-energy", "right-ascension"])
@pytest.mark.parametrize("data", ["all", "Tibet"])
def test_legends_beside_each_other_have_their_tops_at_one_height(two_cases, name, data):
    figure = draw(name, [two_cases], Options(data=data))
    figure.draw_without_rendering()
    left, right = (legend.get_window_extent() for legend in figure.legends)
    assert left.y1 == pytest.approx(right.y1, abs=1)  # pixels of 1/100 inch
    assert left.height != pytest.approx(right.height, abs=5)  # negative control: not by itself
    # inside the figure, beside each other, below the panels
    assert min(left.y0, right.y0) >= 0 and left.x1 <= right.x0 and right.x1 <= figure.bbox.width
    lowest = min(axes.get_tightbbox().y0 for axes in figure.axes)
    assert max(left.y1, right.y1) <= lowest + 1


def test_longitude_shows_named_experiments(two_cases):
    figure = draw("dipole-longitude", [two_cases], Options(data="Tibet,KASCADE-Grande"))
    axes = figure.axes[0]
    (band,) = [c for c in axes.get_children() if c.get_gid() == "Tibet"]
    low, high = axes.transData.inverted().transform(band.get_extents())[:, 1]
    np.testing.assert_allclose([low, high], np.array([1.0e-3, 1.6e-3]) / G, rtol=1e-6)
    (limit,) = [c for c in axes.get_children() if c.get_gid() == "KASCADE-Grande"]
    np.testing.assert_allclose(limit.get_ydata(), 4.9e-3 / G)  # 99 % at 2.7 PeV
    # the arrow of the limit points downwards from its line, that of the band does not exist
    (arrow,) = [text for text in axes.texts if text.get_gid() == "limit"]
    assert arrow.xy[1] == pytest.approx(4.9e-3 / G) and arrow.xyann[1] < 0
    assert "Tibet 1 PeV" in legend_texts(figure)
    assert not [c for c in axes.get_children() if c.get_gid() == "EAS-TOP"]


def test_a_renewed_table_is_named_on_the_figure(two_cases):
    renewal.write(dipole.user_folder() / dipole.NAME, dipole.read().points, "renewed 2030-01-02 x")
    for name, options in (
        ("dipole-energy", Options(cases=("isotropic",))),
        ("dipole-energy", Options()),
        ("dipole-longitude", Options(data="Tibet")),
    ):
        figure = draw(name, [two_cases], options)
        titles = [legend.get_title().get_text() for legend in figure.legends]
        assert any("2030-01-02" in text for text in legend_texts(figure) + titles)
