"""Figures of power spectra by stop, of convergence in words, and of the turbulence level.

Files of conftest.py: U = n, so that the local term adds 3 K g to every dipole; responses grow as
0.5, 0.8, 1 over 20, 40, 80 pc, with scatter between the realisations. All drawn numbers are
computed again from the stored arrays.
"""

import healpy
import numpy as np
import pytest
import synthetic_results
from test_figures import ISOTROPIC, PV, STRONG, G, data_axes, stored

from hpc_cr.cli.main import run
from hpc_cr.config import parse_job
from hpc_cr.figures import FIGURES, draw
from hpc_cr.figures.panels import Options
from hpc_cr.io.errors import ResultError


@pytest.fixture(scope="module")
def patch(tmp_path_factory):
    text = synthetic_results.JOB + "displacement = true\n"
    text = text.replace("nside = 4", "nside = 4\npatch = { l = 90, b = 0, width = 60 }")
    job = parse_job(text, name="patch")
    return synthetic_results.write(tmp_path_factory.mktemp("patch") / "patch.h5", job)


def bars(axes):
    return {c.get_label(): c.lines[0] for c in axes.containers}


def cross(path, stop, diffusion=None):
    """Mean cross-spectrum at 1 PV with the gradient along y, from l = 1."""
    halves = G * stored(path, "alm_half")[:, PV, stop, :, 1]
    if diffusion is not None:
        direction = stored(path, "direction_alm_half")[:, PV, stop, :, 1]
        halves = halves + 3 * diffusion * G * direction
    return np.mean([healpy.alm2cl(a, b) for a, b in halves], axis=0)[1:]


def test_spectra_by_stop_with_and_without_the_local_term(two_cases):
    options = Options(stops=("0", "2"), local_term=True, cases=("isotropic",))
    (axes,) = data_axes(draw("power-spectrum", [two_cases], options))
    lines = [c.lines[0] for c in axes.containers]
    assert len(lines) == 4  # two stops, each without and with
    last = np.trace(stored(two_cases, "response")[:, PV, -1].mean(axis=0)) / 9  # K of the last stop
    expected = [cross(two_cases, stop, k) for stop in (0, 2) for k in (None, last)]
    for found, values in zip(lines, expected, strict=True):
        drawn = np.isfinite(found.get_ydata())
        assert drawn[0]  # the dipole stands out of the noise
        np.testing.assert_allclose(found.get_ydata()[drawn], values[drawn], rtol=1e-9)
    # the term adds to the dipole, more at the early stop, and to nothing else (U = n)
    ratio = [expected[1][0] / expected[0][0], expected[3][0] / expected[2][0]]
    assert ratio[0] > ratio[1] > 1.5
    # (a dipole leaks into odd l of half-samples by some 1e-3 in amplitude)
    np.testing.assert_allclose(expected[1][1:], expected[0][1:], rtol=1e-2,
                               atol=1e-3 * expected[1][0])  # fmt: skip
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any("20 pc" in text for text in labels) and any("local term" in text for text in labels)


def test_spectrum_says_the_dipole_s_share_and_keeps_realisations_apart(two_cases):
    axes = data_axes(draw("power-spectrum", [two_cases]))[ISOTROPIC]
    (text,) = [t.get_text() for t in axes.texts]
    alm = G * stored(two_cases, "alm")[:, PV, -1, 1]
    noise = G**2 * stored(two_cases, "noise")[:, PV, -1, 1, 1]
    cl = np.array([healpy.alm2cl(a) - n for a, n in zip(alm, noise, strict=True)]).mean(axis=0)
    share = 300 * cl[1] / np.sum((2 * np.arange(1, 7) + 1) * cl[1:])
    assert f"dipole: {share:.0f} " in text and r"\pm" in text and "1 to 6" in text
    faint = [one for one in axes.lines if one.get_alpha() == 0.35]
    assert len(faint) == 10  # every realisation
    shape = next(one for one in axes.lines if "Ahlers" in one.get_label())
    np.testing.assert_allclose(shape.get_ydata()[:2] / cl[1], [1, 0.3], rtol=1e-9)


def test_convergence_in_the_legend(two_cases):
    isotropic, strong = data_axes(draw("convergence", [two_cases]))
    texts = [text.get_text() for text in strong.get_legend().get_texts()]
    # 116/0.8 to 116 pc: a change of 20 % in the last step
    assert any("parallel" in text and "still +2" in text for text in texts)
    texts = [text.get_text() for text in isotropic.get_legend().get_texts()]
    assert all(":" in text for text in texts)


@pytest.mark.parametrize("name", [n for n, entry in FIGURES.items()
                                  if not entry.parts and entry.rigidities is not None])  # fmt: skip
def test_parts_of_the_sky_are_refused_in_one_line(name, patch, capsys):
    assert run(["figure", name, str(patch)]) == 2
    error = capsys.readouterr().err.strip()
    assert "only a part of the sky is there" in error and len(error.splitlines()) == 1


def test_turbulence_levels_of_single_skies(tmp_path):
    """No error, so neither bars nor limits, and nothing negative on a logarithmic axis."""
    text = synthetic_results.JOB.replace("realisations = 6", "realisations = 1") + "".join(
        f'\n[[case]]\nname = "c{b}"\nset = {{ "regular.model" = "uniform", "regular.strength" = '
        f'"{b} uG", "regular.direction" = [0, 90] }}\n' for b in (1, 4))
    job = parse_job(text, name="one")
    figure = draw("turbulence-level", [synthetic_results.write(tmp_path / "one.h5", job)])
    labels = [label for axes in data_axes(figure) for label in bars(axes)]
    assert labels and not any("limit" in label.replace("limit not proven", "") for label in labels)


def test_turbulence_levels(levels):
    responses, amplitudes = data_axes(draw("turbulence-level", [levels]))
    shares = [0.25 / (0.25 + 3.9**2), 0.5]
    b = np.array([np.cos(np.pi / 6), 0.5, 0.0])
    across = np.array([-0.5, np.cos(np.pi / 6), 0.0])  # the gradient's side of the field
    tensors = [stored(levels, "response", case)[:, PV, -1] for case in ("weak", "strong")]
    parallel = [np.mean(m @ b @ b) for m in tensors]
    found = {label: one for label, one in bars(responses).items() if "parallel" in label}
    drawn = dict(np.concatenate([one.get_xydata() for one in found.values()]))
    np.testing.assert_allclose([drawn[x] for x in sorted(drawn)], parallel, rtol=1e-9)
    np.testing.assert_allclose(sorted(drawn), shares, rtol=1e-9)
    (median,) = [one for label, one in bars(amplitudes).items() if "delta" in label]
    expected = [np.median(np.linalg.norm(G * m @ across, axis=1)) for m in tensors]
    np.testing.assert_allclose(median.get_xydata(), np.column_stack([shares, expected]), rtol=1e-9)
    # control: a gradient along the field would give twenty times as much
    assert np.median(np.linalg.norm(G * tensors[0] @ b, axis=1)) > 10 * expected[0]


def test_turbulence_level_needs_two_levels(one_rigidity):
    with pytest.raises(ResultError, match="two cases or more"):
        draw("turbulence-level", [one_rigidity])


def test_levels_of_the_strong_field_case(two_cases):
    """Isotropic stands at 1, the field of 3.795 uG at 0.1; tr M/3 serves for both responses."""
    responses, _ = data_axes(draw("turbulence-level", [two_cases]))
    x = np.unique(np.concatenate([one.get_xdata() for one in bars(responses).values()]))
    np.testing.assert_allclose(x, [0.1, 1.0], rtol=1e-3)
    assert STRONG == 1
