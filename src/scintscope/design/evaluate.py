"""All designs of a study's grid: in chunks, side by side, and so that a killed study can go on.

A chunk is a fixed set of designs, computed in one fixed order with fixed threads
(`scintscope.threads`), so that its numbers do not depend on who computes it or when. Finished
chunks are kept in ``<out>.chunks`` until the study is complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import scintscope
from scintscope.cache import key_of, read_table, write_table
from scintscope.design.model import DEPTH_COUNTS, DesignModel, evaluate, numbers_at
from scintscope.design.objectives import Objective
from scintscope.design.study import Study
from scintscope.errors import InputError
from scintscope.jax64 import jax, jnp
from scintscope.threads import POOL_THREADS, fix_threads

Array = NDArray[np.float64]
Rows = dict[str, NDArray[Any]]

CHUNK = 64
WORTH_COMPILING = 25_000
"""Designs times depth nodes from which a program of their own pays."""
CURVES = ("mtf", "dqe", "normalised_nps_um2")
SCALARS = (
    "focus_um", "exposure_s", "dose_gy", "field_um", "pixel_um", "electrons_per_um2",
    "electrons_per_kev", "incident_per_um2",
)  # fmt: skip
_KEY = "key.txt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Designs computed together.

    Parameters
    ----------
    number : int
        Of the chunk.
    choice : int
        Which combination of named variables.
    design : (N,) int array
        Places on the numeric grid.
    count : int
        Depth nodes.
    """

    number: int
    choice: int
    design: NDArray[np.intp]
    count: int


def chunks_of(models: list[DesignModel], values: Mapping[str, Array]) -> list[Chunk]:
    """Return the chunks of a grid: designs of like depth nodes together, in their order.

    A kind of which there are few joins the next one up: a program for it would take longer to
    compile than its designs to compute with more nodes.
    """
    found: list[Chunk] = []
    for choice, model in enumerate(models):
        counts = depth_counts(model, values)
        kinds = sorted(set(counts.tolist()))
        for kind, more in pairwise(kinds):
            if np.count_nonzero(counts == kind) * kind < WORTH_COMPILING:
                counts[counts == kind] = more
        for count in sorted(set(counts.tolist())):
            mine = np.flatnonzero(counts == count)
            for start in range(0, mine.size, CHUNK):
                part = mine[start : start + CHUNK]
                found.append(Chunk(number=len(found), choice=choice, design=part, count=count))
    return found


def depth_counts(model: DesignModel, values: Mapping[str, Array]) -> NDArray[np.intp]:
    """Return the depth nodes of every design, (N,); see `model.depth_count`."""
    mine = {key: jnp.asarray(values[key]) for key in model.keys}
    size = next(iter(values.values())).size
    if not mine:
        return np.full(size, model.depth_count({}), dtype=np.intp)

    def span(one: Mapping[str, Any]) -> Any:
        numbers = numbers_at(model.plan, model.tables, one)
        waves = jnp.abs(numbers["slab@0"][:, 0] / numbers["wave"]).max()
        return 2.0 * waves * numbers["layer@0"]

    wanted = 8.0 + 2.0 * np.asarray(jax.jit(partial(jax.lax.map, span))(mine))
    place = np.searchsorted(DEPTH_COUNTS, wanted)
    return np.asarray(DEPTH_COUNTS)[np.minimum(place, len(DEPTH_COUNTS) - 1)]


@partial(jax.jit, static_argnames=("plan", "count", "objectives"))
def _judged(
    tables: Any, pupil: Any, values: Any, size: Any,
    plan: Any, count: int, objectives: tuple[Objective, ...],
) -> dict[str, Any]:  # fmt: skip
    """Return curves, numbers and objectives of the first designs, one after the other, (CHUNK,).

    ``size`` is how many there are; the rows beyond stay 0.
    """

    def one(point: Any) -> dict[str, Any]:
        curves = evaluate(tables, pupil, point, plan, count)
        found = {name: getattr(curves, name) for name in SCALARS}
        found |= {name: getattr(curves, name).astype(jnp.float32) for name in CURVES}
        found["objectives"] = jnp.stack([o.value(curves) for o in objectives])
        return found

    def add(i: Any, rows: dict[str, Any]) -> dict[str, Any]:
        found = one({key: column[i] for key, column in values.items()})
        return {name: row.at[i].set(found[name]) for name, row in rows.items()}

    like = jax.eval_shape(one, {key: column[0] for key, column in values.items()})
    empty = {name: jnp.zeros((CHUNK, *x.shape), x.dtype) for name, x in like.items()}
    judged: dict[str, Any] = jax.lax.fori_loop(0, size, add, empty)
    return judged


def compute(
    model: DesignModel, objectives: tuple[Objective, ...], values: Mapping[str, Array], count: int
) -> Rows:
    """Return the rows of a chunk; one program serves chunks of any size."""
    size = next(iter(values.values())).size
    fill = np.minimum(np.arange(CHUNK), size - 1)
    traced = {key: jnp.asarray(values[key][fill]) for key in model.keys}
    if not traced:
        traced = {"+yield": jnp.ones(CHUNK)}
    rows = _judged(model.tables, model.pupil, traced, size, model.plan, count, objectives)
    return {name: np.asarray(value)[:size] for name, value in rows.items()}


def compute_far(
    model: DesignModel, objectives: tuple[Objective, ...], values: Mapping[str, Array], count: int
) -> Rows:
    """Do as `compute` in a worker process, with its threads fixed."""
    fix_threads()
    return compute(model, objectives, values, count)


def study_key(study: Study) -> str:
    """Return a digest of everything that decides a study's numbers."""
    return key_of(
        {
            "version": scintscope.__version__,
            "base": study.base.hash(),
            "plate": study.plate,
            "variables": [[v.key, v.way, [str(x) for x in v.values]] for v in study.variables],
            "links": [str(link) for link in study.links],
            "constraints": str(study.constraints),
            "objectives": [str(o) for o in study.objectives],
            "tolerances": sorted(study.tolerances.items()),
            "sample": str(study.sample),
        }
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """Finished chunks on disk.

    Parameters
    ----------
    folder : Path
        ``<out>.chunks``.
    """

    folder: Path

    @classmethod
    def open(cls, out: Path, key: str, resume: bool) -> Shelf:
        """Return the shelf of an output folder; what another study or run left there goes.

        Raises
        ------
        InputError
            If ``--resume`` finds the chunks of another study, or something else in its way.
        """
        folder = out.with_name(out.name + ".chunks")
        known = folder / _KEY
        if folder.exists():
            if not known.is_file():
                raise InputError(f"{folder} is in the way and no study left it there. Move it.")
            same = known.read_text(encoding="utf-8").strip() == key
            if resume and not same:
                raise InputError(
                    f"{folder} holds the chunks of another study or version: run without --resume "
                    "to start anew."
                )
            if not resume:
                shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        known.write_text(key + "\n", encoding="utf-8")
        return cls(folder=folder)

    def path(self, chunk: Chunk) -> Path:
        """Return where a chunk is kept."""
        return self.folder / f"{chunk.number:06d}.npz"

    def close(self) -> None:
        """Remove the shelf: the study is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)


def evaluate_all(
    study: Study,
    models: list[DesignModel],
    chunks: list[Chunk],
    shelf: Shelf,
    advance: Callable[[int], None],
    workers: int = 0,
    scheduler: str = "",
) -> None:
    """Compute the chunks that the shelf does not have.

    Parameters
    ----------
    study, models, chunks, shelf
        What to compute, and where it goes.
    advance : callable
        Told of the designs done.
    workers : int
        Processes of a local Dask cluster; 0: threads of this process.
    scheduler : str
        Address of a Dask scheduler.
    """
    grid = study.grid()
    left = []
    for chunk in chunks:
        path = shelf.path(chunk)
        if path.is_file() and read_table(path) is not None:
            advance(chunk.design.size)
        else:
            left.append(chunk)

    def values_of(chunk: Chunk) -> dict[str, Array]:
        return {key: column[chunk.design] for key, column in grid.items()}

    def keep(chunk: Chunk, rows: Rows) -> None:
        write_table(shelf.path(chunk), rows)
        advance(chunk.design.size)

    if not left:
        return
    if workers or scheduler:
        _on_dask(study, models, left, values_of, keep, workers, scheduler)
        return

    def here(chunk: Chunk) -> None:
        model = models[chunk.choice]
        keep(chunk, compute(model, study.objectives, values_of(chunk), chunk.count))

    with ThreadPoolExecutor(POOL_THREADS) as pool:
        list(pool.map(here, _kinds_first(left)))


def _kinds_first(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with one of each kind in front, so that programs compile side by side."""
    first = {c.number for c in {c.count: c for c in reversed(chunks)}.values()}
    return sorted(chunks, key=lambda c: c.number not in first)


def _on_dask(
    study: Study,
    models: list[DesignModel],
    chunks: list[Chunk],
    values_of: Callable[[Chunk], dict[str, Array]],
    keep: Callable[[Chunk, Rows], None],
    workers: int,
    scheduler: str,
) -> None:
    """Compute chunks on Dask workers; each gets the tables once."""
    from distributed import as_completed

    with _client(workers, scheduler) as client:
        there = [client.scatter(model, broadcast=True, hash=False) for model in models]
        futures = {
            client.submit(
                compute_far, there[c.choice], study.objectives, values_of(c), c.count, pure=False
            ): c
            for c in chunks
        }
        for future in as_completed(futures):
            keep(futures[future], future.result())
            future.release()


@contextmanager
def _client(workers: int, scheduler: str) -> Iterator[Any]:
    """Give a Dask client of a cluster that runs, or of one of our own.

    Raises
    ------
    InputError
        If no scheduler answers.
    """
    from distributed import Client, LocalCluster

    if scheduler:
        try:
            client = Client(scheduler, timeout=10.0)
        except (OSError, ValueError) as error:
            raise InputError(f"--scheduler {scheduler}: no scheduler answers ({error}).") from error
        with client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None,
            host="127.0.0.1", silence_logs=40,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # its HTTP server: any port
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        yield client


def gathered(study: Study, chunks: list[Chunk], shelf: Shelf) -> list[Rows]:
    """Return the rows of all designs for each choice of names, in the order of the grid."""
    size = next(iter(study.grid().values())).size
    found: list[Rows] = [{} for _ in study.choices()]
    for chunk in chunks:
        rows = read_table(shelf.path(chunk))
        if rows is None:
            raise InputError(f"{shelf.path(chunk)} was lost: run again with --resume.")
        for name, value in rows.items():
            whole = found[chunk.choice].setdefault(
                name, np.zeros((size, *value.shape[1:]), dtype=value.dtype)
            )
            whole[chunk.design] = value
    return found
