# ruff: noqa: E501 - lines of running text
"""Writes docs/bias_audit.md from result.json, so that its numbers are the recorded ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scintscope.outputs import write_text

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "bias_audit.md"
Result = Mapping[str, Any]


def number(value: float) -> str:
    """Return three digits."""
    return f"{value:.3f}"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def best_of(rows: list[Result], start: str) -> Result:
    """Return the best row of a method."""
    return next(row for row in rows if row["setting"].startswith(start))


def kernel_text(result: Result) -> str:
    """Return the main study's section."""
    part = result["kernel"]
    found, judged, chosen = part["recommended"], part["judged"], part["selection"]
    seeds = part["judging_seeds"]
    of = {row["setting"]: row for row in judged}
    rows = [
        ("radial fit (recommended)", of[found["setting"]]),
        ("Richardson-Lucy, best of the grid", best_of(judged, "rl")),
        ("ratio of transforms, best of the grid", best_of(judged, "ratio")),
        ("the paper's: 8 iterations, 60 pixels", of[part["paper"]]),
    ]
    flat = {row["setting"]: row for row in chosen}["rl-full-8 60px subtract"]
    text = table(
        ("estimator", "setting", "error", "standard error"),
        [
            (name, f"`{row['setting']}`", number(row["mean"]), f"{row['standard_error']:.4f}")
            for name, row in rows
        ],
    )
    return f"""## Which setting comes nearest

{len(judged)} settings on {len(seeds)} seeds ({seeds[0]} to {seeds[-1]}) that had no part in the choice;
chosen among {len(chosen)} on {len(part["selection_seeds"])} others ({part["selection_seeds"][0]} to \
{part["selection_seeds"][-1]}).

{text}

Recommended: `{found["setting"]}`. Its mean error is {found["ratio"]:.3f} times the least of the grid
(asked for: at most 1.05) and {part["paper_mean"] / found["judged_mean"]:.1f} times smaller than with the
paper's setting. With a flat start, as the paper's text reads, eight iterations leave \
{number(flat["mean"])} (selection seeds).

![Errors of the best settings](../validation/audit/errors.png)
"""


def conditions_table(part: Result) -> str:
    """Return a table of mean errors, a row a condition."""
    names = list(part["rows"][0]["mean"])
    rows = [
        (row["axis"], row["label"], *(number(row["mean"][name]) for name in names))
        for row in part["rows"]
    ]
    return table(("condition", "", *(f"`{name}`" for name in names)), rows)


def parts_text(result: Result) -> str:
    """Return the section on what is switched off."""
    part = result["parts"]
    return f"""## What makes the error

Noise, defects and drift switched off, mean error over seeds {part["seeds"][0]} to {part["seeds"][-1]}:

{conditions_table(part)}

![Errors with parts switched off](../validation/audit/parts.png)

Without all three the paper's setting is where it was: the error is that of stopping after eight iterations. The radial
fit keeps what aliasing, the fading at the frame's border and its own family of kernels leave.
"""


def axes_text(result: Result) -> str:
    """Return the conditions' section."""
    part = result["axes"]
    return f"""## Other conditions

One condition changed at a time, mean error over seeds {part["seeds"][0]} to {part["seeds"][-1]}:

{conditions_table(part)}

![Errors by condition](../validation/audit/axes.png)
"""


def residue_text(result: Result) -> str:
    """Return Eq. 7's section."""
    part = result["residue"]
    rows = []
    for study in part["rows"]:
        for at in study["by_density"]:
            rows.append(
                (
                    study["background"],
                    f"{study['regularisation']:g}",
                    f"{at['density']:g}",
                    f"{at['measured']:.2e}",
                    number(at["ratio"]),
                    f"{at['in_window']:.1%}",
                )
            )
    of = {(study["background"], study["regularisation"]): study for study in part["rows"]}
    main, fine = of["subtract", 0.1], of["subtract", 0.01]
    divided, thin = of["divide", 0.1], of["divide", 0.01]
    inside = [at["in_window"] for study in part["rows"] for at in study["by_density"]]
    power = [
        next(at["measured"] for at in study["by_density"] if at["density"] == 1.0)
        for study in (main, divided)
    ]
    gain = power[0] / power[1]
    head = ("background", "r", "density", "power found", "Eq. 7 over found", "inside 60 x 60")
    return f"""## What defects leave (Eq. 7)

Defects of the thin plate that the background does not take off add G20 to its spectrum; Eq. 7 says the
ratio changes by -G20/(F M20). Drawn without noise and drift, mean power over seeds \
{part["seeds"][0]} to {part["seeds"][-1]}, over a tenfold range of density (1: the scenario's), with the
ratio regularised by r times the mean of |F M20|^2:

{table(head, rows)}

With r = 0.1 and the background subtracted the prediction is right to {abs(main["worst_ratio"] - 1):.1%} at worst,
with r = 0.01 to {abs(fine["worst_ratio"] - 1):.1%}; with the background divided, where much less is left, to
{abs(divided["worst_ratio"] - 1):.1%} and {abs(thin["worst_ratio"] - 1):.1%}: near zeros of the target's spectrum G20 is not small against F M20, and the
first order does not hold. The power grows as density to the {main["slope"]:.2f}. A square of 60 x 60 pixels has 1.4 %
of the frame's area and holds {min(inside):.1%} to {max(inside):.1%} of the residue's power. So the paper's claim that truncation takes
the defects out of the kernel holds. Dividing by the background leaves {gain:.0f} times less to begin with (r = 0.1, the
scenario's density), since a defect dims signal and background alike.
"""


def physical_text(result: Result) -> str:
    """Return the section on the parametric fit."""
    part = result["physical"]
    values = {
        name: f"{mean:.3g} +- {spread:.2g}" for name, (mean, spread) in part["parameters"].items()
    }
    return f"""## A physical model instead

Seven numbers fitted through the differentiable optics (foci of both plates, decay of the light with depth,
share and length of a halo, gain, noise), aperture, indices and thicknesses known, on seeds \
{part["seeds"][0]} to {part["seeds"][-1]}: error {number(part["mean"])} +- {part["standard_error"]:.3f}, where the
radial fit has {number(part["radial_mean"])} and the paper's setting {number(part["paper_mean"])} on the same pairs. It finds
the thick plate's focus at {values["thick_focus_um"]} um (true {part["true_focus_um"]["thick"]:.1f}) and the thin
one's at {values["thin_focus_um"]} um (true {part["true_focus_um"]["thin"]:.1f}). What it lacks: one halo of one
length for all energies, no electrons, no mirrored light.
"""


def images_text(result: Result) -> str:
    """Return the section on restored images."""
    part = result["images"]
    counts = sorted(part["mean"]["true kernel"], key=int)
    kernels = [name for name in part["mean"] if name != "images"]
    called = {name: name if name == "true kernel" else f"`{name}`" for name in kernels}
    rows = [(called[name], *(number(part["mean"][name][c]) for c in counts)) for name in kernels]
    plain = part["mean"]["images"]
    least = ", ".join(
        f"{called[name]} {number(part['least'][name][1])} after {part['least'][name][0]}"
        for name in kernels
    )
    return f"""## What it is worth in the image

Rms error of the restored target against the quiet thin plate's image, after gain and offset, over its standard
deviation; Richardson-Lucy iterations of the image across, seeds {part["seeds"][0]} to {part["seeds"][-1]}. Not restored:
{number(plain["0"])}; the thin plate's own image: {number(plain["thin"])}.

{table(("kernel", *counts), rows)}

The least of each: {least}.
So by this measure a truer kernel gives no better image, nor does the true one: noise decides where to stop, and a
kernel that is too blunt gets as far in a few more iterations.
"""


def others_text(result: Result) -> str:
    """Return the section on other scenarios."""
    part = result["scenarios"]
    rows = [
        (
            name,
            f"`{row['recommended']['setting']}`",
            number(row["recommended"]["judged_mean"]),
            f"{row['recommended']['ratio']:.2f}",
            number(row["paper_mean"]),
        )
        for name, row in part["rows"].items()
    ]
    head = ("scenario", "recommended", "error", "over the least", "the paper's setting")
    return f"""## Other scenarios

On 512 x 512 pixels, chosen on {len(part["selection_seeds"])} seeds and judged on {len(part["judging_seeds"])} others:

{table(head, rows)}
"""


def frames_text(result: Result) -> str:
    """Return the sentence on long frames."""
    part = result["frames"]
    pairs = ", ".join(
        f"{number(part['one_long_frame'][name])} and {number(mean)} (`{name}`)"
        for name, mean in part["ten_frames"].items()
    )
    return f"""## One long frame for ten

The studies take a stack's ten frames as one of ten times the exposure. On {len(part["seeds"])} seeds, one long frame
and ten frames give {pairs}.
"""


SECTIONS = {
    "kernel": kernel_text,
    "parts": parts_text,
    "axes": axes_text,
    "physical": physical_text,
    "residue": residue_text,
    "images": images_text,
    "scenarios": others_text,
    "frames": frames_text,
}

HEAD = """# How good is the estimated PSF?

Written by `validation/audit/document.py` from `validation/audit/result.json`; do not edit. How to redo the
numbers: [SOURCE.md](../validation/audit/SOURCE.md). For an instrument of your own: `scintscope audit SCENARIO`.

**Error** is ||estimate - truth|| / ||truth||: both kernels on 129 x 129 pixels with unit sum, the estimate moved by
the fraction of a pixel that fits best, the truth from the two plates' transfer functions up to the camera's Nyquist
frequency along rows and columns. The true kernel is a sharp peak, a quarter of its sum in one pixel, on a wide
tail.

**Why eight iterations leave so much.** The kernel's peak is made of the highest frequencies, which Richardson-Lucy
reaches last. Without any noise, defect or drift the paper's setting is as far from the truth as with them (below), so
iterations are what is missing, not light. Many iterations reach the peak but fit the thin image's noise too, as does a
ratio of transforms: its noise counts as signal in the denominator and pulls the ratio down where the target is weak.

**What helps.** `psf_method = "radial"`: average both spectra over rings, take the thin image's noise out of the
denominator, and fit a point and peaked tails with non-negative weights. It needs nothing but the two images, a
twentieth of a second, and a lens that is the same in all directions. `target_background = "divide"` and a square that
holds the tail (129 pixels) go with it. The default stays the paper's method.

"""


def document(result: Result) -> str:
    """Return the page for the parts that a result holds."""
    made = [write(result) for name, write in SECTIONS.items() if name in result]
    return HEAD + "\n".join(made)


def main() -> int:
    """Write the page."""
    result = json.loads((HERE / "result.json").read_text(encoding="utf-8"))
    write_text(PAGE, document(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
