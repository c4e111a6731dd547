"""Boxes of a figure's panels with all that is written beside them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SLACK_PX = 2.0
"""Anti-aliasing, and the rounding of glyphs to pixels."""


def drawn(figure: Figure) -> dict[str, np.ndarray]:
    """Return the box of every panel with all its texts, pixels: left, bottom, right, top."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    return {
        f"{i} {axes.get_title()}": axes.get_tightbbox(renderer).extents
        for i, axes in enumerate(figure.axes)
    }


def assert_tidy(figure: Figure) -> None:
    """Nothing leaves the figure, and no panel's texts lie on another panel or its texts."""
    boxes = drawn(figure)
    size = np.array([*figure.canvas.get_width_height()])
    for name, box in boxes.items():
        assert (box[:2] >= -SLACK_PX).all() and (box[2:] <= size + SLACK_PX).all(), (name, box)
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        overlap = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
        assert overlap.min() <= SLACK_PX, (one, other, overlap)
