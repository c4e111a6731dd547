"""The two interpolations of the depth-node form, and its parts."""

import numpy as np
import pytest

from benches import TUBE
from forward_scenes import INF, converging, response_of, small
from scintscope.accuracy import Effects
from scintscope.forward.enlargements import node_kernels
from scintscope.forward.plane import depth_scale, make_plane
from scintscope.forward.terms import (
    depth_basis,
    light_per_photon,
    range_shares,
    sample_transmissions,
)
from scintscope.geometry import Geometry
from scintscope.materials import ABSORBERS, attenuation
from scintscope.quadrature import interval_nodes
from scintscope.sample.specimen import Specimen


def transmissions_of(response, *thickness_um):
    mu = attenuation.total_per_um(ABSORBERS["Au"], response.spectrum.energy_kev)
    return np.exp(-np.array([0.0, *thickness_um])[:, None] * mu[None, :])


def test_one_energy_needs_one_depth():
    """With one energy every depth's X-ray image is a multiple of one: rank 1, exact."""
    response = response_of(small())
    basis = depth_basis(response, transmissions_of(response, 1.0, 5.0), 0.0, 1e-6)
    assert basis.light.shape[0] == 1
    wanted = response.energy_left * response.electrons_per_kev
    # one product against the same product: rounding of the least squares with two pixels
    np.testing.assert_allclose(basis.open_beam * basis.weights[0], wanted, rtol=1e-11)


@pytest.mark.parametrize("target", [1e-2, 1e-4])
def test_basis_reproduces_any_thickness_to_the_target(target):
    """X at all depths from X at a few, for thicknesses that were not among the sampled ones."""
    response = response_of(small(source=TUBE, geometry=Geometry()))
    basis = depth_basis(
        response, transmissions_of(response, 0.5, 2.0, 5.0, 10.0, 20.0), 0.0, target
    )
    assert 1 < basis.light.shape[0] < 12
    through = transmissions_of(response, 1.0, 9.0)
    beams = through * response.spectrum.photons_per_um2_s * response.electrons_per_kev
    frequency = response.frequency_cy_per_um
    exact = response.deposition.mean_transfer(beams, response.depth_um, frequency)
    found = np.einsum("sr,rdf->sdf", through @ basis.light.T, basis.weights)
    seen = np.sqrt(response.depth_weight_um)[:, None] * response.otf

    def size(values):
        return np.sqrt(np.mean((values * seen) ** 2, axis=(1, 2)))

    # each sampled row is kept to a fifth of the target in norm; others lie between them
    assert (size(found - exact) <= target * size(exact)).all()


def test_nothing_passing_is_no_obstacle():
    """A sample so thick that no photon passes leaves a finite basis."""
    response = response_of(small())
    basis = depth_basis(response, transmissions_of(response, 1e6), 0.0, 1e-3)
    assert np.isfinite(basis.weights).all()


def test_sampled_pixels_hold_the_extremes():
    """The open beam comes first and the thickest pixel is among the samples."""
    thickness = np.zeros((50, 60), dtype=np.float32)
    thickness[17, 23] = 7.0
    rows = sample_transmissions(
        Specimen(thickness_um={"Au": thickness}, pixel_um=1.0), {"Au": np.array([0.1, 0.2])}
    )
    np.testing.assert_array_equal(rows[0], 1.0)
    np.testing.assert_allclose(rows.min(axis=0), np.exp([-0.7, -1.4]), rtol=1e-12)


def test_light_of_any_range_of_depths_follows_from_the_images():
    """Over a defect's depths the images give the light that the physics does."""
    response = response_of(small(source=TUBE, geometry=Geometry()))
    through = transmissions_of(response, 0.5, 5.0)
    basis = depth_basis(response, through, 0.0, 1e-4)
    z, weight = interval_nodes(10.0, 30.0, 12)
    beams = through * response.spectrum.photons_per_um2_s * response.electrons_per_kev
    exact = beams @ response.deposit_kev_per_um(z) @ weight
    found = through @ basis.light.T @ range_shares(basis, response, z, weight)
    # the basis serves 1e-4 of the image's contrast, itself below 1
    np.testing.assert_allclose(found, exact, atol=1e-4 * exact.max())


def kernels_of(bench, target=1e-3, field_um=50.0, source_thickness_um=(1.0, 5.0)):
    response = response_of(bench)
    plane = make_plane(bench, (response,), response, 2)
    scale = depth_scale(response.depth_um, plane, response, bench.lens.pupil_distance_mm, Effects())
    basis = depth_basis(response, transmissions_of(response, *source_thickness_um), 0.0, target)
    growth = np.ones_like(response.otf)
    return node_kernels(response, basis, growth, scale, field_um, target), basis, response


def test_parallel_telecentric_needs_one_enlargement():
    """One image of size exactly 1, its kernel the plain depth sum: nothing is interpolated."""
    kernels, basis, response = kernels_of(small())
    assert kernels.scale.tolist() == [1.0]
    assert kernels.error == 0.0
    plain = np.einsum("d,rdf,df->rf", response.depth_weight_um, basis.weights, response.otf)
    np.testing.assert_allclose(kernels.curves[:, 0], plain, atol=1e-10)


@pytest.mark.parametrize("distance_mm", [5.0, 100.0])
def test_all_light_is_kept_whatever_the_enlargements(distance_mm):
    """At f = 0 the kernels of a depth image sum to its share of the light, sum_z w P."""
    kernels, basis, response = kernels_of(converging(distance_mm, source=TUBE))
    assert kernels.scale.size > 1
    wanted = response.depth_weight_um @ basis.weights[:, :, 0].T
    # one equation there, met by least squares to rounding
    np.testing.assert_allclose(kernels.curves[:, :, 0].sum(axis=1), wanted, rtol=1e-10)


def test_enlargements_follow_field_and_target():
    """A wider field and a smaller error need more of them; each error is below the target."""
    near, *_ = kernels_of(converging(20.0))
    wide, *_ = kernels_of(converging(20.0), field_um=400.0)
    fine, *_ = kernels_of(converging(20.0), target=1e-5)
    assert near.scale.size < wide.scale.size
    assert near.scale.size < fine.scale.size
    assert near.error <= 1e-3
    assert wide.error <= 1e-3
    assert fine.error <= 1e-5


def test_enlargements_obey_the_laws():
    """The sizes used are cone times lens at their depths, inside the plate and ascending."""
    kernels, _, response = kernels_of(converging(20.0))
    z = kernels.depth_um
    assert (np.diff(z) > 0.0).all()
    assert 0.0 < z[0] < z[-1] < response.thickness_um
    law = (1.0 + z / 2e4) / (1.0 - (z - 70.0) / response.path.index / 2e4)
    # a cubic through a product of two nearly linear laws: fourth order of 5e-3
    np.testing.assert_allclose(kernels.scale, law, atol=1e-9)


def test_light_per_photon_scales_with_the_beam():
    """Electrons per um of depth are proportional to photons and to electrons per keV."""
    response = response_of(small())
    z = np.array([5.0, 50.0])
    light = light_per_photon(response, z)
    assert light.shape == (1, 2)
    expected = (
        response.spectrum.photons_per_um2_s[0]
        * response.electrons_per_kev
        * response.deposit_kev_per_um(z)[0]
    )
    np.testing.assert_allclose(light[0], expected, rtol=1e-14)
    assert INF not in light
