"""Tables of a run's numbers: plain text for the terminal, cells for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scintscope.report.records import FinishedRun, Table

KINDS = ("thin", "thick", "restored")
NONE = "-"
_LABEL, _CELL = 36, 10
_LINES_PER_MM = 1000.0

_Row = tuple[str, str, str]
"""Label, key with ``{kind}`` in it, format."""

HEADLINES: tuple[_Row, ...] = (
    ("RMSE / std, thin truth, fitted", "rmse_{kind}", ".3f"),
    ("RMSE / std, thin truth, raw", "rmse_{kind}_raw", ".3f"),
    ("RMSE / std, X-ray truth, fitted", "rmse_{kind}_vs_xray", ".3f"),
    ("RMSE / std, X-ray truth, raw", "rmse_{kind}_vs_xray_raw", ".3f"),
    ("SSIM, thin truth, fitted", "ssim_{kind}", ".3f"),
    ("PSNR, thin truth, fitted (dB)", "psnr_{kind}", ".1f"),
    ("MTF 50 % (lp/mm)", "mtf50_{kind}_cy_per_um", "lp"),
    ("PIQE (lower is better)", "piqe_{kind}", ".1f"),
)
"""What the terminal shows; one line a quantity, one column an image."""

_MORE: tuple[_Row, ...] = (
    ("SSIM, thin truth, raw", "ssim_{kind}_raw", ".3f"),
    ("SSIM, X-ray truth, fitted", "ssim_{kind}_vs_xray", ".3f"),
    ("SSIM, X-ray truth, raw", "ssim_{kind}_vs_xray_raw", ".3f"),
    ("PSNR, thin truth, raw (dB)", "psnr_{kind}_raw", ".1f"),
    ("PSNR, X-ray truth, fitted (dB)", "psnr_{kind}_vs_xray", ".1f"),
    ("PSNR, X-ray truth, raw (dB)", "psnr_{kind}_vs_xray_raw", ".1f"),
    ("best gain towards the thin truth", "contrast_gain_{kind}", ".3f"),
)

_GAINS = (("largest", "psd_gain_max"), ("upper half of the band, mean", "psd_gain_high_band"))


def number(value: Any, form: str = ".3g") -> str:
    """Return a number as text; "-" for None and NaN. Form ``lp`` turns cycles/um into lp/mm."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if form == "lp":
        return f"{value * _LINES_PER_MM:.0f}"
    return format(value, form)


def percent(value: float | None) -> str:
    """Return a share in per cent; "-" for None."""
    return NONE if value is None else f"{value:.2%}"


def verdict_table(metrics: Mapping[str, Any]) -> str:
    """Return the headline numbers as plain text, at most 100 columns wide.

    Parameters
    ----------
    metrics : mapping
        Content of ``metrics.json``: ``restoration``, ``single_psf``, ``psf``. What is missing or
        None stands as "-".
    """
    samples = metrics.get("restoration") or {}
    head = " " * _LABEL + "".join(name.rjust(_CELL * len(KINDS)) for name in samples)
    under = " " * _LABEL + "".join(kind.rjust(_CELL) for _ in samples for kind in KINDS)
    lines = [head, under, "-" * len(under)]
    for label, key, form in HEADLINES:
        cells = [
            number(numbers.get(key.format(kind=kind)), form)
            for numbers in samples.values()
            for kind in KINDS
        ]
        lines.append(label.ljust(_LABEL) + "".join(cell.rjust(_CELL) for cell in cells))
    for label, key in (("PSD gain, largest", _GAINS[0][1]), ("PSD gain, upper band", _GAINS[1][1])):
        for part, end in (("all", ""), ("signal", "_signal"), ("noise", "_noise")):
            cells = [number(numbers.get(key + end), ".2f") for numbers in samples.values()]
            row = "".join(cell.rjust(_CELL * len(KINDS)) for cell in cells)
            lines.append(f"{label}, {part}".ljust(_LABEL) + row)
    lines += ["-" * len(under), *_kernel_lines(metrics)]
    return "\n".join(line.rstrip() for line in lines)


def _kernel_lines(metrics: Mapping[str, Any]) -> list[str]:
    single, psf = metrics.get("single_psf") or {}, metrics.get("psf") or {}
    return [
        f"single PSF: error / std {percent(single.get('rms_relative_error'))} registered, "
        f"{percent(single.get('edge_relative_error'))} at the edge, "
        f"{percent(single.get('rms_relative_error_entrance'))} as printed",
        f"PSF: FWHM {number(psf.get('fwhm_estimated_um'), '.2f')} um estimated, "
        f"{number(psf.get('fwhm_true_um'), '.2f')} um true; error "
        f"{percent(psf.get('relative_error'))}, converged "
        f"{percent(psf.get('relative_error_converged'))}",
    ]


def sample_table(name: str, numbers: Mapping[str, Any]) -> Table:
    """Return all comparisons of one sample, raw and fitted, against both truths."""
    rows = [
        [label, *(number(numbers.get(key.format(kind=kind)), form) for kind in KINDS)]
        for label, key, form in (*HEADLINES, *_MORE)
    ]
    rows += [
        [label, "-", "-", number(numbers.get(key), ".3f")]
        for label, key in (
            ("RMSE, thin truth, fitted, with a converged PSF", "rmse_restored_converged_psf"),
            ("RMSE, thin truth, fitted, with the true PSF", "rmse_restored_true_psf"),
        )
    ]
    return Table(
        title=f"{name}: thin, thick and restored against both truths",
        head=["", *KINDS],
        rows=rows,
        note="Thin truth: the perfect thin plate's image, without defects and noise. X-ray truth: "
        "the thick plate's energy-weighted transmission. Fitted: after the best gain and offset.",
    )


def gain_table(samples: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the gains in spectral power of all samples."""
    rows = [
        [f"{name}, {text}", *(number(numbers.get(key + end), ".2f") for end in _PARTS)]
        for name, numbers in samples.items()
        for text, key in _GAINS
    ]
    return Table(
        title="Spectral power, restored over thick",
        head=["", "all", "signal", "noise"],
        rows=rows,
        note="Signal: rings where the thick image stands three times above its noise.",
    )


_PARTS = ("", "_signal", "_noise")


def kernel_table(metrics: Mapping[str, Any]) -> Table:
    """Return the numbers of the single-PSF model and of the estimated PSF."""
    psf = metrics["psf"]
    rows = []
    for name, key in (("thick", "single_psf"), ("thin", "single_psf_thin")):
        single = metrics.get(key) or {}
        rows += [
            [
                f"single PSF, {name} plate: error after registration",
                percent(single.get(_SINGLE[0])),
            ],
            [f"single PSF, {name} plate: at the field's edge", percent(single.get(_SINGLE[1]))],
            [f"single PSF, {name} plate: Eq. 2 as printed", percent(single.get(_SINGLE[2]))],
        ]
    rows += [
        ["PSF, true: FWHM (um)", number(psf["fwhm_true_um"], ".2f")],
        ["PSF, estimated: FWHM (um)", number(psf["fwhm_estimated_um"], ".2f")],
        ["PSF, estimated: error over its norm", percent(psf["relative_error"])],
        [
            f"PSF after {psf['converged_iterations']} iterations: error over its norm",
            percent(psf["relative_error_converged"]),
        ],
    ]
    return Table(title="One PSF for all depths, and its estimate", head=["", ""], rows=rows)


_SINGLE = ("rms_relative_error", "edge_relative_error", "rms_relative_error_entrance")


def sheet_table(sheet: Mapping[str, Any]) -> Table:
    """Return the data sheet's numbers of both plates."""
    entries = (
        ("photons absorbed (share)", "absorbed_photon_fraction", ".3f"),
        ("energy absorbed (share)", "absorbed_energy_fraction", ".3f"),
        ("electrons per absorbed X-ray", "electrons_per_xray", ".2f"),
        ("electrons per pixel and frame", "electrons_per_pixel", ".0f"),
        ("depth in focus (um)", "focus_um", ".1f"),
        ("mean depth of light (um)", "mean_depth_um", ".1f"),
        ("MTF 50 % (lp/mm)", "mtf50_cy_per_um", "lp"),
    )
    rows = [
        [label, *(number(sheet[plate][key], form) for plate in ("thin", "thick"))]
        for label, key, form in entries
    ]
    return Table(title="The plates", head=["", "thin", "thick"], rows=rows)


def registration_table(run: FinishedRun) -> Table:
    """Return how every registration went."""
    rows: list[Sequence[str]] = []
    for name, report in run.restoration.registrations.items():
        move = report.transform
        rows.append(
            [
                name.replace("_", " ").replace(".", ", "),
                f"{move.shift_row_px:+.2f}, {move.shift_column_px:+.2f}",
                f"{move.scale - 1.0:+.5f}",
                f"{report.inliers} of {report.matches}",
                number(report.rms_px, ".2f"),
                number(report.correlation, ".3f"),
                report.status.value,
            ]
        )
    return Table(
        title="Registration",
        head=["images", "shift (px)", "scale - 1", "SIFT inliers", "rms (px)", "correlation", ""],
        rows=rows,
        note="Pair: thin laid on thick by the target. Background: laid on its sample by the "
        "plate's defects.",
    )
