"""What a figure shows: one panel per file, case and rigidity, with the arrays it needs.

Only finished entries count. All vectors are Galactic Cartesian, lengths in pc, gradients in 1/pc,
rigidities in PV.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.figures import style
from hpc_cr.frames import unit_vector
from hpc_cr.io.errors import ResultError
from hpc_cr.measurements.diffusion import boron_to_carbon


class FigureError(ResultError):
    """A figure cannot be drawn from these files with these options; one line."""


@dataclass(frozen=True)
class Options:
    """What to show; the defaults show everything at the last stop and the highest rigidity.

    Attributes
    ----------
    cases : tuple of str
        Names of cases; empty for all.
    rigidities : tuple of str
        Indices ("0", "-1") or values ("100 TV"); empty for the figure's own choice.
    stops : tuple of str
        Indices or values ("60 pc") of stopping times or radii; empty for the last one.
    gradient : tuple of float or None
        Galactic (l, b) in degrees that replaces the job's direction; the size stays.
    gradient_size : float or None
        1/pc, replaces the job's size at every rigidity.
    normalisation : "physical" or "diffusion"
        The response M as computed, or times 3 D_B/C/c over its own ensemble mean at the same
        rigidity and stop (tr<M>/3, or <M_par> along a regular field), as if the turbulence
        diffused particles as B/C asks for (`hpc_cr.measurements.diffusion`).
    data : str
        Measurements to show: "all", "none", or names of experiments separated by commas.
    local_term : bool
        Add the dipole that diffusion has built up at -T already (Ahlers & Mertsch 2015).
    frame : "galactic", "equatorial" or "ecliptic"
        Coordinates of sky maps.
    directions : tuple of (float, float)
        Galactic (l, b) in degrees of single trajectories.
    realisation : int or None
        Number of the realisation whose sky a map shows, as in `Results.realisation` (a file may
        begin with another than 0); None for the file's first.
    smooth : float
        Radius of the top hat for sky maps, degrees; 0 for none.
    subtract_dipole, significance : bool
        For sky maps.
    from_field : bool
        Measure the gradient's angle from the regular field, not from l = 0.
    zoom : bool
        Show gradients near 90 degrees from the regular field, and the shares that agree with
        measurements.
    run : str
        Number of the run that a timeline shows, or "all".
    """

    cases: tuple = ()
    rigidities: tuple = ()
    stops: tuple = ()
    gradient: tuple | None = None
    gradient_size: float | None = None
    normalisation: str = "physical"
    data: str = "all"
    local_term: bool = False
    frame: str = "galactic"
    directions: tuple = ()
    realisation: int | None = None
    smooth: float = 0.0
    subtract_dipole: bool = False
    significance: bool = False
    from_field: bool = False
    zoom: bool = False
    run: str = "-1"


class Panel:
    """One case at one rigidity and stop.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
    rig, stop : int
        Indices; stop counts from 0.
    options : Options
    label : str
        What tells this panel from the others.

    Attributes
    ----------
    rigidity, length : float
        PV; the stop in pc.
    gradient : ndarray (3,)
        1/pc.
    rows : ndarray of int
        Finished rows with a complete response, n of them; those of a patch of the sky have none.
    scale, scale_error : float
        Factor of the normalisation, 1 for the physical one: `response`, `response_error` and
        `dipoles` contain it, `noise` its square; maps and a_lm read from `results` do not. Its
        standard error over realisations is common to all of them, and in no other error.
    response : ndarray (n, 3, 3)
        pc.
    """

    def __init__(self, results, rig, stop, options, label):
        self.results, self.rig, self.stop = results, rig, stop
        self.options, self.label = options, label
        self.rigidity = float(results.rigidities[rig])
        self.length = float(results.stops[rig, stop])
        self.gradient = self.all_gradients()[rig]
        response = results.response[:, rig, stop]
        whole = results.job.particles.patch is None
        usable = results.done[:, rig] & (np.isfinite(response).all(axis=(1, 2)) | (not whole))
        self.rows = np.flatnonzero(usable)
        if not len(self.rows):
            raise FigureError(
                f"{results.path}: no finished realisation{of_case(results)} at"
                f" {style.rigidity(self.rigidity)} yet"
            )
        self.scale, self.scale_error = self._scale(response[self.rows])
        self.response = self.scale * response[self.rows]

    def _scale(self, response):
        """Factor of the normalisation and its standard error."""
        if self.options.normalisation == "physical":
            return 1.0, 0.0
        along = ensembles.coefficients(response, self.symmetry)[:, 0]
        mean, error = ensembles.mean_and_error(along, self.realisation)
        if not mean > 0:
            raise FigureError(
                f"{self.results.path}: the mean response{of_case(self.results)} at"
                f" {style.rigidity(self.rigidity)}, {mean:.3g} pc, cannot be normalised"
            )
        scale = 3 * boron_to_carbon(self.rigidity) / mean
        return float(scale), float(scale * error / mean)

    @property
    def gradient_size(self):
        """|g| in 1/pc."""
        return float(np.linalg.norm(self.gradient))

    @property
    def realisation(self):
        """Realisation of each row, (n,)."""
        return self.results.realisation[self.rows]

    @property
    def symmetry(self):
        """Symmetry of the set-up, for `hpc_cr.anisotropy.ensembles.symmetrise`."""
        return self.results.symmetry

    @property
    def field(self):
        """Regular field (3,) in uG, or None."""
        field = np.asarray(self.results.job.regular_field, float)
        return field if field.any() else None

    @cached_property
    def response_error(self):
        """Sampling errors of the response, (n, 3, 3), pc."""
        return self.scale * self.results.response_error[self.rows, self.rig, self.stop]

    @cached_property
    def noise(self):
        """Shot-noise power of the displacement maps, (n, 3, 3), pc^2."""
        return self.scale**2 * self.results.noise[self.rows, self.rig, self.stop]

    @cached_property
    def dipoles(self):
        """Dipole vectors for this panel's gradient, (n, 3)."""
        return self.response @ self.gradient

    @cached_property
    def summary(self):
        """DipoleSummary for this panel's gradient and normalisation."""
        errors = ensembles.sampling_errors(self.response_error, self.noise, self.gradient)
        return ensembles.summarise(
            self.dipoles,
            errors,
            self.response,
            self.gradient,
            rigidity=self.rigidity,
            stop=self.length,
            realisation=self.realisation,
            symmetry=self.symmetry,
        )

    def all_gradients(self):
        """Gradients at every rigidity of the file with this panel's choice, (n_rig, 3)."""
        gradients = np.array(self.results.gradient, float)
        size = np.linalg.norm(gradients, axis=1, keepdims=True)
        if self.options.gradient is not None:
            gradients = size * unit_vector(*self.options.gradient)
        if self.options.gradient_size is not None:
            direction = np.divide(gradients, size, out=np.zeros_like(gradients), where=size > 0)
            gradients = self.options.gradient_size * direction
        return gradients

    @property
    def normalisation_text(self):
        """What M is multiplied with."""
        if self.options.normalisation == "physical":
            return "$M$ as computed"
        size = style.number(self.scale, 3)
        if np.isfinite(self.scale_error):
            size += rf" $\pm$ {style.number(self.scale_error, 2)}"
        return rf"$M\times$ {size} ($D_\mathrm{{B/C}}/D_\mathrm{{sim}}$)"

    @property
    def stop_text(self):
        """The stop with its symbol and unit."""
        symbol = "$cT$" if self.results.stop_kind == "time" else "$R$"
        return f"{symbol} = {style.number(self.length, 3)} pc"

    def title(self, rigidity=True, stop=True, count=True, normalisation=True):
        """Two lines: what it is, and the numbers behind it."""
        job = self.results.job
        field = rf"$B_\mathrm{{rms}}$ = {style.number(job.turbulence.rms, 4)} $\mu$G"
        if self.field is not None:
            size = style.number(np.linalg.norm(self.field), 4)
            field += rf", $B_0$ = {size} $\mu$G"
        first = f"{self.label}: {field}" if self.label else field
        second = [f"{style.rigidity(self.rigidity)}"] if rigidity else []
        second += [self.stop_text] if stop else []
        second += [self.count_text] if count else []
        second += [self.normalisation_text] if normalisation else []
        return "\n".join([first, ", ".join(second)]) if second else first

    @property
    def count_text(self):
        """How many realisations (and observers in each) were used."""
        n_realisation, n_row = len(np.unique(self.realisation)), len(self.rows)
        text = f"{n_realisation} realisation{'s' if n_realisation != 1 else ''}"
        return text if n_row == n_realisation else f"{text}, {n_row} skies"


def select(opened, options, rigidities="highest", parts=False):
    """Panels of opened files in order: file, case, rigidity, stop.

    Parameters
    ----------
    opened : sequence of Results
    options : Options
    rigidities : "highest" or "all"
        Where the options name none.
    parts : bool
        Take cases of a part of the sky, too.

    Returns
    -------
    list of Panel

    Raises
    ------
    FigureError
        No such case, rigidity or stop, nothing finished, or nothing but parts of the sky.
    """
    check_cases(opened, options)
    chosen = []
    for file in opened:
        for results in file.each_case():
            if options.cases and results.case not in options.cases:
                continue
            if results.job.particles.patch is not None and not parts:
                continue
            label = results.case or results.job.name
            if results.case and len(opened) > 1:
                label = f"{results.path.stem}, {label}"
            for rig in rigidity_indices(results, options.rigidities, rigidities):
                for wanted in options.stops or ("-1",):
                    stop = stop_index(results, rig, wanted)
                    chosen.append(Panel(results, rig, stop, options, label))
    if not chosen:
        raise FigureError(
            f"{opened[0].path}: only a part of the sky is there, which has no dipole and no"
            " multipoles; the figure trajectories shows it"
        )
    return chosen


def by_rigidity(panels):
    """Panels of one file, case and stop together, ascending in rigidity (list of lists)."""
    groups, seen = {}, {}
    for panel in panels:
        of_rigidity = (panel.results.path, panel.results.case, panel.rig)
        stop = seen[of_rigidity] = seen.get(of_rigidity, -1) + 1  # a time may have another index
        groups.setdefault((*of_rigidity[:2], stop), []).append(panel)
    return [sorted(group, key=lambda p: p.rigidity) for group in groups.values()]


def check_cases(opened, options):
    """Raise a FigureError where the options name a case that no file has."""
    unknown = set(options.cases) - {name for file in opened for name in file.case_names}
    if unknown:
        known = ", ".join(dict.fromkeys(n for f in opened for n in f.case_names if n)) or "none"
        raise FigureError(f"{opened[0].path}: no case {sorted(unknown)[0]!r}; cases: {known}")


def rigidity_indices(results, wanted, default):
    """Indices of the rigidities that the options name, or the figure's own choice.

    Parameters
    ----------
    results : Results
    wanted : tuple of str
    default : "highest" or "all"

    Returns
    -------
    list of int

    Raises
    ------
    FigureError
        No such rigidity.
    """
    values = results.rigidities
    if wanted:
        return [_find(results, values, text, "PV", "rigidity") for text in wanted]
    return list(range(len(values))) if default == "all" else [int(np.argmax(values))]


def stop_index(results, rig, wanted):
    """Index of the stop that an option names, such as "2", "-1" or "60 pc"; or a FigureError."""
    return _find(results, results.stops[rig], wanted, "pc", _stop_name(results))


def _stop_name(results):
    return "stopping time" if results.stop_kind == "time" else "radius"


def _find(results, values, text, unit, what):
    """Index of a value given as an index or with a unit, such as "2", "-1" or "60 pc"."""
    shown = ", ".join(f"{v:g} {unit}" for v in values)
    try:
        index = int(text)
    except ValueError:
        index = None
    if index is not None:
        if -len(values) <= index < len(values):
            return index % len(values)
        raise FigureError(
            f"{results.path}: no {what} with index {index}{of_case(results)}; there are"
            f" {len(values)} (0 to {len(values) - 1}): {shown}"
        )
    from astropy import units

    try:
        value = units.Quantity(text).to_value(unit)
    except (TypeError, ValueError) as error:
        raise FigureError(
            f"{what} {text!r}: give an index or a value with a unit like {unit}; the file has"
            f" {shown}"
        ) from error
    index = int(np.argmin(np.abs(values - value)))
    if not np.isclose(values[index], value, rtol=1e-2):
        raise FigureError(
            f"{results.path}: no {what} {text!r}{of_case(results)}; the file has {shown}"
        )
    return index


def common_rows(group):
    """The first rows finished in all of several panels: nothing is picked by its look.

    As many as `style.SHADES` tells apart.
    """
    return sorted(set.intersection(*(set(panel.rows) for panel in group)))[: len(style.SHADES)]


def range_of_normalisation(group):
    """The normalisation of several panels (rigidities): one text, or the range of the factors."""
    texts = list(dict.fromkeys(panel.normalisation_text for panel in group))
    if len(texts) == 1:
        return texts[0]
    low, high = (style.number(f(panel.scale for panel in group), 3) for f in (min, max))
    return rf"$M\times$ {low} to {high} ($D_\mathrm{{B/C}}/D_\mathrm{{sim}}$)"


def range_of_stops(group):
    """The stop of several panels (rigidities), or the range of theirs."""
    low, high = (f(group, key=lambda panel: panel.length) for f in (min, max))
    if np.isclose(low.length, high.length):
        return low.stop_text
    return f"{low.stop_text.removesuffix(' pc')} to {style.number(high.length, 3)} pc"


def of_case(results):
    """" of case 'strong'", for messages; empty for a file without cases."""
    return f" of case {results.case!r}" if results.case else ""
