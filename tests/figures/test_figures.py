"""Figures show what the result files hold.

Every number that is drawn is computed again here from the stored tensors, maps or multipoles,
read with h5py, not with the program's reader. Result files: see conftest.py; gradient towards
l = 90, b = 0 of 1/(12 kpc), regular field along l = 30, b = 0.
"""

import h5py
import healpy
import matplotlib
import matplotlib.text
import numpy as np
import pytest

from hpc_cr import figures
from hpc_cr.cli.main import run
from hpc_cr.figures import FIGURES, draw, make, style
from hpc_cr.figures.panels import Options
from hpc_cr.io.errors import ResultError

G = 1 / 12_000.0  # 1/pc
ISOTROPIC, STRONG = 0, 1  # panels in the file's order
PV = 1  # index of 1 PV, the highest rigidity


def stored(path, name, case="isotropic"):
    with h5py.File(path, "r") as file:
        return file[f"case/{case}/anisotropy/{name}" if case else f"anisotropy/{name}"][...]


def data_axes(figure):
    """Axes of the panels, without colour bars (secondary axes are children of theirs)."""
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def line(axes, label):
    (found,) = [one for one in axes.lines if one.get_label() == label]
    return found


def with_gid(axes, gid):
    (found,) = [child for child in axes.get_children() if child.get_gid() == gid]
    return found


def axis_labels(figure):
    labels = []
    for axes in figure.axes:
        seconds = axes.child_axes
        for one in (axes, *seconds):
            labels += [one.get_xlabel(), one.get_ylabel()]
    return [text for text in labels if text]


def project(vectors):
    """Mollweide coordinates by hand: x = -l in (-pi, pi], y = b."""
    v = np.asarray(vectors)
    return -np.arctan2(v[..., 1], v[..., 0]), np.arcsin(v[..., 2] / np.linalg.norm(v, axis=-1))


SKIES = [name for name, one in FIGURES.items() if one.kind in ("anisotropy", "")
         and name != "prediction"]
"""Figures of skies; those of other kinds of jobs, or of two, have tests of their own."""


@pytest.mark.parametrize("name", SKIES)
def test_every_figure_at_column_width_legible_and_whole(name, two_cases, tmp_path, monkeypatch):
    before, drawn = dict(matplotlib.rcParams), []
    monkeypatch.setattr(figures, "draw", lambda *words: drawn.append(draw(*words)) or drawn[-1])
    path = make(name, [two_cases], tmp_path / "figure.png")
    assert dict(matplotlib.rcParams) == before
    image = matplotlib.image.imread(path)
    assert image.shape[1] == round(style.DOUBLE * 300)
    assert image[..., :3].std() > 0.05  # not an empty page
    (figure,) = drawn
    assert figure.get_figwidth() == style.DOUBLE
    figure.draw_without_rendering()
    texts = figure.findobj(matplotlib.text.Text)
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= 7
    # nothing sticks out of the page, by more than the thickness of a line (0.02 inches)
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.y0 > -0.02
    assert box.x1 < style.DOUBLE + 0.02 and box.y1 < figure.get_figheight() + 0.02


# need several rigidities or cases, or show four pictures at once
NOT_SINGLE = ("dipole-energy", "turbulence-level", "timeline", "trajectories")


@pytest.mark.parametrize("name", [n for n in SKIES if n not in NOT_SINGLE])
def test_single_column(name, one_rigidity):
    figure = draw(name, [one_rigidity], Options(realisation=1))
    assert figure.get_figwidth() == style.SINGLE
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < style.SINGLE + 0.02
    assert box.y0 > -0.02 and box.y1 < figure.get_figheight() + 0.02


UNITS = {
    "dipole-longitude": ("[pc]", "[deg]", "kpc"),
    "dipole-energy": ("[PV]", "[pc]"),
    "power-spectrum": ("[sr]", "[pc$^2$ sr]"),
    "convergence": ("[pc]", "pc)"),
    "sky-map": ("[$10^{",),
}


@pytest.mark.parametrize("name", UNITS)
def test_labels_have_units(name, two_cases):
    labels = axis_labels(draw(name, [two_cases]))
    for unit in UNITS[name]:
        assert any(unit in text for text in labels), (unit, labels)


def test_titles_say_what_was_computed(two_cases):
    axes = data_axes(draw("dipole-map", [two_cases]))
    first, second = (one.get_title() for one in axes)
    assert first.startswith("isotropic") and "4 $" in first and "B_0" not in first
    assert "1 PV" in first and "80 pc" in first and "10 realisations" in first
    assert second.startswith("strong-field") and "1.265" in second and "3.795" in second


# ---- dipole-map


def test_map_circles_stand_at_the_dipoles_with_l_to_the_left(two_cases):
    axes = data_axes(draw("dipole-map", [two_cases]))[STRONG]
    dipoles = stored(two_cases, "dipole", "strong-field")[:, PV, -1]
    circles = with_gid(axes, "realisations")
    offsets = np.asarray(circles.get_offsets())
    expected = np.column_stack(project(dipoles))
    order = np.argsort(-np.linalg.norm(dipoles, axis=1))  # the largest is drawn first
    np.testing.assert_allclose(offsets, expected[order], atol=1e-12)
    # negative control: longitude to the right, or the first two realisations swapped
    assert not np.allclose(offsets, expected[order] * [-1, 1], atol=0.1)
    # radius in proportion to |delta|: area to its square
    size = circles.get_sizes() / np.linalg.norm(dipoles, axis=1)[order] ** 2
    np.testing.assert_allclose(size, size[0], rtol=1e-9)


def test_map_scale_is_common_and_explained(two_cases):
    figure = draw("dipole-map", [two_cases])
    scale = []
    for axes, case in zip(data_axes(figure), ("isotropic", "strong-field"), strict=True):
        largest = np.linalg.norm(stored(two_cases, "dipole", case)[:, PV, -1], axis=1).max() / G
        scale.append(np.sqrt(with_gid(axes, "realisations").get_sizes().max()) / largest)
    assert scale[0] == pytest.approx(scale[1], rel=1e-6)
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    handles = dict(zip(texts, legend.legend_handles, strict=True))
    sized = {text: handle for text, handle in handles.items() if "pc" in text}
    assert len(sized) == 2
    for text, handle in sized.items():
        amplitude = float(text.split("=")[1].split("pc")[0])
        assert handle.get_markersize() == pytest.approx(scale[0] * amplitude, rel=1e-6)


def test_map_markers(two_cases, field_direction):
    isotropic, strong = data_axes(draw("dipole-map", [two_cases]))
    for axes, case in ((isotropic, "isotropic"), (strong, "strong-field")):
        star = with_gid(axes, "gradient")
        np.testing.assert_allclose(star.get_xydata()[0], (-np.pi / 2, 0.0), atol=1e-12)
        mean = stored(two_cases, "dipole", case)[:, PV, -1].mean(axis=0)
        square = with_gid(axes, "vector mean").get_xydata()[0]
        np.testing.assert_allclose(square, project(mean), atol=1e-9)
    # isotropic expectation: along the gradient, exactly
    diamond = with_gid(isotropic, "expectation").get_xydata()[0]
    np.testing.assert_allclose(diamond, (-np.pi / 2, 0.0), atol=1e-9)
    # uniform field: M_par b b + M_perp (1 - b b) + M_Hall eps.b, from the stored tensors
    response = stored(two_cases, "response", "strong-field")[:, PV, -1].mean(axis=0)
    b, g = field_direction, np.array([0.0, G, 0.0])
    parallel = b @ response @ b
    perpendicular = (np.trace(response) - parallel) / 2
    hall = b @ [response[1, 2] - response[2, 1], response[2, 0] - response[0, 2],
                response[0, 1] - response[1, 0]] / 2  # fmt: skip
    expected = parallel * b * (b @ g) + perpendicular * (g - b * (b @ g)) + hall * np.cross(g, b)
    diamond = with_gid(strong, "expectation").get_xydata()[0]
    np.testing.assert_allclose(diamond, project(expected), atol=1e-9)
    cross = with_gid(strong, "regular field").get_xydata()[0]
    np.testing.assert_allclose(cross, (-np.radians(30), 0.0), atol=1e-12)
    assert not [c for c in isotropic.get_children() if c.get_gid() == "regular field"]


def test_gradient_option_turns_the_gradient(two_cases):
    options = Options(gradient=(200.0, -40.0), cases=("isotropic",))
    (axes,) = data_axes(draw("dipole-map", [two_cases], options))
    star = with_gid(axes, "gradient").get_xydata()[0]
    np.testing.assert_allclose(star, np.radians([160.0, -40.0]), atol=1e-12)
    b, lon = np.radians(-40.0), np.radians(200.0)
    g = G * np.array([np.cos(b) * np.cos(lon), np.cos(b) * np.sin(lon), np.sin(b)])
    dipoles = stored(two_cases, "response")[:, PV, -1] @ g
    order = np.argsort(-np.linalg.norm(dipoles, axis=1))
    offsets = np.asarray(with_gid(axes, "realisations").get_offsets())
    np.testing.assert_allclose(offsets, np.column_stack(project(dipoles))[order], atol=1e-9)


# ---- dipole-longitude


def test_longitude_lines_and_histogram_from_the_tensors(two_cases):
    figure = draw("dipole-longitude", [two_cases])
    for axes, case in zip(data_axes(figure), ("isotropic", "strong-field"), strict=True):
        response = stored(two_cases, "response", case)[:, PV, -1]
        longitude, median = line(axes, "median").get_xdata(), line(axes, "median").get_ydata()
        assert longitude[0] == -180 and longitude[-1] == 180
        mean = line(axes, "mean vector").get_ydata()
        for index in range(0, len(longitude), 7):
            angle = np.radians(longitude[index])
            direction = np.array([np.cos(angle), np.sin(angle), 0.0])
            dipoles = [tensor @ direction for tensor in response]
            lengths = [np.sqrt(d @ d) for d in dipoles]
            assert median[index] == pytest.approx(np.median(lengths), rel=1e-12)
            length = np.linalg.norm(np.mean(dipoles, axis=0))
            assert mean[index] == pytest.approx(length, rel=1e-12)
        # negative control: the transposed tensor gives another median
        wrong = np.median(np.linalg.norm(response[:, 1, :], axis=1))
        right = np.median(np.linalg.norm(response[:, :, 1], axis=1))
        assert median[np.argmin(np.abs(longitude - 90))] == pytest.approx(right, rel=1e-9)
        assert right != pytest.approx(wrong, rel=1e-3)
        mesh = axes.collections[0].get_array()
        # each column adds up to one: every realisation is in one bin
        np.testing.assert_allclose(mesh.sum(axis=0), 1.0, atol=1e-12)


def test_longitude_expectation_and_second_axis(two_cases):
    figure = draw("dipole-longitude", [two_cases])
    figure.draw_without_rendering()  # the second axis follows the first when drawn
    isotropic, strong = data_axes(figure)
    response = stored(two_cases, "response")[:, PV, -1]
    expected = np.trace(response.mean(axis=0)) / 3
    np.testing.assert_allclose(line(isotropic, "expectation").get_ydata(), expected, rtol=1e-9)
    angle = line(strong, "expectation").get_xdata()
    values = line(strong, "expectation").get_ydata()
    # along the field (l = 30) the response is M_par, at right angles the small rest
    assert angle[np.argmax(values)] in (30.0, -150.0)
    assert values.max() > 10 * values.min()
    (second,) = strong.child_axes
    np.testing.assert_allclose(second.get_ylim(), np.array(strong.get_ylim()) * G, rtol=1e-9)
    assert "12 kpc" in second.get_ylabel()


def test_longitude_from_the_field(two_cases):
    options = Options(from_field=True, cases=("strong-field",))
    (axes,) = data_axes(draw("dipole-longitude", [two_cases], options))
    angle, values = line(axes, "expectation").get_data()
    assert angle[np.argmax(values)] in (-180.0, 0.0, 180.0)
    assert "from the field" in axes.get_xlabel()
    # the same column as Galactic longitude 30 + 60 = 90
    response = stored(two_cases, "response", "strong-field")[:, PV, -1]
    at_60 = line(axes, "median").get_ydata()[np.argmin(np.abs(angle - 60))]
    assert at_60 == pytest.approx(np.median(np.linalg.norm(response[:, :, 1], axis=1)), rel=1e-9)


def test_published_limits_near_their_energy(two_cases):
    axes = data_axes(draw("dipole-longitude", [two_cases]))[ISOTROPIC]
    # at 1 PV: EAS-TOP's (6.4 +- 2.5)e-4, and KASCADE's limit, a power law from 1e-3 at 0.7 PeV to
    # 1e-2 at 6 PeV, on the scale of |g|
    limit = with_gid(axes, "KASCADE").get_ydata()
    np.testing.assert_allclose(limit, 1e-3 * 10 ** (np.log(1 / 0.7) / np.log(6 / 0.7)) / G)
    band = with_gid(axes, "EAS-TOP").get_extents()
    low, high = axes.transData.inverted().transform([[0, band.y0], [0, band.y1]])[:, 1]
    np.testing.assert_allclose([low, high], np.array([3.9e-4, 8.9e-4]) / G, rtol=1e-6)
    lower = draw("dipole-longitude", [two_cases], Options(rigidities=("100 TV",)))
    assert not [c for c in data_axes(lower)[0].get_children() if c.get_gid() == "KASCADE"]


# ---- power-spectrum


def test_power_spectrum_means(two_cases):
    axes = data_axes(draw("power-spectrum", [two_cases]))[ISOTROPIC]
    alm = G * stored(two_cases, "alm")[:, PV, -1, 1]
    noise = G**2 * stored(two_cases, "noise")[:, PV, -1, 1, 1]
    whole = np.mean([healpy.alm2cl(a) - n for a, n in zip(alm, noise, strict=True)], axis=0)[1:]
    halves = G * stored(two_cases, "alm_half")[:, PV, -1, :, 1]
    cross = np.mean([healpy.alm2cl(a, b) for a, b in halves], axis=0)[1:]
    # what the noise leaves of ten skies is no measurement and not drawn
    blind = noise.mean() * np.sqrt(2 / (2 * np.arange(1, 7) + 1) / 10)
    whole = np.where(whole > blind, whole, np.nan)
    cross = np.where(cross > np.sqrt(2) * blind, cross, np.nan)
    drawn = {c.get_label(): c.lines[0].get_ydata() for c in axes.containers}
    assert len(drawn) == 2
    for (label, values), expected in zip(drawn.items(), (whole, cross), strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-9, err_msg=label)
    level = line(axes, "shot noise").get_ydata()
    np.testing.assert_allclose(level, np.mean(noise), rtol=1e-12)
    # the maps' own noise: 1.5 pc per pixel, 10 realisations of 192 quads: error 2.3 % of the mean
    assert level[0] == pytest.approx(4 * np.pi / 768 * (1.5 * G) ** 2, rel=0.15)


# ---- convergence


def test_convergence_mean_and_error(two_cases):
    isotropic, strong = data_axes(draw("convergence", [two_cases]))
    trace = np.trace(stored(two_cases, "response")[:, PV], axis1=-2, axis2=-1) / 3
    container = isotropic.containers[PV]
    np.testing.assert_allclose(container.lines[0].get_xdata(), [20, 40, 80])
    np.testing.assert_allclose(container.lines[0].get_ydata(), trace.mean(axis=0), rtol=1e-12)
    # bars from mean - error to mean + error, the standard error of ten realisations
    half = [np.diff(segment[:, 1])[0] / 2 for segment in container.lines[2][0].get_segments()]
    np.testing.assert_allclose(half, trace.std(axis=0, ddof=1) / np.sqrt(10), rtol=1e-9)
    labels = [container.get_label() for container in strong.containers]
    assert any("parallel" in text for text in labels) and any("perp" in text for text in labels)
    b = np.array([np.cos(np.pi / 6), 0.5, 0.0])
    response = stored(two_cases, "response", "strong-field")[:, PV]
    parallel = np.einsum("nsij,i,j", response, b, b).mean(axis=0)
    curves = [c.lines[0].get_ydata() for c in strong.containers]
    assert any(np.allclose(curve, parallel, rtol=1e-9) for curve in curves)


# ---- dipole-energy


def test_energy_median_and_scatter(two_cases):
    axes = data_axes(draw("dipole-energy", [two_cases]))[ISOTROPIC]
    amplitude = np.linalg.norm(stored(two_cases, "dipole")[:, :, -1], axis=-1)
    containers = {c.get_label(): c for c in axes.containers}
    median = containers["their median"].lines[0]
    np.testing.assert_allclose(median.get_xdata(orig=False), [0.1, 1.0])
    np.testing.assert_allclose(
        median.get_ydata(orig=False), np.median(amplitude, axis=0), rtol=1e-9
    )
    (band,) = [c for c in axes.collections if c.get_label().startswith("realisations")]
    corners = band.get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose(
        [corners.min(), corners.max()],
        [np.quantile(amplitude, 0.16, axis=0).min(), np.quantile(amplitude, 0.84, axis=0).max()],
    )


def test_energy_single_skies_are_the_first_of_the_file(two_cases):
    axes = data_axes(draw("dipole-energy", [two_cases]))[ISOTROPIC]
    amplitude = np.linalg.norm(stored(two_cases, "dipole")[:, :, -1], axis=-1)
    skies = [one for one in axes.lines if one.get_gid() == "single sky"]
    np.testing.assert_allclose([one.get_ydata() for one in skies], amplitude[:5], rtol=1e-9)
    assert not np.allclose(amplitude[:5], amplitude[5:], rtol=0.05)  # others would be seen


def test_energy_expectation_and_isotropic_diffusion(two_cases):
    """|<M>| |g| by hand; 3 D/c |g| with D = 1.33e28 cm^2/s (H/kpc) (R/3 GV)^(1/3), H = 4 kpc."""
    axes = data_axes(draw("dipole-energy", [two_cases]))[ISOTROPIC]
    trace = np.trace(stored(two_cases, "response")[:, :, -1].mean(axis=0), axis1=-2, axis2=-1)
    (expected,) = [c for c in axes.containers if c.get_label() == "ensemble expectation"]
    np.testing.assert_allclose(expected.lines[0].get_ydata(orig=False), trace / 3 * G, rtol=1e-9)
    dotted = with_gid(axes, "B/C")
    x, y = dotted.get_data()
    pc_cm_per_s = 3.0856776e18 * 2.99792458e10
    by_hand = 3 * 4 * 1.33e28 * np.cbrt(x / 3e-6) / pc_cm_per_s * G
    np.testing.assert_allclose(y, by_hand, rtol=1e-5)
    assert not np.allclose(y, by_hand / 3, rtol=0.1)  # the mean free path, not D/c
    # Harari et al. 2014 with L_c = 20 pc, r_g = 0.27025 pc R/PV at 4 uG
    x, y = with_gid(axes, "Harari").get_data()
    ratio = 0.27025190 * x / 20
    by_hand = 20 * (4 * ratio**2 + 0.9 * ratio + 0.23 * np.cbrt(ratio)) * G
    np.testing.assert_allclose(y, by_hand, rtol=1e-5)


def test_energy_normalised_to_diffusion(two_cases):
    options = Options(normalisation="diffusion")
    isotropic, strong = data_axes(draw("dipole-energy", [two_cases], options))
    (expected,) = [c for c in isotropic.containers if c.get_label() == "ensemble expectation"]
    x, y = with_gid(isotropic, "B/C").get_data()
    on_line = np.exp(np.interp(np.log([0.1, 1.0]), np.log(x), np.log(y)))
    drawn = expected.lines[0].get_ydata(orig=False)
    np.testing.assert_allclose(drawn, on_line, rtol=1e-6)
    # the estimate of the turbulence's own mean free path has no place there, nor in a field
    for axes in (isotropic, strong):
        assert not [one for one in axes.lines if one.get_gid() == "Harari"]
    assert "B/C" in isotropic.get_title() and "as computed" not in isotropic.get_title()
    plain = data_axes(draw("dipole-energy", [two_cases]))
    assert all("as computed" in axes.get_title() for axes in plain)
    assert not [one for one in plain[STRONG].lines if one.get_gid() == "Harari"]


def test_energy_has_a_panel_for_every_stop(two_cases):
    options = Options(cases=("isotropic",), stops=("20 pc", "80 pc"))
    panels = data_axes(draw("dipole-energy", [two_cases], options))
    assert ["20 pc" in axes.get_title() for axes in panels] == [True, False]
    for axes, stop in zip(panels, (0, -1), strict=True):
        amplitude = np.linalg.norm(stored(two_cases, "dipole")[:, :, stop], axis=-1)
        skies = [one.get_ydata() for one in axes.lines if one.get_gid() == "single sky"]
        np.testing.assert_allclose(skies, amplitude[:5], rtol=1e-9)


def test_energy_needs_two_rigidities(one_rigidity):
    with pytest.raises(ResultError, match="two rigidities"):
        draw("dipole-energy", [one_rigidity])


# ---- sky-map


def test_sky_map_shows_the_stored_map_with_l_to_the_left(two_cases):
    options = Options(cases=("isotropic",), realisation=4)
    (axes,) = data_axes(draw("sky-map", [two_cases], options))
    assert shows(axes, stored(two_cases, "displacement")[4, PV, -1])
    assert not shows(axes, stored(two_cases, "displacement")[3, PV, -1])
    assert "multipoles" not in axes.get_title() and "observer" not in axes.get_title()


def shows(axes, displacement):
    """Whether a sky map is that of one row's displacements (3, n_pix)."""
    expected = G * displacement[1] - G * displacement[1].mean(dtype=float)
    values = np.asarray(axes.collections[0].get_array())
    rows, columns = values.shape
    y = np.linspace(-90, 90, rows)
    x = np.linspace(-180, 180, columns)
    scale = float(f"1e{int(np.floor(np.log10(np.quantile(np.abs(expected), 0.998))))}")
    places = [(180, 180), (90, 600), (300, 20)]
    pixels = [healpy.ang2pix(8, -x[column], y[row], lonlat=True) for row, column in places]
    drawn = scale * np.array([values[place] for place in places])
    # float32 maps of 10 pc: 1e-6; the fitted monopole is the mean to 1e-3 of the dipole's share
    return np.allclose(drawn, expected[pixels], rtol=1e-6, atol=2e-3 * scale)


@pytest.mark.parametrize(("number", "row"), [(None, 0), (4, 0), (5, 2), (11, 14)])
def test_sky_map_of_a_block_counts_as_its_job_does(block, number, row):
    """Realisations 4 to 11, two observers: N is the realisation's number, not a place."""
    (axes,) = data_axes(draw("sky-map", [block], Options(realisation=number)))
    maps = stored(block, "displacement", None)[:, 0, -1]
    assert [n for n in range(16) if n != 4 and shows(axes, maps[n])] == [row]
    (dipole,) = [one for one in axes.lines if one.get_label() == "dipole"]
    expected = project(stored(block, "dipole", None)[row, 0, -1])
    np.testing.assert_allclose(dipole.get_xydata()[0], expected, atol=1e-9)
    assert f"realisation {4 if number is None else number}, observer 0" in axes.get_title()


@pytest.mark.parametrize("number", [-1, 0, 3, 12])
def test_sky_map_tells_which_realisations_a_block_has(block, number):
    with pytest.raises(ResultError, match=f"realisation {number} does not.* 4 to 11$") as error:
        draw("sky-map", [block], Options(realisation=number))
    assert "\n" not in str(error.value)


def test_sky_map_of_an_observer_that_is_not_finished(block):
    with pytest.raises(ResultError, match="realisation 6, observer 0, 1 PV is not finished"):
        draw("sky-map", [block], Options(realisation=6))


def test_sky_map_from_multipoles_says_so(two_cases):
    (axes,) = data_axes(draw("sky-map", [two_cases], Options(cases=("strong-field",))))
    assert "multipoles" in axes.get_title() and "6" in axes.get_title().splitlines()[-1]
    # brightest towards the regular field's line (l = 30 or its antipode): the dipole lies along it
    values = np.asarray(axes.collections[0].get_array())
    row, column = np.unravel_index(np.argmax(values), values.shape)
    longitude = -(-180 + 360 * column / (values.shape[1] - 1))
    assert abs((longitude - 30 + 180) % 360 - 180) < 25
    with pytest.raises(ResultError, match="displacement"):
        draw("sky-map", [two_cases], Options(cases=("strong-field",), significance=True))


def test_sky_map_smoothing_and_subtraction(two_cases):
    base = {"cases": ("isotropic",)}
    figure = draw("sky-map", [two_cases], Options(**base, smooth=20.0, subtract_dipole=True))
    (axes,) = data_axes(figure)
    assert "20" in axes.get_title() and "dipole subtracted" in axes.get_title()
    figure = draw("sky-map", [two_cases], Options(**base, smooth=20.0, significance=True))
    assert "standard deviations" in " ".join(axis_labels(figure))


# ---- which entries


def test_unfinished_entries_are_left_out(one_rigidity):
    (axes,) = data_axes(draw("dipole-map", [one_rigidity]))
    assert len(with_gid(axes, "realisations").get_offsets()) == 8
    assert "8 realisations" in axes.get_title()
    with pytest.raises(ResultError, match="realisation 3, 1 PV is not finished"):
        draw("sky-map", [one_rigidity], Options(realisation=3))
    # the first realisation is the one that is shown where none is named
    with pytest.raises(ResultError, match="realisation 0, 1 PV is not finished"):
        draw("sky-map", [one_rigidity])
    with pytest.raises(ResultError, match="realisation 10 does not exist; the file has 0 to 9"):
        draw("sky-map", [one_rigidity], Options(realisation=10))


def test_several_files_and_rigidities_make_panels(two_cases, one_rigidity):
    figure = draw("dipole-map", [two_cases, one_rigidity], Options(rigidities=("-1",)))
    titles = [axes.get_title() for axes in data_axes(figure)]
    assert len(titles) == 3 and titles[0].startswith("two, isotropic")
    figure = draw("dipole-map", [two_cases], Options(rigidities=("0", "1 PV"), stops=("40 pc",)))
    titles = [axes.get_title() for axes in data_axes(figure)]
    assert ["100 TV" in title for title in titles] == [True, False, True, False]
    assert all("40 pc" in title for title in titles)


# ---- command line


def test_list(capsys):
    assert run(["figure", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [text.split()[0] for text in lines] == list(FIGURES)


def test_default_file_beside_the_result(two_cases, capsys):
    assert run(["figure", "convergence", str(two_cases)]) == 0
    path = two_cases.with_name("two-convergence.png")
    assert capsys.readouterr().out.strip() == f"Figure: {path}"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_realisation_of_the_command(block, tmp_path, capsys):
    """The same picture as that of the number; 0 is not in the file."""
    command = ["figure", "sky-map", str(block), "-o", str(tmp_path / "map.png")]
    pictures = {}
    for options in ([], ["--realisation", "4"], ["--realisation", "5"]):
        assert run([*command, *options]) == 0
        pictures[" ".join(options)] = (tmp_path / "map.png").read_bytes()
    first, fourth, fifth = pictures.values()
    assert first == fourth != fifth
    capsys.readouterr()
    assert run([*command, "--realisation", "0"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{block}: realisation 0 does not exist; the file has 4 to 11" in line


def test_options_of_the_command(two_cases, tmp_path, capsys):
    target = tmp_path / "map.pdf"
    command = ["figure", "dipole-map", str(two_cases), "-o", str(target), "--case", "isotropic"]
    assert run([*command, "--rigidity", "100 TV", "--stop", "0", "--gradient", "266,-29"]) == 0
    assert target.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense", "FILE"], ["nonsense", "dipole-map"]),
        (["dipole-map"], ["OUT.h5"]),
        ([], ["dipole-map"]),
        (["dipole-map", "missing.h5"], ["missing.h5", "no such file"]),
        (["dipole-map", "FILE", "--case", "weak"], ["weak", "isotropic, strong-field"]),
        (["dipole-map", "FILE", "--rigidity", "3 PV"], ["3 PV", "0.1 PV, 1 PV"]),
        (["dipole-map", "FILE", "--rigidity", "3 pc"], ["3 pc", "PV"]),
        (["dipole-map", "FILE", "--stop", "7"], ["index 7", "20 pc, 40 pc, 80 pc"]),
        (["dipole-map", "FILE", "--gradient", "90"], ["90,0"]),
        (["dipole-map", "FILE", "--gradient", "0,100"], ["-90 and 90"]),
        (["dipole-map", "FILE", "-o", "map.bmp"], ["map.bmp", ".png"]),
        (["dipole-map", "FILE", "-o", "no/such/folder/map.png"], ["no/such/folder"]),
        (["dipole-map", "NOTHING"], ["no finished realisation"]),
        (["sky-map", "FILE", "--realisation", "99"], ["99", "'isotropic'", "0 to 9"]),
    ],
)
def test_wrong_use_is_one_line(arguments, words, two_cases, nothing_done, capsys, monkeypatch):
    monkeypatch.chdir(two_cases.parent)
    files = {"FILE": str(two_cases), "NOTHING": str(nothing_done)}
    assert run(["figure", *(files.get(a, a) for a in arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.strip().splitlines()) == 1
    for word in words:
        assert word in captured.err
