"""Tables: drawn on a terminal, aligned plain text anywhere else."""

from hpc_cr.cli.terminal import on_terminal


def print_table(header, rows, stream, *, dispensable=(), left=()):
    """Print a table.

    Parameters
    ----------
    header : list of (str, str)
        Name and unit of each column.
    rows : list of list of str
    stream : file
        A terminal gets a drawn table, anything else aligned plain text.
    dispensable : sequence of str
        Columns that a narrow terminal does without, in this order.
    left : sequence of str
        Columns of words, which begin at the left.
    """
    columns = {name for name, _ in header}
    left = columns & set(left)
    if on_terminal(stream):
        _print_drawn(header, rows, stream, dispensable, left)
    else:
        _print_aligned(header, rows, stream, left)


def plain(text, stream):
    """With the proper sign where the stream can show it."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return text.replace("+-", "\N{PLUS-MINUS SIGN}") if encoding == "utf8" else text


def _print_aligned(header, rows, stream, left):
    """Columns of plain text, header and unit in two lines."""
    names, units = zip(*header, strict=True)
    lines = [list(names), *([[f"[{u}]" if u else "" for u in units]] if any(units) else []), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    for line in lines:
        cells = [
            cell.ljust(width) if name in left else cell.rjust(width)
            for cell, width, name in zip(line, widths, names, strict=True)
        ]
        print(plain("  ".join(cells).rstrip(), stream), file=stream)


def _print_drawn(header, rows, stream, dispensable, left):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream)
    kept = _fitting(header, rows, console.width, dispensable)
    header = [header[column] for column in kept]
    rows = [[row[column] for column in kept] for row in rows]
    if _width(header, rows) > console.width:
        _print_aligned(header, rows, stream, left)  # without frames it may just fit
        return
    table = Table()
    for name, unit in header:
        justify = "left" if name in left else "right"
        table.add_column(Text(name + (f"\n[{unit}]" if unit else "")), justify=justify)
    for row in rows:
        table.add_row(*(Text(plain(cell, stream)) for cell in row))
    console.print(table)


def _width(header, rows):
    """Characters that a drawn table takes."""
    cells = zip(*([f"[{unit}]" for _, unit in header], [name for name, _ in header], *rows),
                strict=True)  # fmt: skip
    return 1 + sum(3 + max(map(len, column)) for column in cells)


def _fitting(header, rows, room, dispensable):
    """Columns that a terminal has room for: a wrapped table is harder to read than a short one."""
    kept = list(range(len(header)))
    for name in dispensable:
        if _width([header[c] for c in kept], [[row[c] for c in kept] for row in rows]) <= room:
            break
        kept = [column for column in kept if header[column][0] != name]
    return kept
