"""Figure single-source: which coefficients it takes, and what it shows of the model."""

import matplotlib.text
import numpy as np
import pytest
import synthetic_diffusion as synthetic

from hpc_cr.figures import draw, single_source, style
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.io.results import open_results
from hpc_cr.sources import local_source

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


def test_curves_are_the_model(path):
    figure = draw("single-source", [path], Options(data="none"))
    top, _, bottom, _ = figure.axes
    curves = [line for line in top.lines if len(line.get_xdata()) == len(single_source.ENERGIES)]
    coefficients = local_source.of_boron_to_carbon()
    source = local_source.normalised(local_source.Source(cutoff=0.1), coefficients, 0.7)
    sea = single_source.sea_of_measurements()[0]
    total, local, _ = local_source.dipole(single_source.ENERGIES, source, coefficients, sea)
    np.testing.assert_allclose(curves[0].get_ydata(), single_source.equator() * local)
    np.testing.assert_allclose(curves[1].get_ydata(), single_source.equator() * np.abs(total))
    phase = bottom.lines[0].get_ydata()
    np.testing.assert_array_equal(phase > 135, total < 0)
    assert np.ptp(phase) == pytest.approx(180)


def test_refusal_of_a_file_without_a_field(path):
    with pytest.raises(FigureError, match="uniform regular field"):
        draw("single-source", [path], Options(cases=("isotropic-1uG",)))
    with pytest.raises(FigureError, match="two rigidities"):
        draw("single-source", [path], Options(cases=("eta-010",)))
