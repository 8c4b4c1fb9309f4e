"""Published papers: what they say as numbers, measured in a result file, and their figures.

One module or package per paper, named like its job. It has

    FIGURES      dict: name in the paper -> PaperFigure
    statements(results) -> list of Statement, in the paper's order
    KINDS        where its statements come from several files: kinds of job, which
                 statements(*results) takes in any order, and file_of(figure, paths), the file that
                 a figure is drawn from
    ERRORS       what errors are, where not standard errors over realisations alone

A statement's value is measured with its error; where a file does not hold what it needs (cases
left out, few realisations) the statement is left out or its error says so.
"""

from importlib import import_module
from math import isclose
from typing import NamedTuple

PAPERS = {
    "mertsch_funk2015": "Mertsch & Funk 2015, PRL 114, 021101 (arXiv:1408.3630)",
    "giacinti_sigl2012": "Giacinti & Sigl 2012, PRL 109, 071101 (arXiv:1111.2536)",
    "geminga_lrmf": "Li, Yuan, Liu & Guo 2021 (arXiv:2107.00313)",
    "kachelriess2018": "Kachelriess 2018, talk at the 26th E+CRS (arXiv:1811.02419)",
    "evoli2012": "Evoli, Gaggero, Grasso & Maccione 2012, PRL 108, 211102 (arXiv:1203.0570)",
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
        The same quantity here and its standard error over realisations; the note says so where it
        is another error, as within the one realisation of a map.
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
    part : str
        Which of several result files it is drawn from, as the paper's module names them.
    """

    figure: str
    options: dict
    text: str
    part: str = ""


def module_of(name):
    """The module of a paper in `PAPERS`."""
    return import_module(f"hpc_cr.papers.{name}")


def check_kinds(name, opened):
    """Refuse result files of kinds that a paper's statements do not come from, or too many.

    Parameters
    ----------
    name : str
        A key of `PAPERS`.
    opened : sequence of hpc_cr.io.results.Results

    Raises
    ------
    hpc_cr.io.errors.ResultError
        One line.
    """
    from hpc_cr.io.errors import ResultError

    kinds = getattr(module_of(name), "KINDS", None)
    if kinds is None and len(opened) > 1:
        raise ResultError(f"{opened[1].path}: {name} is compared with one result file")
    for results in opened:
        if results.kind not in (kinds or ("anisotropy",)):
            wanted = " or ".join(f'"{kind}"' for kind in kinds or ("anisotropy",))
            raise ResultError(f'{results.path}: a result of kind "{results.kind}";'
                              f" {name} needs kind {wanted}")  # fmt: skip


_UNITS = {"rms": " uG", "strength": " uG", "density": " / cm3",
          **dict.fromkeys(("outer_scale", "inner_scale", "radial_scale", "vertical_scale",
                           "half_height", "radius"), " pc")}  # fmt: skip


def check_setup(results, expected):
    """Refuse a case that was computed with another set-up than a paper's.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
        One case.
    expected : dict
        Key of the job, such as "turbulence.outer_scale", -> value in internal units (pc, uG), text,
        or a tuple of texts in any order. "regular.strength" of a job without a regular field is 0.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        One line that names the values which differ, and the paper's.
    """
    from hpc_cr.io.errors import ResultError

    wrong = []
    for key, value in expected.items():
        section, name = key.split(".")
        found = getattr(getattr(results.job, section), name)
        if key == "regular.strength" and results.job.regular.model == "none":
            found = 0.0
        if isinstance(value, tuple):
            found, value = (", ".join(sorted(texts or ())) for texts in (found, value))
        same = found == value
        if not isinstance(value, str) and found is not None:
            same = isclose(found, value, rel_tol=1e-3)
        if not same:
            unit = _UNITS.get(name, "")
            shown, wanted = (v if isinstance(v, str) else f"{v or 0:.4g}{unit}"
                             for v in (found, value))  # fmt: skip
            wrong.append(f"{key} = {shown} (paper: {wanted})")
    if wrong:
        case = f"case {results.case!r}" if results.case else "it"
        raise ResultError(f"{results.path}: {case} is not the paper's: {', '.join(wrong)}")


def draw_figures(name, paths, folder, report=lambda output: None, left_out=lambda text: None):
    """Draw every figure of a paper from its result files.

    Parameters
    ----------
    name : str
        A key of `PAPERS`.
    paths : path-like or sequence of path-like
        Result file of the paper's job, and further ones where it has several.
    folder : path-like
        Made if missing; files are called NAME-FIGURE.png.
    report : callable
        Called with the path of each figure.
    left_out : callable
        Called with one line for each figure that cannot be drawn from this file, or not written.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        The folder cannot be made, or none of the figures can be drawn; the first one's reason.
    """
    from pathlib import Path

    from hpc_cr.figures import make
    from hpc_cr.figures.panels import FigureError, Options
    from hpc_cr.io.errors import ResultError

    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FigureError(f"{folder}: cannot make the folder: {error.strerror}") from None
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    module = module_of(name)
    file_of = getattr(module, "file_of", lambda figure, paths: paths[0])
    drawn, errors = 0, []
    for number, figure in module.FIGURES.items():
        output = folder / f"{name}-{number.replace(' ', '-')}.png"
        try:
            path = file_of(figure, paths)
            report(make(figure.figure, [path], output, Options(**figure.options)))
            drawn += 1
        except ResultError as error:
            errors.append(error)
            left_out(f"{number}: {error}")
    if errors and not drawn:
        raise errors[0]
