"""Tables of `hpc-cr data spectra`: measured spectra and ratios, and the points of one of them."""

from hpc_cr.measurements import spectra

_AXES = {"rigidity": "GV", "kinetic": "GeV", "nucleon": "GeV/n", "total": "GeV"}


def list_all(stream):
    """Quantities and experiments, a line each.

    Parameters
    ----------
    stream : file
    """
    from hpc_cr.cli.table import print_table

    header = [("quantity", ""), ("experiment", ""), ("points", ""), ("axis", ""), ("energy", ""),
              ("reference", "")]  # fmt: skip
    rows = []
    for quantity in spectra.quantities():
        groups = {}
        for p in spectra.points(quantity):
            groups.setdefault((p.experiment, p.axis, p.reference), []).append(p.energy)
        for (experiment, axis, reference), energies in groups.items():
            rows.append([quantity, experiment, str(len(energies)), axis,
                         f"{min(energies):.3g} to {max(energies):.3g} {_AXES[axis]}",
                         reference])  # fmt: skip
    left = ("quantity", "experiment", "axis", "reference")
    print_table(header, rows, stream, dispensable=("reference",), left=left)
    print("hpc-cr data spectra QUANTITY shows the points.", file=stream)


def show(points, stream):
    """The points of one quantity with errors and references.

    Parameters
    ----------
    points : sequence of hpc_cr.measurements.spectra.SpectrumPoint
    stream : file
    """
    from hpc_cr.cli.table import print_table

    ratio = points[0].quantity in spectra.RATIOS
    sources = list(dict.fromkeys(_source(p) for p in points))
    header = [("experiment", ""), ("energy", ""), ("value", "" if ratio else "1/(unit m2 s sr)"),
              ("statistical", ""), ("systematic", ""), ("ref.", "")]  # fmt: skip
    rows = [
        [p.experiment, f"{p.energy:.4g} {_AXES[p.axis]}", f"{p.value:.4g}",
         _errors(p.stat_low, p.stat_high), _errors(p.sys_low, p.sys_high),
         f"[{sources.index(_source(p)) + 1}]"]
        for p in points
    ]  # fmt: skip
    print_table(header, rows, stream, left=("experiment",))
    for number, text in enumerate(sources, 1):
        print(f"[{number}] {text}", file=stream)


def _source(p):
    remark = f" ({p.remark})" if p.remark else ""
    return f"{p.reference}{remark}{f', doi:{p.doi}' if p.doi else ''}"


def _errors(low, high):
    if not high > 0:
        return "-"
    return f"+- {high:.2g}" if low == high else f"+{high:.2g} -{low:.2g}"
