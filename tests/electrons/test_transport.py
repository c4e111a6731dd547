"""Tracks: energy is conserved, directions are forgotten, steps hold what the tables say."""

import numpy as np
import pytest

from scintscope.electrons.elastic import angle_grid, mott_cross_section_cm2
from scintscope.electrons.medium import (
    CUTOFF_KEV,
    HIGHEST_KEV,
    QUANTILES,
    STEP_TRANSPORT,
    medium_of,
    step_quantiles,
)
from scintscope.electrons.store import read_shipped
from scintscope.electrons.transport import make_steps, run_tracks, turn

MEDIUM = medium_of(read_shipped("Y3Al5O12"))
STEPS = make_steps(MEDIUM)


def test_a_step_turns_by_the_transport_cross_section():
    """The mean cosine over a step is exp(-s G_1), and P_2 has its own coefficient G_2."""
    grid = angle_grid()
    sigma = mott_cross_section_cm2(71, 10.0, grid)
    g1 = (grid.weight * 2.0 * grid.t * sigma).sum()
    length = STEP_TRANSPORT / g1
    mu = 1.0 - 2.0 * grid.t
    g2 = (grid.weight * 1.5 * (1.0 - mu**2) * sigma).sum()
    quantile = step_quantiles(sigma, length)
    fine = np.linspace(0.0, 1.0, 200_001)[:-1] + 2.5e-6
    t = np.interp(1.0 - np.cbrt(fine), np.linspace(0.0, 1.0, QUANTILES), quantile)
    drawn = 1.0 - 2.0 * t
    # 256 straight pieces of the quantile function: 1e-3 of the mean deflection
    assert 1.0 - drawn.mean() == pytest.approx(1.0 - np.exp(-length * g1), rel=2e-3)
    p2 = 1.5 * drawn**2 - 0.5
    assert 1.0 - p2.mean() == pytest.approx(1.0 - np.exp(-length * g2), rel=2e-3)


def test_turning_keeps_length_and_angle():
    """Turned vectors are unit vectors at the wanted angle, at every azimuth, near poles too."""
    rng = np.random.default_rng(3)
    u = rng.normal(size=(3, 500))
    u[:, 0], u[:, 1] = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
    u /= np.sqrt((u**2).sum(0))
    t = rng.random(500)
    turned = turn(u, t, 2.0 * np.pi * rng.random(500))
    np.testing.assert_allclose((turned**2).sum(0), 1.0, atol=1e-12)  # float rounding
    np.testing.assert_allclose((turned * u).sum(0), 1.0 - 2.0 * t, atol=1e-12)


def test_mean_loss_of_a_step_is_the_stopping_power():
    """Continuous loss plus chance times mean single loss is S times the step's length."""
    energy = np.exp(np.linspace(np.log(CUTOFF_KEV), np.log(HIGHEST_KEV), STEPS.row.size))
    rows = np.arange(MEDIUM.scatter_energy_kev.size)
    mean_share = np.interp(STEPS.row, rows, MEDIUM.hard_share.mean(1))
    loss = STEPS.soft_kev + STEPS.hard_chance * mean_share * energy
    stopping = np.interp(energy, MEDIUM.energy_kev, MEDIUM.stopping_kev_per_um)
    # the stopping power between its nodes: cubic against linear interpolation
    np.testing.assert_allclose(loss, stopping * STEPS.length_um, rtol=1e-2)
    assert STEPS.hard_chance.max() < 0.5  # "at most one large loss a step" can hold


@pytest.mark.parametrize("energy", [0.5, 8.0, 60.0])
def test_energy_is_conserved_and_tracks_stay_within_their_range(energy):
    """Shares add up to 1; no point lies further away than a range and its straggling."""
    deposits = run_tracks(STEPS, energy, 300, np.random.default_rng(5))
    np.testing.assert_allclose(deposits.share.sum(0), 1.0, atol=1e-12)  # float rounding
    assert deposits.share.min() >= 0.0
    far = np.sqrt((deposits.end_um.astype(float) ** 2).sum(-1)).max()
    csda = np.interp(energy, MEDIUM.energy_kev, MEDIUM.range_um)
    # below 1 keV single losses are a large part of the energy
    assert 0.3 * csda < far < (1.2 if energy > 1.0 else 1.5) * csda


def test_tracks_are_symmetric_about_their_first_direction():
    """Across the first direction the mean place is 0; along it, it is ahead."""
    deposits = run_tracks(STEPS, 20.0, 2000, np.random.default_rng(6))
    centre = (deposits.share[..., None] * deposits.position_um).sum(0)
    error = centre.std(0) / np.sqrt(centre.shape[0])
    mean = centre.mean(0)
    assert np.all(np.abs(mean[:2]) < 5.0 * error[:2])
    assert mean[2] > 20.0 * error[2]


def test_a_seed_fixes_the_tracks():
    """The same generator gives the same tracks, another one others."""
    one, two, other = (run_tracks(STEPS, 5.0, 10, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.position_um, two.position_um)
    assert not np.array_equal(one.position_um[0], other.position_um[0])
