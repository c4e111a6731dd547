"""The data card: a README for people, Croissant for machines, and where everything came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import scintscope
from scintscope.dataset.contents import CONTENTS
from scintscope.dataset.croissant import croissant
from scintscope.dataset.distributions import Distribution
from scintscope.dataset.families import SEEDED, Family
from scintscope.dataset.score import MEASURES
from scintscope.dataset.splits import split_of
from scintscope.dataset.store import Store, study_record
from scintscope.dataset.study import Study
from scintscope.dataset.table import TABLE_FILE, write_table
from scintscope.outputs import provenance, write_json, write_text

Records = Mapping[int, Mapping[str, Any]]

README_FILE, CROISSANT_FILE, SCENARIO_FILE = "README.md", "croissant.json", "scenario.toml"


def write_card(store: Store, records: Records) -> None:
    """Write table, README, Croissant, base scenario and provenance beside the arrays."""
    if records:
        write_table(store, records)
        table_hash = hashlib.sha256((store.path / TABLE_FILE).read_bytes()).hexdigest()
        write_json(store.path / CROISSANT_FILE, croissant(store, records, table_hash))
    write_text(store.path / SCENARIO_FILE, store.study.base.to_toml())
    write_text(store.path / README_FILE, readme(store, records))
    record = provenance(scenario_hash=store.study.base.hash(), seed=store.study.seed)
    record["study_sha256"] = store.study.hash()
    record["made_with"] = study_record(store.path)["versions"]
    record["machines"] = sorted({str(r["machine"]) for r in records.values()})
    write_json(store.path / "provenance.json", record)


def planned_card(study: Study) -> str:
    """Return the card of a study of which nothing is made yet."""
    return readme(Store(path=Path(study.name), study=study), {})


def readme(store: Store, records: Records) -> str:
    """Return the card for people, Markdown; without records, of what will be made."""
    study = store.study
    parts = [
        f"# {study.name}",
        study.description,
        _summary(store, records),
        "## Load it",
        _loading(store),
        "## What a sample is",
        _about(store),
        _arrays(store),
        "## Splits",
        _splits(store, records),
        "## What varies",
        _varies(store),
        *(("## Scores of the baseline", scores) if (scores := _scores(records)) else ()),
        "## Limits",
        _limits(store),
        "## Where it comes from",
        _origin(store, records),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(store: Store, records: Records) -> str:
    study, specs = store.study, store.specs()
    rows, columns = study.base.camera.shape
    size = sum(spec.nbytes for spec in specs.values()) / 1e6
    number = f"{len(records)} of {study.samples}" if records else f"{study.samples}"
    return (
        f"{number} simulated samples, {rows} x {columns} pixels each: the "
        "same object imaged through a thin and a thick scintillator by a lens-coupled X-ray "
        f"microscope, with the truth attached. {size:.1f} MB a sample before compression. Licence: "
        f"{study.licence}."
    )


def _loading(store: Store) -> str:
    names = store.specs()
    first = "specimen_input" if "specimen_input" in names else next(iter(names))
    second = "specimen_truth" if "specimen_truth" in names else first
    split = store.study.splits[0][0]
    return f"""```python
import xarray

data = xarray.open_zarr("{store.path.name}")
train = data.isel(sample=data["split"] == 0)  # numbers: see split.attrs

from scintscope.dataset.reader import PairReader  # or any loader that takes len() and [i]

pairs = PairReader("{store.path.name}", split="{split}", arrays=["{first}", "{second}"])
pairs[0]["{first}"], pairs.parameters(0)
```

`{TABLE_FILE}` has a row a sample (pandas, polars, DuckDB): what was drawn, by dotted key of the
scenario; scores as `metric.NAME`; the SHA-256. `scintscope dataset check {store.path.name}` finds
every sample that is not what it was; `scintscope dataset export` writes NeXus and TIFF files."""


def _about(store: Store) -> str:
    study = store.study
    text = (
        "Arrays have one entry a sample along their first dimension, one chunk each. Images are "
        "(row, column), rows downwards. *thin* and *thick* are the two plates; *background* is a "
        "plate without sample, *target* what the kernel is measured with, *specimen* what one "
        "wants to see. `specimen_input` is what a restoration starts from, `specimen_truth` what "
        "it aims at: the thin plate's image without defects and noise, laid on the thick plate's."
    )
    if not study.families:
        text = text.replace("specimen_", "target_")
    return text


def _arrays(store: Store) -> str:
    lines = ["| array | dimensions of a sample | type | unit | is |", "|---|---|---|---|---|"]
    for content in store.study.contents:
        lines.append(f"| **{content}** | | | | {CONTENTS[content]} |")
        for name, spec in store.specs().items():
            if spec.content == content:
                dims = ", ".join(f"{d} {n}" for d, n in zip(spec.dims, spec.shape, strict=True))
                kind = spec.dtype.lstrip("<|")
                lines.append(f"| `{name}` | {dims} | {kind} | {spec.unit} | {spec.description} |")
    return "\n".join(lines)


def _splits(store: Store, records: Records) -> str:
    study = store.study
    lines = ["| split | share | samples |", "|---|---|---|"]
    for name, share in study.splits:
        count = sum(
            split_of(study.splits, index // study.samples_per_plate) == name
            for index in (records or range(study.samples))
        )
        lines.append(f"| {name} | {share:g} | {count} |")
    text = (
        f"A pair of plates (its defects) takes {study.samples_per_plate} samples in a row and "
        "belongs to one split; every specimen is an individual of its own, and an image file "
        "belongs to one split. So no plate and no specimen is in two splits. The target, where it "
        "does not vary, and the instruments are the same in all: they are the laboratory's."
    )
    if any(f.kind not in SEEDED and not f.paths for f in study.families):
        text += " Targets shown as specimens share a layout and differ in the numbers drawn."
    return "\n".join([*lines, "", text])


def distribution_words(d: Distribution) -> str:
    """Return a distribution in words."""
    if d.kind in ("choice", "list"):
        text = f"{d.kind} of {', '.join(map(str, d.values))}"
        if d.kind == "choice" and len(set(d.weights)) > 1:
            text += f", weights {', '.join(f'{w:g}' for w in d.weights)}"
    elif d.kind == "normal":
        text = f"normal, mean {d.numbers[0]:g}, standard deviation {d.numbers[1]:g}"
        if d.low > float("-inf") or d.high < float("inf"):
            text += f", between {d.low:g} and {d.high:g}"
    else:
        text = f"{d.kind.replace('_', '-')} from {d.numbers[0]:g} to {d.numbers[1]:g}"
    text += ", whole" if d.whole else ""
    return text + (f"; group {d.group}{' (reversed)' if d.reverse else ''}" if d.group else "")


def _varies(store: Store) -> str:
    lines = ["| key | drawn from | anew for each |", "|---|---|---|"]
    lines += [f"| `{d.key}` | {distribution_words(d)} | {d.per} |" for d in store.study.vary]
    total = sum(family.weight for family in store.study.families)
    for family in store.study.families:
        lines.append(
            f"| specimen **{family.name}** | {_family_words(family)} | "
            f"sample; {family.weight / total:.0%} of them |"
        )
    lines.append("| defects' and noise's seeds | from plate number and index | plate; sample |")
    groups = [f"{name} {rho:g}" for name, rho in store.study.groups.items()]
    tail = f"\n\nCorrelations (of normal scores) in groups: {', '.join(groups)}." if groups else ""
    text = "\n".join(lines) + tail
    return f"{text}\n\nEverything else is as in `{SCENARIO_FILE}`."


def _family_words(family: Family) -> str:
    constants = {k: v for k, v in family.constants.items() if k != "path"}
    parts = [f"{key} = {value}" for key, value in constants.items()]
    parts += [f"{d.key}: {distribution_words(d)}" for d in family.drawn]
    parts += [f"{len(family.paths)} image files"] if family.paths else []
    return "; ".join(parts)


def _scores(records: Records) -> str:
    """Return medians of the baseline's scores over all complete samples."""
    names = [
        f"{what}_{kind}_{measure}"
        for what in ("specimen", "target")
        for kind in ("input", "restored")
        for measure in MEASURES
    ]
    found = {
        name: sorted(v for r in records.values() if (v := r["scores"].get(name)) is not None)
        for name in names
    }
    lines = ["| score | median | samples |", "|---|---|---|"]
    lines += [
        f"| {name} | {values[len(values) // 2]:.4g} | {len(values)} |"
        for name, values in found.items()
        if values
    ]
    if len(lines) == 2:
        return ""
    failed = sum(bool(r["scores"].get("restoration_trouble")) for r in records.values())
    text = (
        "Against the thin truth, after the best gain and offset, a border left out: rmse over the "
        "truth's standard deviation, SSIM, PSNR in dB. The study's own restoration with the "
        f"estimated kernel. It gave no result for {failed} of {len(records)} samples (their "
        "restored arrays are NaN, `metric.restoration_trouble` says why)."
    )
    return "\n".join([*lines, "", text])


def _limits(store: Store) -> str:
    text = (
        "Simulated: what the model leaves out is not in the images (in-line phase contrast, "
        "detector non-linearity below saturation, afterglow, plates that bend). Defects and their "
        "densities are assumed, no measured catalogue exists. Specimens are phantoms, not anatomy. "
        "A network trained here should be tested on measured pairs before it is trusted."
    )
    effects = store.study.base.accuracy.effects
    off = [n for n in effects.__dataclass_fields__ if getattr(effects, n) is False]
    return text + (f" Effects switched off: {', '.join(off)}." if off else "")


def _origin(store: Store, records: Records) -> str:
    if not records:
        return (
            f"Made by scintscope from a study with seed {store.study.seed}. Every sample depends "
            "on the study and its index alone. The card that comes with the data adds versions, "
            "processors, hashes and scores."
        )
    record = study_record(store.path)
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    machines = "; ".join(sorted({str(r["machine"]) for r in records.values()})) or "none yet"
    return (
        f"Made by scintscope {scintscope.__version__} from a study with seed {store.study.seed}, "
        f"SHA-256 `{store.study.hash()}`. Every sample depends on the study and its index alone; "
        "on one processor family with one set of libraries its bits are always the same. A "
        "sample's SHA-256 is over its decoded arrays (name, little-endian dtype, shape, C-order "
        f"bytes) and its parameters as canonical JSON. Libraries: {versions}. Processors: "
        f"{machines}. The lock file's digest and more are in `provenance.json`."
    )
