"""Gains in error^2 x core-seconds from the skies of `statistics_skies`, with bootstrap errors."""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy.ensembles import coefficients
from hpc_cr.anisotropy.estimators import amplitudes, controlled_values, debiased_amplitudes

DRAWS = 300
"""Of the bootstrap."""


class Row(NamedTuple):
    """One line of the table."""

    setup: str
    time: float  # T, pc
    method: str
    observable: str
    gain: float  # (error^2 x core-seconds) of the reference over that of the method
    error: float  # standard error, bootstrap over realisations
    note: str = ""


def bootstrap(statistic, *arrays):
    """Value of a statistic of arrays (n_realisation, ...) and its standard error."""
    count = len(arrays[0])
    generator = np.random.default_rng(count)
    draws = []
    for _ in range(DRAWS):
        pick = generator.integers(0, count, count)
        draws.append(statistic(*(array[pick] for array in arrays)))
    return float(statistic(*arrays)), float(np.std(draws, ddof=1))


def spread(values):
    """Variance over all skies of values (n_realisation, n_observer)."""
    return np.var(values)


def relative_spread(values):
    return np.var(values) / np.mean(values) ** 2


def gain_of(old, new, factor=1.0, measure=spread):
    """Gain of estimators (n_realisation, n_observer) of the same quantity, paired."""
    return bootstrap(lambda a, b: factor * measure(a) / measure(b), old, new)


def observables(setup, response):
    """Name -> values (...) of a response (..., 3, 3): what an ensemble is made for, pc.

    |delta|/|g| is for a gradient along y, at right angles to the regular field if there is one.
    """
    name = "tr M/3" if setup.axis == "isotropic" else "M_par"
    return {name: coefficients(response, setup.axis)[..., 0],
            "|delta|": np.linalg.norm(response[..., 1], axis=-1)}


# 1. start directions

def direction_rows(setup, skies):
    """Sampling error within a realisation of designs of 192 directions against HEALPix nside 4."""
    rows = []
    for stop in (0, len(setup.times) // 2, -1):
        time = setup.times[stop]

        def variance(name, stop=stop):
            return skies[name][:, :, stop].var(axis=1, ddof=1).mean(axis=(-1, -2))

        healpix = variance("rotated 4")
        for name in ("random", "pairs", "spiral"):
            rows.append(Row(setup.name, time, f"192 directions: {name}", "M, within",
                            *bootstrap(lambda a, b: a.mean() / b.mean(), healpix, variance(name))))
        truth = skies["rotated 8"][:, :, stop].mean(axis=1)
        fixed = ((skies["fixed 4"][:, 0, stop] - truth) ** 2).mean(axis=(-1, -2))
        rows.append(Row(setup.name, time, "192 directions: HEALPix turned at random", "M, within",
                        *bootstrap(lambda a, b: a.mean() / b.mean(), fixed, healpix)))
    return rows


def noise_rows(setup, skies, observed):
    """Sampling variance of M, 3 s^2/N, against its whole variance at nside 4; not gains."""
    rows = []
    for stop in (0, len(setup.times) // 2, -1):
        whole = observed.response[:, :, stop].var(axis=(0, 1)).mean()
        for name in (n for n in skies if n.startswith("rotated")):
            nside = int(name.split()[1])
            variance = skies[name][:, :, stop].var(axis=1, ddof=1).mean(axis=(-1, -2))
            rows.append(Row(setup.name, setup.times[stop], f"sampling variance, nside {nside}",
                            "M, share", *bootstrap(lambda v, w=whole: v.mean() / w, variance)))
    return rows


# 2. particles per sky, observers per realisation

def sky_rows(setup, by_nside):
    """Many small skies per realisation against one of nside 16 (scatter as at nside 8)."""
    largest = by_nside[8]
    rows = []
    for nside, small in by_nside.items():
        if nside == 8:
            continue
        m = small.response.shape[1]
        # small skies leave some lanes of the kernel idle: each nside at its own cost
        cost = ((largest.synthesis + 3072 * largest.tracking)
                / (largest.synthesis + m * small.count * small.tracking))
        for name in observables(setup, largest.response[..., -1, :, :]):
            if name == "|delta|" and nside == 1:
                continue
            old = _unbiased(setup, largest, name)
            for text, new in (("", _unbiased(setup, small, name)),
                              (", all estimators", _best(setup, small, name))):
                # the mean over the observers of a realisation keeps what their skies share
                value = bootstrap(lambda a, b, c=cost: c * np.var(a) / b.mean(axis=1).var(ddof=1),
                                  old, new)
                note = (f"means {old.mean():.2f} and {new.mean():.2f} +- "
                        f"{new.mean(axis=1).std(ddof=1) / np.sqrt(len(new)):.2f} pc")
                rows.append(Row(setup.name, setup.times[-1],
                                f"nside {nside}, {m} observers{text}", name, *value, note))
    return rows


def _best(setup, skies, name):
    """Values at the last stop with every estimator that applies."""
    response = skies.response[..., -1, :, :]
    if name == "|delta|":
        values = debiased_amplitudes(
            *(amplitudes(m, [0, 1, 0], setup.axis)
              for m in (response, np.moveaxis(skies.halves[..., -1, :, :], 2, -3))))
    else:
        values = observables(setup, (response + skies.arrival[..., -1, :, :]) / 2)[name]
    group = np.repeat(np.arange(len(values)), values.shape[1])
    controls = skies.controls.reshape(-1, skies.controls.shape[-1])
    return controlled_values(values.ravel(), controls, group).reshape(values.shape)


def _unbiased(setup, skies, name):
    """Values (n_realisation, n_observer) at the last stop, |delta| without its noise bias."""
    values = observables(setup, skies.response[..., -1, :, :])[name]
    if name != "|delta|":
        return values
    halves = observables(setup, np.moveaxis(skies.halves[..., -1, :, :], 2, -3))[name]
    return debiased_amplitudes(values, halves)


def debias_rows(setup, by_nside):
    """Mean |delta| of the same observers at small nside over that at nside 8; not gains."""
    rows = []
    fine = _unbiased(setup, by_nside[8], "|delta|")
    many = fine.shape[1]
    for nside in (2, 4):
        raw = observables(setup, by_nside[nside].response[:, :many, -1])["|delta|"]
        clean = _unbiased(setup, by_nside[nside], "|delta|")[:, :many]
        for method, values in (("with its bias", raw), ("debiased by halves", clean)):
            rows.append(Row(setup.name, setup.times[-1], f"nside {nside}: {method}",
                            "|delta|, ratio",
                            *bootstrap(lambda a, b: b.mean() / a.mean(), fine, values)))
    return rows


def correlation_rows(setup, skies):
    """Correlation of the skies of two observers of one realisation (random places); not gains."""
    rows = []
    for name, values in observables(setup, skies.response[..., -1, :, :]).items():
        def shared(v):
            within = v.var(axis=1, ddof=1).mean()
            between = v.mean(axis=1).var(ddof=1) - within / v.shape[1]
            return between / (between + within)

        rows.append(Row(setup.name, setup.times[-1], "correlation of two observers",
                        f"{name}, rho", *bootstrap(shared, values)))
    return rows


def separation_rows(setup, skies, distances):
    """Correlation of M_ij of observers at some distances; not gains."""
    rows = []
    for stop, time in enumerate(setup.times):
        m = skies.response[:, :, stop] - skies.response[:, :, stop].mean(axis=(0, 1))
        for number, distance in enumerate(distances):
            if number == 0:
                continue
            rows.append(Row(setup.name, time, f"observers {distance:g} pc apart", "M, correlation",
                            *bootstrap(_correlation, m[:, 0], m[:, number])))
    return rows


def _correlation(a, b):
    return np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b))


# 3. times, and 5. estimators from the same trajectories

def estimator_rows(setup, skies):
    """Estimators of tr <M>/3 or M_par and of the mean |delta| from the same skies."""
    rows = []
    last = len(setup.times) - 1
    for stop in (last // 2, last):
        time = setup.times[stop]
        response = skies.response[..., stop, :, :]
        arrival = skies.arrival[..., stop, :, :]
        group = np.repeat(np.arange(len(response)), response.shape[1])
        controls = skies.controls.reshape(-1, skies.controls.shape[-1])
        both = observables(setup, (response + arrival) / 2)
        for name, old in observables(setup, response).items():
            def add(method, new, old=old, name=name, time=time):
                rows.append(Row(setup.name, time, method, name, *gain_of(old, new)))

            plain = old
            if name == "|delta|":
                plain = amplitudes(response, [0, 1, 0], setup.axis)
                add("equivalent gradients", plain)
            else:
                add("response and arrival, mean", both[name])
                add("arrival alone", observables(setup, arrival)[name])
            controlled = controlled_values(plain.ravel(), controls, group).reshape(plain.shape)
            add("|B| as control" + (", equivalent gradients" if name == "|delta|" else ""),
                controlled)
            if name != "|delta|":
                pair = controlled_values(both[name].ravel(), controls, group).reshape(plain.shape)
                add("response and arrival, |B| as control", pair)
    name, _ = next(iter(observables(setup, skies.response[..., -1, :, :]).items()))
    values = observables(setup, skies.response)[name]
    rows.append(Row(setup.name, setup.times[-1], "mean of the last three stops", name,
                    *gain_of(values[..., -1], values[..., -3:].mean(axis=-1),
                             measure=relative_spread)))
    rows.append(Row(setup.name, setup.times[-1], "correlation of the last two stops",
                    f"{name}, rho", *bootstrap(lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1],
                                               values[..., -1], values[..., -2])))
    if setup.axis == "isotropic":
        middle = setup.times.index(setup.times[-1] / 2)
        rows.append(Row(setup.name, setup.times[middle], "windows along twice the path", name,
                        *gain_of(values[..., middle], skies.windows[..., middle], 0.5)))
    return rows


def limit_rows(setup, skies):
    """(1 - <W>)^-1 <M> at early stops against <M> at the last one; cost in proportion to T."""
    rows = []
    axis = setup.axis
    m = coefficients(skies.response, axis)[..., 0]
    w = coefficients(skies.direction, axis)[..., 0]
    for stop, time in enumerate(setup.times):
        mean_m, mean_w = m[..., stop].mean(), w[..., stop].mean()
        if mean_w > 0.5:
            continue
        limit = mean_m / (1 - mean_w)
        # first order of M/(1 - W) about the means
        linear = (m[..., stop] + (w[..., stop] - mean_w) * limit) / (1 - mean_w)
        error = linear.mean(axis=1).std(ddof=1) / np.sqrt(len(linear))
        value = gain_of(m[..., -1], linear, setup.times[-1] / time, relative_spread)
        note = (f"limit {limit:.2f} +- {error:.2f} pc; <M> at the last stop"
                f" {m[..., -1].mean():.2f} pc")
        rows.append(Row(setup.name, time, "limit from M and W", "limit of M", *value, note))
    return rows


# 4. common random numbers and antithetic fields

def contrast_rows(setup, one, other, what):
    """Ratio of two mean values on the same fields against independent ones."""
    rows = []
    for name, a in observables(setup, one.response[..., -1, :, :]).items():
        b = observables(setup, other.response[..., -1, :, :])[name]

        def gain(a, b):
            x, y = a / a.mean(), b / b.mean()
            return (np.var(x) + np.var(y)) / np.var(x - y)

        rows.append(Row(setup.name, setup.times[-1], f"same fields for {what}", f"{name}, ratio",
                        *bootstrap(gain, a, b)))
    return rows


def antithetic_rows(setup, one, flipped):
    """Mean of a field and the same with its turbulence turned, against two fields."""
    rows = []
    for name, a in observables(setup, one.response[..., -1, :, :]).items():
        b = observables(setup, flipped.response[..., -1, :, :])[name]
        rows.append(Row(setup.name, setup.times[-1], "turbulence with both signs", name,
                        *bootstrap(lambda a, b: (np.var(a) + np.var(b)) / np.var(a + b), a, b)))
    return rows
