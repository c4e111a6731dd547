"""Figures of the lens: PSF and MTF through focus, r-z section, pupil, field, depth of field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scintscope.optics.depth_of_field import depth_of_field
from scintscope.optics.field import FieldAberrations, focus_shift_um, illumination
from scintscope.optics.field_otf import DepthSum, field_harmonics, local_psf, transfer_at
from scintscope.optics.otf import otf
from scintscope.optics.psf_radial import radial_psf
from scintscope.optics.wavefront import OpticalPath, focus_for_travel_um, rms_waves, wavefront_um
from scintscope.report import style
from scintscope.units import UM_PER_MM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_DEPTHS, _RADII, _FREQUENCIES = 97, 161, 121
_DECADES = 4.0
_THUMBNAIL = 48


def _slope(path: OpticalPath) -> float:
    """Return the blur radius per um of defocus inside the plate."""
    sine = float(path.na / path.index)
    return sine / float(np.sqrt(1.0 - sine**2))


def draw_through_focus(
    path: OpticalPath, travel_um: float, reach_um: float, nyquist_cy_per_um: float
) -> Figure:
    """Return PSF and MTF of emitters through the focus.

    Parameters
    ----------
    path, travel_um
        Lens and layers, stage.
    reach_um : float
        Depths shown on either side of the focus, in the plate.
    nyquist_cy_per_um : float
        Of the camera; half of it and itself are shown through focus.
    """
    from matplotlib import colormaps

    figure = style.new_figure(4.0)
    profiles, curves, through = figure.subplots(1, 3)
    focus = float(focus_for_travel_um(travel_um, path))
    shares = np.array([0.0, 0.25, 0.5, 1.0])
    radius = np.linspace(0.0, 1.2 * reach_um * _slope(path) + 1.5 / path.na, 300)
    psf = np.asarray(radial_psf(radius, focus + shares * reach_um, travel_um, path))
    f = np.linspace(0.0, min(2.0 * nyquist_cy_per_um, path.cutoff_cy_per_um), _FREQUENCIES)
    transfer = np.asarray(otf(f, focus + shares * reach_um, travel_um, path))
    for share, spread, curve in zip(shares, psf, transfer, strict=True):
        look = {"color": colormaps["viridis"](0.85 * share), "label": f"{share * reach_um:.3g} um"}
        profiles.semilogy(radius, np.maximum(spread, 1e-12), **look)
        curves.plot(f * UM_PER_MM, curve, **look)
    profiles.set_ylim(psf.max() * 10.0**-_DECADES, 2.0 * psf.max())
    profiles.set(xlabel="radius at the object (um)", ylabel="PSF (1/um²)")
    profiles.set_title("PSF off focus by")
    profiles.legend()
    curves.set(ylabel="transfer function", title="transfer off focus")
    style.frequency_axis(curves, float(f[-1]) * UM_PER_MM, nyquist_cy_per_um * UM_PER_MM)
    _draw_contrast(through, path, travel_um, reach_um, nyquist_cy_per_um)
    return figure


def _draw_contrast(
    axes: Axes, path: OpticalPath, travel_um: float, reach_um: float, nyquist_cy_per_um: float
) -> None:
    focus = float(focus_for_travel_um(travel_um, path))
    depth = focus + np.linspace(-reach_um, reach_um, 2 * _DEPTHS + 1)
    shown = np.array([0.5, 1.0]) * nyquist_cy_per_um
    shown = shown[shown < path.cutoff_cy_per_um]
    values = np.asarray(otf(shown, depth, travel_um, path))
    for f, curve, colour in zip(shown, values.T, (style.SKY, style.THICK), strict=False):
        axes.plot(depth - focus, curve, color=colour, label=f"{f * UM_PER_MM:.0f} lp/mm")
    axes.axhline(0.3, color=style.LIGHT, lw=1.0, ls=":")
    axes.axhline(0.0, color=style.LIGHT, lw=1.0)
    axes.set(xlabel="depth beyond the focus, in the plate (um)", ylabel="transfer function")
    axes.set_title("contrast through focus; dotted: 0.3")
    axes.legend()


def draw_section(path: OpticalPath, travel_um: float, thickness_um: float) -> Figure:
    """Return the r-z section of the PSF over a plate, exit face up, with the cone of rays.

    Parameters
    ----------
    path, travel_um
        Lens and layers, stage.
    thickness_um : float
        Depths from the exit face that are shown.
    """
    figure = style.new_figure(4.4, 6.4)
    axes = figure.subplots()
    focus = float(focus_for_travel_um(travel_um, path))
    depth = np.linspace(0.0, thickness_um, _DEPTHS)
    reach = 1.15 * max(abs(focus), abs(thickness_um - focus)) * _slope(path) + 2.0 / path.na
    radius = np.linspace(0.0, reach, _RADII)
    psf = np.asarray(radial_psf(radius, depth, travel_um, path))
    level = np.log10(np.maximum(psf / psf.max(), 10.0**-_DECADES))
    shown = axes.imshow(
        np.concatenate([level[:, :0:-1], level], axis=1), cmap=style.HEAT, aspect="auto",
        extent=(-reach, reach, thickness_um, 0.0), vmin=-_DECADES, vmax=0.0,
        interpolation="bilinear",
    )  # fmt: skip
    for sign in (-1.0, 1.0):
        axes.plot(sign * np.abs(depth - focus) * _slope(path), depth, color=style.SKY, lw=0.9,
                  ls="--")  # fmt: skip
    axes.set_xlim(-reach, reach)
    axes.grid(False)
    axes.set(xlabel="radius at the object (um)", ylabel="depth below the exit face (um)")
    axes.set_title(f"PSF(r, z), in focus at {focus:.1f} um; dashed: cone of rays")
    style.colour_bar(figure, shown, axes, "log₁₀ of PSF over its peak")
    return figure


def draw_pupil(
    path: OpticalPath,
    travel_um: float,
    depth_below_exit_um: float,
    field: FieldAberrations | None = None,
    azimuth_rad: float = 0.0,
) -> Figure:
    """Return the wavefront over the pupil, waves, as a map and along its radius.

    Parameters
    ----------
    path, travel_um, depth_below_exit_um
        Lens and layers, stage, emitter.
    field : FieldAberrations, optional
        Coma and astigmatism of the field's corner are added.
    azimuth_rad : float
        Azimuth of that corner, from the columns towards the rows.
    """
    from scintscope.optics.field import azimuthal_phase_waves

    figure = style.new_figure(3.8, 8.6)
    image, radial = figure.subplots(1, 2, width_ratios=[1.0, 1.3])
    axis = np.linspace(-1.0, 1.0, 201)
    x, y = axis[None, :], axis[:, None]
    rho2 = np.minimum(x**2 + y**2, 1.0)
    waves = np.asarray(
        wavefront_um(path.na**2 * rho2, depth_below_exit_um, travel_um, path), dtype=float
    ) / float(path.wavelength_um)
    if field is not None:
        cosine, sine = np.cos(azimuth_rad), np.sin(azimuth_rad)
        parts = azimuthal_phase_waves(field, x * cosine + y * sine, y * cosine - x * sine, 1.0)
        waves = waves + parts[0] + parts[1]
    inside = x**2 + y**2 <= 1.0
    waves = np.where(inside, waves - waves[inside].mean(), np.nan)
    top = max(float(np.nanmax(np.abs(waves))), 1e-3)
    shown = image.imshow(waves, cmap=style.DIVERGING, vmin=-top, vmax=top, extent=(-1, 1, 1, -1))
    style.bare(image)
    image.set_title(f"pupil: rms {np.nanstd(waves):.3f} waves")
    style.colour_bar(figure, shown, image, "optical path difference (waves)", shrink=0.85)
    _draw_radial_waves(radial, path, travel_um, depth_below_exit_um)
    return figure


def _draw_radial_waves(
    axes: Axes, path: OpticalPath, travel_um: float, depth_below_exit_um: float
) -> None:
    rho = np.linspace(0.0, 1.0, 201)
    reach = (
        0.5
        * float(path.wavelength_um)
        / (float(path.index) - float(np.sqrt(path.index**2 - path.na**2)))
    )
    for offset, colour in ((-reach, style.THIN), (0.0, style.TRUTH), (reach, style.THICK)):
        depth = depth_below_exit_um + offset
        w = np.asarray(wavefront_um(path.na**2 * rho**2, depth, travel_um, path), dtype=float)
        rms = float(rms_waves(depth, travel_um, path))
        label = f"{depth:.1f} um below the exit face, rms {rms:.3f}"
        axes.plot(rho, w / float(path.wavelength_um), color=colour, label=label)
    axes.set(xlabel="pupil radius", ylabel="path difference to the centre (waves)")
    axes.set_title("symmetric part; half a wave off focus")
    axes.legend()


def draw_field(
    path: OpticalPath,
    travel_um: float,
    depth_below_exit_um: float,
    field: FieldAberrations,
    extent_um: tuple[float, float],
    frequency_cy_per_um: float,
) -> Figure:
    """Return maps of the field: focus, PSFs of nine places, contrast of both line directions.

    Parameters
    ----------
    path, travel_um, depth_below_exit_um
        Lens and layers, stage on the axis, emitter.
    field : FieldAberrations
        What differs over the field.
    extent_um : (float, float)
        Height and width.
    frequency_cy_per_um : float
        For the contrast.
    """
    corner = field.corner_um or 0.5 * float(np.hypot(*extent_um))
    figure = style.new_figure(3.9)
    focus, spots, contrast = figure.subplots(1, 3, width_ratios=[1.15, 1.0, 1.2])
    rows = np.linspace(-0.5, 0.5, 61)[:, None] * extent_um[0]
    columns = np.linspace(-0.5, 0.5, 61)[None, :] * extent_um[1]
    shift = focus_shift_um(field, rows, columns, corner)
    box = (columns[0, 0], columns[0, -1], rows[-1, 0], rows[0, 0])
    shown = focus.imshow(shift, extent=box, cmap=style.DIVERGING)
    light = illumination(field, rows, columns, corner)
    if np.ptp(light) > 0.0:
        lines = focus.contour(columns[0], rows[:, 0], light, colors="black", linewidths=0.7)
        focus.clabel(lines, fontsize=7)
    focus.grid(False)
    focus.set(xlabel="column (um)", ylabel="row (um)", title="shift of focus; lines: illumination")
    style.colour_bar(figure, shown, focus, "um of air", shrink=0.8)
    _draw_spots(spots, path, travel_um, depth_below_exit_um, field, extent_um, corner)
    _draw_field_contrast(
        contrast, path, travel_um, depth_below_exit_um, field, corner, frequency_cy_per_um
    )
    return figure


def _draw_spots(
    axes: Axes,
    path: OpticalPath,
    travel_um: float,
    depth_um: float,
    field: FieldAberrations,
    extent_um: tuple[float, float],
    corner_um: float,
) -> None:
    pixel = 0.25 * float(path.wavelength_um) / float(path.na)
    places = np.array([-0.45, 0.0, 0.45])
    rest = (depth_um, travel_um, path, field, corner_um, pixel, _THUMBNAIL)
    grid = [
        [local_psf(float(v * extent_um[0]), float(u * extent_um[1]), *rest) for u in places]
        for v in places
    ]
    mosaic = np.block(grid)
    axes.imshow(np.sqrt(np.maximum(mosaic, 0.0)), cmap=style.HEAT)
    style.bare(axes)
    style.scale_bar(axes, mosaic.shape, pixel)
    axes.set_title("PSF of nine places, root of intensity")


def _draw_field_contrast(
    axes: Axes,
    path: OpticalPath,
    travel_um: float,
    depth_um: float,
    field: FieldAberrations,
    corner_um: float,
    frequency_cy_per_um: float,
) -> None:
    share = np.linspace(0.0, 1.0, 25)
    depths = DepthSum(depth_below_exit_um=np.array([depth_um]), weight=np.ones((1, 1, 1)))
    f = np.array([frequency_cy_per_um])
    radial, across = np.zeros(share.size), np.zeros(share.size)
    angles = 7 if field.blurs_by_azimuth else 1
    for i, rho in enumerate(share):
        shift = focus_shift_um(field, 0.0, rho * corner_um, corner_um).reshape(1)
        where = (travel_um, path, field, shift, np.array([rho]), angles)
        found = field_harmonics(f, depths, *where)[0, 0, :, 0, 0]
        radial[i] = abs(transfer_at(found, 0.0))
        across[i] = abs(transfer_at(found, 0.5 * np.pi))
    axes.plot(share * corner_um, across, color=style.THIN, label="radial lines")
    axes.plot(share * corner_um, radial, color=style.THICK, label="lines around the axis")
    axes.set_ylim(0.0, 1.0)
    axes.set(xlabel="field radius along the columns (um)", ylabel="MTF, no pixel")
    axes.set_title(f"contrast at {frequency_cy_per_um * UM_PER_MM:.0f} lp/mm")
    axes.legend()


_NAMES = {
    "quarter_wave": "quarter wave (Rayleigh)",
    "quarter_wave_paraxial": "n lambda / NA²",
    "strehl": "Strehl 0.8",
    "contrast_zero": "contrast zero at Nyquist",
    "mtf30": "MTF 30 % at Nyquist",
    "berek": "Berek, with pixel",
    "half_more": "APS 2-BM's form",
    "geometric": "ray disc = pixel",
}


def draw_depth_of_field(
    na: float, wavelength_um: float, index: float, magnification: float, pixel_um_sensor: float
) -> Figure:
    """Return the depth of field by each definition, in air and in the plate, as bars."""
    frequency = 0.5 * magnification / pixel_um_sensor
    figure = style.new_figure(3.6, 7.6)
    axes = figure.subplots()
    rest = (frequency, magnification, pixel_um_sensor)
    place = np.arange(len(_NAMES))[::-1]
    for n, name, colour, offset in (
        (index, f"in the plate, n = {index:.4g}", style.THICK, -0.2),
        (1.0, "in air", style.THIN, 0.2),
    ):
        values = depth_of_field(na, wavelength_um, n, *rest).as_dict()
        length = [values[key] or 0.0 for key in _NAMES]
        axes.barh(place + offset, length, height=0.38, color=colour, label=name)
        for y, value in zip(place + offset, length, strict=True):
            axes.text(value, y, f" {value:.2f}" if value else " none", va="center", fontsize=7)
    axes.set_yticks(place, list(_NAMES.values()))
    axes.set(xlabel="whole depth (um)", title=f"depth of field, {magnification:g}x NA {na:g}")
    axes.legend()
    return figure
