"""Blur that differs over the field, as products of maps and kernels."""

import numpy as np
import pytest
from scipy import fft

from scintscope.forward.space_variant import (
    fewest,
    field_nodes,
    frequency_table,
    from_function,
    lagrange_matrix,
    products,
)
from scintscope.grids import Grid

GRID = Grid(shape=(60, 72), pixel_um=0.5)


def gaussian_difference(row_um, column_um, f_row, f_column):
    """Return a Gaussian blur that grows over the field and is displaced, less the axis'."""
    width = 0.8 + 0.02 * row_um + 0.01 * column_um
    moved = np.exp(-2j * np.pi * f_column * 0.02 * row_um)
    f2 = f_row**2 + f_column**2
    return np.exp(-2.0 * (np.pi * width) ** 2 * f2) * moved - np.exp(-2.0 * (np.pi * 0.8) ** 2 * f2)


def kernel(permitted, counts=(8, 9)):
    """Return the Gaussian's expansion."""
    table = frequency_table(GRID, 6.0, 5.0)
    return from_function(gaussian_difference, GRID, counts, table, lambda f: f**-2.0, permitted)


def brute_force(image):
    """Return the sum over all sources of their own blur, one transform each."""
    f_row = GRID.row_frequency_cy_per_um[:, None]
    f_column = GRID.column_frequency_cy_per_um[None, :]
    total = np.zeros((GRID.shape[0], GRID.shape[1] // 2 + 1), dtype=complex)
    for i, j in zip(*np.nonzero(image), strict=True):
        one = np.zeros(GRID.shape)
        one[i, j] = image[i, j]
        local = gaussian_difference(GRID.row_um[i], GRID.column_um[j], f_row, f_column)
        total += fft.rfft2(one) * local
    return fft.irfft2(total, s=GRID.shape)


def sparse_image(dtype=np.float64):
    """Return an image with few lit points, away from the edges."""
    rng = np.random.default_rng(3)
    image = np.zeros(GRID.shape)
    image[rng.integers(15, 45, 25), rng.integers(15, 57, 25)] = rng.uniform(0.5, 1.5, 25)
    return image.astype(dtype)


@pytest.mark.parametrize(("dtype", "floor"), [(np.float64, 2e-3), (np.float32, 2e-3)])
def test_equals_the_sum_over_sources(dtype, floor):
    """Maps times kernels give what every source's own blur gives; the type is kept."""
    image = sparse_image(dtype)
    found = kernel(1e-7)
    added = found.added(image, fft.rfft2(image))
    assert added.dtype == np.result_type(dtype, np.complex64)
    wanted = brute_force(image)
    got = fft.irfft2(added, s=GRID.shape)
    # splines of ten samples a period at the outermost light of 6 um: 4e-4; some light beyond
    assert np.abs(got - wanted).max() < floor * np.abs(wanted).max()


def test_fewer_terms_leave_a_larger_error_as_announced():
    """The rms error of an image whose power is the weight follows the singular values left out."""
    exact = kernel(1e-7)
    terms, errors = [], []
    rng = np.random.default_rng(4)
    f = np.hypot(GRID.row_frequency_cy_per_um[:, None], GRID.column_frequency_cy_per_um)
    f[0, 0] = f[0, 1]
    white = rng.standard_normal((12, *GRID.shape))
    images = fft.irfft2(fft.rfft2(white) / f, s=GRID.shape)
    for permitted in (3e-2, 3e-3):
        found = kernel(permitted)
        terms.append(found.terms)
        assert found.error <= permitted
        wrong = [
            fft.irfft2(found.added(x, fft.rfft2(x)) - exact.added(x, fft.rfft2(x)), s=GRID.shape)
            for x in images
        ]
        errors.append(np.sqrt(np.mean(np.square(wrong)) / np.var(images)) / found.error)
    assert terms[0] < terms[1]
    # weights stand for frequencies of the table, the image has a coarser grid of its own and
    # twelve draws: the announced error is right to a factor
    assert np.all((np.array(errors) > 0.3) & (np.array(errors) < 2.0))


def test_nothing_differs_needs_no_term():
    """A transfer function that is the same everywhere leaves its mean and no map."""
    table = frequency_table(GRID, 6.0, 5.0)

    def same(row_um, column_um, f_row, f_column):
        return np.exp(-3.0 * (f_row**2 + f_column**2)) - 1.0 + 0j

    found = from_function(same, GRID, (4, 5), table, lambda f: f**-2.0, 1e-6)
    assert found.terms == 0
    image = sparse_image()
    f2 = GRID.radial_frequency_cy_per_um() ** 2
    wanted = fft.rfft2(image) * (np.exp(-3.0 * f2) - 1.0)
    # splines of a smooth curve
    np.testing.assert_allclose(found.added(image, fft.rfft2(image)), wanted, atol=1e-4)


def test_a_displacement_moves_the_right_way():
    """A kernel exp(-2 pi i f d) moves light towards larger columns where d is positive."""
    image = np.zeros(GRID.shape)
    image[48, 30] = 1.0  # row +9.25 um: moved by 0.185 um
    total = fft.irfft2(kernel(1e-7).added(image, fft.rfft2(image)), s=GRID.shape)
    axis = fft.irfft2(
        fft.rfft2(image)
        * np.exp(-2.0 * (np.pi * 0.8) ** 2 * GRID.radial_frequency_cy_per_um() ** 2),
        s=GRID.shape,
    )
    blurred = axis + total
    centroid = float((blurred * GRID.column_um).sum() / blurred.sum())
    # row coordinate of the light is its own, to the spline's error
    assert centroid - GRID.column_um[30] == pytest.approx(0.02 * GRID.row_um[48], abs=2e-3)


def test_lagrange_matrix_is_exact_for_polynomials():
    """Through n nodes a polynomial of degree n - 1 is reproduced, one node is a constant."""
    nodes, _ = np.polynomial.legendre.leggauss(7)
    points = np.array([-1.0, -0.3, float(nodes[2]), 0.999])
    matrix = lagrange_matrix(nodes, points)
    values = 3.0 * nodes**6 - nodes**3 + 2.0
    wanted = 3.0 * points**6 - points**3 + 2.0
    np.testing.assert_allclose(matrix @ values, wanted, atol=1e-12)  # rounding
    np.testing.assert_array_equal(lagrange_matrix(np.array([0.3]), points), np.ones((4, 1)))


def test_nodes_cover_the_field():
    """Nodes lie inside the extent, row and column apart, weights sum to one."""
    nodes = field_nodes(GRID, (3, 5))
    rows, columns, weight = nodes.places
    assert rows.shape == (15,)
    assert np.abs(rows).max() < 15.0
    assert 15.0 < np.abs(columns).max() < 18.0
    assert weight.sum() == pytest.approx(1.0)


def test_products_reconstruct_and_are_the_fewest():
    """All products give the samples back; a rank-two table has two; the weakest go first."""
    rng = np.random.default_rng(5)
    weight = np.full(20, 0.05)
    table = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 30)) + rng.normal(size=30)
    found = products(table, weight, np.ones(30), 1e-9)
    assert found.strength.size == 2
    np.testing.assert_allclose(found.mean + found.maps.T @ found.kernels, table, atol=1e-8)
    weak = products(1e-3 * table, weight, np.ones(30), 1e-12)
    strong, cut = fewest((found, weak), 2.0 * float(np.linalg.norm(weak.strength)))
    assert (strong.strength.size, cut.strength.size) == (2, 0)
    assert cut.error == pytest.approx(float(np.linalg.norm(weak.strength)))
