"""Drift of plate and sample, flicker of the source."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.camera.drift import draw_drift, draw_path, draw_source_factor
from scintscope.camera.parts import Acquisition
from scintscope.errors import InputError

SIGMAS = 5.0
ALL = Acquisition(frames=6, plate_drift_um=0.8, sample_drift_um=3.0, source_flicker=0.02)
STACKS = ["thin.target", "thin.background", "thick.target"]


def rms_is(values: np.ndarray, expected: float) -> bool:
    """Say whether a Gaussian sample has the expected rms: standard error rms/sqrt(2 n)."""
    rms = np.sqrt(np.mean(values**2))
    return abs(rms - expected) < SIGMAS * expected / np.sqrt(2 * values.size)


def test_rms_between_and_within_stacks() -> None:
    """Two stacks differ by the drift rms per axis, a stack's ends by half of it."""
    rng = np.random.default_rng(1)
    paths = np.array([draw_path(5, 2.0, rng) for _ in range(4000)])
    assert paths.shape == (4000, 5, 2)
    for axis in (0, 1):
        starts, ends = paths[:, 0, axis], paths[:, -1, axis]
        assert rms_is(starts[::2] - starts[1::2], 2.0)
        assert rms_is(ends - starts, 1.0)


def test_frames_walk() -> None:
    """Within a stack, the mean square displacement grows in proportion to the frame number."""
    rng = np.random.default_rng(2)
    paths = np.array([draw_path(9, 2.0, rng) for _ in range(3000)])
    for frame in range(1, 9):
        assert rms_is(paths[:, frame] - paths[:, 0], np.sqrt(frame / 8))


def test_axes_plate_and_sample_are_independent() -> None:
    """Row and column, plate and sample have no correlation."""
    many = draw_drift(
        replace(ALL, frames=1), np.random.default_rng(3), [f"s{i}" for i in range(2000)]
    )
    columns = np.array(
        [[*d.plate_um[0], *d.sample_um[0], d.source_factor[0]] for d in many.values()]
    )
    off = np.corrcoef(columns.T)[np.triu_indices(5, 1)]
    assert np.abs(off).max() < SIGMAS / np.sqrt(2000)  # standard error of a zero correlation


def test_zero_drift_is_exactly_zero() -> None:
    """Without drift and flicker nothing moves, not even by rounding."""
    still = draw_drift(Acquisition(frames=4), np.random.default_rng(1), STACKS)
    for stack in still.values():
        assert stack.plate_um.shape == stack.sample_um.shape == (4, 2)
        assert not stack.plate_um.any()
        assert not stack.sample_um.any()
        assert (stack.source_factor == 1.0).all()


@settings(max_examples=20, deadline=None)
@given(flicker=st.floats(0.001, 0.5))
def test_flicker_has_mean_one_and_its_rms(flicker: float) -> None:
    """The source's output averages 1 with the stated rms and is always positive."""
    factor = draw_source_factor(20_000, flicker, np.random.default_rng(1))
    assert factor.min() > 0.0
    assert abs(factor.mean() - 1.0) < SIGMAS * flicker / np.sqrt(factor.size)
    # Variance's standard error is sqrt((kurtosis - 1)/n)/2 relative; a log-normal of relative
    # rms 0.5 has kurtosis w^4 + 2 w^3 + 3 w^2 - 3 = 8.0 with w = 1.25, so below 3/sqrt(2 n).
    assert abs(factor.std() / flicker - 1.0) < SIGMAS * 3.0 / np.sqrt(2 * factor.size)


def test_each_stack_and_purpose_has_its_own_stream() -> None:
    """Other stacks, their order, more frames or another size of one effect change nothing else."""
    base = draw_drift(ALL, np.random.default_rng(4), STACKS)
    fewer = draw_drift(ALL, np.random.default_rng(4), STACKS[::-1][:2])
    for name in fewer:
        np.testing.assert_array_equal(fewer[name].plate_um, base[name].plate_um)
        np.testing.assert_array_equal(fewer[name].sample_um, base[name].sample_um)
    no_plate = draw_drift(replace(ALL, plate_drift_um=0.0), np.random.default_rng(4), STACKS)
    longer = draw_drift(replace(ALL, frames=12), np.random.default_rng(4), STACKS)
    for name in STACKS:
        assert not no_plate[name].plate_um.any()
        np.testing.assert_array_equal(no_plate[name].sample_um, base[name].sample_um)
        np.testing.assert_array_equal(no_plate[name].source_factor, base[name].source_factor)
        np.testing.assert_array_equal(longer[name].plate_um[0], base[name].plate_um[0])
        np.testing.assert_array_equal(longer[name].source_factor[:6], base[name].source_factor)


def test_seed_decides() -> None:
    """The same seed repeats, another seed and another stack differ."""
    first, again, other = (draw_drift(ALL, np.random.default_rng(s), STACKS) for s in (5, 5, 6))
    np.testing.assert_array_equal(first["thin.target"].plate_um, again["thin.target"].plate_um)
    assert (first["thin.target"].plate_um != other["thin.target"].plate_um).all()
    assert (first["thin.target"].plate_um != first["thick.target"].plate_um).all()


def test_one_frame_and_plain_lists() -> None:
    """A single frame has a place and no walk; the truth can be written as plain lists."""
    stack = draw_drift(replace(ALL, frames=1), np.random.default_rng(1), ["a"])["a"]
    assert stack.frames == 1
    assert stack.plate_um.any()
    assert stack.as_dict()["sample_um"] == stack.sample_um.tolist()


def test_bad_stack_names_are_refused() -> None:
    """No stack, one bare string, or a name twice is refused."""
    for stacks in ([], "thin"):
        with pytest.raises(InputError, match="give a list of at least one stack name"):
            draw_drift(ALL, np.random.default_rng(0), stacks)
    with pytest.raises(InputError, match="names 'a' twice"):
        draw_drift(ALL, np.random.default_rng(0), ["a", "b", "a"])
