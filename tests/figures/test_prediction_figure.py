"""The figure prediction: lines stand where gradients and responses put them.

Galaxy's side: a small file by the real solver. Skies: responses of known statistics (conftest).
The expected lines are put together here from the stored numbers: at each rigidity of the file the
dipoles of protons alone, whose rigidity in PV is their energy in PeV, need no interpolation.
"""

import galaxy_files
import matplotlib
import numpy as np
import pytest

import hpc_cr
from hpc_cr.cli.main import run
from hpc_cr.detector.harmonics import amplitude_and_phase, first_harmonic
from hpc_cr.figures import draw, style
from hpc_cr.figures.panels import FigureError, Options

PROTONS = """
[run]
kind = "galaxy"
[halo]
cells = [24, 24]
[energies]
rigidity = ["10 TV", "10 PV"]
count = 6
[[case]]
name = "one"
[[case]]
name = "other"
set = { "sources.distribution" = "green2015" }
"""


@pytest.fixture(scope="module")
def protons(tmp_path_factory):
    return galaxy_files.run(tmp_path_factory.mktemp("protons"), PROTONS, "protons")


def lines(figure, label):
    """(x, y) of the line with a label in the upper panels, from left to right."""
    found = [line.get_xydata().T for axes in figure.axes for line in axes.get_lines()
             if line.get_label() == label]
    assert found, label
    return found


def amplitudes(two_cases, protons, case, scale=1.0):
    """Equatorial amplitudes at 1 PeV of protons, (n,), from what is stored."""
    with hpc_cr.open_results(protons) as galaxy, hpc_cr.open_results(two_cases, case) as sky:
        gradient = galaxy.gradient([1e6])[0]
        dipoles = scale * sky.response[:, 1, -1] @ gradient
        return amplitude_and_phase(first_harmonic(dipoles, None))


def test_median_of_the_realisations_at_a_rigidity_of_the_file(two_cases, protons):
    figure = draw("prediction", [two_cases, protons], Options(data="none"))
    for case, (x, y) in zip(("isotropic", "strong-field"), lines(figure, "their median"),
                            strict=True):
        amplitude, _ = amplitudes(two_cases, protons, case)
        assert x[-1] == pytest.approx(1.0) and x[0] == pytest.approx(0.1)
        assert y[-1] == pytest.approx(np.median(amplitude), rel=1e-9)
        with pytest.raises(AssertionError):  # control: a response twice as large
            wrong, _ = amplitudes(two_cases, protons, case, 2.0)
            assert y[-1] == pytest.approx(np.median(wrong), rel=1e-9)


def test_files_in_any_order_and_cases_of_either(two_cases, protons):
    figure = draw("prediction", [protons, two_cases], Options(cases=("strong-field", "other"),
                                                              data="none"))
    assert len(figure.axes) == 2 and "other" in figure.get_suptitle()
    (_, y), = lines(figure, "their median")
    (_, same), = lines(draw("prediction", [protons, two_cases],
                            Options(cases=("strong-field",), data="none")), "their median")
    assert y[-1] != pytest.approx(same[-1], rel=1e-3)  # another gradient


def test_responses_scaled_to_the_diffusion_of_the_galaxy(two_cases, protons):
    """The mean along the field is then 3 D/c: with isotropic symmetry the expectation is
    3 D g/c for the gradient g, the smooth medium's own dipole."""
    figure = draw("prediction", [two_cases, protons],
                  Options(cases=("isotropic",), normalisation="diffusion", data="none"))
    (x, mean), = lines(figure, "mean response")
    (x_smooth, smooth), = lines(figure, "diffusion tensor of the galaxy job")
    at = [np.argmin(np.abs(x_smooth - 1.0)), np.argmin(np.abs(x_smooth - 0.1))]
    np.testing.assert_allclose(mean[[-1, 0]], smooth[at], rtol=1e-6)
    physical, = lines(draw("prediction", [two_cases, protons],
                           Options(cases=("isotropic",), data="none")), "mean response")
    assert np.abs(physical[1][-1] / smooth[at[0]] - 1) > 0.1  # control


def test_phases_lie_within_the_axis_and_nothing_sticks_out(two_cases, geminga):
    figure = draw("prediction", [two_cases, geminga], Options(cases=("refitted",)))
    figure.draw_without_rendering()
    for axes in figure.axes[2:]:
        for line in axes.get_lines():
            angle = line.get_ydata()
            assert np.all((np.asarray(angle) >= -70) & (np.asarray(angle) <= 290))
    texts = figure.findobj(matplotlib.text.Text)
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= 7
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.y0 > -0.02
    assert box.x1 < style.DOUBLE + 0.02 and box.y1 < figure.get_figheight() + 0.02


def test_wrong_files_and_cases(two_cases, protons, one_rigidity, capsys):
    for paths in ([two_cases], [protons], [protons, protons, two_cases]):
        with pytest.raises(FigureError, match='needs one file of kind "galaxy"'):
            draw("prediction", paths)
    with pytest.raises(FigureError, match="no case 'nothing'"):
        draw("prediction", [two_cases, protons], Options(cases=("nothing",)))
    with pytest.raises(FigureError, match="one case of it, not 2"):
        draw("prediction", [two_cases, protons], Options(cases=("one", "other")))
    with pytest.raises(FigureError, match="two rigidities or more"):
        draw("prediction", [one_rigidity, protons])
    assert run(["figure", "prediction", str(two_cases)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "prediction needs" in error
