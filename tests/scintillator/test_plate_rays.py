"""The images of a plate against rays followed one by one through its faces."""

import numpy as np
import pytest

from benches import yag_plate
from scintscope.materials import clear_material, scintillator
from scintscope.scintillator.layers import emitting_layers, light_images
from scintscope.scintillator.plate import Substrate

UM, RAYS, NA = 0.55, 100_000, 0.75


def reflectance(sine_in, sine_out):
    """Return Fresnel's power reflectance by the angles: sine and tangent laws, unpolarised."""
    i, t = np.arcsin(sine_in), np.arcsin(sine_out)
    return 0.5 * ((np.sin(i - t) / np.sin(i + t)) ** 2 + (np.tan(i - t) / np.tan(i + t)) ** 2)


def followed(indices, start, coating, rng, steps=16):
    """Return reflections, and layers crossed in whole thicknesses, of rays that reach the lens.

    Layers are numbered from the back face to the lens; light starts in the middle of layer
    ``start``, isotropic inside the accepted cone. ``coating`` replaces the back face's Fresnel
    reflectance if it is a number.
    """
    n = np.array([1.0, *indices, 1.0])
    cosine = 1.0 - rng.uniform(size=RAYS) * (1.0 - np.sqrt(1.0 - (NA / n[start + 1]) ** 2))
    p = n[start + 1] * np.sqrt(1.0 - cosine**2)
    layer = np.full(RAYS, start + 1)
    forward = rng.uniform(size=RAYS) < 0.5
    crossed = np.zeros((RAYS, len(indices)))
    count = np.zeros(RAYS, dtype=int)
    crossed[:, start] = 0.5
    for _ in range(steps):
        inside = (layer > 0) & (layer <= len(indices))
        there = np.clip(np.where(forward, layer + 1, layer - 1), 0, len(indices) + 1)
        share = reflectance(p / n[layer], p / n[there])
        if coating is not None:
            share = np.where(there == 0, coating, share)
        back = inside & (rng.uniform(size=RAYS) < share)
        count += back
        forward ^= back
        layer = np.where(inside & ~back, there, layer)
        now = (layer > 0) & (layer <= len(indices)) & inside
        crossed[np.flatnonzero(now), layer[now] - 1] += 1.0
    return count[layer == len(indices) + 1], crossed[layer == len(indices) + 1]


@pytest.mark.parametrize(("back_face", "coating"), [("bare", None), ("reflective", 1.0)])
def test_reflections_of_a_plate(back_face, coating):
    """Rays come out after 0, 1, 2, 3 reflections as often as the images' shares say."""
    plate = yag_plate(100.0, back_face=back_face)
    (layer,) = emitting_layers(plate)
    index = layer.medium.index_at(UM)
    count, crossed = followed([index], 0, coating, np.random.default_rng(5))
    direct = np.sum(count == 0)
    for image in light_images(plate, layer, UM, NA, orders=3):
        seen = count == image.reflections
        # a mirror image of the middle lies a thickness and a half below the exit face, and so on
        assert np.all(crossed[seen, 0] * 100.0 == image.depth_um(layer, np.array([50.0]))[0])
        # Poisson, five sigma of both counts
        sigma = image.share * np.hypot(seen.sum() ** -0.5, direct**-0.5)
        assert seen.sum() / direct == pytest.approx(image.share, abs=5.0 * sigma)


@pytest.mark.parametrize("side", ["exit", "entrance"])
def test_reflections_of_a_film_on_a_substrate(side):
    """The mirror images of a film on a substrate have the shares and layers that rays find."""
    base = Substrate(medium=clear_material("YAG"), thickness_um=170.0, side=side)
    plate = yag_plate(10.0, scintillator=scintillator("GGG:Tb"), substrate=base)
    layer = emitting_layers(plate)[0]
    n_film, n_base = layer.medium.index_at(UM), base.medium.index_at(UM)
    stack, start = ([n_film, n_base], 0) if side == "exit" else ([n_base, n_film], 1)
    count, crossed = followed(stack, start, None, np.random.default_rng(6))
    direct = np.sum(count == 0)
    other = 1 - start
    straight = 1.0 if side == "exit" else 0.0
    for image in light_images(plate, layer, UM, NA, orders=1)[1:]:
        extra = sum(part.thickness_um for part in image.layers) / 170.0
        seen = (count == 1) & (crossed[:, other] == straight + extra)
        # from the middle of the film: backward half, forward whole
        assert np.all(crossed[seen, start] == 1.5)
        # five sigma of both counts
        sigma = image.share * np.hypot(seen.sum() ** -0.5, direct**-0.5)
        assert seen.sum() / direct == pytest.approx(image.share, abs=5.0 * sigma)
