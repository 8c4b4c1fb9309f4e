"""Li et al. 2021, figures 1 and 2: spectral features from Geminga, and spectra against data.

Indices are d ln J/d ln E of the sum of background and local source per total energy, less that of
the background, which rest masses and losses bend at low energies. The index hardens at the energy
where it rises fastest and softens where it falls fastest; the local source's part of the flux is
largest where the sum is as steep as the background.
"""

import numpy as np

from hpc_cr.galaxy import fits
from hpc_cr.galaxy.local_field import equatorial
from hpc_cr.papers.geminga_lrmf.files import PRINTED
from hpc_cr.papers.geminga_lrmf.measured import (
    Number,
    extreme,
    factor,
    near,
    of_case,
    statement,
    within,
)

NUCLEI = {"H1": "protons", "He4": "helium"}
FEATURES_GEV = np.geomspace(20.0, 2e5, 801)
"""Total energies in which features are searched, a two-hundredth of a decade apart."""
SPAN = 20
INNER_GEV = FEATURES_GEV[SPAN:-SPAN]
GRANTED = 0.2
"""Relative difference between a spectrum and data that is taken as agreement: experiments differ by
about half of it."""
LEVEL_GEV = (1e2, 1e5)
NUCLEI_GEV = (1e3, 1e5)
ALL_GEV = (1e5, 1e8)
SHARES_GEV = np.geomspace(1e2, 1e5, 61)


def index(case, species):
    """Index of the sum less that of the background, and its slope, at INNER_GEV.

    Differences over a tenth of a decade to both sides: what an interpolation leaves within is
    smoothed over.
    """
    flux = case.flux(species, FEATURES_GEV)
    excess = np.log1p(flux.local / flux.background)
    width = SPAN * np.log(FEATURES_GEV[1] / FEATURES_GEV[0])
    low, middle, high = excess[: -2 * SPAN], excess[SPAN:-SPAN], excess[2 * SPAN :]
    return (high - low) / (2 * width), (low - 2 * middle + high) / width**2


def hardest(case, species):
    """Energy at which the sum is hardest against the background, GeV."""
    return extreme(INNER_GEV, index(case, species)[0], 1)


def hardening(case, species):
    """Energy below `hardest` where the index rises fastest, GeV."""
    below = hardest(case, species) > INNER_GEV
    return extreme(INNER_GEV[below], index(case, species)[1][below], 1)


def softening(case, species):
    """Energy above `hardest` where the index falls fastest, GeV."""
    above = hardest(case, species) < INNER_GEV
    return extreme(INNER_GEV[above], index(case, species)[1][above], -1)


def bump(case, species):
    """Energy at which the local source's part of the flux is largest, GeV."""
    flux = case.flux(species, FEATURES_GEV)
    return extreme(FEATURES_GEV, flux.local / flux.background, 1)


def features(modes):
    """Hardening near 200 GeV and softening near 10 TeV in every mode."""
    found = []
    for mode, case in modes.items():
        for species, name in NUCLEI.items():
            if species in case.species:
                found += _features(mode, case, species, name)
    return found


def _features(mode, case, species, name):
    hard = of_case(case, lambda c: hardening(c, species))
    soft = of_case(case, lambda c: softening(c, species))
    peak = of_case(case, lambda c: bump(c, species))
    first, _ = index(case, species)
    gain = f"up to +{first.max():.2f} at {hardest(case, species):.2g} GeV"
    wide = "a factor 2 is granted"
    return [
        statement("sect. 3", f"{mode}: {name}, the index hardens fastest at", "200", hard, "GeV",
                  factor(hard, 200.0), f"index against the background's: {gain}; {wide}"),
        statement("sect. 3", f"{mode}: {name}, the index softens fastest at", "10", _tev(soft),
                  "TeV", factor(soft, 1e4), wide),
        statement("sect. 3", f"{mode}: {name}, Geminga's part of the flux is largest at", "10",
                  _tev(peak), "TeV", factor(peak, 1e4),
                  f"there the sum falls as the background does; {wide}"),
    ]  # fmt: skip


def _tev(number):
    return Number(number.value / 1e3, number.error / 1e3)


def share(case, energy_GeV):
    """Geminga's part of the flux of all nuclei at total energies, (n,)."""
    flux = [case.flux(name, energy_GeV) for name in case.species]
    return sum(f.local for f in flux) / sum(f.total for f in flux)


def dominance(case, energy_GeV):
    """Geminga's part of the dipole in right ascension over the background's, all nuclei, (n,)."""
    flows = dict.fromkeys(("background", "local"), 0.0)
    for one in case.components(energy_GeV):
        flux = one.flux[:, None]
        flows[one.part] = flows[one.part] + flux * np.where(flux > 0, one.dipole, 0.0)
    return equatorial(flows["local"])[0] / equatorial(flows["background"])[0]


def sub_dominant(modes):
    """Geminga's flux is the smaller part, its dipole the larger one."""
    found = []
    for mode, case in modes.items():
        most = of_case(case, lambda c: float(np.max(share(c, SHARES_GEV))))
        at = SHARES_GEV[np.argmax(share(case, SHARES_GEV))]
        least = of_case(case, lambda c: float(np.min(dominance(c, SHARES_GEV))))
        ends = dominance(case, np.array([1e3, 1e4, 1e5]))
        found += [
            statement("sect. 3", f"{mode}: largest part of Geminga in the flux of all nuclei from"
                      " 100 GeV to 100 TeV", "< 0.5", most, "", within(most, 0.0, 0.5),
                      f"at {at:.2g} GeV; sub-dominant: below one half"),
            statement("sect. 3", f"{mode}: smallest ratio of Geminga's dipole to the background's"
                      " in right ascension, 100 GeV to 100 TeV", "> 1", least, "",
                      within(least, 1.0, np.inf),
                      f"parts of the dipole of all nuclei; 1 TeV {ends[0]:.3g}, 10 TeV"
                      f" {ends[1]:.3g}, 100 TeV {ends[2]:.3g}"),
        ]  # fmt: skip
    return found


def compared(case, quantity, energies):
    """Measured over predicted, and chi^2 with the points' own errors.

    Returns
    -------
    ratio : ndarray (n,)
    chi2 : float
    """
    sets, _ = fits.measured_sets(
        case.species, lambda at: [case.flux(name, at) for name in case.species], [quantity],
        energies)  # fmt: skip
    one = sets[0]
    predicted = one.templates.sum(axis=(0, 1))
    return one.value / predicted, float(np.sum(((one.value - predicted) / one.error) ** 2))


def against_data(modes):
    """Protons, helium, nuclei and all particles as measured."""
    found = []
    rows = (("H", "H1", "protons, 100 GeV to 100 TeV", LEVEL_GEV, "figure 1"),
            ("He", "He4", "helium, 100 GeV to 100 TeV", LEVEL_GEV, "figure 1"),
            ("C", "C12", "carbon, 1 to 100 TeV", NUCLEI_GEV, "table 2"),
            ("O", "O16", "oxygen, 1 to 100 TeV", NUCLEI_GEV, "table 2"),
            ("Fe", "Fe56", "iron, 1 to 100 TeV", NUCLEI_GEV, "table 2"),
            ("all", None, "all particles, 100 TeV to 100 PeV", ALL_GEV, "figure 2"))  # fmt: skip
    for mode, case in modes.items():
        for quantity, species, text, energies, where in rows:
            if species is not None and species not in case.species:
                continue
            ratio, chi2 = compared(case, quantity, energies)
            if len(ratio) < 3:
                continue
            logs = np.log(ratio)
            level = Number(float(np.exp(logs.mean())), float(np.exp(logs.mean()) * logs.std(ddof=1)
                                                             / np.sqrt(len(logs))))  # fmt: skip
            found.append(statement(
                where, f"{mode}: {text}, measured over predicted", "1", level, "",
                near(level, 1.0, GRANTED),
                f"mean of {len(ratio)} points, which scatter by {100 * logs.std(ddof=1):.0f} %;"
                f" chi2 = {chi2:.0f}; {GRANTED:g} is granted"))  # fmt: skip
    return found


def quality(modes):
    """How well spectra of this form describe the data when their factors are free."""
    found = []
    for mode, case in modes.items():
        if mode == PRINTED:
            continue
        fit = case.fit
        scatter = Number(fit.scatter)
        found.append(statement(
            "figures 1-2", f"{mode}: scatter of protons, helium and all particles about the fit",
            "well", scatter, "", within(scatter, 0.0, 0.1),
            f"chi2/ndf = {fit.chi2:.0f}/{fit.ndf} ("
            + ", ".join(f"{name} {chi2:.0f}/{n}" for name, (chi2, n) in fit.parts.items())
            + f"); background times {_factors(case, 0)}, Geminga times {_factors(case, 1)}; well:"
            " below 0.1, about what experiments differ by"))  # fmt: skip
    return found


def _factors(case, column):
    """Fitted factors of protons, helium and heavier nuclei as text."""
    texts = {}
    for name, values, errors in zip(case.species, case.fit.scales, case.fit.errors, strict=True):
        label = NUCLEI.get(name, "heavier nuclei")
        texts[label] = f"{values[column]:.3g} +- {errors[column]:.2g} ({label})"
    return ", ".join(texts.values())
