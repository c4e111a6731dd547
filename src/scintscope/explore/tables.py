"""The page's tables and the order in which they are made: what shows first curves comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import IntEnum
from functools import partial
from itertools import product

import numpy as np

from scintscope.design.instrument_numbers import instrument_numbers
from scintscope.errors import ScintscopeError
from scintscope.explore import beams
from scintscope.explore.engine import (
    FREQUENCIES,
    Engine,
    Numbers,
    fewer_frequencies,
    light_frequencies,
    light_table,
    wave_ranges,
)
from scintscope.explore.film import Film, rough, rungs, sheet
from scintscope.explore.jobs import Job, Jobs
from scintscope.explore.state import (
    PLATES,
    VOLTAGE_STEP_KV,
    Limits,
    State,
    scenario_of,
    start_state,
)
from scintscope.instrument import Instrument
from scintscope.progress import Progress, silent
from scintscope.scenario import Scenario
from scintscope.scintillator.layers import EmittingLayer, emitting_layers
from scintscope.scintillator.plate import Plate
from scintscope.source.parts import TubeSource

Key = tuple[str, float, float]
"""A layer's formula, density, and thickness; 0 for the film, whose thickness varies."""


class Rank(IntEnum):
    """Order of the work."""

    FIRST = 0
    COMPILED = 1
    ROUGH = 2
    COMPILED_ALL = 3
    BEAMS = 4
    FINE = 5
    OTHERS = 6
    OTHERS_FINE = 7


class Tables:
    """Tables of all materials offered, made in the background.

    Parameters
    ----------
    base : Scenario
        Where the page starts.
    limit : Limits
        How far the sliders go.

    Attributes
    ----------
    films : dict
        Tables of each layer.
    engine : Engine or None
        Once its transfer functions are there.
    jobs : Jobs
        The work.
    cutoff_cy_per_um : float
        Cut-off at the largest NA.
    """

    def __init__(self, base: Scenario, limit: Limits) -> None:
        self.base, self.limit = base, limit
        self.films: dict[Key, Film] = {}
        self.engine: Engine | None = None
        self.jobs = Jobs(self._note)
        self._engine_done = threading.Event()
        self._lock = threading.Lock()
        self._failed: dict[str, str] = {}
        self._start = start_state(base)
        corners = list(self._corners())
        self.cutoff_cy_per_um = max(float(numbers["cutoff"]) for numbers in corners)
        self._ranges = wave_ranges(corners)
        self._pixel = float(corners[0]["pixel"])

    def start(self, progress: Progress = silent) -> None:
        """Begin in the background: what the start needs, its material's range, all else."""
        instrument = self.base.instrument()
        own = {self._start.plate(which).material for which in PLATES}
        self.jobs.add(self._job("transfer functions of the light", self._make_engine, Rank.FIRST))
        for material in self.limit.materials:
            self.jobs.add(*self._film_jobs(material, material in own))
        self.jobs.add(*self._beam_jobs(instrument))
        self.jobs.start(progress)

    def engine_when_made(self) -> Engine | None:
        """Wait for the transfer functions; None if they could not be made."""
        self._engine_done.wait()
        return self.engine

    def failure(self, material: str) -> str:
        """Return why a material's tables could not be made; empty if they could."""
        return self._failed.get("", self._failed.get(material, ""))

    def instrument_with(self, material: str) -> Instrument:
        """Return the start's instrument with both plates of a material."""
        thin, thick = (replace(self._start.plate(w), material=material) for w in PLATES)
        return scenario_of(self.base, replace(self._start, thin=thin, thick=thick)).instrument()

    def corner(self, na: float, thickness_um: float, material: str = "") -> State:
        """Return the start with another NA, and with both plates as thick, at their best focus."""
        thin, thick = (
            replace(
                self._start.plate(which),
                material=material or self._start.plate(which).material,
                thickness_um=thickness_um,
                focus_um=None,
            )
            for which in PLATES
        )
        return replace(self._start, na=na, thin=thin, thick=thick)

    def _note(self, job: Job, error: ScintscopeError) -> None:
        """Keep why a job failed; without a subject, it concerns all materials."""
        self._failed[job.subject] = str(error)

    def _job(self, name: str, make: Callable[[], None], rank: Rank, seconds: float = 4.0) -> Job:
        return Job(name=name, make=make, rank=rank, seconds=seconds)

    def _make_engine(self) -> None:
        """Make the table of transfer functions."""
        try:
            pupil = light_table(*self._ranges)
            top = min(1.0 / self._pixel, self.cutoff_cy_per_um)
            self.engine = Engine(
                pupil=pupil,
                focus_pupil=fewer_frequencies(pupil),
                frequency_cy_per_um=np.linspace(0.0, top, FREQUENCIES),
                light_cy_per_um=light_frequencies(self.cutoff_cy_per_um),
            )
        finally:
            self._engine_done.set()

    def _corners(self) -> Iterator[Numbers]:
        """Yield the numbers of all materials, ends of NA and of thickness, and both plates."""
        for material, na, um in product(
            self.limit.materials, self.limit.na, self.limit.thickness_um
        ):
            instrument = scenario_of(self.base, self.corner(na, um, material)).instrument()
            for which in PLATES:
                yield instrument_numbers(instrument, getattr(instrument, which))

    def _film_jobs(self, material: str, own: bool) -> Iterator[Job]:
        """Yield the work for a material as film of both plates, and for what lies beneath."""
        instrument = self.instrument_with(material)
        ladder = rungs(*self.limit.thickness_um)
        seen: set[Key] = set()
        for plate in (instrument.thick, instrument.thin):
            for number, layer in enumerate(emitting_layers(plate)):
                key = key_of(layer, number)
                self._open_film(instrument, plate, layer, key, () if number else ladder)
                first = Rank.FIRST if own else Rank.OTHERS
                if key not in seen or number == 0:
                    yield self._sheet_job(key, layer.thickness_um, first, material)
                if key in seen or number:
                    continue
                for um in ladder:
                    coarse = um in rough(ladder)
                    late = Rank.FINE if own else Rank.OTHERS_FINE
                    early = Rank.ROUGH if own else Rank.OTHERS
                    yield self._sheet_job(key, um, early if coarse else late, material)
                seen.add(key)

    def _open_film(
        self,
        instrument: Instrument,
        plate: Plate,
        layer: EmittingLayer,
        key: Key,
        ladder: tuple[float, ...],
    ) -> None:
        """Begin a film without tables."""
        if key in self.films:
            return
        distance = distance_mm(instrument, plate)
        top_kev = self.limit.voltage_kv[1]
        energy = beams.energy_grid(instrument.source, distance, layer.medium, top_kev)
        self.films[key] = Film(material=layer.medium, energy_kev=energy, ladder=ladder)

    def _sheet_job(self, key: Key, thickness_um: float, rank: Rank, material: str) -> Job:
        return Job(
            name=f"{self.films[key].material.name}, {thickness_um:.3g} um",
            make=partial(self._make_sheet, key, thickness_um),
            rank=rank,
            subject=material,
            seconds=4.0,
        )

    def _make_sheet(self, key: Key, thickness_um: float) -> None:
        film = self.films[key]
        if thickness_um in film.sheets:
            return
        effects = self.base.accuracy.effects
        arrays = sheet(film.material, thickness_um, film.energy_kev, effects, self.cutoff_cy_per_um)
        with self._lock:
            self.films[key] = self.films[key].with_sheet(thickness_um, arrays)

    def _beam_jobs(self, instrument: Instrument) -> Iterator[Job]:
        """Yield a run of the tube model for every voltage of the slider, nearest first."""
        source = instrument.source
        if not isinstance(source, TubeSource):
            return
        low, high = self.limit.voltage_kv
        voltages = np.arange(low, high + 0.5 * VOLTAGE_STEP_KV, VOLTAGE_STEP_KV)
        distance, bin_kev = beam_distance_mm(instrument), instrument.accuracy.energy_bin_kev
        for voltage in sorted(voltages.tolist(), key=lambda kv: abs(kv - source.voltage_kv)):
            at = replace(source, voltage_kv=voltage)
            make = partial(beams.prepare, at, distance, bin_kev)
            rank = Rank.COMPILED if voltage == source.voltage_kv else Rank.BEAMS
            yield self._job(f"tube at {voltage:g} kV", make, rank, 1.0)


def distance_mm(instrument: Instrument, plate: Plate) -> float:
    """Return the distance from the source to a plate's entrance face."""
    return instrument.geometry.entrance_distance_mm(
        plate.thickness_um, instrument.thin.thickness_um
    )


def beam_distance_mm(instrument: Instrument) -> float:
    """Return the distance for which the tube model is run: the start's thin plate."""
    return distance_mm(instrument, instrument.thin)


def key_of(layer: EmittingLayer, number: int) -> Key:
    """Return the key of a plate's layer; number 0 is the film."""
    medium = layer.medium
    thickness = 0.0 if number == 0 else layer.thickness_um
    return medium.formula, medium.density_g_cm3, thickness
