"""PIQE against recorded scores of another implementation, and the 8-bit mapping."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scintscope.errors import DataError, InputError, RangeError
from scintscope.metrics import eight_bit_limits, piqe, to_eight_bit

DATA = Path(__file__).parents[2] / "validation" / "metrics"
# Both codes do the same float64 arithmetic in another order: about 1e-13 a pixel, which the square
# root of a difference (sigma) raises to 1e-7 at worst where a neighbourhood is constant; seen 1e-11
SCORE_TOLERANCE = 1e-6


def reference_images():
    spec = importlib.util.spec_from_file_location(
        "make_piqe_reference", DATA / "make_piqe_reference.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.images()


IMAGES = reference_images()
with (DATA / "piqe_reference.csv").open() as handle:
    ROWS = list(csv.DictReader(handle))


def pixels(blocks, shape):
    return int(np.kron(blocks, np.ones((16, 16), bool))[: shape[0], : shape[1]].sum())


@pytest.mark.parametrize("row", ROWS, ids=[row["image"] for row in ROWS])
def test_score_and_masks_are_the_recorded_ones(row):
    """Scores and block masks equal pypiqe's, also on sizes that are no multiple of 16."""
    image = IMAGES[row["image"]]
    assert image.shape == (int(row["rows"]), int(row["columns"]))
    result = piqe(image)
    assert result.score == pytest.approx(float(row["score"]), abs=SCORE_TOLERANCE)
    for mask, column in (
        (result.active, "active_px"),
        (result.artifacts, "artifact_px"),
        (result.noisy, "noise_px"),
    ):
        assert pixels(mask, image.shape) == int(row[column])


def test_noise_raises_the_score_step_by_step():
    """More noise, higher (worse) score."""
    scores = [piqe(IMAGES[k]).score for k in ("camera", "camera_noise_12", "camera_noise_40")]
    assert scores[0] < scores[1] < scores[2]


def test_dtype_does_not_matter():
    """The same grey values as uint8, float32 and float64 score the same."""
    image = IMAGES["coins"]
    scores = {piqe(image.astype(kind)).score for kind in (np.uint8, np.float32, np.float64)}
    assert len(scores) == 1


def test_stretch_to_the_peak_is_optional_and_idle_at_255():
    """With a pixel at 255 the stretch changes nothing; a dim image differs without it."""
    full = IMAGES["camera"]
    assert full.max() == 255
    assert piqe(full).score == piqe(full, rescale_to_peak=False).score
    dim = IMAGES["camera_dim"]
    assert piqe(dim).score != piqe(dim, rescale_to_peak=False).score


@pytest.mark.parametrize("value", [0, 128])
def test_uniform_image_scores_worst(value):
    """Without any active block the score is 100, without a division by zero."""
    assert piqe(np.full((33, 50), value, np.uint8)).score == 100.0


def test_mapping_puts_limits_at_the_ends():
    """The limit low -> 0, high -> 255, halves up, values beyond saturate; linear in between."""
    image = np.array([[-1.0, 0.0, 1.0], [127.5, 254.49, 300.0]])
    expected = np.array([[0, 0, 1], [128, 254, 255]], np.uint8)
    np.testing.assert_array_equal(to_eight_bit(image, 0.0, 255.0), expected)
    np.testing.assert_array_equal(to_eight_bit(2.0 * image + 10.0, 10.0, 520.0), expected)


def test_limits_are_the_stated_percentiles():
    """On 0 ... 1000 in steps of one the 0.1 and 99.9 percentiles are 1 and 999."""
    ramp = np.arange(1001.0).reshape(77, 13)
    assert eight_bit_limits(ramp) == pytest.approx(
        (1.0, 999.0), rel=1e-12
    )  # interpolation rounding


def test_refusals():
    """Grey values beyond 8 bit, NaN, an empty range and swapped percentiles are refused."""
    with pytest.raises(DataError, match="to_eight_bit first"):
        piqe(np.full((16, 16), 256.0))
    with pytest.raises(DataError, match="NaN"):
        piqe(np.full((16, 16), np.nan))
    with pytest.raises(InputError, match="constant image"):
        to_eight_bit(np.ones((4, 4)), 1.0, 1.0)
    with pytest.raises(RangeError, match="high_percentile"):
        eight_bit_limits(np.ones((4, 4)), low_percentile=50.0, high_percentile=40.0)
