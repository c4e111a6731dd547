"""Transfer functions, depths of field and plate aberration against another code, closed forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from scintscope.noise.theory import defocused_slab_moments, local_moments, lubberts_ratio
from scintscope.optics.defocus import first_crossing_um
from scintscope.optics.depth_of_field import depth_of_field
from scintscope.optics.otf import diffraction_limited_mtf, otf
from scintscope.optics.psf_radial import radial_psf
from scintscope.optics.wavefront import OpticalPath, rms_waves, slab_path
from scintscope.quadrature import interval_nodes
from scintscope.validate import Row, read_table, relative_row, row, worst

HERE = Path(__file__).parent
WAVELENGTH_UM, CRYSTAL = 0.55, 1.82
PUPIL = "2-D autocorrelation of the pupil on 160 x 160 nodes, made outside the package"
SMALL = 1e-4
"""NA and f by this, z by its inverse square: the paraxial OTF stays, the exact one becomes it."""


def otf_rows() -> list[Row]:
    """Return the comparison of defocused transfer functions in four models."""
    table = read_table(HERE / "otf.csv")
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for na, model in sorted({(line["NA"], line["model"]) for line in table}):
        scale = SMALL if model.startswith("paraxial") else 1.0
        index = CRYSTAL if model.endswith("n1.82") else 1.0
        path = OpticalPath(na=na * scale, index=index, wavelength_um=WAVELENGTH_UM)
        lines = [x for x in table if (x["NA"], x["model"]) == (na, model)]
        for f in sorted({line["f_lpmm"] for line in lines}):
            same = [line for line in lines if line["f_lpmm"] == f]
            z = np.array([line["z_um"] for line in same])
            ours = np.asarray(otf(np.array([f / 1000.0]) * scale, z / scale**2, 0.0, path))[:, 0]
            groups.setdefault((na, model), []).extend(
                row(f"{f:g} lp/mm, z = {line['z_um']:g} um", value, line["OTF"], 2e-6,
                    reason="seven printed digits, frequencies of four decimals", source=PUPIL)
                for line, value in zip(same, ours, strict=True)
            )  # fmt: skip
    return [
        worst(group, f"OTF, NA {na:g}, {model.replace('_', ' ')}")
        for (na, model), group in groups.items()
    ]


def zero_rows() -> list[Row]:
    """Return the comparison of the defocus at which contrast first dies."""
    columns = {"exact_air": (1.0, 1.0), "exact_n1.82": (CRYSTAL, 1.0),
               "paraxial_air": (1.0, SMALL), "paraxial_n1.82": (CRYSTAL, SMALL)}  # fmt: skip
    found: dict[str, list[Row]] = {column: [] for column in columns}
    for line in read_table(HERE / "first_zero.csv"):
        for column, (index, scale) in columns.items():
            f = line["f_lpmm"] / 1000.0
            ours = first_crossing_um(0.0, f * scale, line["NA"] * scale, line["lambda_um"], index)
            value = np.nan if ours is None else ours * scale**2
            name = f"NA {line['NA']:g}, {line['f_lpmm']:g} lp/mm, {line['lambda_um']:g} um"
            found[column].append(
                row(name, value, line[column], 2e-4, unit="um", source=PUPIL,
                    reason="four printed digits after the point, rounded frequency")
            )  # fmt: skip
    return [
        worst(group, f"first zero of contrast, {column.replace('_', ' ')}")
        for column, group in found.items()
    ]


def gibson_lanni_row() -> Row:
    """Return the comparison with the transform of another package's point-spread function."""
    found = []
    for line in read_table(HERE / "gibson_lanni.csv"):
        path = OpticalPath(na=line["NA"], index=1.0, wavelength_um=WAVELENGTH_UM)
        f, z = np.array([line["f_lpmm"] / 1000.0]), np.array([line["z_um"]])
        ours = abs(float(np.asarray(otf(f, z, 0.0, path))[0, 0]))
        found.append(
            row(f"NA {line['NA']:g}, {line['f_lpmm']:g} lp/mm, z = {line['z_um']:g} um", ours,
                line["psfmodels"], 7e-3, source="psfmodels 0.3.3 scalar_psf, transformed",
                reason="its image is cut at 30 um, which lifts its MTF by up to 6e-3")
        )  # fmt: skip
    return worst(found, "MTF beside Gibson-Lanni")


def stokseth_rows() -> list[Row]:
    """Return the error of Stokseth's approximation against our transfer function."""
    na = 0.4 * SMALL
    path = OpticalPath(na=na, index=1.0, wavelength_um=WAVELENGTH_UM)
    s = np.arange(0.02, 1.99, 0.02)
    smooth = 1.0 - 0.69 * s + 0.0076 * s**2 + 0.043 * s**3
    found = []
    for line in read_table(HERE / "stokseth.csv"):
        waves = line["W20_waves"]
        x = 4.0 * np.pi * waves * s * (1.0 - 0.5 * s)
        disc = np.array([_jinc(value) for value in x])
        exact = np.asarray(
            otf(s * na / WAVELENGTH_UM, np.array([2.0 * waves * WAVELENGTH_UM / na**2]), 0.0, path)
        )[0]
        error = float(np.abs(smooth * disc - exact).max())
        found.append(
            row(f"{waves:g} waves", error, line["max_abs_error"], 1e-3, source=PUPIL,
                reason="largest of a sampled curve, four printed digits; other samples of s")
        )  # fmt: skip
    return [worst(found, "largest error of Stokseth's approximation")]


def _jinc(x: float) -> float:
    from scipy.special import j1

    return 1.0 if x == 0.0 else float(2.0 * j1(x) / x)


def depth_rows() -> list[Row]:
    """Return the comparison of depths of field by their definitions."""
    found = []
    for line in read_table(HERE / "depth_of_field.csv"):
        ours = depth_of_field(line["NA"], WAVELENGTH_UM, 1.0, line["f_nyq_lpmm"] / 1000.0,
                              line["M"], 6.5)  # fmt: skip
        group = [
            row(column, value, line[column], 6e-5, unit="um", kind="closed form",
                reason="four printed digits after the point", source="closed forms, see SOURCE.md")
            for column, value in (
                ("quarter_wave_total", ours.quarter_wave),
                ("lambda_over_NA2", ours.quarter_wave_paraxial),
                ("berek_pixel6.5", ours.berek),
                ("aps", ours.half_more),
            )
        ]  # fmt: skip
        found.append(worst(group, f"depth of field, {line['M']:g}x/{line['NA']:g}"))
    return found


def plate_rows() -> list[Row]:
    """Return the comparison of the aberration a plane plate leaves at its best focus."""
    rms, travel = [], []
    for line in read_table(HERE / "plate_aberration.csv"):
        path = OpticalPath(na=line["NA"], index=line["n"], wavelength_um=WAVELENGTH_UM)
        thickness = line["t_um"]
        best = minimize_scalar(
            lambda a, p=path, t=thickness: float(rms_waves(t, a, p)) ** 2,
            bracket=(0.0, thickness),
            tol=1e-12,
        )
        name = f"n = {line['n']:g}, NA {line['NA']:g}, {thickness:g} um"
        told = {"unit": "um", "reason": "printed digits", "source": "quadrature over the pupil"}
        ours = float(np.sqrt(best.fun)) * WAVELENGTH_UM
        rms.append(row(name, ours, line["rms_exact_um"], 1e-5, **told))
        travel.append(row(name, float(best.x), line["best_a_um"], 2e-4, **told))
    return [worst(rms, "rms aberration of a plate"), worst(travel, "best travel behind a plate")]


def slab_rows() -> list[Row]:
    """Return the comparison of depth means over an evenly glowing slab, its centre in focus."""
    groups: dict[str, list[Row]] = {"mean OTF": [], "mean square": [], "Lubberts ratio": []}
    closed = []
    for line in read_table(HERE / "thick_slab.csv"):
        shrink = 0.05
        path = OpticalPath(
            na=line["NA"] * shrink, index=CRYSTAL, wavelength_um=WAVELENGTH_UM * shrink**2
        )
        f, t = line["f_lpmm"] / 1000.0, line["T_um"]
        z, weight = interval_nodes(-0.5 * t, 0.5 * t, 600)
        transfer = np.asarray(otf(np.array([0.0, f / shrink]), z, 0.0, path))
        moments = local_moments(1.0, 1.0, np.full(z.size, 1.0 / t), weight, transfer, 1.0, 1.0)
        name = f"NA {line['NA']:g}, {line['f_lpmm']:g} lp/mm, {t:g} um"
        for key, ours, column, share in (
            ("mean OTF", moments.signal_per_um2[1], "M_paraxial_num", 0.012),
            ("mean square", moments.events_per_um2[1], "Q_paraxial_num", 0.012),
            ("Lubberts ratio", lubberts_ratio(moments)[1], "R_num", 0.025),
        ):
            groups[key].append(
                relative_row(name, ours, line[column], share, source="1600 depths, 96 x 96 pupil",
                             reason="the reference's own pupil grid, 1 % at the thickest")
            )  # fmt: skip
        mean, square = defocused_slab_moments(np.array([f]), line["NA"], CRYSTAL, WAVELENGTH_UM, t)
        for ours, column in ((mean[0], "C1_over_T"), (square[0], "C2_over_T")):
            closed.append(
                row(f"{column}, {name}", ours, line[column], 1e-6, kind="closed form",
                    reason="six printed digits", source="thick-slab limit, see SOURCE.md")
            )  # fmt: skip
    return [*(worst(g, f"evenly glowing slab, {k}") for k, g in groups.items()),
            worst(closed, "thick-slab limit")]  # fmt: skip


def airy_rows() -> list[Row]:
    """Return Airy's textbook numbers read off the radial engine."""
    na = 0.1
    path = OpticalPath(na=na, index=1.0, wavelength_um=WAVELENGTH_UM)
    unit = WAVELENGTH_UM / na
    r = np.linspace(0.0, 1.5 * unit, 30001)
    image = np.asarray(radial_psf(r, np.array([0.0]), 0.0, path)).reshape(-1, r.size)[0]
    first = int(np.argmin(np.where((r > 0.5 * unit) & (r < 0.8 * unit), image, np.inf)))
    half = float(np.interp(-0.5, -image[: first + 1] / image[0], r[: first + 1]))
    inside = np.trapezoid((image * r)[: first + 1], r[: first + 1]) * 2.0 * np.pi
    textbook = {"kind": "closed form", "source": "Born and Wolf, section 8.5.2"}
    fine = "grid of 30000 radii"
    return [
        row("Airy: radius of the first dark ring, lambda/NA", r[first] / unit, 0.60984, 1e-4,
            reason=fine, **textbook),
        row("Airy: full width at half maximum, lambda/NA", 2.0 * half / unit, 0.51450, 1e-4,
            reason=fine, **textbook),
        row("Airy: light within the first dark ring", inside, 0.83785, 1e-4, reason=fine,
            **textbook),
        row("in-focus MTF at half the cut-off", float(diffraction_limited_mtf(np.array([0.5]))[0]),
            2.0 / np.pi * (np.arccos(0.5) - 0.5 * np.sqrt(0.75)), 1e-12, kind="closed form",
            reason="float rounding", source="Goodman, Fourier Optics, section 6.3"),
    ]  # fmt: skip


def rolt_rows() -> list[Row]:
    """Return a textbook's example of spherical aberration: 170 um, n = 1.5, NA 0.8."""
    na, n, t = 0.8, 1.5, 170.0
    wave = 0.589
    p2 = np.array([1e-3, 2e-3])
    # fourth-order term of our exact path difference, from two small apertures
    term = (np.asarray(slab_path(p2, n)) - (-p2 / (2.0 * n))) / p2**2
    ours = float(t * na**4 * -(2.0 * term[0] - term[1]) - t * na**4 / (8.0 * n))
    told = {"kind": "measurement", "source": "Rolt, Optical Engineering Science, example 4.2"}
    return [
        row("third-order aberration of a cover slip", abs(ours), 3.2, 0.05, unit="um",
            reason="two printed digits", **told),
        row("the same, rms in waves at 589 nm", abs(ours) / (6.0 * np.sqrt(5.0) * wave), 0.4, 0.05,
            reason="one printed digit", **told),
    ]  # fmt: skip


def rows(quick: bool) -> list[Row]:
    """Return the comparisons; the quick ones leave out the depth means and the root finding."""
    found = [*airy_rows(), *rolt_rows(), *depth_rows(), gibson_lanni_row()]
    return found if quick else [*found, *otf_rows(), *zero_rows(), *stokseth_rows(),
                                *plate_rows(), *slab_rows()]  # fmt: skip
