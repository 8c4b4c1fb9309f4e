"""The closing table of a galaxy job: fluxes at the Sun, gradient and dipole against energy."""

import numpy as np

from hpc_cr.cli.table import plain, print_table
from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.frames import lon_lat

DECADES = 10.0 ** np.arange(0, 9)
"""Energies that are printed, GeV."""
RATIOS = {"B/C": (("B10", "B11"), ("C12", "C13")), "10Be/9Be": (("Be10",), ("Be9",))}


def print_results(every, stop, stream):
    """Print what arrives at the Sun at each decade of energy; there is one stop."""
    for line in (
        "At the Sun, outside of the heliosphere, by total energy (GeV per nucleon for all but"
        " protons and the dipole):",
        "E^2.7 J of protons (H1) and others in GeV^1.7/(m2 s sr); local: share of the local source"
        " in all nuclei;",
        f"D and d ln N/dr of the background's {_leader(every[0])}; dipole of all nuclei: amplitude"
        " on the equator, right ascension of the maximum",
    ):
        print(plain(line, stream), file=stream)
    named = any(case.case for case in every)
    for case in every:
        if named:
            print(plain(f"case {case.case}", stream), file=stream)
        found = points(case)
        rows = [_row(point, case) for point in found]
        names = [f"{name} E^2.7 J" for name in shown_species(case)]
        header = [("energy", "GeV"), *((name, "") for name in names),
                  *((name, "") for name in _ratios(case)), ("local", "%"), ("D", "1e28 cm2/s"),
                  ("d ln N/dr", "1/kpc"), ("dipole", "1e-4"), ("phase", "h")]  # fmt: skip
        print_table(header, rows, stream, dispensable=("D", "local"))
        if case.job.injection.normalisation == "fitted":
            for line in ("factors fitted to measured fluxes:", *str(case.fit).splitlines()):
                print(plain(f"  {line}", stream), file=stream)
        if any(row["amplitude"] > 1 for row in found):
            print(plain("an amplitude above 1 says that diffusion is too fast for this equation",
                        stream), file=stream)  # fmt: skip
        flux, gradient = (np.nanmax(np.abs(a)) if np.isfinite(a).any() else np.nan
                          for a in case.convergence())  # fmt: skip
        print(plain(f"half the cells change fluxes by up to {100 * flux:.2g} % and gradients by"
                    f" {1e3 * gradient:.2g} / kpc; about a third of that is the error of the grid",
                    stream), file=stream)  # fmt: skip


def shown_species(case):
    """Protons, helium and carbon, as far as there are, else the first species."""
    wanted = [name for name in ("H1", "He4", "C12") if name in case.species]
    return wanted or list(case.species[:1])


def _ratios(case):
    return {name: parts for name, parts in RATIOS.items()
            if all(one in case.species for group in parts for one in group)}


def _row(point, case):
    cells = [f"{point['energy_GeV']:g}"]
    cells += [_number(point["flux"][name] * point["energy_GeV"] ** 2.7)
              for name in shown_species(case)]
    cells += [_number(point["ratios"][name]) for name in _ratios(case)]
    cells += [_number(100 * point["local_share"]), _number(point["diffusion_cm2_per_s"] / 1e28),
              _number(point["dlnN_dr_per_kpc"]), _number(1e4 * point["amplitude"]),
              _number(point["phase_h"])]
    return cells


def _number(value):
    return f"{value:.3g}" if np.isfinite(value) else "-"


def points(case):
    """What is printed, as a list of dicts, one per decade of energy within the file's range."""
    from hpc_cr.galaxy.local_field import equatorial

    leader = _leader(case)
    found = []
    for energy in DECADES:
        at = np.array([energy])
        flux = {name: _per_nucleon(case, name, at) for name in case.species}
        dipole = case.dipoles(at)
        rigidity = case.rigidity_at(leader, at * case.nuclei[case.number(leader)].a)
        gradient = case.gradient(rigidity, [leader], "background")[0]
        amplitude, hours = equatorial(dipole)
        if not np.isfinite(np.array(list(flux.values()))).any():
            continue
        parts = case.components(at)
        local = sum(part.flux[0] for part in parts if part.part == "local")
        whole = sum(part.flux[0] for part in parts)
        longitude, latitude = lon_lat(dipole[0])
        found.append({
            "energy_GeV": float(energy),
            "flux": {name: float(value) for name, value in flux.items()},
            "ratios": {name: float(sum(flux[one] for one in over) / sum(flux[one] for one in under))
                       for name, (over, under) in _ratios(case).items()},
            "local_share": float(local / whole),
            "diffusion_cm2_per_s": _along(case, rigidity),
            "dlnN_dr_per_kpc": float(-1e3 * gradient[0]),
            "dipole": dipole[0].tolist(),
            "dipole_l": float(longitude), "dipole_b": float(latitude),
            "amplitude": float(amplitude[0]), "phase_h": float(hours[0]),
        })  # fmt: skip
    return found


def _leader(case):
    """The nucleus whose coefficient and gradient are shown: protons, or the first one."""
    return "H1" if "H1" in case.species else case.species[0]


def _along(case, rigidity):
    """D along the local field at a rigidity (1,) in GV, cm^2/s."""
    if not np.isfinite(rigidity[0]):
        return np.nan
    return float(np.linalg.eigvalsh(case.tensor(rigidity)[0])[-1] * PC_C_CM2_PER_S)


def _per_nucleon(case, name, total):
    """Flux per GeV per nucleon at a total energy per nucleon (1,) GeV."""
    from hpc_cr.galaxy.spectra import nucleon_mass

    s = case.nuclei[case.number(name)]
    kinetic = total - nucleon_mass(s.a)
    if kinetic[0] <= 0:
        return np.nan
    return case.flux(name, kinetic, "nucleon").total[0]


def documents(cases):
    """The same for JSON: {"results": [...]}."""
    return {"results": [{"case": case.case, **point} for case in cases for point in points(case)]}
