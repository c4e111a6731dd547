"""Richardson-Lucy, Wiener and an edge-preserving method, scored on a test split.

``scintscope dataset scenarios/datasets/baseline.toml --out STORE`` makes the pairs (ten minutes on
two free cores); ``python validation/dataset/baseline.py STORE`` restores every test sample's
specimen with each method, with the estimated and with the true kernel, and writes the medians into
``baseline.md`` and ``baseline.json``. Iterations and weights are chosen on the validation split.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import runs

from scintscope.dataset.reader import PairReader
from scintscope.dataset.score import scored
from scintscope.dataset.store import open_store
from scintscope.restoration import RestorationConfig, deconvolve

HERE = Path(__file__).parent
ARRAYS = ["specimen_input", "specimen_truth", "psf_estimated", "psf_thin_to_thick"]
KERNELS = {"estimated": "psf_estimated", "true": "psf_thin_to_thick"}
CANDIDATES: dict[str, list[dict[str, Any]]] = {
    "Richardson-Lucy": [
        {"deconvolution": "richardson_lucy", "iterations": n} for n in (2, 5, 10, 20, 40)
    ],
    "Wiener": [
        {"deconvolution": "wiener", "wiener_noise_to_signal": r}
        for r in ("auto", 1e-3, 1e-2, 3e-2, 1e-1)
    ],
    "edge-preserving (TV)": [
        {"deconvolution": "tv", "iterations": n, "tv_weight": w}
        for n, w in ((10, 0.002), (20, 0.002), (20, 0.01), (40, 0.01), (40, 0.03))
    ],
}


def restored(item: dict[str, Any], kernel: str, config: RestorationConfig) -> Any:
    """Return a sample's specimen restored by a method with a kernel."""
    psf = np.maximum(item[kernel].astype(np.float64), 0.0)
    image = item["specimen_input"].astype(np.float64)
    if config.deconvolution != "wiener":
        image = np.maximum(image, 0.0)
    return deconvolve(image, psf / psf.sum(), config).estimate


def rows(
    items: list[dict[str, Any]], kernel: str, settings: dict[str, Any]
) -> list[dict[str, float]]:
    """Return each sample's scores; an empty setting scores the input itself."""
    found = []
    for item in items:
        size = item["psf_estimated"].shape[0]
        border = min(size, min(item["specimen_truth"].shape) // 4)
        image = item["specimen_input"]
        if settings:
            image = restored(item, kernel, replace(RestorationConfig(), **settings))
        found.append(scored(np.asarray(image), item["specimen_truth"], border))
    return found


def median(found: list[dict[str, float]], name: str) -> float:
    """Return the median of a score over samples."""
    return float(np.median([row[name] for row in found]))


def chosen(items: list[dict[str, Any]], name: str, kernel: str) -> dict[str, Any]:
    """Return the settings of the smallest median error on the validation split."""
    return min(CANDIDATES[name], key=lambda settings: median(rows(items, kernel, settings), "rmse"))


def usable(folder: Path, split: str) -> list[dict[str, Any]]:
    """Return a split's samples that have an estimated kernel."""
    reader = PairReader(folder, split=split, arrays=ARRAYS)
    return [item for item in reader if np.isfinite(item["psf_estimated"]).all()]


def main(folder: Path) -> int:
    """Score all methods and write the table."""
    validation, test = usable(folder, "validation"), usable(folder, "test")
    store = open_store(folder)
    table: list[dict[str, Any]] = [
        {"method": "input, not restored", "kernel": "", "settings": {}, "found": rows(test, "", {})}
    ]
    for name in CANDIDATES:
        for kernel, array in KERNELS.items():
            settings = chosen(validation, name, array)
            found = rows(test, array, settings)
            table.append({"method": name, "kernel": kernel, "settings": settings, "found": found})
            print(name, kernel, settings, flush=True)
    before = [row["rmse"] for row in table[0]["found"]]
    for row in table:
        found = row.pop("found")
        row |= {k: median(found, k) for k in ("rmse", "ssim", "psnr", "rmse_raw")}
        row["better_than_input"] = float(
            np.mean([f["rmse"] < b for f, b in zip(found, before, strict=True)])
        )
    result = {
        "study": store.study.name,
        "study_sha256": store.study.hash(),
        "shape": list(store.study.base.camera.shape),
        "validation_samples": len(validation),
        "test_samples": len(test),
        "rows": table,
    }
    runs.write_result("baseline", result)
    (HERE / "baseline.md").write_text(page(result))
    return 0


def page(result: dict[str, Any]) -> str:
    """Return the table as Markdown."""
    rows_, columns = result["shape"]
    lines = [
        "# Baseline",
        "",
        f"`scenarios/datasets/{result['study']}.toml`, {rows_} x {columns} pixels: medians over "
        f"the {result['test_samples']} samples of its test split, specimen against the thin truth, "
        f"after gain and offset, a border of the kernel's size left out. Settings chosen on the "
        f"{result['validation_samples']} validation samples. Redo it with "
        "`scintscope dataset scenarios/datasets/baseline.toml --out STORE` and "
        "`python validation/dataset/baseline.py STORE`. A small set: differences between "
        "methods of a few hundredths in rmse are within what another draw of it would give.",
        "",
        "| method | kernel | settings | rmse / std | SSIM | PSNR, dB | samples better than input |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        better = f"{row['better_than_input']:.0%}" if row["settings"] else ""
        settings = ", ".join(f"{k} {v}" for k, v in row["settings"].items() if k != "deconvolution")
        lines.append(
            f"| {row['method']} | {row['kernel']} | {settings} | {row['rmse']:.3f} | "
            f"{row['ssim']:.3f} | {row['psnr']:.1f} | {better} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
