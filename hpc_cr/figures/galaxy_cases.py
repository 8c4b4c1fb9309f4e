"""Cases of galaxy jobs for figures: which, what they are called, and gamma rays of their maps."""

from functools import lru_cache

import numpy as np

from hpc_cr.figures import panels, style
from hpc_cr.figures.panels import FigureError

REFERENCE_TAU = 0.85
"""The exponent that Evoli et al. 2012 find best."""
SCALE_GV = 100.0
"""Rigidity at which cosmic rays of a case are scaled to measured protons."""
LOWEST_GEV, HIGHEST_GEV = 1.05, 100.0
"""Kinetic energies of protons that photons above 100 MeV need."""


def select(opened, options):
    """Complete cases that the options name.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.galaxy.GalaxyResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    list of GalaxyResults

    Raises
    ------
    FigureError
        No such case, or one that is not complete or without any particles.
    """
    panels.check_cases(opened, options)
    found = [case for file in opened for case in file.each_case()
             if not options.cases or case.case in options.cases]
    for case in found:
        if not case.complete:
            raise FigureError(f"{case.path}: {name(case)} is not complete;"
                              " hpc-cr run --resume completes it")
        if not np.nanmax(case.array("galaxy/flux"), initial=0.0) > 0:
            raise FigureError(f"{case.path}: {name(case)} has no particles at the Sun")
    return found


def shows_measured(options, figure):
    """Whether a figure with a choice of its own shows measurements: all or none of them.

    Raises
    ------
    FigureError
        The options name experiments.
    """
    wanted = options.data.strip().casefold()
    if wanted not in ("all", "none"):
        raise FigureError(f"--data: {figure} shows all of its measurements or none, no experiments"
                          " by name")
    return wanted == "all"


def name(case):
    """The case in messages."""
    return f"case '{case.case}'" if case.case else "it"


def labels(cases):
    """What each case is called in a legend: tau, and in what else it differs from the first.

    Parameters
    ----------
    cases : sequence of GalaxyResults

    Returns
    -------
    list of str
        Names of cases where settings differ that have no short name, or do not tell cases apart.
    """
    for with_d0 in (False, True):
        texts = [", ".join([*_tau(case, cases), *variant(case, cases, with_d0).values()])
                 for case in cases]
        if len(set(texts)) == len(cases) and all(texts) and not _unnamed(cases):
            return texts
    return [case.case or case.path.stem for case in cases]


_NAMED = {
    "diffusion.floor": lambda job: f"k = {job.diffusion.floor:g}",
    "sources.distribution": lambda job: job.sources.distribution,
    "diffusion.alfven_speed": lambda job: rf"$v_A$ = {job.diffusion.alfven_speed:g} km/s",
    "diffusion.wind": lambda job: f"wind {job.diffusion.wind:g} km/s",
    "diffusion.coefficient": lambda job: (rf"$D_0$ = {job.diffusion.coefficient / 1e28:.3g}"
                                          r"$\times10^{28}$ cm$^2$/s"),
}  # fmt: skip
"""Settings with a short name; D0 goes with tau."""


def variant(case, cases, with_d0=False):
    """In what a case differs from the first, tau (and D0, which goes with it) apart.

    Returns
    -------
    dict of str to str
        Key of the setting -> its value for a legend.
    """
    first, own = cases[0].job.settings(), case.job.settings()
    return {key: text(case.job) for key, text in _NAMED.items()
            if repr(own.get(key)) != repr(first.get(key))
            and (with_d0 or key != "diffusion.coefficient")}


def _tau(case, cases):
    """tau, if it is not the same in all cases."""
    same = len({one.job.diffusion.tau for one in cases}) == 1
    return [] if same or case.job.diffusion.tau is None else [
        rf"$\tau$ = {case.job.diffusion.tau:g}"]


def _unnamed(cases):
    """Settings that differ without a short name."""
    settings = [one.job.settings() for one in cases]
    keys = {key for one in settings for key in one} - {*_NAMED, "diffusion.tau"}
    return {key for key in keys if len({repr(one.get(key)) for one in settings}) > 1}


def looks(cases):
    """Colour of each case by tau (or its number), line style by what else differs.

    Returns
    -------
    list of dict
        Keyword arguments of a line.
    """
    import matplotlib

    styles = ("-", "--", "-.", ":", (0, (6, 1)), (0, (8, 2, 1, 2)),
              (0, (3, 1, 1, 1, 1, 1)))
    by_tau = len({one.job.diffusion.tau for one in cases}) > 1
    kinds = [one.job.diffusion.tau if by_tau else i for i, one in enumerate(cases)]
    order = list(dict.fromkeys(kinds))
    colours = list(style.SEQUENCE)
    if len(order) > len(colours):
        shades = matplotlib.colormaps["plasma"](np.linspace(0, 0.9, len(order)))
        colours = [matplotlib.colors.to_hex(shade) for shade in shades]
    variants = [repr(variant(one, cases)) if by_tau else "" for one in cases]
    number = {text: i for i, text in enumerate(dict.fromkeys(variants))}
    return [{"color": colours[order.index(kind)], "linestyle": styles[number[text] % len(styles)]}
            for kind, text in zip(kinds, variants, strict=True)]


def room(count, columns=3):
    """Height of a legend with so many entries, inches."""
    return 0.15 * -(-count // columns) + 0.25


def reference(cases):
    """Number of the case with tau = 0.85, or of the last one."""
    for number, case in enumerate(cases):
        if case.job.diffusion.tau is not None and np.isclose(case.job.diffusion.tau,
                                                             REFERENCE_TAU):
            return number
    return len(cases) - 1


def scale(case):
    """Measured protons over the case's at SCALE_GV; 1 where it is fitted to measurements.

    Raises
    ------
    FigureError
        The case has no protons there.
    """
    from hpc_cr.measurements.proton_flux import proton_flux

    if case.job.injection.normalisation == "fitted":
        return 1.0
    found = case.flux("H1", [SCALE_GV], "rigidity").background[0] if "H1" in case.species else 0.0
    if not found > 0:
        raise FigureError(f"{case.path}: {name(case)} has no protons (H1) at {SCALE_GV:g} GV")
    return float(proton_flux(SCALE_GV / 1e6)) / found


def emissivity(case, range_MeV):
    """Gamma rays of the gas over the Galaxy.

    Parameters
    ----------
    case : GalaxyResults
    range_MeV : (float, float)

    Returns
    -------
    ndarray (n_radius, n_height)
        Photons/(s sr H atom), of protons and nuclei on the job's gas, scaled (`scale`).

    Raises
    ------
    FigureError
        Energies that make photons are missing.
    """
    from hpc_cr.galaxy import emissivity as gamma
    from hpc_cr.galaxy.spectra import axis_per_rigidity

    factor, energies = scale(case), case.nucleon_GeV
    _require_protons(case, energies[case.number("H1")])
    alone = set(case.species) == {"H1"}
    found = 0.0
    for s, kinetic, at, flux in zip(case.nuclei, energies, case.rigidities_GV, case.maps,
                                    strict=True):
        per_nucleon = flux / axis_per_rigidity("nucleon", at, s.z, s.a)[:, None, None]
        helium = 0.0 if alone else case.job.gas.helium
        band = _band(tuple(kinetic), s.a, tuple(range_MeV), helium)
        found = found + np.tensordot(band, per_nucleon, 1)
    return factor * found * (gamma.ENHANCEMENT if alone else 1.0)


def _require_protons(case, kinetic_GeV):
    if kinetic_GeV[0] > LOWEST_GEV or kinetic_GeV[-1] < HIGHEST_GEV:
        raise FigureError(f"{case.path}: {name(case)} has protons of {kinetic_GeV[0]:.3g} to"
                          f" {kinetic_GeV[-1]:.3g} GeV; gamma rays need those of 1 GeV to 100 GeV"
                          " (energies.per_nucleon)")  # fmt: skip


@lru_cache(maxsize=64)
def _band(energies, mass_number, range_MeV, helium):
    from hpc_cr.galaxy.emissivity import band

    return band(np.array(energies), mass_number, range_MeV, helium)


def gas_of(job):
    """Hydrogen of a job, (r, z) in pc -> atoms per cm^3."""
    from hpc_cr.galaxy.gas import hydrogen

    if job.gas.profile == "galaxy":
        return hydrogen
    return lambda r, z: hydrogen(r, z, job.gas.profile, job.gas.density, job.gas.half_height)


def what(case):
    """Which cosmic rays and photons a figure of gamma rays shows, for its title."""
    kinetic = case.nucleon_GeV.min()
    nuclei = ("protons (times 1.84)" if len(case.species) == 1 else f"{len(case.species)} nuclei")
    scaled = ("" if case.job.injection.normalisation == "fitted"
              else f", protons as measured at {SCALE_GV:g} GV")
    return f"{nuclei} above {style.number(kinetic)} GeV/n{scaled}"


def model(case):
    """Diffusion and sources of a case in a few words, without what a scan changes."""
    job = case.job
    return (f"{job.sources.distribution} sources, L = {style.number(job.halo.half_height / 1e3)}"
            f" kpc, R = {style.number(job.halo.radius / 1e3)} kpc")


def photons(case, weights, gamma_GeV):
    """Spectrum of gamma rays, summed over places of the maps.

    Parameters
    ----------
    case : GalaxyResults
    weights : array (n_radius, n_height)
        Such as hydrogen along lines of sight, or 1 at one place.
    gamma_GeV : array (n,)

    Returns
    -------
    ndarray (n,)
        Photons/(s sr GeV H atom) times the unit of the weights; scaled (`scale`).
    """
    from hpc_cr.galaxy import emissivity as gamma
    from hpc_cr.galaxy.spectra import axis_per_rigidity

    factor, energies = scale(case), case.nucleon_GeV
    _require_protons(case, energies[case.number("H1")])
    alone = set(case.species) == {"H1"}
    found = 0.0
    for s, kinetic, at, flux in zip(case.nuclei, energies, case.rigidities_GV, case.maps,
                                    strict=True):
        spectrum = np.tensordot(flux, weights, 2) / axis_per_rigidity("nucleon", at, s.z, s.a)
        helium = 0.0 if alone else case.job.gas.helium
        found = found + _kernel(tuple(kinetic), tuple(gamma_GeV), s.a, helium)(spectrum)
    return factor * found * (gamma.ENHANCEMENT if alone else 1.0)


@lru_cache(maxsize=64)
def _kernel(energies, gamma_GeV, mass_number, helium):
    from hpc_cr.galaxy.emissivity import gamma_kernel

    return gamma_kernel(np.array(energies), np.array(gamma_GeV), mass_number, helium)
