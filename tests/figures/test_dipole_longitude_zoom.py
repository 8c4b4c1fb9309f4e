"""Near 90 degrees from the regular field: shares of realisations, and the isotropic estimate.

Theory. In the file every dipole of the strong-field cases lies along the field with
|delta| = |lambda g cos psi + a sin psi|, a of alternating sign: shares below a limit are counted.
Isotropic diffusion with the mean free path of Harari et al. (2014) gives one amplitude for every
direction of the gradient, of a response as computed only.
"""

from io import BytesIO

import numpy as np
import pytest
import synthetic_alignment as known

from hpc_cr.config.scales import gyroradius, isotropic_mean_free_path
from hpc_cr.figures import draw, style
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.measurements.dipole_limits import kascade_limit


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return known.write(tmp_path_factory.mktemp("zoom") / "known.h5")


def lines(figure, gid):
    return [line for axes in figure.axes for line in axes.lines if line.get_gid() == gid]


@pytest.mark.parametrize("factor, normalisation", [(1, "physical"), (2, "diffusion")])
def test_shares(path, factor, normalisation):
    options = Options(cases=("total-4uG",), normalisation=normalisation, zoom=True)
    figure = draw("dipole-longitude", [path], options)
    psi = np.radians(np.arange(60, 120.1, 0.5))
    sign = (-1.0) ** np.arange(known.ROWS)[:, None]
    amplitude = factor * np.abs(known.LAMBDA / 12_000 * np.cos(psi)
                                + sign * known.AMPLITUDES[:, None] * np.sin(psi))  # fmt: skip
    for gid, agree in (
        ("share below KASCADE", amplitude < kascade_limit(1.0)),
        ("share within EAS-TOP", np.abs(amplitude - 6.4e-4) <= 2.5e-4),
    ):
        (line,) = lines(figure, gid)
        np.testing.assert_allclose(np.radians(line.get_xdata()), psi)
        np.testing.assert_allclose(line.get_ydata(), agree.mean(axis=0), atol=0.051)
        assert np.mean(line.get_ydata() == agree.mean(axis=0)) > 0.95
    assert figure.axes[0].get_xlim() == (60, 120)


def test_two_cases_are_whole(path):
    figure = draw("dipole-longitude", [path], Options(zoom=True))
    assert len(lines(figure, "share below KASCADE")) == 2  # none for the isotropic case
    with style.context():
        figure.savefig(BytesIO(), dpi=60)
    box = figure.bbox
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 2 and not titles[0].overlaps(titles[1])
    for title in titles:
        assert title.x0 > 0 and title.x1 < box.width and title.y1 < box.height


def test_zoom_needs_a_regular_field(path):
    with pytest.raises(FigureError, match="regular field"):
        draw("dipole-longitude", [path], Options(cases=("isotropic",), zoom=True))


def test_published_estimate_of_isotropic_diffusion(path):
    value = isotropic_mean_free_path(gyroradius(1.0, 4.0), 100.0)
    (line,) = lines(draw("dipole-longitude", [path]), "Harari")
    np.testing.assert_allclose(line.get_ydata(), value)
    assert not lines(draw("dipole-longitude", [path], Options(normalisation="diffusion")), "Harari")


@pytest.mark.parametrize("normalisation", ["physical", "diffusion"])
def test_titles_of_two_maps_are_whole(path, normalisation):
    cases = ("total-4uG", "turbulent-4uG")
    figure = draw("dipole-map", [path], Options(cases=cases, normalisation=normalisation))
    with style.context():
        figure.savefig(BytesIO(), dpi=100)
    first, second = (axes.title.get_window_extent() for axes in figure.axes)
    assert not first.overlaps(second)
    for title in (first, second):
        assert title.x0 > 0 and title.x1 < figure.bbox.width and title.y1 < figure.bbox.height
