"""Result files of the jobs behind Kachelriess 2018 with known numbers, by the real writer.

Jobs are the shipped ones, with as many realisations as are asked for and few particles. Entries
follow a `Model`: D/(c L) = (4/3) x^2 + [a x + b x^(2-q)]/[1 + (x/0.7)^2] without a regular field,
D_par = D0 [1 + (eta_par/eta)^p] and D_perp = D0/[1 + (eta_perp/eta)^s] at 1 PV beside one, powers
of the rigidity; clouds of sources are Gaussian. Each realisation has factors of its own, normal
with a relative scatter of NOISE, the same at all times: running coefficients are flat.
"""

from typing import NamedTuple

import numpy as np
import synthetic_results as synthetic
from scipy.special import erf

from hpc_cr.config import parse_job
from hpc_cr.config.shipped import shipped_jobs
from hpc_cr.constants import PC_PER_C_S
from hpc_cr.io import schema

NOISE = 0.02
MYR_PC = 1e6 * 365.25 * 86400 / PC_PER_C_S


class Model(NamedTuple):
    """What a file's entries follow; D/c in pc, times in pc."""

    a: float = 0.3
    b: float = 0.077
    small_angle: float = 4 / 3
    cutoff: float = 0.7
    anisotropy: float = 0.0  # D_xx is larger by this share, without a regular field
    level: tuple = (4.0, 0.8, 2.4, 6.0, 1.6)  # D0, eta_par, p, eta_perp, s
    growth: tuple = (1 / 3, 0.55)  # of D_par and D_perp with rigidity
    decay: float = 0.0  # D_iso ~ T^-decay
    flow: float = 1.0  # times that of diffusion
    kurtosis: float = 1.0
    ring: float = 0.55  # growth of D_perp in clouds with rigidity
    escape: tuple = (30.0, 10.0, -1 / 3)  # Myr at 5 GV, g/cm^2 at 10 GV, exponent

    def isotropic(self, x, slope=5 / 3, coherence=1.0):
        """D/(c L), L_c/L = coherence."""
        between = (self.a * x + self.b * x ** (2 - slope)) / (1 + (x / self.cutoff) ** 2)
        return self.small_angle * x**2 / coherence + between

    def along_and_across(self, eta, rigidity):
        """D_par and D_perp, pc."""
        d0, eta_par, p, eta_perp, s = self.level
        par, perp = d0 * (1 + (eta_par / eta) ** p), d0 / (1 + (eta_perp / eta) ** s)
        return par * rigidity ** self.growth[0], perp * rigidity ** self.growth[1]


def job_text(name, realisations=12, cases=None, edits=()):
    """Text of a shipped job with fewer realisations, particles and cases.

    edits: pairs (old, new) of text.
    """
    text = shipped_jobs()[name].read_text()
    head, *parts = text.split("[[case]]")
    if cases is not None:
        parts = [part for part in parts if part.split('"')[1] in cases]
    text = "[[case]]".join([head, *parts])
    lines = []
    for line in text.splitlines():
        if line.startswith("realisations"):
            line = f"realisations = {realisations}"
        if line.startswith("count"):
            line = "count = 40"
        lines.append(line)
    text = "\n".join(lines) + "\n"
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def write(path, name, model=None, realisations=12, cases=None, edits=(), rows=None):
    """A result file of a shipped job; rows: realisations that are finished, default all."""
    job = parse_job(job_text(name, realisations, cases, edits), name=name)
    model = model or Model()
    kind = job.cases[0].job.run.kind
    entry = {"diffusion": _diffusion, "source": _source, "escape": _escape}[kind]

    def one(case_job, row, rig):
        return _finish(case_job, entry(case_job, model, row, rig), row)

    return synthetic.write(path, job, entry=one,
                           finished=lambda n, row, rig: rows is None or row < rows)


def _finish(job, arrays, row):
    for spec, shape in schema.datasets(job):
        if spec.role == "data":
            arrays.setdefault(spec.name, np.zeros(shape[2:]))
            arrays[spec.name] = np.broadcast_to(arrays[spec.name], shape[2:])
    scalars = {"unfinished": 0, "over_tolerance": 0, "steps": 1000, "seconds": 0.5, "rank": 0}
    return arrays | scalars | {"origin": (0, "host", 0.5 * row, 0.5 * row + 0.5)}


def _factors(job, row, rig, count):
    seed = [row, rig, int(1e6 * job.turbulence.rms)]
    return 1 + NOISE * np.random.default_rng(seed).normal(size=count)


def _diffusion(job, model, row, rig):
    rigidity, stops = job.particles.rigidities[rig], np.asarray(job.stops)[rig]
    turbulence = job.turbulence
    tensor = np.zeros((len(stops), 3, 3))
    if job.regular.model == "none":
        unit = turbulence.outer_scale * (turbulence.slope - 1) / (2 * turbulence.slope)
        x = job.gyroradii[rig] / unit
        d = unit * model.isotropic(x, turbulence.slope, job.coherence_length / unit)
        noise = _factors(job, row, rig, 6)
        running = d * (stops / stops[-1])[:, None] ** -model.decay
        tensor[:, range(3), range(3)] = running * noise[:3] * [1 + model.anisotropy, 1, 1]
        across = running * (noise[3:] - 1)
        tensor[:, [0, 0, 1], [1, 2, 2]] = tensor[:, [1, 2, 2], [0, 0, 1]] = across
    else:
        eta = turbulence.rms / job.regular.strength
        par, perp = model.along_and_across(eta, rigidity)
        each = np.array([par, perp, perp]) * _factors(job, row, rig, 3)
        tensor[:, range(3), range(3)] = each  # the field lies along x
    return dict.fromkeys(("tensor", "tensor_velocity", "tensor_arrival", "interval"), tensor)


def _source(job, model, row, rig):
    """A Gaussian cloud with the flow of diffusion, s/(2 T) along the field."""
    rigidity, stops = job.particles.rigidities[rig], np.asarray(job.stops)[rig]
    eta = job.turbulence.rms / job.regular.strength
    par, perp = model.along_and_across(eta, 1.0)
    par, perp = par * rigidity ** (1 / 3), perp * rigidity**model.ring
    noise = _factors(job, row, rig, 6)
    par, perp = par * noise[0], perp * noise[1]
    s, d = (np.asarray(e, float) for e in (job.source.along, job.source.perpendicular))
    volume = np.diff(s)[:, None] * np.pi * np.diff(d**2)
    share = []
    for t in stops:
        along = np.diff(erf(s / np.sqrt(4 * par * t))) / 2
        across = -np.diff(np.exp(-(d**2) / (4 * perp * t)))
        share.append(along[:, None] * across)
    share = np.repeat(np.array(share)[:, None], 2, axis=1)
    arrays = {"density": share / volume, "count": np.round(1e6 * share)}
    flow = np.zeros((*share.shape, 3))
    middle = (s[1:] + s[:-1]) / 2
    speed = model.flow * noise[2] * middle[None, :] / (2 * stops[:, None])
    flow[:, 0, ..., 0] = speed[..., None]
    flow[:, 1, ..., 0] = -speed[..., None]
    covariance = np.zeros((len(stops), 3, 3))
    covariance[:, range(3), range(3)] = 2 * stops[:, None] * [par, perp, perp]
    kurtosis = np.broadcast_to(model.kurtosis * noise[3:6], (len(stops), 3))
    return arrays | {"flow": flow, "covariance": covariance, "kurtosis": kurtosis}


def _escape(job, model, row, rig):
    """Exponential escape times and grammages, all through the top."""
    time, column, power = model.escape
    rigidity = job.particles.rigidities[rig]
    rng = np.random.default_rng([row, int(1e3 * rigidity)])  # cases are independent
    draw = rng.exponential(size=job.particles.count)
    times = MYR_PC * time * (rigidity / 5e-6) ** power * draw
    column = column * (rigidity / 1e-5) ** power * draw
    start = np.zeros((job.particles.count, 3))
    return {"escape_time": times, "grammage": column, "start": start,
            "exit": start + [0.0, 0.0, job.boundary.half_height]}
