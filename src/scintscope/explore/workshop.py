"""Makes the page's tables in the background, and views of any state from them."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scintscope.design.instrument_numbers import instrument_numbers
from scintscope.errors import PhysicsWarning, ScintscopeError
from scintscope.explore import beams
from scintscope.explore.engine import (
    FREQUENCIES,
    Engine,
    Numbers,
    PlateView,
    depth_nodes,
    fewer_frequencies,
    light_frequencies,
    light_table,
    wave_ranges,
)
from scintscope.explore.film import Film, film_tables, thickness_nodes
from scintscope.explore.state import (
    PLATES,
    VOLTAGE_STEP_KV,
    Limits,
    State,
    scenario_of,
    start_state,
)
from scintscope.instrument import Instrument
from scintscope.scenario import Scenario
from scintscope.scintillator.layers import EmittingLayer, emitting_layers, xray_transmission
from scintscope.scintillator.plate import Plate
from scintscope.source import Spectrum
from scintscope.source.parts import TubeSource

Array = NDArray[np.float64]
Key = tuple[str, float, float]
"""A layer's formula, density, and thickness; 0 for the film, whose thickness varies."""

Kept = TypeVar("Kept")

_KEPT = 12
_WARM = 8
"""Thicknesses tried for kinds of the model to compile: kinds differ by two in depth nodes."""


class NotReadyError(ScintscopeError):
    """Tables that a state needs are still being made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """Everything that belongs to one state.

    Parameters
    ----------
    scenario : Scenario
        That stands for it.
    instrument : Instrument
        Of the scenario.
    plates : dict of str to PlateView
        Curves of ``thin`` and ``thick``.
    light : dict of str to (energy, weights)
        Photon energies in keV, and the light that each makes in the film, any unit.
    """

    scenario: Scenario
    instrument: Instrument
    plates: dict[str, PlateView]
    light: dict[str, tuple[Array, Array]]


class Workshop:
    """Tables of all materials offered, and views of states from them.

    Parameters
    ----------
    base : Scenario
        Where the page starts.
    limit : Limits
        How far the sliders go.
    """

    def __init__(self, base: Scenario, limit: Limits) -> None:
        self.base, self.limit = base, limit
        self._start = base.instrument()
        self._films: dict[Key, Film] = {}
        self._engine: Engine | None = None
        self._queue: deque[str] = deque()
        self._lock = threading.Lock()
        self._status = ""
        self._failed: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self._weighed: OrderedDict[Any, tuple[Array, Any]] = OrderedDict()
        self._plates: OrderedDict[Any, tuple[PlateView, tuple[Array, Array]]] = OrderedDict()

    @property
    def status(self) -> str:
        """What is being made, in words; empty when all is there."""
        return self._status

    def failure(self, material: str) -> str:
        """Return why a material's tables could not be made; empty if they could."""
        return self._failed.get(material, "")

    def start(self) -> None:
        """Begin in the background: the scenario's own materials, spectra, then all others."""
        self._queue.extend(self.limit.materials)
        self._thread = threading.Thread(target=self._run, daemon=True, name="explore tables")
        self._thread.start()

    def wait(self) -> None:
        """Wait until everything has been made."""
        if self._thread is not None:
            self._thread.join()

    def ask_for(self, material: str) -> None:
        """Make a material's tables next."""
        with self._lock:
            if material in self._queue:
                self._queue.remove(material)
                self._queue.appendleft(material)

    def ready(self, state: State) -> bool:
        """Return whether a state's tables are there."""
        if self._engine is None:
            return False
        instrument = scenario_of(self.base, state).instrument()
        return all(
            _key(layer, number) in self._films
            for which in PLATES
            for number, layer in enumerate(emitting_layers(getattr(instrument, which)))
        )

    def view(self, state: State) -> View:
        """Return everything that belongs to a state.

        Raises
        ------
        NotReadyError
            If tables are missing.
        ScenarioError
            If the state is no valid scenario.
        """
        scenario = scenario_of(self.base, state)
        instrument = scenario.instrument()
        engine = self._engine
        if engine is None:
            raise NotReadyError("the first tables are being made.")
        found = {which: self._plate(engine, instrument, which, state) for which in PLATES}
        return View(
            scenario=scenario,
            instrument=instrument,
            plates={which: plate for which, (plate, _) in found.items()},
            light={which: light for which, (_, light) in found.items()},
        )

    def _plate(
        self, engine: Engine, instrument: Instrument, which: str, state: State
    ) -> tuple[PlateView, tuple[Array, Array]]:
        """Return what belongs to one plate, kept from before where only the other has changed.

        The other plate counts by the place that it leaves to this one alone.
        """
        plate: Plate = getattr(instrument, which)
        layers = emitting_layers(plate)
        keys = [_key(layer, number) for number, layer in enumerate(layers)]
        if any(key not in self._films for key in keys):
            raise NotReadyError(f"tables for {state.plate(which).material} are being made.")
        films = [self._films[key] for key in keys]

        def made() -> tuple[PlateView, tuple[Array, Array]]:
            spectrum = self._spectrum(instrument, which, state)
            reach = [
                self._weigh(key, spectrum, layer) for key, layer in zip(keys, layers, strict=True)
            ]
            weighed = [tables for _, tables in reach]
            view = engine.view(instrument, plate, spectrum, films, weighed)
            left = films[0].left_kev(plate.thickness_um)
            return view, (films[0].energy_kev, reach[0][0] * left)

        own = state.plate(which)
        name = (which, replace(state, thin=own, thick=own), _distance_mm(instrument, plate))
        return _remembered(self._plates, name, made)

    def _spectrum(self, instrument: Instrument, which: str, state: State) -> Spectrum:
        """Return the beam at a plate without running the tube model where it has run.

        A plate that begins nearer to the tube, because it is thicker, gets more by the square of
        the distance; the air between, less than a millimetre, is left out.
        """
        source = instrument.source
        if isinstance(source, TubeSource) and state.filter_um > 0.0:
            source = replace(source, filters=source.filters[:-1])
        known = _distance_mm(self._start, getattr(self._start, which))
        found = beams.spectrum(
            source,
            known,
            state.filter_material,
            state.filter_um,
        )
        here = _distance_mm(instrument, getattr(instrument, which))
        if here == known or not isinstance(source, TubeSource):
            return found
        return replace(found, photons_per_um2_s=found.photons_per_um2_s * (known / here) ** 2)

    def _weigh(self, key: Key, spectrum: Spectrum, layer: EmittingLayer) -> tuple[Array, Any]:
        """Return the photons that reach a layer, and its tables summed over them."""
        film = self._films[key]
        photons = beams.photons_on(film.energy_kev, spectrum, film.material)
        photons = photons * xray_transmission(layer, film.energy_kev)
        name = (key, photons.tobytes())
        return _remembered(self._weighed, name, lambda: (photons, film.weighed(photons)))

    def _run(self) -> None:
        """Make everything; what fails is kept as a sentence."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhysicsWarning)
            try:
                self._make_engine()
            except ScintscopeError as error:
                self._failed.update(dict.fromkeys(self.limit.materials, str(error)))
                self._status = str(error)
                return
            first = True
            while self._queue:
                with self._lock:
                    material = self._queue.popleft()
                try:
                    self._make_films(material)
                except ScintscopeError as error:
                    self._failed[material] = str(error)
                if first and self.ready(start_state(self.base)):
                    self._warm_up()
                    first = False
        self._status = ""

    def _make_engine(self) -> None:
        """Make the table of transfer functions."""
        self._status = "making transfer functions of the light"
        corners = list(self._corners())
        cutoff = max(float(numbers["cutoff"]) for numbers in corners)
        pixel = float(corners[0]["pixel"])
        top = min(1.0 / pixel, cutoff)
        self._top = cutoff
        pupil = light_table(*wave_ranges(corners))
        self._engine = Engine(
            pupil=pupil,
            focus_pupil=fewer_frequencies(pupil),
            frequency_cy_per_um=np.linspace(0.0, top, FREQUENCIES),
            light_cy_per_um=light_frequencies(cutoff),
        )

    def _corners(self) -> Sequence[Numbers]:
        """Return the numbers of all materials, ends of NA and of thickness, and both plates."""
        found = []
        for material, na, um in product(
            self.limit.materials, self.limit.na, self.limit.thickness_um
        ):
            at = self._corner(na, um, material)
            instrument = scenario_of(self.base, at).instrument()
            found += [instrument_numbers(instrument, getattr(instrument, w)) for w in PLATES]
        return found

    def _corner(self, na: float, thickness_um: float, material: str = "") -> State:
        """Return the start with another NA, and with both plates as thick, at their best focus."""
        state = start_state(self.base)
        thin, thick = (
            replace(
                plate,
                material=material or plate.material,
                thickness_um=thickness_um,
                focus_um=None,
            )
            for plate in (state.thin, state.thick)
        )
        return replace(state, na=na, thin=thin, thick=thick)

    def _make_films(self, material: str) -> None:
        """Make the tables of a material as film of both plates, and of what lies beneath."""
        state = start_state(self.base)
        plates = {which: replace(state.plate(which), material=material) for which in PLATES}
        instrument = scenario_of(
            self.base, replace(state, thin=plates["thin"], thick=plates["thick"])
        ).instrument()
        for which in PLATES:
            plate = getattr(instrument, which)
            for number, layer in enumerate(emitting_layers(plate)):
                key = _key(layer, number)
                if key not in self._films:
                    self._films[key] = self._film(instrument, plate, layer, number)

    def _film(
        self, instrument: Instrument, plate: Plate, layer: EmittingLayer, number: int
    ) -> Film:
        nodes = (thickness_nodes(*self.limit.thickness_um),) if number == 0 else ()
        values = tuple(nodes[0].values.tolist()) if nodes else (layer.thickness_um,)
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            self._status = (
                f"making tables for {layer.medium.name}: {done} of {len(values)} thicknesses"
            )

        advance(0)
        top_kev = self.limit.voltage_kv[1]
        distance = _distance_mm(instrument, plate)
        grid = beams.energy_grid(instrument.source, distance, layer.medium, top_kev)
        return film_tables(
            layer.medium, nodes, values, grid, instrument.accuracy.effects, self._top, advance
        )

    def _warm_up(self) -> None:
        """Run once through what is compiled at first use, and the tube at every voltage."""
        self._status = "compiling the model"
        seen = set()
        nas = (self.base.lens.na, *self.limit.na)
        for na, um in product(nas, np.geomspace(*self.limit.thickness_um, _WARM)):
            state = self._corner(na, float(um))
            instrument = scenario_of(self.base, state).instrument()
            plates = [getattr(instrument, which) for which in PLATES]
            counts = tuple(depth_nodes(instrument_numbers(instrument, p)) for p in plates)
            if counts not in seen:
                seen.add(counts)
                self.view(state)
        low, high = self.limit.voltage_kv
        instrument = self.base.instrument()
        source = instrument.source
        if not isinstance(source, TubeSource):
            return
        for voltage in np.arange(low, high + 0.5 * VOLTAGE_STEP_KV, VOLTAGE_STEP_KV):
            self._status = f"running the tube model at {voltage:g} kV"
            at = replace(source, voltage_kv=float(voltage))
            for plate in (instrument.thin, instrument.thick):
                distance = _distance_mm(instrument, plate)
                beams.prepare(at, distance)


def _remembered(store: OrderedDict[Any, Kept], name: object, make: Callable[[], Kept]) -> Kept:
    """Return what is stored under a name, made if need be; the longest unused makes room."""
    found = store.get(name)
    if found is None:
        found = make()
        store[name] = found
        while len(store) > _KEPT:
            store.popitem(last=False)
    else:
        store.move_to_end(name)
    return found


def _distance_mm(instrument: Instrument, plate: Plate) -> float:
    return instrument.geometry.entrance_distance_mm(
        plate.thickness_um, instrument.thin.thickness_um
    )


def _key(layer: EmittingLayer, number: int) -> Key:
    medium = layer.medium
    thickness = 0.0 if number == 0 else layer.thickness_um
    return medium.formula, medium.density_g_cm3, thickness
