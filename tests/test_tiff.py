"""TIFF and NPY on disk."""

import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scintscope import tiff
from scintscope.errors import DataError, InputError, RangeError
from scintscope.tiff import read_description, read_stack, write_image, write_stack

# TIFF stores the resolution as a fraction of two 32-bit integers: relative rounding below 2^-31,
# times 10 for pitches whose fraction cannot use all the bits.
TAG_RTOL = 5e-9


def numbered(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    """Return an array in which every element differs, so that any swap of axes shows."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5])
def test_stack_round_trip(tmp_path: Path, dtype: str, frames: int) -> None:
    """A stack comes back bit for bit with its pixel size, also with 3 or 4 frames."""
    stack = numbered((frames, 5, 8), dtype)
    back = read_stack(write_stack(tmp_path / "s.tif", stack, 1.3))
    assert back.frames.dtype == stack.dtype
    np.testing.assert_array_equal(back.frames, stack)
    assert back.pixel_um == pytest.approx(1.3, rel=TAG_RTOL)


def test_image_round_trip_as_one_frame(tmp_path: Path) -> None:
    """An image, also one whose width looks like colour channels, comes back as (1, R, C)."""
    for shape in ((7, 4), (4, 7), (1, 1), (9, 3)):
        image = numbered(shape, "float32")
        back = read_stack(write_image(tmp_path / "i.tif", image, 0.65))
        np.testing.assert_array_equal(back.frames, image[None])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pixel_um=st.floats(0.01, 1000.0))
def test_any_pixel_size_survives(tmp_path: Path, pixel_um: float) -> None:
    """The pixel size survives the tags' fractions."""
    back = read_stack(write_image(tmp_path / "p.tif", numbered((3, 4)), pixel_um))
    assert back.pixel_um == pytest.approx(pixel_um, rel=TAG_RTOL)


def test_fiji_finds_the_scale_and_the_description(tmp_path: Path) -> None:
    """The tags hold what ImageJ reads: unit um, pixels per um, JSON in Info, frames in time."""
    about = {"plane": "object", "values": [1, 2.5], "name": "YAG:Ce µ"}
    path = write_stack(tmp_path / "s.tif", numbered((3, 4, 6)), 0.5, about)
    with tifffile.TiffFile(path) as tif:
        meta, tags = tif.imagej_metadata, tif.pages[0].tags
        assert (meta["unit"], meta["images"], meta["frames"]) == ("um", 3, 3)
        assert json.loads(meta["Info"]) == about
        assert tags["XResolution"].value == tags["YResolution"].value == (2, 1)
        assert int(tags["ResolutionUnit"].value) == 1  # none: ImageJ's own unit holds
        assert tif.series[0].axes == "TYX"
    assert read_description(path) == about
    assert read_description(write_image(tmp_path / "i.tif", numbered((3, 4)), 1.0)) is None


def test_same_input_same_bytes(tmp_path: Path) -> None:
    """Nothing of the moment or the machine gets into the file."""
    paths = [tmp_path / "a" / "one.tif", tmp_path / "b" / "other.tif"]
    for path, about in zip(paths, ({"x": 1, "y": 2}, {"y": 2, "x": 1}), strict=True):
        write_stack(path, numbered((2, 3, 4), "float32"), 1.3, about)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert b"DateTime" not in first
    assert b"tifffile" not in first


def test_float64_is_stored_as_float32(tmp_path: Path) -> None:
    """The stated conversion, the only one, is to the nearest float32."""
    image = np.array([[1.0 / 3.0, 2.0], [3.0, 4.0]])
    back = read_stack(write_image(tmp_path / "f.tif", image, 1.0)).frames
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back[0], image.astype(np.float32))


def test_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that dies half way leaves the earlier file and no partial one."""
    path = write_image(tmp_path / "i.tif", numbered((3, 4)), 1.0)
    before = path.read_bytes()

    def die(file, *args, **kwargs):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(tiff.tifffile, "imwrite", die)
    with pytest.raises(OSError, match="disk full"):
        write_image(path, numbered((3, 4)) + 1, 1.0)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["i.tif"]


def test_a_file_appears_by_renaming_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the rename, nothing stands under the final name, and then it is the whole file."""
    seen = []
    rename = os.replace

    def watch(source: Path, target: Path) -> None:
        seen.append((target.exists(), read_stack(source).frames.shape, source.parent))
        rename(source, target)

    monkeypatch.setattr(tiff.os, "replace", watch)
    write_stack(tmp_path / "s.tif", numbered((2, 3, 4)), 1.0)
    assert seen == [(False, (2, 3, 4), tmp_path)]
    assert os.listdir(tmp_path) == ["s.tif"]


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((2, 3), complex), "complex128"),
        (np.zeros((2, 3), np.int32), r"convert it, e\.g\. \.astype"),
        (np.zeros((2, 3), bool), "bool"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.zeros((2, 3, 4)), r"give a non-empty \(rows, columns\)"),
        (np.array([[1.0, np.nan]]), "1 pixels that are NaN"),
        (np.array([[1.0, 1e300]]), "NaN or infinite"),
    ],
)
def test_unwritable_images_are_refused(tmp_path: Path, array: np.ndarray, match: str) -> None:
    """What ImageJ TIFF cannot hold is refused, and no file appears."""
    with pytest.raises(DataError, match=match):
        write_image(tmp_path / "x.tif", array, 1.0)
    assert not list(tmp_path.iterdir())


def test_bad_scale_and_description_are_refused(tmp_path: Path) -> None:
    """A pixel size must be positive, a description strict JSON, a stack three-dimensional."""
    image = numbered((2, 3))
    with pytest.raises(RangeError, match="pixel_um = 0"):
        write_image(tmp_path / "x.tif", image, 0.0)
    with pytest.raises(InputError, match="strict JSON"):
        write_image(tmp_path / "x.tif", image, 1.0, {"a": float("nan")})
    with pytest.raises(InputError, match="strict JSON"):
        write_image(tmp_path / "x.tif", image, 1.0, {"a": image})
    with pytest.raises(DataError, match=r"\(frames, rows, columns\)"):
        write_stack(tmp_path / "x.tif", image, 1.0)


def test_glob_is_read_in_natural_order(tmp_path: Path) -> None:
    """Frame 10 comes after frame 2; a list keeps the order given; other files stay out."""
    for number in (1, 2, 10, 9):
        write_image(tmp_path / f"f{number}.tif", np.full((3, 5), number, np.uint16), 2.0)
    (tmp_path / "notes.txt").write_text("no image")
    back = read_stack(str(tmp_path / "f*.tif"))
    assert back.frames[:, 0, 0].tolist() == [1, 2, 9, 10]
    assert back.pixel_um == pytest.approx(2.0, rel=TAG_RTOL)
    listed = read_stack([tmp_path / "f10.tif", str(tmp_path / "f1.tif")])
    assert listed.frames[:, 0, 0].tolist() == [10, 1]


def test_name_with_brackets_is_a_file_first(tmp_path: Path) -> None:
    """A file whose name looks like a pattern is read as itself."""
    path = write_image(tmp_path / "run[1].tif", numbered((3, 5)), 1.0)
    np.testing.assert_array_equal(read_stack(path).frames[0], numbered((3, 5)))


@pytest.mark.parametrize("dtype", [">u2", "<u2", ">f4", "uint8", "float64", "int32"])
def test_other_programs_tiffs(tmp_path: Path, dtype: str) -> None:
    """Plain, compressed and page-by-page TIFFs of either byte order give the same frames."""
    stack = numbered((2, 5, 8)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", compression="zlib")
    with tifffile.TiffWriter(tmp_path / "b.tif", byteorder=">") as tif:
        for number, frame in enumerate(stack):
            tif.write(frame, photometric="minisblack", contiguous=False, description=f"p{number}")
    for name in ("a.tif", "b.tif"):
        back = read_stack(tmp_path / name)
        np.testing.assert_array_equal(back.frames, stack)
        assert back.frames.dtype.isnative
        assert back.pixel_um is None


@pytest.mark.parametrize("dtype", ["float64", ">f4", ">u2", "uint8"])
def test_npy(tmp_path: Path, dtype: str) -> None:
    """NPY images and stacks of either byte order are read, without a pixel size."""
    for shape in ((5, 8), (2, 5, 8)):
        np.save(tmp_path / "a.npy", numbered(shape, dtype))
        back = read_stack(tmp_path / "a.npy")
        assert back.frames.dtype.isnative
        np.testing.assert_array_equal(back.frames, numbered(shape).reshape(-1, 5, 8))
        assert back.pixel_um is None


@pytest.mark.parametrize(
    ("unit", "resolution", "resolutionunit", "expected_um"),
    [
        ("micron", 2.0, None, 0.5),
        ("\\u00B5m", 2.0, None, 0.5),  # how ImageJ writes the micro sign
        ("nm", 0.002, None, 0.5),
        ("mm", 2000.0, None, 0.5),
        ("inch", 2.0, None, None),
        (None, 20000.0, "CENTIMETER", 0.5),
        (None, 72.0, "INCH", None),
    ],
)
def test_pixel_size_of_other_programs(
    tmp_path: Path, unit: str | None, resolution: float, resolutionunit, expected_um
) -> None:
    """ImageJ's length units and pixels per centimetre count, print resolution does not."""
    extra = {"imagej": True, "metadata": {"unit": unit}} if unit else {}
    tifffile.imwrite(
        tmp_path / "a.tif",
        numbered((5, 8)),
        resolution=(resolution, resolution),
        resolutionunit=resolutionunit,
        **extra,
    )
    # 1/0.002 and 0.002 are not exact in binary: float rounding on top of the tags' fractions.
    expected = None if expected_um is None else pytest.approx(expected_um, rel=TAG_RTOL)
    assert read_stack(tmp_path / "a.tif").pixel_um == expected


def test_oblong_pixels_are_refused(tmp_path: Path) -> None:
    """Unequal pitches along rows and columns are an error, not an average."""
    tifffile.imwrite(
        tmp_path / "a.tif",
        numbered((5, 8)),
        imagej=True,
        resolution=(2, 3),
        metadata={"unit": "um"},
    )
    with pytest.raises(DataError, match="only square pixels"):
        read_stack(tmp_path / "a.tif")


def test_missing_and_empty_sources_are_refused(tmp_path: Path) -> None:
    """Nothing to read is said in words that name the path."""
    with pytest.raises(DataError, match=r"nowhere\.tif does not exist"):
        read_stack(tmp_path / "nowhere.tif")
    with pytest.raises(DataError, match=r"no file matches .*x\*\.tif"):
        read_stack(str(tmp_path / "x*.tif"))
    with pytest.raises(DataError, match="list of images is empty"):
        read_stack([])
    with pytest.raises(DataError, match="is a folder"):
        read_stack(tmp_path)
    (tmp_path / "zero.tif").touch()
    with pytest.raises(DataError, match="0 bytes"):
        read_stack(tmp_path / "zero.tif")
    (tmp_path / "text.tif").write_text("not an image at all")
    with pytest.raises(DataError, match="neither TIFF, NPY, PNG nor JPEG"):
        read_stack(tmp_path / "text.tif")


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (np.zeros((5, 8, 3), np.uint8), {"photometric": "rgb"}),
        (np.zeros((3, 5, 8), np.uint8), {"photometric": "rgb", "planarconfig": "separate"}),
        (np.zeros((5, 8), np.uint8), {"photometric": "miniswhite"}),
        (np.zeros((2, 5, 8), np.uint16), {"imagej": True, "metadata": {"axes": "CYX"}}),
    ],
)
def test_colour_is_refused(tmp_path: Path, array: np.ndarray, options: dict) -> None:
    """Colour, channels and inverted grey are refused, not averaged."""
    tifffile.imwrite(tmp_path / "c.tif", array, **options)
    with pytest.raises(DataError, match="not a plain grey image"):
        read_stack(tmp_path / "c.tif")


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.array([["a", "b"]]), "give grey numbers"),
        (np.zeros((2, 3), complex), "give grey numbers"),
        (np.zeros((2, 3), bool), "give grey numbers"),
        (np.zeros((0, 8)), "not empty"),
        (np.zeros(8), r"shape \(8,\)"),
        (np.zeros((2, 2, 8, 8)), r"shape \(2, 2, 8, 8\)"),
        (np.zeros((8, 8, 3)), "not a plain grey image"),
        (np.array([[1.0, np.inf]]), "1 pixels that are NaN or infinite"),
        (np.array([[None, 1]]), "cannot be read as a numeric NPY"),
    ],
)
def test_unusable_arrays_are_refused(tmp_path: Path, array: np.ndarray, match: str) -> None:
    """Arrays that are no grey images are refused by name."""
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=match):
        read_stack(tmp_path / "a.npy")


def test_nan_in_a_tiff_is_refused(tmp_path: Path) -> None:
    """NaN pixels are counted and refused."""
    tifffile.imwrite(tmp_path / "n.tif", np.array([[1.0, np.nan, np.nan]], np.float32))
    with pytest.raises(DataError, match="2 pixels that are NaN"):
        read_stack(tmp_path / "n.tif")


def test_mismatched_files_are_refused(tmp_path: Path) -> None:
    """Files of one stack must agree in shape, type and pixel size; pages in shape."""
    first = write_image(tmp_path / "a.tif", numbered((5, 8)), 1.0)
    other = write_image(tmp_path / "b.tif", numbered((8, 5)), 1.0)
    with pytest.raises(DataError, match=r"b\.tif has frame shape \(8, 5\)"):
        read_stack(str(tmp_path / "?.tif"))
    write_image(other, numbered((5, 8), "uint8"), 1.0)
    with pytest.raises(DataError, match="pixel type uint8"):
        read_stack([first, other])
    write_image(other, numbered((5, 8)), 1.1)
    with pytest.raises(DataError, match=r"pixel sizes from 1 to 1\.1 um"):
        read_stack([first, other])
    with tifffile.TiffWriter(tmp_path / "pages.tif") as tif:
        tif.write(numbered((5, 8)))
        tif.write(numbered((5, 6)))
    with pytest.raises(DataError, match="pages of different shape"):
        read_stack(tmp_path / "pages.tif")


@pytest.mark.parametrize("share", [0.95, 0.6, 0.2, 0.01])
@pytest.mark.parametrize("kind", ["ours", "plain", "pages", "npy"])
def test_a_file_cut_short_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    """A truncated file never passes as a shorter or partly black stack."""
    stack = np.random.default_rng(0).integers(0, 60000, (4, 40, 50)).astype(np.uint16)
    path = tmp_path / "cut.tif"
    if kind == "ours":
        write_stack(path, stack, 1.0)
    elif kind == "npy":
        path = tmp_path / "cut.npy"
        np.save(path, stack)
    else:
        contiguous = kind == "plain"
        with tifffile.TiffWriter(path) as tif:
            for frame in stack:
                tif.write(frame, contiguous=contiguous, photometric="minisblack")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"cut\."):
        read_stack(path)


@pytest.mark.parametrize("imagej", [True, False])
def test_a_file_cut_between_pages_is_refused(tmp_path: Path, imagej: bool) -> None:
    """A cut that leaves whole pages, so that every pixel present is good, is noticed too."""
    path = tmp_path / "cut.tif"
    with tifffile.TiffWriter(path) as tif:
        for number in range(4):
            about = "ImageJ=1.11a\nimages=4\nslices=4\n" if imagej and not number else None
            tif.write(
                numbered((40, 50)),
                contiguous=False,
                photometric="minisblack",
                description=about,
                metadata=None,
            )
    assert read_stack(path).frames.shape == (4, 40, 50)
    with tifffile.TiffFile(path) as tif:
        end = tif.pages[2].offset
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match="cut short"):
        read_stack(path)


def test_missing_frames_of_an_imagej_file_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose header promises more frames than it holds is refused, logging or not."""
    about = "ImageJ=1.11a\nimages=4\nslices=4\n"
    path = tmp_path / "few.tif"
    tifffile.imwrite(path, numbered((40, 50)), description=about, metadata=None)
    with pytest.raises(DataError, match=r"few\.tif is .*cut short"):
        read_stack(path)
    monkeypatch.setattr(logging.getLogger("tifffile"), "disabled", True)
    with pytest.raises(DataError, match="states 4 frames"):
        read_stack(path)


@pytest.mark.parametrize(("suffix", "tolerance"), [(".png", 0), (".jpg", 6)])
def test_grey_pictures_are_read_and_colour_is_refused(
    tmp_path: Path, suffix: str, tolerance: int
) -> None:
    """PNG comes back exactly, JPEG nearly; equal channels count as grey, others as colour."""
    import cv2

    ramp = np.add.outer(np.arange(40), 2 * np.arange(60)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / f"grey{suffix}"), ramp, [cv2.IMWRITE_JPEG_QUALITY, 98])
    stack = read_stack(tmp_path / f"grey{suffix}")
    assert (stack.frames.shape, stack.frames.dtype, stack.pixel_um) == ((1, 40, 60), np.uint8, None)
    # quality 98 quantises smooth blocks to a few grey levels
    assert np.abs(stack.frames[0].astype(int) - ramp).max() <= tolerance
    colour = np.stack([ramp, 255 - ramp, ramp // 2], axis=2)
    cv2.imwrite(str(tmp_path / f"colour{suffix}"), colour)
    with pytest.raises(DataError, match="not a plain grey image"):
        read_stack(tmp_path / f"colour{suffix}")
    (tmp_path / f"cut{suffix}").write_bytes((tmp_path / f"grey{suffix}").read_bytes()[:30])
    with pytest.raises(DataError, match="damaged or cut short"):
        read_stack(tmp_path / f"cut{suffix}")


def test_equal_channels_are_grey(tmp_path: Path) -> None:
    """A grey picture saved with three equal channels is read as one."""
    import cv2

    ramp = np.add.outer(np.arange(40), 2 * np.arange(60)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "three.png"), np.repeat(ramp[..., None], 3, axis=2))
    np.testing.assert_array_equal(read_stack(tmp_path / "three.png").frames[0], ramp)


def test_unknown_pixel_size_is_not_stated(tmp_path: Path) -> None:
    """An image written without a pixel size has none when read back."""
    write_image(tmp_path / "plain.tif", np.ones((8, 9), np.float32), None)
    assert read_stack(tmp_path / "plain.tif").pixel_um is None
