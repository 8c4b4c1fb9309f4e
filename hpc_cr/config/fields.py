"""Types of the job file's values: quantities with units, numbers, words, lists.

Each type turns TOML input into an internal value, or raises a ValueError that says what is allowed,
and turns the internal value back into TOML.
"""

from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field, PlainSerializer

from hpc_cr.config.errors import JobError, shown
from hpc_cr.config.units import check_range, format_quantity, parse_quantity


def key(default, text, form, shown_default=None):
    """A key of the job file.

    Parameters
    ----------
    default
        Internal value if the key is left out; None where it is derived from other keys.
    text : str
        What the key sets.
    form : str
        Type, unit and allowed values, for the reference page.
    shown_default : str, optional
        The default in words, where it is derived.
    """
    return Field(default=default, description=text,
                 json_schema_extra={"form": form, "default": shown_default})


def quantity(kind, zero=False):
    """Type of a quantity: text with a unit, positive (or also zero), a float inside."""

    def read(value):
        number = parse_quantity(value, kind)
        if number < 0 or (number == 0 and not zero):
            raise JobError(f"{shown(value)} must {'not be negative' if zero else 'be positive'}")
        if number > 0:
            check_range(number, value, kind)
        return number

    return Annotated[
        float,
        BeforeValidator(read),
        PlainSerializer(lambda number: format_quantity(number, kind), return_type=str),
    ]


def number(least=None, most=None, above=None):
    """Type of a bare real number between bounds."""

    def read(value):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise JobError(f"{shown(value)} is not a number")
        if not -1e300 < value < 1e300:
            raise JobError(f"{shown(value)} is not a finite number")
        _check_bounds(value, least, most, above)
        return float(value)

    return Annotated[float, BeforeValidator(read)]


def whole(least, most=None):
    """Type of a whole number between bounds."""

    def read(value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise JobError(f"{shown(value)} is not a whole number")
        _check_bounds(value, least, most, None)
        return value

    return Annotated[int, BeforeValidator(read)]


def _check_bounds(value, least, most, above):
    if above is not None and value <= above:
        raise JobError(f"{shown(value)} must be above {above}")
    if least is not None and value < least:
        raise JobError(f"{shown(value)} must be at least {least}")
    if most is not None and value > most:
        raise JobError(f"{shown(value)} must be at most {most}")


def as_list(value):
    """The items of a list; a single value counts as a list of one."""
    items = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not items:
        raise JobError("the list is empty; give at least one value")
    return items


def one_or_more(item):
    """Type of a list of `item` that may also be written as a single value."""
    return Annotated[tuple[item, ...], BeforeValidator(as_list)]


def increasing(values):
    """Raise unless a list of numbers increases strictly; returns it."""
    for before, after in zip(values, values[1:], strict=False):
        if after <= before:
            raise JobError(f"{after:g} after {before:g}: values must increase")
    return values


def _direction(value):
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise JobError(f"{shown(value)} is not a direction; expected [l, b] in degrees, such as "
                       "[90, 0]")
    for angle in value:
        if isinstance(angle, bool) or not isinstance(angle, int | float):
            raise JobError(f"{shown(value)}: angles are bare numbers in degrees, such as [90, 0]")
    longitude, latitude = value
    if not -360 <= longitude <= 360:
        raise JobError(f"longitude {shown(longitude)} is not between -360 and 360 degrees")
    if not -90 <= latitude <= 90:
        raise JobError(f"latitude {shown(latitude)} is not between -90 and 90 degrees")
    return float(longitude), float(latitude)


Direction = Annotated[tuple[float, float], BeforeValidator(_direction)]
"""Galactic [l, b], degrees."""


class Patch(NamedTuple):
    """Part of the sky: |l - l0| and |b - b0| up to half a width, Galactic, degrees."""

    l: float  # noqa: E741 - the field's name for it
    b: float
    width: float


def _patch(value):
    if isinstance(value, Patch):
        return value
    example = "{ l = 165, b = 15, width = 40 }"
    if not isinstance(value, dict) or set(value) != set(Patch._fields):
        raise JobError(f"{shown(value)} is not a patch; expected {example}, in degrees")
    longitude, latitude = _direction([value["l"], value["b"]])
    width = value["width"]
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0 < width <= 180:
        raise JobError(f"width {shown(width)} is not a number of degrees above 0, at most 180")
    if abs(latitude) + width / 2 > 90:
        raise JobError(f"b = {latitude:g} and width {width:g} reach beyond a pole; lower one of "
                       "them")
    return Patch(longitude, latitude, float(width))


SkyPatch = Annotated[
    Patch, BeforeValidator(_patch), PlainSerializer(lambda patch: patch._asdict(), return_type=dict)
]
"""Table {l, b, width}: a part of the sky, degrees."""
