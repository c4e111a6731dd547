"""The page's tables and the order in which they are made: what shows first curves comes first."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import IntEnum
from functools import partial
from itertools import product

import numpy as np

from scintscope.design.instrument_numbers import instrument_numbers
from scintscope.design.pupil_table import MOST_BYTES, table_bytes
from scintscope.errors import InputError, ScintscopeError
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
    beams : set of (float, bool)
        Voltages at which the tube model has run, kV: without an added filter, with one.
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
        self.beams: set[tuple[float, bool]] = set()
        self._start = start_state(base)
        largest = self._corners((limit.na[1],), (limit.thickness_um[0],))
        self.cutoff_cy_per_um = max(float(numbers["cutoff"]) for numbers in largest)

    def start(self, progress: Progress = silent) -> None:
        """Begin in the background: what the start needs, its material's range, all else."""
        instrument = self.base.instrument()
        own = {self._start.plate(which).material for which in PLATES}
        light = "transfer functions of the light"
        self.jobs.add(Job(name=light, make=self._make_engine, rank=Rank.FIRST, seconds=5.0))
        for material in self.limit.materials:
            self.jobs.add(*self._film_jobs(material, material in own))
        self.jobs.add(*self._beam_jobs(instrument))
        self.jobs.start(progress)

    def engine_when_made(self) -> Engine | None:
        """Wait for the transfer functions; None if they could not be made."""
        self._engine_done.wait()
        return self.engine

    def light_bytes(self) -> float:
        """Return the memory that the transfer functions take."""
        return table_bytes(*wave_ranges(list(self._corners(*self._ends()))))

    def _ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return self.limit.na, self.limit.thickness_um

    def failure(self, subject: str) -> str:
        """Return why tables could not be made; empty if they could, or may still be."""
        return self._failed.get(subject, "")

    def prefer(self, subject: str) -> None:
        """Have a subject's tables made next, if it is not one that is there from the start."""
        source = self.base.source
        own = {self._start.plate(which).material for which in PLATES}
        if isinstance(source, TubeSource):
            own.add(beam_subject(source.voltage_kv))
        if subject not in own:
            self.jobs.prefer(subject)

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

    def _make_engine(self) -> None:
        """Make the table of transfer functions."""
        try:
            corners = list(self._corners(*self._ends()))
            pupil = light_table(*wave_ranges(corners))
            top = min(1.0 / float(corners[0]["pixel"]), self.cutoff_cy_per_um)
            self.engine = Engine(
                pupil=pupil,
                focus_pupil=fewer_frequencies(pupil),
                frequency_cy_per_um=np.linspace(0.0, top, FREQUENCIES),
                light_cy_per_um=light_frequencies(self.cutoff_cy_per_um),
            )
        finally:
            self._engine_done.set()

    def _corners(self, nas: Sequence[float], thickness_um: Sequence[float]) -> Iterator[Numbers]:
        """Yield the numbers of all materials at given NA and thicknesses, and both plates."""
        for material, na, um in product(self.limit.materials, nas, thickness_um):
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
            name=f"{thickness_um:.3g} um of {self.films[key].material.name}",
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
        """Yield runs of the tube model for every voltage of the slider, nearest first."""
        source = instrument.source
        if not isinstance(source, TubeSource):
            return
        low, high = self.limit.voltage_kv
        voltages = np.arange(low, high + 0.5 * VOLTAGE_STEP_KV, VOLTAGE_STEP_KV)
        nearest = sorted(voltages.tolist(), key=lambda kv: abs(kv - source.voltage_kv))
        for filtered, kv in product((False, True), nearest):
            first = kv == source.voltage_kv and not filtered
            yield Job(
                name=f"tube at {kv:g} kV" + (" with filters" if filtered else ""),
                make=partial(self._make_beam, replace(source, voltage_kv=kv), filtered),
                rank=Rank.FIRST if first else Rank.BEAMS,
                subject=beam_subject(kv),
                seconds=2.0 if filtered else 1.0,
            )

    def _make_beam(self, source: TubeSource, filtered: bool) -> None:
        instrument = self.base.instrument()
        beams.prepare(source, beam_distance_mm(instrument), filtered)
        self.beams.add((source.voltage_kv, filtered))


def fitting(base: Scenario, limit: Limits) -> Limits:
    """Return limits whose transfer functions fit into memory, if need be the scenario's own.

    Raises
    ------
    InputError
        If even they do not.
    """
    um = max(base.thin.thickness_um, base.thick.thickness_um)
    size = 0.0
    for share in (1.0, 0.5, 0.0):
        na = base.lens.na + share * (limit.na[1] - base.lens.na)
        thickest = um + share * (limit.thickness_um[1] - um)
        chosen = replace(
            limit, na=(limit.na[0], na), thickness_um=(limit.thickness_um[0], thickest)
        )
        size = Tables(base, chosen).light_bytes()
        if size <= MOST_BYTES:
            return chosen
    rather = 0.7 * um * (MOST_BYTES / size) ** (1.0 / 3.0)  # in all, size goes with the cube
    raise InputError(
        f"lens.na = {base.lens.na:g} with a plate of {um:g} um: its faces are so far out of focus "
        f"that the page's tables would take {size / 1e9:.1f} GB (limit {MOST_BYTES / 1e9:g} GB). "
        f"Choose a thinner plate, e.g. --set thick.thickness_um={rather:.2g}, or a smaller lens.na."
    )


def beam_subject(voltage_kv: float) -> str:
    """Return the subject of a voltage's runs of the tube model."""
    return f"{voltage_kv:g} kV"


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
