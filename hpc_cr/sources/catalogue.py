"""Nearby remnants and pulsars, and directions around the Sun, from tables with references.

The tables are nearby_sources.csv and directions.csv in `hpc_cr.measurements`, a row with its
reference each. Any source with a known direction can be the local source of a galaxy job, by name.
"""

import csv
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from hpc_cr.frames import unit_vector


class Source(NamedTuple):
    """A row of nearby_sources.csv; NaN where the table is empty.

    Attributes
    ----------
    name, kind : str
        kind: remnant, pulsar or fitted.
    l_deg, b_deg : float
        Galactic.
    distance_pc, distance_low_pc, distance_high_pc : float
        With its errors downwards and upwards.
    age_yr : float
    reference, note : str
    """

    name: str
    kind: str
    l_deg: float
    b_deg: float
    distance_pc: float
    distance_low_pc: float
    distance_high_pc: float
    age_yr: float
    reference: str
    note: str

    @property
    def position(self):
        """From the Sun, (3,) pc, Galactic Cartesian; NaN if its direction is not known."""
        return self.distance_pc * unit_vector(self.l_deg, self.b_deg)


class Direction(NamedTuple):
    """A row of directions.csv; NaN where the table is empty.

    Attributes
    ----------
    name : str
    l_deg, b_deg : float
        Galactic.
    longitude_error_deg, latitude_error_deg : float
        In the coordinates that the note names.
    axis : float
        1 where the opposite direction is as good.
    reference, note : str
    """

    name: str
    l_deg: float
    b_deg: float
    longitude_error_deg: float
    latitude_error_deg: float
    axis: float
    reference: str
    note: str

    @property
    def vector(self):
        """Unit vector (3,), Galactic Cartesian."""
        return unit_vector(self.l_deg, self.b_deg)


_TEXTS = ("name", "kind", "reference", "note")


@lru_cache(maxsize=2)
def _table(file, kind):
    """Rows of a table as a dict by name in lower case."""
    text = resources.files("hpc_cr.measurements").joinpath(file).read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    found = (kind(*(row[c] if c in _TEXTS else float(row[c] or "nan") for c in kind._fields))
             for row in rows)
    return {row.name.casefold(): row for row in found}


def sources():
    """All sources, tuple of `Source`, in the order of the table."""
    return tuple(_table("nearby_sources.csv", Source).values())


def directions():
    """All directions, tuple of `Direction`, in the order of the table."""
    return tuple(_table("directions.csv", Direction).values())


def find(name):
    """A source by its name, in any case.

    Raises
    ------
    ValueError
        There is none; one line with the nearest name.
    """
    return _look_up(name, _table("nearby_sources.csv", Source), "nearby source")


def find_direction(name):
    """A direction by its name, in any case.

    Raises
    ------
    ValueError
        There is none; one line with the nearest name.
    """
    return _look_up(name, _table("directions.csv", Direction), "direction")


def _look_up(name, table, what):
    from hpc_cr.config.errors import nearest

    word = str(name).strip().casefold()
    if word in table:
        return table[word]
    # a part of a name that fits just one row, or the row most alike
    within = [key for key in table if word and word in key]
    guess = within[0] if len(within) == 1 else nearest(word, table)
    if guess:
        hint = f"did you mean {table[guess].name}?"
    else:
        hint = f"there are {', '.join(table[key].name for key in within or table)}"
    raise ValueError(f"no {what} {name!r}; {hint}")
