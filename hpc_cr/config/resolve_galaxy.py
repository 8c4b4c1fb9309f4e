"""Defaults that depend on other keys, and contradictions, of jobs of kind "galaxy"."""

import numpy as np

from hpc_cr.config.errors import JobError, one_of, shown
from hpc_cr.galaxy.spectra import NUCLEON_MASS_GEV

DEFAULT_RIGIDITIES = (1e-5, 10.0)
DEFAULT_FLUX = (0.045,)
"""Of protons at 100 GeV (m^-2 s^-1 sr^-1 GeV^-1), as in measurements/proton_flux.csv."""
FASTEST_KM_S = 1000.0
"""Largest speed of a wind and of Alfven waves."""
THINNEST = 1e-5
"""Least height of a cell in half heights of the halo."""
FITTED_GROUPS = (("H1",), ("He4",), ("C12", "N14", "O16"), ("Ne20", "Mg24", "Si28"), ("Fe56",))
"""Nuclei of which a job needs one each where all particles are fitted."""
FITTED_GV = (300.0, 1e4)
"""Rigidities that a job needs for a fit."""
LARGEST_STEP = 2.0
"""Ratio of neighbouring energies above which interpolation between them is warned of."""
REACCELERATED_FROM_GEV = 0.1
"""Lowest energy per nucleon above which reacceleration misses what comes from below."""
OF_MODEL = {
    "scale_height": (("exponential", "source-power"), 4e3),
    "n_m": (("source-dependent",), 0.62),
    "xi": (("source-dependent",), 0.1),
    "index": (("source-dependent",), 4.0),
    "tau": (("source-power",), 0.85),
    "floor": (("source-power",), 0.01),
    "frozen_radius": (("source-power",), 3e3),
}
"""Keys of [diffusion]: models that have them, default."""


def resolve_galaxy(job):
    """The job with every default filled in; raises JobError where keys contradict each other."""
    if "realisations" in job.given("run") and job.run.realisations != 1:
        raise JobError(f'{job.run.realisations} is not allowed: kind = "galaxy" has no random '
                       "fields; leave it out", "run.realisations")
    if job.run.first_realisation:
        raise JobError('must be 0 with kind = "galaxy"', "run.first_realisation")
    if job.parallel.team_size != 1:
        raise JobError(f'{job.parallel.team_size} is not allowed: with kind = "galaxy" every rank '
                       "solves for itself; leave it out", "parallel.team_size")
    job = _with(job, "run", {"realisations": 1})
    for section, fill in _FILLS.items():
        job = _with(job, section, fill(job))
    _check_flux_energy(job)
    return _with(job, "particles", {"rigidities": _rigidities(job)})


def warnings_galaxy(job):
    """What is allowed but probably not meant, as a list of lines."""
    found = []
    reaccelerated = job.diffusion.alfven_speed > 0
    if reaccelerated and not job.nuclei.ionisation:
        found.append("diffusion.alfven_speed: without nuclei.ionisation particles below the lowest "
                     "energy, which are left out, would feed the spectrum far above it; set "
                     "nuclei.ionisation = true")
    lowest = job.energies.per_nucleon[0] if reaccelerated else 0.0
    if lowest > REACCELERATED_FROM_GEV * (1 + 1e-9):
        found.append(f"energies.per_nucleon: reaccelerated spectra from {lowest:g} GeV on are too "
                     f"low; begin at {REACCELERATED_FROM_GEV:g} GeV or below")
    axis = job.energy_axis
    if axis[1] / axis[0] > LARGEST_STEP * (1 + 1e-9):
        found.append(f"energies.count: steps of a factor {axis[1] / axis[0]:.2g}; fluxes and "
                     "gradients between energies are interpolated, and may be wrong by percents")
    return found


def _with(job, section, changes):
    if not changes:
        return job
    return job.model_copy(update={section: getattr(job, section).model_copy(update=changes)})


def _rigidities(job):
    """Rigidities that stand for the energies, PV: of nuclei with A = 2 Z for energies per
    nucleon."""
    axis = job.energy_axis
    if job.energies.per_nucleon is not None:
        axis = 2 * np.sqrt(axis * (axis + 2 * NUCLEON_MASS_GEV))
    return tuple((1e-6 * axis).tolist())


def _fill_halo(job):
    halo = job.halo
    if halo.sun >= halo.radius:
        raise JobError(f"{halo.sun:g} pc must be inside halo.radius, {halo.radius:g} pc",
                       "halo.sun")
    most, least = halo.half_height / halo.cells[1], THINNEST * halo.half_height
    if halo.first_cell < least:
        raise JobError(f"{halo.first_cell:g} pc is below {least:g} pc, {THINNEST:g} of the half "
                       "height, where rounding spoils the solution", "halo.first_cell")
    if halo.first_cell > most * (1 + 1e-12):
        if "first_cell" in job.given("halo"):
            raise JobError(f"{halo.first_cell:g} pc is higher than all {halo.cells[1]} cells would "
                           f"be if they were equal, {most:g} pc", "halo.first_cell")
        return {"first_cell": most}
    return None


def _fill_diffusion(job):
    diffusion, changes = job.diffusion, {}
    for name, (models, default) in OF_MODEL.items():
        if diffusion.model in models:
            value = getattr(diffusion, name)
            changes[name] = default if value is None else value
        elif getattr(diffusion, name) is not None:
            raise JobError(f"is for model = {one_of(models)}, not {shown(diffusion.model)}",
                           f"diffusion.{name}")
    for name in ("alfven_speed", "wind"):
        if getattr(diffusion, name) > FASTEST_KM_S:
            raise JobError(f"{getattr(diffusion, name):g} km/s is above {FASTEST_KM_S:g} km/s",
                           f"diffusion.{name}")
    if job.energies.per_nucleon is None:
        for name in ("alfven_speed", "wind"):
            if getattr(diffusion, name):
                raise JobError("changes the energy of particles: needs energies.per_nucleon",
                               f"diffusion.{name}")
    return changes


def _fill_sources(job):
    largest = job.sources.largest_radius or job.halo.radius
    if largest > job.halo.radius:
        raise JobError(f"{largest:g} pc is beyond halo.radius, {job.halo.radius:g} pc",
                       "sources.largest_radius")
    return {"largest_radius": largest}


def _fill_gas(job):
    gas = job.gas
    profile = gas.profile if "profile" in job.given("gas") else "galaxy"
    for name in ("density", "half_height"):
        if profile == "galaxy" and name in job.given("gas"):
            raise JobError('is for profile = "slab" or "exponential"', f"gas.{name}")
    return {"profile": profile, "helium": 0.11 if gas.helium is None else gas.helium}


def _fill_nuclei(job):
    from hpc_cr.galaxy.nuclei import SPECIES

    for name in job.nuclei.species:
        if name not in SPECIES:
            raise JobError(f"no nucleus {shown(name)}; known are {', '.join(SPECIES)}",
                           "nuclei.species")
    decays = [name for name in job.nuclei.species
              if SPECIES[name].daughter in job.nuclei.species]
    if job.nuclei.decay and decays and job.energies.per_nucleon is None:
        raise JobError(f"{decays[0]} decays to {SPECIES[decays[0]].daughter} at the same energy "
                       "per nucleon: needs energies.per_nucleon, or nuclei.decay = false",
                       "nuclei.species")
    for name in ("network", "ionisation"):
        if getattr(job.nuclei, name) and job.energies.per_nucleon is None:
            raise JobError("keeps the energy per nucleon, or changes it: needs "
                           "energies.per_nucleon", f"nuclei.{name}")


def _fill_energies(job):
    energies = job.energies
    if energies.per_nucleon is None:
        return {"rigidity": energies.rigidity or DEFAULT_RIGIDITIES}
    if energies.rigidity is not None:
        raise JobError("give rigidity or per_nucleon, not both", "energies.rigidity")
    return None


def _per_species(job, section, name):
    """A list with a value for every species; None where the key has none."""
    values, count = getattr(getattr(job, section), name), len(job.nuclei.species)
    if values is None or len(values) == count:
        return values
    if len(values) != 1:
        raise JobError(f"{len(values)} values for {count} species; give one, or one per species",
                       f"{section}.{name}")
    return values * count


def _fill_injection(job):
    injection = job.injection
    changes = {name: _per_species(job, "injection", name)
               for name in ("slope", "slope_below", "abundance")}
    if injection.cutoff is None and "cutoff_in" in job.given("injection"):
        raise JobError("needs injection.cutoff", "injection.cutoff_in")
    if (injection.break_rigidity is None) != (injection.slope_below is None):
        raise JobError("needs break_rigidity and slope_below together", "injection.break_rigidity")
    if injection.abundance is None and job.nuclei.network:
        from hpc_cr.galaxy.nuclei import SPECIES

        changes["abundance"] = tuple(SPECIES[name].abundance for name in job.nuclei.species)
    if changes["abundance"] is not None:
        if injection.flux is not None and len(injection.flux) != 1:
            raise JobError("give one flux, that of the first species, with abundance or "
                           "nuclei.network: the others follow", "injection.flux")
        if not changes["abundance"][0] > 0:
            raise JobError(f"the first species, {job.nuclei.species[0]}, sets the scale and needs "
                           "an abundance above 0", "injection.abundance")
        changes["flux"] = injection.flux
        if injection.flux is None:
            if job.nuclei.species[0] != "H1":
                raise JobError(f"must be given: that of {job.nuclei.species[0]}, the first of "
                               "nuclei.species", "injection.flux")
            changes["flux"] = DEFAULT_FLUX
    else:
        changes["flux"] = _per_species(job, "injection", "flux")
        if changes["flux"] is None:
            if job.nuclei.species != ("H1",):
                raise JobError("must be given for these species, or abundance", "injection.flux")
            changes["flux"] = DEFAULT_FLUX
    if not max(changes["flux"]) > 0:
        raise JobError("is 0 for all nuclei", "injection.flux")
    if injection.normalisation == "fitted":
        _check_fitted(job)
    return changes


def _check_fitted(job):
    """Raise unless there is what normalisations are fitted to."""
    names = job.nuclei.species
    groups = FITTED_GROUPS if len(names) > 2 else FITTED_GROUPS[:2]
    for group in groups:
        if not set(group) & set(names):
            raise JobError(f'"fitted" needs {one_of(group)} in nuclei.species: measured protons, '
                           "helium and, with heavier nuclei, all particles are fitted",
                           "injection.normalisation")
    axis = job.energy_axis
    if axis[0] > FITTED_GV[0] or axis[-1] < FITTED_GV[1]:
        raise JobError(f'"fitted" needs energies from {FITTED_GV[0]:g} GV or less to '
                       f"{FITTED_GV[1]:g} GV or more, not {axis[0]:g} to {axis[-1]:g}",
                       "injection.normalisation")


def _check_flux_energy(job):
    """Raise unless the flux is given within the energies, where they are solved together."""
    lowest, highest = job.energies.per_nucleon or (0.0, np.inf)
    connected = job.nuclei.ionisation or job.diffusion.alfven_speed or job.diffusion.wind
    if connected and not lowest + NUCLEON_MASS_GEV < job.injection.flux_energy < highest:
        raise JobError(f"{job.injection.flux_energy:g} GeV is not within energies.per_nucleon, "
                       f"{lowest:g} to {highest:g} GeV", "injection.flux_energy")
    rest = job.injection.flux_energy / NUCLEON_MASS_GEV
    if rest <= 1.01:
        raise JobError(f"{job.injection.flux_energy:g} GeV is a total energy per nucleon, and must "
                       "be above its rest energy, 0.94 GeV", "injection.flux_energy")


def _fill_local_source(job):
    source = job.local_source
    if source.name is None and source.distance is None:
        if job.given("local_source"):
            raise JobError("needs local_source.name, or distance, age and direction",
                           "[local_source]")
        return None
    changes = {"slope": _per_species(job, "local_source", "slope"),
               "amount": _per_species(job, "local_source", "amount")}
    if changes["amount"] is None:
        raise JobError('must be given with a local source, such as "8.28e52 / GV"',
                       "local_source.amount")
    found = {}
    if source.name is not None:
        from hpc_cr.config.units import parse_quantity
        from hpc_cr.sources.catalogue import find

        try:
            entry = find(source.name)
        except ValueError as error:
            raise JobError(str(error), "local_source.name") from None
        found = {"distance": entry.distance_pc, "direction": (entry.l_deg, entry.b_deg),
                 "age": parse_quantity(f"{entry.age_yr!r} yr", "time")}
    for name in ("distance", "age", "direction"):
        value = getattr(source, name)
        value = found.get(name) if value is None else value
        if value is None or not np.all(np.isfinite(value)):
            raise JobError("must be given: the catalogue has none" if found else
                           "must be given with a local source", f"local_source.{name}")
        changes[name] = value
    if source.kernel == "anisotropic" and job.local_field.direction is None:
        raise JobError('"anisotropic" needs local_field.direction', "local_source.kernel")
    return changes


def _fill_local_field(job):
    field = job.local_field
    if field.direction is None:
        for name in ("ratio", "ratio_slope"):
            if getattr(field, name) is not None:
                raise JobError("needs local_field.direction", f"local_field.{name}")
        return None
    return {"ratio": 0.01 if field.ratio is None else field.ratio,
            "ratio_slope": 0.32 if field.ratio_slope is None else field.ratio_slope}


_FILLS = {
    "halo": _fill_halo,
    "energies": _fill_energies,
    "diffusion": _fill_diffusion,
    "sources": _fill_sources,
    "gas": _fill_gas,
    "nuclei": _fill_nuclei,
    "injection": _fill_injection,
    "local_field": _fill_local_field,
    "local_source": _fill_local_source,
}
