"""hpc-cr figure: draw a figure from one or several result files."""

import click


class Direction(click.ParamType):
    """Galactic direction "l,b" in degrees."""

    name = "l,b"

    def convert(self, value, param, ctx):
        """Two finite numbers, |b| <= 90."""
        if isinstance(value, tuple):
            return value
        try:
            longitude, latitude = (float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r}: give Galactic l,b in degrees, such as 90,0", param, ctx)
        if not (abs(longitude) <= 360 and abs(latitude) <= 90):
            self.fail(f"{value!r}: l lies within -360 and 360, b within -90 and 90", param, ctx)
        return longitude, latitude


class Quantity(click.ParamType):
    """Quantity with a unit, as in a job file."""

    name = "quantity"

    def __init__(self, kind):
        self.kind = kind

    def convert(self, value, param, ctx):
        """Positive number in the internal unit."""
        from hpc_cr.config.errors import JobError
        from hpc_cr.config.units import check_range, parse_quantity

        if isinstance(value, float):
            return value
        try:
            number = parse_quantity(value, self.kind)
            check_range(number, value, self.kind)
        except JobError as error:
            self.fail(error.message, param, ctx)
        return number


@click.command(help="Draw the figure NAME from result files; --list says what there is.")
@click.argument("name", required=False)
@click.argument("files", metavar="OUT.h5 ...", nargs=-1, type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="A .png, .pdf or .svg file; default OUT-NAME.png beside OUT.",
)
@click.option("--list", "show_list", is_flag=True, help="List the figures and stop.")
@click.option(
    "--case",
    "cases",
    multiple=True,
    metavar="NAME",
    help="Only this case (repeatable); default: one panel for each.",
)
@click.option(
    "--rigidity",
    "rigidities",
    multiple=True,
    metavar="R",
    help='Index or value, such as 0 or "100 TV" (repeatable); default: the highest,'
    " or all where the figure compares them.",
)
@click.option(
    "--stop",
    "stops",
    multiple=True,
    metavar="T",
    help='Stopping time or radius: index or value such as "60 pc" (repeatable); default: the last.',
)
@click.option(
    "--gradient",
    type=Direction(),
    metavar="L,B",
    help="Galactic direction of the gradient in degrees; its size stays the job's.",
)
@click.option(
    "--gradient-size",
    type=Quantity("inverse length"),
    metavar="G",
    help='Size of the gradient, such as "0.08 / kpc"; default: the job\'s.',
)
@click.option(
    "--normalise",
    "normalisation",
    type=click.Choice(["physical", "diffusion"]),
    default="physical",
    show_default=True,
    help="The response as computed, or scaled to the diffusion coefficient that B/C asks for.",
)
@click.option(
    "--data",
    default="all",
    show_default=True,
    metavar="none|all|EXPERIMENT,...",
    help="Measurements to show beside the prediction.",
)
@click.option(
    "--local-term",
    is_flag=True,
    help="power-spectrum, sky-map: add the dipole that diffusion has built up at -T already.",
)
@click.option(
    "--frame",
    type=click.Choice(["galactic", "equatorial", "ecliptic"]),
    default="galactic",
    show_default=True,
    help="sky-map: coordinates.",
)
@click.option(
    "--direction",
    "directions",
    type=Direction(),
    multiple=True,
    metavar="L,B",
    help="trajectories: where a particle arrives from, Galactic degrees (repeatable).",
)
@click.option(
    "--from-field",
    is_flag=True,
    help="dipole-longitude: the gradient's angle from the regular field.",
)
@click.option(
    "--zoom",
    is_flag=True,
    help="dipole-longitude: 60 to 120 degrees from the regular field, and shares that agree.",
)
@click.option(
    "--realisation",
    type=int,
    metavar="N",
    help="sky-map, trajectories: number of the realisation (`hpc-cr info` tells which a file has;"
    " the first observer's sky is drawn); default: the file's first.",
)
@click.option(
    "--smooth",
    type=click.FloatRange(0, 90),
    default=0.0,
    metavar="DEG",
    help="sky-map, trajectories, map-correlation: average over discs of this radius.",
)
@click.option("--subtract-dipole", is_flag=True, help="sky-map: take the dipole out.")
@click.option(
    "--significance", is_flag=True, help="sky-map: in standard deviations of the sampling noise."
)
@click.option(
    "--run",
    default="-1",
    metavar="N",
    help='timeline: number of the run as in `hpc-cr info`, or "all"; default: the last.',
)
def command(name, files, output, show_list, **options):
    """Draw one figure and print where it is."""
    from hpc_cr.figures import FIGURES, make
    from hpc_cr.figures.panels import Options

    if show_list:
        width = max(len(key) for key in FIGURES)
        for key, entry in FIGURES.items():
            click.echo(f"{key:{width}}  {entry.description}")
        return
    if name is None:
        raise click.UsageError(f"missing the figure's NAME: {', '.join(FIGURES)}")
    if name not in FIGURES:
        from hpc_cr.config.errors import nearest

        guess = nearest(name, FIGURES)
        hint = f"did you mean {guess}?" if guess else f"figures: {', '.join(FIGURES)}"
        raise click.UsageError(f"no figure {name!r}; {hint}")
    if not files:
        raise click.UsageError(f"{name}: missing the result file, OUT.h5")
    path = make(name, files, output, Options(**options))
    click.echo(f"Figure: {path}")
