"""Views of any state from the page's tables."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from scintscope.design.instrument_numbers import instrument_numbers
from scintscope.errors import ScintscopeError
from scintscope.explore import beams
from scintscope.explore.engine import Engine, NotReadyError, PlateView, depth_nodes
from scintscope.explore.film import Arrays, Film, Stencil, mixed, tabulated
from scintscope.explore.jobs import Job
from scintscope.explore.state import PLATES, Limits, State, scenario_of
from scintscope.explore.tables import (
    Key,
    Rank,
    Tables,
    beam_distance_mm,
    beam_subject,
    distance_mm,
    key_of,
)
from scintscope.instrument import Instrument
from scintscope.progress import Progress, silent
from scintscope.scenario import Scenario
from scintscope.scintillator.layers import EmittingLayer, emitting_layers, xray_transmission
from scintscope.scintillator.plate import Plate
from scintscope.source import Spectrum
from scintscope.source.parts import TubeSource

Array = NDArray[np.float64]

Kept = TypeVar("Kept")

_KEPT_PLATES, _KEPT_SUMS = 16, 128
_WARM = 8
"""Thicknesses tried for kinds of the model to compile: kinds differ by two in depth nodes."""


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
    fine : bool
        False while a thickness is interpolated between few tables, more of which are to come.
    """

    scenario: Scenario
    instrument: Instrument
    plates: dict[str, PlateView]
    light: dict[str, tuple[Array, Array]]
    fine: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reached:
    """A layer with the photons that reach it, and its film's tables there."""

    key: Key
    film: Film
    stencil: Stencil
    layer: EmittingLayer


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
        self.tables = Tables(base, limit)
        self._known_mm = beam_distance_mm(base.instrument())
        self._lock = threading.Lock()
        self._kinds: set[int] = set()
        self._pool = ThreadPoolExecutor(len(PLATES))
        self._weighed: OrderedDict[Any, Arrays] = OrderedDict()
        self._plates: OrderedDict[Any, tuple[PlateView, tuple[Array, Array]]] = OrderedDict()

    def start(self, progress: Progress = silent) -> None:
        """Begin to make everything in the background."""
        instrument = self.base.instrument()
        for plate in (instrument.thin, instrument.thick):
            self._queue_compilation(instrument, plate, Rank.COMPILED)
        name, rank = "what else to compile", Rank.COMPILED_ALL
        self.tables.jobs.add(Job(name=name, make=self._queue_all, rank=rank, seconds=0.5))
        self.tables.start(progress)

    def wait(self) -> None:
        """Wait until everything has been made."""
        self.tables.jobs.wait()

    def _reached(self, plate: Plate) -> list[_Reached] | None:
        """Return a plate's layers with their tables, or None while some are missing."""
        found = []
        for number, layer in enumerate(emitting_layers(plate)):
            key = key_of(layer, number)
            film = self.tables.films.get(key)
            stencil = film.stencil(layer.thickness_um) if film is not None else None
            if film is None or stencil is None:
                return None
            found.append(_Reached(key=key, film=film, stencil=stencil, layer=layer))
        return found

    def view(self, state: State) -> View:
        """Return everything that belongs to a state.

        Raises
        ------
        NotReadyError
            If tables are missing; they are made next.
        ScintscopeError
            If they cannot be made, or the state is no valid scenario.
        """
        scenario = scenario_of(self.base, state)
        instrument = scenario.instrument()
        engine = self.tables.engine
        if engine is None:
            failure = self.tables.failure("")
            raise ScintscopeError(failure) if failure else NotReadyError("tables are being made.")
        layers = {}
        for which in PLATES:
            reached = self._reached(getattr(instrument, which))
            if reached is None:
                self._not_ready(state.plate(which).material)
            layers[which] = reached
        if isinstance(instrument.source, TubeSource):
            voltage = instrument.source.voltage_kv
            if (voltage, state.filter_um > 0.0) not in self.tables.beams:
                self._not_ready(beam_subject(voltage))
        asked = {
            which: self._pool.submit(self._plate, engine, instrument, which, state, layers[which])
            for which in PLATES
        }
        found = {which: answer.result() for which, answer in asked.items()}
        return View(
            scenario=scenario,
            instrument=instrument,
            plates={which: plate for which, (plate, _) in found.items()},
            light={which: light for which, (_, light) in found.items()},
            fine=all(part.stencil.fine for parts in layers.values() for part in parts),
        )

    def _not_ready(self, subject: str) -> NoReturn:
        """Have tables made next, unless they are the first ones, and say that they are missing.

        Raises
        ------
        ScintscopeError
            If they could not be made; else NotReadyError.
        """
        failure = self.tables.failure(subject)
        if failure:
            raise ScintscopeError(f"No tables for {subject}: {failure}")
        self.tables.prefer(subject)
        raise NotReadyError(f"tables for {subject} are being made.")

    def _plate(
        self,
        engine: Engine,
        instrument: Instrument,
        which: str,
        state: State,
        layers: list[_Reached],
    ) -> tuple[PlateView, tuple[Array, Array]]:
        """Return what belongs to one plate, kept from before where only the other has changed.

        The other plate counts by the place that it leaves to this one alone.
        """
        plate: Plate = getattr(instrument, which)

        def made() -> tuple[PlateView, tuple[Array, Array]]:
            spectrum = self._spectrum(instrument, which, state)
            photons = [self._photons(part, spectrum) for part in layers]
            summed = [self._summed(part, n) for part, n in zip(layers, photons, strict=True)]
            film, stencil = layers[0].film, layers[0].stencil
            left = film.left_kev(plate.thickness_um, stencil)
            return engine.view(instrument, plate, spectrum, summed), (
                film.energy_kev,
                photons[0] * left,
            )

        own = state.plate(which)
        used = tuple(part.stencil for part in layers)
        alone = replace(state, thin=own, thick=own)
        name = (which, alone, distance_mm(instrument, plate), used)
        return self._remembered(self._plates, _KEPT_PLATES, name, made)

    def _spectrum(self, instrument: Instrument, which: str, state: State) -> Spectrum:
        """Return the beam at a plate without running the tube model where it has run.

        A plate that begins nearer to the tube, because it is thicker, gets more by the square of
        the distance; the air between, less than a millimetre, is left out.
        """
        source = instrument.source
        if isinstance(source, TubeSource) and state.filter_um > 0.0:
            source = replace(source, filters=source.filters[:-1])
        here = distance_mm(instrument, getattr(instrument, which))
        tube = isinstance(source, TubeSource)
        found = beams.spectrum(
            source,
            self._known_mm if tube else here,
            state.filter_material,
            state.filter_um,
        )
        nearer = (self._known_mm / here) ** 2 if tube else 1.0
        return replace(found, photons_per_um2_s=found.photons_per_um2_s * nearer)

    def _photons(self, part: _Reached, spectrum: Spectrum) -> Array:
        """Return the photons of each of a film's energies that reach a layer, (E,)."""
        found = beams.photons_on(part.film.energy_kev, spectrum, part.film.material)
        return found * xray_transmission(part.layer, part.film.energy_kev)

    def _summed(self, part: _Reached, photons: Array) -> dict[str, Array]:
        """Return a layer's tables summed over the photons that reach it, at its thickness."""
        name = (part.key, photons.tobytes())
        sums = [
            self._remembered(
                self._weighed, _KEPT_SUMS, (um, *name), partial(part.film.weighed, um, photons)
            )
            for um in part.stencil.thickness_um
        ]
        return {key: mixed([one[key] for one in sums], part.stencil) for key in sums[0]}

    def _remembered(
        self, store: OrderedDict[Any, Kept], most: int, name: object, make: Callable[[], Kept]
    ) -> Kept:
        """Return what is stored under a name, made if need be; the longest unused makes room."""
        with self._lock:
            if name in store:
                store.move_to_end(name)
                return store[name]
        found = make()
        with self._lock:
            store[name] = found
            while len(store) > most:
                store.popitem(last=False)
        return found

    def _queue_all(self) -> None:
        """Queue what is compiled for other NA and thicknesses than the start's."""
        nas = (self.base.lens.na, *self.limit.na)
        for na, um in product(nas, np.geomspace(*self.limit.thickness_um, _WARM)):
            state = self.tables.corner(na, float(um))
            instrument = scenario_of(self.base, state).instrument()
            self._queue_compilation(instrument, instrument.thick, Rank.COMPILED_ALL)

    def _queue_compilation(self, instrument: Instrument, plate: Plate, rank: Rank) -> None:
        """Queue the compilation of the kind that a plate needs, once."""
        count = depth_nodes(instrument_numbers(instrument, plate))
        if count in self._kinds:
            return
        self._kinds.add(count)
        make = partial(self._compile, instrument, plate)
        job = Job(name="compiling the model", make=make, rank=rank, seconds=3.0)
        self.tables.jobs.add(job)

    def _compile(self, instrument: Instrument, plate: Plate) -> None:
        """Run the model once, on empty tables."""
        engine = self.tables.engine_when_made()
        if engine is not None:
            engine.compile(instrument, plate, tabulated(self.tables.cutoff_cy_per_um))
