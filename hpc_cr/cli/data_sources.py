"""Tables of `hpc-cr data sources`: nearby sources and directions around the Sun."""

import numpy as np

from hpc_cr.sources import catalogue


def list_all(stream):
    """Sources and directions, a line each.

    Parameters
    ----------
    stream : file
    """
    from hpc_cr.cli.table import print_table

    header = [("source", ""), ("kind", ""), ("l", "deg"), ("b", "deg"), ("distance", "pc"),
              ("age", "yr"), ("reference", "")]  # fmt: skip
    rows = [[s.name, s.kind, _number(s.l_deg), _number(s.b_deg), _distance(s), _number(s.age_yr),
             s.reference] for s in catalogue.sources()]  # fmt: skip
    left = ("source", "kind", "reference", "direction")
    print_table(header, rows, stream, dispensable=("reference", "kind"), left=left)
    print("local_source.name takes any of them; hpc-cr data sources NAME shows one.\n", file=stream)
    header = [("direction", ""), ("l", "deg"), ("b", "deg"), ("axis", ""), ("reference", "")]
    rows = [[d.name, _number(d.l_deg), _number(d.b_deg), "yes" if d.axis else "no", d.reference]
            for d in catalogue.directions()]  # fmt: skip
    print_table(header, rows, stream, dispensable=("reference",), left=left)
    print("Of an axis the opposite direction is as good.", file=stream)


def show(name, stream):
    """One source or direction with its errors, its place in the sky and remarks.

    Parameters
    ----------
    name : str
    stream : file

    Raises
    ------
    ValueError
        Neither table has it; one line.
    """
    from hpc_cr.cli.table import plain

    try:
        found = catalogue.find_direction(name)
    except ValueError:
        found = catalogue.find(name)
    lines = [found.name, *_place(found)]
    if isinstance(found, catalogue.Source):
        lines += [f"{found.kind}, distance {_distance(found)} pc, age {found.age_yr:g} yr"]
    lines += [found.reference, *([found.note] if found.note else [])]
    print(plain("\n  ".join(lines), stream), file=stream)


def _place(found):
    """Galactic and equatorial coordinates, in a line; none if they are not known."""
    from hpc_cr.coordinates import rotation_to
    from hpc_cr.frames import lon_lat, unit_vector

    if not np.isfinite(found.l_deg):
        return ["direction not known"]
    ra, dec = lon_lat(rotation_to("equatorial") @ unit_vector(found.l_deg, found.b_deg))
    return [f"l, b = {found.l_deg:g}, {found.b_deg:g} deg; right ascension {ra / 15:.2f} h, "
            f"declination {dec:.1f} deg"]


def _number(value):
    return f"{value:g}" if np.isfinite(value) else "-"


def _distance(source):
    """With its errors where there are any."""
    low, high = source.distance_low_pc, source.distance_high_pc
    if not np.isfinite(high):
        return f"{source.distance_pc:g}"
    errors = f"+- {high:g}" if low == high else f"+{high:g} -{low:g}"
    return f"{source.distance_pc:g} {errors}"
