"""Statements of Li et al. 2021 from a small file, against what follows without the solver.

Theory. Of the tensor D_ij = D_perp delta_ij + (D_par - D_perp) b_i b_j, e = D_perp/D_par, a burst a
displacement d away (d_par along b, d_perp across) a time t ago has, alone,

    |delta|/(3 d/2ct) = (d_par^2 + e^2 d_perp^2)^(1/2)/d  with the isotropic kernel, 1 with its own,
    density with its own kernel over isotropic = e^-1 exp[-d_perp^2 (1/e - 1)/(4 D_par t)].

Intensities add, and so do flows: without the background the phase never flips, without the source
it is the background's throughout. At the largest part of the source in the flux the sum is as
steep as the background.
"""

import json

import galaxy_files
import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from hpc_cr.cli import paper
from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.frames import unit_vector
from hpc_cr.io.errors import ResultError
from hpc_cr.io.results import open_results
from hpc_cr.measurements import dipole as measurements
from hpc_cr.papers import VERDICTS
from hpc_cr.papers.geminga_lrmf import kernel, model, spectra
from hpc_cr.papers.geminga_lrmf.files import CONSISTENT, PRINTED, REFITTED, modes, parts
from hpc_cr.papers.geminga_lrmf.measured import (
    TURN,
    Number,
    apart,
    equator,
    factor,
    flip,
    near,
    of_case,
    phase_at,
    within,
)

pytestmark = pytest.mark.paper


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return galaxy_files.run(tmp_path_factory.mktemp("geminga"), galaxy_files.small_job())


@pytest.fixture(scope="module")
def cases(path):
    with open_results(path) as results:
        yield modes(results)


@pytest.fixture(scope="module")
def printed(cases):
    return cases[PRINTED]


@pytest.fixture(scope="module")
def table(path):
    done = CliRunner().invoke(paper.command, ["geminga_lrmf", str(path), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def row(table, *words):
    found = [s for s in table if all(word in s["text"] for word in words)]
    assert len(found) == 1, [s["text"] for s in found]
    return found[0]


def test_every_mode_is_in_the_table(cases, table):
    assert set(cases) == {PRINTED, REFITTED, CONSISTENT}
    for mode in cases:
        assert sum(s["text"].startswith(mode) for s in table) > 5
    assert all(s["verdict"] in VERDICTS and s["value"] is not None for s in table)
    assert len({s["text"] for s in table}) == len(table)


def test_numbers_of_the_model(table):
    """F = N_m/2 = 0.31 at the Sun, slope 0.58 F, r_g = R/(c B), e = 1 at R0 e0^(-1/s)."""
    share = 0.62 / 2
    assert row(table, "F at the Sun")["value"] == pytest.approx(share, rel=1e-6)
    assert row(table, "d ln D/d ln R")["value"] == pytest.approx(0.58 * share, rel=1e-6)
    radius = 1e15 / (299_792_458.0 * 3e-10) / 3.0857e16
    assert row(table, "Larmor radius of")["value"] == pytest.approx(radius, rel=1e-4)
    for eps, rise in ((0.01, 0.32), (0.1, 0.32), (0.01, 0.8)):
        found = row(table, "reaches D_par", f"eps = {eps:g},", f"= {rise:g}")
        assert 4e-6 * eps ** (-1 / rise) == pytest.approx(found["value"], rel=1e-6)
    path = 3 * 4.87e28 * share / PC_C_CM2_PER_S * (1e3 / 4) ** (0.58 * share)
    assert row(table, "mean free path 3 D/c at 1 TV")["value"] == pytest.approx(path, rel=1e-6)


def test_parts_of_the_dipole_add_up(printed):
    """Without one part the phase is the other's; both together flip."""
    energy = np.geomspace(1e3, 1e6, 9)
    source, background = (printed.varied(printed.scales * keep) for keep in ([0, 1], [1, 0]))
    toward = phase_at(1e4, direction=None)(source)
    np.testing.assert_allclose(equator(source, energy, direction=None)[1], toward, atol=1e-6)
    _, centre = equator(background, energy, direction=None)
    np.testing.assert_allclose(centre, phase_at(1e4, direction=None)(background), atol=1e-6)
    assert np.isnan(flip(source)) and np.isnan(flip(background))  # control: neither flips alone
    at = flip(printed, ("H1",), direction=None)
    before, after = equator(printed, [0.99 * at, 1.01 * at], ("H1",), direction=None)[1]
    first = equator(printed, [1e4], ("H1",), direction=None)[1][0]
    assert apart(before, first) < TURN / 4 < apart(after, first)


def test_share_and_dominance(printed):
    """Twice the source is twice its part of the dipole, and no source none."""
    energy = np.geomspace(1e3, 1e5, 5)
    twice, none = (printed.varied(printed.scales * [1, times]) for times in (2, 0))
    ratio = spectra.dominance(printed, energy)
    np.testing.assert_allclose(spectra.dominance(twice, energy), 2 * ratio, rtol=1e-9)
    assert not spectra.dominance(none, energy).any() and not spectra.share(none, energy).any()
    share = spectra.share(printed, energy)
    np.testing.assert_allclose(spectra.share(twice, energy), 2 * share / (1 + share), rtol=1e-9)
    with pytest.raises(AssertionError):  # control: the part of the flux does not double
        np.testing.assert_allclose(spectra.share(twice, energy), 2 * share, rtol=1e-3)


def slope(case, part, energy):
    """d ln J/d ln E, to 1e-4: central differences over 4 % leave (0.02)^2/6 of third derivatives"""
    ends = np.array([energy / 1.02, energy * 1.02])
    low, high = getattr(case.flux("H1", ends), part)
    return np.log(high / low) / np.log(1.02**2)


def test_features_of_the_spectrum(printed):
    """At the bump's top the sum is as steep as the background; it hardens before, softens after."""
    top = spectra.bump(printed, "H1")
    # the top is known to a hundredth of a decade where curvatures are about 1
    assert abs(slope(printed, "total", top) - slope(printed, "background", top)) < 0.02
    beyond = 5 * top  # control: elsewhere they differ
    assert abs(slope(printed, "total", beyond) - slope(printed, "background", beyond)) > 0.2
    ordered = [measure(printed, "H1") for measure in
               (spectra.hardening, spectra.hardest, spectra.bump, spectra.softening)]
    assert ordered == sorted(ordered)
    gain = slope(printed, "total", ordered[1]) - slope(printed, "background", ordered[1])
    assert gain == pytest.approx(spectra.index(printed, "H1")[0].max(), abs=0.01)


def test_errors_are_those_of_the_fit(cases):
    """A flux is linear in the factors: its error is that of Refit.predict, correlations included.

    Factors that would become negative are 0, which nothing here comes near.
    """
    case, energy = cases[REFITTED], 1e4
    number = of_case(case, lambda c: c.flux("H1", [energy]).total[0])
    templates = np.zeros((len(case.species), 2, 1))
    templates[0] = np.array(case.unscaled_flux("H1", [energy]))
    *_, error = case.fit.predict(templates)
    grid = of_case(case.varied(), lambda c: c.flux("H1", [energy]).total[0])
    assert grid.error >= error[0] * (1 - 1e-6)
    coarse = (case.varied(coarse=True).flux("H1", [energy]).total[0] - number.value) / 3
    assert number.error == pytest.approx(np.hypot(error[0], coarse), rel=1e-6)
    alone = np.hypot(*(case.fit.errors[0] * templates[0, :, 0]))  # control: no correlations
    assert number.error != pytest.approx(np.hypot(alone, coarse), rel=1e-2)


def test_phases_across_midnight_have_small_errors(printed):
    """A phase that moves from 23.9 to 0.1 h moves by 0.2 h."""

    def hours(case):
        return 23.9 if case is printed else 0.1

    assert of_case(printed, hours, TURN).error == pytest.approx(0.2 / 3)
    assert of_case(printed, hours).error == pytest.approx(23.8 / 3)  # control: no period


def test_scans_are_the_cases(path, printed):
    """Another D_perp/D_par turns the dipole alone: a case with it has the same dipoles."""
    energy = np.geomspace(1e3, 1e7, 5)
    with open_results(path, "ratio-1e-1") as other:
        np.testing.assert_allclose(printed.dipoles(energy, ratio=0.1), other.dipoles(energy),
                                   rtol=1e-12, atol=1e-18)
        with pytest.raises(AssertionError):  # control: the printed ratio
            np.testing.assert_allclose(printed.dipoles(energy), other.dipoles(energy), rtol=1e-3)


def test_kernels(printed):
    job = printed.job
    b, towards = (unit_vector(*d) for d in (job.local_field.direction, job.local_source.direction))
    along = float(b @ towards)
    across = np.sqrt(1 - along**2)
    rigidity = np.array([1e3, 1e4])
    e = 0.01 * (rigidity / 4) ** 0.32
    d_par = 4.87e28 * 0.31 / PC_C_CM2_PER_S * (rigidity / 4) ** (0.58 * 0.31)
    spread = 4 * d_par * job.local_source.age
    expected = np.exp(-((330 * across) ** 2) * (1 / e - 1) / spread) / e
    np.testing.assert_allclose(kernel.flux_ratio(printed, rigidity), expected, rtol=1e-6)
    bent = np.hypot(along, e[1] * across)
    assert kernel.dipole_alone(printed, 1e4, "isotropic") == pytest.approx(bent, rel=1e-9)
    assert kernel.dipole_alone(printed, 1e4, "anisotropic") == pytest.approx(1, rel=1e-9)
    assert bent != pytest.approx(1, rel=0.1)  # control: the printed kernel's is shorter


def test_measured_phases(printed, table):
    """Mean of directions, its error from the scatter; scipy's circular statistics beside it."""
    hours = np.array([p.phase_deg / 15 for p in measurements.current().points
                      if p.shown and np.isfinite(p.phase_deg) and 1e-4 <= p.energy <= 0.1])
    found = row(table, "mean of the measured phases")
    assert found["value"] == pytest.approx(stats.circmean(hours, high=TURN), abs=1e-9)
    # of small angles both scatters are the same; of 1.9 h = 0.5 rad they differ by a tenth
    scatter = stats.circstd(hours, high=TURN)
    assert found["error"] == pytest.approx(scatter / np.sqrt(len(hours)), rel=0.1)
    assert found["value"] != pytest.approx(hours.mean(), abs=1)  # control: means across 0 h
    near_pev = row(table, "measured phase", "Tibet")
    points = [p for p in measurements.current().points
              if p.experiment == "Tibet" and 0.25 <= p.energy <= 2 and p.shown]
    assert (min(p.phase_deg for p in points) / 15 < near_pev["value"]
            < max(p.phase_deg for p in points) / 15)


def test_verdicts():
    assert near(Number(3.5), 3.0, 0.7) == "agrees" and near(Number(3.8), 3.0, 0.7) == "differs"
    assert near(Number(3.8, 0.04), 3.0, 0.7) == "open"
    assert near(Number(3.2, 1.0), 3.0, 0.7) == "open"
    assert near(Number(23.8), 0.2, 0.7, TURN) == "agrees"
    assert near(Number(23.8), 0.2, 0.7) == "differs"  # control: no period
    assert factor(Number(180.0), 100.0) == "agrees" and factor(Number(230.0), 100.0) == "differs"
    assert factor(Number(190.0, 10.0), 100.0) == "open"
    assert within(Number(np.nan), 0.0, 1.0) == "open" == near(Number(np.nan), 1.0, 0.1)


def test_sources_cut_add_their_gradient(path, printed, tmp_path):
    """A cut leaves fewer sources outside: the density falls more steeply at the Sun."""
    text = galaxy_files.small_job().replace(
        'scale_height = "200 pc"', 'scale_height = "200 pc"\nlargest_radius = "15 kpc"')
    cut = galaxy_files.run(tmp_path, text, "cut")
    with open_results(cut) as less, open_results(path) as whole:
        assert parts([less, whole]) == parts([whole, less]) == {"own": whole, "cut": less}
        rows = model.gradient(printed, modes(less)[PRINTED])
        with pytest.raises(ResultError, match="own sources"):
            parts([less])
        with pytest.raises(ResultError, match="second file"):
            parts([whole, whole])
    assert rows[0] == model.gradient(printed)[0]
    steep = [s.value for s in rows if "no sources beyond 15 kpc" in s.text]
    plain = [s.value for s in rows if "no sources" not in s.text]
    assert len(steep) == len(plain) == 2
    assert all(one < other < 0 for one, other in zip(steep, plain, strict=True))


def test_another_model_is_refused(tmp_path):
    text = galaxy_files.small_job().replace("count = 12", "count = 3").replace("[24, 24]", "[8, 8]")
    text = text.replace("slope = 0.58", "slope = 0.5")
    text = text.replace('name = "Geminga SNR"', 'name = "Geminga SNR"\ndistance = "250 pc"')
    other = galaxy_files.run(tmp_path, text)
    done = CliRunner().invoke(paper.command, ["geminga_lrmf", str(other)])
    assert isinstance(done.exception, ResultError) and "\n" not in str(done.exception)
    for named in ("diffusion.slope = 0.5 (", "local_source.distance = 250", "paper: 330"):
        assert named in str(done.exception)
    assert "sources.scale_height" not in str(done.exception)  # control: what is as printed
