"""The dipole of a source by backtracking, in concrete fields: the tables of the page on one source.

    python -m tools.studies.source_backtracking single_source.h5 [--realisations N] [--directions N]

Towards the source: the observer is on the source's field line (or anywhere without a regular
field), and delta = M grad ln n with the response M of antiparticles. Across: the observer is off
the line, where the antisymmetric part of M makes a dipole across field and gradient, of opposite
sign for the two charges. D_par and D_perp of the Gaussian are those of the result file, D_iso that
of positive particles in other realisations. Some minutes.
"""

import argparse
from typing import NamedTuple

import numpy as np

from hpc_cr import backtrack, make_field, open_results
from hpc_cr.config import parse_job
from hpc_cr.config.scales import gyroradius
from hpc_cr.sources import dipole, gaussian
from hpc_cr.sources.local_source import MYR_PC
from hpc_cr.statistics import mean_and_error
from hpc_cr.trajectories.directions import random_directions

DISTANCE, TIME = 200.0, 2.0 * MYR_PC
"""Observer from the source, and time since the burst, pc."""
ROWS = (
    ("eta-025", 3.0, (300.0, 1000.0, 1800.0)),
    ("eta-025", 10.0, (1000.0, 3000.0, 5000.0)),
    ("eta-050", 3.0, (100.0, 300.0, 500.0)),
    ("eta-050", 10.0, (300.0, 1000.0, 2000.0)),
    ("", 3.0, (20.0, 60.0, 100.0)),
    ("", 10.0, (100.0, 300.0, 500.0)),
)
"""Case ("": no regular field), rigidity in PV, times back in pc."""
ACROSS = ("eta-025", 3.0, 1000.0, 20.0)
"""Case, rigidity, time back, and angle of the observer's place with the field, degrees."""
FIRST = 1000
"""First realisation: none that the result file's coefficients come from."""
NO_FIELD = """
[run]
seed = 1
[turbulence]
rms = "1 uG"
outer_scale = "25 pc"
[particles]
rigidities = ["3 PV", "10 PV"]
"""


class Setting(NamedTuple):
    """Fields, and the diffusion in them."""

    job: object
    rigidity: float  # PV
    axes: np.ndarray  # (3, 3) rows: along the uniform field and two across
    parallel: tuple  # D/c and its error, pc
    perpendicular: tuple

    @property
    def tensor(self):
        """D/c, Galactic Cartesian."""
        return gaussian.uniaxial(self.parallel[0], self.perpendicular[0], self.axes[0])


def responses(job, rigidity, times, realisations, directions, charge=-1):
    """M of concrete fields, (n_realisation, n_time, 3, 3), pc; sky axis first."""
    found = []
    for realisation in realisations:
        n = random_directions(directions // 2, job.run.seed, realisation)
        n = np.concatenate([n, -n])
        way = backtrack(make_field(job, realisation), rigidity, n, times, charge=charge)
        second = n.T @ n
        found.append([np.linalg.solve(second, n.T @ x) for x in way.displacement])
    return np.array(found)


def towards(setting, times, realisations, directions, distance=DISTANCE, time=TIME):
    """delta towards the source over 3 R/(2 c T) at each time back: mean and error."""
    found = responses(setting.job, setting.rigidity, times, realisations, directions)
    place = distance * setting.axes[0]
    each = [dipole.response_over_diffusion(
        dipole.response_dipole(found[:, i], place, time, setting.tensor), place, time,
        np.arange(len(found))) for i in range(len(times))]  # fmt: skip
    return np.array([[mean[0], error[0]] for mean, error in each])


class Across(NamedTuple):
    """Off the field line; each a (mean, error) over realisations."""

    antisymmetric: tuple  # of M: (M_21 - M_12)/2 in the field's axes, times the charge's sign, pc
    one_charge: tuple  # dipole along field x gradient over 3 R/(2 c T)
    both_charges: tuple
    formula: tuple  # r_g d_perp/(3 D_perp R), r_g in B0, with the error of D_perp


def across(setting, back, angle_deg, realisations, directions, distance=DISTANCE, time=TIME):
    """The Hall part of the dipole at an observer off the field line.

    Parameters
    ----------
    back : float
        Time back, pc: many gyroperiods; the mean over one of them is taken.
    angle_deg : float
        Between the observer's place and the field.
    """
    angle = np.radians(angle_deg)
    place = distance * (np.cos(angle) * setting.axes[0] + np.sin(angle) * setting.axes[1])
    radius = gyroradius(setting.rigidity, np.linalg.norm(setting.job.regular_field))
    times = back + 2 * np.pi * radius * np.arange(8) / 8
    third = np.cross(setting.axes[0], setting.axes[1])
    parts, dipoles = [], []
    for charge in (-1, 1):
        mean = responses(setting.job, setting.rigidity, times, realisations, directions,
                         charge).mean(axis=1)
        turned = np.einsum("i,nij,j->n", third, mean, setting.axes[1])
        turned -= np.einsum("i,nij,j->n", setting.axes[1], mean, third)
        parts.append(charge * turned / 2)
        delta = dipole.response_dipole(mean, place, time, setting.tensor) @ third
        dipoles.append(delta / gaussian.amplitude(distance, time))
    numbers = np.arange(len(realisations))
    away = distance * np.sin(angle)
    formula = radius * away / (3 * setting.perpendicular[0] * distance)
    return Across(
        mean_and_error(np.mean(parts, axis=0), numbers),
        mean_and_error((dipoles[0] - dipoles[1]) / 2, numbers),
        mean_and_error(np.mean(dipoles, axis=0), numbers),
        (formula, formula * setting.perpendicular[1] / setting.perpendicular[0]),
    )


def settings_of(path, realisations, directions):
    """Setting of every row of ROWS that the file has."""
    found = {}
    with open_results(path) as results:
        for case in results.each_case():
            for rig, rigidity in enumerate(case.rigidities):
                one = case.coefficients(rig)
                both = [(one[name].value, one[name].error) for name in ("D_par", "D_perp")]
                found[case.case, float(rigidity)] = Setting(case.job, rigidity, case.axes, *both)
    job = parse_job(NO_FIELD)
    for _, rigidity, times in (row for row in ROWS if not row[0]):
        value = free_diffusion(job, rigidity, 10 * times[-1], realisations, directions)
        found["", rigidity] = Setting(job, rigidity, np.eye(3), value, value)
    return found


def free_diffusion(job, rigidity, time, realisations, directions):
    """D/c (pc) without a regular field, from positive particles between time/2 and time."""
    found = []
    for realisation in realisations:
        n = random_directions(directions, job.run.seed, realisation)
        way = backtrack(make_field(job, realisation), rigidity, n, [time / 2, time], charge=1)
        early, late = np.mean(np.sum(way.displacement**2, axis=-1), axis=1)
        found.append((late - early) / (3 * time))
    mean, error = mean_and_error(np.array(found), np.arange(len(found)))
    return float(mean), float(error)


def main(arguments=None):
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file")
    parser.add_argument("--realisations", type=int, default=24)
    parser.add_argument("--directions", type=int, default=1000)
    given = parser.parse_args(arguments)
    chosen = range(FIRST, FIRST + given.realisations)
    others = range(2 * FIRST, 2 * FIRST + given.realisations)
    found = settings_of(given.file, others, given.directions)
    for case, rigidity, times in ROWS:
        if (case, rigidity) not in found:
            continue
        setting = found[case, rigidity]
        path = 3 * setting.parallel[0]
        values = towards(setting, times, chosen, given.directions)
        print(f"{case or 'no regular field'}, {rigidity:g} PV, D"
              f" +- {setting.parallel[1] / setting.parallel[0]:.3f}:",
              "; ".join(f"{back:g} pc: {mean:.3f} +- {error:.3f} ({1 - np.exp(-back / path):.2f})"
                        for back, (mean, error) in zip(times, values, strict=True)))
    case, rigidity, back, angle = ACROSS
    if (case, rigidity) in found:
        one = across(found[case, rigidity], back, angle, chosen, given.directions)
        for name, (mean, error) in one._asdict().items():
            print(f"across, {case}, {rigidity:g} PV, {name}: {mean:.3f} +- {error:.3f}")


if __name__ == "__main__":
    main()
