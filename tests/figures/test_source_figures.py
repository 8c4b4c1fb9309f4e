"""Figures of clouds around sources, from a file whose cells are those of a Gaussian cloud."""

import matplotlib.text
import numpy as np
import pytest
from synthetic_results import write

from hpc_cr.config import parse_job
from hpc_cr.figures import draw, style
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.io import schema
from hpc_cr.sources import dipole, gaussian

JOB = """
[run]
kind = "source"
realisations = 4
[turbulence]
spectrum = "kolmogorov"
rms = "1 uG"
outer_scale = "25 pc"
[regular]
model = "uniform"
strength = "4 uG"
direction = [20, 10]
[particles]
rigidities = ["1 PV", "3 PV"]
count = 100000
[boundary]
times = ["1000 pc", "3000 pc", "10000 pc"]
[source]
along = ["0 pc", "100 pc", "200 pc", "400 pc", "800 pc", "1300 pc", "2000 pc"]
perpendicular = ["0 pc", "10 pc", "30 pc", "60 pc"]
[[case]]
name = "weak"
[case.set]
"turbulence.rms" = "0.5 uG"
[[case]]
name = "strong"
"""
PARALLEL, PERP = np.array([20.0, 40.0]), np.array([0.02, 0.04])  # pc, per rigidity


def entry(job, row, rig):
    """A Gaussian cloud with the diffusive flow, 2 % apart from row to row."""
    from hpc_cr.frames import field_axes

    arrays = {spec.name: np.zeros(shape[2:]) for spec, shape in schema.datasets(job)
              if spec.role == "data"}
    factor = 1 + 0.02 * (row - 1.5)
    axes = field_axes(job.regular_field)
    along, across = np.array(job.source.along), np.array(job.source.perpendicular)
    volume = np.pi * np.diff(along)[:, None] * np.diff(across**2)
    for stop, time in enumerate(job.stops[rig]):
        d_par, d_perp = PARALLEL[rig] * factor, PERP[rig] * factor
        cells = gaussian.mean_in_cells(along, across, time, d_par, d_perp)
        arrays["density"][stop] = cells
        arrays["count"][stop] = np.round(cells * volume * job.particles.count)
        places = dipole.mean_places(along, 2 * time * d_par)
        away = (0.5 * places / time * factor)[:, None] * np.ones(len(across) - 1)
        arrays["flow"][stop, :, :, :, 0] = dipole.SIDES[:, None, None] * away
        arrays["covariance"][stop] = 2 * time * gaussian.uniaxial(d_par, d_perp, axes[0])
        arrays["kurtosis"][stop] = [0.9 + 0.03 * stop, 1.0, 1.0]
    scalars = {"unfinished": 0, "over_tolerance": 0, "steps": 1_000_000}
    return arrays | scalars | {"seconds": 0.5, "rank": 0, "origin": (0, "host", 0.0, 0.5)}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("source") / "source.h5", parse_job(JOB), entry=entry)


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


@pytest.mark.parametrize("name", ["source-density", "source-cloud", "source-dipole"])
def test_two_panels_per_case_legible_and_whole(name, path):
    figure = draw(name, [path])
    assert len(figure.axes) == 4 and figure.get_figwidth() == style.DOUBLE
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in shown) >= 7
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < style.DOUBLE + 0.02
    assert box.y0 > -0.02 and box.y1 < figure.get_figheight() + 0.02
    assert "4 realisations" in texts(figure) and "0.12" in texts(figure)
    one = draw(name, [path], Options(cases=("strong",), rigidities=("3 PV",), stops=("1",)))
    assert len(one.axes) == 2 and "1 PV" not in texts(one)


def of_unknown_lines(job, row, rig):
    """No field line is known from 100 pc on in the weak field, nowhere in the strong one."""
    arrays = entry(job, row, rig)
    first = 1 if job.turbulence.rms < 0.9 else 0
    for name in ("density", "flow"):
        arrays[name][:, :, first:] = np.nan
    arrays["count"][:, :, first:] = 0
    return arrays


def test_unknown_is_not_empty(tmp_path):
    path = write(tmp_path / "unknown.h5", parse_job(JOB), entry=of_unknown_lines)
    (_, y), _ = series(draw("source-density", [path], Options(cases=("weak",))).axes[0])
    (near,) = gaussian.mean_in_cells([0, 100], [0, 10, 30, 60], 1e4, PARALLEL[0], PERP[0])
    np.testing.assert_allclose(y, near, rtol=0.01)  # not a quarter of it
    for name in ("source-density", "source-dipole"):
        with pytest.raises(FigureError, match="case 'strong' has no .* known field line"):
            draw(name, [path], Options(cases=("strong",)))


def test_gaussian_is_drawn_as_far_as_the_panel(path):
    """Below the points too, and curved between them."""
    axes = draw("source-density", [path], Options(cases=("weak",))).axes
    (x, y), _ = [line.get_data() for line in axes[0].lines if len(line.get_xdata()) > 100]
    (near,) = gaussian.mean_along([0, 400], 1e4, PARALLEL[0])
    np.testing.assert_allclose(y, near * np.exp(-(x**2) / 800) / (800 * np.pi), rtol=0.01)
    assert x[0] == 0 and x[-1] == 60
    times, ring = next(line.get_data() for line in axes[1].lines if len(line.get_xdata()) > 100)
    expected = [gaussian.mean_in_cells([0, 400], [0, 10], t, PARALLEL[1], PERP[1])[0, 0]
                for t in times]  # fmt: skip
    np.testing.assert_allclose(ring, expected, rtol=0.01)


def series(axes):
    """x and y of the points with error bars, per container."""
    return [container.lines[0].get_data() for container in axes.containers]


def test_density_follows_the_gaussian(path):
    figure = draw("source-density", [path], Options(cases=("weak",)))
    for (x, y), rig in zip(series(figure.axes[0]), range(2), strict=True):
        (expected,) = gaussian.mean_in_cells([0, 400], [0, 10, 30, 60], 1e4, PARALLEL[rig],
                                             PERP[rig])
        # rows 2 % apart: squares of it in the mean
        np.testing.assert_allclose(y, expected, rtol=0.01)
        np.testing.assert_allclose(x**2, [50, 500, 2250])


def test_flow_is_shown_as_it_is(path):
    figure = draw("source-dipole", [path], Options(cases=("weak",), rigidities=("1 PV",)))
    flow, gradient = series(figure.axes[0])
    np.testing.assert_allclose(flow[1], flow[0] / (1 - 0.012), rtol=0.01)
    np.testing.assert_allclose(gradient[1], gradient[0], rtol=0.01)
    (time, ratio), (_, steep) = series(figure.axes[1])
    np.testing.assert_allclose(steep, 1, rtol=0.01)
    np.testing.assert_allclose(time, np.array([1e3, 3e3, 1e4]) / 60, rtol=1e-3)
    np.testing.assert_allclose(ratio, 1, rtol=0.01)


def test_refusals(path, tmp_path):
    with pytest.raises(FigureError, match="no case 'weka'"):
        draw("source-cloud", [path], Options(cases=("weka",)))
    empty = write(tmp_path / "empty.h5", parse_job(JOB), entry=entry,
                  finished=lambda n, row, rig: row == 0)
    with pytest.raises(FigureError, match="two realisations"):
        draw("source-cloud", [empty])
