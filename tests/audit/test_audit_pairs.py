"""Pairs by seed are those of a run of that seed; one long frame stands for a stack."""

from dataclasses import replace

import numpy as np
import pytest

from audit_scenes import small_scenario
from scintscope.audit.estimates import kernels
from scintscope.audit.kernel_error import kernel_error, pair_truth
from scintscope.audit.pairs import as_one_frame, draw_frames, draw_pair, set_up_pairs, under
from scintscope.audit.settings import Setting, radial
from scintscope.camera.sensor import expose, make_fixed_pattern
from scintscope.errors import InputError
from scintscope.forward.simulate import expose_all, set_up
from scintscope.pipeline import experiment
from scintscope.progress import silent
from scintscope.restoration import estimate_psf
from scintscope.restoration.steps import pair_targets


@pytest.fixture(scope="module")
def bench():
    return set_up_pairs(small_scenario(), merge_frames=False)


def test_frames_are_those_of_a_run(bench):
    """Rendered once, defects and noise redrawn: to the bit the frames of `expose_all`."""
    asked = experiment(small_scenario("acquisition.seed=12"))
    whole = expose_all(set_up(replace(asked, samples={"target": asked.samples["target"]})), silent)
    frames, darks, flat = draw_frames(bench, 12)
    for plate, found in frames.items():
        assert np.array_equal(found.sample, whole.stacks[f"{plate}_target"])
        assert np.array_equal(found.background, whole.stacks[f"{plate}_background"])
    assert all(np.array_equal(darks[t], stack) for t, stack in whole.darks.items())
    assert np.array_equal(flat, whole.flat)


def test_one_frame_has_mean_and_variance_of_the_stacks_mean():
    """Even light: the long frame's counts have the stack mean's level and scatter."""
    scenario = small_scenario("acquisition.frames=8", "camera.shape=[256,256]")
    one, single = as_one_frame(scenario.instrument(), scenario.acquisition)
    camera = scenario.camera
    pattern = make_fixed_pattern(camera, np.random.default_rng(0))
    longs = make_fixed_pattern(one.camera, np.random.default_rng(0))
    image = np.full(camera.shape, 40.0)
    rng = np.random.default_rng(1)
    each = [expose(image, 1.0, camera, pattern, rng, True) for _ in range(8)]
    mean = np.mean(each, axis=0)
    long = expose(8.0 * image, 8.0, one.camera, longs, rng, True)
    assert single.frames == 1
    # 65,536 pixels: relative standard error of a variance sqrt(2 / 65536) = 0.6 %, of their ratio
    # 0.8 %; the long frame's counts are rounded once more, by 1/12 ADU^2 of about 25
    assert long.mean() == pytest.approx(mean.mean(), abs=5 * mean.std() / 256 * 2**0.5)
    assert long.var() == pytest.approx(mean.var() + 1.0 / 12.0, rel=5 * 0.008)


def test_settings_under_one_pass_are_the_chains_own(bench):
    """Kernels from shared passes are `estimate_psf`'s, for each method."""
    plates = draw_pair(bench, 3)
    settings = [
        Setting(
            target_background="subtract",
            psf_method="richardson_lucy",
            psf_size_px=24,
            psf_iterations=n,
        )
        for n in (2, 4)
    ]
    settings += [
        Setting(
            target_background="divide", psf_method="fourier_ratio", psf_size_px=24, psf_taper="hann"
        ),
        radial("divide", 24),
        radial("divide", 33, "hann"),
    ]
    for setting, kernel in kernels(plates, settings, bench.config):
        config = setting.config(bench.config)
        pair = pair_targets(plates["thin"], plates["thick"], config)
        alone = estimate_psf(pair.thin, pair.thick, config, valid=pair.valid).psf
        # full_psf is float32; the spline of the sub-pixel move starts from other borders
        np.testing.assert_allclose(kernel, alone, atol=2e-5 * alone.max())


def test_seeds_differ_and_repeat(bench):
    """The same seed gives the same images, another seed others."""
    first, again, other = (draw_pair(bench, seed)["thick"].sample for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_clean_pair_gives_the_true_kernel(bench):
    """Without defects, noise and drift the radial fit comes near the truth."""
    quiet = under(
        bench,
        small_scenario(
            "accuracy.effects.defects=false",
            "accuracy.effects.noise=false",
            "acquisition.plate_drift_um=0.0",
            "acquisition.sample_drift_um=0.0",
        ),
    )
    truth = pair_truth(bench.responses["thin"], bench.responses["thick"])
    ((_, kernel),) = kernels(draw_pair(quiet, 1), [radial("subtract", 81)], quiet.config)
    # 0.06 is left on 512 pixels by aliasing and the mixture's shape; on 192 the lowest ring lies
    # 2.7 times higher and the kernel's tail is known less
    assert kernel_error(kernel, truth) < 0.15


def test_few_quanta_are_refused():
    """What can only be drawn X-ray by X-ray is not audited by filtered fields."""
    scenario = small_scenario("accuracy.noise_sampler=every_quantum", "camera.shape=[64,64]")
    with pytest.raises(InputError, match="noise_sampler"):
        set_up_pairs(scenario)
