"""Sections of the job file for kind = "galaxy": the transport equation of the whole Galaxy.

Lists with a value per species follow the order of nuclei.species; a single value is for all.
Diffusion coefficients are cm^2/s, speeds km/s, energies GeV, rigidities PV once they are read.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator

from hpc_cr.config.errors import JobError
from hpc_cr.config.fields import Direction, increasing, key, number, one_or_more, quantity, whole
from hpc_cr.config.section import Section, each_once

DISTRIBUTIONS = ("lorimer2006", "case1996", "case1998", "green2015", "yusifov2004", "faucher2006",
                 "lorimer2004", "trotta2011", "ferriere2001", "uniform")
"""Radial distributions of sources (`hpc_cr.sources.distributions`)."""


def _two(values):
    if len(values) != 2:
        raise JobError(f"has {len(values)} values; expected two")
    return values


Cells = Annotated[one_or_more(whole(8, 2000)), AfterValidator(_two)]


class Halo(Section):
    """The cylinder that particles leave at its rim, top and bottom, and its cells."""

    radius: quantity("length") = key(
        20e3, "Galactocentric radius of the rim", "length > sun", '"20 kpc"')
    half_height: quantity("length") = key(
        4e3, "height of the top and bottom above the plane", "length > 0", '"4 kpc"')
    cells: Cells = key(
        (200, 200), "cells in radius and in height; the upper half alone is computed, the two are "
        "mirror images", "two whole numbers 8 to 2000")
    first_cell: quantity("length") = key(
        10.0, "height of the cells at the plane; further away they grow in equal ratios",
        "length > 0, at most half_height / cells", '"10 pc", or that')
    sun: quantity("length") = key(
        8500.0, "the Sun's distance from the centre", "length > 0, below radius",
        '"8.5 kpc"')


class Diffusion(Section):
    """The diffusion coefficient D(r, z, R)."""

    model: Literal["uniform", "exponential", "source-dependent", "source-power"] = key(
        "uniform", "uniform: D0 beta^velocity_exponent (R/rigidity)^slope; exponential: times "
        "exp(|z|/scale_height); source-dependent: D0 F beta^velocity_exponent (R/rigidity)^(slope "
        "F), F from n_m, xi, index and the sources (Tomassetti 2012; Guo & Yuan 2018); "
        "source-power: exponential times max[q^tau, floor q^-tau], q the sources' density over "
        "that at the Sun (Evoli et al. 2012)",
        '"uniform", "exponential", "source-dependent" or "source-power"')
    coefficient: quantity("diffusion") = key(
        2.7e28, "D0", "diffusion coefficient > 0", '"2.7e28 cm2/s"')
    rigidity: quantity("rigidity") = key(
        4e-6, "rigidity at which D is D0", "rigidity > 0", '"4 GV"')
    slope: number(least=0, most=2) = key(0.6, "exponent of the rigidity", "number 0 to 2")
    velocity_exponent: number(least=-3, most=3) = key(
        0.0, "exponent of beta = v/c in D", "number -3 to 3")
    scale_height: quantity("length") | None = key(
        None, "height over which D grows by e", "length > 0",
        '"4 kpc" with "exponential" and "source-power"')
    n_m: number(above=0, most=10) | None = key(
        None, 'N_m of "source-dependent": F = N_m/(1 + f) in the plane, f the sources\' density '
        "over that at the Sun, without largest_radius", "number > 0, <= 10",
        "0.62 with that model")
    xi: number(above=0, most=1) | None = key(
        None, 'share of the half height within which F rises to 1, of "source-dependent"',
        "number > 0, <= 1", "0.1 with that model")
    index: number(above=0, most=20) | None = key(
        None, 'exponent of that rise, of "source-dependent"', "number > 0, <= 20",
        "4 with that model")
    tau: number(least=0, most=3) | None = key(
        None, 'exponent of the sources\' density, of "source-power"', "number 0 to 3",
        "0.85 with that model")
    floor: number(least=0, most=1) | None = key(
        None, "what diffusion along the spiral arms adds where there are few sources: D is at least"
        ' floor q^-tau, of "source-power"', "number 0 to 1", "0.01 with that model")
    frozen_radius: quantity("length", zero=True) | None = key(
        None, "radius within which the sources' density in D is that at this radius, of "
        '"source-power"', "length >= 0", '"3 kpc" with that model')
    alfven_speed: quantity("speed", zero=True) = key(
        0.0, "v_A of reacceleration in the whole halo", "speed >= 0", '"0 km/s"')
    wind: quantity("speed", zero=True) = key(
        0.0, "speed of the wind away from the plane", "speed >= 0", '"0 km/s"')


class Sources(Section):
    """Where cosmic rays are injected: a steady, axisymmetric disc."""

    distribution: Literal[DISTRIBUTIONS] = key(
        "lorimer2006", "surface density against radius: pulsars (lorimer2006, lorimer2004, "
        "yusifov2004, faucher2006), supernova remnants (case1996, case1998, green2015), "
        "supernovae (ferriere2001), a fit (trotta2011), or uniform",
        ", ".join(f'"{name}"' for name in DISTRIBUTIONS))
    scale_height: quantity("length") = key(
        200.0, "h of the density exp(-|z|/h)", "length > 0", '"200 pc"')
    largest_radius: quantity("length") | None = key(
        None, "no sources beyond", "length > 0", "halo.radius")


class Nuclei(Section):
    """The nuclei that are followed, and what happens to them."""

    species: Annotated[one_or_more(str), AfterValidator(each_once)] = key(
        ("H1",), "nuclei by symbol and mass number", 'list of names such as "H1", "He4", "B11"')
    network: bool = key(
        False, "spallation makes lighter nuclei of the list out of heavier ones; needs "
        "energies.per_nucleon", "true or false")
    inelastic: bool = key(True, "collisions with the gas destroy nuclei", "true or false")
    decay: bool = key(True, "radioactive nuclei decay", "true or false")
    ionisation: bool = key(
        False, "energy losses by ionisation and Coulomb collisions; need energies.per_nucleon",
        "true or false")


class Energies(Section):
    """The energies at which the equation is solved, in equal ratios."""

    rigidity: Annotated[one_or_more(quantity("rigidity")), AfterValidator(_two),
                        AfterValidator(increasing)] | None = key(
        None, "first and last rigidity, the same for all nuclei", "two rigidities",
        '["10 GV", "10 PV"] without per_nucleon')
    per_nucleon: Annotated[one_or_more(quantity("energy")), AfterValidator(_two),
                           AfterValidator(increasing)] | None = key(
        None, "first and last kinetic energy per nucleon, the same for all nuclei: what spallation "
        "keeps", "two energies; not together with rigidity", "none")
    count: whole(2, 1000) = key(40, "number of energies", "whole number 2 to 1000")


class Injection(Section):
    """Spectra at the sources: Q ~ R^-slope exp(-R/R_c), R_c a rigidity times Z or A over Z."""

    slope: one_or_more(number(least=0, most=6)) = key(
        (2.2,), "exponent of the rigidity",
        "number, or one per species")
    break_rigidity: quantity("rigidity") | None = key(
        None, "below it the slope is slope_below", "rigidity > 0", "none")
    slope_below: one_or_more(number(least=-3, most=6)) | None = key(
        None, "with break_rigidity", "number, or one per species", "none")
    cutoff: quantity("rigidity") | None = key(
        None, "R_c of the exponential cutoff; none: no cutoff", "rigidity > 0", "none")
    cutoff_in: Literal["Z", "A"] = key(
        "Z", "the cutoff energy grows with the charge (one rigidity for all), or with the mass "
        "(one energy per nucleon for all; cutoff is then that of protons)", '"Z" or "A"')
    abundance: one_or_more(number(least=0)) | None = key(
        None, "relative injection at equal momentum per nucleon (at 1 GeV/c of it, if slopes "
        "differ); secondaries have 0",
        "list, one per species", "with nuclei.network those of measurements/nuclei.csv; else "
        "by flux")
    flux: one_or_more(quantity("flux", zero=True)) | None = key(
        None, "background flux at flux_energy, one per species, instead of abundance; with "
        "abundance one value: that of the first species", "list of fluxes",
        '"0.0191 / (GeV m2 s sr)" where H1 is the first')
    flux_energy: quantity("energy") = key(
        100.0, "energy at which flux is given: total energy for protons, total energy per nucleon "
        "for others", "energy > 0", '"100 GeV"')
    normalisation: Literal["given", "fitted"] = key(
        "given", "given: the background as flux says and the local source as amount says; fitted: "
        "both fitted, per species, to measured proton, helium and all-particle fluxes",
        '"given" or "fitted"')


class LocalSource(Section):
    """A burst near the Sun beside the background, in infinite space of the Sun's D."""

    name: str | None = key(
        None, "a source of the catalogue, which gives distance, age and direction",
        "a name as in `hpc-cr data sources`", "none: no local source")
    distance: quantity("length") | None = key(
        None, "distance from the Sun", "length > 0", "the catalogue's")
    age: quantity("time") | None = key(
        None, "time since the burst", "time > 0", "the catalogue's")
    direction: Direction | None = key(
        None, "where the source is", "[l, b] in degrees, Galactic", "the catalogue's")
    amount: one_or_more(quantity("amount", zero=True)) | None = key(
        None, "q0 of the injected spectrum q0 (R/GV)^-slope exp(-R/cutoff), one per species",
        "numbers per rigidity", "needed with a source")
    slope: one_or_more(number(least=0, most=6)) = key(
        (2.2,), "exponent of the rigidity", "number, or one per species")
    cutoff: quantity("rigidity") | None = key(None, "R_c", "rigidity > 0", "none: no cutoff")
    kernel: Literal["isotropic", "anisotropic"] = key(
        "isotropic", "how the burst spreads: with the same D in all directions, or with the tensor "
        "of [local_field]; the dipole follows the tensor in either case",
        '"isotropic" or "anisotropic"')


class LocalField(Section):
    """The magnetic field around the Sun, along which diffusion is faster than across it."""

    direction: Direction | None = key(
        None, "where the field points to, or the opposite", "[l, b] in degrees, Galactic",
        "none: isotropic diffusion")
    ratio: number(above=0, most=1) | None = key(
        None, "D_perp/D_par at diffusion.rigidity; D_par is the D of [diffusion] at the Sun",
        "number > 0, <= 1", "0.01 with a direction")
    ratio_slope: number(least=-2, most=2) | None = key(
        None, "exponent of the rigidity in D_perp/D_par, which is at most 1", "number -2 to 2",
        "0.32 with a direction")
