r"""What a design is judged by: numbers read off its curves, differentiable in JAX.

With the transfer function t(f), the noise power over the squared mean N(f), NEQ = t^2 / N and all
integrals over the plane of frequencies up to the camera's Nyquist frequency (radial: the curves
along a pixel row stand for every direction):

- detectability (ICRU Report 54, 1996, chapter 3) of a signal of relative contrast C and spectrum W:
  ideal observer d'^2 = int |W|^2 NEQ; non-prewhitening
  d'^2 = (int |W|^2 t^2)^2 / int |W|^2 t^2 N;
- mean square error of restored images over the object's variance in the band. The object is
  relative contrast of variance C^2 and correlation exp(-r / L), of power
  W_o = 2 pi L^2 C^2 (1 + (2 pi f L)^2)^(-3/2). Wiener: int W_o / (1 + W_o NEQ) / int W_o;
- after n steps of Richardson and Lucy from a flat start with the plate's own transfer function,
  linear in small contrasts about a flat field (log u changes by t (d - t u) a step, so the error
  shrinks by 1 - t^2): filter R = (1 - (1 - t^2)^n) / t, error int (1 - R t)^2 W_o + R^2 N.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scintscope.design.model import Curves
from scintscope.errors import check_choice, check_range
from scintscope.jax64 import jax, jnp
from scintscope.optics.bessel import bessel_j

MINIMISED = ("exposure_for_snr", "mse_wiener", "mse_richardson_lucy")
KINDS = (
    "mtf", "mtf50", "limiting_resolution", "dqe", "neq_per_s", "neq_per_gy", "exposure_for_snr",
    "detectability", *MINIMISED[1:],
)  # fmt: skip
AT_FREQUENCY = ("mtf", "dqe", "neq_per_s", "neq_per_gy")
UNITS = {
    "mtf": "1", "mtf50": "cycles/um", "limiting_resolution": "cycles/um", "dqe": "1",
    "neq_per_s": "1/(um2 s)", "neq_per_gy": "1/(um2 Gy)", "exposure_for_snr": "s",
    "detectability": "1", "mse_wiener": "1", "mse_richardson_lucy": "1",
}  # fmt: skip
_BISECTIONS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """One thing to be made large, or small.

    Parameters
    ----------
    kind : {"mtf", "mtf50", "limiting_resolution", "dqe", "neq_per_s", "neq_per_gy",
        "exposure_for_snr", "detectability", "mse_wiener", "mse_richardson_lucy"}
        See the module.
    name : str
        In tables and files; empty: kind and its frequency.
    frequency_cy_per_um : float
        Of mtf, dqe, neq_per_s, neq_per_gy.
    level : float
        MTF at the limiting resolution.
    task : {"disc", "line"}
        Disc of diameter, or line of width and length, to be detected.
    observer : {"ideal", "npw"}
        Prewhitening, or not.
    size_um, length_um : float
        Diameter of the disc or width of the line; length of the line.
    contrast : float
        Relative contrast of the task; rms contrast of the object of the mean square errors.
    snr : float
        d' wanted of exposure_for_snr.
    correlation_um : float
        L of the object.
    iterations : int
        Steps of Richardson and Lucy.
    """

    kind: str
    name: str = ""
    frequency_cy_per_um: float = 0.1
    level: float = 0.1
    task: str = "disc"
    observer: str = "ideal"
    size_um: float = 5.0
    length_um: float = 100.0
    contrast: float = 0.05
    snr: float = 5.0
    correlation_um: float = 5.0
    iterations: int = 20

    def __post_init__(self) -> None:
        check_choice("objective.kind", self.kind, KINDS)
        check_choice("objective.task", self.task, ("disc", "line"))
        check_choice("objective.observer", self.observer, ("ideal", "npw"))
        check_range("objective.frequency_cy_per_um", self.frequency_cy_per_um, low=0.0, high=20.0)
        check_range("objective.level", self.level, low=0.01, high=0.9)
        for key in ("size_um", "length_um", "correlation_um"):
            check_range(f"objective.{key}", getattr(self, key), low=0.05, high=1e4, unit="um")
        top = 0.1 if self.kind == "mse_richardson_lucy" else 1.0
        remedy = "Linearised about a flat field: contrasts up to 10 %." if top < 1.0 else ""
        check_range("objective.contrast", self.contrast, low=1e-4, high=top, remedy=remedy)
        check_range("objective.snr", self.snr, low=0.1, high=1e3)
        check_range("objective.iterations", self.iterations, low=1, high=10000)

    @property
    def label(self) -> str:
        """Name in tables and files."""
        if self.name:
            return self.name
        if self.kind in AT_FREQUENCY:
            return f"{self.kind}_{self.frequency_cy_per_um:g}"
        return self.kind

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return UNITS[self.kind]

    @property
    def sign(self) -> float:
        """1 for what should be large, -1 for what should be small."""
        return -1.0 if self.kind in MINIMISED else 1.0

    def value(self, curves: Curves) -> Any:
        """Return the number."""
        return _VALUES[self.kind](self, curves)


def _at(curve: Any, curves: Curves, frequency: float) -> Any:
    """Return a curve at one frequency, cubic between its samples."""
    step = curves.frequency_cy_per_um[1]
    place = frequency / step
    first = jnp.clip(jnp.floor(place).astype(int) - 1, 0, curve.size - 4)
    x = place - first
    weights = jnp.stack(
        [
            -(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0,
            x * (x - 2.0) * (x - 3.0) / 2.0,
            -x * (x - 1.0) * (x - 3.0) / 2.0,
            x * (x - 1.0) * (x - 2.0) / 6.0,
        ]
    )
    return weights @ jax.lax.dynamic_slice(jnp.asarray(curve), (first,), (4,))


def _falls_to(curves: Curves, level: float) -> Any:
    """Return where the MTF first falls to a level; the last frequency if never.

    Inverse of the cubic through the four samples around it, by Newton's method.
    """
    mtf, frequency = jnp.asarray(curves.mtf), jnp.asarray(curves.frequency_cy_per_um)
    below = mtf <= level
    i = jnp.clip(jnp.argmax(below), 1, mtf.size - 1)
    share = (mtf[i - 1] - level) / (mtf[i - 1] - mtf[i])
    found = frequency[i - 1] + share * (frequency[i] - frequency[i - 1])
    slope = (mtf[i] - mtf[i - 1]) / (frequency[i] - frequency[i - 1])
    for _ in range(4):
        found = found - (_at(mtf, curves, found) - level) / slope
    return jnp.where(below.any(), found, frequency[-1])


def _plane(curves: Curves) -> Any:
    """Return weights of an integral over the plane of frequencies up to Nyquist, (F,)."""
    f = jnp.asarray(curves.frequency_cy_per_um)
    return 2.0 * jnp.pi * f * _line(curves)


def _line(curves: Curves) -> Any:
    """Return trapezoidal weights from 0 to Nyquist; the last interval in proportion, (F,)."""
    f = jnp.asarray(curves.frequency_cy_per_um)
    step = f[1]
    share = jnp.clip((0.5 / curves.pixel_um - f) / step + 0.5, 0.0, 1.0)
    return step * share * jnp.where(jnp.arange(f.size) == 0, 0.5, 1.0)


def _task(objective: Objective, curves: Curves) -> Any:
    """Return |W|^2 times the quadrature weights, (F,)."""
    f, size = jnp.asarray(curves.frequency_cy_per_um), objective.size_um
    if objective.task == "line":  # int sinc^2(l f_y) l^2 df_y = l
        shape = objective.contrast * size * jnp.sinc(f * size)
        return objective.length_um * shape**2 * 2.0 * _line(curves)
    x = jnp.pi * size * f
    ring = jnp.where(x > 0.0, 2.0 * bessel_j(1, x) / jnp.where(x > 0.0, x, 1.0), 1.0)
    shape = objective.contrast * 0.25 * jnp.pi * size**2 * ring
    return shape**2 * _plane(curves)


def _detectability2(objective: Objective, curves: Curves, noise: Any) -> Any:
    """Return d'^2 with the noise power over the squared mean, (F,)."""
    task, seen = _task(objective, curves), jnp.asarray(curves.transfer) ** 2
    if objective.observer == "ideal":
        return (task * seen / noise).sum()
    return (task * seen).sum() ** 2 / (task * seen * noise).sum()


def _detectability(objective: Objective, curves: Curves) -> Any:
    return jnp.sqrt(_detectability2(objective, curves, curves.normalised_nps_um2))


def _exposure(objective: Objective, curves: Curves) -> Any:
    """Return the exposure at which d' reaches the SNR: bisection, then a step of Newton's."""
    read = curves.variance_electrons2 - curves.dark_electrons_per_s * curves.exposure_s
    area = curves.pixel_um**2

    def excess(log_s: Any) -> Any:
        s = jnp.exp(log_s)
        per_s = curves.events_per_s + curves.light_per_s + curves.dark_electrons_per_s / area
        noise = (per_s + read / area / s) / (s * curves.light_per_s**2)
        return jnp.log(_detectability2(objective, curves, noise)) - 2.0 * np.log(objective.snr)

    low, high = jnp.asarray(-30.0), jnp.asarray(30.0)
    for_ever = jax.lax.stop_gradient

    def halve(_: Any, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        middle = 0.5 * (ends[0] + ends[1])
        above = for_ever(excess(middle)) > 0.0
        return jnp.where(above, ends[0], middle), jnp.where(above, middle, ends[1])

    low, high = jax.lax.fori_loop(0, _BISECTIONS, halve, (low, high))
    root = for_ever(0.5 * (low + high))
    return jnp.exp(root - excess(root) / for_ever(jax.grad(excess)(root)))


def object_power(objective: Objective, frequency_cy_per_um: Any) -> Any:
    """Return W_o, the power of the object of the mean square errors, um2 (module equation)."""
    f, length = frequency_cy_per_um, objective.correlation_um
    spread = (1.0 + (2.0 * np.pi * f * length) ** 2) ** -1.5
    return 2.0 * np.pi * length**2 * objective.contrast**2 * spread


def _mse_wiener(objective: Objective, curves: Curves) -> Any:
    power, weight = object_power(objective, curves.frequency_cy_per_um), _plane(curves)
    neq = jnp.asarray(curves.transfer) ** 2 / curves.normalised_nps_um2
    return (weight * power / (1.0 + power * neq)).sum() / (weight * power).sum()


def richardson_lucy_filter(transfer: Any, iterations: int) -> Any:
    """Return R = (1 - (1 - t^2)^n) / t, n t at t = 0 (module equation)."""
    t = jnp.asarray(transfer)
    small = jnp.abs(t) < 1e-6
    safe = jnp.where(small, 1.0, t)
    return jnp.where(small, iterations * t, (1.0 - (1.0 - safe**2) ** iterations) / safe)


def _mse_richardson_lucy(objective: Objective, curves: Curves) -> Any:
    power, weight = object_power(objective, curves.frequency_cy_per_um), _plane(curves)
    gain = richardson_lucy_filter(curves.transfer, objective.iterations)
    left = (1.0 - gain * curves.transfer) ** 2 * power
    noise = gain**2 * curves.normalised_nps_um2
    return (weight * (left + noise)).sum() / (weight * power).sum()


_VALUES: dict[str, Callable[[Objective, Curves], Any]] = {
    "mtf": lambda o, c: _at(c.mtf, c, o.frequency_cy_per_um),
    "mtf50": lambda o, c: _falls_to(c, 0.5),
    "limiting_resolution": lambda o, c: _falls_to(c, o.level),
    "dqe": lambda o, c: _at(c.dqe, c, o.frequency_cy_per_um),
    "neq_per_s": lambda o, c: _at(c.neq_per_um2, c, o.frequency_cy_per_um) / c.exposure_s,
    "neq_per_gy": lambda o, c: _at(c.neq_per_um2, c, o.frequency_cy_per_um) / c.dose_gy,
    "exposure_for_snr": _exposure,
    "detectability": _detectability,
    "mse_wiener": _mse_wiener,
    "mse_richardson_lucy": _mse_richardson_lucy,
}
