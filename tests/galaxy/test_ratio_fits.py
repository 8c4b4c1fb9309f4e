"""chi^2 of a ratio with the Sun's modulation as a nuisance, and its minimum over log10 D0.

Toy: B ~ T^-3.1 and C ~ T^-2.7 in the interstellar medium, B/C ~ 1/D0, modulated by the force
field with a potential per experiment; measured points are drawn from it with errors of 3 %. The
truth has chi^2 = n +- sqrt(2 n); one fitted potential takes one off.
"""

import numpy as np
import pytest

from hpc_cr.galaxy import ratio_fits
from hpc_cr.galaxy.spectra import modulated
from hpc_cr.measurements import spectra

KINETIC = np.geomspace(0.1, 1e4, 200)
POTENTIAL = {"early": 0.35, "late": 0.7}


def toy(log_d0=0.0):
    boron = [(0.3 * 0.4 * 10**-log_d0 * (KINETIC / 10) ** -3.1, 5, 10),
             (0.7 * 0.4 * 10**-log_d0 * (KINETIC / 10) ** -3.1, 5, 11)]  # fmt: skip
    carbon = [((KINETIC / 10) ** -2.7, 6, 12)]
    return lambda potential, energy: ratio_fits.modulated_ratio(KINETIC, boron, carbon, potential,
                                                                energy)  # fmt: skip


def drawn(rng, relative=0.03):
    template = spectra.points("B/C")[0]
    found = []
    for name, potential in POTENTIAL.items():
        for energy in np.geomspace(0.5, 300, 40):
            value = float(toy()(potential, np.array([energy]))[0])
            seen = value * (1 + relative * rng.standard_normal())
            found.append(template._replace(
                experiment=name, energy=energy, value=seen,
                stat_low=relative * value, stat_high=relative * value, sys_low=np.nan,
                sys_high=np.nan))  # fmt: skip
    return found


def test_a_ratio_of_isotopes_is_modulated_one_by_one():
    """By hand: J(T + Phi) T (T + 2m)/[(T + Phi)(T + Phi + 2m)] with Phi = potential Z/A."""
    m, potential, t = 0.931494, 0.5, 2.0

    def seen(power, z, a):
        shift = potential * z / a
        factor = t * (t + 2 * m) / ((t + shift) * (t + shift + 2 * m))
        return ((t + shift) / 10) ** power * factor

    above = 0.4 * (0.3 * seen(-3.1, 5, 10) + 0.7 * seen(-3.1, 5, 11))
    found = toy()(potential, np.array([t]))[0]
    assert found == pytest.approx(above / seen(-2.7, 6, 12), rel=1e-9)
    assert abs(found / toy()(0.0, np.array([t]))[0] - 1) > 0.01  # control: no modulation
    boron = modulated(KINETIC, KINETIC**-3.1, 5, 10, potential, t)
    assert boron > 0


def test_little_is_left_of_modulation_at_high_energies():
    """Above MODULATED_GEV the two ends of the range of potentials differ by less than 1 %."""
    ends = [toy()(p, np.array([ratio_fits.MODULATED_GEV, 2.0])) for p in ratio_fits.POTENTIALS_GV]
    change = np.abs(ends[1] / ends[0] - 1)
    assert change[0] < 0.01 < change[1]


def test_truth_and_potentials_come_back():
    rng, m, chi2, potentials = np.random.default_rng(2), 40, [], []
    for _ in range(m):
        found = ratio_fits.fit_ratio(toy(), drawn(rng))
        chi2.append(found.chi2)
        potentials.append([found.potentials[name] for name in POTENTIAL])
        assert found.ndf == 78 and found.parts["early"][1] == 40
    assert np.mean(chi2) == pytest.approx(78, abs=4 * np.sqrt(2 * 78 / m))
    away = np.mean(potentials, axis=0) - list(POTENTIAL.values())
    # a potential is cut off at the ends of its range only many standard deviations away
    spread = np.std(potentials, axis=0)
    assert (np.abs(away) < 4 * spread / np.sqrt(m)).all() and (spread < 0.2).all()
    # negative control: D0 a fifth too high
    off = ratio_fits.fit_ratio(toy(np.log10(1.2)), drawn(rng))
    assert off.chi2 > 3 * off.ndf


def test_a_scan_finds_d0():
    """B/C ~ 1/D0 with 80 points of 3 % and nuisances: the error on ln D0 is at least
    0.03/sqrt(80) = 0.0034, and less than three times that."""
    rng, m, pulls = np.random.default_rng(4), 25, []
    grid = np.log10([0.8, 0.9, 1.0, 1.1, 1.25])
    for _ in range(m):
        points = drawn(rng)
        chi2 = [ratio_fits.fit_ratio(toy(x), points).chi2 for x in grid]
        best = ratio_fits.minimum(grid, chi2, 77)
        assert 0.0034 < best.high * np.log(10) < 0.0102
        pulls.append(best.value / (0.5 * (best.low + best.high)))
        assert best.chi2 < 77 + 5 * np.sqrt(2 * 77)
    # errors are a little larger where chi^2/ndf is above 1: pulls between 0.6 and 1.4 r.m.s.
    assert np.abs(np.mean(pulls)) < 4 / np.sqrt(m)
    assert 0.6 < np.sqrt(np.mean(np.square(pulls))) < 1.4


def test_three_values_are_a_parabola():
    """chi^2 = 20 + ((x - 0.1)/0.02)^2: minimum, error and quality are exact."""
    x = np.array([0.25, 0.0, 0.12])
    best = ratio_fits.minimum(x, 20 + ((x - 0.1) / 0.02) ** 2, 25)
    assert best.value == pytest.approx(0.1, abs=1e-6) and best.chi2 == pytest.approx(20, abs=1e-6)
    assert (best.low, best.high) == pytest.approx((0.02, 0.02), rel=1e-3)
    # a fit that is four times as bad as its degrees of freedom has twice the error
    worse = ratio_fits.minimum(x, 100 + ((x - 0.1) / 0.02) ** 2, 25)
    assert worse.high == pytest.approx(0.04, rel=1e-3)


def test_a_spline_through_an_asymmetric_curve():
    """sum ((1/d - 1)/s)^2 over D0 = d D: the error of a cubic spline, of order h^4 f''''/384, here
    1e-3 of the rise between neighbours, moves the minimum by less than a hundredth of a step."""
    x = np.log10([0.7, 0.8, 0.9, 1.05, 1.2, 1.4])
    best = ratio_fits.minimum(x, ((10**-x - 1) / 0.05) ** 2, 1)
    assert best.value == pytest.approx(0, abs=0.01 * 0.06)
    assert best.high == pytest.approx(-np.log10(0.95), rel=0.02)
    assert best.low == pytest.approx(np.log10(1.05), rel=0.02)


@pytest.mark.parametrize(
    ("x", "chi2", "message"),
    [
        ([0, 1], [1, 2], "three different values"),
        ([0, 1, 1], [1, 2, 3], "three different values"),
        ([0, 1, 2], [1, np.nan, 3], "finite"),
        ([0, 1, 2], [1, 2, 3], "least at the end of the values, 0"),
        ([0, 1, 2], [3, 2, 1], "least at the end of the values, 2"),
        ([0, 1, 2, 3, 4], [5, 1, 4, 2, 6], "more minima"),
    ],
)
def test_no_minimum_is_said(x, chi2, message):
    with pytest.raises(ValueError, match=message) as error:
        ratio_fits.minimum(x, chi2, 10)
    assert "\n" not in str(error.value)


def test_one_sided_errors():
    x = np.array([0.0, 1.0, 1.2])
    best = ratio_fits.minimum(x, (x - 0.9) ** 2 / 0.25, 10)
    assert best.low == pytest.approx(0.5, rel=1e-3) and np.isnan(best.high)


def test_bad_input_is_one_line():
    points = spectra.points("B/C")
    with pytest.raises(ValueError, match="does not reach AMS-02's 0.447 to 2e.04 GeV/n"):
        ratio_fits.fit_ratio(toy(), [points[0], points[0]._replace(energy=2e4)])
    with pytest.raises(ValueError, match="no points between 100000"):
        ratio_fits.fit_ratio(toy(), points, (1e5, 1e6))
    with pytest.raises(ValueError, match="equal energy per nucleon only"):
        ratio_fits.fit_ratio(toy(), [points[0]._replace(axis="rigidity")])


def test_the_measured_ratio_above_ten_gev():
    """AMS-02, DAMPE and CALET between 10 and 100 GeV/n: a power law with an exponent within
    -0.30 to -0.45 (Aguilar et al. 2016: -0.333 +- 0.014 above 65 GV; the secondary's is steeper
    below, where inelastic losses bend it), and chi^2 no more than that of independent errors."""
    points = spectra.points("B/C", ["AMS-02", "DAMPE", "CALET"])
    slopes = np.linspace(-0.5, -0.2, 13)

    def chi2(slope):
        heights = np.linspace(0.19, 0.23, 41)
        fits = [ratio_fits.fit_ratio(lambda _, e, h=h: h * (e / 10) ** slope, points, (10, 100))
                for h in heights]  # fmt: skip
        return min(fits)[0], fits[0].ndf

    found = [chi2(slope) for slope in slopes]
    best = ratio_fits.minimum(slopes, [c for c, _ in found], found[0][1] - 2)
    assert -0.45 < best.value < -0.30
    assert best.chi2 < best.ndf
    assert found[0][0] > 5 * best.chi2  # control: T^-0.5
