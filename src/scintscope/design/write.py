"""Files of a study: ranked table (CSV), all curves (NetCDF), the answer (JSON)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from scintscope.design.evaluate import CURVES, SCALARS
from scintscope.design.results import Results, document
from scintscope.outputs import write_json, write_text

TABLE, CURVE_FILE, ANSWER = "designs.csv", "curves.nc", "design.json"
_UNITS = {
    "focus_um": "um", "exposure_s": "s", "dose_gy": "Gy", "field_um": "um", "pixel_um": "um",
    "electrons_per_um2": "1/um2", "electrons_per_kev": "1/keV", "incident_per_um2": "1/um2",
    "mtf": "1", "dqe": "1", "normalised_nps_um2": "um2",
}  # fmt: skip


def write_results(folder: Path, results: Results) -> dict[str, Any]:
    """Write the files and return the content of ``design.json``."""
    found = document(results)
    write_json(folder / ANSWER, found)
    write_text(folder / TABLE, table_text(results))
    dataset(results).to_netcdf(folder / CURVE_FILE, engine="h5netcdf")
    return found


def table_text(results: Results) -> str:
    """Return all designs as CSV, allowed ones first, the best of the first objective on top."""
    study = results.study
    names = [v.key for v in study.named]
    head = ["rank", *names, *results.grid, *(o.label for o in study.objectives), *SCALARS]
    head += ["allowed", "pareto_front"]
    lines = []
    for choice, rows, allowed, front in zip(
        study.choices(), results.rows, results.allowed, results.front, strict=True
    ):
        for i in range(allowed.size):
            score = study.objectives[0].sign * float(rows["objectives"][i, 0])
            numbers = [float(column[i]) for column in results.grid.values()]
            numbers += [float(v) for v in rows["objectives"][i]]
            numbers += [float(rows[name][i]) for name in SCALARS]
            flags = [int(allowed[i]), int(front[i])]
            lines.append((not allowed[i], -score, [*choice.values(), *numbers, *flags]))
    lines.sort(key=lambda line: line[:2])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    for rank, (*_, cells) in enumerate(lines, start=1):
        writer.writerow([rank, *(f"{c:.12g}" if isinstance(c, float) else c for c in cells)])
    return text.getvalue()


def dataset(results: Results) -> Any:
    """Return everything as an xarray Dataset: a dimension a variable, or ``design`` of a sample."""
    import xarray

    study = results.study
    sampled = bool(study.sample.points)
    coordinates: dict[str, Any] = {v.key: list(map(str, v.values)) for v in study.named}
    frequency = results.models[0].frequency_cy_per_um
    if sampled:
        coordinates["design"] = np.arange(study.sample.points)
    else:
        coordinates |= {v.key: v.numbers for v in study.numeric}
    dims = [v.key for v in study.named]
    dims += ["design"] if sampled else [v.key for v in study.numeric]
    shape = tuple(len(coordinates[d]) for d in dims)
    coordinates["frequency_cy_per_um"] = frequency

    def stacked(name: str, part: Any = ()) -> Any:
        return np.stack([rows[name][(slice(None), *part)] for rows in results.rows])

    variables: dict[str, Any] = {
        name: ([*dims, "frequency_cy_per_um"], stacked(name).reshape(*shape, frequency.size),
               {"units": _UNITS[name]})
        for name in CURVES
    }  # fmt: skip
    variables |= {
        name: (dims, stacked(name).reshape(shape), {"units": _UNITS[name]}) for name in SCALARS
    }
    for i, objective in enumerate(study.objectives):
        values = stacked("objectives", (i,)).reshape(shape)
        variables[f"objective_{objective.label}"] = (dims, values, {"units": objective.unit})
    for name, flags in (("allowed", results.allowed), ("pareto_front", results.front)):
        variables[name] = (dims, np.stack(flags).reshape(shape))
    if sampled:
        variables |= {key: ("design", column) for key, column in results.grid.items()}
    return xarray.Dataset(
        variables, coordinates, attrs={"title": f"scintscope design study {study.name}"}
    )
