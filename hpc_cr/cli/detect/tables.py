"""How `hpc-cr detect` tells what a detector sees: tables and JSON."""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.cli.summary import rigidity_text, with_error
from hpc_cr.cli.table import plain, print_table
from hpc_cr.detector import harmonics
from hpc_cr.detector.energy_bins import CHARGES
from hpc_cr.frames import lon_lat

_DISPENSABLE = ("noise", "expected", "all l", "n", "share", "median", "scatter")
"""Columns that a narrow terminal does without, in this order; --json has all."""

_ABREAST = 4
"""Factors of a normalisation in a line."""

WIDE_STEP = 1.5
"""Ratio of neighbouring rigidities from which a bin is warned of: at 1.25 dipoles are correlated
by 0.97, multipoles 5 to 10 by 0.6 (10 to 50 PV, Kolmogorov turbulence of 4 uG below 150 pc)."""


def print_seen(found, options, stream):
    """One line per case and rigidity or bin.

    Parameters
    ----------
    found : list of hpc_cr.cli.detect.detection.Seen
    options : hpc_cr.figures.panels.Options
    stream : file
    """
    for line in _heading(found, options):
        print(plain(line, stream), file=stream)
    exponent = _exponent([s.summary.mean_amplitude for s in found])
    power = f"1e{exponent:+03d}" if exponent else ""
    named = any(s.results.case for s in found)
    header = [
        *([("case", "")] if named else []),
        ("energy" if found[0].energies else "rigidity", ""),
        (_stop_name(found), "pc"),
        ("n", ""),
        ("|dipole|", power),
        ("share", ""),
        ("RA amplitude", power),
        ("median", power),
        ("scatter", power),
        ("noise", power),
        ("all l", power),
        ("expected", power),
        ("mean phase", "deg"),
    ]
    rows = []
    for s in found:
        h = s.summary
        whole = np.linalg.norm(s.whole_harmonic, axis=1)
        rows.append([
            *([s.results.case] if named else []),
            _where(s),
            _range(*s.stop_range),
            str(h.n),
            with_error(*s.amplitude, exponent),
            with_error(*s.share, 0),
            with_error(h.mean_amplitude, h.mean_amplitude_error, exponent),
            with_error(h.median, h.median_error, exponent),
            with_error(h.scatter, h.scatter_error, exponent),
            with_error(h.noise_floor, None, exponent),
            with_error(*ensembles.mean_and_error(whole, s.realisation), exponent),
            with_error(*_expected(s)[:2], exponent),
            _phase(h.mean_phase, h.mean_phase_error),
        ])  # fmt: skip
    print_table(header, rows, stream, dispensable=_DISPENSABLE, left=("case",))
    if any(s.summary.n_realisation == 1 for s in found):
        print("One realisation has no error of a mean; --realisations: those of its sampling",
              file=stream)  # fmt: skip
    for s in found:
        for line in _about_weights(s):
            print(plain(line, stream), file=stream)


def print_realisations(found, stream):
    """Amplitude and phase of every row, with the errors of the sampling."""
    exponent = _exponent([s.summary.mean_amplitude for s in found])
    observers = any(s.results.job.particles.observers > 1 for s in found)
    header = [("case", ""), ("where", ""), ("realisation", ""),
              *([("observer", "")] if observers else []),
              ("RA amplitude", f"1e{exponent:+03d}"), ("phase", "deg"), ("phase", "h"),
              ("northward", f"1e{exponent:+03d}")]  # fmt: skip
    rows = []
    for s in found:
        amplitude, phase = harmonics.amplitude_and_phase(s.harmonic)
        errors = harmonics.amplitude_and_phase_errors(s.harmonic, s.covariance)
        north, north_error = s.northward
        for k, row in enumerate(s.rows):
            place = [str(row % s.results.job.particles.observers)] if observers else []
            rows.append([s.results.case, _where(s), str(s.realisation[k]), *place,
                         with_error(amplitude[k], errors[0][k], exponent),
                         _phase(phase[k], errors[1][k]),
                         f"{phase[k] / 15:.2f} +- {errors[1][k] / 15:.2f}",
                         with_error(north[k], north_error[k], exponent)])  # fmt: skip
    print("\nSingle skies; northward: the component along the Earth's axis; +-: error of the"
          " sampling", file=stream)  # fmt: skip
    print_table(header, rows, stream, left=("case",))


def print_power(found, stream):
    """Power by octaves of l: what the bin washes out, what goes with m = 0."""
    binned = any(s.energies for s in found)
    header = [("case", ""), ("where", ""), ("l", ""), ("power", "(I/I0)^2"),
              *([("bin/single", "")] if binned else []), ("without m = 0", "")]  # fmt: skip
    rows = []
    for s in found:
        for name, power, washed, left in octaves(s):
            exponent = _exponent([abs(power[0])])
            text = f"({with_error(*power, exponent)})e{exponent:+03d}"
            rows.append([s.results.case, _where(s), name, text,
                         *([with_error(*washed, 0)] if binned else []),
                         with_error(*left, 0)])  # fmt: skip
    print("\nPower sum (2l+1) C_l/4 pi without shot noise; bin/single: over the mean power of the"
          " bin's\nrigidities; without m = 0: share left once the mean of each declination is"
          " subtracted; +-:\nover realisations, of a single one from its sampling", file=stream)
    print_table(header, rows, stream, left=("case",))
    for s in found:
        if s.weights is not None:
            print(f"{_of(s)}{_where(s)}: rigidities whose skies have nothing in common would give"
                  f" bin/single = {s.weights.floor:.2g}", file=stream)  # fmt: skip


def octaves(seen):
    """Power in l = 1, 2, 3-4, 5-8, ...: (name, power, washed, left), the last three with errors.

    power: variance of I/I0 on the sky; washed: over that of single rigidities; left: share
    without m = 0. Errors over realisations, of a single one those of its sampling; ratios are
    NaN where their denominator is below two of its own sampling errors.
    """
    modes = 2 * np.arange(seen.power[0].shape[1]) + 1
    averaged, single, left = (p * modes / (4 * np.pi) for p in seen.power[:3])
    noise, single_noise = (v * (modes / (4 * np.pi)) ** 2 for v in seen.power[3:])
    l_max, found = len(modes) - 1, []
    edges = [1] + [2**k + 1 for k in range(20) if 2**k < l_max]
    for low, after in zip(edges, [*edges[1:], l_max + 1], strict=True):
        total = np.stack([p[:, low:after].sum(axis=1) for p in (averaged, single, left)], axis=1)
        # of the average's noise the m = 0 hold a share of 1/(2l + 1)
        zero = noise[:, low:after] / modes[low:after]
        sampling = [v.sum() / len(v) ** 2 for v in (
            noise[:, low:after], single_noise[:, low:after], noise[:, low:after] - zero, zero)]
        name = f"{low}" if after == low + 1 else f"{low}-{after - 1}"
        found.append((name, *_power_and_ratios(total, sampling, seen.realisation)))
    return found


def _power_and_ratios(total, sampling, group):
    """Power, averaged/single and left/averaged, each with its error.

    total : (n, 3), averaged, single, left; sampling : variances of the means of averaged, single,
    left, and of what m = 0 holds.
    """
    power = ensembles.mean_and_error(total[:, 0], group)
    a, s, left = total.mean(axis=0)
    washed, kept = _ratio(total[:, [0, 1]], group), _ratio(total[:, [2, 0]], group)
    if len(np.unique(group)) == 1:
        share = left / a
        # numerator and denominator share particles: an error that is too large if anything
        power = (a, np.sqrt(sampling[0]))
        washed = (a / s, abs(a / s) * np.sqrt(sampling[0] / a**2 + sampling[1] / s**2))
        kept = (share, np.sqrt((1 - share) ** 2 * sampling[2] + share**2 * sampling[3]) / abs(a))
    nothing = (np.nan, np.nan)
    return (power, washed if s > 2 * np.sqrt(sampling[1]) else nothing,
            kept if a > 2 * np.sqrt(sampling[0]) else nothing)


def document(found, options):
    """What `hpc-cr detect --json` prints."""
    instrument = found[0].instrument
    return {
        "file": str(found[0].results.path),
        "normalisation": options.normalisation,
        "band": instrument.band and instrument.band._asdict(),
        "mean_cosine": instrument.cosine,
        "index": instrument.index,
        "motion_km_s": instrument.motion,
        "compton_getting_dipole": instrument.own_dipole,
        "results": [_result(s) for s in found],
    }


def _result(s):
    h = s.summary
    amplitude, phase = harmonics.amplitude_and_phase(s.harmonic)
    amplitude_error, phase_error = harmonics.amplitude_and_phase_errors(s.harmonic, s.covariance)
    whole = np.linalg.norm(s.whole_harmonic, axis=1)
    expected, expected_error, expected_phase, expected_phase_error = _expected(s)
    return {
        "case": s.results.case,
        "rigidity_PV": s.rigidity,
        "energies": s.energies and {
            **s.energies._asdict(),
            "composition": {_name(z): f for z, f in s.energies.composition.items()},
        },
        "weights": s.weights and {
            str(round(float(r), 9)): w
            for r, w in zip(s.results.rigidities, s.weights.weights, strict=True)
        },
        "outside": s.weights and [s.weights.below, s.weights.above],
        "largest_step": s.weights and s.largest_step,
        "unrelated_bin_over_single": s.weights and s.weights.floor,
        "stop": s.stop_range,
        "stop_kind": s.results.stop_kind,
        "stop_unit": "pc",
        "gradient_per_pc": [p.gradient for p in s.panels],
        "scale": [p.scale for p in s.panels],
        "scale_error": [p.scale_error for p in s.panels],
        "n": h.n,
        "n_realisation": h.n_realisation,
        "dipole_mean": s.amplitude[0],
        "dipole_mean_error": s.amplitude[1],
        "equatorial_share": s.share[0],
        "equatorial_share_error": s.share[1],
        "declination_component": s.declination_component[0],
        "declination_component_error": s.declination_component[1],
        **{f"ra_{name}": getattr(h, name) for name in h._fields if name not in (
            "n", "n_realisation")},
        "ra_all_l_mean_amplitude": whole.mean(),
        "ra_all_l_mean_amplitude_error": ensembles.mean_and_error(whole, s.realisation)[1],
        "ra_all_l_noise_floor": s.whole_noise,
        "expected_amplitude": expected,
        "expected_amplitude_error": expected_error,
        "expected_phase": expected_phase,
        "expected_phase_error": expected_phase_error,
        "realisations": [
            {"realisation": r, "amplitude": a, "amplitude_error": e, "phase": p, "phase_error": f,
             "all_l_amplitude": w}
            for r, a, e, p, f, w in zip(s.realisation, amplitude, amplitude_error, phase,
                                        phase_error, whole, strict=True)
        ],
        "power": [
            {"l": name, "power": p[0], "power_error": p[1], "bin_over_single": w[0],
             "bin_over_single_error": w[1], "left_without_m0": m[0],
             "left_without_m0_error": m[1]}
            for name, p, w, m in octaves(s)
        ],
    }  # fmt: skip


def _heading(found, options):
    """What the numbers are."""
    first = found[0]
    instrument, band = first.instrument, first.instrument.band
    yield "RA amplitude and phase: first harmonic in right ascension of each sky's dipole, phase of"
    yield "its maximum; share: equatorial projection of |dipole|; all l: with higher multipoles,"
    yield "noise included; expected: of the ensemble's mean dipole; +-: standard error"
    if band is None:
        yield "amplitude: the equatorial dipole, <cos dec> = 1"
    else:
        how = "uniform exposure" if band.latitude is None else (
            f"exposure of latitude {band.latitude:g} deg up to {band.zenith:g} deg from the zenith")
        yield (f"amplitude: of declinations {band.low:g} to {band.high:g} deg, {how}:"
               f" equatorial dipole x <cos dec> = {instrument.cosine:.4f}")  # fmt: skip
    texts = {}
    for s in found:
        texts.setdefault(_gradient(s), []).append(s.results.case)
    for text, cases in texts.items():
        yield text if len(texts) == 1 else f"case {', '.join(dict.fromkeys(cases))}: {text}"
    if options.normalisation == "diffusion":
        yield from _factors(found)
    if instrument.motion is not None:
        lon, lat = lon_lat(instrument.motion)
        yield (f"with the Compton-Getting dipole {np.linalg.norm(instrument.own_dipole):.3g}"
               f" (gamma = {instrument.index:g}) of {np.linalg.norm(instrument.motion):.3g} km/s"
               f" towards (l, b) = ({lon:.1f}, {lat:.1f}) deg")  # fmt: skip
    if first.energies:
        mix = ", ".join(f"{_name(z)} {f:g}" for z, f in first.energies.composition.items())
        yield (f"spectrum E^-{first.energies.index:g}, resolution of ln E"
               f" {first.energies.resolution:g}, composition {mix}")  # fmt: skip


def _factors(found):
    """Factors of the normalisation to B/C with their errors, by case and rigidity."""
    yield ("response scaled to the diffusion coefficient that B/C asks for, with the factors (their"
           " errors are")  # fmt: skip
    yield "not in those of the table)"
    factors, single = {}, {}
    for s in found:
        case = f"case {s.results.case}: " if s.results.case else ""
        for p in s.panels:
            known = np.isfinite(p.scale_error)
            error = f"{100 * p.scale_error / p.scale:.2g} %" if known else "-"
            text = f"{rigidity_text(p.rigidity)} x {p.scale:.3g} +- {error}"
            factors.setdefault(case, {})[p.rigidity] = text
            if not known:
                single.setdefault(case, {})[p.rigidity] = rigidity_text(p.rigidity)
    for case, texts in factors.items():
        texts = list(texts.values())
        for k in range(0, len(texts), _ABREAST):
            yield f"  {case}{', '.join(texts[k:k + _ABREAST])}"
    for case, where in single.items():
        some = "" if len(where) == len(factors[case]) else f" at {', '.join(where.values())}"
        yield f"  {case}a single realisation{some}, normalised to itself: the factor has no error"


def _gradient(s):
    """The gradient with the job's or the chosen size, at all rigidities that count."""
    size = [p.gradient_size for p in s.panels]
    lon, lat = lon_lat(s.panels[0].gradient)
    size = _range(min(size), max(size))
    return f"gradient {size} / pc toward (l, b) = ({lon:.1f}, {lat:.1f}) deg"


def _about_weights(s):
    """How the bin is made up, of which not all may be covered."""
    if s.weights is None:
        return
    pairs = zip(s.results.rigidities, s.weights.weights, strict=True)
    parts = ", ".join(f"{rigidity_text(r)} {100 * w:.2g} %" for r, w in pairs if w >= 5e-4)
    yield f"{_of(s)}{_where(s)}: {parts}"
    outside = s.weights.below + s.weights.above
    if outside > 1e-4:
        yield f"  {100 * outside:.2g} % of it lies outside the file's rigidities and is left out"
    step = s.largest_step
    if step > WIDE_STEP:
        yield (f"  Warning: its rigidities are up to a factor {step:.2g} apart; skies differ that"
               " far apart, and between them they are interpolated")  # fmt: skip


def _of(s):
    return f"case {s.results.case}, " if s.results.case else ""


def _expected(s):
    """Amplitude of the ensemble's harmonic, its error, phase and its error in degrees."""
    mean, along, across = s.expectation
    amplitude, phase = harmonics.amplitude_and_phase(mean)
    return float(amplitude), along, float(phase), across


def _stop_name(found):
    """Header of the stops: their kind, or "stop" where cases differ in it."""
    kinds = {s.results.stop_kind for s in found}
    if len(kinds) > 1:
        return "stop"
    return "T" if kinds == {"time"} else "radius"


def _where(s):
    if s.energies is None:
        return rigidity_text(s.rigidity)
    low, high = s.energies.low, s.energies.high
    return f"{_range(low, high)} PeV"


def _range(low, high):
    return f"{low:.4g}" if np.isclose(low, high) else f"{low:.4g} to {high:.4g}"


def _phase(phase, error):
    if not np.isfinite(phase):
        return "-"
    return f"{phase:.1f} +- {error:.1f}" if np.isfinite(error) else f"{phase:.1f} +- -"


def _ratio(pairs, group):
    with np.errstate(divide="ignore", invalid="ignore"):
        return ensembles.function_of_mean(lambda m: m[..., 0] / m[..., 1], pairs, group)


def _name(charge):
    return next(name for name, z in CHARGES.items() if z == charge)


def _exponent(values):
    values = [v for v in values if np.isfinite(v) and v > 0]
    return int(np.floor(np.log10(min(values)))) if values else 0
