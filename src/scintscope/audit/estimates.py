"""The kernels of many settings from one pair of plates, each as `restoration` would estimate it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.audit.settings import Setting, one_pass
from scintscope.restoration.config import RestorationConfig
from scintscope.restoration.psf import estimate_psf, kernel_snapshots
from scintscope.restoration.psf_window import centre_of, cut_window
from scintscope.restoration.records import AlignedPlate, Targets
from scintscope.restoration.steps import pair_targets

Kernel = NDArray[np.float64]
Image = NDArray[np.floating[Any]]

_SPARE_PX = 24
"""Kept around the square before its sub-pixel move, whose spline reaches a few pixels."""


def signals(
    plates: Mapping[str, AlignedPlate], settings: Sequence[Setting], config: RestorationConfig
) -> dict[tuple[str, str], Targets]:
    """Return the registered signals by background and offset, as the settings need them."""
    wanted = {(s.target_background, s.subtract_offset) for s in settings}
    return {
        key: pair_targets(
            plates["thin"],
            plates["thick"],
            replace(config, target_background=key[0], subtract_offset=key[1]),
        )
        for key in sorted(wanted)
    }


def kernels(
    plates: Mapping[str, AlignedPlate], settings: Sequence[Setting], config: RestorationConfig
) -> Iterator[tuple[Setting, Kernel]]:
    """Yield each setting with its kernel; work that settings share is done once.

    Parameters
    ----------
    plates : mapping of str to AlignedPlate
        ``thin`` and ``thick``.
    settings : sequence of Setting
    config : RestorationConfig
        What the settings are laid over.
    """
    targets = signals(plates, settings, config)
    for group in one_pass(settings):
        found = targets[group[0].target_background, group[0].subtract_offset]
        yield from _of_group(found, group, config)


def _of_group(
    targets: Targets, group: Sequence[Setting], config: RestorationConfig
) -> Iterator[tuple[Setting, Kernel]]:
    """Yield the kernels of settings that differ in iterations and taper alone."""
    first = group[0].config(config)
    if first.psf_method != "richardson_lucy":
        full: Image = estimate_psf(
            targets.thin, targets.thick, replace(first, psf_taper="none"), valid=targets.valid
        ).full_psf
        for setting in group:
            yield setting, squared(full, setting.config(config))
        return
    counts = sorted({setting.psf_iterations for setting in group})
    snapshots = kernel_snapshots(targets.thin, targets.thick, first, counts, valid=targets.valid)
    for setting in group:
        yield setting, squared(snapshots[setting.psf_iterations], setting.config(config))


def squared(full: Image, config: RestorationConfig) -> Kernel:
    """Return a whole-frame estimate centred, cut and tapered as the settings say.

    What lies far outside the square is left out first: its share is not asked for here.
    """
    size = config.psf_size_px
    centre = centre_of(full, config.psf_centre, size)
    starts = [max(round(c) - size // 2 - _SPARE_PX, 0) for c in centre]
    near = full[tuple(slice(s, s + size + 2 * _SPARE_PX) for s in starts)]
    inside = (centre[0] - starts[0], centre[1] - starts[1])
    return cut_window(near, inside, size, config.psf_taper)[0]
