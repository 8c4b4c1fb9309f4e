"""From the sections of a galaxy job to what `hpc_cr.galaxy` computes with."""

import numpy as np

from hpc_cr.constants import PC_C_CM2_PER_S, SPEED_OF_LIGHT_M_PER_S
from hpc_cr.frames import unit_vector
from hpc_cr.galaxy import gas, local_field, local_source
from hpc_cr.galaxy.coefficients import DiffusionModel
from hpc_cr.galaxy.grid import half_grid, make_grid
from hpc_cr.galaxy.network import Setting
from hpc_cr.galaxy.nuclei import SPECIES, chain
from hpc_cr.galaxy.spectra import axis_per_rigidity, momentum_per_nucleon, rigidity, velocity
from hpc_cr.sources import distributions

C_KM_PER_S = SPEED_OF_LIGHT_M_PER_S / 1e3


def diffusion_model(job):
    """The diffusion coefficient of a case's job (DiffusionModel)."""
    d, given = job.diffusion, {}
    names = {"n_m": "n_m", "xi": "xi", "index": "index", "tau": "tau", "floor": "floor",
             "scale_height": "scale_height_pc", "frozen_radius": "frozen_radius_pc"}
    for name, attribute in names.items():
        if getattr(d, name) is not None:
            given[attribute] = getattr(d, name)
    return DiffusionModel(
        kind=d.model, coefficient_pc=d.coefficient / PC_C_CM2_PER_S, rigidity_GV=1e6 * d.rigidity,
        slope=d.slope, velocity_exponent=d.velocity_exponent,
        half_height_pc=job.halo.half_height, distribution=job.sources.distribution,
        source_height_pc=job.sources.scale_height, sun_radius_pc=job.halo.sun, **given)


def species_of(job):
    """The job's nuclei as Species, in its order."""
    return tuple(SPECIES[name] for name in job.nuclei.species)


def rigidities(job):
    """Rigidities in GV, (n_species, n_energy)."""
    axis = job.energy_axis
    if job.energies.per_nucleon is None:
        return np.tile(axis, (len(job.nuclei.species), 1))
    return np.array([rigidity(axis, s.z, s.a) for s in species_of(job)])


def injection(job, number, rigidity_GV):
    """Spectrum at the sources of one species, per GV, relative to the others of the job.

    Parameters
    ----------
    job : Job
    number : int
        Index in nuclei.species.
    rigidity_GV : ndarray (...)

    Returns
    -------
    ndarray (...)
    """
    i, s = job.injection, species_of(job)[number]
    # abundances compare nuclei at the same momentum per nucleon
    per_nucleon = job.energies.per_nucleon is not None or i.abundance is not None
    x = np.asarray(rigidity_GV, float)
    if per_nucleon:
        x = momentum_per_nucleon(x, s.z, s.a)
    spectrum = x ** -i.slope[number]
    if i.break_rigidity is not None:
        at = 1e6 * i.break_rigidity
        below = (rigidity_GV / at) ** (i.slope[number] - i.slope_below[number])
        spectrum = spectrum * np.where(rigidity_GV < at, below, 1.0)
    if i.cutoff is not None:
        cutoff = 1e6 * i.cutoff * (1.0 if i.cutoff_in == "Z" else s.a / s.z)
        spectrum = spectrum * np.exp(-rigidity_GV / cutoff)
    if i.abundance is not None:
        spectrum = spectrum * i.abundance[number]
    # per GV: dp_n = (Z/A) dR
    return spectrum * s.z / s.a if per_nucleon else spectrum


def setting(job, coarse=False, axis_values=None):
    """What the solver needs, with the species heaviest first (Setting).

    Parameters
    ----------
    job : Job
        Of one case.
    coarse : bool
        On the grid with half the cells.
    axis_values : array (n,), optional
        Other energies than the job's.

    Returns
    -------
    Setting
    order : list of int
        Index in nuclei.species of each of its species.
    """
    halo, per_nucleon = job.halo, job.energies.per_nucleon is not None
    grid = make_grid(halo.radius, halo.half_height, *halo.cells, halo.first_cell)
    grid = half_grid(grid) if coarse else grid
    names = list(job.nuclei.species)
    species = tuple(chain(names))
    order = [names.index(s.name) for s in species]
    axis = job.energy_axis if axis_values is None else np.asarray(axis_values, float)
    axis_name = "nucleon" if per_nucleon else "rigidity"
    spectra = []
    for number, s in zip(order, species, strict=True):
        at = rigidity(axis, s.z, s.a) if per_nucleon else axis
        spectra.append(injection(job, number, at) / axis_per_rigidity(axis_name, at, s.z, s.a))
    r, z = grid.r[:, None], grid.z
    sources = job.sources
    site = distributions.density(sources.distribution, r, z, sources.scale_height,
                                 sources.largest_radius)
    site = site / distributions.surface_density(sources.distribution, halo.sun)
    return Setting(
        grid=grid, sun_radius=halo.sun, diffusion=diffusion_model(job),
        wind=job.diffusion.wind / C_KM_PER_S, alfven=job.diffusion.alfven_speed / C_KM_PER_S,
        gas=gas.on_grid(grid, job.gas.profile, job.gas.density, job.gas.half_height),
        ionised=gas.components_on_grid(grid).ions if job.gas.profile == "galaxy" else None,
        helium=job.gas.helium, site=site, species=species, axis=axis_name,
        values=axis, injection=np.array(spectra), network=job.nuclei.network,
        inelastic=job.nuclei.inelastic, decay=job.nuclei.decay,
        ionisation=job.nuclei.ionisation), order


def local_tensor(job, rigidity_GV, beta=1.0):
    """Diffusion tensors D/c at the Sun, (..., 3, 3) pc, along and across the local field."""
    parallel = diffusion_model(job).at(job.halo.sun, 0.0, rigidity_GV, beta)
    field = job.local_field
    if field.direction is None:
        return local_field.isotropic(parallel)
    around = local_field.LocalField(unit_vector(*field.direction), field.ratio, field.ratio_slope,
                                    1e6 * job.diffusion.rigidity)
    return around.tensor(parallel, rigidity_GV)


def local_burst(job, number):
    """The local source's burst of one species (Burst), None without a local source."""
    source = job.local_source
    if source.distance is None:
        return None
    return local_source.Burst(
        position=source.distance * unit_vector(*source.direction), age=source.age,
        amount=source.amount[number], slope=source.slope[number],
        cutoff_GV=np.inf if source.cutoff is None else 1e6 * source.cutoff)


def local_component(job, number, rigidity_GV):
    """What the local source adds for one species.

    Parameters
    ----------
    job : Job
    number : int
        Index in nuclei.species.
    rigidity_GV : ndarray (n,)

    Returns
    -------
    flux : ndarray (n,)
        1/(GV m^2 s sr); 0 without a local source, NaN where the rigidity is.
    gradient : ndarray (n, 3)
        grad(N)/N, 1/pc, Galactic Cartesian; 0 without a local source.
    """
    rigidity_GV = np.atleast_1d(np.asarray(rigidity_GV, float))
    source = local_burst(job, number)
    if source is None:
        return np.zeros(rigidity_GV.shape), np.zeros((*rigidity_GV.shape, 3))
    known = np.isfinite(rigidity_GV)
    if not known.all():
        found = np.full(rigidity_GV.shape, np.nan), np.full((*rigidity_GV.shape, 3), np.nan)
        if known.any():
            found[0][known], found[1][known] = local_component(job, number, rigidity_GV[known])
        return found
    s = species_of(job)[number]
    beta = velocity(rigidity_GV, s.z, s.a)
    if job.local_source.kernel == "anisotropic":
        spread = local_tensor(job, rigidity_GV, beta)
    else:
        spread = diffusion_model(job).at(job.halo.sun, 0.0, rigidity_GV, beta)
    found = local_source.arrived(source, rigidity_GV, spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        steepness = np.where(found.density[:, None] > 0, found.gradient / found.density[:, None], 0)
    return local_source.flux(found.density, beta), steepness
