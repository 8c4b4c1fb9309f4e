"""Kachelriess 2018, pages 2 and 3: residence in the Galaxy with the field of Jansson & Farrar.

From the result of the job escape, at rigidities whose gyroradius at the Sun is below the coherence
length, of particles that started near the Sun, where B/C is measured. The paper's numbers are at
GV, powers of rigidity away: what is measured is scaled by R^(-1/3), and decides only where it
falls like that.
"""

from hpc_cr.diffusion.grammage import ALLOWED
from hpc_cr.figures.escape import SLOPE, TEN_GV, TIME_AT_PV, TIME_MYR, curves
from hpc_cr.figures.panels import Options
from hpc_cr.io.escape import NEAR_SUN
from hpc_cr.papers.kachelriess2018.measured import Number, at, statement, words
from hpc_cr.papers.verdicts import equal, inside

NEAR_THIRD = 0.1
"""What an exponent may differ from -1/3 by for numbers to be scaled with it."""


def escape_statements(cases):
    """Escape time and grammage of cases of the job escape."""
    found = curves(cases, Options())
    return [s for one in found if one.resonant.any() for s in _of_curve(one)]


def _of_curve(found):
    here = found.resonant.argmax()
    lowest, every, near = found.rigidity[here], found.escapes[here], found.escapes_near[here]
    n = every.n_realisation
    stays = f"; {100 * near.unfinished:.0f} % do not leave within the limit" * bool(
        near.unfinished > 0
    )
    place = f"starts at {NEAR_SUN[0] / 1e3:g} to {NEAR_SUN[1] / 1e3:g} kpc"
    out = []
    for name, reference, span, unit, where, text, paper in (
        ("time", TIME_AT_PV, TIME_MYR, "Myr", "p. 2",
         "escape time times (R/5 GV)^(1/3)", "few 10"),
        ("grammage", TEN_GV, ALLOWED, "g / cm2", "p. 3",
         "grammage times (R/10 GV)^(1/3)", "5 to 15"),
    ):  # fmt: skip
        value, error = found.near[name][here]
        law = found.fits[name]
        factor = (lowest / reference) ** -SLOPE
        number = Number(value * factor, error * factor, n)
        of_all = ", ".join(words(v * factor, e * factor)
                           for v, e in (getattr(found, name)[here],))
        verdict, reason = "open", "the exponent with R is not known: open"
        if law is not None and law.n_point > 1:
            exponent, exponent_error = law["exponent"]
            reason = f"{words(exponent, exponent_error)} is the exponent near {at(lowest)}"
            if equal(exponent, exponent_error, SLOPE, n, NEAR_THIRD) == "agrees":
                verdict = inside(number.value, number.error, *span, n)
            else:
                reason += ", not -1/3: five decades of it say nothing of GV, open"
        out.append(
            statement(
                where,
                f"{text} at {at(lowest)}, JF12, B_rms/B0 = 0.25 at the Sun, {place}",
                paper,
                number,
                unit,
                verdict,
                f"range taken: {span[0]:g} to {span[1]:g}; {reason}; all starts: {of_all}; {near.n}"
                f" of {every.n} particles in {n} fields{stays}",
            )
        )
        if law is not None and law.n_point > 2:
            value, error = law["exponent"]
            out.append(
                statement(
                    where,
                    f"exponent of the {'escape time' if name == 'time' else 'grammage'} with R,"
                    " r_g at the Sun below L_c",
                    "-1/3",
                    Number(value, error, n),
                    "",
                    "open",
                    f"{law.n_point} rigidities from {at(lowest)}, all starts: the transition to"
                    " D ~ E^2 is near, and -1/3 is said of GV",
                )
            )
    return out
