"""Sky maps: tables of stops, frames, local term, noise and features, against maps read with h5py.

The result files are those of conftest.py: X_j(n) = M_ij n_i + a quadrupole + noise of 1.5 pc at
nside 8, a gradient of 1/(12 kpc) towards l = 90, b = 0, three stops, and the direction U = n at
each of them, for which the local term 3 U K g is the dipole tr<M>/3 g of the ensemble.
"""

from functools import partial

import h5py
import healpy
import numpy as np
import pytest

from hpc_cr.anisotropy.features import find_features
from hpc_cr.coordinates import rotation_to
from hpc_cr.figures import draw, map_correlation, panels, sky_values, style
from hpc_cr.figures.panels import Options
from hpc_cr.frames import lon_lat, unit_vector
from hpc_cr.io.errors import ResultError
from hpc_cr.io.results import open_results

G = 1 / 12_000.0  # 1/pc
PV = 1  # index of 1 PV
SMOOTHED = {"cases": ("isotropic",), "smooth": 30.0, "subtract_dipole": True}


def stored(path, name, case="isotropic"):
    with h5py.File(path, "r") as file:
        return file[f"case/{case}/anisotropy/{name}"][...]


def sky_axes(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def picture(axes):
    """Values and their places: (rows, columns) and (rows, columns, 3) in the frame of the map."""
    values = np.asarray(axes.collections[0].get_array())
    rows, columns = values.shape
    longitude = -np.linspace(-180, 180, columns)
    return values, unit_vector(*np.meshgrid(longitude, np.linspace(-90, 90, rows)))


def sky_of(path, options):
    with open_results(path) as results:
        (panel,) = panels.select([results], options)
        return sky_values.sky_of(panel, options)


def test_stops_make_a_table_with_a_scale_per_row(two_cases):
    stops = ("80 pc", "40 pc", "20 pc")
    options = Options(**SMOOTHED, rigidities=("0", "1"), stops=stops)
    figure = draw("sky-map", [two_cases], options)
    axes = sky_axes(figure)
    assert len(axes) == 6 and figure.get_figwidth() == style.DOUBLE
    titles = [one.get_title() for one in axes]
    assert [title.split(",")[0] for title in titles] == 3 * ["100 TV"] + 3 * ["1 PV"]
    assert all(f"$cT$ = {stop}" in title
               for stop, title in zip(2 * stops, titles, strict=True))  # fmt: skip
    assert all("noise" in title and "%" in title for title in titles)
    for row in (axes[:3], axes[3:]):
        limits = {one.collections[0].get_clim() for one in row}
        assert len(limits) == 1
        largest = max(np.abs(picture(one)[0]).max() for one in row)
        assert limits.pop()[1] == pytest.approx(largest, rel=1e-9)
    assert "one colour scale per row" in figure.get_suptitle()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < style.DOUBLE + 0.02
    assert box.y0 > -0.02 and box.y1 < figure.get_figheight() + 0.02


@pytest.mark.parametrize("frame", ["galactic", "equatorial", "ecliptic"])
def test_frames_turn_the_map_and_its_marks(frame, two_cases):
    figure = draw("sky-map", [two_cases], Options(cases=("isotropic",), frame=frame))
    (axes,) = sky_axes(figure)
    values, places = picture(axes)
    x = stored(two_cases, "displacement")[0, PV, -1, 1].astype(float)
    galactic = places @ rotation_to(frame)
    expected = x[healpy.vec2pix(8, *np.moveaxis(galactic, -1, 0))]
    fit = np.polyfit(expected.ravel(), values.ravel(), 1)
    # one scale and one offset (the monopole): the same map, float32 maps of 10 pc
    assert np.std(values - np.polyval(fit, expected)) < 1e-5 * np.std(values)
    (star,) = [line for line in axes.lines if line.get_label() == "gradient"]
    longitude, latitude = lon_lat(rotation_to(frame) @ [0.0, 1.0, 0.0])
    place = -np.radians((longitude + 180) % 360 - 180), np.radians(latitude)
    np.testing.assert_allclose(star.get_xydata()[0], place, atol=1e-9)
    named = {"galactic": "$l=0", "equatorial": r"$\alpha=0", "ecliptic": r"$\lambda=0"}
    assert any(text.get_text().startswith(named[frame]) for text in axes.texts)
    if frame != "galactic":
        assert frame.replace("equatorial", "right ascension") in axes.get_title()
        # negative control: the Galactic map itself
        wrong = x[healpy.vec2pix(8, *np.moveaxis(places, -1, 0))]
        assert np.corrcoef(wrong.ravel(), values.ravel())[0, 1] < 0.9


def test_local_term_adds_the_ensembles_dipole(two_cases):
    """U = n: the term is the dipole tr<M>/3 g; without maps of U it comes from multipoles."""
    response = stored(two_cases, "response")[:, PV, -1]
    added = np.trace(response.mean(axis=0)) / 3 * G
    assert added > 2e-4
    options = Options(cases=("isotropic",))
    with open_results(two_cases) as results:
        skies = []
        for local in (False, True):
            one = Options(cases=("isotropic",), local_term=local)
            (panel,) = panels.select([results], one)
            skies.append(sky_values.intensity_of(panel, 0))
    (plain, nothing), (with_term, source) = skies
    assert nothing == "" and "multipoles" in source
    nside = healpy.npix2nside(len(with_term))
    n = np.column_stack(healpy.pix2vec(nside, np.arange(len(with_term))))
    found = 3 * n.T @ (with_term - 1) / len(n)
    own = stored(two_cases, "response")[0, PV, -1] @ [0, G, 0]
    # a_lm of half-samples and of nside 8 by plain sums: 1/3 to 1.5e-3 each way
    np.testing.assert_allclose(found - own, [0, added, 0], atol=6e-3 * np.abs(own).max())
    (axes,) = sky_axes(
        draw("sky-map", [two_cases], Options(cases=("isotropic",), local_term=True))
    )
    assert "local term" in axes.get_title()
    (mark,) = [line for line in axes.lines if line.get_label() == "dipole"]
    longitude, latitude = lon_lat(own + [0, added, 0])
    place = -np.radians((longitude + 180) % 360 - 180), np.radians(latitude)
    np.testing.assert_allclose(mark.get_xydata()[0], place, atol=1e-6)
    assert "local term" not in sky_axes(draw("sky-map", [two_cases], options))[0].get_title()


def test_normalisation_scales_the_map_and_its_noise(two_cases):
    plain = sky_of(two_cases, Options(**SMOOTHED))
    scaled = sky_of(two_cases, Options(**SMOOTHED, normalisation="diffusion"))
    with open_results(two_cases) as results:
        options = Options(cases=("isotropic",), normalisation="diffusion")
        (panel,) = panels.select([results], options)
    assert panel.scale > 10
    # 1 + g.X in double precision, times the scale
    np.testing.assert_allclose(scaled.values, panel.scale * plain.values, atol=1e-12)
    assert scaled.noise == pytest.approx(panel.scale * plain.noise, rel=1e-9)


def test_noise_in_the_title_is_that_of_the_particles(two_cases):
    one = sky_of(two_cases, Options(**SMOOTHED))
    # 1.5 pc in each of 768 pixels, (1 - cos 30)/2 of them in a disc: 6.7 % of 768
    expected = 1.5 * G / np.sqrt(768 * (1 - np.cos(np.radians(30))) / 2)
    # what the dipole takes away lowers it a little; 192 quads: 5 % of the noise
    assert one.noise == pytest.approx(expected, rel=0.2)
    (axes,) = sky_axes(draw("sky-map", [two_cases], Options(**SMOOTHED)))
    assert "noise" in axes.get_title()
    (axes,) = sky_axes(draw("sky-map", [two_cases], Options(cases=("isotropic",))))
    assert "noise" not in axes.get_title()


def test_features_are_numbered_where_they_are(two_cases, monkeypatch):
    # 768 particles do not reach five standard deviations
    low = partial(find_features, significance=1.5)
    monkeypatch.setattr(sky_values, "find_features", low)
    options = Options(**SMOOTHED, realisation=2)
    features = sky_of(two_cases, options).features
    assert features and all(abs(one.significance) >= 1.5 for one in features)
    (axes,) = sky_axes(draw("sky-map", [two_cases], options))
    numbers = [text for text in axes.texts if text.get_gid() == "feature"]
    assert [text.get_text() for text in numbers] == [str(i + 1) for i in range(len(features))]
    x = -np.radians((features[0].longitude + 180) % 360 - 180)
    np.testing.assert_allclose(numbers[0].xy, (x, np.radians(features[0].latitude)), atol=1e-9)
    sky = sky_of(two_cases, options)
    assert abs(features[0].amplitude) == pytest.approx(np.nanmax(np.abs(sky.values)), rel=1e-9)
    # negative control: with the dipole in it the map's extrema are no features
    with_dipole = Options(cases=("isotropic",), smooth=30.0, realisation=2)
    assert sky_of(two_cases, with_dipole).features == []


def test_correlation_figure(two_cases):
    options = Options(cases=("isotropic",), smooth=30.0)
    left, right = draw("map-correlation", [two_cases], options).axes
    assert len(left.containers) == 2 and len(right.containers) == 2
    for container in left.containers:
        values = container.lines[0].get_ydata()
        # the sky at the last stop with itself; the quadrupole is the same at all stops
        assert values[-1] == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(values, 1.0, atol=0.25)
    # skies of different rigidities are drawn apart: independent
    assert abs(right.containers[0].lines[0].get_ydata()[1]) < 0.9


def test_correlation_needs_something_to_compare(one_rigidity):
    with open_results(one_rigidity) as results:
        chosen = panels.select([results], Options(stops=("0",)))
        with pytest.raises(ResultError, match="two stops or two rigidities"):
            map_correlation.draw(chosen, Options())


def test_diffusion_of_the_local_term_is_that_of_the_last_stop(two_cases):
    """U = n at every stop: at the first one, too, the term is the dipole tr<M_last>/3 g."""
    traces = [np.trace(stored(two_cases, "response")[:, PV, stop].mean(axis=0)) / 3
              for stop in (0, -1)]  # fmt: skip
    assert abs(traces[0] / traces[1] - 1) > 0.2
    dipoles = []
    for local in (False, True):
        options = Options(cases=("isotropic",), local_term=local, stops=("0",))
        with open_results(two_cases) as results:
            (panel,) = panels.select([results], options)
            dipoles.append(sky_values.dipole_of(panel, 0))
    # 3 <n_i U_j> from nside 8 is the unit matrix to 1e-2
    np.testing.assert_allclose(dipoles[1] - dipoles[0], [0, traces[1] * G, 0],
                               atol=0.02 * traces[1] * G)  # fmt: skip


def test_features_that_are_left_out_are_counted(two_cases, monkeypatch):
    low = partial(find_features, significance=1.0)
    monkeypatch.setattr(sky_values, "find_features", low)
    options = Options(**SMOOTHED, realisation=2)
    every = sky_of(two_cases, options)
    assert every.found == len(every.features) > 2  # so few that a map has room for them

    def legend():
        figure = draw("sky-map", [two_cases], options)
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        numbers = [t for t in sky_axes(figure)[0].texts if t.get_gid() == "feature"]
        return next(text for text in texts if "extrema" in text), len(numbers)

    assert legend() == (r"extrema above 5 $\sigma$, the strongest first", every.found)
    monkeypatch.setattr(sky_values, "NUMBERED", 2)
    assert legend() == (rf"extrema above 5 $\sigma$, the 2 strongest of {every.found}", 2)
