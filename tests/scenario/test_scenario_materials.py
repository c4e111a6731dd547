"""Materials, substrates, faces and cameras as a scenario file gives them."""

import tomllib
from pathlib import Path

import pytest

from scintscope.errors import ScenarioError
from scintscope.materials import clear_material, scintillator
from scintscope.materials.emission_bands import gaussian_band, line_band, tabulated_band
from scintscope.scenario import scenario_from_tables
from scintscope.scenario.files import merge, read_tree
from scintscope.scintillator.light_budget import light_budget

PAPER = read_tree(Path(__file__).parents[2] / "scenarios" / "paper.toml")
HOST = {"formula": "Lu2Ti2O7", "density_g_cm3": 8.1}


def loaded(**tables):
    """Return the paper's scenario with tables merged over it."""
    return scenario_from_tables(merge(PAPER, tables))


def test_own_scintillator_with_spectrum_and_dispersion():
    """Band, dispersion, yield uncertainty, decay and afterglow reach the scintillator."""
    table = [[500.0, 0.0], [540.0, 1.0], [600.0, 0.0]]
    index = [[480.0, 2.1], [620.0, 2.0]]
    numbers = {"photons_per_kev": 12.0, "yield_uncertainty": 0.3, "decay_ns": 33.0}
    own = HOST | numbers | {"emission_band": table, "dispersion": index, "afterglow": 0.01}
    made = loaded(materials={"mine": own}, thick={"material": "mine"})
    medium = made.thick.scintillator
    assert medium.emission_band == tabulated_band(table)
    # the mean of the triangle's corners, within the trapezoidal rule's error
    assert medium.emission_um == pytest.approx(1.64 / 3.0, abs=1e-4)
    assert medium.refractive_index == pytest.approx(medium.index_at(medium.emission_um))
    assert medium.index_at(0.62) == 2.0
    assert (medium.yield_uncertainty, medium.decay_ns, medium.afterglow) == (0.3, 33.0, 0.01)
    assert medium.source("photons_per_kev") == "the scenario"
    again = scenario_from_tables(made.document)
    assert again.thick == made.thick
    assert again.hash() == made.hash()


def test_own_bands_by_lines_or_width():
    """Lines and a Gaussian by its width are read; a formula's name serves as dispersion."""
    light = HOST | {"photons_per_kev": 12.0, "dispersion": "GGG", "emission_nm": 545.0}
    lines = [[490.0, 1.0], [545.0, 3.0]]
    by_lines = loaded(materials={"m": light | {"emission_lines": lines}}, thin={"material": "m"})
    assert by_lines.thin.scintillator.band == line_band(lines)
    assert by_lines.thin.scintillator.emission_um == 0.545
    by_width = loaded(materials={"m": light | {"emission_fwhm_nm": 80.0}}, thin={"material": "m"})
    assert by_width.thin.scintillator.band == gaussian_band(545.0, 80.0)
    assert by_width.thin.scintillator.index_at(0.545) == clear_material("GGG").index_at(0.545)


def test_film_on_a_substrate():
    """A plate may stand on a named, corrected or own crystal, whose side is kept."""
    under = {"material": "YAG", "thickness_um": 170.0}
    film = loaded(thin={"material": "LuAG:Eu", "substrate": under})
    assert film.thin.substrate.medium == clear_material("YAG")
    assert film.thin.substrate.side == "exit"
    glowing = under | {"photons_per_kev": 1.5, "emission_nm": 380.0, "side": "entrance"}
    lit = loaded(thin={"substrate": glowing}).thin.substrate
    assert (lit.medium.photons_per_kev, lit.medium.emission_um) == (1.5, 0.38)
    assert lit.medium.refractive_index == clear_material("YAG").index_at(0.38)
    own = HOST | {"refractive_index": 2.2}
    dark = loaded(materials={"m": own}, thin={"substrate": under | {"material": "m"}})
    assert not dark.thin.substrate.medium.is_luminescent
    assert scenario_from_tables(dark.document).thin == dark.thin
    assert dark.thick.substrate is None


def test_faces_haze_and_quantum_efficiency():
    """Faces, gaps, haze and the camera's curve are read; a preset leaves the curve alone."""
    curve = [[400.0, 0.4], [600.0, 0.7], [800.0, 0.5]]
    faces = {"back_face": "reflective", "back_gap_um": 5.0, "back_reflectance": 0.9}
    haze = {"haze_fraction": 0.1, "haze_length_um": 300.0, "exit_medium_index": 1.5}
    made = loaded(thick=faces | haze, camera={"quantum_efficiency_curve": curve})
    assert made.thick.back_reflectance == 0.9
    assert made.thick.haze_length_um == 300.0
    assert made.camera.quantum_efficiency_at(500.0) == pytest.approx(0.55)
    assert scenario_from_tables(made.document).camera == made.camera
    assert loaded().camera.quantum_efficiency_curve is None


def test_overrides_of_a_plate_drop_what_they_contradict():
    """An emission for the plate replaces the band and takes its index; an index the dispersion."""
    moved = loaded(thick={"emission_nm": 600.0}).thick.scintillator
    assert moved.band.wavelength_nm == pytest.approx((600.0,))
    assert moved.refractive_index == scintillator("YAG:Ce").index_at(0.6)
    fixed = loaded(thick={"refractive_index": 1.82, "emission_nm": 600.0}).thick.scintillator
    assert fixed.index_at(0.45) == 1.82
    assert fixed.source("refractive_index") == "the scenario"


LIGHT = HOST | {"refractive_index": 2.0, "photons_per_kev": 10.0, "emission_nm": 500.0}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"materials": {"m": HOST | {"decay_ns": 5.0}}}, r"materials\.m\.refractive_index is miss"),
        ({"materials": {"m": LIGHT | {"dispersion": "YAG"}}}, r"m\.dispersion: refractive_index"),
        (
            {
                "materials": {
                    "m": LIGHT | {"emission_fwhm_nm": 9.0, "emission_lines": [[500.0, 1.0]]}
                }
            },
            r"emission_lines: emission_fwhm_nm is given too",
        ),
        ({"materials": {"m": LIGHT | {"emission_lines": [[500.0]]}}}, r"emission_lines\[0\]"),
        (
            {"materials": {"m": LIGHT | {"emission_band": [[500.0, 1.0]]}}},
            r"materials\.m\.emission_band = .*at least 2 pairs",
        ),
        (
            {"materials": {"m": LIGHT | {"emission_band": [[500.0, 1.0], [490.0, 1.0]]}}},
            r"emission_band: the wavelengths must rise",
        ),
        ({"materials": {"m": LIGHT | {"yield_uncertainty": 2.0}}}, r"m\.yield_uncertainty = 2"),
        ({"materials": {"m": LIGHT | {"decay_ns": -1.0}}}, r"materials\.m\.decay_ns = -1"),
        (
            {"materials": {"m": HOST | {"dispersion": "YAQ"}}},
            r"materials\.m\.dispersion.*Did you mean 'YAG'",
        ),
        ({"thin": {"substrate": {"material": "YAG"}}}, r"thin\.substrate\.thickness_um is missing"),
        (
            {"thin": {"substrate": {"material": "Cu", "thickness_um": 100.0}}},
            r"thin\.substrate\.material = 'Cu' is not known to be clear",
        ),
        (
            {"thin": {"substrate": {"material": "YAG", "thickness_um": 0.0}}},
            r"thin\.substrate\.thickness_um = 0\.0 is outside",
        ),
        (
            {"thin": {"substrate": {"material": "YAG", "thickness_um": 9.0, "side": "left"}}},
            r"thin\.substrate\.side = 'left' is not one of 'exit', 'entrance'",
        ),
        (
            {
                "materials": {"m": HOST},
                "thin": {"substrate": {"material": "m", "thickness_um": 9.0}},
            },
            r"substrate\.material = 'm' cannot be used as a substrate: give refractive_index",
        ),
        (
            {"materials": {"m": HOST | {"refractive_index": 2.0}}, "thin": {"material": "m"}},
            r"thin\.material = 'm' cannot be used as a scintillator",
        ),
        ({"thick": {"material": "YAG"}}, r"thick\.material = 'YAG' is not a known scintillator"),
        ({"thick": {"haze_fraction": 0.1}}, r"thick.*needs plate\.haze_length_um"),
        ({"thick": {"back_gap_um": 3.0}}, "needs a surface behind the gap"),
        ({"thick": {"back_reflectance": 1.1}}, r"thick\.back_reflectance = 1\.1 is outside"),
        (
            {"camera": {"quantum_efficiency_curve": [[500.0, 0.5], [400.0, 0.5]]}},
            r"camera\.quantum_efficiency_curve.*must rise",
        ),
        (
            {"camera": {"quantum_efficiency_curve": [[400.0, 0.5], [500.0, 1.5]]}},
            r"camera\.quantum_efficiency_curve = 1\.5",
        ),
    ],
)
def test_refusals_name_the_key(tables, message):
    """What does not hold together is refused under the key that is at fault."""
    with pytest.raises(ScenarioError, match=message):
        loaded(**tables)


def test_the_example_of_the_documentation_is_a_scenario():
    """The tables shown in docs/materials.md load, and give what its text says."""
    text = (Path(__file__).parents[2] / "docs" / "materials.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in text.split("```toml\n")[1:]]
    made = loaded(**tomllib.loads("\n".join(blocks)))
    assert made.thin.scintillator.photons_per_kev == 32.0
    assert not made.thin.substrate.medium.is_luminescent
    assert made.absorbers["brass"].density_g_cm3 == 8.4
    budget = light_budget(made.thin, made.lens, made.camera)
    assert budget.mirror_share == pytest.approx(0.92)
