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
    tensor, error : ndarray (n_stop - 1, 3, 3)
        pc; of the intervals between consecutive stops.
    """
    products = displacement[..., :, None] * displacement[..., None, :]
    scale = 2 * np.diff(times)[:, None, None, None]
    return _mean_and_error(np.diff(products, axis=0) / scale)


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
    """Mean over particles (axis 1) of (n_stop, n, 3, 3) and its standard error."""
    count = products.shape[1]
    return products.mean(axis=1), products.std(axis=1, ddof=1) / np.sqrt(count)
