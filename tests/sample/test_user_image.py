"""Images as specimens: reading, polarity, resampling and what is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from scintscope.errors import DataError, InputError
from scintscope.grids import Grid
from scintscope.sample import build_specimen
from scintscope.sample.specimen import ImageSpecimen
from scintscope.sample.user_image import read_grey, resample

RAMP = np.arange(12.0).reshape(3, 4)
# Weights and images are float32.
FLOAT32 = 2e-6


@pytest.mark.parametrize("name", ["coins", "camera", "moon", "text", "page", "brick"])
def test_images_of_scikit_image_load_from_disk(name: str) -> None:
    """The images inside the scikit-image wheel are read without a network."""
    grey = read_grey(Path(f"skimage:{name}"))
    assert grey.ndim == 2 and min(grey.shape) > 100 and np.ptp(grey) > 50


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, np.int32])
def test_tiff_and_npy_keep_their_values(tmp_path: Path, dtype: type) -> None:
    """8 and 16 bit, signed and float pixels are read as stored."""
    values = (RAMP * 20).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values)
    np.save(tmp_path / "a.npy", values)
    for name in ("a.tif", "a.npy"):
        np.testing.assert_array_equal(read_grey(tmp_path / name), values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_keeps_its_bits(tmp_path: Path, dtype: type) -> None:
    """Grey PNG of 8 and 16 bit is read as stored."""
    values = (RAMP * np.iinfo(dtype).max / 11).astype(dtype)
    cv2.imwrite(str(tmp_path / "a.png"), values)
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png"), values)


def test_colour_becomes_luminance(tmp_path: Path) -> None:
    """Pure red, green and blue weigh 0.2126, 0.7152 and 0.0722 in PNG and TIFF; alpha nothing."""
    rgb = np.zeros((2, 3, 3), dtype=np.uint8)
    rgb[:, [0, 1, 2], [0, 1, 2]] = 200
    expected = np.tile(200 * np.array([0.2126, 0.7152, 0.0722]), (2, 1))
    tifffile.imwrite(tmp_path / "a.tif", rgb, photometric="rgb")
    cv2.imwrite(str(tmp_path / "a.png"), rgb[..., ::-1])
    alpha = np.concatenate([rgb[..., ::-1], np.full((2, 3, 1), 7, np.uint8)], axis=2)
    cv2.imwrite(str(tmp_path / "b.png"), alpha)
    for name in ("a.tif", "a.png", "b.png"):
        np.testing.assert_allclose(read_grey(tmp_path / name), expected, rtol=1e-12)


def test_brightest_is_thickest_unless_inverted(tmp_path: Path) -> None:
    """The extremes of the grey values are 0 and the full thickness, swapped by invert."""
    np.save(tmp_path / "a.npy", RAMP - 3.0)
    grid = Grid(shape=(3, 4), pixel_um=2.0)
    for invert in (False, True):
        recipe = ImageSpecimen(
            path=tmp_path / "a.npy", max_thickness_um=110.0, pixel_um=2.0, invert=invert
        )
        values = build_specimen(recipe, grid).thickness_um["PMMA"]
        # At equal pitch the mean of the interpolant mixes 1/8 of each neighbour: linear inside.
        expected = 10.0 * RAMP[1, 1:3]
        np.testing.assert_allclose(
            values[1, 1:3], 110.0 - expected if invert else expected, rtol=FLOAT32
        )


@pytest.mark.parametrize(("pitch", "pixel"), [(1.3, 0.64), (0.5, 2.0), (1.0, 1.0)])
def test_resampling_conserves_the_integral(pitch: float, pixel: float) -> None:
    """Finer or coarser, odd or even: sum times pixel area stays."""
    image = np.random.default_rng(3).random((11, 16))
    out = resample(image, pitch, Grid(shape=(45, 60), pixel_um=pixel))
    assert out.sum(dtype=float) * pixel**2 == pytest.approx(image.sum() * pitch**2, rel=FLOAT32)
    assert out.min() >= 0.0 and out.max() <= image.max()


def test_resampling_keeps_place_and_orientation() -> None:
    """A single bright pixel stays where it was, on rows and columns, on even and odd grids."""
    image = np.zeros((9, 14))
    image[2, 11] = 1.0
    for shape in ((61, 80), (60, 81)):
        grid = Grid(shape=shape, pixel_um=0.4)
        out = resample(image, 2.0, grid).astype(float)
        row, column = (out.sum(axis=1) @ grid.row_um, out.sum(axis=0) @ grid.column_um)
        # The centroid of pixel means errs in second order of pixel / pitch.
        assert row / out.sum() == pytest.approx((2 - 4) * 2.0, abs=0.02)
        assert column / out.sum() == pytest.approx((11 - 6.5) * 2.0, abs=0.02)


def test_linear_ramp_is_reproduced() -> None:
    """Inside, a linear image has the same values at any pitch."""
    image = np.arange(20.0)[:, None] + 3.0 * np.arange(24.0)[None, :]
    grid = Grid(shape=(25, 31), pixel_um=0.5)
    expected = (grid.row_um[:, None] + 9.5) + 3.0 * (grid.column_um[None, :] + 11.5)
    np.testing.assert_allclose(resample(image, 1.0, grid), expected, rtol=FLOAT32)


def test_useless_files_are_refused(tmp_path: Path) -> None:
    """Missing, empty, NaN, constant, stacked, odd and truncated files are named in the error."""
    cases = {
        "nan.npy": (np.array([[0.0, np.nan]]), "NaN or infinite"),
        "flat.npy": (np.ones((4, 4)), "single grey value 1"),
        "void.npy": (np.zeros((0, 4)), "give an image"),
        "line.npy": (np.arange(4.0), "give an image"),
        "stack.npy": (np.zeros((5, 4, 6)), "one page"),
        "complex.npy": (np.ones((4, 4)) * 1j, "real numbers"),
    }
    for name, (values, match) in cases.items():
        np.save(tmp_path / name, values)
        with pytest.raises(DataError, match=match):
            build_specimen(ImageSpecimen(path=tmp_path / name), Grid(shape=(4, 4), pixel_um=1.0))
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "noise.jpg").write_bytes(b"not an image")
    (tmp_path / "short.tif").write_bytes(b"II*\0")
    (tmp_path / "text.txt").write_text("hello")
    for name, match in (
        ("empty.png", "empty or no image"),
        ("noise.jpg", "empty or no image"),
        ("short.tif", "cannot be read"),
        ("text.txt", "is not one of .tif"),
        ("absent.tif", "no such file"),
    ):
        with pytest.raises(DataError, match=match):
            read_grey(tmp_path / name)
    with pytest.raises(InputError, match="Did you mean 'coins'"):
        read_grey(Path("skimage:coin"))
