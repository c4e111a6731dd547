"""A plate as layers: who emits, what light and X-rays cross, what is mirrored where."""

import numpy as np
import pytest
from hypothesis import given, settings

from benches import yag_plate
from scintscope.errors import InputError, RangeError
from scintscope.materials import clear_material, scintillator
from scintscope.materials.attenuation import total_per_um
from scintscope.scintillator.emission import (
    back_reflectance,
    collection_fraction,
    cone_nodes,
    fresnel_transmission,
    geometric_collection,
    interface_reflectance,
)
from scintscope.scintillator.haze import haze_transfer
from scintscope.scintillator.layers import (
    emitting_layers,
    exit_transmission,
    light_images,
    optical_layers_beyond,
    path_excess,
    xray_transmission,
)
from scintscope.scintillator.plate import Substrate
from strategies import apertures, indices

UM = 0.55
CRYSTAL = Substrate(medium=clear_material("YAG"), thickness_um=170.0)
GLOWING = Substrate(medium=scintillator("YAG:Ce"), thickness_um=150.0, side="entrance")


def film(thickness_um=10.0, **changes):
    """Return a film of GGG:Tb; keywords change any field of its plate."""
    return yag_plate(thickness_um, scintillator=scintillator("GGG:Tb"), **changes)


def test_bare_plate_is_one_layer_with_its_mirror_image():
    """A free-standing plate emits from 0 to t; its mirror image of z lies at t + z."""
    plate = yag_plate(200.0)
    (layer,) = emitting_layers(plate)
    assert (layer.entrance_um, layer.exit_um, layer.beyond, layer.behind) == (0.0, 200.0, (), ())
    direct, mirror = light_images(plate, layer, UM, 0.4)
    z = np.array([0.0, 50.0, 200.0])
    assert direct.depth_um(layer, z).tolist() == [200.0, 150.0, 0.0]
    assert mirror.depth_um(layer, z).tolist() == [200.0, 250.0, 400.0]
    assert direct.share == pytest.approx(1.0, rel=1e-14)
    # the reflectance changes by 0.2 % up to NA 0.4 inside the plate
    assert mirror.share == pytest.approx(
        back_reflectance("bare", layer.medium.index_at(UM)), rel=5e-3
    )


@pytest.mark.parametrize(("back_face", "shares"), [("black", [1.0]), ("reflective", [1.0, 1.0])])
def test_coated_back_faces(back_face, shares):
    """Black paint leaves the direct light alone; a mirror doubles it."""
    plate = yag_plate(50.0, back_face=back_face)
    images = light_images(plate, emitting_layers(plate)[0], UM, 0.4)
    assert [image.share for image in images] == pytest.approx(shares, rel=1e-14)


def test_a_measured_reflectance_replaces_the_face():
    """A number for the back face counts at all angles, whatever the face is called."""
    plate = yag_plate(50.0, back_face="reflective", back_reflectance=0.93)
    assert light_images(plate, emitting_layers(plate)[0], UM, 0.4)[1].share == pytest.approx(0.93)


def test_all_light_of_the_cone_comes_out_in_the_end():
    """With every reflection followed a lossless mirror returns all light of the cone: 2 of 1."""
    plate = yag_plate(50.0, back_face="reflective")
    (layer,) = emitting_layers(plate)
    p2, weight = cone_nodes(0.4, layer.medium.index_at(UM))
    passed = np.sum(weight * exit_transmission(plate, layer, UM, p2)) / np.sum(weight)
    total = passed * sum(i.share for i in light_images(plate, layer, UM, 0.4, orders=20))
    # the 21st reflection carries 0.087^10; angle averages of products differ from products by 1e-7
    assert total == pytest.approx(2.0, rel=1e-6)
    bare = yag_plate(50.0)
    half = passed * sum(i.share for i in light_images(bare, layer, UM, 0.4, orders=20))
    assert half == pytest.approx(1.0, rel=1e-6)


def test_light_to_and_fro_comes_from_ever_deeper():
    """Two more reflections put the same emitter two thicknesses deeper."""
    plate = yag_plate(50.0)
    (layer,) = emitting_layers(plate)
    images = light_images(plate, layer, UM, 0.4, orders=3)
    assert [(i.reflections, i.offset_um, i.sign) for i in images] == [
        (0, 50.0, -1),
        (1, 50.0, 1),
        (2, 150.0, -1),
        (3, 150.0, 1),
    ]


def test_gap_behind_the_plate():
    """A mirror behind an air gap gives two images: the face's, and one two gaps further away."""
    plate = yag_plate(50.0, back_face="reflective", back_gap_um=7.0)
    (layer,) = emitting_layers(plate)
    _, face, mirror = light_images(plate, layer, UM, 0.05)
    reflected = back_reflectance("bare", layer.medium.index_at(UM))
    # nearly normal incidence
    assert face.share == pytest.approx(reflected, rel=1e-4)
    assert face.share + mirror.share == pytest.approx(1.0, rel=1e-12)
    assert path_excess(layer, mirror, UM) == ((14.0,), (1.0,))
    dark = yag_plate(50.0, back_face="black", back_gap_um=7.0)
    assert len(light_images(dark, layer, UM, 0.05)) == 2


def test_substrate_on_the_exit_side():
    """Light of the film crosses the substrate, which X-rays reach only behind the film."""
    plate = film(substrate=CRYSTAL)
    (layer,) = emitting_layers(plate)
    (beyond,) = optical_layers_beyond(plate)
    assert (beyond.thickness_um, beyond.index_at(UM)) == (170.0, CRYSTAL.medium.index_at(UM))
    direct, mirror = light_images(plate, layer, UM, 0.4)
    assert path_excess(layer, direct, UM) == ((170.0,), (CRYSTAL.medium.index_at(UM),))
    assert mirror.layers == ()
    assert xray_transmission(layer, np.array([20.0])) == 1.0


def test_substrate_on_the_entrance_side():
    """X-rays are weakened by it; it mirrors weakly at the film and again at its outer face."""
    plate = film(substrate=GLOWING)
    active, glowing = emitting_layers(plate)
    energy = np.array([10.0, 20.0, 40.0])
    expected = np.exp(-total_per_um(GLOWING.medium, energy) * 150.0 * 1.1)
    assert xray_transmission(active, energy, 1.1) == pytest.approx(expected, rel=1e-12)
    assert xray_transmission(glowing, energy).tolist() == [1.0, 1.0, 1.0]
    assert (glowing.entrance_um, glowing.exit_um) == (-150.0, 0.0)
    assert glowing.relative_yield == 35.0 / 20.0
    assert glowing.beyond[0].thickness_um == 10.0
    _, step, face = light_images(plate, active, UM, 0.05)
    n1, n2 = active.medium.index_at(UM), glowing.medium.index_at(UM)
    # nearly normal incidence
    assert step.share == pytest.approx(((n1 - n2) / (n1 + n2)) ** 2, rel=1e-3)
    assert path_excess(active, face, UM) == ((300.0,), (n2,))
    assert face.share == pytest.approx(((n2 - 1) / (n2 + 1)) ** 2 * (1 - step.share) ** 2, rel=1e-3)
    z = np.array([-150.0, -30.0, 0.0])
    own = light_images(plate, glowing, UM, 0.4)
    assert own[0].depth_um(glowing, z).tolist() == [150.0, 30.0, 0.0]
    assert own[1].depth_um(glowing, z).tolist() == [150.0, 270.0, 300.0]


def test_glowing_substrate_on_the_exit_side():
    """It emits behind the film, is lit by what the film lets through, and mirrored through it."""
    lit = Substrate(medium=scintillator("YAG:Ce"), thickness_um=150.0)
    plate = film(substrate=lit)
    active, glowing = emitting_layers(plate)
    assert (glowing.entrance_um, glowing.exit_um) == (10.0, 160.0)
    passed = xray_transmission(glowing, np.array([20.0]))
    assert passed == pytest.approx(np.exp(-total_per_um(active.medium, np.array([20.0])) * 10.0))
    images = light_images(plate, glowing, UM, 0.4)
    assert path_excess(glowing, images[2], UM) == ((20.0,), (active.medium.index_at(UM),))


def test_cement_between_plate_and_glass():
    """Cement takes the reflection off the exit face and adds a layer; an air gap does neither."""
    air = yag_plate(50.0, exit_medium_um=30.0)
    assert optical_layers_beyond(air) == ()
    cement = yag_plate(50.0, exit_medium_index=1.5, exit_medium_um=30.0)
    (layer,) = emitting_layers(cement)
    assert path_excess(layer, light_images(cement, layer, UM, 0.4)[0], UM) == ((30.0,), (1.5,))
    index = layer.medium.index_at(UM)
    assert exit_transmission(cement, layer, UM, np.array([0.0]))[0] == pytest.approx(
        4 * 1.5 * index / (1.5 + index) ** 2, rel=1e-12
    )
    assert collection_fraction(0.4, index, 1.5) > collection_fraction(0.4, index)
    assert collection_fraction(0.4, index, index) == pytest.approx(
        geometric_collection(0.4, index), rel=1e-13
    )


@settings(deadline=None, max_examples=40)
@given(na=apertures, first=indices, second=indices)
def test_reflectance_is_the_same_from_both_sides(na, first, second):
    """R at a direction p does not depend on which side light comes from, and lies in [0, 1]."""
    p2 = np.array([0.0, 0.5 * na**2, na**2])
    there = interface_reflectance(p2, first, second)
    assert there == pytest.approx(interface_reflectance(p2, second, first), abs=1e-15)
    assert np.all((there >= 0.0) & (there <= 1.0))
    assert fresnel_transmission(np.sqrt(p2) / first, first, second) == pytest.approx(
        1.0 - there, abs=1e-14
    )


def test_haze_is_the_transform_of_an_exponential():
    """(1 + (2 pi f L)^2)^(-3/2) is the transform of exp(-r / L) / (2 pi L^2), by quadrature."""
    from scipy.integrate import quad
    from scipy.special import j0

    length, frequency = 40.0, 0.01
    found = haze_transfer(np.array([0.0, frequency]), 1.0, length)
    expected, _ = quad(
        lambda r: r * np.exp(-r / length) / length**2 * j0(2 * np.pi * frequency * r),
        0.0,
        40 * length,
        limit=200,
    )
    # accuracy of the quadrature; the tail beyond 40 L is 1e-16
    assert found[1] == pytest.approx(expected, abs=1e-8)
    assert found[0] == 1.0


def test_haze_limits():
    """No haze leaves all frequencies alone; with haze the high ones fall to 1 - h."""
    f = np.array([0.0, 0.1, 100.0])
    assert haze_transfer(f, 0.0, 0.0).tolist() == [1.0, 1.0, 1.0]
    assert haze_transfer(f, 0.2, 300.0) == pytest.approx([1.0, 0.8, 0.8], abs=1e-6)
    with pytest.raises(RangeError, match="haze_length_um"):
        haze_transfer(f, 0.2, 0.0)
    with pytest.raises(RangeError, match="haze_fraction"):
        haze_transfer(f, 1.2, 10.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"back_reflectance": -0.1}, r"plate\.back_reflectance"),
        ({"back_gap_um": 5.0}, r"plate\.back_gap_um = 5 needs a surface behind"),
        ({"exit_medium_index": 0.9}, r"plate\.exit_medium_index"),
        ({"exit_medium_um": -1.0}, r"plate\.exit_medium_um"),
        ({"haze_fraction": 0.95}, r"plate\.haze_fraction"),
        ({"haze_fraction": 0.1}, r"needs plate\.haze_length_um"),
        ({"haze_length_um": float("nan")}, r"plate\.haze_length_um"),
    ],
)
def test_refuses_impossible_faces(changes, message):
    """Faces, gaps and haze out of range or without what they need are refused with their key."""
    with pytest.raises(InputError, match=message):
        yag_plate(50.0, **changes)


def test_refuses_impossible_substrates_and_orders():
    """A substrate without thickness or side, or negative reflections, are refused."""
    with pytest.raises(RangeError, match=r"substrate\.thickness_um"):
        Substrate(medium=CRYSTAL.medium, thickness_um=0.0)
    with pytest.raises(InputError, match=r"substrate\.side = 'back'"):
        Substrate(medium=CRYSTAL.medium, thickness_um=1.0, side="back")
    plate = yag_plate(50.0)
    with pytest.raises(RangeError, match="orders"):
        light_images(plate, emitting_layers(plate)[0], UM, 0.4, orders=-1)
