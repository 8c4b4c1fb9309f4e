"""Means over realisations, functions of them, and their errors.

Rows of arrays are (realisation, observer) pairs. Rows of one realisation share their field, so
errors count realisations, not rows; with a single realisation every error is NaN.
"""

import numpy as np


def mean_and_error(values, group):
    """Mean over rows and its standard error, counting groups (realisations) as independent.

    Parameters
    ----------
    values : array (n, ...)
        Rows.
    group : array (n,) of int
        Realisation of each row.

    Returns
    -------
    mean, error : ndarray (...)
        For groups of one row the error is s/sqrt(n). NaN where undefined.
    """
    values = np.asarray(values, float)
    if len(values) == 0:
        return undefined(values), undefined(values)
    count, total = leave_one_out(values, group)
    return values.mean(axis=0), jackknife(total / count)


def function_of_mean(function, values, group):
    """A function of the mean over rows, such as a ratio of means, and its standard error.

    Parameters
    ----------
    function : callable
        From means (..., *shape) to (..., *result): it works on the last axes and leaves those
        in front alone.
    values : array (n, *shape)
        Rows.
    group : array (n,) of int
        Realisation of each row.

    Returns
    -------
    value, error : ndarray (*result)
        Jackknife over realisations: correlations between the columns of a row (the same field
        at two stops, rigidities or multipoles) are in the error. NaN where undefined.
    """
    values = np.asarray(values, float)
    if len(values) == 0:
        value = function(undefined(values))
        return value, np.full(np.shape(value), np.nan)
    count, total = leave_one_out(values, group)
    return function(values.mean(axis=0)), jackknife(function(total / count))


def student(n, level=0.05):
    """Student's t, in standard errors, that means of n realisations exceed with this probability.

    Counts both sides: 95 % of the means stay within it by default.
    """
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 1 - level / 2))


def leave_one_out(values, group):
    """Number and sum of the rows outside each group, (n_group, ...); NaN if it holds all."""
    labels, index = np.unique(group, return_inverse=True)
    total = np.zeros((len(labels), *values.shape[1:]))
    np.add.at(total, index, values)
    count = len(values) - np.bincount(index).astype(float)
    count = np.where(count > 0, count, np.nan).reshape(-1, *[1] * (values.ndim - 1))
    return count, values.sum(axis=0) - total


def jackknife(left_out):
    """Standard error from a statistic with one of G groups left out (Quenouille, Tukey).

    error^2 = (G - 1)/G sum_g (theta_g - <theta>)^2; NaN for a single group.
    """
    n_group = len(left_out)
    spread = np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0)
    return np.sqrt((n_group - 1) / n_group * spread) if n_group > 1 else undefined(left_out)


def undefined(values):
    """NaN in the shape of a row."""
    return np.full(values.shape[1:], np.nan)
