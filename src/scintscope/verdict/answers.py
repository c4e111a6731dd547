"""Plain answers from what was bought: which details restoring helps, and against what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scintscope.verdict.bought import Bought, helped_um, smallest_seen_um

CONTRAST = 0.1
"""Transmission change of the disc whose smallest visible size is told."""

_IMPROVED = 0.99
"""A distance must fall by a hundredth to count as nearer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What the sentences are made from.

    Parameters
    ----------
    smallest_um : dict of str to dict
        By observer and image: smallest disc of `CONTRAST` that is seen; None if none is.
    helps_um : (float, float) or None
        Discs of these sizes are seen better after restoring than before (observer that does not
        prewhiten); None if none are.
    beats_thin_um, beats_thin_equal_um : (float, float) or None
        The same of the restored image against the thin plate's, at its own exposure and at equal.
    neq_ratio : float
        Mean NEQ of the restored image over the thick one's.
    smallest_looked_at_um : float
        Lower end of the sizes.
    nearer_um : dict of str to (float, float) or None
        By sample: sizes of detail that came nearer to the truth.
    nearer : dict of str to bool
        By sample: whether the whole image did.
    nearer_than_thin_equal : dict of str to bool
        By sample: whether it beats the thin plate's image at equal exposure.
    """

    smallest_um: Mapping[str, Mapping[str, float | None]]
    helps_um: tuple[float, float] | None
    beats_thin_um: tuple[float, float] | None
    beats_thin_equal_um: tuple[float, float] | None
    neq_ratio: float
    smallest_looked_at_um: float
    nearer_um: Mapping[str, tuple[float, float] | None]
    nearer: Mapping[str, bool]
    nearer_than_thin_equal: Mapping[str, bool]


def answers(bought: Bought) -> Answers:
    """Return the answers; both outcomes of each are possible."""
    size, plain = bought.size_um, bought.plain
    thick, restored = bought.seen["thick"], bought.seen["restored"]
    before = np.interp(restored.frequency_cy_per_um, thick.frequency_cy_per_um, thick.neq_per_um2)
    return Answers(
        smallest_um={
            name: {k: smallest_seen_um(size, v, CONTRAST) for k, v in values.items()}
            for name, values in (("ideal", bought.ideal), ("not_prewhitening", plain))
        },
        helps_um=helped_um(size, plain["restored"], plain["thick"]),
        beats_thin_um=helped_um(size, plain["restored"], plain["thin"]),
        beats_thin_equal_um=helped_um(size, plain["restored"], plain["thin_equal"]),
        neq_ratio=float(restored.neq_per_um2.sum() / before.sum()),
        smallest_looked_at_um=float(size[0]),
        nearer_um={name: bands.helped_sizes_um() for name, bands in bought.bands.items()},
        nearer={
            name: values["restored"] < _IMPROVED * values["thick"]
            for name, values in bought.rmse.items()
        },
        nearer_than_thin_equal={
            name: values["restored"] < values["thin_equal"] for name, values in bought.rmse.items()
        },
    )
