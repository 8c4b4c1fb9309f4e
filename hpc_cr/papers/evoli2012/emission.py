"""Gamma rays: emissivity against radius (figure 1), along the plane (figure 2), off the plane."""

import numpy as np

from hpc_cr.figures import emissivity, gamma_longitude, gamma_spectrum
from hpc_cr.figures.panels import FigureError
from hpc_cr.galaxy.longitude import centre_over_anticentre, radial_fall, residual
from hpc_cr.measurements import emissivity as measured
from hpc_cr.papers.evoli2012.cases import (
    NONE,
    PAPER,
    REFERENCE,
    floors,
    scan,
    statement,
    within,
)

FALL_PC = (5e3, 15e3)
OUTER_PC = 13.5e3
"""Middle of the measured step from 12 to 15 kpc."""
STEP_PC = 500.0
LIKE = 1.3
"""Factor within which a prediction is taken to reproduce what has no errors."""
CHOSEN = (0.0, 0.2, 0.5, 0.7, 0.85, 0.9)
BEST = (0.7, 0.9)
SPECTRUM_GEV = (1.0, 30.0)


def measured_steps(r):
    """Emissivity (> 100 MeV) of Strong & Mattox 1996 at radii in pc, photons/(s sr H)."""
    rings = measured.points("radial")
    edges = 1e3 * np.array([p.radius_low_kpc for p in rings])
    return np.array([p.value for p in rings])[np.searchsorted(edges, r, "right") - 1]


def figure_1(found):
    """Fall of the emissivity with radius for every tau, against measured steps."""
    cases = scan(found, PAPER)
    try:
        curves = emissivity.curves(list(cases.values()))
    except FigureError:
        return []
    at = np.arange(FALL_PC[0], FALL_PC[1] + 1, STEP_PC)
    seen = float(radial_fall(at, measured_steps(at)))
    outer = float(measured_steps(OUTER_PC) / measured_steps(8500.0))
    falls, rows = {}, []
    for tau, (radii, values, sun) in zip(cases, curves, strict=True):
        falls[tau] = float(radial_fall(radii, values))
        share = np.interp(OUTER_PC, radii, values) / sun
        if tau not in CHOSEN:
            continue
        verdict = _like(share / outer, tau)
        rows.append(statement(
            "figure 1", f"q(> 100 MeV) at 13.5 kpc over that at the Sun, tau = {tau:g}",
            _said(tau), share, verdict,
            note=f"measured {outer:.2f} (Strong & Mattox 1996, without errors); reproduced: within"
                 f" a factor {LIKE:g}; mean fall of ln q from 5 to 15 kpc {falls[tau]:.3f}/kpc,"
                 f" measured steps {seen:.3f}/kpc; local q {sun:.2e} photons/(s sr H)"))
    tau = best_tau(falls, seen)
    rows.append(statement(
        "p. 3", "tau whose emissivity falls from 5 to 15 kpc as the measured steps do", "0.7-0.9",
        tau, within(tau, *BEST) if np.isfinite(tau) else "open",
        note=f"steps of EGRET: {seen:.3f}/kpc; falls here: "
             + ", ".join(f"{one:.3f} ({t:g})" for t, one in falls.items())
             + "; the paper judges by longitude profiles of Fermi-LAT, which cannot be had"))
    return rows


def best_tau(falls, seen):
    """tau at which the fall is the measured one, by interpolation; NaN where none is."""
    tau, fall = np.array(sorted(falls.items())).T
    if len(tau) < 2 or not fall.min() <= seen <= fall.max():
        return np.nan
    order = np.argsort(fall)
    return float(np.interp(seen, fall[order], tau[order]))


def _said(tau):
    if tau == NONE:
        return "not as measured"
    return "as measured" if BEST[0] <= tau <= BEST[1] else "steeper than measured"


def _like(ratio, tau):
    like = 1 / LIKE <= ratio <= LIKE
    return "agrees" if like == (BEST[0] <= tau <= BEST[1]) else "differs"


def figure_2(found):
    """Longitude profiles: tau = 0 is steeper; the floor hardly matters."""
    cases = scan(found, PAPER)
    if NONE not in cases or REFERENCE not in cases:
        return []
    angles = gamma_longitude.LONGITUDES
    others = [case for k, case in floors(found).items()]
    chosen = [cases[NONE], cases[REFERENCE], *others]
    try:
        found_profiles = gamma_longitude.profiles(chosen, angles)
    except FigureError:
        return []
    ratios = centre_over_anticentre(angles, found_profiles)
    shape = residual(found_profiles[0], found_profiles[1]) - 1
    inner, outer = shape[angles <= 30].mean(), shape[angles >= 150].mean()
    size = found_profiles[0] / found_profiles[1]
    rows = [
        statement("figure 2", "within 30 deg of the centre over the anticentre, tau = 0 over"
                  " tau = 0.85", "too steep", ratios[0] / ratios[1],
                  within(ratios[0] / ratios[1], 1.05, np.inf),
                  note=f"{ratios[0]:.2f} and {ratios[1]:.2f}; too steep if tau = 0.85 is as"
                       " measured: no Fermi-LAT profile can be had here"),
        statement("figure 2", "shape of tau = 0 over that of tau = 0.85, less 1, within 30 deg of"
                  " the centre", "overshoots", inner, within(inner, 0.02, np.inf),
                  note=f"intensities, not shapes: {size[angles <= 30].mean():.2f}"),
        statement("figure 2", "the same at the anticentre", "undershoots", outer,
                  within(outer, -np.inf, -0.02),
                  note=f"intensities, not shapes: {size[angles >= 150].mean():.2f}"),
    ]  # fmt: skip
    if len(others) > 1:
        spread = ratios[2:].max() / ratios[2:].min() - 1
        each = ", ".join(f"k = {k:g} {one:.2f}"
                         for k, one in zip(floors(found), ratios[2:], strict=True))
        rows.append(statement(
            "p. 3", "change of centre over anticentre by the parallel term, tau = 1",
            "almost no effect", spread, within(spread, 0, 0.1),
            note=f"{each}; almost none: up to 0.1"))
    return rows


def middle_latitudes(found):
    """Gamma rays of the gas at 10 < |b| < 20 degrees over the measured local emissivity."""
    points = [p for p in measured.points("spectrum")
              if SPECTRUM_GEV[0] <= p.energy_GeV <= SPECTRUM_GEV[1]]  # fmt: skip
    energy = np.array([p.energy_GeV for p in points])
    value = np.array([p.value for p in points])
    rows = []
    for tau, case in scan(found, PAPER).items():
        if tau not in (NONE, REFERENCE):
            continue
        lines = gamma_spectrum.lines_of_sight(case)
        try:
            model = energy**2 * gamma_spectrum.spectrum(case, lines, energy)
        except FigureError:
            continue
        ratio = model / (lines.column.mean() * value)
        rows.append(statement(
            "p. 3", f"gamma rays of the gas at 10-20 deg of latitude, 1 to 30 GeV, over measured,"
            f" tau = {tau:g}", "as measured", ratio.mean(),
            "open",
            note=f"{ratio.min():.2f} to {ratio.max():.2f}; measured: the emissivity of the local"
                 " gas (Casandjian 2015) times the same column; bremsstrahlung is left out here,"
                 " and inverse Compton, isotropic emission and sources in both: open"))
    return rows
