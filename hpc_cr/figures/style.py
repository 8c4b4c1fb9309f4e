"""How figures look: journal column widths, colours for all eyes, labels with units.

Colours are those of Okabe & Ito (2008), told apart by people with any common colour blindness
and, with the line styles beside them, in grey print. No setting leaks out: drawing and saving
happen inside `context`, on figures that belong to no window system.
"""

import numpy as np

SINGLE = 3.4
"""Width of a journal's single column, inches."""
DOUBLE = 7.0
"""Width across both columns, inches."""

BLACK = "#000000"
GREY = "#7f7f7f"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
SEQUENCE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)

SHADES = ("0.0", "0.22", "0.4", "0.55", "0.68")
"""Greys of realisations that are drawn one by one."""
NOISE = {"color": BLACK, "linestyle": ":", "linewidth": 0.9}
"""Look of the sampling noise."""

SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same picture everywhere
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.4,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.top": True,
    "ytick.right": True,
    "savefig.dpi": 300,
    "savefig.facecolor": "white",
    "figure.facecolor": "white",
    "pdf.fonttype": 42,
    "svg.hashsalt": "hpc_cr",  # the same file for the same data
}


def context():
    """Settings for drawing and saving, undone on leaving the with block."""
    import matplotlib

    return matplotlib.rc_context(SETTINGS)


def panels(count, height, *, extra=0.0, **subplot):
    """A figure with a grid of panels at column width.

    Parameters
    ----------
    count : int
        Panels; one takes a single column, more go two abreast over both columns.
    height : float
        Height of a row in inches.
    extra : float
        Height for a legend below, inches.
    **subplot
        For `Figure.add_subplot`, such as projection="mollweide".

    Returns
    -------
    figure, list of axes
    """
    from matplotlib.figure import Figure

    columns = min(count, 2)
    rows = -(-count // columns)
    width = SINGLE if columns == 1 else DOUBLE
    figure = Figure(figsize=(width, rows * height + extra), layout="constrained")
    axes = [figure.add_subplot(rows, columns, i + 1, **subplot) for i in range(count)]
    return figure, axes


def bottom_and_sides(count):
    """For each panel of `panels`: whether it is the lowest of its column, at the left, the right.

    Returns
    -------
    list of (bool, bool, bool)
    """
    columns = min(count, 2)
    return [
        (i + columns >= count, i % columns == 0, i % columns == columns - 1 or i == count - 1)
        for i in range(count)
    ]


def second_scale(axes, factor, label, which="y"):
    """A second axis at the right (or the top) that shows the same data times a factor.

    Parameters
    ----------
    axes : matplotlib Axes
    factor : float
        Second scale = factor x first scale.
    label : str
    which : "y" or "x"
    """
    functions = (lambda v: v * factor, lambda v: v / factor)
    if which == "y":
        axes.tick_params(which="both", right=False)
        second = axes.secondary_yaxis("right", functions=functions)
        second.set_ylabel(label)
        short_log(second.yaxis, axes.get_yscale(), axes.get_ylim())
    else:
        axes.tick_params(which="both", top=False)
        second = axes.secondary_xaxis("top", functions=functions)
        second.set_xlabel(label)
        short_log(second.xaxis, axes.get_xscale(), axes.get_xlim())
    return second


def short_log(axis, scale, limits):
    """Plain labels between the powers of ten where a logarithmic axis spans less than two decades.

    Parameters
    ----------
    axis : matplotlib Axis
    scale : str
        Nothing is done unless this is "log".
    limits : (float, float)
        Of this axis, or of the one that it repeats in another unit.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ratio = limits[1] / limits[0] if scale == "log" else np.inf
    if ratio > 100:
        return
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if ratio > 6 else (1, 1.5, 2, 3, 4, 5, 7)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())


def noise_line(axes, x, noise, unit):
    """The sampling noise as a dotted line, or in words where it lies below the axis.

    Parameters
    ----------
    axes : matplotlib Axes
        Its y limits are set.
    x, noise : ndarray
    unit : str
        With a leading space, or empty.

    Returns
    -------
    bool
        Whether the line can be seen.
    """
    seen = bool(np.max(noise) > axes.get_ylim()[0])
    label = "sampling noise" if seen else None
    axes.plot(x, noise, label=label, gid="noise floor", **NOISE)
    if not seen:
        text = rf"sampling noise $\leq$ {number(float(np.max(noise)))}{unit} (below)"
        box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.0}
        axes.text(
            0.03, 0.03, text, transform=axes.transAxes, fontsize=7, color="0.25", zorder=5, bbox=box
        )
    return seen


def legend_below(figure, handles, columns):
    """One legend for all panels, under them; handles carry their labels."""
    return figure.legend(
        handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.2
    )


def number(value, digits=2):
    """A number for a label: 0.0042 becomes 4.2 x 10^-3 as mathtext, 12 stays 12."""
    if value == 0 or 1e-2 <= abs(value) < 1e4:
        return f"{float(f'{value:.{digits}g}'):g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if float(mantissa) == 1:
        return rf"$10^{{{int(exponent)}}}$"
    return rf"${mantissa}\times10^{{{int(exponent)}}}$"


def rigidity(value):
    """A rigidity in PV with the prefix that suits it."""
    for factor, unit in ((1e3, "EV"), (1.0, "PV"), (1e-3, "TV"), (1e-6, "GV")):
        if value >= 0.9999 * factor:
            return f"{float(f'{value / factor:.3g}'):g} {unit}"
    return f"{value * 1e6:.3g} GV"


def decades(low, high):
    """Limits (low, high) widened by 6 % of their span at each end, for a logarithmic axis."""
    pad = (high / low) ** 0.06
    return low / pad, high * pad


def round_value(value):
    """The next of 1, 2, 5, 10, ... at or below a positive value, for a size legend."""
    decade = 10.0 ** np.floor(np.log10(value) + 1e-9)
    return decade * max(m for m in (1, 2, 5) if m * decade <= value * (1 + 1e-9))
