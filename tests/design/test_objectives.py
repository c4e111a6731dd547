"""Objectives on curves of closed form: limits, known values, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scintscope.design.model import Curves
from scintscope.design.objectives import KINDS, Objective, richardson_lucy_filter
from scintscope.errors import InputError, RangeError
from scintscope.jax64 import jax, jnp

FREQUENCY = np.linspace(0.0, 0.5, 256)
PIXEL_UM = 1.25
OBJECTIVES = [Objective(kind=kind) for kind in KINDS] + [
    Objective(kind="detectability", name="line", task="line"),
    Objective(kind="detectability", name="npw", observer="npw"),
]


def curves(width_um: Any = 1.0, quanta: Any = 5.0, exposure_s: Any = 2.0) -> Curves:
    """Return a Gaussian transfer function with white noise of the light and of the camera."""
    transfer = jnp.exp(-2.0 * (jnp.pi * width_um * FREQUENCY) ** 2)
    light, events = 3.0 * quanta, 9.0 * quanta * transfer**2
    read, dark = 2.0, 0.5
    variance = read + dark * exposure_s
    nps = exposure_s * (events + light) + variance / PIXEL_UM**2
    mean = exposure_s * light
    incident = exposure_s * quanta
    zero = jnp.zeros(())
    return Curves(
        frequency_cy_per_um=jnp.asarray(FREQUENCY), transfer=transfer, mtf=jnp.abs(transfer),
        nps_electrons2_per_um2=nps, normalised_nps_um2=nps / mean**2,
        dqe=(mean * transfer) ** 2 / (incident * nps), depth_um=zero, k_per_um=zero, steps=zero,
        electrons_per_kev=zero, electrons_per_um2=mean, incident_per_um2=incident, focus_um=zero,
        travel_um=zero, pixel_um=jnp.asarray(PIXEL_UM), exposure_s=jnp.asarray(exposure_s),
        events_per_s=events, light_per_s=light, variance_electrons2=jnp.asarray(variance),
        dark_electrons_per_s=jnp.asarray(dark), dose_gy=jnp.asarray(exposure_s) * 0.1,
        field_um=zero,
    )  # fmt: skip


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: o.label)
def test_gradients_match_central_differences(objective: Objective) -> None:
    """By blur, quanta and exposure every objective's derivative is that of differences to 1e-4."""
    point = np.array([1.3, 4.0, 1.7])

    def value(x: Any) -> Any:
        return objective.value(curves(*x))

    exact = np.asarray(jax.jit(jax.jacfwd(value))(jnp.asarray(point)))
    plain = jax.jit(value)
    for i in range(3):
        move = np.zeros(3)
        move[i] = 1e-4  # third-order error near 1e-8, rounding near 1e-11
        central = float(plain(point + move) - plain(point - move)) / 2e-4
        scale = max(abs(central), 1e-6 * abs(float(plain(point))))
        assert exact[i] == pytest.approx(central, abs=1e-4 * scale)


def test_resolution_of_a_gaussian() -> None:
    """MTF 50 % and 10 % of exp(-2 (pi w f)^2) lie at sqrt(ln(1 / level) / 2) / (pi w)."""
    for kind, level in (("mtf50", 0.5), ("limiting_resolution", 0.1)):
        found = float(Objective(kind=kind).value(curves(1.2)))
        # the cubic through samples 0.002 apart is good to (0.002 / 0.2)^4
        assert found == pytest.approx(np.sqrt(np.log(1.0 / level) / 2.0) / (np.pi * 1.2), rel=1e-6)


def test_wiener_leaves_nothing_without_noise_and_everything_without_light() -> None:
    """The error goes to 0 with ever more quanta and to the object's variance with none."""
    wiener = Objective(kind="mse_wiener")
    assert float(wiener.value(curves(0.2, 1e12))) < 1e-6
    assert float(wiener.value(curves(0.2, 1e-9))) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("quanta", [1.0, 1e3, 1e6])
def test_no_linear_filter_beats_wiener(quanta: float) -> None:
    """Richardson-Lucy of any number of steps leaves at least Wiener's error."""
    least = float(Objective(kind="mse_wiener").value(curves(1.5, quanta)))
    for steps in (1, 5, 20, 200):
        objective = Objective(kind="mse_richardson_lucy", iterations=steps)
        assert float(objective.value(curves(1.5, quanta))) >= least


def test_richardson_lucy_filter_is_that_of_its_recursion() -> None:
    """R is what e <- e + t (d - t e) makes of d in n steps from 0."""
    t = np.array([1.0, 0.7, 0.2, 1e-3, 0.0, -0.3])
    estimate = np.zeros(6)
    for _ in range(20):
        estimate = estimate + t * (1.0 - t * estimate)
    assert np.asarray(richardson_lucy_filter(t, 20)) == pytest.approx(estimate, rel=1e-9)


def test_ideal_observer_is_never_worse_and_equal_in_white_noise() -> None:
    """Prewhitening helps with coloured noise and changes nothing with white noise."""
    ideal, npw = (Objective(kind="detectability", observer=o) for o in ("ideal", "npw"))
    assert float(ideal.value(curves())) > float(npw.value(curves()))
    seen = curves()
    white = jax.tree_util.tree_map(lambda x: x, seen)
    object.__setattr__(white, "normalised_nps_um2", jnp.full(256, 0.3))
    assert float(ideal.value(white)) == pytest.approx(float(npw.value(white)), rel=1e-12)


def test_exposure_for_snr_gives_that_snr() -> None:
    """At the exposure found, the detectability is the SNR asked for."""
    wanted = Objective(kind="exposure_for_snr", snr=7.0)
    seconds = float(wanted.value(curves()))
    there = Objective(kind="detectability").value(curves(exposure_s=seconds))
    assert float(there) == pytest.approx(7.0, rel=1e-9)


def test_detectability_of_a_disc_in_white_noise() -> None:
    """Without blur, d' of a disc is C sqrt(area / noise power), what lies beyond Nyquist aside."""
    seen = curves(1e-6)
    object.__setattr__(seen, "normalised_nps_um2", jnp.full(256, 2.0))
    found = float(Objective(kind="detectability", size_um=40.0).value(seen))
    # 1 % of a disc's energy lies beyond 16 / diameter; the trapezoid adds less
    assert found == pytest.approx(0.05 * np.sqrt(np.pi * 20.0**2 / 2.0), rel=0.02)


def test_contrasts_beyond_the_linear_range_are_refused() -> None:
    """Richardson-Lucy is linear about a flat field up to contrasts of 10 % only."""
    with pytest.raises(RangeError, match="up to 10 %"):
        Objective(kind="mse_richardson_lucy", contrast=0.3)
    with pytest.raises(InputError, match="Did you mean 'mtf50'"):
        Objective(kind="mtf5")
