"""The tables of measured spectra and ratios.

What they must agree with is printed elsewhere than in the rows themselves: slopes and breaks in
the abstracts of the papers, and experiments among each other. Cosmic rays fall as E^-2.4 to
E^-3.2, so E^2.7 J of one element is within a decade over all energies; a row with a wrong unit or
axis (per nucleon against per particle: A^1.7) stands out.
"""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from hpc_cr.measurements import spectra

EVERY = [p for quantity in spectra.quantities() for p in spectra.points(quantity)]
FLUXES = [p for p in EVERY if p.quantity not in spectra.RATIOS]


def wrong(points):
    """Pairs of a point and a word for what is wrong with it."""
    found = []
    for p in points:
        ratio = p.quantity in spectra.RATIOS
        low, high = p.errors
        checks = {
            "reference": len(p.reference) > 10 and p.reference.split(",")[0][-4:].isdigit(),
            "doi": p.doi == "" or p.doi.startswith("10."),
            "ratio": not ratio or (p.axis == "nucleon" and p.value < 0.5),
            "axis": p.quantity != "all" or p.axis == "total",
            # TRACER's last ratio is an upper limit in all but name; everything else is significant
            "errors": 0 < low <= (1.1 if ratio else 0.85) * p.value and high < 1.4 * p.value,
            "energy": 0.05 < p.energy < 1.2e9,
        }
        found += [(p, word) for word, sound in checks.items() if not sound]
    return found


def off(points, most=1.3):
    """Points that lie off the median of E^2.7 J within half a decade of energy, in ln."""
    energy, value, low, _ = spectra.arrays(spectra.per_total_energy(points))
    height = np.log(value * energy**2.7)
    near = np.abs(np.log10(energy[:, None] / energy)) < 0.5
    median = np.array([np.median(height[row]) for row in near])
    return [p for p, away, spread in zip(points, np.abs(height - median), low / value, strict=True)
            if away > most + 2 * spread and p.energy > 10]  # fmt: skip


def test_every_row_is_sound():
    assert wrong(EVERY) == []
    keys = [(p.quantity, p.experiment, p.reference, p.energy, p.remark) for p in EVERY]
    assert len(set(keys)) == len(keys)
    assert {p.quantity for p in EVERY} == {*spectra.ELEMENTS, spectra.ALL_PARTICLES,
                                           *spectra.RATIOS}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"reference": "AMS"}, "reference"),
        ({"doi": "arXiv:1"}, "doi"),
        ({"value": 32.1}, "ratio"),  # per cent
        ({"axis": "rigidity"}, "ratio"),
        ({"stat_low": 0.6}, "errors"),
        ({"energy": 4.465e-5}, "energy"),
    ],
)
def test_the_check_sees_mistakes(change, word):
    """Negative control: AMS-02's first row of B/C with one mistake each."""
    point = spectra.points("B/C", ["AMS-02"])[0]
    assert word in [w for _, w in wrong([point._replace(**change)])]


@pytest.mark.parametrize("quantity", [*spectra.ELEMENTS, "all"])
def test_no_row_in_other_units(quantity):
    """exp(1.3) is more than experiments differ by and less than A^1.7 = 10 for helium."""
    own = list(spectra.points(quantity))
    assert off(own) == []
    mistaken = own[len(own) // 2]._replace(value=own[len(own) // 2].value * 10)
    assert off([*own, mistaken]) == [mistaken]  # negative control


def test_the_knee_of_lhaaso():
    """Cao et al. 2024: knee at 3.67 +- 0.05 +- 0.15 PeV, exponents -2.741 +- 0.005 and
    -3.128 +- 0.027 (systematic errors, which the choice of the model of interactions makes)."""
    energy, value, low, high = spectra.arrays(spectra.points("all", ["LHAASO"]))

    def bent(x, height, first, second, knee, sharpness):
        turn = np.logaddexp(0, sharpness * (x - knee)) / sharpness
        return height + first * (x - knee) + (second - first) * turn

    x = np.log(energy / 1e6)
    found, _ = curve_fit(bent, x, np.log(value), [-30, -2.7, -3.1, 1.3, 4.0], (low + high) / value)
    # three of the paper's systematic errors: one model of interactions instead of their mean
    assert found[1] == pytest.approx(-2.741, abs=3 * 0.005)
    assert found[2] == pytest.approx(-3.128, abs=3 * 0.027)
    assert np.exp(found[3]) == pytest.approx(3.67, abs=3 * 0.16)
    assert abs(found[1] - found[2]) > 0.3  # control: not one power law


def test_the_bends_of_protons():
    """Harder above 336 GV by 0.133 (+0.056 -0.037: Aguilar et al. 2015, PRL 114, 171103); softer
    again above 13.6 TeV, -2.60 to -2.85 (An et al. 2019, Sci. Adv. 5, eaax3793, errors 0.01, 0.1).
    """

    def slope(name, low, high):
        table = spectra.arrays(spectra.points("H", [name]))
        x = (table.energy > low) & (table.energy < high)
        return np.polyfit(np.log(table.energy[x]), np.log(table.value[x]), 1)[0]

    # means over ranges in place of a fit with the bend: three of its errors
    hardening = slope("AMS-02", 336, 1500) - slope("AMS-02", 45, 250)
    assert hardening == pytest.approx(0.133, abs=3 * 0.046) and hardening > 0
    # a later analysis than the one quoted: systematic errors of 9 %, half of which may change
    # within a factor of 6 in energy, 0.025, and three of its fit's errors
    assert slope("DAMPE", 1e3, 9e3) == pytest.approx(-2.60, abs=0.04)
    assert slope("DAMPE", 2e4, 1.5e5) == pytest.approx(-2.85, abs=0.2)
    assert slope("DAMPE", 2e4, 1.5e5) < slope("DAMPE", 1e3, 9e3) - 0.1


def test_experiments_agree_per_total_energy():
    """AMS-02 counts per rigidity, DAMPE and CALET per kinetic energy, CREAM per nucleon (helium):
    one spectrum, up to the 5 to 10 % that their systematic errors and the energy scales leave."""
    for quantity, others in (("H", ["DAMPE", "CALET"]), ("He", ["DAMPE", "CALET", "CREAM"])):
        ams = spectra.arrays(spectra.per_total_energy(spectra.points(quantity, ["AMS-02"])))
        for name in others:
            raw = spectra.points(quantity, [name])
            energy, value, _, _ = spectra.arrays(spectra.per_total_energy(raw))
            use = (energy > 50) & (energy < ams.energy.max())
            assert use.any()
            line = np.interp(np.log(energy[use]), np.log(ams.energy), np.log(ams.value))
            np.testing.assert_allclose(value[use], np.exp(line), rtol=0.12)
    # control: rigidities of helium taken as energies
    raw = spectra.arrays(spectra.points("He", ["AMS-02"]))
    line = np.exp(np.interp(np.log(energy[use]), np.log(raw.energy), np.log(raw.value)))
    assert np.abs(line / value[use] - 1).min() > 0.15


@pytest.mark.parametrize("axis", spectra.AXES)
def test_conversion_keeps_the_number_of_particles(axis):
    """J(E) dE = J(x) dx: the integral of a power law in x, and of its conversion over E(x), by the
    trapezium rule on 2000 points (error 1e-6)."""
    x = np.geomspace(1.0, 100.0, 2000)
    template = spectra.points("He")[0]._replace(axis=axis)
    made = [template._replace(energy=one, value=one**-2.7) for one in x]
    energy, value, _, _ = spectra.arrays(spectra.per_total_energy(made))
    assert np.trapezoid(value, energy) == pytest.approx(np.trapezoid(x**-2.7, x), rel=1e-5)
    charge, nucleons = spectra.ELEMENTS["He"]
    mass = nucleons * spectra.NUCLEON_GEV
    expected = {"rigidity": np.hypot(charge * x, mass), "kinetic": x + mass,
                "nucleon": nucleons * x + mass, "total": x}  # fmt: skip
    np.testing.assert_allclose(energy, expected[axis])


def test_boron_to_carbon_of_all_agree():
    """At 10 to 100 GeV/n every experiment lies on AMS-02's curve within its own errors: chi^2 per
    point at most 2 (two curves of AMS-02's width apart would be 10)."""
    ams = spectra.arrays(spectra.points("B/C", ["AMS-02"]))

    def chi2(factor):
        total, n = 0.0, 0
        for p in spectra.points("B/C"):
            if p.experiment == "AMS-02" or not 10 < p.energy < 100:
                continue
            line = factor * np.interp(np.log(p.energy), np.log(ams.energy), ams.value)
            total += ((p.value - line) / np.hypot(max(p.errors), 0.025 * line)) ** 2
            n += 1
        return total / n

    assert chi2(1.0) < 2 and chi2(1.25) > 10


def test_choosing():
    assert {p.experiment for p in spectra.points("H", ["ams-02", "DAMPE"])} == {"AMS-02", "DAMPE"}
    with pytest.raises(ValueError, match="no measurement of 'Li'; there are H, He"):
        spectra.points("Li")
    with pytest.raises(ValueError, match="no measurement of B/C by 'LHAASO'; there are AMS-02"):
        spectra.points("B/C", ["LHAASO"])
    (point,) = spectra.points("10Be/9Be")[:1]
    with pytest.raises(ValueError, match="no total energy"):
        spectra.per_total_energy([point])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("stat_low", "stat"), "the columns are not"),
        (lambda text: text.replace(",rigidity,", ",GV,"), "line [0-9]+: the axis is 'GV'"),
        (lambda text: text.replace(",567.2,", ",-567.2,"), "line [0-9]+: energy, value and errors"),
        (lambda text: text.replace(",567.2,", ",5%,"), "line [0-9]+: could not convert"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, change, message):
    path = tmp_path / "spectra.csv"
    path.write_text(change(spectra.TABLES[0].read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as error:
        spectra.read(path)
    assert "\n" not in str(error.value)
