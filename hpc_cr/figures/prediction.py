"""The dipole that the Galaxy's gradient makes in the local turbulence, against energy.

From two files: the responses of an anisotropy job, one per realisation of the turbulence around the
Sun, and the gradients of a galaxy job. Above: amplitude of the equatorial dipole, below: right
ascension of its maximum; the scatter over realisations, their median, and the dipole of the mean
response (with the symmetry of the turbulence), beside what has been measured. Grey: the same
gradients in a medium with the diffusion tensor of the galaxy job. Where less than COVERED of the
flux has rigidities of the anisotropy job, lines are dotted; below LEAST there are none.

The turbulence's own diffusion along the field need not be that of the Galaxy, whose D fits B/C.
With --normalise responses are scaled, at every rigidity, so that their mean along the
field is 3 D/c of the galaxy job: the size is then the Galaxy's, direction and scatter remain the
turbulence's.
"""

from dataclasses import replace

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.prediction import Nucleus, predict
from hpc_cr.detector import harmonics
from hpc_cr.figures import measured, style
from hpc_cr.figures.panels import (
    FigureError,
    by_rigidity,
    check_cases,
    range_of_stops,
    select,
)

COVERED, LEAST = 0.9, 0.5
PER_DECADE = 12
"""Energies."""
SINGLE = 3
"""Realisations drawn one by one."""


def draw(opened, options):
    """A pair of panels, amplitude above phase, per anisotropy file, case and stop.

    Parameters
    ----------
    opened : sequence of Results
        One galaxy file, the others of anisotropy jobs, in any order.
    options : hpc_cr.figures.panels.Options
        cases may name cases of either; without, all anisotropy cases and of the galaxy file the
        one that the anisotropy job took its gradient from, or the first.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        The files are not of these kinds, or a response cannot be used; one line.
    """
    galaxy, skies = _files(opened)
    check_cases(opened, options)
    own = tuple(name for name in options.cases if any(name in s.case_names for s in skies))
    panels = select(skies, replace(options, cases=own, normalisation="physical"), "all")
    groups = _groups(panels)
    case = _galaxy_case(galaxy, options, panels[0].results)
    energies = _energies(groups)
    shown = measured.within(measured.chosen(options), energies[0], energies[-1])
    measured.require(options, shown, f"between {energies[0]:.3g} and {energies[-1]:.3g} PeV")
    look = measured.grouped_looks(shown)
    figure, axes = style.panels(2 * len(groups), 2.4, extra=0.9)
    count = len(groups)
    columns = min(count, 2)
    for number, group in enumerate(groups):
        block, column = divmod(number, columns)
        # rows of amplitudes and of phases in turn
        top = axes[2 * columns * block + column if count > 1 else 0]
        bottom = axes[2 * columns * block + columns + column if count > 1 else 1]
        _pair(top, bottom, group, case, energies, options)
        measured.draw_against_energy(top, shown, look)
        measured.draw_phases(bottom, shown, look)
        _finish(top, bottom, energies, column == 0)
        title = group[0].title(rigidity=False, stop=False, normalisation=False)
        top.set_title(f"{title}, {range_of_stops(group)}", linespacing=1.3)
    style.legend_below(figure, _entries(axes[0]) + measured.grouped_handles(shown, look), 3)
    figure.suptitle(f"gradient: {case.path.stem}" + (f", {case.case}" if case.case else "")
                    + ("; responses scaled to its diffusion"
                       if options.normalisation == "diffusion" else ""), fontsize=8)  # fmt: skip
    return figure


def _entries(axes):
    """Legend entries of the predictions."""
    found = []
    for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
        if not text.startswith(measured.GID):
            handle.set_label(text)
            found.append(handle)
    return found


def _files(opened):
    """The galaxy file and the others."""
    galaxy = [results for results in opened if results.kind == "galaxy"]
    skies = [results for results in opened if results.kind == "anisotropy"]
    if len(galaxy) != 1 or not skies or len(galaxy) + len(skies) != len(opened):
        raise FigureError(f"{opened[0].path}: prediction needs one file of kind \"galaxy\" and one"
                          " or more of kind \"anisotropy\"")
    return galaxy[0], skies


def _galaxy_case(galaxy, options, sky):
    names = [name for name in options.cases if name in galaxy.case_names]
    if len(names) > 1:
        raise FigureError(f"{galaxy.path}: prediction needs one case of it, not {len(names)}")
    wanted = names[0] if names else sky.job.gradient.case
    cases = {case.case: case for case in galaxy.each_case()}
    if wanted is not None and wanted not in cases:
        raise FigureError(f"{galaxy.path}: no case {wanted!r}, which the gradient of "
                          f"{sky.path} comes from; name one with --case")
    case = next(iter(cases.values())) if wanted is None else cases[wanted]
    if not case.complete:
        raise FigureError(f"{galaxy.path}: not complete; hpc-cr run --resume completes it")
    return case


def _groups(panels):
    """Panels of one file, case and stop together, by rigidity."""
    groups = by_rigidity(panels)
    for group in groups:
        if len(group) < 2:
            raise FigureError(f"{group[0].results.path}: prediction needs two rigidities or more")
    return groups


def _energies(groups):
    """Energies in PeV over the rigidities of all groups."""
    low = min(group[0].rigidity for group in groups)
    high = max(group[-1].rigidity for group in groups)
    return np.geomspace(low, high, max(2, int(PER_DECADE * np.log10(high / low)) + 1))


def _responses(group, case, options):
    """(n_row, n_rig, 3, 3) of the rows that all rigidities have, in pc."""
    common = sorted(set.intersection(*(set(panel.rows) for panel in group)))
    if not common:
        raise FigureError(f"{group[0].results.path}: no realisation is finished at all rigidities")
    found = np.stack([panel.response[np.isin(panel.rows, common)] for panel in group], axis=1)
    if options.normalisation == "diffusion":
        wanted = 3 * np.linalg.eigvalsh(case.tensor(
            np.array([1e6 * panel.rigidity for panel in group])))[:, -1]
        along = ensembles.coefficients(found, group[0].symmetry)[..., 0].mean(axis=0)
        if not (along > 0).all():
            raise FigureError(f"{group[0].results.path}: the mean response cannot be scaled")
        found = found * (wanted / along)[:, None, None]
    return found


def nuclei_of(case, energies_PeV):
    """Every nucleus from both origins at energies (list of Nucleus).

    Parameters
    ----------
    case : hpc_cr.io.galaxy.GalaxyResults
    energies_PeV : ndarray (n,)
    """
    energy = 1e6 * np.asarray(energies_PeV, float)
    found = []
    for name in case.species:
        at = case.rigidity_at(name, energy)
        flux = case.flux(name, energy)
        for part in ("background", "local"):
            found.append(Nucleus(1e-6 * at, getattr(flux, part), case.gradient(at, [name], part)))
    return found


def _pair(top, bottom, group, case, energies, options):
    """Predictions of one group in both panels."""
    responses = _responses(group, case, options)
    rigidities = [panel.rigidity for panel in group]
    nuclei = nuclei_of(case, energies)
    found = predict(responses, rigidities, nuclei)
    amplitude, phase = _equatorial(found.dipoles)
    expected = ensembles.symmetrise(responses, group[0].symmetry).mean(axis=0)
    mean = _equatorial(predict(expected[None], rigidities, nuclei).dipoles)
    smooth = _equatorial(case.dipoles(1e6 * energies)[None])
    for least, most, style_of_line in ((COVERED, 2, "-"), (LEAST, COVERED, ":")):
        shown = (found.covered >= least) & (found.covered < most)
        if most == COVERED:  # up to the solid line
            shown |= np.roll(shown, 1) & (found.covered >= COVERED)
        _lines(top, bottom, energies, shown, amplitude, phase, mean, style_of_line)
    top.plot(energies, smooth[0][0], color="0.45", linestyle="--", linewidth=1.1,
             label="diffusion tensor of the galaxy job")  # fmt: skip
    _phase_line(bottom, energies, smooth[1][0], color="0.45", linestyle="--", linewidth=1.1)


def _lines(top, bottom, energies, shown, amplitude, phase, mean, line):
    if not shown.any():
        return
    solid = line == "-"
    x, a, p = energies[shown], amplitude[:, shown], phase[:, shown]
    low, median, high = np.quantile(a, [0.16, 0.5, 0.84], axis=0)
    top.fill_between(x, low, high, color=style.BLUE, alpha=0.2 if solid else 0.1, linewidth=0,
                     label="realisations, 16 % to 84 %" if solid else None)  # fmt: skip
    top.plot(x, median, color=style.BLUE, linestyle=line, linewidth=1.4,
             label="their median" if solid else None)  # fmt: skip
    for number in range(min(SINGLE, len(a))):
        top.plot(x, a[number], color=style.BLUE, linestyle=line, linewidth=0.5,
                 label="single realisations" if solid and not number else None)  # fmt: skip
    top.plot(x, mean[0][0][shown], color=style.GREEN, linestyle=line, linewidth=1.4,
             label="mean response" if solid else None)  # fmt: skip
    centre = _circular_mean(p)
    away = (p - centre + 180.0) % 360.0 - 180.0
    low, median, high = np.quantile(away, [0.16, 0.5, 0.84], axis=0)
    for turn in (-360.0, 0.0, 360.0):  # the axis cuts the circle
        base = measured.turned(centre) + turn
        for piece in _pieces(base):
            bottom.fill_between(x[piece], (base + low)[piece], (base + high)[piece],
                                color=style.BLUE, alpha=0.2 if solid else 0.1, linewidth=0)
    _phase_line(bottom, x, centre + median, color=style.BLUE, linestyle=line, linewidth=1.4)
    _phase_line(bottom, x, mean[1][0][shown], color=style.GREEN, linestyle=line, linewidth=1.4)


def _circular_mean(phases):
    """Of degrees (n, m) over the first axis."""
    turn = np.exp(1j * np.radians(phases)).mean(axis=0)
    return np.degrees(np.angle(turn))


def _pieces(values):
    """Slices between jumps of more than half a turn."""
    ends = [0, *(np.flatnonzero(np.abs(np.diff(values)) > 180.0) + 1), len(values)]
    return [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True) if b > a]


def _phase_line(axes, x, phase, **look):
    angle = measured.turned(phase)
    for piece in _pieces(angle):
        axes.plot(x[piece], angle[piece], **look)


def _equatorial(dipoles):
    """Amplitude and phase in degrees of (..., 3)."""
    return harmonics.amplitude_and_phase(harmonics.first_harmonic(dipoles, None))


def _finish(top, bottom, energies, left):
    for axes in (top, bottom):
        axes.set_xscale("log")
        axes.set_xlim(energies[0], energies[-1])
    top.set_yscale("log")
    bottom.set_ylim(-70, 290)
    bottom.set_yticks(range(-45, 271, 45), [f"{(hour / 15) % 24:g} h" for hour in
                                            range(-45, 271, 45)])  # fmt: skip
    bottom.set_xlabel("energy of the particle [PeV]")
    if left:
        top.set_ylabel(r"amplitude $|\delta|$ on the equator")
        bottom.set_ylabel("right ascension of the maximum")
