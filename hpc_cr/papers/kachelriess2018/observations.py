"""Kachelriess 2018, pages 4 and 5: equation 4, and what is measured against it.

Measured dipoles are those of the package's table (`hpc_cr.measurements.dipole`) that its figures
show; errors of fits to them contain their scatter, which exceeds the printed errors by far:
projections and bands of declination differ from array to array.
"""

import numpy as np

from hpc_cr.diffusion.fits import fit_power_law
from hpc_cr.figures.single_source import FIELD_LB, VELA_LB, equator
from hpc_cr.measurements import dipole
from hpc_cr.papers.kachelriess2018.measured import Number, equal, exact, statement, words
from hpc_cr.papers.verdicts import above, arithmetic, below, factor
from hpc_cr.sources.gaussian import amplitude
from hpc_cr.sources.local_source import Source, young_source
from hpc_cr.sources.supernovae import YEAR_PC

PLATEAU_PEV = (2e-3, 20e-3)
GROWTH_PEV = (0.1e-3, 2e-3)
FALL_PEV = (20e-3, 0.2)
FLIPPED_PEV = (0.2, 2.0)
FLAT = 0.2
"""Slopes d ln A/d ln E below which a plateau is called one."""
PHASE_DEG = 30.0
"""What "about 180 degrees" and "approximately constant" are granted."""
SOURCE = (200.0, 2.0)
"""R in pc and T in Myr of equation 4."""
VELA = (300.0, 0.011)


def formula(distance_pc, age_myr):
    """3 R/(2 c T)."""
    return float(amplitude(distance_pc, 1e6 * age_myr * YEAR_PC))


def equation_4():
    """The number in equation 4."""
    value = formula(*SOURCE)
    return [
        statement(
            "eq. 4",
            "3 R/(2 c T) for R = 200 pc, T = 2 Myr, Julian years",
            "5.0e-4",
            exact(value),
            "",
            arithmetic(value, 5.0e-4, 0.2e-4),
            "printed as about; 4.9e-4 to two digits",
        )
    ]


def points(low, high):
    """Measured points of an energy range (PeV), without limits."""
    return [
        p
        for p in dipole.read().points
        if p.shown and not p.upper_limit and low <= p.energy <= high
    ]


def slope(low, high):
    """d ln A/d ln E of the points of a range, and the amplitude at its middle, as Numbers."""
    found = points(low, high)
    energy = np.array([p.energy for p in found])
    size = np.array([p.amplitude for p in found])
    error = np.array([np.mean(p.errors) for p in found])
    middle = float(np.sqrt(low * high))
    fit = fit_power_law(energy, size, error, reference=middle)
    note = f"{len(found)} points, which scatter by {100 * fit.scatter:.0f} %"
    value, level = fit["exponent"], fit["amplitude"]
    return Number(*value, len(found), note), Number(*level, len(found), note)


def phase(low, high):
    """Mean right ascension of the maximum in a range and its error, degrees; the scatter."""
    angles = np.radians([p.phase_deg for p in points(low, high) if np.isfinite(p.phase_deg)])
    vector = np.exp(1j * angles)
    mean = np.angle(vector.mean())
    rest = np.degrees(np.angle(vector * np.exp(-1j * mean)))
    scatter = float(np.std(rest, ddof=1))
    return Number(np.degrees(mean) % 360, scatter / np.sqrt(len(rest)), len(rest)), scatter


def plateau():
    """Growth, plateau and fall of the measured amplitude, and the phase."""
    found = []
    for span, text, paper, rule in (
        (GROWTH_PEV, "0.1 to 2 TeV", "> 0", lambda v, e, n: above(v, e, 0.0, n)),
        (PLATEAU_PEV, "2 to 20 TeV", "0", lambda v, e, n: equal(v, e, 0.0, n, FLAT)),
        (FALL_PEV, "20 to 200 TeV", "< 0", lambda v, e, n: below(v, e, 0.0, n)),
    ):
        if len(points(*span)) < 3:
            continue
        number, _ = slope(*span)
        found.append(
            statement(
                "p. 4",
                f"measured dipoles, d ln A/d ln E from {text}",
                paper,
                number,
                "",
                rule(number.value, number.error, number.n),
                f"flat: within {FLAT:g}",
            )
        )
    return found + phases()


def phases():
    """The phase stays in the plateau and flips above it."""
    before, scatter = phase(*PLATEAU_PEV)
    after, _ = phase(*FLIPPED_PEV)
    between, _ = phase(*FALL_PEV)
    first, number = _turn(before, between), _turn(before, after)
    spread = Number(scatter, scatter / np.sqrt(2 * (before.n - 1)), before.n)
    return [
        statement(
            "p. 4",
            "scatter of the measured phases from 2 to 20 TeV",
            "constant",
            spread,
            "deg",
            below(spread.value, spread.error, PHASE_DEG, spread.n),
            f"mean {words(before.value, before.error)} deg; constant: within"
            f" {PHASE_DEG:.0f} deg",
        ),
        statement(
            "p. 4",
            "turn of the mean phase from 2-20 TeV to 20-200 TeV, right above the plateau",
            "180",
            first,
            "deg",
            _flip(first),
            f"{words(before.value, before.error)} to {words(between.value, between.error)} deg: the"
            " flip comes later than the plateau's end",
        ),
        statement(
            "p. 4",
            "turn of the mean phase from 2-20 TeV to 0.2-2 PeV",
            "180",
            number,
            "deg",
            _flip(number),
            f"{words(before.value, before.error)} to {words(after.value, after.error)} deg; about"
            f" 180: open between two errors and {PHASE_DEG:.0f} deg plus three",
        ),
    ]


def _turn(before, after):
    """Angle between two phases, degrees, as a Number."""
    angle = (after.value - before.value + 180) % 360 - 180
    return Number(abs(angle), np.hypot(before.error, after.error), min(before.n, after.n))


def _flip(turn):
    """Verdict on a turn by about 180 degrees."""
    strict = equal(turn.value, turn.error, 180.0, turn.n)
    return strict if strict == equal(turn.value, turn.error, 180.0, turn.n, PHASE_DEG) else "open"


def source_and_plateau():
    """A source of 2-3 Myr at 200-300 pc against the plateau."""
    _, level = slope(*PLATEAU_PEV)
    # both along the field line, seen in right ascension
    low, high = (equator() * Source(age_myr=age, distance=r).amplitude
                 for r, age in ((200.0, 3.0), (300.0, 2.0)))  # fmt: skip
    number = level._replace(value=level.value / high, error=level.error / high)
    return [
        statement(
            "p. 4",
            "share f of the flux that a source of 2-3 Myr at 200-300 pc, d_perp = 70 pc, needs for"
            " the measured plateau (300 pc, 2 Myr)",
            "f <= 1",
            number,
            "",
            below(number.value, number.error, 1.0, number.n),
            f"plateau {words(level.value, level.error)} in right ascension, alone such sources give"
            f" {low:.1e} to {high:.1e} of it: 3 s/(2 c T) along the local field (IBEX) times"
            f" {equator():.2f}",
        )
    ]


def vela():
    """Vela has to be suppressed by 200."""
    _, level = slope(*PLATEAU_PEV)
    alone = formula(*VELA)
    number = level._replace(
        value=alone / level.value, error=alone / level.value * level.error / level.value
    )
    left = young_source(1e6 * VELA[1], VELA[0], VELA_LB, FIELD_LB, level.value)
    return [
        statement(
            "p. 5",
            "Vela (300 pc, 11 kyr): 3 R/(2 c T) over the measured plateau",
            "200",
            number,
            "",
            factor(number.value, number.error, 200.0, number.n),
            f"3 R/(2 c T) = {alone:.3f}; a factor 2 is granted; Vela's share of the flux has to be"
            f" 1/{1 / left.bent:.0f} on a field line that bends to pass near it, or"
            f" 1/{1 / left.isotropic:.0f} in isotropic diffusion; a straight line along the local"
            f" field (IBEX), {left.angle_deg:.0f} degrees from it, passes {left.across:.0f} pc from"
            " it, where nothing arrives",
        )
    ]
