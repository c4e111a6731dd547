"""What restoring buys: detectability by closed forms, measured gains, answers both ways."""

from dataclasses import replace

import numpy as np
import pytest

from scintscope.verdict.answers import answers
from scintscope.verdict.bought import (
    Bands,
    Bought,
    Seen,
    bands_of,
    detectability,
    disc_transform,
    helped_um,
    seen_sizes,
    small_signals,
    smallest_seen_um,
)
from scintscope.verdict.words import booking_sentence, bought_sentences

F = np.linspace(0.0, 2.0, 400)


def flat(noise=1e-2, mtf=None):
    """Return an image of white noise and a given transfer."""
    return Seen(frequency_cy_per_um=F, mtf=np.ones(400) if mtf is None else mtf,
                nnps_um2=np.full(400, noise))  # fmt: skip


def test_disc_in_white_noise():
    """No blur, white noise W: d'^2 = area / W for both observers (Rose's formula)."""
    for diameter in (8.0, 20.0):
        ideal, plain = detectability(flat(), diameter)
        expected = np.sqrt(0.25 * np.pi * diameter**2 / 1e-2)
        # the disc's spectrum beyond 2 cycles/um is lost: 2 / (pi^2 d f) of the energy
        assert ideal == pytest.approx(expected, rel=0.02)
        assert plain == pytest.approx(ideal, rel=1e-9)


def test_line_in_white_noise():
    """The same for a line of w x 10 w."""
    ideal, _ = detectability(flat(), 6.0, "line")
    assert ideal == pytest.approx(np.sqrt(10.0 * 36.0 / 1e-2), rel=0.03)


def test_disc_transform_at_zero_is_its_area():
    """The transform at f = 0 is the area, and falls to 0 at 1.22 / d."""
    assert disc_transform(np.zeros(1), 10.0)[0] == pytest.approx(np.pi * 25.0)
    assert disc_transform(np.array([0.12197]), 10.0)[0] == pytest.approx(0.0, abs=0.02)


def test_linear_filter_leaves_the_ideal_observer_alone():
    """A filter that changes MTF and noise alike changes d' of the plain observer only."""
    blur = np.exp(-8.0 * F**2)
    before = flat(mtf=blur)
    boost = 1.0 / (blur + 0.05)
    after = replace(before, mtf=blur * boost, nnps_um2=before.nnps_um2 * boost**2)
    # the curves are read by linear interpolation: (0.005 x 4)^2 / 8 of them
    assert detectability(after, 5.0)[0] == pytest.approx(detectability(before, 5.0)[0], rel=1e-4)
    assert detectability(after, 5.0)[1] < detectability(before, 5.0)[1]


def test_small_signals_of_a_known_filter():
    """Gain and noise of a linear filter are its transfer function and that squared."""
    rng = np.random.default_rng(1)
    frames = 1.0 + 0.05 * rng.standard_normal((8, 64, 64))
    f = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None, :])
    transfer = np.exp(-4.0 * f**2)

    def blur(image):
        return np.fft.irfft2(np.fft.rfft2(image) * transfer, s=image.shape)

    found = small_signals(blur, frames, 1.0, 10)
    wanted = np.exp(-4.0 * found.frequency_cy_per_um**2)
    np.testing.assert_allclose(found.gain, wanted, rtol=1e-6)
    plain = small_signals(np.asarray, frames, 1.0, 10)
    # the mean over a ring of the same draws: the filter varies little inside a ring
    np.testing.assert_allclose(found.nnps_um2 / plain.nnps_um2, wanted**2, rtol=0.1)


def test_ranges_of_sizes():
    """The widest run of gains is told; a lone size counts as none; the smallest seen is found."""
    size = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    ones = np.ones(5)
    assert helped_um(size, np.array([2.0, 2.0, 0.5, 0.5, 0.5]), ones) == (1.0, 2.0)
    assert helped_um(size, np.array([0.5, 2.0, 2.0, 2.0, 0.5]), ones) == (2.0, 8.0)
    assert helped_um(size, np.array([0.5, 2.0, 0.5, 0.5, 0.5]), ones) is None
    assert smallest_seen_um(size, 10.0 * size, 0.1) == 8.0
    assert smallest_seen_um(size, 0.0 * size, 0.1) is None


def test_bands_of_a_wave():
    """An image that halves one wave of the truth is off by a quarter of the power, there alone."""
    x = np.arange(96)
    slow = np.cos(2.0 * np.pi * 6 * x / 96)[None, :] * np.ones((96, 1))
    fast = np.cos(2.0 * np.pi * 30 * x / 96)[None, :] * np.ones((96, 1))
    mask = np.ones((96, 96), dtype=bool)
    found = bands_of({"thick": slow + 0.5 * fast}, slow + fast, mask, 1.0)
    k = int(np.argmin(np.abs(found.frequency_cy_per_um - 30 / 96)))
    assert found.error["thick"][k] == pytest.approx(0.25, rel=1e-6)
    k = int(np.argmin(np.abs(found.frequency_cy_per_um - 6 / 96)))
    assert found.error["thick"][k] < 1e-6


def bought(restored_noise, restored_error):
    """Return what was bought if restoring doubled the MTF and multiplied the noise."""
    blur = np.exp(-8.0 * F**2)
    seen = {
        "thin": flat(1e-2),
        "thin_equal": flat(1e-1),
        "thick": flat(1e-2, blur),
        "restored": flat(1e-2 * restored_noise, np.sqrt(blur)),
    }
    size = np.geomspace(1.0, 60.0, 12)
    ideal, plain = seen_sizes(seen, size, "disc")
    bands = Bands(
        frequency_cy_per_um=F[1:5],
        error={"thick": np.full(4, 0.5), "restored": np.full(4, restored_error)},
    )
    rmse = {"thin": 0.1, "thin_equal": 0.4, "thick": 0.5, "restored": restored_error}
    return Bought(
        seen=seen, exposure_s=dict.fromkeys(seen, 1.0), size_um=size, ideal=ideal, plain=plain,
        ideal_line=ideal, plain_line=plain, contrast_thin=1.0, rmse={"target": rmse},
        bands={"target": bands}, piqe_correlation={"target": 1.0 - restored_error},
    )  # fmt: skip


def test_answers_reach_both_outcomes():
    """Restoring that helps is said to help, one that harms to harm: book, or do not."""
    good, bad = bought(0.5, 0.2), bought(50.0, 0.9)
    assert answers(good).helps_um is not None and answers(good).neq_ratio > 1.0
    assert answers(bad).helps_um is None and answers(bad).neq_ratio < 1.0
    assert answers(good).nearer == {"target": True} and answers(bad).nearer == {"target": False}
    assert answers(good).nearer_um["target"] is not None
    assert answers(bad).nearer_um["target"] is None
    assert booking_sentence(good, 0.001).startswith("Book beam time for target: restoring")
    assert booking_sentence(bought(1.0, 0.45), 0.001).startswith("Book beam time for target only")
    assert booking_sentence(bad, 0.05).startswith("Do not book")
    yes, no = " ".join(bought_sentences(good)), " ".join(bought_sentences(bad))
    assert "restoring helps to see details" in yes and "PIQE follows the truth" in yes
    assert "does not help to see details" in no and "PIQE does not follow" in no
    assert "at no size did restoring" in no
