"""The sections of the job file: every key with its type, unit, bounds and default.

Values are floats in the internal units pc, uG and PV once a section is read. What depends on
several keys is checked and filled in by `hpc_cr.config.resolve`.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_serializer,
    field_validator,
)

from hpc_cr.config.errors import JobError, shown
from hpc_cr.config.fields import (
    Direction,
    SkyPatch,
    as_list,
    increasing,
    key,
    number,
    one_or_more,
    quantity,
    whole,
)
from hpc_cr.config.section import Section, each_once
from hpc_cr.config.units import check_range, format_quantity, parse_quantity

SLOPES = {"kolmogorov": 5.0 / 3.0, "kraichnan": 1.5}
PARTICLE_KINDS = ("anisotropy", "diffusion", "source", "escape")
"""Kinds of job that follow particles through fields."""
SECTIONS_OF = {
    **dict.fromkeys(("turbulence", "grids", "regular", "particles", "integrator", "boundary"),
                    PARTICLE_KINDS),
    "gradient": ("anisotropy",), "output": ("anisotropy",), "field_lines": ("diffusion",),
    "source": ("source",), "escape": ("escape",), "gas": ("escape", "galaxy"),
    **dict.fromkeys(("halo", "diffusion", "sources", "nuclei", "energies", "injection",
                     "local_source", "local_field"), ("galaxy",)),
}  # fmt: skip
"""Sections that only some kinds of job have."""
MOST_ROWS = 1_000_000
MOST_NSIDE = 4096
MOST_WHOLE_NSIDE = 1024
"""The same for the whole sky."""
MOST_SCATTERED_L = 64
"""Highest multipole for random directions, whose harmonics are held in memory."""


class Run(Section):
    """What is computed, how often, with which random numbers."""

    kind: Literal["anisotropy", "diffusion", "source", "escape", "galaxy"] = key(
        "anisotropy", "anisotropy: skies by backtracking; diffusion: running diffusion tensors of "
        "particles from random places; source: the cloud of particles around a burst; escape: how "
        "long particles of the disc stay in the Galaxy, and how much gas they cross; galaxy: the "
        "transport equation of the whole Galaxy, the density of nuclei and its gradient at the Sun",
        '"anisotropy", "diffusion", "source", "escape" or "galaxy"')
    seed: whole(0, 2**63 - 1) = key(1, "seed of all random numbers", "whole number >= 0")
    realisations: whole(1, MOST_ROWS) = key(
        10, "random fields; 1 for galaxy, which has none", f"whole number 1 to {MOST_ROWS}",
        "10; 1 for galaxy")
    first_realisation: whole(0, 2**31) = key(
        0, "number of the first one; a realisation's numbers depend on its number only, so that"
        " blocks of a job can be computed apart (`hpc-cr run --block`) and joined (`hpc-cr merge`)",
        f"whole number 0 to {2**31}")


class Turbulence(Section):
    """The turbulent field: Gaussian, isotropic, with a power-law spectrum."""

    spectrum: Literal["kolmogorov", "kraichnan"] | None = key(
        None, "named slope: 5/3 or 3/2", '"kolmogorov" or "kraichnan"; not together with slope',
        '"kolmogorov"')
    slope: number(above=0, most=6) | None = key(
        None, "q of the one-dimensional spectrum E(k) ~ k^-q", "number > 0, <= 6",
        "that of spectrum")
    rms: quantity("field", zero=True) = key(
        4.0, "B_rms, root of the sum of the three components' variances", "field strength >= 0")
    outer_scale: quantity("length") = key(
        100.0, "L_max, longest wavelength", "length > 0",
        '"100 pc"; with grids.bands their longest wavelength')
    inner_scale: quantity("length") | None = key(
        None, "L_min, shortest wavelength", "length > 0, below outer_scale",
        "smallest gyroradius / 5, at most outer_scale / 10; with grids.bands their shortest "
        "wavelength")
    synthesis: Literal["grids", "plane-waves"] = key(
        "grids", "nested grids, or a sum of plane waves without any grid (slow)",
        '"grids" or "plane-waves"')
    waves: whole(1, 1_000_000) = key(
        1000, "number of plane waves", "whole number 1 to 1000000")
    profile: Literal["uniform", "jf12-halo"] = key(
        "uniform", "strength over the Galaxy; jf12-halo: rms at the Sun, times "
        "exp[-(r - 8.5 kpc)/radial_scale - z^2/(2 vertical_scale^2)] with the Galactocentric "
        "radius r and the height z", '"uniform" or "jf12-halo"')
    radial_scale: quantity("length") | None = key(
        None, "for profile = \"jf12-halo\"", "length > 0", '"10.97 kpc" with that profile')
    vertical_scale: quantity("length") | None = key(
        None, "for profile = \"jf12-halo\"", "length > 0", '"2.84 kpc" with that profile')


def _levels(value):
    if value == "auto":
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise JobError(f'{shown(value)} is neither "auto" nor a whole number')
    if not 1 <= value <= 16:
        raise JobError(f"{shown(value)} must be between 1 and 16")
    return value


def _even(value):
    if value % 2:
        raise JobError(f"{value} is odd; the number of cells must be even")
    return value


def _pair(value):
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise JobError(f"{shown(value)} is not a band; expected [longest, shortest] wavelength, "
                       'such as ["100 pc", "10 pc"]')
    return tuple(value)


Band = Annotated[tuple[quantity("length"), quantity("length")], BeforeValidator(_pair)]


class Grids(Section):
    """The nested grids that carry the turbulent field."""

    levels: Annotated[Any, BeforeValidator(_levels)] = key(
        "auto", "number of nested cubes; auto takes the fewest that leave cells_per_wavelength",
        '"auto" or whole number 1 to 16')
    cells: Annotated[whole(8, 4096), AfterValidator(_even)] = key(
        128, "cells per side of each cube", "even whole number >= 8, <= 4096")
    periods: number(least=1) = key(
        4.0, "box size in longest wavelengths of its level", "number >= 1")
    cells_per_wavelength: number(least=2) = key(
        4.0, "cells for the shortest wavelength of a level, at least, with levels = \"auto\"",
        "number >= 2")
    rotate: bool = key(True, "give each level a random rotation", "true or false")
    interpolation: Literal["trilinear", "catmull-rom", "b-spline"] = key(
        "trilinear", "interpolation between nodes: linear, or cubic over 64 nodes, Catmull-Rom "
        "through them or B-spline near them; see accuracy.md",
        '"trilinear", "catmull-rom" or "b-spline"')
    layout: Literal["cells", "nodes"] | None = key(
        None, "cells: the eight corners of a cell lie together, one access to memory per step "
        "of a particle, 64 bytes per cell in half precision; nodes: each node once, slower steps, "
        "8 bytes per cell; the same field, bit for bit",
        '"cells" or "nodes"; cubic interpolation has "nodes" alone',
        '"cells"; "nodes" with cubic interpolation')
    precision: Literal["half", "single", "double"] | None = key(
        None, "type of the grids' numbers: half changes the field by 1.2e-4 of its r.m.s., far "
        "below what interpolation leaves out; single (1e-7) takes twice the memory, double (1e-16) "
        "four times; computed in single, for double in double", '"half", "single" or "double"',
        '"half"; "single" with turbulence.rms below 0.001 uG or above 5000 uG')
    compensate: bool = key(
        True, "divide the amplitude that interpolation takes out at synthesis, of waves of 4 and "
        "more cells (catmull-rom 3, b-spline 2.5); without it nodes hold the field itself, which "
        "b-spline smooths", "true or false")
    boxes: one_or_more(quantity("length")) | None = key(
        None, "explicit box sizes instead of levels, periods, cells_per_wavelength",
        "list of lengths, together with bands", "by levels")
    bands: one_or_more(Band) | None = key(
        None, "explicit bands [longest, shortest] wavelength, descending, one per box",
        "list of pairs of lengths, together with boxes", "by levels")

    @field_validator("bands", mode="before")
    @classmethod
    def _list_of_bands(cls, value):
        # a single band written without its outer list would be read as two broken ones
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return [value]
        return value


class Regular(Section):
    """The regular field."""

    model: Literal["none", "uniform", "jf12"] = key(
        "none", "regular field: none, the same everywhere, or that of the Galaxy (Jansson & Farrar "
        "2012), the observer 8.5 kpc from its centre", '"none", "uniform" or "jf12"')
    strength: quantity("field", zero=True) = key(
        0.0, "B0 of the uniform field", "field strength > 0", 'none; needed with model = "uniform"')
    direction: Direction | None = key(
        None, "where the uniform field points to", "[l, b] in degrees, Galactic",
        'none; needed with model = "uniform"')
    components: Annotated[one_or_more(Literal["disk", "halo", "x-field"]),
                          AfterValidator(each_once)] | None = key(
        None, "parts of the Galaxy's field: spiral disk, toroidal halo, X field",
        'list of "disk", "halo", "x-field"', 'all three with model = "jf12"')


def _unlike(values):
    for i, value in enumerate(values):
        if value in values[:i]:
            raise JobError(f"{format_quantity(value, 'rigidity')} is given twice")
    return values


def _power_of_two(value):
    if value & (value - 1):
        lower = 1 << (value.bit_length() - 1)
        raise JobError(f"{value} is not a power of two; the nearest are {lower} and {2 * lower}")
    return value


class Particles(Section):
    """The backtracked particles and where they start."""

    rigidities: Annotated[one_or_more(quantity("rigidity")), AfterValidator(_unlike)] = key(
        (1.0,), "rigidities R = p c/(Z e)", "list of rigidities in volts > 0, all different")
    nside: Annotated[whole(1, MOST_NSIDE), AfterValidator(_power_of_two)] | None = key(
        None, "HEALPix resolution: one particle per pixel centre, 12 nside^2 in all",
        f"power of two, 1 to {MOST_NSIDE}, without patch to {MOST_WHOLE_NSIDE}; not together with "
        "count, and for anisotropy only", "16")
    count: whole(12, 12 * MOST_WHOLE_NSIDE**2) | None = key(
        None, "number of random isotropic directions instead of HEALPix pixels; of particles per "
        "realisation for diffusion and escape (each from a random place of its own) and source",
        f"whole number 12 to {12 * MOST_WHOLE_NSIDE**2}; not together with nside",
        "none; 2000 for diffusion, 10000 for source, 500 for escape")
    patch: SkyPatch | None = key(
        None, "start only at the pixels whose l and b are within half a width of a point: many "
        "particles for a small part of the sky; a part has no dipole and no multipoles, so that "
        "response and a_lm are NaN and the maps are the result",
        "table `{ l = 165, b = 15, width = 40 }` in degrees; with nside and output.displacement",
        "the whole sky")
    observers: whole(1, MOST_ROWS) = key(
        1, "positions per realisation, the first at the origin: of observers, or of sources",
        f"whole number >= 1; realisations times observers <= {MOST_ROWS}; 1 for diffusion")


class Integrator(Section):
    """How trajectories are followed."""

    method: Literal["boris", "cash-karp"] = key(
        "boris", "Boris with the exact rotation angle, or adaptive Cash-Karp 4(5)",
        '"boris" or "cash-karp"')
    steps_per_gyroradius: number(above=0) = key(
        5.0, "boris: step = min(r_g / this, L), r_g in sqrt(B0^2 + B_rms^2), L = L_min or, if "
        "longer, half the wavelength that negligible_scattering gives; with jf12 or a profile at "
        "most half of r_g in the strongest field", "number > 0")
    tolerance: number(above=0, most=1) = key(
        1e-4, "cash-karp: error per step, of the direction and of the position over r_g",
        "number > 0, <= 1")
    negligible_scattering: number(least=0, most=0.5) = key(
        0.005, "share of the scattering (estimated by small-angle theory) by waves so short that "
        "steps need not resolve them, and that grids without longer ones are left out of a "
        "rigidity's field; 0 follows every wave", "number >= 0, <= 0.5")


class Boundary(Section):
    """Where trajectories are stopped and the response is recorded."""

    kind: Literal["time", "sphere", "halo"] = key(
        "time", "stop after times, on first crossing of spheres around the observer, or where "
        "particles leave the Galaxy's halo, a cylinder around its centre (escape)",
        '"time", "sphere" or "halo"', '"time"; "halo" for escape')
    times_in: Literal["L_c", "r_g", "lambda", "relaxation"] | None = key(
        None, "unit of bare times, by rigidity: coherence length (two-sided), gyroradius, "
        "estimated mean free path (the larger of the isotropic and, in a uniform field above "
        "B_rms, the quasi-linear one), the longer of that and L_c",
        '"L_c", "r_g", "lambda" or "relaxation"',
        '"lambda" without times ("relaxation" for diffusion and source), else none')
    times: tuple[float, ...] | None = key(
        None, "how far back, as times or as lengths c t, for kind = \"time\"",
        "increasing list of lengths or times > 0; bare numbers with times_in",
        '[1, 3] with times_in = "lambda"; [0.1, 0.3, 1, 2, 3, 5, 7, 10, 15, 20] for diffusion and '
        '[3, 10, 30] for source with "relaxation"')
    radii: Annotated[one_or_more(quantity("length")), AfterValidator(increasing)] | None = key(
        None, "radii of the spheres, for kind = \"sphere\"", "increasing list of lengths > 0",
        'none; needed with kind = "sphere"')
    limit: quantity("time") | None = key(
        None, "longest path, for kind = \"sphere\" and \"halo\": beyond it a particle counts as "
        "unfinished", "length or time > the largest radius, or half_height",
        "1000 times the largest radius, 2000 times half_height")
    half_height: quantity("length") | None = key(
        None, "height above and below the plane at which particles leave, for kind = \"halo\"",
        "length > 0", '"5 kpc" with kind = "halo"')
    radius: quantity("length") | None = key(
        None, "Galactocentric radius at which particles leave, for kind = \"halo\"",
        "length > 8.5 kpc", '"20 kpc" with kind = "halo"')

    @field_validator("times", mode="before")
    @classmethod
    def _read_times(cls, value, info: ValidationInfo):
        items, unit = as_list(value), info.data.get("times_in")
        times = []
        for item in items:
            bare = isinstance(item, int | float) and not isinstance(item, bool)
            if unit and not bare:
                raise JobError(f'{shown(item)}: with times_in = "{unit}" times are bare numbers')
            time = item if unit else parse_quantity(item, "time")
            if time <= 0:
                raise JobError(f"{shown(item)} must be positive")
            check_range(time, item, "" if unit else "time")
            times.append(float(time))
        return tuple(increasing(times))

    @field_serializer("times")
    def _write_times(self, times):
        if times is None or self.times_in:
            return times
        return [format_quantity(time, "time") for time in times]


def _vector(value):
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise JobError(f"{shown(value)} is not a list of three numbers")
    return tuple(float(x) for x in value)


Vector = Annotated[tuple[float, float, float], BeforeValidator(_vector)]


class Gradient(Section):
    """Gradient g = grad(n)/n of the cosmic-ray density at the observer."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    from_: str | None = Field(
        default=None, alias="from", description="result file of kind \"galaxy\" that the gradient "
        "at the Sun comes from, one vector per rigidity",
        json_schema_extra={"form": "path of a file, as seen from the current folder, or from that "
                           "of the job file; not together with direction, magnitude, scale_length",
                           "default": None})
    case: str | None = key(None, "its case", "name of a case; with from", "the first one")
    vectors: one_or_more(Vector) | None = key(
        None, "what was read from it, in the job that a result file holds: gradient by rigidity, "
        "1/pc, Galactic Cartesian (x to the Galactic centre, y to l = 90)",
        "list of [x, y, z] in 1/pc; leave it out", "read from the file")
    direction: Direction | None = key(
        None, "where the density increases to", "[l, b] in degrees, Galactic", "[90, 0]")
    magnitude: one_or_more(quantity("inverse length", zero=True)) | None = key(
        None, "size of grad(n)/n",
        "inverse length >= 0, one or one per rigidity; needs direction, not "
        "together with scale_length", "1 / scale_length")
    scale_length: one_or_more(quantity("length")) | None = key(
        None, "its inverse, n over the size of grad(n)",
        "length > 0, one or one per rigidity; needs direction", '"12 kpc"')


class Parallel(Section):
    """How ranks share the work; no influence on the numbers."""

    team_size: whole(1, 4096) = key(
        1, "ranks of a node that share one field and split its particles",
        "whole number 1 to 4096")
    deadline: quantity("duration") = key(
        600.0, "a rank that gives no sign of life for so long ends the job (wall-clock time);"
        " imports and compilation count as silence, so that less than a few minutes may end a"
        " first run on a slow file system",
        "duration of at least 1 s")

    @field_validator("deadline")
    @classmethod
    def _not_at_once(cls, value):
        if value < 1.0:
            raise JobError(f'"{value:g} s" is too short; expected at least "1 s"')
        return value


class Output(Section):
    """What the result file holds besides response, dipoles and multipoles."""

    displacement: bool = key(False, "store the displacement maps X_j(n)", "true or false")
    final_direction: bool = key(False, "store the maps of the direction U at the stop",
                                "true or false")
    crossing_time: bool = key(False, "store the maps of the path length at the stop",
                              "true or false")
    l_max: whole(1, 3 * MOST_WHOLE_NSIDE - 1) | None = key(
        None, "highest multipole",
        f"whole number >= 1, at most 3 nside - 1, with count at most {MOST_SCATTERED_L}",
        "2 nside, at most 32; 8 with count")


class FieldLines(Section):
    """Field lines from the particles' starts, for kind = "diffusion" beside a uniform field."""

    count: whole(0, 1_000_000) = key(
        0, "field lines per realisation, in the waves that each rigidity's trajectories see",
        "whole number >= 0")
    length: quantity("length") | None = key(
        None, "how far along the uniform field they are followed", "length > 0", "20 L_c")


class Source(Section):
    """A burst of particles beside a uniform field, for kind = "source".

    The cloud is counted in cells around the source's own field line: by the distance along the
    uniform field, on either side, and by the distance from the field line across it.
    """

    along: Annotated[one_or_more(quantity("length", zero=True)),
                     AfterValidator(increasing)] | None = key(
        None, "edges of the cells along the uniform field",
        "increasing list of lengths >= 0", "0, 1, 2, 3, 4, 6, 8, 12, 16 L_max")
    perpendicular: Annotated[one_or_more(quantity("length", zero=True)),
                             AfterValidator(increasing)] | None = key(
        None, "edges of the cells by distance from the source's field line",
        "increasing list of lengths >= 0", "0, 0.125, 0.25, 0.5, 1, 1.5, 2, 3, 4 L_max")


class Escape(Section):
    """Where particles start that are to leave the Galaxy, for kind = "escape"."""

    sources: Literal["sun", "uniform", "green2015", "case1998"] = key(
        "green2015", "sun: all at the observer; uniform: the same number per area of the disc; "
        "green2015, case1998: per area (r/8.5 kpc)^a exp[-b (r - 8.5 kpc)/8.5 kpc] of supernova "
        "remnants with a = 1.09, b = 3.87 (Green 2015) or a = 2.00, b = 3.53 (Case & Bhattacharya "
        "1998), within boundary.radius", '"sun", "uniform", "green2015" or "case1998"')
    half_height: quantity("length", zero=True) = key(
        100.0, "starts lie evenly within this height above and below the plane, but for "
        "sources = \"sun\"", "length >= 0, below boundary.half_height", '"100 pc"')


class Gas(Section):
    """The gas that particles cross, for kinds "escape" and "galaxy"."""

    density: quantity("density") = key(
        1.0, "in the plane: mass over that of a proton", "number per volume > 0",
        '"1 / cm3"')
    half_height: quantity("length") = key(
        150.0, "half height of the slab, or scale height", "length > 0", '"150 pc"')
    profile: Literal["slab", "exponential", "galaxy"] = key(
        "slab", "constant within the half height, or exp(-z/half_height), the same at all radii; "
        "galaxy: atomic, molecular and ionised hydrogen of the Galaxy as observed (for kind "
        '"galaxy" alone)', '"slab", "exponential" or "galaxy"', '"slab"; "galaxy" for galaxy')
    helium: number(least=0, most=1) | None = key(
        None, "helium nuclei per hydrogen nucleus, for kind \"galaxy\", whose density is then that "
        "of hydrogen nuclei", "number 0 to 1", "0.11 for galaxy")
