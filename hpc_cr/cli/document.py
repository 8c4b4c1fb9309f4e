"""What commands print with --json."""

import numpy as np


def valid(value):
    """The same in types that JSON has; undefined and infinite numbers are null."""
    if isinstance(value, dict):
        return {key: valid(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [valid(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
