"""The report of `scintscope restore`: one self-contained HTML file.

Figures are embedded as PNG.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scintscope.metrics import RadialSpectrum
from scintscope.metrics.gain import PsdGain
from scintscope.outputs import write_text
from scintscope.report.style import (
    ACCENT,
    COLOURS,
    HEAT,
    LIGHT,
    TRUTH,
    colour_bar,
    new_figure,
    picture,
)
from scintscope.restoration import Restoration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Image = NDArray[Any]

TEMPLATE = "measured.html"
PERCENTILES = (0.5, 99.5)
ZOOM_SHARE, SMALLEST_ZOOM_PX = 0.16, 48
LARGEST_SHOWN_PX = 900


class Densities(NamedTuple):
    """What a spectrum figure needs; any object with these attributes will do."""

    thick: RadialSpectrum
    restored: RadialSpectrum
    gain: PsdGain


def write_measured_report(
    folder: Path, result: Restoration, curves: Mapping[str, Any], metrics: Mapping[str, Any]
) -> Path:
    """Write ``report.html`` into a folder.

    Parameters
    ----------
    folder : Path
        Where.
    result : Restoration
        What the chain made.
    curves : dict of str to record with ``thick``, ``restored``, ``gain``
        Spectral densities by object (see `Densities`).
    metrics : dict
        Content of ``metrics.json``.

    Returns
    -------
    Path
        The file written.
    """
    from jinja2 import Environment

    template = resources.files("scintscope.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pixel_um = metrics["images"]["pixel_um_object"]
    path = folder / "report.html"
    html = environment.from_string(template).render(
        metrics=metrics,
        figures=list(_figures(result, curves, pixel_um)),
        rows=list(table_rows(metrics)),
        warnings=[note for note in metrics["notes"] if note["level"] == "warning"],
        infos=[note for note in metrics["notes"] if note["level"] != "warning"],
        config=_settings(result),
    )
    write_text(path, html)
    return path


def table_rows(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (quantity, value, what it means) of the report's table."""
    psf, pixel_um = metrics["psf"], metrics["images"]["pixel_um_object"]
    size = "unknown" if pixel_um is None else f"{pixel_um:.4g} um"
    yield "Pixel", size, f"in the scintillator plane, from the {metrics['images']['pixel_source']}"
    width = _shown(psf["fwhm_estimated_um"], " um") if pixel_um else ""
    yield "PSF width", f"{width} {_shown(psf['fwhm_estimated_px'], ' px')}", "full, half maximum"
    yield "PSF cut off", f"{psf['truncated_share']:.2%}", f"outside {psf['size_px']} px squared"
    for name, report in metrics["registration"].items():
        shift = f"({report['shift_row_px']:+.3f}, {report['shift_column_px']:+.3f}) px"
        yield f"Motion, {name}", shift, f"{report['status']}; scale {report['scale']:.6f}"
    for name, report in metrics["background"].items():
        did = f"{report['operation']}, {report['clipped_fraction']:.2%} clipped"
        yield f"Background, {name}", did, f"{report['negative_fraction']:.2%} were negative"
    for name, numbers in metrics["restoration"].items():
        for key, value in numbers.items():
            if value is not None:
                yield f"{name}: {key}", _shown(value, ""), _meaning(key)


def _meaning(key: str) -> str:
    """Return what a key of ``restoration.<object>`` is, in words."""
    if key.startswith("piqe"):
        return "blind quality, 0 best to 100 worst; the thick image's 8-bit mapping"
    if key.startswith("mtf50"):
        return "where the edge's MTF falls to one half"
    parts = {"signal": "of signal alone", "noise": "of noise alone"}
    part = parts.get(key.rpartition("_")[2], "of signal and noise together")
    where = "largest, 0.1-1.0 Nyquist" if "max" in key else "mean, 0.5-1.0 Nyquist"
    return f"power gain restored / thick {part}; {where}"


def _shown(value: float | None, unit: str) -> str:
    return "not measurable" if value is None else f"{value:.4g}{unit}"


def _settings(result: Restoration) -> list[tuple[str, Any]]:
    config = result.config
    return [(name, getattr(config, name)) for name in config.__dataclass_fields__]


def _figures(
    result: Restoration, curves: Mapping[str, Any], pixel_um: float | None
) -> Iterator[tuple[str, str, str]]:
    """Yield (title, caption, base64 PNG)."""
    target = {
        "thin": result.thin_target,
        "thick": result.thick_target,
        "restored": result.restored_target,
    }
    yield _entry(
        "Target",
        "Absorption signal; whole frame above, the marked region below, all on one grey scale.",
        lambda figure: draw_images(figure, target, pixel_um),
        (11.0, 7.6),
    )
    for name, item in result.specimens.items():
        images = {"thick": item.image, "restored": item.restored}
        yield _entry(
            name.capitalize(),
            "Thick plate before and after restoration.",
            lambda figure, images=images: draw_images(figure, images, pixel_um),  # type: ignore[misc]
            (9.0, 8.6),
        )
    yield _entry(
        "Point-spread function",
        "Estimated from the pair: the kernel that blurs the thin image into the thick one.",
        lambda figure: draw_psf(figure, result, pixel_um),
        (11.0, 3.6),
    )
    for name, curve in curves.items():
        yield _entry(
            f"Spectral power, {name}",
            "Radial means. A gain of noise without a gain of signal is no gain in detail.",
            lambda figure, curve=curve: draw_spectra(figure, curve, pixel_um),  # type: ignore[misc]
            (11.0, 3.6),
        )
    plates = {
        "thin plate": result.thin.background / result.thin.background.mean(),
        "thick plate": result.thick.background / result.thick.background.mean(),
    }
    yield _entry(
        "Plates",
        "Backgrounds over their mean, moved onto their samples: shading and defects.",
        lambda figure: draw_images(figure, plates, pixel_um),
        (9.0, 8.6),
    )


def _entry(
    title: str, caption: str, draw: Callable[[Figure], None], size_inch: tuple[float, float]
) -> tuple[str, str, str]:
    png = picture(_drawn, draw, size_inch)
    return title, caption, base64.b64encode(png).decode("ascii")


def _drawn(draw: Callable[[Figure], None], size_inch: tuple[float, float]) -> Figure:
    figure = new_figure(size_inch[1], size_inch[0])
    draw(figure)
    return figure


def draw_images(figure: Figure, images: Mapping[str, Image], pixel_um: float | None) -> None:
    """Draw images side by side, and below each the same region of interest enlarged."""
    axes = figure.subplots(2, len(images), squeeze=False)
    reference = images.get("thick", next(iter(images.values())))
    rows, columns = zoom_region(reference)
    unit, scale = ("um", pixel_um) if pixel_um else ("px", 1.0)
    ends = np.array([np.percentile(image, PERCENTILES) for image in images.values()])
    limits = (float(ends[:, 0].min()), float(ends[:, 1].max()))
    for column, (name, image) in enumerate(images.items()):
        whole = _show(axes[0][column], image, (slice(None), slice(None)), scale, limits)
        part = _show(axes[1][column], image, (rows, columns), scale, limits)
        axes[0][column].set_title(name)
        axes[0][column].set_xlabel(unit)
        _frame(axes[0][column], rows, columns, scale)
        for artist, axis in ((whole, axes[0][column]), (part, axes[1][column])):
            if column == len(images) - 1:
                colour_bar(figure, artist, axis)


def zoom_region(image: Image) -> tuple[slice, slice]:
    """Return the square with the strongest detail, rows and columns, away from the border."""
    side = max(int(ZOOM_SHARE * min(image.shape)), SMALLEST_ZOOM_PX)
    side = min(side, min(image.shape))
    down, across = np.gradient(np.asarray(image, dtype=np.float64))
    energy = np.cumsum(np.cumsum(np.hypot(down, across), axis=0), axis=1)
    energy = np.pad(energy, ((1, 0), (1, 0)))
    margin = min(side // 2, (min(image.shape) - side) // 2)
    sums = energy[side:, side:] - energy[:-side, side:] - energy[side:, :-side]
    sums += energy[:-side, :-side]
    inner = sums[margin : sums.shape[0] - margin, margin : sums.shape[1] - margin]
    row, column = np.unravel_index(int(np.argmax(inner)), inner.shape)
    top, left = int(row) + margin, int(column) + margin
    return slice(top, top + side), slice(left, left + side)


def _show(
    axis: Axes,
    image: Image,
    region: tuple[slice, slice],
    scale: float,
    limits: tuple[float, ...],
) -> Any:
    """Draw a region of an image with coordinates in the frame."""
    rows, columns = (part.indices(n) for part, n in zip(region, image.shape, strict=True))
    left, right, bottom, top = (scale * edge for edge in (columns[0], columns[1], rows[1], rows[0]))
    step = max(1, max(rows[1] - rows[0], columns[1] - columns[0]) // LARGEST_SHOWN_PX)
    axis.grid(False)
    return axis.imshow(
        image[region][::step, ::step],
        cmap="gray",
        vmin=limits[0],
        vmax=limits[1] if limits[1] > limits[0] else limits[0] + 1.0,
        extent=(left, right, bottom, top),
        interpolation="nearest",
    )


def _frame(axis: Axes, rows: slice, columns: slice, scale: float) -> None:
    from matplotlib.patches import Rectangle

    corner = (columns.start * scale, rows.start * scale)
    width, height = ((part.stop - part.start) * scale for part in (columns, rows))
    axis.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=ACCENT, linewidth=1.2))


def draw_psf(figure: Figure, result: Restoration, pixel_um: float | None) -> None:
    """Draw the kernel (logarithmic), its central profiles, and the history of its estimate."""
    from matplotlib.colors import LogNorm

    kernel, profile, history = figure.subplots(1, 3)
    psf = result.psf.psf
    unit, scale = ("um", pixel_um) if pixel_um else ("px", 1.0)
    position = (np.arange(psf.shape[0]) - psf.shape[0] // 2) * scale
    top = float(psf.max())
    extent = (position[0], position[-1], position[-1], position[0])
    kernel.grid(False)
    shown = kernel.imshow(
        np.maximum(psf, 1e-5 * top), norm=LogNorm(1e-4 * top, top), cmap=HEAT, extent=extent
    )
    colour_bar(figure, shown, kernel)
    kernel.set(title="PSF", xlabel=unit, ylabel=unit)
    centre = psf.shape[0] // 2
    profile.semilogy(position, np.maximum(psf[centre], 1e-6 * top), label="along the row")
    profile.semilogy(position, np.maximum(psf[:, centre], 1e-6 * top), label="along the column")
    profile.set(title="Profiles through the centre", xlabel=unit, ylabel="share per pixel")
    profile.legend(frameon=False)
    misfit = np.asarray(result.psf.history)
    if misfit.size and (misfit > 0).any():
        history.semilogy(np.arange(misfit.size), misfit, marker="o", color=COLOURS["restored"])
    history.set(title="Misfit of the PSF", xlabel="iteration", ylabel="I-divergence per pixel")


def draw_spectra(figure: Figure, curve: Any, pixel_um: float | None) -> None:
    """Draw spectral densities of thick and restored image, and their ratio."""
    density, ratio = figure.subplots(1, 2)
    unit = "cycles/um" if pixel_um else "cycles/px"
    for name in ("thick", "restored"):
        spectrum = getattr(curve, name)
        seen = spectrum.power_um2 > 0
        density.semilogy(
            spectrum.frequency_cy_per_um[seen],
            spectrum.power_um2[seen],
            color=COLOURS[name],
            label=name,
        )
    floor = curve.gain.thick_floor_um2
    label = "noise of thick" if curve.gain.floor_source == "noise" else "noise floor of thick"
    if (floor > 0).any():
        density.semilogy(curve.gain.frequency_cy_per_um, floor, ":", color=LIGHT, label=label)
    density.set(title="Spectral density", xlabel=unit, ylabel="um²" if pixel_um else "px²")
    density.legend(frameon=False)
    for key, label, colour in (
        ("gain", "total", TRUTH),
        ("signal_gain", "signal", COLOURS["restored"]),
        ("noise_gain", "noise", ACCENT),
    ):
        values = getattr(curve.gain, key)
        if values is not None and np.isfinite(values).any():
            positive = np.where(values > 0, values, np.nan)
            ratio.semilogy(curve.gain.frequency_cy_per_um, positive, label=label, color=colour)
    ratio.axhline(1.0, color=LIGHT, linewidth=0.8)
    ratio.set(title="Power gain restored / thick", xlabel=unit, ylabel="ratio")
    ratio.legend(frameon=False)
