"""Work on whole images by slabs of rows, in threads: each slab's temporaries stay in the cache."""

from __future__ import annotations

from collections.abc import Callable

from scintscope.sharing import share_pieces

_SLAB_PIXELS = 1 << 17


def over_rows(task: Callable[[slice], None], shape: tuple[int, ...]) -> None:
    """Call ``task`` with slices of rows that together are an image of a shape.

    Parameters
    ----------
    task : callable
        Writes its own rows alone: the number of threads then changes no bit.
    shape : (int, int)
        Rows and columns of the image.
    """
    rows, columns = shape  # of an image: two numbers
    step = max(1, _SLAB_PIXELS // max(columns, 1))
    share_pieces(lambda first, last: task(slice(first, last)), rows, step)
