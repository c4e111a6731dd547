"""Whether two scores put things in the same order; scipy.stats takes half a second to load."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scintscope.metrics.checks import Float64Array


def ranks(values: Sequence[float]) -> Float64Array:
    """Return the ranks of values from 1; equal ones share the mean of theirs."""
    v = np.asarray(values, dtype=np.float64)
    below, upto = (v[:, None] > v).sum(axis=1), (v[:, None] >= v).sum(axis=1)
    return np.asarray(0.5 * (below + upto + 1.0))


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's rank correlation of two scores of a few things, -1 to 1.

    The correlation of their ranks (Spearman 1904, Am. J. Psychol. 15, 72). Neither may be constant.
    """
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])
