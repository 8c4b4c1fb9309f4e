"""The page hpc_cr/docs/job-file.md, made from the schema so that the two cannot drift apart.

After a change of the schema: python -m hpc_cr.config.reference
"""

from pathlib import Path

from hpc_cr.config.errors import shown
from hpc_cr.config.job import Job
from hpc_cr.config.units import format_quantity

PAGE = Path(__file__).resolve().parent.parent / "docs" / "job-file.md"

_HEAD = """\
# The job file

A job is a TOML file: tables (sections) of keys. A key that is left out has the default given below;
the few keys that another choice makes necessary say so. An unknown key is an error that names the
nearest known one.

- **Quantities are text with a unit**: `"100 pc"`, `"4 uG"`, `"10 TV"`, `"2 Myr"`, `"0.00345 / pc"`.
  Any unit that astropy knows will do. A bare number for a quantity is an error, and so is one
  below 1e-30 or above 1e30 pc, uG or PV. A time stands for the length c t, so that `times` and
  `limit` take both.
- **Angles are bare numbers in degrees**, directions are Galactic `[l, b]`: l = 0 is the Galactic
  centre, b = 90 the north Galactic pole.
- **A list with one item** may be written without its brackets.
- The gyroradius is r_g = 1.081 pc (R/PV)/(B/uG) with B = sqrt(B0^2 + B_rms^2).

`hpc-cr jobs` lists job files to start from, `hpc-cr plan JOB.toml` checks one and prints every
value with the scales that follow from it.
"""

_TAIL = """
## [[case]]

Several settings in one file, with the same random numbers; the result file has a group for each.

| key | value | meaning |
| --- | --- | --- |
| `name` | letters, digits, `-` and `_`; different for each case | name of the group |
| `set` | table of dotted keys, as `{ "regular.strength" = "3.795 uG" }` | what the case changes |

A case may set any key except `run.kind` and `run.seed`. What it sets replaces what it contradicts:
`particles.count` replaces `particles.nside`, `turbulence.slope` the `spectrum`,
`gradient.magnitude` the `scale_length`, and the other way round; `boundary.kind` and
`regular.model = "none"` remove the keys that only the other choice has, the latter `[field_lines]`
too; `boundary.times` with units removes `times_in`; `grids.levels` removes `boxes` and `bands`.

## Changes on the command line

`--set section.key=value` changes a key of all cases, with the same rules, and may be repeated; a
case with `regular.model = "none"` still has no field lines then. The value is TOML; what is not
valid TOML counts as text, so that `--set turbulence.rms="1 uG"` needs no further quotes:

    hpc-cr run quickstart.toml --set run.realisations=4 --set 'particles.rigidities=["100 TV"]'
"""

# key -> kind of quantity of its default
_UNITS = {"turbulence.rms": "field", "turbulence.outer_scale": "length",
          "regular.strength": "field", "particles.rigidities": "rigidity"}


def _default(key, field):
    words = field.json_schema_extra["default"]
    if words is not None:
        return words
    value = field.default
    if key in _UNITS:
        values = value if isinstance(value, tuple) else (value,)
        text = [format_quantity(v, _UNITS[key]).replace(".0 ", " ") for v in values]
        return shown(text if isinstance(value, tuple) else text[0])
    return shown(int(value) if isinstance(value, float) and value.is_integer() else value)


def reference_page():
    """The page as Markdown text."""
    parts = [_HEAD]
    for section, table in Job.model_fields.items():
        parts.append(f"\n## [{section}]\n\n{table.annotation.__doc__}\n\n"
                     "| key | value | default | meaning |\n| --- | --- | --- | --- |\n")
        for name, field in table.annotation.model_fields.items():
            extra = field.json_schema_extra
            name = field.alias or name
            cells = (f"`{name}`", extra["form"], _default(f"{section}.{name}", field),
                     field.description)
            parts.append(f"| {' | '.join(cells)} |\n")
    return "".join(parts) + _TAIL


if __name__ == "__main__":
    PAGE.write_text(reference_page(), encoding="utf-8")
