"""Quantities with units: text such as "100 pc", "4 uG", "10 TV", "2 Myr" to internal floats.

Internal units are pc, uG and PV; a time is the length c t. The units that job files nearly always
use are in a table, so that reading one does not load astropy (0.3 s); every other spelling is
parsed by astropy.units.
"""

import re
from math import isfinite

from hpc_cr.config.errors import JobError, shown
from hpc_cr.constants import PC_PER_C_S

SMALLEST, LARGEST = 1e-30, 1e30
"""Values that quantities may have in their internal unit: far beyond any physics, and such that
the powers of them that are formed stay finite."""

_LENGTH = {"pc": 1.0, "kpc": 1e3, "Mpc": 1e6}
_YEAR = 365.25 * 86400.0 / PC_PER_C_S
_TIME = {"yr": _YEAR, "kyr": 1e3 * _YEAR, "Myr": 1e6 * _YEAR, "Gyr": 1e9 * _YEAR}

# kind: (words, example, internal unit, {unit: factor})
KINDS = {
    "length": ("a length", '"100 pc"', "pc", _LENGTH),
    "time": ("a length c t or a time", '"20 pc" or "2 Myr"', "pc", _LENGTH | _TIME),
    "duration": ("a duration", '"10 min"', "s", {"s": 1.0, "min": 60.0, "h": 3600.0}),
    "field": ("a magnetic field strength", '"4 uG"', "uG", {"uG": 1.0, "nG": 1e-3, "mG": 1e3}),
    "rigidity": ("a rigidity in volts", '"10 TV" or "1 PV"', "PV",
                 {"PV": 1.0, "TV": 1e-3, "GV": 1e-6, "EV": 1e3}),
    "density": ("a number density", '"1 / cm3"', "1 / cm3",
                {"/ cm3": 1.0, "/cm3": 1.0, "cm-3": 1.0}),
    "diffusion": ("a diffusion coefficient", '"5e28 cm2/s"', "cm2/s",
                  {"cm2/s": 1.0, "cm2 / s": 1.0, "m2/s": 1e4}),
    "speed": ("a speed", '"6 km/s"', "km/s", {"km/s": 1.0, "km / s": 1.0}),
    "energy": ("an energy", '"100 GeV"', "GeV",
               {"GeV": 1.0, "TeV": 1e3, "PeV": 1e6, "MeV": 1e-3, "EeV": 1e9}),
    "flux": ("a flux per energy", '"0.0191 / (GeV m2 s sr)"', "1 / (GeV m2 s sr)",
             {"/ (GeV m2 s sr)": 1.0, "/(GeV m2 s sr)": 1.0}),
    "amount": ("a number of particles per rigidity", '"8.28e52 / GV"', "1 / GV",
               {"/ GV": 1.0, "/GV": 1.0}),
    "inverse length": ("an inverse length", '"0.00345 / pc"', "1 / pc",
                       {"/ pc": 1.0, "/pc": 1.0, "/ kpc": 1e-3, "/kpc": 1e-3}),
}

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*", re.DOTALL)


def parse_quantity(value, kind):
    """Value of a quantity in the internal unit of its kind.

    Parameters
    ----------
    value : str
        A number and a unit.
    kind : str
        One of `KINDS`.

    Returns
    -------
    float
        In the internal unit of `KINDS`: pc, uG, PV, 1/pc ...

    Raises
    ------
    JobError
        If there is no unit, an unknown or a wrong one, or no number.
    """
    words, example, _, factors = KINDS[kind]
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise JobError(f"{shown(value)} has no unit; expected {words} as text, such as {example}")
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise JobError(f"{shown(value)} is not {words}; expected text such as {example}")
    number, unit = float(match[1]), match[2]
    if not unit:
        raise JobError(f"{shown(value)} has no unit; expected {words}, such as {example}")
    factor = factors.get(unit)
    if factor is None:
        factor = _factor_by_astropy(value, unit, kind)
    result = number * factor
    if not isfinite(result):
        raise JobError(f"{shown(value)} is not a finite number")
    return result


def check_range(number, value, kind):
    """Raise JobError unless a positive number in the internal unit is within reason.

    Parameters
    ----------
    number : float
        In the internal unit of its kind, or a multiple of another scale.
    value : object
        As it was written.
    kind : str
        One of `KINDS`; "" for a multiple.
    """
    largest = 1e70 if kind == "amount" else LARGEST  # a supernova injects 1e53 particles per GV
    if not SMALLEST <= number <= largest:
        unit = f" {KINDS[kind][2]}" if kind else ""
        raise JobError(f"{shown(value)} is not between {SMALLEST:g} and {largest:g}{unit}")


def format_quantity(number, kind):
    """Text that `parse_quantity` reads back to exactly the same float."""
    return f"{float(number)!r} {KINDS[kind][2].removeprefix('1 ')}"


def _factor_by_astropy(value, unit, kind):
    """Internal units in one `unit`, for every spelling that astropy knows."""
    import astropy.units as u

    words, example, target, _ = KINDS[kind]
    try:
        parsed = u.Unit(unit)
    except (ValueError, TypeError, ArithmeticError):
        raise JobError(f'{shown(value)}: unknown unit "{unit}"; expected {words}, such as {example}'
                       ) from None
    if kind == "time" and parsed.is_equivalent(u.s):
        return float(parsed.to(u.s)) / PC_PER_C_S
    try:
        return float(parsed.to(u.Unit(target)))
    except u.UnitConversionError:
        raise JobError(f"{shown(value)} is not {words}; expected a unit as in {example}") from None
