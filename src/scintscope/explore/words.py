"""Numbers and sentences of the page as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from scintscope.explore.engine import PlateView
from scintscope.explore.plots import COLOURS
from scintscope.units import UM_PER_MM

_SAME = 5e-3
"""Numbers that differ by less are the same to three digits."""


def numbers_of(view: PlateView) -> dict[str, float]:
    """Return the numbers of a plate, by what they are called on the page."""
    pixel = view.pixel_um**2
    curves = view.curves
    return {
        "best or chosen focus (um)": view.focus_um,
        "MTF = 0.5 at (lp/mm)": crossing(view, 0.5),
        "MTF = 0.1 at (lp/mm)": crossing(view, 0.1),
        "DQE at 0": float(curves.dqe[0]),
        "electrons per pixel": view.electrons_per_um2 * pixel,
        "X-rays per pixel": view.incident_per_um2 * pixel,
        "SNR of a pixel, open beam": snr(view),
    }


def crossing(view: PlateView, level: float) -> float:
    """Return the frequency at which the MTF first falls below a level, lp/mm; NaN if it never does.

    Linear between the curve's frequencies.
    """
    f, mtf = view.frequency_cy_per_um * UM_PER_MM, view.curves.mtf
    below = np.flatnonzero(mtf < level)
    if not below.size or below[0] == 0:
        return float("nan")
    j = int(below[0])
    share = (mtf[j - 1] - level) / (mtf[j - 1] - mtf[j])
    return float(f[j - 1] + share * (f[j] - f[j - 1]))


def snr(view: PlateView) -> float:
    """Return mean over standard deviation of an open-beam pixel of one frame.

    Var / a^2 is the NPS under the square pixel's aperture integrated over all frequencies: the
    X-rays' share by their own spectrum, light and camera as they are per pixel.
    """
    area = view.pixel_um**2
    f = view.light_cy_per_um
    # mean of sinc^2 x sinc^2 over directions; 16 of them are exact to 1e-6 up to twice Nyquist
    angle = (np.arange(16) + 0.5) * np.pi / 32.0
    row, column = f[:, None] * np.cos(angle), f[:, None] * np.sin(angle)
    window = np.mean((np.sinc(view.pixel_um * row) * np.sinc(view.pixel_um * column)) ** 2, axis=1)
    xrays = area**2 * float(np.trapezoid(2.0 * np.pi * f * view.events_per_um2 * window, f))
    mean = area * view.electrons_per_um2
    return mean / float(np.sqrt(xrays + mean + view.variance_electrons2))


def table(views: Mapping[str, PlateView], marked: Mapping[str, PlateView]) -> str:
    """Return the table of numbers; what differs from the marked state is set in bold."""
    now = {which: numbers_of(view) for which, view in views.items()}
    before = {which: numbers_of(view) for which, view in marked.items()}
    head = "".join(
        f'<th style="color:{COLOURS[w]}">{w}</th><th class="was">marked</th>' for w in now
    )
    rows = []
    for name in next(iter(now.values())):
        cells = []
        for which, numbers in now.items():
            here, there = numbers[name], before[which][name]
            changed = abs(here - there) > _SAME * max(abs(here), abs(there))
            kind = ' class="changed"' if changed else ""
            cells.append(f'<td{kind}>{_digits(here)}</td><td class="was">{_digits(there)}</td>')
        rows.append(f"<tr><td>{escape(name)}</td>{''.join(cells)}</tr>")
    return f'<table class="numbers"><tr><th></th>{head}</tr>{"".join(rows)}</table>'


def _digits(value: float) -> str:
    return "beyond" if np.isnan(value) else f"{value:.3g}" if value < 1e4 else f"{value:,.0f}"


def notice(kind: str, sentences: Sequence[str]) -> str:
    """Return sentences in a box: ``problem``, ``wait`` or ``advice``; nothing for none."""
    if not sentences:
        return ""
    text = " ".join(escape(sentence) for sentence in sentences)
    return f'<div class="notice {kind}">{text}</div>'


def changed(keys: Sequence[str]) -> str:
    """Return what differs from the scenario as it was loaded."""
    if not keys:
        return "<p>Nothing: this is the scenario as loaded.</p>"
    return "<ul>" + "".join(f"<li><code>{escape(key)}</code></li>" for key in keys) + "</ul>"


def key() -> str:
    """Return which colour is which plate."""
    named = (f'<b style="color:{COLOURS[which]}">&#9473; {which}</b>' for which in COLOURS)
    return f"{', '.join(named)}."


def making(status: str) -> str:
    """Return what is made in the background as a line; nothing when all is there."""
    return f'<p class="sentence">In the background: {escape(status)}.</p>' if status else ""


STYLE = """
body { font-family: "DejaVu Sans", "Segoe UI", Helvetica, Arial, sans-serif; margin: 0 18px;
  color: #222; background: #fff; }
"""
BLOCK_STYLE = """
:host { font-family: "DejaVu Sans", "Segoe UI", Helvetica, Arial, sans-serif; font-size: 13px; }
h1 { font-size: 20px; margin: 8px 0 2px 0; } h2 { font-size: 14px; margin: 8px 0 0 0; }
p { margin: 2px 0 6px 0; line-height: 1.35; } p.sentence { color: #555; font-size: 12px; }
ul { margin: 2px 0; padding-left: 18px; } code { font-size: 12px; }
table.numbers { border-collapse: collapse; font-size: 12px; width: 100%; }
table.numbers td, table.numbers th { padding: 2px 8px; border-bottom: 1px solid #eee;
  text-align: right; } table.numbers td:first-child { text-align: left; }
.was { color: #999; font-weight: normal; } .changed { font-weight: bold; background: #fff4d6; }
.notice { padding: 6px 10px; border-radius: 4px; margin: 4px 0; }
.problem { background: #fde4dc; border-left: 4px solid #c0392b; }
.wait { background: #e3eef8; border-left: 4px solid #0072B2; }
.advice { background: #fff4d6; border-left: 4px solid #E69F00; }
"""
BUTTON_STYLE = """
.bk-btn { background-color: #0072B2 !important; color: #fff !important; }
.bk-btn:hover { background-color: #005a8c !important; }
"""
