"""`hpc-cr data`: the published measurements that figures show, and how to renew them."""

import re
import sys

import click


@click.group("data", invoke_without_command=True)
@click.pass_context
def command(ctx):
    """List the measurements that figures show, or renew those of the dipole."""
    if ctx.invoked_subcommand is None:
        _list()


@command.command("list")
def list_command():
    """List experiments, energies, papers."""
    _list()


@command.command("show")
@click.argument("experiment", nargs=-1, required=True)
def show_command(experiment):
    """Show the points of one EXPERIMENT.

    Errors, phase, whether figures show it, references and notes.
    """
    from hpc_cr.measurements import dipole

    table = _current()
    try:
        # "hpc-cr data show Baksan Carpet" needs no quotes
        points = dipole.choose(table.points, " ".join(experiment))
    except dipole.TableError as error:
        raise click.ClickException(str(error)) from None
    if not points:
        raise click.ClickException("data show: name an experiment; hpc-cr data lists them")
    _show(points)


@command.command("spectra")
@click.argument("quantity", required=False)
def spectra_command(quantity):
    """List measured spectra and ratios, or show the points of one QUANTITY.

    Such as H, He, all, B/C or 10Be/9Be.
    """
    from hpc_cr.cli import data_spectra
    from hpc_cr.measurements import spectra

    if quantity is None:
        data_spectra.list_all(sys.stdout)
        return
    try:
        points = spectra.points(quantity)
    except ValueError as error:
        raise click.ClickException(f"data spectra: {error}") from None
    data_spectra.show(points, sys.stdout)


@command.command("sources")
@click.argument("name", nargs=-1)
def sources_command(name):
    """List nearby sources and directions, or show the one of a NAME.

    Remnants and pulsars with distance and age, and measured axes of the local field.
    """
    from hpc_cr.cli import data_sources

    if not name:
        data_sources.list_all(sys.stdout)
        return
    try:
        # "hpc-cr data sources Vela SNR" needs no quotes
        data_sources.show(" ".join(name), sys.stdout)
    except ValueError as error:
        raise click.ClickException(f"data sources: {error}") from None


@command.command("update")
@click.option("-o", "--output", "folder", metavar="FOLDER", type=click.Path(file_okay=False),
              help="Where to write dipole.csv; default: the folder where figures look for it.")
@click.option("--timeout", type=click.IntRange(1), default=120, show_default=True,
              metavar="SECONDS", help="How long to wait for the server.")  # fmt: skip
def update_command(folder, timeout):
    """Renew the table over the network.

    From the Cosmic-Ray DataBase, through its client crdb. The package is not changed.
    """
    from hpc_cr.cli.terminal import on_terminal
    from hpc_cr.measurements import dipole, renewal

    if on_terminal(sys.stderr):
        click.echo(f"Asking {renewal.ADDRESS} (up to {timeout} s) ...", err=True)
    try:
        path, counts = renewal.renew(folder, timeout)
    except dipole.TableError as error:
        raise click.ClickException(f"data update: {error}; nothing was changed") from None
    click.echo(f"{path}: {counts.renewed} points renewed, {counts.new} new, {counts.kept} kept that"
               f" the database does not list, {counts.unusable} unusable")  # fmt: skip
    if path.parent.resolve() != dipole.user_folder().resolve():
        click.echo(f"Figures look in {dipole.user_folder()}; HPC_CR_DATA names another folder.")


def _current():
    from hpc_cr.measurements import dipole

    try:
        return dipole.current()
    except dipole.TableError as error:
        raise click.ClickException(str(error)) from None


def _list():
    from hpc_cr.cli.table import print_table
    from hpc_cr.measurements import dipole

    table = _current()
    header = [("experiment", ""), ("technique", ""), ("points", ""), ("shown", ""),
              ("energy", "PeV"), ("references", "")]  # fmt: skip
    rows = []
    shown = set(dipole.for_figures(table.points))
    for name in dipole.experiments(table.points):
        own = [p for p in table.points if p.experiment == name]
        rows.append([name, own[0].technique, str(len(own)), str(sum(p in shown for p in own)),
                     _range([p.energy for p in own]), _short(own)])  # fmt: skip
    print_table(header, rows, sys.stdout, dispensable=("technique", "references"),
                left=("experiment", "technique", "references"))  # fmt: skip
    origin = f"renewed {table.renewed}" if table.renewed else "as shipped"
    print(f"{len(table.points)} points of {len(rows)} experiments, {origin}: {table.path}")
    print("First harmonic in right ascension; hpc-cr data show EXPERIMENT lists the points.")


def _range(energies):
    low, high = min(energies), max(energies)
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _short(points):
    """First authors with their years: "Bartoli et al. 2015, 2018; ..."."""
    years = {}
    for p in sorted(points, key=lambda p: p.year):
        author = re.split(r",| \(", p.reference)[0]
        years.setdefault(author, []).append(str(p.year))
    return "; ".join(f"{a} {', '.join(dict.fromkeys(y))}" for a, y in years.items())


def _show(points):
    from hpc_cr.cli.table import print_table
    from hpc_cr.measurements import dipole

    shown = set(dipole.for_figures(points))
    references = list(dict.fromkeys(p.reference + _arxiv(p) for p in points))
    notes = list(dict.fromkeys(p.note for p in points if p.note))
    header = [("energy", "PeV"), ("range", "PeV"), ("amplitude", "1e-4"), ("systematic", "1e-4"),
              ("phase", "deg"), ("shown", ""), ("ref.", ""), ("note", "")]  # fmt: skip
    rows = []
    for p in points:
        reference = references.index(p.reference + _arxiv(p)) + 1
        rows.append([
            f"{p.energy:.4g}",
            f"{p.energy_low:.3g} to {p.energy_high:.3g}" if p.energy_high > 0 else "-",
            _limit(p) if p.upper_limit else _value(p.amplitude, p.stat_low, p.stat_high, 1e4),
            _errors(p.sys_low, p.sys_high, 1e4),
            _value(p.phase_deg, p.phase_low_deg, p.phase_high_deg, 1.0),
            "yes" if p in shown else "no",
            f"[{reference}]",
            f"({notes.index(p.note) + 1})" if p.note else "",
        ])  # fmt: skip
    print_table(header, rows, sys.stdout, dispensable=("systematic", "range"))
    for number, text in enumerate(references, 1):
        print(f"[{number}] {text}")
    for number, text in enumerate(notes, 1):
        print(f"({number}) {text}")


def _arxiv(point):
    return f", arXiv:{point.arxiv}" if point.arxiv else ""


def _limit(point):
    level = point.confidence_percent
    text = f"< {point.amplitude * 1e4:.4g}"
    return f"{text} ({level:g} %)" if level > 0 else text


def _value(value, low, high, factor):
    """Value with its error, or both errors where they differ."""
    if not value >= 0:
        return "-"
    return f"{value * factor:.4g}{_errors(low, high, factor, ' +- ')}"


def _errors(low, high, factor, sign="+- "):
    if not high > 0:
        return "" if sign == " +- " else "-"
    if abs(low - high) <= 1e-6 * high:
        return f"{sign}{high * factor:.3g}"
    return f" +{high * factor:.3g} -{low * factor:.3g}"
