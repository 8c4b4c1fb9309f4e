"""The transport equation of the Galaxy, shared out over ranks by energy, species and setting.

Where nothing changes the energy per nucleon, every energy is a problem of its own: a task is one
energy of all species, or of one of them where spallation does not connect them and there are more
ranks than energies. Energy losses, reacceleration and a wind connect all energies, and the task is
all of a case. Cases that differ in what the solution does not depend on (the local source, the
local field, ...) share it.
"""

import time
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns.galaxy_setting import (
    injection,
    local_component,
    local_tensor,
    rigidities,
    setting,
    species_of,
)
from hpc_cr.campaigns.work import TAIL_ROUNDS
from hpc_cr.galaxy import network
from hpc_cr.galaxy.spectra import (
    axis_per_rigidity,
    nucleon_energy,
    rigidity_of_energy,
    velocity,
)
from hpc_cr.galaxy.transport import on_map

SOLUTION = ("halo.", "diffusion.", "sources.", "gas.", "nuclei.", "energies.", "injection.")
"""What the solution depends on, as the beginnings of keys."""
NOT_SOLUTION = ("injection.flux", "injection.flux_energy", "injection.normalisation")
SOLVE_COST = 1.25
"""Unknowns of the fine and the coarse grid together, over those of the former."""


class Task(NamedTuple):
    """Entries of cases that share solutions, computed by one rank."""

    cases: tuple  # of int
    entries: tuple  # of (row, rig)
    cost: float  # unknowns


def coupled(job):
    """Whether the energies of a case's job depend on one another."""
    return bool(job.nuclei.ionisation or job.diffusion.alfven_speed or job.diffusion.wind)


def connected(job):
    """Whether its species depend on one another: by spallation, decay, or solved together."""
    names = job.nuclei.species
    decays = job.nuclei.decay and any(s.daughter in names for s in species_of(job))
    return job.nuclei.network or decays or coupled(job)


def entry_cost(job, rig=0):
    """Unknowns of one entry, the same at all energies."""
    return SOLVE_COST * job.halo.cells[0] * job.halo.cells[1]


def solution_key(job):
    """Text that is the same for cases with the same solution."""
    return repr([(key, value) for key, value in job.settings().items()
                 if key.startswith(SOLUTION) and key not in NOT_SOLUTION])


def make_tasks(cases, done, n_ranks):
    """Tasks for what is missing, longest first.

    Parameters
    ----------
    cases : sequence of Case
    done : dict of str to ndarray (n_row, n_rig) of bool
        By case name.
    n_ranks : int

    Returns
    -------
    list of Task
    """
    groups = {}
    for number, case in enumerate(cases):
        groups.setdefault(solution_key(case.job), []).append(number)
    pieces = []
    for numbers in groups.values():
        job, parts = cases[numbers[0]].job, {}
        missing = np.array([~done[cases[n].name] for n in numbers])
        for rig, row in np.argwhere(missing.any(axis=0).T).tolist():
            # a killed run may have left an entry of some of the cases
            wanted = tuple(n for n, gone in zip(numbers, missing[:, row, rig], strict=True) if gone)
            part = parts.setdefault((0 if coupled(job) else rig, wanted), [])
            part.append((row, rig))
        pieces += [(job, wanted, part) for (_, wanted), part in parts.items()]
    few = len(pieces) < TAIL_ROUNDS * n_ranks
    tasks = []
    for job, numbers, part in pieces:
        split = few and n_ranks > 1 and not connected(job)
        for entries in [[entry] for entry in part] if split else [part]:
            tasks.append(Task(numbers, tuple(entries), len(entries) * entry_cost(job)))
    return sorted(tasks, key=lambda task: -task.cost)


class Workshop:
    """What a rank computes entries with.

    Parameters
    ----------
    job : Job
    comm, team
        As for `hpc_cr.campaigns.workshop.Workshop`; a team is one rank.
    """

    def __init__(self, job, comm, team):
        self.cases, self.team = job.cases, team
        self._keys = [solution_key(case.job) for case in job.cases]
        self._settings, self._scales, self._solved = {}, {}, {}
        most = max(case.job.n_row * len(case.job.particles.rigidities) for case in job.cases)
        self.message_length = 3 + len(job.cases) + 2 * most

    def clear(self):
        """Nothing is shared."""

    @staticmethod
    def encode(message, task):
        """Write a task into the team's message; None means the end."""
        if task is None:
            message[0] = -1
            return
        n_case, n_entry = len(task.cases), len(task.entries)
        message[:2] = n_case, n_entry
        message[2:2 + n_case] = task.cases
        message[2 + n_case:2 + n_case + 2 * n_entry] = np.ravel(task.entries)

    @staticmethod
    def decode(message):
        """List of (case, realisation, row, rig) of a message, or None; the cases of an entry come
        one after the other."""
        if message[0] < 0:
            return None
        n_case, n_entry = message[:2].tolist()
        cases = message[2:2 + n_case].tolist()
        entries = message[2 + n_case:2 + n_case + 2 * n_entry].reshape(-1, 2).tolist()
        return [(case, 0, row, rig) for row, rig in entries for case in cases]

    def cost(self, case, rig):
        """Unknowns of an entry, shared among the cases with the same solution."""
        return entry_cost(self.cases[case].job) / self._keys.count(self._keys[case])

    def compute(self, case, realisation, row, rig, poll, times):
        """One entry (dict); None where a signal came."""
        job = self.cases[case].job
        key = self._keys[case]
        began = time.perf_counter()
        with times.of("tracking"):
            if (key, row, rig) not in self._solved:
                # what was solved before is not needed again: tasks of a solution come together
                self._solved.clear()
                if not self._solve(key, job, row, rig, poll):
                    return None
        with times.of("measuring"):
            found = self._solved[key, row, rig]
            scale = self._scale(key, job, row)
            return entry(job, row, rig, found, scale) | {
                "unfinished": 0,
                "over_tolerance": int(found["negative"]),
                # of the cases with a solution the first one has its unknowns
                "steps": found["unknowns"] if self._keys.index(key) == case else 0,
                "seconds": time.perf_counter() - began,
            }

    def _setting(self, key, job, coarse):
        if (key, coarse) not in self._settings:
            self._settings[key, coarse] = setting(job, coarse)
        return self._settings[key, coarse]

    def _solve(self, key, job, row, rig, poll):
        """Put the solutions of an energy (or of all, or of one species) into `_solved`; False
        where a signal came."""
        for coarse in (False, True):
            problem, order = self._setting(key, job, coarse)
            for number, k, solved in _solutions(job, problem, order, row, rig):
                found = self._solved.setdefault((key, order[number], k), {})
                found["coarse" if coarse else "fine"] = _kept(job, problem, solved, coarse)
                if not coarse:
                    found["negative"] = np.count_nonzero(solved.density < 0)
                found["unknowns"] = found.get("unknowns", 0) + solved.density.size
                if poll():
                    return False
        return True

    def _scale(self, key, job, row):
        """Flux per GV over the solution's J: what gives the flux that the job asks for."""
        rows = 0 if job.injection.abundance is not None else row
        name = (key, rows, job.injection.flux, job.injection.flux_energy)
        if name not in self._scales:
            densities = None
            if coupled(job):  # all energies are there
                densities = np.array([self._solved[key, rows, k]["fine"]["density"]
                                      for k in range(len(job.particles.rigidities))])
            self._scales[name] = flux_scale(job, rows, densities)
        return self._scales[name]


def _solutions(job, problem, order, row, rig):
    """(species of the setting, energy, Solved) of what is solved together with an entry."""
    if coupled(job):
        from hpc_cr.galaxy.momentum import march

        yield from march(problem)
    elif connected(job):
        for number, solved in network.one_energy(problem, rig):
            yield number, rig, solved
    else:
        number = order.index(row)
        yield number, rig, network.alone(problem, number, rig)


def _kept(job, problem, solved, coarse):
    """What an entry needs of a solution: densities are relative."""
    local = solved.local
    kept = {"density": local.density, "radial": local.radial}
    if not coarse:
        b = solved.balance
        fate = np.array([b.escaped_top, b.escaped_side, b.lost, b.moved])
        kept["fate"] = fate / b.injected if b.injected > 0 else np.full(4, np.nan)
        kept["map"] = on_map(problem.grid, solved.density, job.map_radii, job.map_heights)
    return kept


def _steepness(kept):
    """-d ln N/dr of a solution, 1/pc; NaN where there is nothing."""
    return -kept["radial"] / kept["density"] if kept["density"] > 0 else np.nan


def entry(job, row, rig, found, scale):
    """Arrays of one entry (`hpc_cr.io.schema`) from relative densities and the flux's scale."""
    s = species_of(job)[row]
    at = float(rigidities(job)[row, rig])
    beta = float(velocity(at, s.z, s.a))
    to_flux = scale * beta * float(axis_per_rigidity(_axis(job), at, s.z, s.a))
    fine, coarse = found["fine"], found["coarse"]
    if found["negative"]:  # no solution: the summary says so
        to_flux = np.nan
    local, steepness = local_component(job, row, at)
    return {
        "flux": np.array([to_flux * fine["density"], local[0]]),
        "gradient": np.array([[_steepness(fine), 0.0, 0.0], steepness[0]]),
        "tensor": local_tensor(job, at, beta),
        "coarse_flux": to_flux * coarse["density"],
        "coarse_gradient": _steepness(coarse),
        "fate": fine["fate"],
        "flux_map": to_flux * fine["map"],
    }


def _axis(job):
    return "nucleon" if job.energies.per_nucleon is not None else "rigidity"


def flux_scale(job, row, densities=None):
    """Flux at the Sun over J = beta N of the solution, per GV.

    Parameters
    ----------
    job : Job
    row : int
        Species whose flux is given.
    densities : ndarray (n_energy), optional
        Its density at the Sun at the job's energies, where they are connected. Between them it is
        a power law times the injected spectrum; without, one more energy is solved.

    Returns
    -------
    float
    """
    s = species_of(job)[row]
    wanted = job.injection.flux[0 if job.injection.abundance is not None else row]
    at = float(rigidity_of_energy(job.injection.flux_energy * s.a, s.z, s.a))
    if densities is None:
        density = _density_at(job, row, at)
    else:
        where = rigidities(job)[row]
        injected = injection(job, row, where) / axis_per_rigidity(_axis(job), where, s.z, s.a)
        there = injection(job, row, at) / axis_per_rigidity(_axis(job), at, s.z, s.a)
        density = there * np.exp(np.interp(np.log(at), np.log(where), np.log(densities / injected)))
    # fluxes are per GeV of total energy, per nucleon for all but protons
    wanted_per_GV = wanted * axis_per_rigidity("nucleon", at, s.z, s.a)
    per_GV = axis_per_rigidity(_axis(job), at, s.z, s.a)
    return wanted_per_GV / (density * per_GV * velocity(at, s.z, s.a))


def _density_at(job, row, rigidity_GV):
    """Density at the Sun of a species at another energy than the job's."""
    s = species_of(job)[row]
    value = rigidity_GV
    if job.energies.per_nucleon is not None:
        value = nucleon_energy(rigidity_GV, s.z, s.a)
    problem, order = setting(job, axis_values=[float(value)])
    number = order.index(row)
    if connected(job):
        solved = next(found for i, found in network.one_energy(problem, 0) if i == number)
    else:
        solved = network.alone(problem, number, 0)
    return solved.local.density
