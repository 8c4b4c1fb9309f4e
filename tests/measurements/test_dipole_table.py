"""The table of published dipoles.

What a first harmonic can be: an amplitude between 0 and 1 (here below 1 % in the range of
Galactic cosmic rays), a phase within [0, 360) degrees, errors above 0, an energy inside its range.
Values typed by hand below are those printed in the papers.
"""

import numpy as np
import pytest

from hpc_cr.figures import measured
from hpc_cr.measurements import dipole
from hpc_cr.measurements.dipole_limits import eas_top_amplitude, kascade_limit

POINTS = dipole.read().points


@pytest.fixture(autouse=True)
def no_renewed_table(tmp_path, monkeypatch):
    monkeypatch.setenv("HPC_CR_DATA", str(tmp_path / "data"))


def written(tmp_path, change):
    """The package's table with its text changed, read again."""
    text = change(dipole.PACKAGE_TABLE.read_text(encoding="utf-8"))
    path = tmp_path / "data" / dipole.NAME
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def wrong(points):
    """What is wrong with a table: pairs of a point and a word."""
    found = []
    for p in points:
        galactic = p.energy < 10
        checks = {
            "reference": len(p.reference) > 10 and str(p.year)[:2] in ("19", "20"),
            "bibcode": len(p.bibcode) == 19 or bool(p.arxiv),
            "technique": bool(p.technique),
            "source": p.source in ("database", "abstract"),
            "amplitude": 5e-5 < p.amplitude < (2e-2 if galactic else 0.3),
            "energy": 3e-5 < p.energy < 1e6,
            "range": not p.energy_low > p.energy and not p.energy_high < p.energy,
            "phase": np.isnan(p.phase_deg) or 0 <= p.phase_deg < 360,
            "errors": p.upper_limit or (0 < p.stat_low <= p.amplitude and 0 < p.stat_high < 0.1),
            "other errors": not any(
                error <= 0
                for error in (p.sys_low, p.sys_high, p.phase_low_deg, p.phase_high_deg)
            ),
            "limit": p.upper_limit != np.isnan(p.confidence_percent) or not p.shown,
            "limit's phase": not p.upper_limit or np.isnan(p.phase_deg),
            "shown": p.shown or bool(p.note),
        }
        found += [(p, word) for word, sound in checks.items() if not sound]
    return found


def test_every_row_is_sound():
    assert wrong(POINTS) == []
    assert len(POINTS) == len({(p.experiment, p.bibcode, p.energy, p.upper_limit)
                               for p in POINTS})  # fmt: skip


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"reference": ""}, "reference"),
        ({"amplitude": 0.026}, "amplitude"),  # per cent taken as the amplitude
        ({"energy": 370e3 * 1e6}, "energy"),  # GeV taken as PeV
        ({"energy_low": 0.4}, "range"),
        ({"phase_deg": -156.0}, "phase"),
        ({"stat_low": 0.0}, "errors"),
        ({"sys_low": -1e-4}, "other errors"),
        ({"upper_limit": True}, "limit"),
    ],
)
def test_the_check_sees_mistakes(change, word):
    """Negative control: EAS-TOP's row at 370 TeV with one mistake each."""
    (point,) = [p for p in POINTS if p.experiment == "EAS-TOP" and p.energy == 0.37]
    assert word in [w for _, w in wrong([point._replace(**change)])]


PUBLISHED = [
    # experiment, year, energy TeV, amplitude, error, phase, error: as printed in the papers
    ("EAS-TOP", 2009, 110, 2.6e-4, 0.8e-4, 0.4 * 15, 1.2 * 15),
    ("EAS-TOP", 2009, 370, 6.4e-4, 2.5e-4, 13.6 * 15, 1.5 * 15),
    ("Super-Kamiokande", 2007, 12, 6.64e-4, 0.98e-4, 33.2, np.hypot(8.2, 5.1)),
    ("IceCube", 2016, 13.2, 7.9e-4, 0.1e-4, 51, 1),
    ("Kamiokande", 1997, 12, 5.6e-4, 1.9e-4, 8.0, 19.1),
    ("KASCADE-Grande", 2019, 2700, 0.26e-2, 0.10e-2, 225, 22),
    ("MACRO", 2003, 30, 8.2e-4, 2.7e-4, 348, 19.5),
]


@pytest.mark.parametrize("row", PUBLISHED)
def test_published_values(row):
    name, year, tev, amplitude, error, phase, spread = row
    (p,) = [p for p in POINTS if p.experiment == name and p.year == year and not p.upper_limit
            and p.energy == pytest.approx(1e-3 * tev)]  # fmt: skip
    assert (p.amplitude, p.stat_high) == pytest.approx((amplitude, error), rel=1e-3)
    # printed to a tenth of a degree or of an hour
    assert (p.phase_deg, p.phase_high_deg) == pytest.approx((phase, spread), abs=0.1)


def test_components_of_the_two_hemispheres():
    """HAWC and IceCube: 9.16e-4 towards 0 h and 7.25e-4 towards 6 h make 1.17e-3 at 38.4 deg."""
    (p,) = [p for p in POINTS if p.experiment == "HAWC+IceCube"]
    assert p.amplitude == pytest.approx(np.hypot(9.16e-4, 7.25e-4), rel=5e-3)
    assert p.phase_deg == pytest.approx(np.degrees(np.arctan2(7.25, 9.16)), abs=0.1)
    assert p.errors[1] == pytest.approx(np.hypot(1e-5, 6e-5), rel=1e-3)


def test_band_amplitudes_lie_below_the_equatorial_dipole():
    """IceCube's band, -90 to -25 deg, undivided: <cos dec> = [dec/2 + sin(2 dec)/4]/[sin dec].

    The horizontal dipole of both hemispheres at nearly the same energy is the larger by 1/0.651,
    up to its systematic error and the multipoles above the dipole, 10 %.
    """
    (band,) = [p for p in POINTS if p.experiment == "IceCube" and p.energy == 0.0132]
    (both,) = [p for p in POINTS if p.experiment == "HAWC+IceCube"]
    a, b = np.radians([-90, -25])
    cosine = ((b - a) / 2 + (np.sin(2 * b) - np.sin(2 * a)) / 4) / (np.sin(b) - np.sin(a))
    assert cosine == pytest.approx(0.651, abs=1e-3)
    assert band.amplitude / both.amplitude == pytest.approx(cosine, rel=0.1)
    assert band.amplitude / both.amplitude < 0.8  # negative control: equatorial dipoles both
    # no text says that every amplitude is one
    header = "".join(line for line in open(dipole.PACKAGE_TABLE) if line.startswith("#"))
    for text in (header, dipole.__doc__, measured.__doc__, measured.heading()):
        assert "equatorial part" not in text
    assert "as printed" in " ".join(header.split()) and "not divided" in dipole.__doc__


def test_the_level_of_kascade_is_told_for_what_it_is():
    for p in (p for p in POINTS if p.experiment == "KASCADE"):
        assert p.confidence_percent == 95 and "95 % is from memory" in p.note
        assert "not checked" not in p.note


def test_limits_beside_the_paper():
    """A power law from 1e-3 at 0.7 PeV to 1e-2 at 6 PeV: at 1 PeV 10^(-3 + lg(1/0.7)/lg(6/0.7))."""
    exponent = np.log10(1 / 0.7) / np.log10(6 / 0.7)
    assert kascade_limit(1.0) == pytest.approx(1e-3 * 10**exponent, rel=1e-9)
    np.testing.assert_allclose(kascade_limit([0.7, 6.0]), [1e-3, 1e-2], rtol=1e-9)
    assert np.isnan(kascade_limit([0.1, 10.0])).all()
    assert kascade_limit(1.0) != pytest.approx(1e-3 + 9e-3 * 0.3 / 5.3, rel=0.02)  # linear
    assert eas_top_amplitude() == pytest.approx((0.37, 6.4e-4, 2.5e-4))


def test_figures_get_one_value_per_measurement():
    shown = dipole.for_figures(POINTS)
    grande = [p for p in shown if p.experiment == "KASCADE-Grande"]
    assert [p.upper_limit for p in grande] == [True] * 3  # not the amplitudes of the same data
    assert sum(p.experiment == "KASCADE-Grande" for p in POINTS) == 6
    assert not [p for p in shown if p.bibcode == "2012ApJ...746...33A"]  # IceCube before 2016
    assert [p for p in POINTS if p.bibcode == "2012ApJ...746...33A"]


def test_choosing_experiments():
    assert dipole.choose(POINTS, "all") == POINTS
    assert dipole.choose(POINTS, "none") == ()
    two = dipole.choose(POINTS, "kascade, Tibet")
    assert {p.experiment for p in two} == {"KASCADE", "Tibet"}
    with pytest.raises(dipole.TableError, match="'Tibeet'; did you mean Tibet"):
        dipole.choose(POINTS, "KASCADE,Tibeet")
    with pytest.raises(dipole.TableError, match="the experiments are ARGO-YBJ, Art"):
        dipole.choose(POINTS, "xyz")
    with pytest.raises(dipole.TableError, match="names no experiment"):
        dipole.choose(POINTS, " , ")


def test_a_renewed_table_takes_the_place_of_ours(tmp_path):
    assert dipole.current().path == dipole.PACKAGE_TABLE and dipole.current().renewed == ""
    path = written(tmp_path, lambda text: "# renewed 2030-01-02 from x\n"
                   + text.replace(",0.00064,0.00025,", ",0.00065,0.00025,"))  # fmt: skip
    table = dipole.current()
    assert (table.path, table.renewed) == (path, "2030-01-02")
    assert [p.amplitude for p in table.points if p.energy == 0.37] == [6.5e-4]
    # what a paper is compared with does not change under it
    assert eas_top_amplitude()[1] == 6.4e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("phase_deg", "phase"), "the columns are not"),
        (lambda text: text.replace(",0.00064,", ",-0.00064,"), "line [0-9]+: energy and amplitude"),
        (lambda text: text.replace(",0.00064,", ",,"), "line [0-9]+: energy and amplitude"),
        (lambda text: text.replace(",0.00064,", ",6.4e-4%,"), "line [0-9]+: could not convert"),
        (lambda text: "", "the columns are not"),
    ],
)
def test_a_broken_table_is_refused_in_one_line(tmp_path, change, message):
    path = written(tmp_path, change)
    with pytest.raises(dipole.TableError, match=message) as error:
        dipole.current()
    assert str(path) in str(error.value) and "\n" not in str(error.value)
