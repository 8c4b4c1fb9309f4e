"""The job: sections of the job file, and what follows from them."""

from typing import NamedTuple

import numpy as np
import tomli_w
from pydantic import Field, PrivateAttr

from hpc_cr import jf12
from hpc_cr.config import scales
from hpc_cr.config.galaxy import (
    Diffusion,
    Energies,
    Halo,
    Injection,
    LocalField,
    LocalSource,
    Nuclei,
    Sources,
)
from hpc_cr.config.levels import make_levels
from hpc_cr.config.resolve import warnings
from hpc_cr.config.schema import (
    SECTIONS_OF,
    Boundary,
    Escape,
    FieldLines,
    Gas,
    Gradient,
    Grids,
    Integrator,
    Output,
    Parallel,
    Particles,
    Regular,
    Run,
    Source,
    Turbulence,
)
from hpc_cr.config.section import Section
from hpc_cr.frames import patch_pixels, unit_vector

LEAST_STEPS = 2.0
"""Boris steps per gyroradius in the strongest field of a Galaxy whose field changes, at least:
pitch angles then scatter as with many more (docs/galactic_field.md)."""
N_SMOOTHING = 8
"""Radii at which the local field is recorded."""


N_MAP_RADII = 81
MAP_HEIGHTS = (0.0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0)
"""In half heights of the halo."""
FIELD_LINE_NODES = 257
"""Points of a source's field line on either side of it."""


class Case(NamedTuple):
    """One of several settings in one job file.

    Attributes
    ----------
    name : str
        Empty for a job without [[case]]s.
    job : Job
        The complete job of this case, itself without [[case]]s.
    """

    name: str
    job: "Job"


class Job(Section):
    """A complete, checked job; made by `load_job` and `parse_job`, never changed afterwards.

    Sections are attributes (`job.turbulence.rms`), values are in pc, uG and PV. A job with
    [[case]]s shows the sections of its first case; `cases` holds all of them.
    """

    run: Run = Field(default_factory=Run)
    turbulence: Turbulence = Field(default_factory=Turbulence)
    grids: Grids = Field(default_factory=Grids)
    regular: Regular = Field(default_factory=Regular)
    particles: Particles = Field(default_factory=Particles)
    integrator: Integrator = Field(default_factory=Integrator)
    boundary: Boundary = Field(default_factory=Boundary)
    gradient: Gradient = Field(default_factory=Gradient)
    parallel: Parallel = Field(default_factory=Parallel)
    output: Output = Field(default_factory=Output)
    field_lines: FieldLines = Field(default_factory=FieldLines)
    source: Source = Field(default_factory=Source)
    escape: Escape = Field(default_factory=Escape)
    gas: Gas = Field(default_factory=Gas)
    halo: Halo = Field(default_factory=Halo)
    diffusion: Diffusion = Field(default_factory=Diffusion)
    sources: Sources = Field(default_factory=Sources)
    nuclei: Nuclei = Field(default_factory=Nuclei)
    energies: Energies = Field(default_factory=Energies)
    injection: Injection = Field(default_factory=Injection)
    local_source: LocalSource = Field(default_factory=LocalSource)
    local_field: LocalField = Field(default_factory=LocalField)

    _name: str = PrivateAttr("job")
    _cases: tuple = PrivateAttr(())

    def named(self, name, cases=()):
        """The same job with a name and, for a file with [[case]]s, its cases."""
        job = self.model_copy()
        job._name, job._cases = name, tuple(cases)
        return job

    def __eq__(self, other):
        """Whether all settings of all cases are equal; the name does not count."""
        if not isinstance(other, Job):
            return NotImplemented
        return self._tables() == other._tables()

    __hash__ = None

    def given(self, section):
        """Keys of a section that were given, by the file or from a default that was filled in."""
        return getattr(self, section).model_fields_set

    @property
    def name(self):
        """The job file's name without its suffix."""
        return self._name

    @property
    def cases(self):
        """Tuple of Case; one with the name "" for a job without [[case]]s."""
        return self._cases or (Case("", self),)

    # scales and fields

    @property
    def b_ref(self):
        """Reference field sqrt(B0^2 + B_rms^2), uG; that at the Sun where it changes."""
        return float(np.hypot(self.turbulence.rms, self.regular_strength))

    @property
    def strongest_field(self):
        """Largest sqrt(B_regular^2 + B_rms^2) anywhere, uG: b_ref where nothing changes with the
        place."""
        regular, turbulence = self.regular, self.turbulence
        jf12_on = regular.model == "jf12"
        if not jf12_on and turbulence.profile == "uniform":
            return self.b_ref
        scales_of = (turbulence.radial_scale or np.inf, turbulence.vertical_scale or np.inf)
        varying = jf12.strongest_field(regular.components if jf12_on else (), turbulence.rms,
                                       *scales_of)
        return float(np.hypot(varying, 0.0 if jf12_on else regular.strength))

    @property
    def gyroradii(self):
        """Gyroradii in the reference field, (n_rig,) pc."""
        return scales.gyroradius(np.array(self.particles.rigidities), self.b_ref)

    @property
    def coherence_length(self):
        """Two-sided coherence length of the turbulence, pc."""
        t = self.turbulence
        return scales.coherence_length(t.outer_scale, t.inner_scale, t.slope)

    @property
    def mean_free_paths(self):
        """Estimated mean free paths 3 D/c (n_rig,) pc, along a uniform field that dominates."""
        return scales.mean_free_paths(self.particles.rigidities, self.turbulence.rms,
                                      self.regular_strength, self.turbulence.outer_scale)

    @property
    def regular_field(self):
        """Regular field at the Sun (3,), uG, Galactic Cartesian: the uniform field, if it is."""
        if self.regular.model == "jf12":
            on = [part in self.regular.components for part in jf12.PARTS]
            return np.array(jf12.regular_field(-jf12.SUN_RADIUS, 0.0, 0.0, *on))
        return self.uniform_field

    @property
    def regular_strength(self):
        """Strength of the regular field at the Sun, uG."""
        if self.regular.model == "jf12":
            return float(np.linalg.norm(self.regular_field))
        return self.regular.strength

    @property
    def uniform_field(self):
        """Field that is the same everywhere (3,), uG, Galactic Cartesian."""
        if self.regular.model != "uniform":
            return np.zeros(3)
        return self.regular.strength * unit_vector(*self.regular.direction)

    @property
    def levels(self):
        """Tuple of Level, largest box first; empty without turbulence or with plane waves."""
        return make_levels(self.turbulence, self.grids)

    # what is recorded

    @property
    def shortest_wave(self):
        """L_min in pc, infinite without turbulence."""
        return self.turbulence.inner_scale if self.turbulence.rms > 0 else np.inf

    @property
    def resolved_waves(self):
        """Shortest wave that steps resolve, (n_rig,) pc: L_min, or longer where the waves below
        cause no more than integrator.negligible_scattering; infinite without turbulence."""
        if self.turbulence.rms == 0:
            return np.full(len(self.particles.rigidities), np.inf)
        return scales.negligible_wavelength(
            self.particles.rigidities, self.mean_free_paths, self.gyroradii, self.turbulence,
            self.integrator.negligible_scattering)

    @property
    def longest_steps(self):
        """Longest step whatever the gyroradius at the Sun, (n_rig,) pc: L_min, or half the shortest
        wave that steps resolve if that is longer; infinite without turbulence. Where the field
        changes with the place, Boris steps are at most half the least gyroradius as well."""
        steps = np.maximum(self.shortest_wave, self.resolved_waves / 2)
        strongest = self.strongest_field
        if self.integrator.method == "boris" and strongest > self.b_ref:
            least = scales.gyroradius(np.array(self.particles.rigidities), strongest)
            steps = np.minimum(steps, least / LEAST_STEPS)
        return steps

    @property
    def levels_followed(self):
        """Levels that trajectories see, (n_rig,): the ones with waves that steps resolve."""
        longest = np.array([level.longest for level in self.levels])
        return np.array([np.count_nonzero(longest > wave) for wave in self.resolved_waves], int)

    @property
    def stops(self):
        """Times c T, or radii of the spheres, (n_rig, n_stop) pc; the longest path for a halo."""
        n_rig, boundary = len(self.particles.rigidities), self.boundary
        if self.run.kind == "galaxy":  # nothing is stopped there
            return np.ones((n_rig, 1))
        if boundary.kind == "halo":
            return np.full((n_rig, 1), boundary.limit)
        if boundary.kind == "sphere":
            return np.tile(np.array(boundary.radii), (n_rig, 1))
        unit = {
            None: lambda: np.ones(n_rig),
            "L_c": lambda: np.full(n_rig, self.coherence_length),
            "r_g": lambda: self.gyroradii,
            "lambda": lambda: self.mean_free_paths,
            "relaxation": lambda: np.maximum(self.mean_free_paths, self.coherence_length),
        }[boundary.times_in]()
        return np.outer(unit, boundary.times)

    @property
    def gradient_vectors(self):
        """Gradient of the density per rigidity, (n_rig, 3) 1/pc, Galactic Cartesian."""
        if self.gradient.vectors is not None:
            return np.array(self.gradient.vectors)
        magnitudes = np.array(self.gradient.magnitude)[:, None]
        vectors = magnitudes * unit_vector(*self.gradient.direction)
        return np.broadcast_to(vectors, (len(self.particles.rigidities), 3)).copy()

    @property
    def n_pix(self):
        """Particles per row and rigidity: 12 nside^2, those of the patch, or count."""
        if self.particles.patch is not None:
            return len(patch_pixels(self.particles.nside, *self.particles.patch))
        return self.particles.count or 12 * self.particles.nside**2

    @property
    def energy_axis(self):
        """Energies of a galaxy job, (n_rig,): rigidities in GV, or kinetic energies per nucleon in
        GeV with energies.per_nucleon."""
        if self.energies.per_nucleon is not None:
            return np.geomspace(*self.energies.per_nucleon, self.energies.count)
        return 1e6 * np.geomspace(*self.energies.rigidity, self.energies.count)

    @property
    def map_radii(self):
        """Galactocentric radii of the maps of the Galaxy, (n,) pc."""
        return np.linspace(0.0, self.halo.radius, N_MAP_RADII)

    @property
    def map_heights(self):
        """Heights of the maps of the Galaxy, (n,) pc."""
        return self.halo.half_height * np.array(MAP_HEIGHTS)

    @property
    def smoothing_radii(self):
        """Radii of the balls around the observer over which the local field is averaged,
        (n_rig, n_smoothing) pc: 0, and from the gyroradius to the mean free path in equal ratios;
        at most to L_max, at least to ten gyroradii."""
        first = np.minimum(self.gyroradii, self.turbulence.outer_scale)
        last = np.minimum(np.maximum(self.mean_free_paths, 10 * first), self.turbulence.outer_scale)
        last = np.maximum(last, first)
        share = np.linspace(0.0, 1.0, N_SMOOTHING - 1)
        steps = first[:, None] * (last / first)[:, None] ** share
        return np.concatenate([np.zeros((len(first), 1)), steps], axis=1)

    @property
    def field_line_distances(self):
        """Distances along the uniform field at which field lines are measured, (n,) pc: from a
        fiftieth of the whole length in equal ratios."""
        if not self.field_lines.count:
            return np.zeros(0)
        return self.field_lines.length * np.geomspace(0.02, 1.0, 12)

    @property
    def place_name(self):
        """What particles.observers counts: "observer", or "source"."""
        return "source" if self.run.kind == "source" else "observer"

    @property
    def n_row(self):
        """Rows of the result file: realisations x observers; species of the Galaxy."""
        if self.run.kind == "galaxy":
            return len(self.nuclei.species)
        return self.run.realisations * self.particles.observers

    def entry_name(self, row, rig, case=""):
        """An entry in the user's words: "case strong, realisation 3, observer 1, 10 PV".

        Parameters
        ----------
        row, rig : int
        case : str
            Name of the case, if it is to be told.

        Returns
        -------
        str
        """
        words = [f"case {case}"] if case else []
        if self.run.kind == "galaxy":
            axis = self.energy_axis[rig]
            unit = "GV" if self.energies.per_nucleon is None else "GeV/n"
            return ", ".join([*words, self.nuclei.species[row], f"{axis:.4g} {unit}"])
        realisation, observer = divmod(int(row), self.particles.observers)
        words.append(f"realisation {self.run.first_realisation + realisation}")
        if self.particles.observers > 1:
            words.append(f"{self.place_name} {observer}")
        return ", ".join([*words, f"{self.particles.rigidities[rig]:.4g} PV"])

    @property
    def warnings(self):
        """List of lines about settings that are allowed but probably not meant."""
        return [f"case {case.name}: {line}" if case.name else line
                for case in self.cases for line in warnings(case.job)]

    # text and comparison

    def settings(self):
        """Every key that is set, resolved: dict of dotted key -> TOML value with its unit."""
        flat = {f"{section}.{name}": value
                for section, table in self.model_dump(exclude_none=True,
                                                                by_alias=True).items()
                if self.run.kind in SECTIONS_OF.get(section, (self.run.kind,))
                for name, value in table.items()}
        if self.run.kind == "galaxy":  # what is not used there
            unused = [("gas.density", "gas.half_height")] if self.gas.profile == "galaxy" else []
            if self.injection.cutoff is None:
                unused.append(("injection.cutoff_in",))
            if self.local_source.distance is None:
                unused.append(("local_source.slope", "local_source.kernel"))
            for name in (name for names in unused for name in names):
                flat.pop(name, None)
        # of two names for the same thing, the one that was given
        for kept, dropped in (("turbulence.spectrum", "turbulence.slope"),
                              ("gradient.scale_length", "gradient.magnitude"),
                              ("grids.boxes", "grids.levels")):
            if kept in flat:
                flat.pop(dropped, None)
        for name in ("gradient.scale_length", "gradient.magnitude"):
            if len(flat.get(name, ())) == 1:
                flat[name] = flat[name][0]
        return flat

    def _tables(self):
        return [(case.name, case.job.settings()) for case in self.cases]

    def to_toml(self):
        """The resolved job as TOML text, which `parse_job` reads back to an equal job.

        Of a job with [[case]]s the sections hold what all cases share, each `set` the rest.
        """
        tables = self._tables()
        first = tables[0][1]
        shared = {key: value for key, value in first.items()
                  if all(key in table and table[key] == value for _, table in tables)}
        sections = {}
        for key, value in shared.items():
            section, _, name = key.partition(".")
            sections.setdefault(section, {})[name] = value
        text = tomli_w.dumps(sections)
        if self._cases:
            for name, table in tables:
                own = {key: value for key, value in table.items() if key not in shared}
                plain = {key: value for key, value in own.items() if not isinstance(value, dict)}
                text += f'\n[[case]]\nname = "{name}"\n\n[case.set]\n{tomli_w.dumps(plain)}'
                for key, value in own.items():
                    if isinstance(value, dict):
                        text += f'\n[case.set."{key}"]\n{tomli_w.dumps(value)}'
        return text

    def numbers_differ(self, other):
        """Keys that differ from another job's and change the numbers that come out.

        Parameters
        ----------
        other : Job

        Returns
        -------
        list of str
            Dotted keys in the order of the file. [parallel] and grids.layout have no influence.
        """
        mine, others = self.settings(), other.settings()
        return [key for key in {**mine, **others} if mine.get(key) != others.get(key)
                and not key.startswith("parallel.") and key != "grids.layout"]
