"""The electron kernel: limits, laws, and its tables against tracks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.electrons import electron_kernel
from scintscope.electrons.angles import start_cosines
from scintscope.electrons.transport import make_steps, run_tracks
from scintscope.errors import DataError, InputError, RangeError
from scintscope.materials import Absorber, scintillator

YAG = electron_kernel(scintillator("YAG:Ce"))
CSI = electron_kernel(scintillator("CsI:Tl"))
STARTS = ("photoelectron", "isotropic")
FREQUENCY = np.array([0.0, 0.01, 0.05, 0.1, 0.2, 0.3846, 0.5, 1.0, 2.0])

each_start = pytest.mark.parametrize("start", STARTS)
kernels = st.sampled_from([YAG, CSI])
energies = st.floats(0.0, 300.0)
starts = st.sampled_from(STARTS)


@given(kernels, energies, st.floats(0.0, 5.0), starts)
@settings(max_examples=60, deadline=None)
def test_power_lies_between_squared_mean_and_one(kernel, energy, frequency, start):
    """1 >= E|A|^2 >= |E A|^2."""
    mean = kernel.mean_transfer([energy], [frequency], start)[0, 0]
    power = kernel.event_power([energy], [frequency], start)[0, 0]
    # the two come from different draws of the same tracks: 5 sigma of their difference
    assert mean**2 - 5e-4 <= power <= 1.0 + 1e-12
    assert -0.02 < mean <= 1.0 + 1e-12


@each_start
def test_all_energy_counts_at_zero_frequency(start):
    """At f = 0 both curves are 1 with zero slope; they do not tell f from -f."""
    energy = np.array([0.0, 0.3, 2.0, 15.0, 40.0, 300.0])
    small = 1e-4
    for curve in (YAG.mean_transfer, YAG.event_power):
        out = curve(energy, [0.0, small, -small], start)
        np.testing.assert_allclose(out[:, 0], 1.0, atol=1e-12)
        np.testing.assert_array_equal(out[:, 1], out[:, 2])
        # quadratic: 1 - M is of order 5 (f R)^2, R below 300 um
        assert np.all(1.0 - out[:, 1] <= 6.0 * (small * YAG.csda_range_um(energy)) ** 2 + 1e-12)


@each_start
def test_slow_electrons_stay_where_they_are(start):
    """Towards zero energy the transfer is 1 at every frequency and the plate keeps all."""
    np.testing.assert_allclose(YAG.mean_transfer([0.0, 0.05], FREQUENCY, start), 1.0, atol=1e-3)
    np.testing.assert_allclose(YAG.event_power([0.0], FREQUENCY, start), 1.0, atol=1e-12)
    kept = YAG.kept_fraction([0.0, 0.5], [0.5], 1.0, start)
    np.testing.assert_allclose(kept, 1.0, atol=1e-4)


@each_start
def test_thick_and_thin_plates(start):
    """Far from both faces all is kept; in a plate of no thickness nothing is."""
    deep = YAG.kept_fraction([10.0, 30.0], [20.0], 40.0, start)
    np.testing.assert_allclose(deep, 1.0, atol=1e-4)  # 20 um is 3.6 ranges or more
    thin = [YAG.kept_fraction([20.0], [0.5 * t], t, start)[0, 0] for t in (1.0, 0.1, 1e-2, 1e-4)]
    assert np.all(np.diff(thin) < 0.0) and thin[-1] < 0.02
    assert YAG.kept_fraction([20.0], [0.0], 0.0, start)[0, 0] == 0.0


@given(kernels, st.floats(1.0, 100.0), st.floats(0.5, 60.0), st.floats(0.0, 1.0), starts)
@settings(max_examples=60, deadline=None)
def test_kept_fraction_is_a_fraction_and_grows_with_the_plate(
    kernel, energy, thickness, part, start
):
    """0 <= kept <= 1, and more plate on either side keeps no less."""
    depth = part * thickness
    kept = kernel.kept_fraction([energy], [depth], thickness, start)[0, 0]
    ahead = kernel.kept_fraction([energy], [depth], 1.2 * thickness, start)[0, 0]
    behind = kernel.kept_fraction([energy], [depth + 0.2 * thickness], 1.2 * thickness, start)[0, 0]
    assert -1e-12 <= kept <= min(ahead, behind) + 1e-12 <= 1.0 + 2e-12


def test_isotropic_electrons_do_not_know_the_faces_apart():
    """Depth from one face or the other is the same for isotropic starts, not for forward ones."""
    depth = np.array([0.5, 2.0, 4.0])
    for start, same in (("isotropic", True), ("photoelectron", False)):
        near = YAG.kept_fraction([40.0], depth, 10.0, start)
        far = YAG.kept_fraction([40.0], 10.0 - depth, 10.0, start)
        # 5 sigma of two tables of 20 000 tracks, each of spread 0.4
        assert bool(np.abs(near - far).max() < 0.02) is same
        if not same:
            assert np.all(near > far)  # forward: the entrance face loses less


@each_start
def test_density_scales_lengths(start):
    """Twice the density is half of every length."""
    double = replace(YAG, density_g_cm3=2.0 * YAG.density_g_cm3)
    energy = np.array([3.0, 25.0])
    np.testing.assert_allclose(
        double.mean_transfer(energy, 2.0 * FREQUENCY, start),
        YAG.mean_transfer(energy, FREQUENCY, start),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        double.kept_fraction(energy, [1.0], 2.0, start),
        YAG.kept_fraction(energy, [2.0], 4.0, start),
        rtol=1e-12,
    )


@each_start
def test_curves_are_smooth_in_energy(start):
    """No Monte Carlo noise in gradients: steps of 0.5 % in energy change the slope by little."""
    energy = np.geomspace(2.0, 200.0, 900)
    step = np.log(energy[1] / energy[0])
    for curve in (
        YAG.mean_transfer(energy, [0.05, 0.2, 0.5], start),
        YAG.event_power(energy, [0.05, 0.2, 0.5], start),
        YAG.kept_fraction(energy, [1.0, 5.0, 10.0], 20.0, start),
    ):
        bend = np.diff(curve, 2, axis=0) / step**2
        # a curve falling from 1 to 0 over a factor 3 in energy bends by 2; noise of 1e-3 between
        # neighbouring energies would give 40
        assert np.abs(bend).max() < 6.0
        # and the bend itself has no jumps (twice continuously differentiable)
        assert np.abs(np.diff(bend, axis=0)).max() < 0.6


@pytest.mark.parametrize(("energy", "start"), [(14.7, "photoelectron"), (36.0, "isotropic")])
def test_tables_agree_with_fresh_tracks(energy, start):
    """Both curves equal the direct sums over newly run tracks, between nodes."""
    count = 3000
    rng = np.random.default_rng(11)
    deposits = run_tracks(make_steps(YAG.medium), energy, count, rng)
    mu = start_cosines(start, energy, count, rng)
    x = deposits.position_um[..., 0] / YAG.density_g_cm3
    z = deposits.position_um[..., 2] / YAG.density_g_cm3
    y = deposits.position_um[..., 1] / YAG.density_g_cm3
    across = mu * x + np.sqrt(1.0 - mu**2) * z
    azimuth = 2.0 * np.pi * rng.random(count)
    place = np.cos(azimuth) * across - np.sin(azimuth) * y
    f = np.array([0.05, 0.1, 0.2, 0.5])
    waves = np.array([(deposits.share * np.exp(-2j * np.pi * q * place)).sum(0) for q in f])
    for ours, sample in (
        (YAG.mean_transfer([energy], f, start)[0], waves.real),
        (YAG.event_power([energy], f, start)[0], np.abs(waves) ** 2),
    ):
        error = sample.std(1) / np.sqrt(count)
        # 5 sigma of the sample, 1e-3 of the blending, 2e-3 of the table's own tracks
        assert np.all(np.abs(ours - sample.mean(1)) < 5.0 * error + 3e-3)


@each_start
def test_kept_fraction_agrees_with_first_passage_of_fresh_tracks(start):
    """The table equals following each track until it leaves the plate."""
    energy, count, thickness = 40.0, 3000, 12.0
    rng = np.random.default_rng(12)
    deposits = run_tracks(make_steps(YAG.medium), energy, count, rng)
    mu = start_cosines(start, energy, count, rng)
    ends = deposits.end_um / YAG.density_g_cm3
    z = mu * ends[..., 2] - np.sqrt(1.0 - mu**2) * ends[..., 0]
    depth = np.array([0.3, 2.0, 6.0, 11.0])
    ours = YAG.kept_fraction([energy], depth, thickness, start)[0]
    for d, value in zip(depth, ours, strict=True):
        outside = np.cumsum((z < -d) | (z > thickness - d), axis=0)
        kept = (deposits.share * np.where(outside == 0, 1.0, np.where(outside == 1, 0.5, 0.0))).sum(
            0
        )
        # half of the crossing step counts: below 1 %; 5 sigma; blending in sqrt(depth) 2e-3
        assert abs(kept.mean() - value) < 5.0 * kept.std() / np.sqrt(count) + 0.008


@each_start
def test_drawn_tracks_have_the_tables_statistics(start):
    """Tracks for samplers give both curves; shares add up to 1; the azimuth is uniform."""
    count, energy = 4000, 25.0
    drawn = YAG.tracks(energy, start, count, np.random.default_rng(13))
    assert drawn.position_um.shape == (count, 32, 3)
    np.testing.assert_allclose(drawn.share.sum(1), 1.0, atol=1e-5)  # float32
    f = np.array([0.05, 0.1, 0.2])
    for axis in (0, 1):
        place = drawn.position_um[..., axis].astype(float)
        waves = np.array([(drawn.share * np.exp(-2j * np.pi * q * place)).sum(1) for q in f])
        for ours, sample in (
            (YAG.mean_transfer([energy], f, start)[0], waves.real),
            (YAG.event_power([energy], f, start)[0], np.abs(waves) ** 2),
        ):
            error = sample.std(1) / np.sqrt(count)
            # 2048 tracks stand behind them: 1.4 times the spread; slices of 1/32: 3e-3; tables 3e-3
            assert np.all(np.abs(ours - sample.mean(1)) < 8.0 * error + 6e-3)
    forward = (drawn.share * drawn.position_um[..., 2]).sum(1)
    moved = forward.mean() / (forward.std() / np.sqrt(count))
    assert bool(moved > 5.0) is (start == "photoelectron")


def test_heavy_atoms_turn_electrons_more():
    """In CsI electrons have a longer way than in YAG, but get less far along it."""
    far, near = (k.csda_range_um([30.0])[0] for k in (CSI, YAG))
    assert far > 1.3 * near
    curves = [
        k.mean_transfer([30.0], [0.6 / r], "photoelectron") for k, r in ((CSI, far), (YAG, near))
    ]
    assert curves[0] > curves[1] + 0.05


def test_refusals():
    """Energies, depths, starts and elements outside what is known are refused by name."""
    with pytest.raises(RangeError, match=r"energy_kev = 301\.0 .* \[0, 300\] keV"):
        YAG.mean_transfer([10.0, 301.0], FREQUENCY, "isotropic")
    with pytest.raises(RangeError, match="depth_um"):
        YAG.kept_fraction([10.0], [5.1], 5.0, "isotropic")
    with pytest.raises(InputError, match="'isotropic'"):
        YAG.event_power([10.0], FREQUENCY, "isotropc")
    with pytest.raises(DataError, match="frequency_cy_per_um"):
        YAG.mean_transfer([10.0], FREQUENCY[None, :], "isotropic")
    with pytest.raises(InputError, match="element 94"):
        electron_kernel(Absorber(name="fuel", formula="PuO2", density_g_cm3=11.5))
