"""Figure: the set-up to scale, and the plates close up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from scintscope.inspection import depth_of_field_um
from scintscope.instrument import Instrument
from scintscope.report import style
from scintscope.report.radial import blur_slope, mean_depth_um
from scintscope.response import DepthResponse
from scintscope.units import UM_PER_MM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_XRAY, _LIGHT = style.ACCENT, style.WARM
_PARALLEL_MM = 60.0
_SHADES = 100
_CALLOUT = {"fontsize": 8, "arrowprops": {"arrowstyle": "-", "color": "#888888", "lw": 0.8}}


def draw_setup(instrument: Instrument, responses: Mapping[str, DepthResponse]) -> Figure:
    """Return the sketch: bench in mm, then both plates in um, each at one scale on both axes."""
    figure = style.new_figure(4.7)
    largest = max(response.thickness_um for response in responses.values())
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1.0])
    _draw_bench(left, instrument)
    offset = 0.0
    for name in ("thin", "thick"):
        response = responses[name]
        _draw_plate(right, response, name, offset, 1.1 * largest, _zone(instrument, response))
        offset += response.thickness_um + 0.6 * largest
    right.set_aspect("equal")
    right.set_xlabel("distance along the beam (um); X-rays enter at each plate's left face")
    right.set_ylabel("height (um)")
    right.set_title("The plates, to scale: shade, light made")
    right.grid(False)
    return figure


def _draw_bench(axes: Axes, instrument: Instrument) -> None:
    geometry, lens, camera = instrument.geometry, instrument.lens, instrument.camera
    half_mm = 0.5 * max(camera.shape) * instrument.pixel_um_object / UM_PER_MM
    parallel = geometry.is_parallel
    start = -_PARALLEL_MM if parallel else -geometry.source_to_scintillator_mm
    sample = -geometry.sample_distance_mm
    telecentric = math.isinf(lens.pupil_distance_mm)
    pupil = lens.working_distance_mm if telecentric else lens.pupil_distance_mm
    aperture = pupil * math.tan(math.asin(lens.na))
    rim = half_mm if parallel else 0.0
    axes.fill([start, 0, 0, start], [rim, half_mm, -half_mm, -rim], color=_XRAY, alpha=0.45, lw=0)
    axes.fill([0.0, pupil, pupil], [0.0, aperture, -aperture], color=_LIGHT, alpha=0.35, lw=0)
    axes.axhline(0.0, color="#bbbbbb", lw=0.6, zorder=0)
    reach = max(1.25 * aperture, 6.0 * half_mm, 0.06 * (pupil - start))
    axes.plot([0, 0], [-4 * half_mm, 4 * half_mm], color=style.THICK, lw=2.4)
    axes.plot([sample, sample], [-2 * half_mm, 2 * half_mm], color=style.THIN, lw=2.0)
    axes.plot([pupil, pupil], [-aperture, aperture], color=style.RESTORED, lw=2.4)
    axes.plot([start], [0], "s" if parallel else "*", color=_XRAY, ms=9)
    source = "parallel X-rays" if parallel else "source"
    spot = "" if parallel else f"\n{instrument.source.focal_spot_fwhm_um:g} um spot"
    where = "pupil at infinity;\nlens at its working distance" if telecentric else "lens pupil"
    notes = [
        (start, 0.0, 0.62, f"{source}{spot}", "left"),
        (sample, 2 * half_mm, 0.92, f"sample, {-sample:g} mm before the plate", "right"),
        (0.0, -4 * half_mm, -0.8, f"scintillator\nfield {2 * half_mm:.2f} mm", "center"),
        (pupil, 0.55 * aperture, 1.1, f"{where}, {pupil:g} mm\nNA {lens.na:g}", "right"),
    ]
    for x, y, height, text, align in notes:
        place = (x, height * reach)
        axes.annotate(text, (x, y), xytext=place, ha=align, va="center", **_CALLOUT)  # type: ignore[arg-type]
    axes.set_aspect("equal")
    axes.set_xlim(start - 0.04 * (pupil - start), pupil + 0.04 * (pupil - start))
    axes.set_ylim(-1.2 * reach, 1.3 * reach)
    axes.set_xlabel("distance along the beam from the plate's entrance face (mm)")
    axes.set_ylabel("height (mm)")
    axes.set_title(f"The bench, to scale: {lens.magnification:g}x lens, {_pixel(instrument)}")
    axes.grid(False)


def _pixel(instrument: Instrument) -> str:
    return f"pixel {instrument.pixel_um_object:.3g} um at the object"


def _zone(instrument: Instrument, response: DepthResponse) -> float | None:
    """Return the depth over which contrast at the camera's Nyquist frequency stays above zero."""
    return depth_of_field_um(instrument, response)["contrast_zero"]


def _draw_plate(
    axes: Axes,
    response: DepthResponse,
    name: str,
    offset: float,
    height: float,
    zone_um: float | None,
) -> None:
    """Draw one plate's section: k(z) as shade, X-rays, focus, light cones of two depths."""
    thickness, focus, slope = response.thickness_um, response.focus_um, blur_slope(response)
    z = (np.arange(_SHADES) + 0.5) * thickness / _SHADES
    light = response.light_per_um(z).sum(axis=0)
    half = 0.5 * height
    axes.imshow(
        (light / light.max())[None, :],
        extent=(offset, offset + thickness, -half, half),
        cmap="YlOrBr",
        vmin=-0.1,
        vmax=1.3,
        aspect="auto",
        interpolation="bilinear",
    )
    colour = style.COLOURS[name]
    axes.plot(
        offset + thickness * np.array([0, 1, 1, 0, 0]), half * np.array([1, 1, -1, -1, 1]),
        color=colour, lw=1.4,
    )  # fmt: skip
    mean = mean_depth_um(response)
    for depth, row in ((focus, 0.2 * half), (mean, -0.45 * half)):
        _draw_cone(axes, response, depth, offset, row, 0.18 * height)
    if zone_um is not None:
        low, high = max(focus - zone_um / 2, 0.0), min(focus + zone_um / 2, thickness)
        axes.fill_betweenx(
            [-half, half], offset + low, offset + high, color=style.SKY, alpha=0.45, lw=0
        )
    disc = abs(mean - focus) * slope
    axes.plot([offset + focus] * 2, np.array([-disc, disc]) - 0.45 * half, color=style.TRUTH, lw=2)
    axes.axvline(offset + focus, 0.06, 0.73, color=style.THIN, lw=1.0, ls="--")
    for row in (-0.8, 0.0, 0.8):
        axes.annotate(
            "", (offset, row * half), xytext=(offset - 0.1 * height, row * half),
            arrowprops={"arrowstyle": "->", "color": _XRAY, "lw": 1.5},
        )  # fmt: skip
    label = (
        f"{name}: {thickness:g} um\nfocus (dashed) {focus:.0f} um\nmean depth {mean:.0f} um,\n"
        f"its blur disc {2 * disc:.1f} um"
    )
    axes.text(offset, half * 1.05, label, color=style.COLOURS[name], fontsize=8, va="bottom")
    axes.set_xlim(-0.15 * height, offset + thickness + 0.25 * height)
    axes.set_ylim(-1.1 * half, 1.75 * half)


def _draw_cone(
    axes: Axes, response: DepthResponse, depth: float, offset: float, row: float, outside: float
) -> None:
    """Draw the light that the lens takes from an emitter: refracted at the exit face."""
    thickness = response.thickness_um
    spread = (thickness - depth) * blur_slope(response)
    beyond = spread + outside * math.tan(math.asin(response.path.na))
    far = thickness + outside
    axes.fill(
        offset + np.array([depth, thickness, far, far, thickness]),
        row + np.array([0.0, spread, beyond, -beyond, -spread]),
        color=_LIGHT, alpha=0.45, lw=0,
    )  # fmt: skip
    axes.plot([offset + depth], [row], "o", color=style.TRUTH, ms=3)
