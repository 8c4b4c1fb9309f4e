"""Running diffusion tensors from displacements, in pc (D/c).

The estimators <X_i X_j>/(2T), its derivative (1/2) d<X_i X_j>/dT and the integral of the velocity
correlation agree only for large T (Taylor, Green & Kubo): each is named for what it is. In the
order of their approach to the limit: the time average (error ~ 1/T), the average over an
interval, and the arrival tensor (which has the derivative as its symmetric part).
"""

import numpy as np


def displacement_tensor(displacement, times):
    """Time average <X_i X_j>/(2T).

    Parameters
    ----------
    displacement : ndarray (n_stop, n, 3)
        pc.
    times : ndarray (n_stop,)
        pc (pc/c).

    Returns
    -------
    tensor, error : ndarray (n_stop, 3, 3)
        pc; the error is that of the mean over independent particles.
    """
    products = displacement[..., :, None] * displacement[..., None, :]
    return _mean_and_error(products / (2 * np.asarray(times)[:, None, None, None]))


def interval_tensor(displacement, times):
    """Average of the derivative between stops, [<X_i X_j>(T_2) - <X_i X_j>(T_1)]/[2 (T_2 - T_1)].

    Free of the ballistic beginning, which stays in the time average, and with a smaller
    statistical error than the derivative at one time.

    Parameters
    ----------
    displacement : ndarray (n_stop, n, 3)
        pc.
    times : ndarray (n_stop,)
        pc (pc/c).

    Returns
    -------
    tensor, error : ndarray (n_stop, 3, 3)
        pc; of the intervals that end at each stop, the first one begins at T = 0.
    """
    products = displacement[..., :, None] * displacement[..., None, :]
    scale = 2 * np.diff(times, prepend=0.0)[:, None, None, None]
    return _mean_and_error(np.diff(products, axis=0, prepend=0.0) / scale)


def velocity_tensor(displacement, first_direction):
    """<X_i(T) u_j(0)> = int_0^T <u_i(t) u_j(0)> dt, the integrated velocity correlation.

    Parameters
    ----------
    displacement : ndarray (n_stop, n, 3)
        X in pc.
    first_direction : ndarray (n, 3)
        u(0).

    Returns
    -------
    tensor, error : ndarray (n_stop, 3, 3)
        pc; i = axis of the displacement, j = axis of the first direction.
    """
    return _mean_and_error(displacement[..., :, None] * first_direction[None, :, None, :])


def kurtosis(displacement, axes):
    """<X_i^4>/(3 <X_i^2>^2), 1 for a Gaussian.

    Parameters
    ----------
    displacement : ndarray (n_stop, n, 3)
        pc, Galactic Cartesian.
    axes : ndarray (3, 3)
        Rows: the axes i.

    Returns
    -------
    ndarray (n_stop, 3)
    """
    if not displacement.shape[1]:
        return np.full((len(displacement), 3), np.nan)
    square = (displacement @ axes.T) ** 2
    with np.errstate(invalid="ignore"):
        return (square**2).mean(axis=1) / (3 * square.mean(axis=1) ** 2)


def arrival_tensor(displacement, direction):
    """<U_i X_j> = int_0^T <u_i(T) u_j(t)> dt, with its antisymmetric (Hall) part.

    For positive particles moving forward it is a third of the mean response <M_ij> of the same
    T: a particle that arrives with momentum direction U, from n = -U, was at -X from there.

    Parameters
    ----------
    displacement, direction : ndarray (n_stop, n, 3)
        X in pc and U.

    Returns
    -------
    tensor, error : ndarray (n_stop, 3, 3)
        pc; i = axis of the direction of motion, j = axis of the displacement.
    """
    return _mean_and_error(direction[..., :, None] * displacement[..., None, :])


def _mean_and_error(products):
    """Mean over particles (axis 1) of (n_stop, n, 3, 3) and its standard error; NaN of too few."""
    count = products.shape[1]
    nothing = np.full((len(products), 3, 3), np.nan)
    return (products.mean(axis=1) if count else nothing,
            products.std(axis=1, ddof=1) / np.sqrt(count) if count > 1 else nothing)
