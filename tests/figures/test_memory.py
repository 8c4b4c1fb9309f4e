"""Decay of multipoles against the scattering time of the ensemble.

Theory. The file's isotropic case decays as exp(-l(l + 1) T/(2 tau)) with tau = tr<M>/3 up to the
scatter of M, 2.5 pc/sqrt(3 x 20): the points lie on the full curves within that. With a field tau
is <M_par>, 120 pc at 1 PV.
"""

import numpy as np
import pytest
import synthetic_alignment as known

from hpc_cr.figures import draw, memory, panels
from hpc_cr.io.results import open_results


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return known.write(tmp_path_factory.mktemp("memory") / "known.h5")


def test_scattering_time(path):
    with open_results(path) as results:
        found = {p.label: memory.scattering_time(p)
                 for p in panels.select([results], panels.Options())}  # fmt: skip
    value, error = found["isotropic"]
    assert error == pytest.approx(known.MEAN / np.sqrt(3 * known.ROWS), rel=0.4)
    assert abs(value - known.MEAN) < 4 * error
    assert found["total-4uG"] == pytest.approx((known.LAMBDA, 0.0), abs=1e-9)


def test_drawn(path):
    figure = draw("memory", [path], panels.Options(cases=("isotropic",)))
    (axes,) = figure.axes
    assert r"c\tau" in axes.get_title()
    curves = [line for line in axes.lines if len(line.get_xdata()) == 200]
    assert len(curves) == 2 * len(memory.MULTIPOLES)
    with open_results(path) as results:
        (panel,) = panels.select([results], panels.Options(cases=("isotropic",)))
        stops, tau = results.stops[-1], memory.scattering_time(panel)[0]
    for number, degree in enumerate(memory.MULTIPOLES):
        full, dotted = curves[2 * number], curves[2 * number + 1]
        time, value = full.get_data()
        np.testing.assert_allclose(value, np.exp(-degree * (degree + 1) * time / (2 * tau)))
        np.testing.assert_allclose(dotted.get_ydata() * (2 * degree + 1), value)
        points = next(c for c in axes.containers if c.lines[0].get_color() == full.get_color())
        x, y = points.lines[0].get_data()
        np.testing.assert_allclose(x, stops, rtol=0.05)  # bars stand aside of each other
        exact = np.exp(-degree * (degree + 1) * stops / (2 * known.MEAN))
        np.testing.assert_allclose(y, exact, rtol=4 * 1e-2 / np.sqrt(known.ROWS))


def test_one_realisation_has_no_errors(tmp_path):
    text = known.JOB.replace(f"realisations = {known.ROWS}", "realisations = 1")
    figure = draw("memory", [known.write(tmp_path / "one.h5", text)])
    assert "pm" not in figure.axes[0].get_title()
