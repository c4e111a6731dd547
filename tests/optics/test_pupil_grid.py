"""Pupil nodes and their gridding for the FFT."""

import numpy as np
import pytest
from scipy import fft
from scipy.special import j1

from scintscope.errors import SamplingError
from scintscope.optics.aberrations import Aberrations
from scintscope.optics.pupil import VECTORIAL
from scintscope.optics.pupil_grid import (
    MAX_NODES,
    PupilPoints,
    node_counts,
    pupil_amplitudes,
    pupil_points,
    ray_reach_um,
    spread,
    spread_correction,
)
from scintscope.optics.wavefront import OpticalPath

PATH = OpticalPath(na=0.9, index=1.82, wavelength_um=0.55)


def test_nodes_cover_the_open_stop():
    """Weights sum to its area; the first moments are those of the decentred ring."""
    lens = Aberrations(obstruction=0.5, decentre=(0.2, -0.1))
    points = pupil_points(12, 20, lens)
    area = np.pi * 0.75
    assert points.weight.sum() == pytest.approx(area)
    assert points.weight @ points.y == pytest.approx(0.2 * area)
    assert points.weight @ points.x == pytest.approx(-0.1 * area)
    radius = np.hypot(points.x + 0.1, points.y - 0.2)
    assert radius.min() > 0.5
    assert radius.max() < 1.0


def test_pupil_quadrature_converges_geometrically():
    """The sum exp(i v . rho) reaches pi 2 J1(v) / v at the chosen counts, not at half of them."""
    v = 60.0
    exact = 2.0 * np.pi * j1(v) / v
    radial, azimuthal = node_counts(v, Aberrations())

    def error(share):
        points = pupil_points(int(share * radial), int(share * azimuthal), Aberrations())
        phase = v * (0.6 * points.x - 0.8 * points.y)
        return abs(points.weight @ np.exp(1j * phase) - exact) / np.pi

    errors = [error(share) for share in (0.45, 0.6, 0.8, 1.0)]
    assert errors[0] > 1e-3
    # each step gains at least two decades until rounding
    assert errors[1] < 1e-1
    assert errors[2] < 1e-2 * max(errors[1], 1e-11)
    assert errors[3] < 1e-12


@pytest.mark.parametrize("size", [48, 75])
def test_gridding_and_fft_equal_the_direct_sum(size):
    """Scattered points spread, transformed and corrected are sum c exp(2 pi i p . n / N)."""
    rng = np.random.default_rng(5)
    cells = 9.3
    points = PupilPoints(x=rng.uniform(-1, 1, 40), y=rng.uniform(-1, 1, 40), weight=np.ones(40))
    values = rng.normal(size=40) + 1j * rng.normal(size=40)
    inner = np.arange(2 * (size // 4)) - size // 4
    field = fft.ifft2(spread(points, cells, values, size), norm="forward")[np.ix_(inner, inner)]
    correction = spread_correction(size)[inner]
    found = field / correction[:, None] / correction[None, :]
    rows = np.exp(2j * np.pi / size * cells * inner[:, None] * points.y)
    columns = np.exp(2j * np.pi / size * cells * inner[:, None] * points.x)
    expected = (rows * values) @ columns.T
    # kernel of 9 cells: 10^-8 of the sum of moduli at the rim of the inner half
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-8 * np.abs(values).sum())


def test_too_many_nodes_are_refused_and_just_fewer_admitted():
    """Node counts grow with the phase until the limit, where the error says what to do."""
    low, high = 10.0, 1e5
    while high - low > 1.0:
        middle = 0.5 * (low + high)
        try:
            counts = node_counts(middle, Aberrations())
            low = middle
        except SamplingError:
            high = middle
    counts = node_counts(low, Aberrations())
    assert 0.99 * MAX_NODES < counts[0] * counts[1] <= MAX_NODES
    with pytest.raises(SamplingError, match=r"nodes, more than 4000000.*smaller window"):
        node_counts(high + 1.0, Aberrations())


def test_rays_reach_where_the_wavefront_is_steepest():
    """A defocus of z in air sends the marginal ray z tan(theta) from the axis."""
    reach = ray_reach_um(0.0, -7.0, PATH, Aberrations())
    # differences over 1/96 of the pupil below the steepest end
    assert reach == pytest.approx(7.0 * np.tan(np.arcsin(0.9)), rel=0.03)
    tilted = ray_reach_um(0.0, 0.0, PATH, Aberrations(zernike_noll=(0.0, 0.5)))
    assert tilted == pytest.approx(0.55 / 0.9, rel=1e-6)


def test_dipole_fields_conserve_the_power_of_the_radial_parts():
    """The five 2-D fields hold as much energy as the three radial ones."""
    from scintscope.optics.pupil import components

    points = pupil_points(20, 16, Aberrations())
    fields = pupil_amplitudes(points, PATH, VECTORIAL)
    total = sum(w * points.weight @ a**2 for w, a in fields)
    p2 = 0.81 * (points.x**2 + points.y**2)
    radial = sum(w * points.weight @ a**2 for _, w, a in components(p2, PATH, VECTORIAL))
    assert total == pytest.approx(radial, rel=1e-12)
