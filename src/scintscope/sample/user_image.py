"""Any image as a thickness map: reading, grey values, and area resampling onto the fine grid."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scintscope.errors import DataError, InputError, nearest_hint
from scintscope.grids import Grid, centred_coordinates
from scintscope.sample.specimen import ImageSpecimen

FloatArray = NDArray[np.float64]

SKIMAGE_PREFIX = "skimage:"

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue (ITU-R BT.709 luma)."""

_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".npy")


def image_coverage(recipe: ImageSpecimen, grid: Grid) -> NDArray[np.float32]:
    """Return the relative thickness of an image specimen on the fine grid.

    Parameters
    ----------
    recipe : ImageSpecimen
        Which image, its pitch and polarity.
    grid : Grid
        Fine grid in the sample plane.

    Returns
    -------
    (M, N) float32 array
        0 (darkest grey value of the image; outside it) to 1 (brightest), reversed if ``invert``.

    Raises
    ------
    DataError
        When the image is missing, unreadable, empty, constant, not two-dimensional or not finite.
    """
    return resample(relative_grey(read_grey(recipe.path), recipe), recipe.pixel_um, grid)


def relative_grey(grey: FloatArray, recipe: ImageSpecimen) -> FloatArray:
    """Return grey values scaled from [min, max] to [0, 1], reversed if the recipe says so."""
    low, high = float(grey.min()), float(grey.max())
    if not high > low:
        raise DataError(
            f"specimen.path = {str(recipe.path)!r} has the single grey value {low:g}: an image "
            "without contrast is no specimen. Give another image."
        )
    scaled = (grey - low) / (high - low)
    return np.asarray(1.0 - scaled if recipe.invert else scaled)


def read_grey(path: Path) -> FloatArray:
    """Return an image file as luminance.

    Parameters
    ----------
    path : Path
        TIFF, PNG, JPEG or NPY of any real type; or ``skimage:NAME`` for an image file that is
        part of the installed scikit-image (read from disk, never downloaded).

    Returns
    -------
    (m, n) float64 array
        Grey values as stored; colour as 0.2126 R + 0.7152 G + 0.0722 B, opacity ignored.

    Raises
    ------
    DataError
        As for `image_coverage`.
    """
    name = str(path)
    file = _skimage_file(name) if name.startswith(SKIMAGE_PREFIX) else Path(path)
    if not file.is_file():
        raise DataError(f"specimen.path = {name!r}: no such file. Check the path.")
    if file.suffix.lower() not in _SUFFIXES:
        raise DataError(
            f"specimen.path = {name!r}: {file.suffix or 'no suffix'} is not one of "
            f"{', '.join(_SUFFIXES)}. Convert the image."
        )
    grey = _luminance(_read_pixels(file), name)
    if not np.isfinite(grey).all():
        raise DataError(
            f"specimen.path = {name!r} has NaN or infinite values: a thickness must be a number. "
            "Replace them before use."
        )
    return grey


def _skimage_file(name: str) -> Path:
    """Return the file of an image shipped with scikit-image."""
    wanted = name.removeprefix(SKIMAGE_PREFIX)
    folder = Path(str(resources.files("skimage"))) / "data"
    shipped = {f.stem: f for f in sorted(folder.iterdir()) if f.suffix in (".png", ".jpg")}
    if wanted not in shipped:
        raise InputError(
            f"specimen.path = {name!r}: scikit-image carries no such image. It carries "
            f"{', '.join(shipped)}.{nearest_hint(wanted, list(shipped))}"
        )
    return shipped[wanted]


def _read_pixels(file: Path) -> NDArray[np.generic]:
    """Return the stored pixels; colour in the order red, green, blue."""
    try:
        if file.suffix.lower() == ".npy":
            return np.asarray(np.load(file, allow_pickle=False))
        if file.suffix.lower() in (".tif", ".tiff"):
            import tifffile

            return np.asarray(tifffile.imread(file))
        import cv2

        raw = np.frombuffer(file.read_bytes(), dtype=np.uint8)
        pixels = None if raw.size == 0 else cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
    except Exception as error:  # every reader has its own kinds
        raise DataError(
            f"specimen.path = {str(file)!r} cannot be read ({error}). Save the image again."
        ) from error
    if pixels is None:
        raise DataError(
            f"specimen.path = {str(file)!r} is empty or no image. Save the image again."
        )
    array = np.asarray(pixels)
    return array[..., 2::-1] if array.ndim == 3 and array.shape[2] >= 3 else array


def _luminance(pixels: NDArray[np.generic], name: str) -> FloatArray:
    if pixels.size == 0 or pixels.ndim < 2:
        raise DataError(
            f"specimen.path = {name!r} holds an array of shape {pixels.shape}: give an image."
        )
    if not (np.issubdtype(pixels.dtype, np.number) or pixels.dtype == np.bool_) or (
        np.iscomplexobj(pixels)
    ):
        raise DataError(f"specimen.path = {name!r} holds {pixels.dtype} values: give real numbers.")
    values = np.asarray(pixels, dtype=np.float64)
    if values.ndim == 3 and values.shape[2] in (3, 4):
        return np.asarray(values[..., :3] @ np.asarray(LUMINANCE))
    if values.ndim == 3 and values.shape[2] in (1, 2):
        return np.asarray(values[..., 0])
    if values.ndim != 2:
        raise DataError(
            f"specimen.path = {name!r} has shape {values.shape}: a single image is needed. "
            "Extract one page of the stack."
        )
    return values


def resample(image: FloatArray, image_pixel_um: float, grid: Grid) -> NDArray[np.float32]:
    """Return an image averaged over the pixels of a grid, both centred on the axis.

    Parameters
    ----------
    image : (m, n) float array
        Values at the image's pixel centres, >= 0.
    image_pixel_um : float
        Pitch of the image, um.
    grid : Grid
        Where it is wanted.

    Returns
    -------
    (M, N) float32 array

    Notes
    -----
    The image is read as the bilinear interpolant that falls to zero one pixel beyond its outer
    centres; each grid pixel holds that function's exact mean. Nothing is sampled, so nothing
    aliases, values stay within the image's range, and the integral sum * pitch^2 is conserved
    wherever the image lies inside the grid.
    """
    rows = _mean_of_tents(image.shape[0], image_pixel_um, grid.shape[0], grid.pixel_um)
    columns = _mean_of_tents(image.shape[1], image_pixel_um, grid.shape[1], grid.pixel_um)
    narrow = rows @ np.asarray(image, dtype=np.float32)
    return np.ascontiguousarray((columns @ narrow.T).T, dtype=np.float32)


def _mean_of_tents(count: int, pitch_um: float, wanted: int, pixel_um: float) -> sparse.csr_array:
    """Return the weights (wanted, count) of input samples in the means over output pixels."""
    left = centred_coordinates(wanted, pixel_um) - 0.5 * pixel_um
    middle = 0.5 * (count - 1)
    first = np.floor(left / pitch_um + middle).astype(int)
    span = int(np.ceil(pixel_um / pitch_um)) + 2
    index = first[:, None] + np.arange(span)[None, :]
    low = left[:, None] / pitch_um + middle - index
    weight = (_tent_integral(low + pixel_um / pitch_um) - _tent_integral(low)) * pitch_um / pixel_um
    inside = (index >= 0) & (index < count) & (weight > 0)
    row = np.broadcast_to(np.arange(wanted)[:, None], index.shape)
    data = weight[inside].astype(np.float32)
    return sparse.csr_array((data, (row[inside], index[inside])), shape=(wanted, count))


def _tent_integral(x: FloatArray) -> FloatArray:
    """Return the integral of max(0, 1 - |t|) from minus infinity to x."""
    t = np.clip(x, -1.0, 1.0)
    return np.asarray(np.where(t < 0, 0.5 * (1.0 + t) ** 2, 1.0 - 0.5 * (1.0 - t) ** 2))
