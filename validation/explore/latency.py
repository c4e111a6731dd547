"""How long the explore page takes for each of its sliders, and for its first start; see SOURCE.md.

``latency.py [SCENARIO ...]`` drives the engine, 20 random positions a slider, and writes
result.json; ``--cold`` times a first start with an empty cache, ``--browser`` the way from a
key press to the changed curve in headless Chromium. Rows of other scenarios are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULT = HERE / "result.json"
POSITIONS = 20
LIMIT_S = {"curves": 0.2, "thumbnail": 1.0}


def positions(state: Any, limit: Any, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    """Yield slider names with 20 random states each, one slider moved from the start."""

    def between(ends: tuple[float, float], step: float) -> float:
        return float(ends[0] + step * rng.integers(0, int((ends[1] - ends[0]) / step + 1e-9) + 1))

    def moved(which: str, **values: Any) -> Any:
        return replace(state, **{which: replace(state.plate(which), **values)})

    movers: dict[str, Callable[[], Any]] = {
        "NA": lambda: replace(state, na=between(limit.na, 0.001))
    }
    if state.voltage_kv is not None:
        movers["voltage"] = lambda: replace(state, voltage_kv=between(limit.voltage_kv, 5.0))
        for metal, top in limit.filter_um.items():
            movers[f"filter {metal}"] = lambda metal=metal, top=top: replace(
                state, filter_material=metal, filter_um=between((0.0, top), top / 200.0)
            )
    for which in ("thin", "thick"):
        thickness = state.plate(which).thickness_um
        movers |= {
            f"thickness {which}": lambda which=which: moved(
                which, thickness_um=between(limit.thickness_um, 0.5)
            ),
            f"focus {which}": lambda which=which, thickness=thickness: moved(
                which, focus_um=between((0.0, thickness), 0.5)
            ),
            f"exposure {which}": lambda which=which: moved(
                which, exposure_s=float(np.exp(rng.uniform(*np.log(limit.exposure_s))))
            ),
            f"material {which}": lambda which=which: moved(
                which, material=str(rng.choice(limit.materials))
            ),
        }
    for name, mover in movers.items():
        for _ in range(POSITIONS):
            yield name, mover()


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Return median and 95th percentile, ms."""
    return {
        "median_ms": round(1e3 * float(np.median(seconds)), 1),
        "p95_ms": round(1e3 * float(np.percentile(seconds, 95)), 1),
    }


def latency(path: Path) -> list[dict[str, Any]]:
    """Return a row a slider: what the page computes for its curves and numbers, and for images."""
    from scintscope.explore import plots, words
    from scintscope.explore.state import changes, limits, start_state
    from scintscope.explore.thumbnail import plane_of, star, thumbnails
    from scintscope.explore.workshop import Workshop
    from scintscope.materials import absorber
    from scintscope.scenario import load_scenario

    base = load_scenario(path)
    workshop = Workshop(base, limits(base))
    workshop.start()
    workshop.wait()
    start = start_state(base)
    first = workshop.view(start)
    data, images = plots.sources(), {name: plots.image_source() for name in plots.IMAGES}
    specimen, gold = star(plane_of(base.instrument().pixel_um_object), "Au", 5.0), absorber("Au")
    plots.fill_images(images, thumbnails(first, specimen, {"Au": gold}))
    taken: dict[str, tuple[list[float], ...]] = {}
    for name, state in positions(start, workshop.limit, np.random.default_rng(1)):
        times, own = [time.perf_counter()], time.process_time()
        view = workshop.view(state)
        plots.fill(data, view.plates)
        words.table(view.plates, first.plates)
        words.changed(changes(base, state))
        times.append(time.perf_counter())
        own = time.process_time() - own
        plots.fill_images(images, thumbnails(view, specimen, {"Au": gold}))
        times.append(time.perf_counter())
        lists = taken.setdefault(name, ([], [], []))
        for kept, seconds in zip(lists, (*np.diff(times), own), strict=True):
            kept.append(float(seconds))
    return [
        {
            "scenario": path.name,
            "slider": name,
            "curves": quantiles(curves),
            "thumbnail": quantiles(pictures),
            "curves_processor": quantiles(processor),
        }
        for name, (curves, pictures, processor) in taken.items()
    ]


def cold(path: Path) -> list[dict[str, Any]]:
    """Return one row: seconds from the start with an empty cache to what can be used."""
    began, own = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["SCINTSCOPE_CACHE"] = folder
        from scintscope.explore.engine import NotReadyError
        from scintscope.explore.state import limits, start_state
        from scintscope.explore.tables import Rank
        from scintscope.explore.workshop import Workshop
        from scintscope.scenario import load_scenario

        base = load_scenario(path)
        workshop = Workshop(base, limits(base))
        workshop.start()
        start, jobs = start_state(base), workshop.tables.jobs
        thicker = replace(
            start, thick=replace(start.thick, thickness_um=0.9 * start.thick.thickness_um)
        )
        found: dict[str, float] = {}

        def note(name: str, reached: bool) -> None:
            if reached and name not in found:
                found[name] = round(time.perf_counter() - began, 1)
                found[f"{name}_processor"] = round(time.process_time() - own, 1)

        def there(state: Any) -> bool:
            try:
                workshop.view(state)
            except NotReadyError:
                return False
            return True

        while "own_material_s" not in found:
            note("curves_s", "curves_s" in found or there(start))
            if "curves_s" in found:
                jobs.calm()
                note("thickness_s", "thickness_s" in found or there(thicker))
                note("own_material_s", jobs.seconds_left(Rank.FINE) == 0.0)
            time.sleep(0.2)
    return [{"scenario": path.name, **found}]


BROWSER = """(name) => {
  window.pressed = 0; window.taken = [];
  document.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
  const shown = Bokeh.documents[0].get_model_by_name("shown");
  shown.properties.data.change.connect(() => requestAnimationFrame(() => {
    if (window.pressed) window.taken.push(performance.now() - window.pressed);
    window.pressed = 0;
  }));
}"""


def browser(path: Path) -> list[dict[str, Any]]:
    """Return a row a slider: from a key press to the frame after the curves' arrival."""
    import re
    import shutil
    import subprocess

    from playwright.sync_api import sync_playwright

    code = "from scintscope.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, "explore", str(path), "--no-show"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    rows = []
    try:
        assert process.stdout is not None
        match = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert match is not None
        with sync_playwright() as playwright:
            program = os.environ.get("SCINTSCOPE_CHROMIUM") or shutil.which("chromium")
            page = playwright.chromium.launch(
                executable_path=program, args=["--headless", "--no-sandbox", "--disable-gpu"]
            ).new_page(viewport={"width": 1480, "height": 1240})
            page.set_default_timeout(120_000)
            page.goto(match.group())
            page.wait_for_function(SHOWN)
            page.get_by_text("In the background").wait_for(state="hidden")
            page.evaluate(BROWSER)
            names = page.locator(".noUi-handle")
            for number, name in enumerate(SLIDERS):
                taken: list[float] = []
                if names.nth(number).is_visible():
                    names.nth(number).focus()
                for i in range(POSITIONS):
                    page.evaluate("() => { window.taken = []; }")
                    page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight")
                    page.wait_for_function("() => window.taken.length > 0")
                    taken.append(1e-3 * page.evaluate("() => window.taken[0]"))
                    page.wait_for_timeout(400)  # the images follow when the slider rests
                rows.append(
                    {"scenario": path.name, "slider": name, "key_to_curve": quantiles(taken)}
                )
    finally:
        process.terminate()
        process.communicate(timeout=30)
    return rows


SHOWN = """() => window.Bokeh?.documents.length
  && Bokeh.documents[0].get_model_by_name("mtf:thick")?.data.y.length > 0"""
"""The page has curves."""

SLIDERS = ("NA", "voltage", "filter", "thickness thin", "exposure thin")
"""The first handles of a page with a tube (the focus handles are disabled at the start)."""


def main() -> int:
    """Measure, write, and say whether the limits hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", nargs="*", default=["quick.toml", "paper.toml"])
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--browser", action="store_true")
    chosen = parser.parse_args()
    kind = "cold" if chosen.cold else "browser" if chosen.browser else "latency"
    measure = {"cold": cold, "browser": browser, "latency": latency}[kind]
    before, own = os.getloadavg()[0], time.process_time()
    began = time.perf_counter()
    known = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    names = [Path(name).name for name in chosen.scenario]
    rows = [row for name in names for row in measure(ROOT / "scenarios" / name)]
    kept = [row for row in known.get(kind, {}).get("rows", []) if row["scenario"] not in names]
    from scintscope.outputs import versions, write_json

    known[kind] = {
        "rows": kept + rows,
        "load_average_before": round(before, 2),
        "load_average_after": round(os.getloadavg()[0], 2),
        "processor_s_per_s": round((time.process_time() - own) / (time.perf_counter() - began), 2),
        "processors": os.cpu_count(),
        "versions": versions(),
    }
    write_json(RESULT, known)
    slow = [
        f"{row['scenario']} {row['slider']}: {part} {row[part]['p95_ms']:.0f} ms"
        for row in rows
        for part, limit in LIMIT_S.items()
        if part in row and row[part]["p95_ms"] > 1e3 * limit
    ]
    for row in rows:
        print(json.dumps(row))
    print("\n".join(slow) or "all within the limits", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
