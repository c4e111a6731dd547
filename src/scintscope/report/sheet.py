"""The data sheet of an instrument as a page: figures and tables, no images of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from scintscope import outputs
from scintscope.instrument import Instrument
from scintscope.optics.defocus import rayleigh_half_depth_um
from scintscope.optics.wavefront import OpticalPath
from scintscope.plate_transfer import film_path
from scintscope.report import style
from scintscope.report.easel import Easel
from scintscope.report.page import FILE, render_page, versions
from scintscope.report.plates import plate_drawings
from scintscope.report.records import Illustration, Table
from scintscope.report.tables import sheet_table
from scintscope.response import DepthResponse

_REACH = 4.0
"""The figure through the focus reaches as many quarter-wave depths to one side."""


def write_sheet(
    folder: Path,
    name: str,
    instrument: Instrument,
    responses: Mapping[str, DepthResponse],
    sheet: Mapping[str, Any],
) -> None:
    """Write ``report.html`` and ``sheet.json`` into a folder.

    Parameters
    ----------
    folder : Path
        Exists.
    name : str
        Of the scenario.
    instrument : Instrument
        What is described.
    responses : dict of str to DepthResponse
        ``thin`` and ``thick``.
    sheet : dict
        From `scintscope.inspection.data_sheet`.
    """
    text = render_page(
        title=f"scintscope: data sheet of {name}",
        description="Spectrum, absorption, light and resolution of the instrument, without a "
        "sample.",
        sentences=sheet_sentences(sheet),
        figures=sheet_figures(instrument, responses, sheet),
        tables=[sheet_table(sheet), _balance_table(sheet), _budget_table(sheet)],
        provenance=versions(),
    )
    outputs.write_text(folder / FILE, text)
    outputs.write_json(folder / "sheet.json", sheet)


def sheet_sentences(sheet: Mapping[str, Any]) -> list[str]:
    """Return what the numbers say, a sentence a plate."""
    found = []
    for name in ("thin", "thick"):
        plate = sheet[name]
        found.append(
            f"The {name} plate keeps {plate['absorbed_energy_fraction']:.1%} of the energy that "
            f"falls on it, {plate['fluorescence_share']:.1%} of that carried there by fluorescence "
            f"and scattered photons, and gives {plate['electrons_per_xray']:.2f} electrons per "
            "absorbed X-ray."
        )
    return found


def sheet_figures(
    instrument: Instrument, responses: Mapping[str, DepthResponse], sheet: Mapping[str, Any]
) -> list[Illustration]:
    """Return the figures of the data sheet in the order of the photon."""
    drawings = plate_drawings(responses, sheet, instrument.camera_nyquist_cy_per_um)
    return [*Easel().illustrations(drawings), *_lens_figures(instrument, responses["thick"])]


def _optics_figures() -> ModuleType:
    """Return the module of the lens's figures; it loads JAX, which a run's report never needs."""
    from scintscope.report import optics_figures

    return optics_figures


def _lens_figures(instrument: Instrument, response: DepthResponse) -> list[Illustration]:
    """Return the figures of the lens with the thick plate: focus, section, pupil, depth, field."""
    optics_figures = _optics_figures()
    path = film_path(response.path, response.plate)
    travel, thickness, lens = response.travel_um, response.thickness_um, instrument.lens
    below = thickness - response.focus_um
    figures = [
        Illustration(
            name="through-focus",
            title="Through the focus",
            caption="Emitters at growing distances from the depth in focus: the core fades before "
            "the disc is wide.",
            png=style.picture(
                optics_figures.draw_through_focus,
                path,
                travel,
                _REACH * rayleigh_half_depth_um(path.na, path.wavelength_um, path.index),
                instrument.camera_nyquist_cy_per_um,
            ),
        ),
        Illustration(
            name="section",
            title="Section through the blur",
            caption="The PSF of every depth of the thick plate, and the cone of rays: only the "
            "waist is sharp.",
            png=style.picture(optics_figures.draw_section, path, travel, thickness),
        ),
        Illustration(
            name="pupil",
            title="Wavefront over the pupil",
            caption="What is left of the wavefront at the depth in focus: zero where the lens was "
            "corrected for that depth.",
            png=style.picture(optics_figures.draw_pupil, path, travel, below, lens.field),
        ),
        Illustration(
            name="depth-of-field",
            title="Depth of field by each definition",
            caption="The definitions differ by a factor of six; inside the plate each is longer by "
            "about the index.",
            png=style.picture(
                optics_figures.draw_depth_of_field,
                path.na,
                path.wavelength_um,
                path.index,
                lens.magnification,
                instrument.camera.pixel_um_sensor,
            ),
        ),
    ]
    if not lens.field.is_none:
        figures.append(_field_figure(instrument, response, path))
    return figures


def _field_figure(
    instrument: Instrument, response: DepthResponse, path: OpticalPath
) -> Illustration:
    """Return the figure of what differs over the field."""
    optics_figures = _optics_figures()
    rows, columns = (n * response.pixel_um for n in instrument.camera.shape)
    return Illustration(
        name="field",
        title="Over the field",
        caption="Focus, PSFs and contrast in both directions change from place to place.",
        png=style.picture(
            optics_figures.draw_field,
            path,
            response.travel_um,
            response.thickness_um - response.focus_um,
            instrument.lens.field,
            (rows, columns),
            0.5 * instrument.camera_nyquist_cy_per_um,
        ),
    )


def _balance_table(sheet: Mapping[str, Any]) -> Table:
    parts = list(sheet["thin"]["energy_balance"])
    return Table(
        title="Where the beam's energy goes",
        head=["plate", *(part.replace("_", " ") for part in parts)],
        rows=[
            [name, *(f"{sheet[name]['energy_balance'][part]:.2%}" for part in parts)]
            for name in ("thin", "thick")
        ],
        note="Shares of the energy that falls on the plate, over the open beam's spectrum.",
    )


def _budget_table(sheet: Mapping[str, Any]) -> Table:
    steps = sheet["thin"]["light_budget"]
    return Table(
        title="Light per deposited keV",
        head=["plate", *(step["label"] for step in steps), "electrons per keV"],
        rows=[
            [
                name,
                *(f"{step['factor']:.4g}" for step in sheet[name]["light_budget"]),
                f"{_product(sheet[name]['light_budget']):.4g}",
            ]
            for name in ("thin", "thick")
        ],
        note="Each factor multiplies what the one before it left; the first is the light yield, "
        f"known to {sheet['thin']['yield_uncertainty']:.0%}.",
    )


def _product(steps: list[dict[str, Any]]) -> float:
    product = 1.0
    for step in steps:
        product *= step["factor"]
    return product
