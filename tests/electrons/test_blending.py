"""The blend of tables: straight lines exact, bounds and order kept."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.electrons.blending import blend_weights, greville_points


def blend(values, u):
    first, weight = blend_weights(u, values.size)
    return (values[first[:, None] + np.arange(4)] * weight).sum(-1)


U = np.linspace(0.0, 1.0, 301)


@given(st.integers(4, 40))
@settings(max_examples=20, deadline=None)
def test_straight_lines_are_reproduced(count):
    """Weights are positive, add up to 1 and have the coordinate as their centre."""
    first, weight = blend_weights(U, count)
    assert weight.min() >= 0.0 and first.min() >= 0 and first.max() <= count - 4
    np.testing.assert_allclose(weight.sum(-1), 1.0, atol=1e-12)  # float rounding
    np.testing.assert_allclose(blend(greville_points(count), U), U, atol=1e-12)


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=20))
@settings(max_examples=30, deadline=None)
def test_order_and_ends_are_kept(values):
    """The blend of rising values rises, within their range, and meets the first and last."""
    rising = np.sort(np.array(values))
    out = blend(rising, U)
    assert np.all(np.diff(out) >= -1e-14)
    np.testing.assert_allclose(out[[0, -1]], rising[[0, -1]], atol=1e-14)


def test_error_is_of_second_order():
    """Halving the spacing quarters the error: h^2 f'' / 6."""
    errors = []
    for count in (23, 43):
        points = greville_points(count)
        errors.append(np.abs(blend(np.sin(3.0 * points), U) - np.sin(3.0 * U)).max())
        assert errors[-1] < 1.1 * 9.0 / (count - 3) ** 2 / 6.0
    assert 3.3 < errors[0] / errors[1] < 4.7  # spacing 1/20 and 1/40; higher orders
