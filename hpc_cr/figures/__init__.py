"""Figures from result files, one module per family.

`FIGURES` says what there is; `draw` makes a matplotlib figure, `make` a file. Matplotlib is
loaded when a figure is drawn, never a window system.
"""

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A figure: the module that has draw(panels, options), and what it shows.

    rigidities is the choice where the user makes none: "highest" or "all"; None for a figure of
    whole files, whose module has draw(results, options). parts: whether it can show a part of the
    sky (particles.patch), which has neither dipole nor multipoles. kind: run.kind of the files, ""
    for any.
    """

    module: str
    rigidities: str | None
    description: str
    parts: bool = False
    kind: str = "anisotropy"


FIGURES = {
    "dipole-map": Entry(
        "dipole_map",
        "highest",
        "sky map of the realisations' dipoles with gradient, mean and ensemble expectation",
    ),
    "dipole-longitude": Entry(
        "dipole_longitude",
        "highest",
        "distribution of the dipole's amplitude against the longitude of the gradient",
    ),
    "dipole-energy": Entry(
        "dipole_energy",
        "all",
        "amplitude of the dipole against rigidity, realisations and ensemble",
    ),
    "right-ascension": Entry(
        "equatorial",
        "all",
        "first harmonic in right ascension against rigidity: amplitude and phase",
    ),
    "power-spectrum": Entry(
        "power_spectrum",
        "highest",
        "angular power spectrum C_l of the intensity with its noise",
    ),
    "convergence": Entry(
        "convergence",
        "all",
        "approach of the mean response to its limit with the stopping time",
    ),
    "turbulence-level": Entry(
        "turbulence_level",
        "highest",
        "response and dipole against the turbulent share of the field, over the cases",
    ),
    "sky-map": Entry(
        "sky_map",
        "highest",
        "intensity on the sky of one realisation, smoothed or without its dipole if wanted",
    ),
    "local-field": Entry(
        "local_field",
        "highest",
        "angle of the dipoles to the field averaged over balls around the observer",
    ),
    "memory": Entry(
        "memory",
        "highest",
        "decay of multipoles in the directions with the backtracking time",
    ),
    "map-correlation": Entry(
        "map_correlation",
        "all",
        "likeness of the skies without their dipoles at different radii and rigidities",
    ),
    "trajectories": Entry(
        "trajectories",
        "highest",
        "a few particles' paths and the sky around the directions they arrive from",
        parts=True,
    ),
    "diffusion": Entry(
        "running_diffusion",
        None,
        "running diffusion coefficients against time, with their plateaus",
        kind="diffusion",
    ),
    "diffusion-energy": Entry(
        "diffusion_energy",
        None,
        "diffusion coefficient against energy without a regular field, and theory",
        kind="diffusion",
    ),
    "coherence-plane": Entry(
        "coherence_plane",
        None,
        "turbulent field and coherence length whose diffusion B/C would allow",
        kind="diffusion",
    ),
    "diffusion-level": Entry(
        "diffusion_level",
        None,
        "diffusion along and across the field against turbulence level and energy",
        kind="diffusion",
    ),
    "grammage": Entry(
        "grammage",
        None,
        "grammage of a disc and halo against the field's tilt and the turbulence level",
        kind="diffusion",
    ),
    "field-lines": Entry(
        "field_lines",
        None,
        "spread of field lines across the regular field, and theory",
        kind="diffusion",
    ),
    "escape": Entry(
        "escape",
        None,
        "escape time and grammage against rigidity, with power laws and what B/C allows",
        kind="escape",
    ),
    "single-source": Entry(
        "single_source",
        None,
        "dipole and phase against energy: a local source, the sea, their sum, measurements",
        kind="diffusion",
    ),
    "source-density": Entry(
        "source_density",
        None,
        "density of a burst's cloud against the distance from its field line and time",
        kind="source",
    ),
    "source-cloud": Entry(
        "source_cloud",
        None,
        "spread of a burst's cloud, and how Gaussian it is",
        kind="source",
    ),
    "source-dipole": Entry(
        "source_dipole",
        None,
        "dipole in a burst's cloud from flow and gradient against 3R/(2cT)",
        kind="source",
    ),
    "galaxy-spectra": Entry(
        "galaxy_spectra",
        None,
        "protons and helium at the Sun: background, local source, sum, measurements",
        kind="galaxy",
    ),
    "all-particle": Entry(
        "all_particle",
        None,
        "spectrum of all particles and of mass groups at the Sun, measurements",
        kind="galaxy",
    ),
    "galaxy-dipole": Entry(
        "galaxy_dipole",
        None,
        "dipole and phase of the Galaxy's background and a local source against energy",
        kind="galaxy",
    ),
    "source-fluctuations": Entry(
        "source_fluctuations",
        None,
        "flux and dipole at the Sun if sources burst at single places and times",
        kind="galaxy",
    ),
    "emissivity": Entry(
        "emissivity",
        None,
        "gamma rays per hydrogen atom against Galactocentric radius, measured steps",
        kind="galaxy",
    ),
    "gamma-longitude": Entry(
        "gamma_longitude",
        None,
        "gamma rays of the gas along the Galactic plane, and their shapes between cases",
        kind="galaxy",
    ),
    "gamma-spectrum": Entry(
        "gamma_spectrum",
        None,
        "gamma rays of the gas at middle latitudes against energy, local emissivity",
        kind="galaxy",
    ),
    "antiproton-ratio": Entry(
        "antiproton_ratio",
        None,
        "antiprotons that cosmic rays make in the gas over protons, at the Sun",
        kind="galaxy",
    ),
    "anisotropy-tau": Entry(
        "anisotropy_tau",
        None,
        "dipole of the background against energy and tau, measured amplitudes",
        kind="galaxy",
    ),
    "boron-to-carbon": Entry(
        "boron_to_carbon",
        None,
        "B/C of every case with modulation against measurements",
        kind="galaxy",
    ),
    "prediction": Entry(
        "prediction",
        None,
        "dipole that a galaxy job's gradient makes in the turbulence of an anisotropy job",
        kind="",
    ),
    "timeline": Entry(
        "timeline",
        None,
        "which rank was at work on what, and when it waited",
        kind="",
    ),
}

FORMATS = (".png", ".pdf", ".svg")


def draw(name, paths, options=None):
    """Draw a figure from result files.

    Parameters
    ----------
    name : str
        A key of `FIGURES`.
    paths : sequence of path-like
        Result files; every case of every file gets a panel unless the options choose.
    options : hpc_cr.figures.panels.Options, optional

    Returns
    -------
    matplotlib.figure.Figure
        Save it inside `hpc_cr.figures.style.context()` to keep its look.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        No such figure, a file that cannot be read, or nothing in it to draw; one line.
    """
    from hpc_cr.figures import panels, style
    from hpc_cr.io.results import open_results

    if name not in FIGURES:
        raise panels.FigureError(f"no figure {name!r}; figures: {', '.join(FIGURES)}")
    options = options or panels.Options()
    entry = FIGURES[name]
    module = import_module(f"hpc_cr.figures.{entry.module}")
    with ExitStack() as files, style.context():
        opened = [files.enter_context(open_results(path)) for path in paths]
        for results in opened:
            if entry.kind:
                results.require_kind(entry.kind, f"the figure {name}")
        if entry.rigidities is None:
            return module.draw(opened, options)
        chosen = panels.select(opened, options, entry.rigidities, entry.parts)
        return module.draw(chosen, options)


def make(name, paths, output=None, options=None):
    """Draw a figure and save it.

    Parameters
    ----------
    name, paths, options
        As for `draw`.
    output : path-like, optional
        File ending in .png, .pdf or .svg; default STEM-NAME.png beside the first result file.

    Returns
    -------
    Path
        Where the figure is.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        As for `draw`, or the file cannot be written.
    """
    from hpc_cr.figures import panels, style

    first = Path(paths[0])
    output = first.with_name(f"{first.stem}-{name}.png") if output is None else Path(output)
    if output.suffix.lower() not in FORMATS:
        raise panels.FigureError(f"{output}: figures are {', '.join(FORMATS)} files")
    figure = draw(name, paths, options)
    try:
        with style.context():
            figure.savefig(output)
    except OSError as error:
        raise panels.FigureError(f"{output}: cannot write: {error.strerror or error}") from None
    return output
