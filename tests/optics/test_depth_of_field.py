"""Depth of field side by side, and the blur disc of the paper against diffraction."""

import numpy as np
import pytest

from scintscope.optics.depth_of_field import blur_disc, depth_of_field, range_in_plate_um
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from tables import read_table

WAVELENGTH_UM = 0.55
ROWS = read_table("optics/depth_of_field.csv")


def of_row(row, index=1.0):
    """Return the depth of field of a tabulated lens."""
    frequency = row["f_nyq_lpmm"] / 1000.0
    return depth_of_field(row["NA"], WAVELENGTH_UM, index, frequency, row["M"], 6.5)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['M']:g}x")
def test_tabulated_definitions(row):
    """Quarter wave, Berek and the beamline's form agree with the table's printed digits."""
    found = of_row(row)
    for value, column in (
        (found.quarter_wave, "quarter_wave_total"),
        (found.quarter_wave_paraxial, "lambda_over_NA2"),
        (found.berek, "berek_pixel6.5"),
        (found.half_more, "aps"),
    ):
        assert value == pytest.approx(row[column], abs=6e-5)  # four printed digits after the point


@pytest.mark.parametrize("row", [r for r in ROWS if r["NA"] < 0.3])
def test_contrast_zero_of_small_apertures(row):
    """At small apertures the exact first zero is Hopkins's paraxial one."""
    # the slope of the exact phase exceeds the paraxial one's by up to NA^2 / 2 over the pupil
    assert of_row(row).contrast_zero == pytest.approx(
        row["hopkins_zero_total_air"], rel=0.5 * row["NA"] ** 2
    )
    assert of_row(row, 1.82).contrast_zero == pytest.approx(
        row["hopkins_zero_total_n1.82"], rel=0.5 * row["NA"] ** 2
    )


def test_depth_in_the_plate_is_about_n_times_that_in_air():
    """Refraction deepens every definition by n, but for what is higher than paraxial."""
    air = depth_of_field(0.1, WAVELENGTH_UM, 1.0, 0.2, 5.0, 6.5).as_dict()
    plate = depth_of_field(0.1, WAVELENGTH_UM, 1.82, 0.2, 5.0, 6.5).as_dict()
    for name, value in air.items():
        assert plate[name] == pytest.approx(1.82 * value, rel=5e-3), name  # NA^2 / 2


def test_definitions_order_at_small_aperture():
    """Strehl 0.8 allows 1.03 of the quarter wave: (sin x / x)^2 = 0.8 at x = 0.809, not pi / 4."""
    found = depth_of_field(0.05, WAVELENGTH_UM, 1.0, 0.05, 5.0, 6.5)
    # x is half the edge phase, pi / 4 for a quarter wave; NA^2 / 4 = 6e-4 beyond
    x = found.strehl / found.quarter_wave * np.pi / 4.0
    assert (np.sin(x) / x) ** 2 == pytest.approx(0.8, abs=1e-4)


def test_beyond_the_cutoff_there_is_no_contrast_to_keep():
    """20x, NA 0.42: the camera's Nyquist frequency lies beyond the cut-off."""
    found = depth_of_field(0.42, WAVELENGTH_UM, 1.0, 20.0 / 13.0, 20.0, 6.5)
    assert found.contrast_zero is None
    assert found.mtf30 is None


def test_the_papers_disc():
    """100 um off focus at NA 0.4: 87.3 um in air, 45.1 um in YAG, as by diffraction."""
    found = blur_disc(100.0, 0.4, WAVELENGTH_UM, 1.82)
    assert found.geometric_air == pytest.approx(87.29, abs=0.01)
    assert found.geometric == pytest.approx(45.06, abs=0.01)
    # Airy radius over the disc, 0.84 / 45, and a disc less bright at its edge, (NA / n)^2 / 2
    assert found.diffraction == pytest.approx(found.geometric, rel=0.05)


def test_near_focus_geometry_underestimates_where_contrast_dies():
    """A quarter wave off focus no contrast dies; a few waves off diffraction widens the disc."""
    assert blur_disc(1.0, 0.4, WAVELENGTH_UM) is None
    found = blur_disc(5.4, 0.4, WAVELENGTH_UM)
    assert found.diffraction != pytest.approx(found.geometric, rel=0.1)


def test_range_of_a_plate_the_lens_is_corrected_for():
    """Around the depth corrected for, the range is the depth of field; elsewhere it is less."""
    path = OpticalPath(na=0.9, index=1.82, wavelength_um=WAVELENGTH_UM, corrected_for_um=50.0)
    frequency = 0.5 / 0.65
    found = range_in_plate_um(path, 0.0, frequency, 0.3)
    depth = depth_of_field(0.9, WAVELENGTH_UM, 1.82, frequency, 10.0, 6.5)
    assert found[0] < 50.0 < found[1]
    assert found[1] - found[0] == pytest.approx(depth.mtf30, abs=1e-4)  # roots found to 1e-6 um
    deep = range_in_plate_um(path, float(travel_for_focus_um(150.0, path)), frequency, 0.3)
    assert deep is None  # 100 um of plate too much leave 2 waves of spherical aberration
