"""The figures of both plates, from spectrum to DQE: the same in a run's report and a data sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scintscope.report import blur, spectrum, style
from scintscope.report.energy import budget_figure, deposition_figure
from scintscope.report.records import Illustration
from scintscope.response import DepthResponse


def plate_figures(
    responses: Mapping[str, DepthResponse], sheet: Mapping[str, Any], nyquist_cy_per_um: float
) -> list[Illustration]:
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
        Illustration(
            name="spectrum",
            title="Spectrum and depth",
            caption="Most of the thick plate's light is made outside the band in which the lens "
            "is sharp; the absorption edge decides which energies reach deep.",
            png=style.picture(spectrum.draw_spectrum, responses, sheet),
        ),
        deposition_figure(responses),
        budget_figure(sheet),
        Illustration(
            name="psf-depth",
            title="Point spread through depth",
            caption="Light from every depth spreads by its defocus; their sum weighted by k(z), "
            "the generalized PSF, has a sharp core on long tails.",
            png=style.picture(blur.draw_depth_psf, responses, nyquist_cy_per_um),
        ),
        Illustration(
            name="mtf-nps-dqe",
            title="MTF, NPS and DQE",
            caption="Restoration can lift the MTF but not the DQE: above the crossing of the DQE "
            "curves the thin plate carries more information per X-ray.",
            png=style.picture(blur.draw_signal_noise, sheet, nyquist_cy_per_um),
        ),
    ]
