"""Beer-Lambert per energy, the table against the plain sum, and the Fresnel warning."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import InputError
from scintscope.sample import Specimen, fresnel_warning, group_images, transmission
from scintscope.sample.transmission import TABLE_TOLERANCE

ENERGIES = 40
GOLD = 0.35 * np.linspace(0.3, 2.0, ENERGIES) ** -3
WATER = 2e-3 * np.linspace(0.3, 2.0, ENERGIES) ** -2
# Table error plus rounding of float32 table entries, thickness fraction and result.
LOOK_UP = TABLE_TOLERANCE + 3e-7
# Float32 exponents and sums over 40 energies, as the docstring of `group_images` states.
DIRECT = 1e-6


def _specimen(shape: tuple[int, int] = (37, 50), seed: int = 0) -> Specimen:
    rng = np.random.default_rng(seed)
    gold = (5.0 * rng.random(shape) * (rng.random(shape) < 0.5)).astype(np.float32)
    water = (900.0 * rng.random(shape) * (rng.random(shape) < 0.5)).astype(np.float32)
    return Specimen(thickness_um={"Au": gold, "water": water}, pixel_um=1.0)


def _weights(groups: int = 3) -> np.ndarray:
    weights = np.random.default_rng(9).random((groups, ENERGIES))
    return weights / weights.sum(axis=1, keepdims=True)


def test_one_energy_one_thickness_is_beer_lambert() -> None:
    """A uniform sheet transmits exp(-mu t)."""
    sheet = Specimen(thickness_um={"Au": np.full((3, 4), 7.0, np.float32)}, pixel_um=1.0)
    out = group_images(sheet, {"Au": [0.2]}, [[1.0]])
    assert out.shape == (1, 3, 4) and out.dtype == np.float32
    # The greatest thickness is a node of the table: one float32 rounding.
    np.testing.assert_allclose(out, math.exp(-1.4), rtol=6e-8)


def test_table_agrees_with_the_plain_sum() -> None:
    """One material: the table errs by less than its stated bound everywhere."""
    thickness = np.linspace(0.0, 30.0, 5000, dtype=np.float32).reshape(50, 100)
    specimen = Specimen(thickness_um={"Au": thickness}, pixel_um=1.0)
    weights = _weights()
    plain = np.tensordot(weights, transmission(specimen, {"Au": GOLD}), axes=1)
    out = group_images(specimen, {"Au": GOLD}, weights)
    np.testing.assert_allclose(out, plain, rtol=0.0, atol=LOOK_UP)


def test_binary_target_is_exact() -> None:
    """Zero and full thickness are nodes: nothing but float32 rounding."""
    thickness = np.zeros((5, 6), np.float32)
    thickness[1:, 2:4] = 5.0
    specimen = Specimen(thickness_um={"Au": thickness}, pixel_um=1.0)
    weights = _weights()
    out = group_images(specimen, {"Au": GOLD}, weights)
    np.testing.assert_allclose(out[:, 0, 0], 1.0, rtol=1.2e-7)
    np.testing.assert_allclose(out[:, 2, 3], weights @ np.exp(-5.0 * GOLD), rtol=1.2e-7)


def test_several_materials_agree_with_the_plain_sum() -> None:
    """Two materials, alone and together: the stated precision everywhere."""
    specimen, weights = _specimen(), _weights()
    mu = {"Au": GOLD, "water": WATER}
    plain = np.tensordot(weights, transmission(specimen, mu), axes=1)
    out = group_images(specimen, mu, weights)
    np.testing.assert_allclose(out, plain, rtol=0.0, atol=DIRECT)


def test_extremely_dense_material_takes_the_direct_sum() -> None:
    """Where the table would need too many nodes the sum is taken directly."""
    thickness = np.linspace(0.0, 1e5, 30, dtype=np.float32).reshape(5, 6)
    specimen = Specimen(thickness_um={"Au": thickness}, pixel_um=1.0)
    out = group_images(specimen, {"Au": 50.0 * GOLD}, _weights(1))
    plain = np.tensordot(_weights(1), transmission(specimen, {"Au": 50.0 * GOLD}), axes=1)
    np.testing.assert_allclose(out, plain, rtol=0.0, atol=DIRECT)


@settings(max_examples=25, deadline=None)
@given(thickness=st.floats(0.0, 50.0), split=st.floats(0.0, 1.0))
def test_hardening_raises_the_effective_transmission(thickness: float, split: float) -> None:
    """A polychromatic beam passes two sheets better than the product of each alone (Jensen)."""
    first = split * thickness

    def passed(t: float) -> float:
        sheet = Specimen(thickness_um={"Au": np.full((1, 1), t, np.float32)}, pixel_um=1.0)
        return float(group_images(sheet, {"Au": GOLD}, _weights(1))[0, 0, 0])

    assert passed(thickness) >= passed(first) * passed(thickness - first) - 3 * LOOK_UP


def test_nothing_in_the_beam_gives_the_sum_of_weights() -> None:
    """Zero maps or zero attenuation transmit everything."""
    empty = Specimen(thickness_um={"Au": np.zeros((4, 3), np.float32)}, pixel_um=1.0)
    np.testing.assert_allclose(group_images(empty, {"Au": GOLD}, _weights()), 1.0, rtol=1.2e-7)
    weights = 2.5 * _weights()
    clear = group_images(_specimen(), {"Au": 0 * GOLD, "water": 0 * WATER}, weights)
    np.testing.assert_allclose(clear, 2.5, rtol=1e-6)  # float32 sums of 40 weights


def test_obliquity_lengthens_the_path() -> None:
    """A path factor of 2 is a sheet of twice the thickness; 1 changes no bit."""
    specimen, weights = _specimen(), _weights()
    mu = {"Au": GOLD, "water": WATER}
    twice = Specimen(
        thickness_um={k: 2 * v for k, v in specimen.thickness_um.items()}, pixel_um=1.0
    )
    factor = np.full((37, 50), 2.0)
    np.testing.assert_array_equal(
        group_images(specimen, mu, weights, obliquity=factor), group_images(twice, mu, weights)
    )
    np.testing.assert_array_equal(
        group_images(specimen, mu, weights, obliquity=np.ones((37, 50))),
        group_images(specimen, mu, weights),
    )


def test_threads_change_no_bit() -> None:
    """The result does not depend on the number of workers."""
    rng = np.random.default_rng(4)
    maps = {
        "Au": (5 * rng.random((700, 801))).astype(np.float32),
        "water": (rng.random((700, 801)) * (rng.random((700, 801)) < 0.1)).astype(np.float32),
    }
    specimen = Specimen(thickness_um=maps, pixel_um=1.0)
    mu = {"Au": GOLD, "water": WATER}
    one = group_images(specimen, mu, _weights(2))
    np.testing.assert_array_equal(one, group_images(specimen, mu, _weights(2), workers=3))


def test_orientation_is_kept() -> None:
    """The darkest pixel of an asymmetric map is where the film is thickest."""
    thickness = np.zeros((7, 10), np.float32)
    thickness[1, 8] = 3.0
    specimen = Specimen(thickness_um={"Au": thickness}, pixel_um=1.0)
    out = group_images(specimen, {"Au": GOLD}, _weights(2))
    assert np.unravel_index(out[1].argmin(), out[1].shape) == (1, 8)


def test_what_does_not_fit_is_refused() -> None:
    """Missing materials, negative numbers and wrong shapes are named."""
    specimen = _specimen()
    mu = {"Au": GOLD, "water": WATER}
    with pytest.raises(InputError, match="material 'water'"):
        group_images(specimen, {"Au": GOLD}, _weights())
    with pytest.raises(InputError, match="one column per energy"):
        group_images(specimen, mu, np.ones((2, 5)))
    with pytest.raises(InputError, match="attenuation must be finite"):
        transmission(specimen, {"Au": -GOLD, "water": WATER})
    with pytest.raises(InputError, match="share one energy axis"):
        transmission(specimen, {"Au": GOLD, "water": WATER[:4]})
    with pytest.raises(InputError, match="obliquity must have shape"):
        group_images(specimen, mu, _weights(), obliquity=np.ones((2, 2)))
    with pytest.raises(InputError, match="no material map"):
        group_images(Specimen(thickness_um={}, pixel_um=1.0), mu, _weights())


def test_fresnel_warning_stands_on_the_stated_limit() -> None:
    """It speaks up exactly when sqrt(lambda z_eff) passes half a pixel."""
    # 10 keV: 1.24e-4 um; half of a 1.3 um pixel is 0.65 um: z_eff = 0.4225 / 1.24e-4 um.
    limit = 0.65**2 / 1.24e-4
    common = {"wavelength_um": 1.24e-4, "pixel_um_object": 1.3}
    assert fresnel_warning(z_eff_um=0.999 * limit, **common) is None
    text = fresnel_warning(z_eff_um=1.001 * limit, **common)
    assert text is not None and "0.65 um" in text and "phase" in text
    assert fresnel_warning(z_eff_um=0.0, **common) is None
