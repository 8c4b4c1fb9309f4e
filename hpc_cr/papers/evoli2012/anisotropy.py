"""The dipole of the background: reduction with tau and floor, amplitude and phase (figure 3)."""

import numpy as np

from hpc_cr.figures.anisotropy_tau import amplitudes
from hpc_cr.galaxy.local_field import equatorial
from hpc_cr.measurements import dipole as measured
from hpc_cr.papers.evoli2012.cases import (
    NONE,
    PAPER,
    REFERENCE,
    floors,
    scan,
    statement,
    within,
)

ENERGY_GEV = 1e3
REDUCTION, ALMOST = 10.0, 0.7
"""The factor of the paper, and the least part of it that is taken as almost."""
MEASURED_PEV = (5e-5, 5e-3)
"""Energies of measured dipoles, up to a few TeV."""
FACTOR = 2.0


def numerical(case, energy_GeV=ENERGY_GEV):
    """Relative error of the dipole by the cells: a third of the change from half of them."""
    number = case.number("H1")
    changes = case.convergence()[1][number]
    at = int(np.argmin(np.abs(np.log(case.rigidities_GV[number] / energy_GeV))))
    slope = case.gradient(case.rigidities_GV[number][at : at + 1], ["H1"], "background")[0, 0]
    return abs(changes[at] / slope) / 3


def reduction(found):
    """Dipole at tau = 1 for several floors, and along tau."""
    cases = scan(found, PAPER)
    if NONE not in cases:
        return []
    start = amplitudes([cases[NONE]], [ENERGY_GEV])[0, 0]
    own = {tau: start / amplitudes([case], [ENERGY_GEV])[0, 0] for tau, case in cases.items()}
    along = ", ".join(f"{factor:.2f} ({tau:g})" for tau, factor in own.items())
    rows = []
    for k, case in floors(found).items():
        factor = start / amplitudes([case], [ENERGY_GEV])[0, 0]
        error = factor * np.hypot(numerical(case), numerical(cases[NONE]))
        rows.append(statement(
            "p. 3", f"dipole at 1 TeV, tau = 0 over tau = 1, floor k = {k:g}", "almost 10", factor,
            within(factor, ALMOST * REDUCTION, REDUCTION), error=error,
            note=f"almost: {ALMOST * REDUCTION:g} to {REDUCTION:g}; k is not printed"
                 + (f"; along tau: {along}" if case is cases.get(1.0) else "")))
    sizes = [start / row.value for row in rows]
    if len(sizes) > 1:
        spread = max(sizes) / min(sizes)
        rows.append(statement(
            "p. 3", "change of the dipole by the parallel term, tau = 1, largest over least",
            "almost no effect", spread, within(spread, 1.0, 1.1),
            note=f"floors {', '.join(f'{k:g}' for k in floors(found))}; almost none: up to 1.1"))
    return rows


def measured_amplitudes():
    """Energies (GeV), amplitudes and phases (deg) within MEASURED_PEV, upper limits left out."""
    points = [p for p in measured.for_figures(measured.current().points)
              if MEASURED_PEV[0] <= p.energy <= MEASURED_PEV[1] and not p.upper_limit]  # fmt: skip
    return np.array([[p.energy * 1e6, p.amplitude, p.phase_deg] for p in points]).T


def figure_3(found):
    """Amplitude against energy."""
    energy, amplitude, _ = measured_amplitudes()
    rows = []
    for tau, case in scan(found, PAPER).items():
        if tau not in (NONE, REFERENCE, 1.0):
            continue
        model = amplitudes([case], energy)[0]
        use = np.isfinite(model)
        if np.count_nonzero(use) < 3:
            continue
        ratio = np.log(model[use] / amplitude[use])
        value, error = np.exp(ratio.mean()), np.exp(ratio.mean()) * ratio.std(ddof=1)
        error /= np.sqrt(use.sum())
        slope = np.polyfit(np.log(energy[use]), ratio, 1)[0]
        at = amplitudes([case], [1e2, 1e3, 1e4])[0]
        is_like = 1 / FACTOR <= value <= FACTOR
        rows.append(statement(
            "figure 3", f"dipole over measured amplitudes, 50 GeV to 5 TeV, tau = {tau:g}",
            {NONE: "too large", REFERENCE: "as measured"}.get(tau, "not given"), value,
            "open" if tau == 1 else "agrees" if is_like == (tau == REFERENCE) else "differs",
            error=error,
            note=f"geometric mean over {use.sum()} points, error from their scatter; as measured:"
                 f" within a factor {FACTOR:g}; it grows as E^{slope:.2f};"
                 f" {at[0]:.1e}, {at[1]:.1e}, {at[2]:.1e} at 0.1, 1, 10 TeV; printed amplitudes are"
                 " those in right ascension, 0.88 of a dipole towards the Galactic centre"))
    return rows


def phase(found):
    """Direction of the dipole: the Galactic centre, not where it is measured."""
    cases = scan(found, PAPER)
    if not cases:
        return []
    case = cases.get(REFERENCE, next(iter(cases.values())))
    hours = float(equatorial(case.dipoles([ENERGY_GEV]))[1][0])
    _, _, phases = measured_amplitudes()
    phases = np.radians(phases[np.isfinite(phases)])
    mean = np.degrees(np.angle(np.exp(1j * phases).mean()))
    away = abs((15 * hours - mean + 180) % 360 - 180)
    return [statement(
        "p. 4", "right ascension of the global dipole from that measured below 5 TeV",
        "compatible", away, within(away, 0, 30), "deg",
        note=f"the excess comes from the Galactic centre, {hours:.2f} h; measured"
             f" {mean % 360 / 15:.1f} h (mean of {len(phases)} phases); compatible: within 30 deg")]
