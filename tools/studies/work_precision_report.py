"""Tables and figures of the study of work and precision, from its JSON document."""

import numpy as np
from rich.table import Table

LEVELS = (1e-2, 1e-3, 1e-4)
"""Errors of direction (rad) at which integrators are compared."""


def work_at(curve, level, stop=0):
    """Evaluations per gyroradius for a median error of direction, between settings by power laws.

    Parameters
    ----------
    curve : dict
        A `trajectory_errors.Curve`.
    level : float
        rad.
    stop : int

    Returns
    -------
    float
        NaN outside what was measured.
    """
    work = np.array(curve["work"])
    error = np.array(curve["error"])[:, stop, 0, 0]
    # the smallest error that so much work reaches: more work is never worse
    best = np.log(np.minimum.accumulate(error))
    if not best[-1] <= np.log(level) <= best[0]:
        return np.nan
    return float(np.exp(np.interp(np.log(level), best[::-1], np.log(work)[::-1])))


def _trajectory_table(found):
    table = Table(title="evaluations of the field per gyroradius for a median error of direction"
                        " after 5 gyroradii")
    table.add_column("integrator")
    settings = [(name, interpolation) for name, by in found.items() for interpolation in by]
    for name, interpolation in settings:
        for level in LEVELS:
            table.add_column(f"{name}, {interpolation}: {level:g} rad", justify="right")
    first = found[settings[0][0]][settings[0][1]]
    for number, curve in enumerate(first["curves"]):
        cells = []
        for name, interpolation in settings:
            work = [work_at(found[name][interpolation]["curves"][number], level)
                    for level in LEVELS]
            cells += [f"{value:.1f}" if np.isfinite(value) else "-" for value in work]
        table.add_row(curve["name"], *cells)
    cells = []
    for name, interpolation in settings:
        apart = np.array(found[name][interpolation]["references_apart"])
        cells += [f"{apart[0, 0, 0]:.0e} rad", "", ""]
    table.add_row("references apart (median)", *cells)
    return table


def _response_table(found):
    table = Table(title="change of M and <X X>/2T from fine steps, %")
    for name in ("regime", "stop, pc", "r_g/h", "h/L_min", "M", "<X X>/2T"):
        table.add_column(name, justify="left" if name == "regime" else "right")
    for regime, entry in found.items():
        for stop, length in enumerate(entry["stops_pc"]):
            rows = [(f"{entry['gyroradius_pc'] / step:.3g}",
                     f"{step / entry['shortest_wave_pc']:.3g}") for step in entry["steps_pc"]]
            rows += [(label, "") for label in entry["candidates"]]
            for number, row in enumerate(rows):
                changes = [f"{100 * entry[key]['change'][number][stop]:+.2f} +- "
                           f"{100 * entry[key]['change_error'][number][stop]:.2f}"
                           for key in ("response", "diffusion")]
                table.add_row(regime if number == 0 else "", f"{length:.3g}", *row, *changes)
            table.add_section()
    return table


def tables(document):
    """Tables of the parts that a document holds (list of rich.table.Table)."""
    makers = {"trajectories": _trajectory_table, "response": _response_table}
    return [make(document[part]) for part, make in makers.items() if document.get(part)]


STYLES = {
    "Boris": ("BLACK", "-", "o"),
    "Boris, plain angle": ("GREY", "--", "o"),
    "Boris, adaptive": ("ORANGE", "-", "s"),
    "Boris, 3 coarsest levels every 2 steps": ("GREEN", "-", "^"),
    "Boris, 2 coarsest levels every 4 steps": ("GREEN", "--", "^"),
    "Yoshida": ("SKY", "--", "v"),
    "Blanes-Moan": ("BLUE", "-", "v"),
    "commutator-free": ("PURPLE", "-", "D"),
    "Cash-Karp": ("VERMILLION", "-", "x"),
}
"""Integrators that are drawn: colour, line, marker."""


def _draw_trajectories(found, path):
    from hpc_cr.figures import style

    columns = max(len(by) for by in found.values())
    with style.context():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(style.DOUBLE, 2.7 * len(found) + 0.6), layout="constrained")
        axes = figure.subplots(len(found), columns, sharex=True, sharey=True, squeeze=False)
        for row, (name, by) in zip(axes, found.items(), strict=True):
            for axis, (interpolation, entry) in zip(row, by.items(), strict=False):
                for curve in entry["curves"]:
                    if curve["name"] not in STYLES:
                        continue
                    colour, line, marker = STYLES[curve["name"]]
                    axis.loglog(curve["work"], np.array(curve["error"])[:, 0, 0, 0], line,
                                color=getattr(style, colour), marker=marker, markersize=3,
                                linewidth=1, label=curve["name"])
                axis.set(title=f"{name}, {interpolation}", xlim=(1, 600), ylim=(1e-7, 1))
        for axis in axes[-1]:
            axis.set_xlabel("field evaluations per gyroradius")
        for row in axes:
            row[0].set_ylabel("error of direction after 5 $r_g$ [rad]")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        figure.savefig(path, dpi=130)


def _draw_response(found, path):
    from hpc_cr.figures import style

    found = {name: entry for name, entry in found.items() if not entry["candidates"]}
    colours = dict(zip(found, style.SEQUENCE, strict=False))
    with style.context():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(style.DOUBLE, 2.9), layout="constrained")
        panels = figure.subplots(1, 2)
        for name, entry in found.items():
            steps = np.array(entry["steps_pc"])
            # where the gyroradius is above the coherence length the step is set by the waves
            long = entry["gyroradius_pc"] > entry["coherence_length_pc"]
            axis = panels[1 if long else 0]
            shown = name.replace("r_g", "$r_g$").replace("L_c", "$L_c$")
            x = steps / entry["shortest_wave_pc"] if long else entry["gyroradius_pc"] / steps
            for key, line, fill in (("response", "-", "full"), ("diffusion", "--", "none")):
                change, error = (100 * np.array(entry[key][part])[:, -1]
                                 for part in ("change", "change_error"))
                label = {"response": "$M$", "diffusion": r"$\langle X X\rangle/2T$"}[key]
                axis.errorbar(x, change, error, marker="o", markersize=3, linestyle=line,
                              fillstyle=fill, linewidth=1, capsize=2, color=colours[name],
                              label=f"{shown}, {label}")
            if long:
                false = np.array(entry["false_scattering"])
                axis.plot(x, 100 * (1 / (1 + false) - 1), ":", color=style.BLACK, linewidth=1,
                          label="theory" if "theory" not in axis.get_legend_handles_labels()[1]
                          else None)
        for axis in panels:
            axis.axhspan(-1, 1, color="0.9", zorder=0)
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter("{x:g}")
            axis.xaxis.set_minor_formatter("")
            if axis.lines:
                axis.legend(fontsize=6, loc="lower right" if axis is panels[0] else "lower left")
        panels[0].set(xlabel="steps per gyroradius", xticks=[2, 3, 4, 5, 6, 8, 12, 16],
                      ylabel="change from fine steps [%]")
        panels[1].set(xlabel="step / shortest wave", xticks=[0.5, 1, 1.5, 2, 3, 4, 6])
        figure.savefig(path, dpi=130)


def draw(document, output):
    """Draw the figures of the parts that a document holds beside its file.

    Returns
    -------
    list of Path
    """
    makers = {"trajectories": (_draw_trajectories, "trajectories"),
              "response": (_draw_response, "response")}
    paths = []
    for part, (make, suffix) in makers.items():
        if document.get(part):
            path = output.with_name(f"{output.stem}_{suffix}.png")
            make(document[part], path)
            paths.append(path)
    return paths
