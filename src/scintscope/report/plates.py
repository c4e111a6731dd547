"""The figures of both plates, from spectrum to DQE: the same in a run's report and a data sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scintscope.report import blur, spectrum
from scintscope.report.energy import budget_drawing, deposition_drawing
from scintscope.report.records import Drawing
from scintscope.response import DepthResponse


def plate_drawings(
    responses: Mapping[str, DepthResponse], sheet: Mapping[str, Any], nyquist_cy_per_um: float
) -> list[Drawing]:
    """Return spectrum and depth, energy, light budget, point spread, MTF, NPS and DQE.

    Parameters
    ----------
    responses : dict of str to DepthResponse
        ``thin`` and ``thick``.
    sheet : dict
        Data sheet.
    nyquist_cy_per_um : float
        Of the camera, object side.
    """
    return [
        Drawing(
            name="spectrum",
            title="Spectrum and depth",
            caption="Most of the thick plate's light is made outside the band in which the lens "
            "is sharp; the absorption edge decides which energies reach deep.",
            draw=spectrum.draw_spectrum,
            arguments=(responses, sheet),
        ),
        deposition_drawing(responses),
        budget_drawing(sheet),
        Drawing(
            name="psf-depth",
            title="Point spread through depth",
            caption="Light from every depth spreads by its defocus; their sum weighted by k(z), "
            "the generalized PSF, has a sharp core on long tails.",
            draw=blur.draw_depth_psf,
            arguments=(responses, nyquist_cy_per_um),
        ),
        Drawing(
            name="mtf-nps-dqe",
            title="MTF, NPS and DQE",
            caption="Restoration can lift the MTF but not the DQE: above the crossing of the DQE "
            "curves the thin plate carries more information per X-ray.",
            draw=blur.draw_signal_noise,
            arguments=(sheet, nyquist_cy_per_um),
        ),
    ]
