"""Changes to a job file's keys: `--set key.sub=value`, and the `set` table of a [[case]].

A change replaces what it contradicts: setting particles.count removes particles.nside, and so on
for the pairs below, unless both are set together. So a case without a regular field has no field
lines, whatever the other cases have.
"""

import copy
import tomllib

from hpc_cr.config.errors import JobError, shown
from hpc_cr.config.resolve_galaxy import OF_MODEL

_FROM = ("gradient.from", "gradient.case", "gradient.vectors")
_REPLACES = {
    "turbulence.spectrum": ("turbulence.slope",),
    "turbulence.slope": ("turbulence.spectrum",),
    "particles.nside": ("particles.count",),
    "particles.count": ("particles.nside", "particles.patch"),
    "gradient.magnitude": ("gradient.scale_length", *_FROM),
    "gradient.scale_length": ("gradient.magnitude", *_FROM),
    "gradient.direction": _FROM,
    "gradient.from": ("gradient.direction", "gradient.magnitude", "gradient.scale_length",
                      "gradient.case", "gradient.vectors"),
    "gradient.case": ("gradient.vectors",),
    "particles.rigidities": ("gradient.vectors",),
    "local_source.name": ("local_source.distance", "local_source.age", "local_source.direction"),
    "energies.rigidity": ("energies.per_nucleon",),
    "energies.per_nucleon": ("energies.rigidity",),
    "grids.levels": ("grids.boxes", "grids.bands"),
    "grids.boxes": ("grids.levels",),
}
_DIFFUSION = {model: tuple(f"diffusion.{name}" for name, (models, _) in OF_MODEL.items()
                           if model not in models)
              for model in ("uniform", "exponential", "source-dependent", "source-power")}
_FOLLOWS_FIELD = ("field_lines.count", "field_lines.length")
_REPLACES_BY_VALUE = {
    ("regular.model", "none"): ("regular.strength", "regular.direction", *_FOLLOWS_FIELD),
    **{("diffusion.model", model): names for model, names in _DIFFUSION.items()},
    ("field_lines.count", 0): ("field_lines.length",),
    ("boundary.kind", "sphere"): ("boundary.times", "boundary.times_in"),
    ("boundary.kind", "time"): ("boundary.radii", "boundary.limit"),
}


def parse_override(text):
    """Key and value of "key.sub=value"; the value is TOML, or else a string.

    Returns
    -------
    (str, object)

    Raises
    ------
    JobError
        If there is no dotted key or no value.
    """
    key, sign, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not sign or not value or "." not in key:
        raise JobError(f"{shown(text)}: expected KEY.SUB=VALUE, such as run.realisations=4")
    try:
        document = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value
    return key, document["value"] if set(document) == {"value"} else value


def flatten(table, prefix=""):
    """Dotted keys of nested tables: {"regular": {"strength": x}} -> {"regular.strength": x}.

    What is a table below section.key, such as particles.patch, is a value.
    """
    flat = {}
    for key, value in table.items():
        if isinstance(value, dict) and "." not in prefix + key:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def for_case(edits, changes):
    """Changes on the command line that concern a case: none of field lines where its `set` has no
    regular field for them to follow.

    Parameters
    ----------
    edits, changes : dict
        Dotted key -> TOML value, of the command line and of the case.

    Returns
    -------
    dict
    """
    if changes.get("regular.model") != "none" or "regular.model" in edits:
        return edits
    return {key: value for key, value in edits.items() if key not in _FOLLOWS_FIELD}


def changed(document, changes):
    """A copy of the document with keys replaced.

    Parameters
    ----------
    document : dict
        Sections as tables.
    changes : dict
        Dotted key -> TOML value.

    Returns
    -------
    dict

    Raises
    ------
    JobError
        If a key is not of the form section.key.
    """
    document = copy.deepcopy(document)
    for key, value in changes.items():
        gone = _REPLACES.get(key, ())
        if isinstance(value, str | int):
            gone += _REPLACES_BY_VALUE.get((key, value), ())
        if key == "boundary.times" and not _bare(value):
            gone += ("boundary.times_in",)
        for other in gone:
            section, _, name = other.partition(".")
            if other not in changes and isinstance(document.get(section), dict):
                document[section].pop(name, None)
    for key, value in changes.items():
        section, _, name = key.partition(".")
        if not name:
            raise JobError("expected a key of the form section.key", key)
        table = document.setdefault(section, {})
        if not isinstance(table, dict):
            raise JobError(f"{shown(table)} is not a table; write [{section}]", section)
        table[name] = value
    return document


def _bare(times):
    items = times if isinstance(times, list) else [times]
    return all(isinstance(item, int | float) for item in items)
