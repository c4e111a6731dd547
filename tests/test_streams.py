"""Random streams by name: repeatable, independent, order-free."""

import numpy as np

from scintscope.streams import stream


def test_same_names_same_numbers():
    """A seed and a path of names fix the numbers, whatever was drawn from other streams."""
    first = stream(5, "thick", "quanta").random(8)
    stream(5, "thin", "quanta").random(100)
    np.testing.assert_array_equal(stream(5, "thick", "quanta").random(8), first)


def test_names_seeds_and_order_all_count():
    """Another seed, name, order or depth of names gives other numbers."""
    paths = [(5, "a", "b"), (6, "a", "b"), (5, "b", "a"), (5, "a"), (5, "ab"), (5, "a", "c"), (5,)]
    drawn = [tuple(stream(*path).random(4)) for path in paths]
    assert len(set(drawn)) == len(paths)


def test_streams_are_uncorrelated():
    """Neighbouring names give independent numbers."""
    count = 20_000
    a, b = (stream(0, name).standard_normal(count) for name in ("frame 1", "frame 2"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 5.0 / np.sqrt(count)  # 5 sigma
