r"""The fast model: MTF, NPS, DQE, k(z) and light budget of any member of a family of instruments.

The same sums as `response` and `noise.plate`, differentiable in JAX:

.. math:: S = \tau \sum_l c_l \int e_l\,T\,dz,\qquad
          Q = \tau \sum_l c_l^2 \Big[\int d_l\,T^2\,dz + \sum_{kl} B_{kl} v_k v_l\Big]

with the X-rays' part (e, d, B) from `xray_tables`, the light's T from `pupil_table` and everything
else from `number_tables`. What takes seconds is done once, by `design_model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.frequencies import interpolation
from scintscope.design.axes import Axis, Nodes, contracted
from scintscope.design.events import ORDERS
from scintscope.design.light import best_focus, plate_transfer, travel_for
from scintscope.design.pupil_table import PupilTable
from scintscope.design.xray_tables import panel_depths, to_depths
from scintscope.errors import InputError, check_range
from scintscope.jax64 import jax, jnp

Array = NDArray[np.float64]

DEFOCUS, YIELD = "+defocus_um", "+yield"
"""What may be given besides the keys: depth of the focus beyond the chosen one, um; factor of the
light yield."""

DEPTH_COUNTS = (32, 64, 128, 256, 512)
"""Depth nodes between the face panels; few kinds, since each is compiled once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curves:
    """What the model gives for one design; plain arrays, or JAX arrays while tracing.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Object side.
    transfer : (F,) array
        S P / M with its sign; the MTF is its size.
    mtf, nps_electrons2_per_um2, normalised_nps_um2, dqe : (F,) array
        As in `noise.plate.SignalNoise`: presampled, pixel included.
    depth_um, k_per_um : (D,) array
        Depths in the film, and the share of the plate's light made there per um.
    steps : (8,) array
        Factors of the film's light budget (`light_budget.BudgetStep`).
    electrons_per_kev, electrons_per_um2, incident_per_um2 : float
        Gain; mean signal and X-rays of one open-beam frame.
    focus_um, travel_um, pixel_um, exposure_s : float
        Depth in focus, stage, object-side pixel, exposure of a frame.
    events_per_s : (F,) array
        P^2 Q per second, electrons^2 per um2 and s.
    light_per_s, variance_electrons2, dark_electrons_per_s : float
        Mean electrons per um2 and s; variance the camera adds to a pixel of a frame; its dark
        charge per pixel and s, which is part of that.
    dose_gy, field_um : float
        Energy a frame leaves per mass of water at the plate (`beam_numbers`); shorter side of the
        field of view.
    """

    frequency_cy_per_um: Any
    transfer: Any
    mtf: Any
    nps_electrons2_per_um2: Any
    normalised_nps_um2: Any
    dqe: Any
    depth_um: Any
    k_per_um: Any
    steps: Any
    electrons_per_kev: Any
    electrons_per_um2: Any
    incident_per_um2: Any
    focus_um: Any
    travel_um: Any
    pixel_um: Any
    exposure_s: Any
    events_per_s: Any
    light_per_s: Any
    variance_electrons2: Any
    dark_electrons_per_s: Any
    dose_gy: Any
    field_um: Any

    @property
    def neq_per_um2(self) -> Any:
        """Noise-equivalent quanta, X-rays per um2."""
        return self.dqe * self.incident_per_um2


_FIELDS = tuple(Curves.__dataclass_fields__)
jax.tree_util.register_dataclass(Curves, data_fields=list(_FIELDS), meta_fields=[])
jax.tree_util.register_dataclass(
    PupilTable, data_fields=["values", "slope"], meta_fields=["low_1", "low_2"]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What of a model is fixed: hashable, so that JAX compiles once for each.

    Parameters
    ----------
    axes : tuple of Axis
        Keys and ranges.
    numbers : tuple of (str, tuple of Nodes)
        Names of the tabulated numbers with their axes.
    layers : tuple of tuple of Nodes
        Axes of each layer's X-ray tables.
    by_energy : bool
        Whether the X-ray tables still have energies apart (a key changes the spectrum).
    best_focus : bool
        Whether the focus is the best one of each design.
    """

    axes: tuple[Axis, ...]
    numbers: tuple[tuple[str, tuple[Nodes, ...]], ...]
    layers: tuple[tuple[Nodes, ...], ...]
    by_energy: bool
    best_focus: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DesignModel:
    """A family of instruments with its tables; made by `tabulate.design_model`.

    Parameters
    ----------
    plan : Plan
        What is fixed.
    tables : dict
        ``numbers`` name -> array; ``layers`` list of dicts with left, squares, products;
        ``frequency`` (F,) and ``spline`` (T, F).
    pupil : PupilTable
        Transfer functions.
    """

    plan: Plan
    tables: dict[str, Any]
    pupil: PupilTable

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys that vary."""
        return tuple(axis.key for axis in self.plan.axes)

    @property
    def frequency_cy_per_um(self) -> Array:
        """Frequencies of the curves, (F,)."""
        return np.asarray(self.tables["frequency"])

    def check(self, values: Mapping[str, float]) -> None:
        """Refuse values that are missing, unknown or outside the tables.

        Raises
        ------
        InputError
            Naming the key.
        """
        if set(values) != set(self.keys):
            raise InputError(
                f"give a value for each of {', '.join(self.keys)}; given: {', '.join(values)}."
            )
        for axis in self.plan.axes:
            slack = 1e-9 * (axis.high - axis.low)
            low, high = axis.low - slack, axis.high + slack
            remedy = "Make the model with a wider range."
            check_range(axis.key, float(values[axis.key]), low=low, high=high, remedy=remedy)

    def depth_count(self, values: Mapping[str, float]) -> int:
        """Return the depth nodes that a design needs."""
        return depth_count(self, values)

    def curves(self, values: Mapping[str, float], count: int | None = None) -> Curves:
        """Return the curves of one design, on plain numbers.

        Parameters
        ----------
        values : mapping
            A value for every key of the axes.
        count : int, optional
            Depth nodes; by default as many as the design needs.
        """
        self.check(values)
        chosen = count or self.depth_count(values)
        traced = {key: jnp.asarray(values[key], dtype=jnp.float64) for key in self.keys}
        found = _one(self.tables, self.pupil, traced, self.plan, chosen)
        plain: Curves = jax.tree_util.tree_map(np.asarray, found)
        return plain

    def traced(self, values: Mapping[str, Any], count: int) -> Curves:
        """Return the curves of one design inside a JAX transformation; nothing is checked."""
        return evaluate(self.tables, self.pupil, dict(values), self.plan, count)


def numbers_at(plan: Plan, tables: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an instrument's numbers at one design."""
    return {
        name: contracted(tables["numbers"][name], nodes, values) for name, nodes in plan.numbers
    }


def depth_count(model: DesignModel, values: Mapping[str, float]) -> int:
    """Return the nodes between the faces from the waves of defocus across the film."""
    numbers = _numbers(model.tables, {k: jnp.asarray(v) for k, v in values.items()}, model.plan)
    slab = np.asarray(numbers["slab@0"])[:, 0] / np.asarray(numbers["wave"])
    span = 2.0 * float(np.abs(slab).max() * np.asarray(numbers["layer@0"]))
    wanted = 8.0 + 2.0 * span
    return next((n for n in DEPTH_COUNTS if n >= wanted), DEPTH_COUNTS[-1])


@partial(jax.jit, static_argnames=("plan",))
def _numbers(tables: Any, values: Any, plan: Plan) -> Any:
    return numbers_at(plan, tables, values)


@partial(jax.jit, static_argnames=("plan", "count"))
def _one(tables: Any, pupil: Any, values: Any, plan: Plan, count: int) -> Curves:
    return evaluate(tables, pupil, values, plan, count)


@partial(jax.jit, static_argnames=("plan", "count"))
def many(tables: Any, pupil: Any, values: Any, plan: Plan, count: int) -> Curves:
    """Return the curves of N designs, one after the other; leading axis N."""
    found: Curves = jax.lax.map(lambda one: evaluate(tables, pupil, one, plan, count), values)
    return found


def evaluate(tables: Any, pupil: PupilTable, values: Any, plan: Plan, count: int) -> Curves:
    """Return the curves of one design (module equations)."""
    numbers = numbers_at(plan, tables, values)
    for name in [n for n in numbers if n.startswith("gain@")]:
        numbers[name] = numbers[name] * values.get(YIELD, 1.0)
    frequency, spline = tables["frequency"], tables["spline"]
    spread = jnp.asarray(to_depths(count))
    layers = [
        _layer(tables["layers"][i], nodes, numbers, values, plan.by_energy, i)
        for i, nodes in enumerate(plan.layers)
    ]
    depths = [panel_depths(numbers[f"layer@{i}"], count, jnp) for i in range(len(layers))]
    made = [spread @ left[:, 0] for left, _, _ in layers]
    if plan.best_focus:
        z, weight = depths[0]
        below = best_focus(pupil, numbers, z, weight * made[0])
    else:
        below = numbers["thickness"] - numbers["focus"]
    below = below - values.get(DEFOCUS, 0.0)
    travel = travel_for(numbers, below)
    signal, light, events = 0.0, 0.0, 0.0
    for i, (left, squares, products) in enumerate(layers):
        z, weight = depths[i]
        gain = numbers[f"gain@{i}"]
        seen = plate_transfer(pupil, numbers, i, z, travel, frequency)
        light = light + gain * weight @ made[i]
        signal = signal + gain * weight @ ((spread @ (left @ spline)) * seen)
        local = weight @ ((spread @ (squares @ spline)) * seen**2)
        legendre = _legendre(2.0 * z / numbers[f"layer@{i}"] - 1.0)
        moments = (weight * legendre) @ seen
        pairs = jnp.einsum("tkl,tf->klf", products, spline)
        events = events + gain**2 * (local + jnp.einsum("kf,klf,lf->f", moments, pairs, moments))
    return _curves(
        numbers, frequency, signal, light, events, below, travel,
        (depths[0][0], numbers["gain@0"] * made[0] / light),
    )  # fmt: skip


def _curves(
    numbers: Mapping[str, Any],
    frequency: Any,
    signal: Any,
    light: Any,
    events: Any,
    below: Any,
    travel: Any,
    depth: tuple[Any, Any],
) -> Curves:
    """Return the curves from rates per um2 and s (`noise.theory.noise_curves`)."""
    exposure, pixel = numbers["exposure_s"], numbers["pixel"]
    aperture = jnp.sinc(frequency * pixel)
    mean = exposure * light
    nps = aperture**2 * exposure * events + mean + numbers["variance"] / pixel**2
    incident = exposure * numbers["incident"]
    return Curves(
        frequency_cy_per_um=frequency,
        transfer=aperture * signal / light,
        mtf=jnp.abs(aperture * signal) / light,
        nps_electrons2_per_um2=nps,
        normalised_nps_um2=nps / mean**2,
        dqe=(exposure * aperture * signal) ** 2 / (incident * nps),
        depth_um=depth[0],
        k_per_um=depth[1],
        steps=numbers["steps@0"],
        electrons_per_kev=numbers["gain@0"],
        electrons_per_um2=mean,
        incident_per_um2=incident,
        focus_um=numbers["thickness"] - below,
        travel_um=travel,
        pixel_um=pixel,
        exposure_s=exposure,
        events_per_s=aperture**2 * events,
        light_per_s=light,
        variance_electrons2=numbers["variance"],
        dark_electrons_per_s=numbers["dark_electrons_per_s"],
        dose_gy=exposure * numbers["dose_gy_per_s"],
        field_um=numbers["field"],
    )


def _layer(
    tables: Mapping[str, Any],
    nodes: tuple[Nodes, ...],
    numbers: Mapping[str, Any],
    values: Mapping[str, Any],
    by_energy: bool,
    number: int,
) -> tuple[Any, Any, Any]:
    """Return energy left (D, T), squares (D, T) and products (T, K, K) of a layer per um2 and s."""
    found = [contracted(tables[name], nodes, values) for name in ("left", "squares", "products")]
    if by_energy:
        photons = numbers[f"photons@{number}"]
        found = [jnp.tensordot(photons, array, axes=1) for array in found]
    left, squares, products = found
    return left, squares, products


def _legendre(x: Any) -> Any:
    """Return the Legendre polynomials of x, (K, D)."""
    rows = [jnp.ones_like(x), x]
    for k in range(1, ORDERS - 1):
        rows.append(((2 * k + 1) * x * rows[k] - k * rows[k - 1]) / (k + 1))
    return jnp.stack(rows)


def spline_matrix(frequency_cy_per_um: Array, count: int) -> Array:
    """Return the matrix from the first ``count`` tabulated frequencies to others, (T, F)."""
    return interpolation(frequency_cy_per_um)[:count]
