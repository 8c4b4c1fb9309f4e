"""Quantities: what a job file writes against what astropy.units makes of it.

The table of common units exists for speed only; every entry must agree with astropy to rounding
(1e-14), a time being the length c t.
"""

import subprocess
import sys

import pytest

from hpc_cr.config.errors import JobError
from hpc_cr.config.units import KINDS, format_quantity, parse_quantity


@pytest.mark.parametrize("kind, unit", [(k, u) for k, entry in KINDS.items() for u in entry[3]])
def test_table_agrees_with_astropy(kind, unit):
    import astropy.constants as const
    import astropy.units as u

    quantity = 2.5 * u.Unit(unit)
    if quantity.unit.is_equivalent(u.s) and kind != "duration":
        quantity = quantity * const.c
    expected = quantity.to_value(u.Unit(KINDS[kind][2]))
    assert parse_quantity(f"2.5 {unit}", kind) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("text, kind, expected", [
    ("100 pc", "length", 100.0),
    ("0.1 kpc", "length", 100.0),
    ("3.0856775814913673e18 cm", "length", 1.0),
    ("4uG", "field", 4.0),
    ("4 µG", "field", 4.0),
    ("0.4 nT", "field", 4.0),
    ("10 TV", "rigidity", 0.01),
    ("1e15 V", "rigidity", 1.0),
    ("3.2615637771674333 yr", "time", 1.0),  # one parsec in light years
    ("1 Myr", "time", 306601.39378 / 1.0),
    ("0.00345 / pc", "inverse length", 0.00345),
    ("1 / kpc", "inverse length", 1e-3),
    ("3.45 kpc-1", "inverse length", 3.45e-3),
])
def test_values(text, kind, expected):
    # 1e-10: eleven digits of the year in parsec above
    assert parse_quantity(text, kind) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("value, kind, words", [
    (4, "field", "4 has no unit; expected a magnetic field strength"),
    ("4", "field", '"4" has no unit'),
    ("four uG", "field", '"four uG" is not a magnetic field strength'),
    ("4 pc", "field", '"4 pc" is not a magnetic field strength'),
    ("10 TeV", "rigidity", "is not a rigidity in volts"),
    ("10 furlong", "length", 'unknown unit "furlong"'),
    ("2 Myr", "length", "is not a length"),
    ("1e400 pc", "length", "is not a finite number"),
    (True, "length", "true is not a length"),
    (None, "length", "is not a length"),
])
def test_wrong_quantities(value, kind, words):
    with pytest.raises(JobError) as caught:
        parse_quantity(value, kind)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [0.1, 1 / 3, 5.40503805710210e-4, 12e3, 1e-300])
def test_written_quantities_are_read_back_exactly(kind, number):
    assert parse_quantity(format_quantity(number, kind), kind) == number


def test_common_units_do_not_load_astropy():
    code = ("import sys; from hpc_cr.config import parse_job; from hpc_cr.config.shipped import"
            " shipped_jobs\nfor p in shipped_jobs().values():\n"
            "    edits = ['gradient.direction=[0, 0]'] if '\\nfrom =' in p.read_text() else []\n"
            "    if 'patch' not in p.read_text():  # healpy loads it\n"
            "        parse_job(p.read_text(), overrides=edits)\n"
            "sys.exit('astropy' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
