"""Angle between dipoles and the field around the observer, from known tilts.

Theory. All dipoles of the file's strong-field cases lie along the regular field, and the field
averaged over the k-th radius is turned away from it by TILT[k]: that is the angle, in every
realisation. In the isotropic case the dipole has nothing to do with the stored field; a median of
20 independent angles to an axis has an error of about 6 degrees about 60.
"""

import numpy as np
import pytest
import synthetic_alignment as known

from hpc_cr.figures import draw, local_field, panels
from hpc_cr.io.results import open_results


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return known.write(tmp_path_factory.mktemp("local") / "known.h5")


def angles_of(path, case, **options):
    with open_results(path) as results:
        chosen = panels.select([results], panels.Options(cases=(case,), **options))
        return local_field.angles(chosen[0])


def test_known_tilts(path):
    found = angles_of(path, "total-4uG")
    np.testing.assert_allclose(found.single, np.tile(known.TILT, (known.ROWS, 1)), atol=1e-6)
    np.testing.assert_allclose(found.median, known.TILT, atol=1e-6)
    np.testing.assert_allclose(found.error, 0.0, atol=1e-6)
    assert found.regular[0] == pytest.approx(0.0, abs=1e-6)
    assert found.radius[0] == 0 and np.all(np.diff(found.radius) > 0)
    assert np.argmin(found.median) == known.BEST


def test_without_a_regular_field(path):
    found = angles_of(path, "isotropic")
    assert np.isnan(found.regular).all()
    # the gradient towards l = 90 leaves the isotropic dipoles across a field at l = 0
    assert found.median[known.BEST] > 45
    # a gradient along that field brings them near to it
    assert angles_of(path, "isotropic", gradient=(0, 0)).median[known.BEST] < 45


def test_drawn(path):
    figure = draw("local-field", [path])
    assert len(figure.axes) == 3
    for axes, case in zip(figure.axes, ("isotropic", "total-4uG", "turbulent-4uG"), strict=True):
        assert axes.get_title().startswith(case)
        labels = axes.get_legend_handles_labels()[1]
        assert any("random" in label for label in labels)
        assert any("regular field" in label for label in labels) == (case != "isotropic")
        assert axes.get_xticklabels()[0].get_text() == "0"
        assert axes.get_ylim() == (0, 90)
