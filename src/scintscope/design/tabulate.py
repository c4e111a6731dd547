"""Making a `DesignModel`: everything that takes seconds, once for a family of instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.deposition.kernel import Deposition, deposition
from scintscope.design.axes import Axis, Nodes, contracted, node_axis
from scintscope.design.beam_numbers import beam_numbers, energy_grid, layer_axes
from scintscope.design.family import Family
from scintscope.design.instrument_numbers import instrument_numbers
from scintscope.design.light import layer_waves, travel_for
from scintscope.design.model import DesignModel, Plan, spline_matrix
from scintscope.design.number_tables import Table, number_tables
from scintscope.design.pupil_table import pupil_table
from scintscope.design.xray_tables import XrayTables, xray_tables
from scintscope.errors import SamplingError
from scintscope.jax64 import jnp
from scintscope.progress import Progress, silent
from scintscope.scintillator.layers import emitting_layers

Array = NDArray[np.float64]

FREQUENCIES = 256
_THICKNESS_POINTS, _PER_LOG = 5, 1.4
"""Points along a layer's thickness: 5 and 1.4 more for each factor e of its range."""
_OTHER_POINTS = 5
_MARGIN_WAVES = 0.05
_THIRD = 5e-3
"""Third-order wavefront, waves, from which its derivative is tabulated as well."""
_MOST_THIRD = 0.06
"""and beyond which a derivative is not trusted to 1e-3; at 0.04 waves MTF is within 2e-4."""


def design_model(
    family: Family, frequency_cy_per_um: Array | None = None, progress: Progress = silent
) -> DesignModel:
    """Return the model of a family of instruments.

    Parameters
    ----------
    family : Family
        Base scenario and the ranges of the keys that vary.
    frequency_cy_per_um : (F,) array, optional
        Of the curves; by default 256 from 0 to twice the camera's largest Nyquist frequency, or the
        largest cut-off if that is less.
    progress : callable
        See `scintscope.progress`.

    Raises
    ------
    InputError
        If a member of the family cannot be computed.
    SamplingError
        If the ranges are too wide for the tables.
    """
    return design_models([family], frequency_cy_per_um, progress)[0]


def design_models(
    families: Sequence[Family],
    frequency_cy_per_um: Array | None = None,
    progress: Progress = silent,
) -> list[DesignModel]:
    """Return the models of several families, on common frequencies and one table of transfers.

    Parameters, errors: see `design_model`; the first family decides the default frequencies.
    """
    drafts: list[_Draft] = []
    for family in families:
        drafts.append(_draft(family, frequency_cy_per_um, progress))
        frequency_cy_per_um = np.asarray(drafts[0].tables["frequency"])
    low = np.min([draft.low_waves for draft in drafts], axis=0)
    high = np.max([draft.high_waves for draft in drafts], axis=0)
    third = any(draft.third for draft in drafts)
    with progress("transfer functions", 1) as advance:
        pupil = pupil_table((low[0], high[0]), (low[1], high[1]), third)
        advance(1)
    return [DesignModel(plan=draft.plan, tables=draft.tables, pupil=pupil) for draft in drafts]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """A model without its transfer functions, and the ranges of c_1 and c_2 it needs, (2,)."""

    plan: Plan
    tables: dict[str, Any]
    low_waves: Array
    high_waves: Array
    third: bool


def _draft(family: Family, frequency_cy_per_um: Array | None, progress: Progress) -> _Draft:
    grid = energy_grid(family)

    def numbers_of(values: Mapping[str, float]) -> dict[str, Array]:
        instrument, plate = family.instrument(values)
        found = instrument_numbers(instrument, plate) | beam_numbers(instrument, plate, grid)
        return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}

    numbers = number_tables(numbers_of, family.axes, family.middle())
    if frequency_cy_per_um is None:
        frequency_cy_per_um = default_frequencies(family.axes, numbers)
    layers = _layers(family, grid, float(frequency_cy_per_um[-1]), progress)
    by_energy = any(numbers[f"photons@{i}"].nodes for i in range(len(layers)))
    plan = Plan(
        axes=family.axes,
        numbers=tuple(
            (name, table.nodes)
            for name, table in sorted(numbers.items())
            if by_energy or not name.startswith("photons@")
        ),
        layers=tuple(layer.nodes for layer in layers),
        by_energy=by_energy,
        best_focus="focus" not in numbers,
    )
    count = layers[0].left.shape[-1]
    tables = {
        "numbers": {name: jnp.asarray(numbers[name].values) for name, _ in plan.numbers},
        "layers": [
            _weighed(layer, numbers[f"photons@{i}"], by_energy) for i, layer in enumerate(layers)
        ],
        "frequency": jnp.asarray(frequency_cy_per_um),
        "spline": jnp.asarray(spline_matrix(frequency_cy_per_um, count)),
    }  # fmt: skip
    low, high, third = _wave_ranges(family.axes, numbers, plan)
    return _Draft(plan=plan, tables=tables, low_waves=low, high_waves=high, third=third)


def _weighed(layer: XrayTables, photons: Table, by_energy: bool) -> dict[str, Any]:
    """Return a layer's tables for JAX, summed over energies where the spectrum is fixed."""
    names = ("left", "squares", "products")
    if by_energy:
        return {name: jnp.asarray(getattr(layer, name)) for name in names}
    axis = len(layer.nodes)
    return {
        name: jnp.asarray(np.tensordot(photons.values, getattr(layer, name), axes=(0, axis)))
        for name in names
    }


def default_frequencies(axes: tuple[Axis, ...], numbers: Mapping[str, Table]) -> Array:
    """Return the frequencies of the curves: 0 to twice the largest Nyquist, or the cut-off."""
    corners = list(_corners(axes, ("pixel", "cutoff"), numbers))
    nyquist = max(0.5 / float(numbers["pixel"].at(c)) for c in corners)
    cutoff = max(float(numbers["cutoff"].at(c)) for c in corners)
    return np.linspace(0.0, min(2.0 * nyquist, cutoff), FREQUENCIES)


def _corners(
    axes: tuple[Axis, ...], names: tuple[str, ...], numbers: Mapping[str, Table]
) -> list[dict[str, float]]:
    """Return ends and middle of all axes that some numbers depend on, in every combination."""
    used = {node.key for name in names for node in numbers[name].nodes}
    middle = {axis.key: axis.middle for axis in axes}
    chosen = [axis for axis in axes if axis.key in used]
    ends = product(*((axis.low, axis.middle, axis.high) for axis in chosen))
    keys = [axis.key for axis in chosen]
    return [{**middle, **dict(zip(keys, point, strict=True))} for point in ends]


def _layers(family: Family, grid: Array, top: float, progress: Progress) -> list[XrayTables]:
    """Return the X-ray tables of every layer that makes light."""
    middle = family.middle()
    instrument, plate = family.instrument(middle)
    effects = instrument.accuracy.effects
    jobs = []
    for number in range(len(emitting_layers(plate))):
        nodes = tuple(_xray_nodes(family, key) for key in layer_axes(family, number))
        points = [
            {**middle, **dict(zip((n.key for n in nodes), point, strict=True))}
            for point in product(*(n.values.tolist() for n in nodes))
        ]
        jobs.append((number, nodes, points))
    found = []
    with progress("energy left by X-rays", sum(len(points) for *_, points in jobs)) as advance:
        for number, nodes, points in jobs:

            def make(values: Mapping[str, float], number: int = number) -> Deposition:
                layer = emitting_layers(family.instrument(values)[1])[number]
                return deposition(layer.medium, layer.thickness_um, grid, effects)

            found.append(xray_tables(make, nodes, points, top, advance))
    return found


def _xray_nodes(family: Family, key: str) -> Nodes:
    axis = family.axis(key)
    if axis is None:
        raise KeyError(key)
    if key.endswith("thickness_um") and axis.low > 0.0:
        count = round(_THICKNESS_POINTS + _PER_LOG * np.log(axis.high / axis.low))
        return node_axis(axis, count, log=True)
    return node_axis(axis, _OTHER_POINTS)


def _wave_ranges(
    axes: tuple[Axis, ...], numbers: Mapping[str, Table], plan: Plan
) -> tuple[Array, Array, bool]:
    """Return the ends of c_1 and c_2 over the family, (2,) each, and whether c_3 matters."""
    names = tuple(n for n in numbers if n.split("@")[0] in _OPTICAL)
    low, high, third = np.full(2, np.inf), np.full(2, -np.inf), 0.0
    for point in _corners(axes, names, numbers):
        at = {name: np.asarray(contracted(numbers[name].values, numbers[name].nodes, point))
              for name in names}  # fmt: skip
        thickness = float(at["thickness"])
        places = (0.0, thickness) if plan.best_focus else (thickness - float(at["focus"]),)
        for below in places:
            travel = travel_for(at, below)
            for layer in range(len(plan.layers)):
                ends = np.array([0.0, float(at[f"layer@{layer}"])])
                _, _, c1, c2, c3 = layer_waves(at, layer, ends, travel)
                pair = np.stack([np.ravel(c1), np.ravel(c2)])
                low, high = np.minimum(low, pair.min(1)), np.maximum(high, pair.max(1))
                third = max(third, float(np.abs(c3).max()))
            if plan.best_focus:
                low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    if third > _MOST_THIRD:
        raise SamplingError(
            f"spherical aberration of third order reaches {third:.2f} waves (limit "
            f"{_MOST_THIRD:g}): one table of transfer functions does not describe it. Lower the "
            "largest lens.na, or set lens.corrected_for_um near the plate's thickness."
        )
    margin = _MARGIN_WAVES * (high - low) + _MARGIN_WAVES
    return low - margin, high + margin, third > _THIRD


_OPTICAL = frozenset(
    {
        "na", "wave", "share", "colour", "slab", "fixed", "image_share", "offset", "sign", "layer",
        "thickness", "focus", "focus_slab", "focus_fixed", "air", "corrected_for",
    }
)  # fmt: skip
