"""Figure single-source: which coefficients it takes, and what it shows of the model."""

import matplotlib.text
import numpy as np
import pytest
import synthetic_diffusion as synthetic

from hpc_cr.figures import draw, single_source, style
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.io.results import open_results
from hpc_cr.measurements.proton_flux import proton_flux

CASES = ("isotropic-1uG", "eta-010", "eta-025", "eta-050")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    name = tmp_path_factory.mktemp("diffusion") / "kachelriess2018.h5"
    return synthetic.write(name, "kachelriess2018", cases=CASES)


def texts(figure):
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_coefficients_are_those_nearest_to_a_quarter(path):
    with open_results(path) as results:
        found, eta = single_source.coefficients_of([results], Options())
        other, level = single_source.coefficients_of([results], Options(cases=("eta-050",)))
    assert eta == pytest.approx(0.25, rel=1e-3) and level == pytest.approx(0.5, rel=1e-3)
    model = synthetic.Model()
    along, across = model.along_and_across(0.25, 1.0)
    # four rigidities with one factor of 2 % for each of 12 realisations
    assert found.parallel == pytest.approx(along, rel=4 * 0.02 / np.sqrt(12))
    assert found.perpendicular == pytest.approx(across, rel=4 * 0.02 / np.sqrt(12))
    assert found.parallel_slope == pytest.approx(model.growth[0], abs=0.02)
    assert found.perpendicular_slope == pytest.approx(model.growth[1], abs=0.02)
    assert abs(other.parallel / found.parallel - 1) > 0.1  # control: another level


def test_drawn_legible_and_whole(path):
    figure = draw("single-source", [path])
    assert len(figure.axes) == 4 and figure.get_figwidth() == style.DOUBLE
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in shown) >= 7
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < style.DOUBLE + 0.02
    assert box.y0 > -0.02 and box.y1 < figure.get_figheight() + 0.02
    text = texts(figure)
    assert "B/C" in text and "measured" in text and "Vela" in text and "f = 0.7" in text


def by_hand(energy, cutoff, diffusion=5e28):
    """f, up to a factor, and 3 s/(2 c T) of 250 pc, 70 pc across, 2.5 Myr ago; E in PeV."""
    time = 2.5e6 * 0.306601  # pc
    isotropic = diffusion / 9.2508e28 * np.cbrt(energy / 1e-5)
    parallel, perpendicular = 5 * isotropic, isotropic / 500
    left = np.exp(-(250**2 - 70**2) / (4 * parallel * time) - 70**2 / (4 * perpendicular * time))
    spectrum = energy**-2.2 * np.exp(-energy / cutoff)
    return (spectrum * left / (np.sqrt(parallel) * perpendicular) / proton_flux(energy),
            1.5 * np.sqrt(250**2 - 70**2) / time)


def test_curves_are_the_model(path):
    figure = draw("single-source", [path], Options(data="none"))
    top, _, bottom, _ = figure.axes
    energies = single_source.ENERGIES
    curves = [line.get_ydata() for line in top.lines if len(line.get_xdata()) == len(energies)]
    seen = single_source.equator()
    seas = []
    for number, cutoff in enumerate((0.1, 1.0)):
        local, total, sea = curves[3 * number : 3 * number + 3]
        f, alone = by_hand(energies, cutoff)
        f *= 0.7 / by_hand(np.array([0.01]), cutoff)[0]
        np.testing.assert_allclose(local, seen * f * alone, rtol=1e-3)
        np.testing.assert_allclose(total, np.abs(local - (1 - f) * sea), atol=1e-3 * sea.max())
        other = by_hand(energies, 2 * cutoff)[0]  # control: another cut-off
        assert np.abs(other / by_hand(np.array([0.01]), 2 * cutoff)[0] * 0.7 / f - 1).max() > 0.1
        side = bottom.lines[number].get_ydata()
        np.testing.assert_array_equal(side > 135, local < (1 - f) * sea)
        assert np.ptp(side) == pytest.approx(180)
        np.testing.assert_allclose(sea / np.cbrt(energies), sea[-1] / np.cbrt(energies[-1]))
        seas.append(sea[-1] / np.cbrt(energies[-1]) / seen)
    # beside a PeVatron the sea has to be larger, since it makes what is left
    assert seas[1] > 1.5 * seas[0]


def test_more_than_all_is_hatched(tmp_path):
    """D_perp ~ R^0.9, so that a PeVatron with f = 0.7 at 10 TeV has more than all at 100 TeV."""
    model = synthetic.Model(growth=(0.45, 0.9))
    path = synthetic.write(tmp_path / "kachelriess2018.h5", "kachelriess2018", model,
                           cases=["eta-025"])
    figure = draw("single-source", [path], Options(data="none"))
    with open_results(path) as results:
        found, _ = single_source.coefficients_of([results], Options())
    energies, spans = single_source.ENERGIES, []
    for axes in figure.axes[:2]:
        spans.append([p for p in axes.patches if p.get_hatch()])
    assert not spans[0] and spans[1]  # control: B/C never has too much
    sources = [source for source, _ in single_source.models(found)]
    above = [energies[source.share(energies, found) > 1] for source in sources]
    expected = [(one.min(), one.max()) for one in above if one.size]
    drawn = [(p.get_x(), p.get_x() + p.get_width()) for p in spans[1]]
    np.testing.assert_allclose(drawn, expected)
    total = figure.axes[1].lines[4].get_ydata()  # of the second cut-off
    np.testing.assert_array_equal(np.isnan(total), np.isin(energies, above[1]))


def test_refusal_of_a_file_without_a_field(path):
    with pytest.raises(FigureError, match="uniform regular field"):
        draw("single-source", [path], Options(cases=("isotropic-1uG",)))
    with pytest.raises(FigureError, match="two rigidities"):
        draw("single-source", [path], Options(cases=("eta-010",)))
