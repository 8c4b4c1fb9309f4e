"""From validated sections to a complete job: defaults from other keys, and contradictions.

Each function takes the job as read, and returns the keys of one section to replace.
"""

import numpy as np

from hpc_cr.config.errors import JobError, shown
from hpc_cr.config.levels import make_levels
from hpc_cr.config.resolve_galaxy import resolve_galaxy, warnings_galaxy
from hpc_cr.config.scales import MOST_STEPS, gyroradius, kept_power, power_integral
from hpc_cr.config.schema import (
    MOST_ROWS,
    MOST_SCATTERED_L,
    MOST_WHOLE_NSIDE,
    SECTIONS_OF,
    SLOPES,
)
from hpc_cr.config.units import LARGEST, SMALLEST
from hpc_cr.frames import patch_pixels
from hpc_cr.jf12 import PARTS as JF12_PARTS
from hpc_cr.jf12 import SUN_RADIUS

DEFAULT_DIRECTION = (90.0, 0.0)
DEFAULT_SCALE_LENGTH = (12e3,)
DEFAULT_TIMES = {
    "anisotropy": ("lambda", (1.0, 3.0)),
    "diffusion": ("relaxation", (0.1, 0.3, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0)),
    "source": ("relaxation", (3.0, 10.0, 30.0)),
}
DEFAULT_COUNT = {"diffusion": 2000, "source": 10_000, "escape": 500}
DEFAULT_HALO = {"half_height": 5e3, "radius": 20e3}
LIMIT_IN_HEIGHTS = 2000
"""Longest path of escaping particles, in half heights."""
DEFAULT_PROFILE = {"radial_scale": 10_970.0, "vertical_scale": 2840.0}
"""Of the random halo field of Jansson & Farrar (2012, ApJ 761, L11), pc."""
DEFAULT_ALONG = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
DEFAULT_PERPENDICULAR = (0.0, 0.125, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Edges of a source's cells, in L_max."""
HALF_RANGE = (1e-3, 5e3)
"""B_rms in uG that grids in half precision carry: numbers below 6e-5 lose digits, the largest is
65504, and the field may be ten times its r.m.s."""


def resolve(job):
    """The job with every default filled in.

    Parameters
    ----------
    job : Job
        As validated section by section.

    Returns
    -------
    Job

    Raises
    ------
    JobError
        Where keys contradict each other, with the key to change.
    """
    _check_sections(job)
    if job.run.kind == "galaxy":
        return resolve_galaxy(job)
    # the order matters: the inner scale needs the regular field and the rigidities
    for section, fill in _FILLS.items():
        changes = fill(job)
        if changes:
            part = getattr(job, section).model_copy(update=changes)
            job = job.model_copy(update={section: part})
    _check_stops(job)
    _check_steps(job)
    make_levels(job.turbulence, job.grids)
    return job


def _check_sections(job):
    """Raise JobError for a section that the kind of job does not have."""
    for section, kinds in SECTIONS_OF.items():
        if job.run.kind not in kinds and job.given(section):
            raise JobError(f'is for kind = {" or ".join(map(shown, kinds))}; leave it out with '
                           f"kind = {shown(job.run.kind)}", f"[{section}]")


def _fill_regular(job):
    regular = job.regular
    if regular.model == "jf12":
        for name in ("strength", "direction"):
            if name in job.given("regular") and getattr(regular, name):
                raise JobError('needs regular.model = "uniform"; "jf12" has its own everywhere',
                               f"regular.{name}")
        return {"components": regular.components or JF12_PARTS}
    if regular.components is not None:
        raise JobError('needs regular.model = "jf12"', "regular.components")
    if regular.model == "none":
        if regular.strength > 0:
            raise JobError('needs regular.model = "uniform"', "regular.strength")
        if regular.direction is not None:
            raise JobError('needs regular.model = "uniform"', "regular.direction")
    else:
        if not regular.strength > 0:
            raise JobError('must be given and positive with regular.model = "uniform", such as '
                           '"3 uG"', "regular.strength")
        if regular.direction is None:
            raise JobError('must be given with regular.model = "uniform", such as [0, 0]',
                           "regular.direction")


def _fill_particles(job):
    particles = job.particles
    if job.n_row > MOST_ROWS:
        raise JobError(f"{job.run.realisations} realisations of {particles.observers} observers "
                       f"are more than {MOST_ROWS} rows; lower one of them",
                       "particles.observers")
    if job.run.kind != "anisotropy":
        return _fill_scattered(job)
    if particles.count is not None:
        if particles.nside is not None:
            raise JobError("give nside or count, not both", "particles.count")
        if particles.patch is not None:
            raise JobError("needs particles.nside: random directions fill the whole sky",
                           "particles.patch")
        return None
    nside = particles.nside or 16
    if particles.patch is not None:
        if not job.output.displacement:
            raise JobError("needs output.displacement = true: maps are all that a part of the sky "
                           "gives", "particles.patch")
        if not len(patch_pixels(nside, *particles.patch)):
            raise JobError(f"holds no pixel of nside = {nside}; raise its width or "
                           "particles.nside", "particles.patch")
    elif nside > MOST_WHOLE_NSIDE:
        raise JobError(f"{nside} is more than {MOST_WHOLE_NSIDE}, the most for the whole sky",
                       "particles.nside")
    return {"nside": nside}


def _fill_scattered(job):
    """The particles of diffusion and source: random directions, no sky."""
    particles, kind = job.particles, shown(job.run.kind)
    for name in ("nside", "patch"):
        if getattr(particles, name) is not None:
            raise JobError(f"is for skies; with kind = {kind} give particles.count",
                           f"particles.{name}")
    if job.run.kind in ("diffusion", "escape") and particles.observers != 1:
        raise JobError(f"must be 1: with kind = {kind} every particle starts at a place of its own",
                       "particles.observers")
    return None if particles.count else {"count": DEFAULT_COUNT[job.run.kind]}


def _fill_grids(job):
    grids, changes = job.grids, {}
    for one, other in (("boxes", "bands"), ("bands", "boxes")):
        if getattr(grids, one) is not None and getattr(grids, other) is None:
            raise JobError(f"needs grids.{other} as well, one per entry", f"grids.{one}")
    if grids.boxes is not None and "levels" in job.given("grids"):
        raise JobError("give levels, or boxes and bands, not both", "grids.levels")
    cubic = grids.interpolation != "trilinear"
    if grids.layout is None:
        changes["layout"] = "nodes" if cubic else "cells"
    elif cubic and grids.layout == "cells":
        raise JobError(f'"cells" is for trilinear interpolation; {grids.interpolation} needs '
                       '"nodes"', "grids.layout")
    weakest, strongest = HALF_RANGE
    fits = job.turbulence.rms == 0 or weakest <= job.turbulence.rms <= strongest
    if grids.precision is None:
        changes["precision"] = "half" if fits else "single"
    elif grids.precision == "half" and not fits:
        raise JobError(f"half precision carries fields of {weakest:g} to {strongest:g} uG, not "
                       f"turbulence.rms = {job.turbulence.rms:g} uG; use \"single\"",
                       "grids.precision")
    return changes


def _fill_turbulence(job):
    turbulence, bands = job.turbulence, job.grids.bands
    if turbulence.spectrum and turbulence.slope is not None:
        raise JobError("give spectrum or slope, not both", "turbulence.slope")
    changes = {}
    if turbulence.slope is None:
        changes["spectrum"] = turbulence.spectrum or "kolmogorov"
        changes["slope"] = SLOPES[changes["spectrum"]]
    outer, inner = turbulence.outer_scale, turbulence.inner_scale
    if bands is not None and turbulence.synthesis == "grids":
        outer = _end_of_bands(job, "outer_scale", bands[0][0])
        inner = _end_of_bands(job, "inner_scale", bands[-1][1])
    elif inner is None:
        inner = outer / 10
        b_ref = np.hypot(turbulence.rms, job.regular_strength)
        if b_ref > 0:
            inner = min(inner, float(gyroradius(min(job.particles.rigidities), b_ref)) / 5)
        inner = max(inner, SMALLEST)
    if inner >= outer:
        raise JobError(f"L_min = {inner:g} pc must be below L_max = {outer:g} pc "
                       "(turbulence.outer_scale)", "turbulence.inner_scale")
    for name, scale in DEFAULT_PROFILE.items():
        if turbulence.profile == "jf12-halo":
            changes[name] = getattr(turbulence, name) or scale
        elif getattr(turbulence, name) is not None:
            raise JobError('needs turbulence.profile = "jf12-halo"', f"turbulence.{name}")
    return changes | {"outer_scale": outer, "inner_scale": inner}


def _end_of_bands(job, name, end):
    """A scale from the end of the explicit bands, which must not contradict the key."""
    value = getattr(job.turbulence, name)
    if name in job.given("turbulence") and not np.isclose(value, end, rtol=1e-9, atol=0):
        raise JobError(f"{value:g} pc contradicts grids.bands, which end at {end:g} pc; leave it "
                       "out", f"turbulence.{name}")
    return end


def _fill_boundary(job):
    boundary = job.boundary
    if job.run.kind == "escape":
        return _fill_halo(job)
    if boundary.kind == "halo":
        raise JobError('"halo" is for kind = "escape"', "boundary.kind")
    for name in DEFAULT_HALO:
        if getattr(boundary, name) is not None:
            raise JobError('needs boundary.kind = "halo"', f"boundary.{name}")
    if boundary.kind == "sphere" and job.run.kind != "anisotropy":
        raise JobError(f'"sphere" is for kind = "anisotropy"; {shown(job.run.kind)} has times',
                       "boundary.kind")
    if boundary.kind == "sphere":
        for name in ("times", "times_in"):
            if getattr(boundary, name) is not None:
                raise JobError('needs boundary.kind = "time"; spheres have boundary.radii',
                               f"boundary.{name}")
        if boundary.radii is None:
            raise JobError('must be given with boundary.kind = "sphere", such as ["250 pc"]',
                           "boundary.radii")
        limit = boundary.limit or min(1000 * boundary.radii[-1], LARGEST)
        if limit <= boundary.radii[-1]:
            raise JobError(f"{limit:g} pc must be longer than the largest radius, "
                           f"{boundary.radii[-1]:g} pc", "boundary.limit")
        return {"limit": limit}
    for name in ("radii", "limit"):
        if getattr(boundary, name) is not None:
            raise JobError('needs boundary.kind = "sphere"', f"boundary.{name}")
    if boundary.times is None:
        unit, times = DEFAULT_TIMES[job.run.kind]
        return {"times": times, "times_in": boundary.times_in or unit}
    return None


def _fill_halo(job):
    """The boundary of kind "escape"."""
    boundary = job.boundary
    if boundary.kind != "halo" and "kind" in job.given("boundary"):
        raise JobError(f'{shown(boundary.kind)} is not for kind = "escape", which has "halo"',
                       "boundary.kind")
    for name in ("times", "times_in", "radii"):
        if getattr(boundary, name) is not None:
            raise JobError('is not for kind = "escape", where particles stop as they leave',
                           f"boundary.{name}")
    changes = {name: getattr(boundary, name) or value for name, value in DEFAULT_HALO.items()}
    if changes["radius"] <= SUN_RADIUS:
        raise JobError(f"{changes['radius']:g} pc must be beyond the Sun, {SUN_RADIUS:g} pc from "
                       "the centre", "boundary.radius")
    height = changes["half_height"]
    limit = boundary.limit or min(LIMIT_IN_HEIGHTS * height, LARGEST)
    if limit <= height:
        raise JobError(f"{limit:g} pc must be longer than boundary.half_height, {height:g} pc",
                       "boundary.limit")
    return changes | {"kind": "halo", "limit": limit}


def _fill_escape(job):
    if job.run.kind != "escape":
        return
    if job.gas.profile == "galaxy":
        raise JobError('"galaxy" is for kind = "galaxy"; use "slab" or "exponential"',
                       "gas.profile")
    if job.gas.helium is not None:
        raise JobError('is for kind = "galaxy"', "gas.helium")
    if job.escape.half_height >= job.boundary.half_height:
        raise JobError(f"{job.escape.half_height:g} pc must be below boundary.half_height, "
                       f"{job.boundary.half_height:g} pc", "escape.half_height")


def _check_stops(job):
    if job.boundary.times_in and not np.isfinite(job.stops).all():
        raise JobError(f'"{job.boundary.times_in}" is infinite for this field; give boundary.times '
                       'with units, such as ["20 pc"]', "boundary.times_in")


def _check_steps(job):
    """Raise JobError where the steps of one particle could not even be counted."""
    sphere = job.boundary.kind == "sphere"
    limited = job.boundary.limit is not None
    steps = np.minimum(job.gyroradii / job.integrator.steps_per_gyroradius,
                       job.longest_steps)
    if sphere:
        steps = np.minimum(steps, job.stops[:, 0] / 2)
    paths = np.full_like(steps, job.boundary.limit) if sphere else job.stops[:, -1]
    for rigidity, step, path in zip(job.particles.rigidities, steps, paths, strict=True):
        if path > MOST_STEPS * step:
            raise JobError(
                f"{rigidity:g} PV needs {path / step:.1g} steps of {step:.1g} pc to reach "
                f"{path:g} pc, more than {MOST_STEPS:g}; lower "
                f"{'boundary.limit' if limited else 'boundary.times'}, or change the rigidity",
                "particles.rigidities")


def _fill_field_lines(job):
    lines = job.field_lines
    if not lines.count:
        if lines.length is not None:
            raise JobError("needs field_lines.count", "field_lines.length")
        return None
    if job.regular.model != "uniform":
        raise JobError('needs regular.model = "uniform": without it a field line goes nowhere in '
                       "particular", "field_lines.count")
    return {"length": lines.length or 20 * job.coherence_length}


def _fill_source(job):
    if job.run.kind != "source":
        return None
    if job.regular.model != "uniform":
        raise JobError('needs regular.model = "uniform", along which distances from the source are '
                       "measured", "run.kind")
    scale, source = job.turbulence.outer_scale, job.source
    edges = {"along": source.along or tuple(scale * x for x in DEFAULT_ALONG),
             "perpendicular": source.perpendicular
             or tuple(scale * x for x in DEFAULT_PERPENDICULAR)}
    for name, values in edges.items():
        if len(values) < 2:
            raise JobError("one edge makes no cell; give at least two lengths", f"source.{name}")
    return edges


def _fill_gradient(job):
    gradient, changes = job.gradient, {}
    if gradient.from_ is not None:
        return _check_vectors(job)
    for name in ("case", "vectors"):
        if getattr(gradient, name) is not None:
            raise JobError("needs gradient.from", f"gradient.{name}")
    for name in ("magnitude", "scale_length"):
        values = getattr(gradient, name)
        if values is None:
            continue
        if gradient.direction is None:
            raise JobError(f"gradient.{name} needs a direction [l, b] in degrees, such as [90, 0]",
                           "gradient.direction")
        if len(values) not in (1, len(job.particles.rigidities)):
            raise JobError(f"{len(values)} values for {len(job.particles.rigidities)} rigidities; "
                           "give one, or one per rigidity", f"gradient.{name}")
    if gradient.magnitude is not None and gradient.scale_length is not None:
        raise JobError("give magnitude or scale_length, not both", "gradient.scale_length")
    if gradient.direction is None:
        changes["direction"] = DEFAULT_DIRECTION
    if gradient.magnitude is None:
        lengths = gradient.scale_length or DEFAULT_SCALE_LENGTH
        changes["scale_length"] = lengths
        changes["magnitude"] = tuple(1 / length for length in lengths)
    return changes


def _check_vectors(job):
    """Raise unless a gradient from a file is the only one, a vector for every rigidity."""
    gradient = job.gradient
    for name in ("direction", "magnitude", "scale_length"):
        if getattr(gradient, name) is not None:
            raise JobError("not together with gradient.from", f"gradient.{name}")
    if gradient.vectors is None or len(gradient.vectors) != len(job.particles.rigidities):
        raise JobError(f"{len(gradient.vectors or ())} vectors for "
                       f"{len(job.particles.rigidities)} rigidities", "gradient.vectors")


def _fill_output(job):
    nside, l_max = job.particles.nside, job.output.l_max
    if job.run.kind != "anisotropy":
        return None
    if l_max is None:
        if job.particles.patch is not None:
            return {"l_max": 1}
        return {"l_max": min(2 * nside, 32) if nside else 8}
    if nside and l_max > 3 * nside - 1:
        raise JobError(f"{l_max} is more than 3 nside - 1 = {3 * nside - 1}; raise particles.nside",
                       "output.l_max")
    if not nside and l_max > MOST_SCATTERED_L:
        raise JobError(f"{l_max} is more than {MOST_SCATTERED_L}, the most for random directions; "
                       "use particles.nside instead of particles.count", "output.l_max")
    return None


_FILLS = {
    "regular": _fill_regular,
    "particles": _fill_particles,
    "grids": _fill_grids,
    "turbulence": _fill_turbulence,
    "boundary": _fill_boundary,
    "gradient": _fill_gradient,
    "output": _fill_output,
    "field_lines": _fill_field_lines,
    "source": _fill_source,
    "escape": _fill_escape,
}


def warnings(job):
    """What is allowed but probably not meant, as a list of lines.

    Parameters
    ----------
    job : Job
        Resolved.
    """
    if job.run.kind == "galaxy":
        return warnings_galaxy(job)
    found, turbulence, grids = [], job.turbulence, job.grids
    smallest = float(job.gyroradii.min())
    if turbulence.rms > 0 and turbulence.inner_scale > 0.5 * smallest:
        found.append(
            f"turbulence.inner_scale: {turbulence.inner_scale:g} pc is not well below the smallest "
            f"gyroradius, {smallest:.3g} pc; waves that scatter these particles are missing "
            "(default: a fifth of it)")
    for i, level in enumerate(job.levels):
        kept = kept_power(level, turbulence.slope, grids.compensate, grids.interpolation)
        if kept < 0.8:
            found.append(
                f"grids: interpolation keeps {kept:.2f} of the power of level {i} "
                f"({level.shortest * level.cells / level.box:.2g} cells per shortest wavelength); "
                "raise grids.cells or grids.levels")
    if job.levels and grids.bands is not None:
        whole = (turbulence.outer_scale, turbulence.inner_scale)
        share = (sum(power_integral(*band, turbulence.slope) for band in grids.bands)
                 / power_integral(*whole, turbulence.slope))
        if share < 0.999:
            found.append(f"grids.bands: the gaps leave out {1 - share:.1%} of B_rms^2")
    unused = {"boris": "tolerance", "cash-karp": "steps_per_gyroradius"}[job.integrator.method]
    if getattr(job.integrator, unused) != type(job.integrator).model_fields[unused].default:
        found.append(f'integrator.{unused}: not used by method = "{job.integrator.method}"')
    return found
