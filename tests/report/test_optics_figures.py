"""Figures of the lens are drawn, with the panels they promise."""

import numpy as np
import pytest

from scintscope.optics.field import FieldAberrations
from scintscope.optics.field_otf import local_psf
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from scintscope.report import optics_figures
from scintscope.report.style import picture

PATH = OpticalPath(na=0.4, index=1.82, wavelength_um=0.55, corrected_for_um=50.0)
TRAVEL_UM = float(travel_for_focus_um(60.0, PATH))
FIELD = FieldAberrations(field_curvature_um=4.0, coma_waves=0.1, relative_illumination=0.9)


@pytest.mark.parametrize(
    ("name", "arguments", "panels"),
    [
        ("draw_through_focus", (PATH, TRAVEL_UM, 15.0, 0.385), 3),
        ("draw_section", (PATH, TRAVEL_UM, 80.0), 2),
        ("draw_pupil", (PATH, TRAVEL_UM, 60.0, FIELD, 0.5), 3),
        ("draw_field", (PATH, TRAVEL_UM, 60.0, FIELD, (300.0, 400.0), 0.385), 4),
        ("draw_depth_of_field", (0.4, 0.55, 1.82, 5.0, 6.5), 1),
    ],
)
def test_figure_has_its_panels(name, arguments, panels):
    """Each figure builds without a display and holds panels and colour bars."""
    figure = getattr(optics_figures, name)(*arguments)
    assert len(figure.axes) == panels
    assert all(axes.get_title() or axes.get_ylabel() for axes in figure.axes)


def test_figures_become_pictures_and_know_lenses_that_cut_off_early():
    """A 20x lens of NA 0.42, cut off below the camera's Nyquist frequency, is drawn as well."""
    png = picture(optics_figures.draw_depth_of_field, 0.42, 0.55, 1.82, 20.0, 6.5)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"


def test_local_psf_is_the_airy_pattern_on_the_axis_and_comatic_off_it():
    """The peak on the axis is pi (NA / lambda)^2; coma throws light outwards; light is kept."""
    window = (0.2, 64)
    centre = local_psf(0.0, 0.0, 60.0, TRAVEL_UM, PATH, FIELD, 250.0, *window)
    assert centre.sum() * 0.04 == pytest.approx(1.0, abs=1e-9)
    # 10 um of plate beyond the design leave 0.001 waves; tails fold back into 13 um: 1e-3
    assert centre.max() == pytest.approx(np.pi * (0.4 / 0.55) ** 2, rel=5e-3)
    assert np.unravel_index(centre.argmax(), centre.shape) == (32, 32)
    corner = local_psf(150.0, -200.0, 60.0, TRAVEL_UM, PATH, FIELD, 250.0, *window)
    place = (np.arange(64) - 32) * 0.2
    assert (corner.sum(axis=1) * place).sum() > 0.0
    assert (corner.sum(axis=0) * place).sum() < 0.0
