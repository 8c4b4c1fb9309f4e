"""Dipole of the background against energy and against the model of diffusion (Evoli et al. 2012,
figure 3).

Left: 3 D |dN/dr|/(v N) of all nuclei of an energy together (with a local field the length of
3 D_ij d_j N/(v N), D_ij the tensor along it), with the measured amplitudes at the energy of
protons. Right: the dipole at one energy over that of the case with tau = 0, against tau, for each
floor k of D ~ max[q^tau, k q^-tau]: D at the Sun is about the same for all, as B/C asks, and what
is reduced is the gradient.
"""

import numpy as np

from hpc_cr.figures import galaxy_cases, measured, style
from hpc_cr.figures.panels import FigureError

COMPARED_GEV = 1e3
POINTS = 60


def amplitudes(cases, energy_GeV):
    """Dipoles of all nuclei together, without a local source.

    Parameters
    ----------
    cases : sequence of hpc_cr.io.galaxy.GalaxyResults
    energy_GeV : array (n,)
        Total energies.

    Returns
    -------
    ndarray (n_case, n)
        NaN where a case has not all of its nuclei, or none of any.
    """
    found = []
    for case in cases:
        parts = [part for part in case.components(energy_GeV) if part.part == "background"]
        flux = np.array([part.flux for part in parts])[..., None]
        flows = (flux * [part.dipole for part in parts]).sum(0)
        total = np.divide(flows, flux.sum(0), out=np.full_like(flows, np.nan),
                          where=flux.sum(0) > 0)  # fmt: skip
        found.append(np.linalg.norm(total, axis=-1))
    return np.array(found)


def reductions(cases, energy_GeV=COMPARED_GEV):
    """Dipole over that of tau = 0 with all else but D0 and the floor the same.

    Parameters
    ----------
    cases : sequence of GalaxyResults
    energy_GeV : float

    Returns
    -------
    dict of str to ndarray (n, 2)
        For each floor and variant: tau, ascending, and the ratio.
    """
    scan = [case for case in cases if case.job.diffusion.tau is not None]
    if not scan:
        return {}
    size = amplitudes(scan, [energy_GeV])[:, 0]
    others = [galaxy_cases.variant(case, scan) for case in scan]
    floors = [other.pop("diffusion.floor", None) for other in others]
    names = [", ".join(other.values()) for other in others]
    start = {name: one for case, name, one in zip(scan, names, size, strict=True)
             if case.job.diffusion.tau == 0}  # fmt: skip
    found = {}
    for case, name, floor, one in zip(scan, names, floors, size, strict=True):
        tau = case.job.diffusion.tau
        if tau > 0 and name in start:  # the floor does nothing at tau = 0
            text = ", ".join(filter(None, (floor or f"k = {scan[0].job.diffusion.floor:g}", name)))
            found.setdefault(text, []).append((tau, one / start[name]))
    return {text: np.array([(0.0, 1.0), *sorted(points)]) for text, points in found.items()}


def draw(opened, options):
    """A line per case; the second panel where there is a case with tau = 0.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.galaxy.GalaxyResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Cases that are not there, not complete or without a common energy, or unknown
        measurements.
    """
    from matplotlib.lines import Line2D

    cases = galaxy_cases.select(opened, options)
    low, high = _range(cases)
    energy = np.geomspace(low, high, POINTS)
    found, reduced = amplitudes(cases, energy), reductions(cases)
    for case, values in zip(cases, found, strict=True):
        if not (values > 0).any():
            raise FigureError(f"{case.path}: {galaxy_cases.name(case)} has no dipole at any energy:"
                              " the flux of some nucleus is not known")  # fmt: skip
    points = measured.within(measured.chosen(options), low / 1e6, high / 1e6)
    measured.require(options, points, f"between {low / 1e6:.3g} and {high / 1e6:.3g} PeV")
    columns = 4 if reduced else 2
    figure, axes = style.panels(columns // 2, 2.7, extra=galaxy_cases.room(len(cases) + 3, columns))
    look = measured.grouped_looks(points)
    measured.draw_against_energy(axes[0], points, look)
    handles = []
    texts, looks = galaxy_cases.labels(cases), galaxy_cases.looks(cases)
    for values, text, line in zip(found, texts, looks, strict=True):
        axes[0].plot(energy / 1e6, values, zorder=4, **line)
        handles.append(Line2D([], [], label=text, **line))
    axes[0].set_xscale("log")
    axes[0].set_yscale("log")
    axes[0].set_xlim(low / 1e6, high / 1e6)
    axes[0].set_xlabel("energy [PeV]")
    axes[0].set_ylabel(_drawn(cases))
    if reduced:
        _reduction(axes[1], reduced)
    figure.suptitle(galaxy_cases.model(cases[0]), fontsize=8)
    style.legend_below(figure, handles + measured.grouped_handles(points, look), columns)
    return figure


def _drawn(cases):
    """What the curves are: with a local field the flow is not along the gradient."""
    if all(case.job.local_field.direction is None for case in cases):
        return r"dipole $3 D\,|\partial_r N|/(v N)$"
    return r"dipole $3\,|D_{ij}\,\partial_j N|/(v N)$"


def _range(cases):
    """Total energies in GeV that all nuclei of all cases have, or a FigureError."""
    from hpc_cr.galaxy.spectra import total_energy

    ends = [[total_energy(at[i], s.z, s.a) for i in (0, -1)] for case in cases
            for s, at in zip(case.nuclei, case.rigidities_GV, strict=True)]
    low, high = np.max([e[0] for e in ends]), np.min([e[1] for e in ends])
    if not low < high:
        raise FigureError(f"{cases[0].path}: no energy is common to all nuclei of all cases")
    return low, high


def _reduction(axes, reduced):
    for number, (text, values) in enumerate(reduced.items()):
        axes.plot(*values.T, marker="osD^v<>"[number % 7], markersize=4, linewidth=1.1, label=text,
                  color=style.SEQUENCE[number % 7], markerfacecolor="none")
    axes.set_ylim(0, 1.05)
    axes.set_xlabel(r"$\tau$")
    axes.set_ylabel(rf"dipole at {COMPARED_GEV / 1e3:g} TeV over $\tau$ = 0")
    axes.legend(loc="lower left")
