"""Published papers: what they say as numbers, measured in a result file, and their figures.

One module per paper, named like its job. It has

    FIGURES      dict: name in the paper -> PaperFigure
    statements(results) -> list of Statement, in the paper's order

A statement's value is measured with its error; where a file does not hold what it needs (cases
left out, few realisations) the statement is left out or its error says so.
"""

from importlib import import_module
from typing import NamedTuple

PAPERS = {
    "mertsch_funk2015": "Mertsch & Funk 2015, PRL 114, 021101 (arXiv:1408.3630)",
    "giacinti_sigl2012": "Giacinti & Sigl 2012, PRL 109, 071101 (arXiv:1111.2536)",
}
"""Short name, which is also the job's -> reference."""

VERDICTS = ("agrees", "differs", "open")


class Statement(NamedTuple):
    """Something that a paper says, measured.

    Attributes
    ----------
    where : str
        Place in the paper: "figure 3", "p. 4".
    text : str
        What is said, with the conditions (rigidity, T, normalisation).
    paper : str
        The value there with its unit, as text.
    value, error : float
        The same quantity here and its standard error over realisations.
    unit : str
        astropy's spelling; "" for a pure number.
    verdict : "agrees", "differs" or "open"
        "open": the errors do not decide, or the paper gives too little to compare with.
    note : str
        Why; empty where nothing needs saying.
    """

    where: str
    text: str
    paper: str
    value: float
    error: float
    unit: str
    verdict: str
    note: str = ""


class PaperFigure(NamedTuple):
    """A figure of a paper as a figure of ours.

    Attributes
    ----------
    figure : str
        Key of `hpc_cr.figures.FIGURES`.
    options : dict
        Keyword arguments of `hpc_cr.figures.panels.Options`.
    text : str
        What it shows.
    """

    figure: str
    options: dict
    text: str


def module_of(name):
    """The module of a paper in `PAPERS`."""
    return import_module(f"hpc_cr.papers.{name}")


def draw_figures(name, path, folder, report=lambda output: None):
    """Draw every figure of a paper from one result file.

    Parameters
    ----------
    name : str
        A key of `PAPERS`.
    path : path-like
        Result file of the paper's job.
    folder : path-like
        Made if missing; files are called NAME-FIGURE.png.
    report : callable
        Called with the path of each figure.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        The file cannot be read, lacks a case, or a figure cannot be written.
    """
    from pathlib import Path

    from hpc_cr.figures import make
    from hpc_cr.figures.panels import FigureError, Options

    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FigureError(f"{folder}: cannot make the folder: {error.strerror}") from None
    for number, figure in module_of(name).FIGURES.items():
        output = folder / f"{name}-{number.replace(' ', '-')}.png"
        report(make(figure.figure, [path], output, Options(**figure.options)))
