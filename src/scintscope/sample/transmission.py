"""X-rays behind a specimen by Beer-Lambert, energy by energy, and when that is not enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scintscope.errors import InputError, check_range, nearest_hint
from scintscope.sample.specimen import Specimen
from scintscope.sharing import share

FloatArray = NDArray[np.float64]
Image = NDArray[np.float32]

TABLE_TOLERANCE = 2e-7
"""Largest interpolation error of the one-material table, as a fraction of the weights' sum."""

_MAX_TABLE = 1 << 20
_BLOCK_PIXELS = 1 << 18
_MIXED_PIXELS = 1 << 13


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """X_g of one material at equidistant thicknesses, (G, nodes), and its steps, (G, nodes - 1)."""

    inverse_step: float
    value: Image
    rise: Image


def group_images(
    specimen: Specimen,
    mu_per_um: Mapping[str, ArrayLike],
    weights: ArrayLike,
    *,
    obliquity: NDArray[np.floating] | None = None,
    workers: int = 1,
) -> Image:
    """Return weighted sums over energy of a specimen's transmission, one image per group.

    Parameters
    ----------
    specimen : Specimen
        Thickness maps, um.
    mu_per_um : dict of str to (E,) array
        Linear attenuation of each material of the specimen, 1/um.
    weights : (G, E) array
        Weights of the energies in each group, >= 0.
    obliquity : (M, N) array, optional
        Path length over thickness, 1/cos of the ray's angle, >= 1.
    workers : int
        Threads. The blocks of pixels they share are fixed: their number changes no bit.

    Returns
    -------
    (G, M, N) float32 array
        X_g(x) = sum_E weights[g, E] exp(-sum_m mu_m(E) t_m(x)); without an absorber, the sum of
        the group's weights.

    Raises
    ------
    InputError
        When a material has no attenuation, or shapes do not fit.

    Notes
    -----
    Where one material alone is in the beam, X_g is a function of its thickness and read from a
    dense table by linear interpolation, whose error is at most h^2/8 sum_E w mu^2 <= 2e-7 of
    the weights' sum (`TABLE_TOLERANCE`; zero and the greatest thickness are nodes, hence exact).
    Where several are, exponents and sums are taken in float32: below 1e-6 of the weights' sum.
    """
    thickness, mu = _stack(specimen, mu_per_um)
    group = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if group.shape[1] != mu.shape[1] or not np.isfinite(group).all() or group.min() < 0:
        raise InputError(
            f"weights of shape {group.shape} must be finite, >= 0 and have one column per energy "
            f"({mu.shape[1]})."
        )
    path = _check_obliquity(obliquity, thickness[0].shape)
    tables = [_table(_greatest(t, path), m, group) for t, m in zip(thickness, mu, strict=True)]
    rows, columns = thickness[0].shape
    out = np.empty((group.shape[0], rows, columns), dtype=np.float32)
    step = max(1, _BLOCK_PIXELS // columns)

    def block(start: int) -> None:
        part = slice(start, min(start + step, rows))
        flat = [_flat(t[part], None if path is None else path[part]) for t in thickness]
        shape = (group.shape[0], part.stop - start, columns)
        out[:, part] = _block_images(flat, mu, group, tables).reshape(shape)

    share(block, range(0, rows, step), workers)
    return out


def transmission(specimen: Specimen, mu_per_um: Mapping[str, ArrayLike]) -> FloatArray:
    """Return the transmission at every energy, plainly in float64 (for small grids and tests).

    Parameters
    ----------
    specimen : Specimen
        Thickness maps, um.
    mu_per_um : dict of str to (E,) array
        Linear attenuation of each material, 1/um.

    Returns
    -------
    (E, M, N) float64 array
        exp(-sum_m mu_m(E) t_m(x)).
    """
    thickness, mu = _stack(specimen, mu_per_um)
    exponent = np.tensordot(mu.T, np.stack([t.astype(np.float64) for t in thickness]), axes=1)
    return np.asarray(np.exp(-exponent))


def fresnel_warning(*, wavelength_um: float, z_eff_um: float, pixel_um_object: float) -> str | None:
    """Return a warning when edge diffraction behind the sample is too wide to be neglected.

    Parameters
    ----------
    wavelength_um : float
        X-ray wavelength, um (the longest that matters).
    z_eff_um : float
        Propagation distance z12 / m over the geometric magnification, um.
    pixel_um_object : float
        Camera pixel in the sample plane, um.

    Returns
    -------
    str or None
        Text for a `PhysicsWarning` when sqrt(lambda z_eff), the width of the first Fresnel zone,
        exceeds half a pixel; else None.
    """
    check_range("wavelength_um", wavelength_um, low=0.0, low_open=True, unit="um")
    check_range("z_eff_um", z_eff_um, low=0.0, unit="um")
    check_range("pixel_um_object", pixel_um_object, low=0.0, low_open=True, unit="um")
    zone_um = math.sqrt(wavelength_um * z_eff_um)
    if zone_um <= 0.5 * pixel_um_object:
        return None
    return (
        f"Fresnel fringes behind the sample are sqrt(lambda z_eff) = {zone_um:.2f} um wide, over "
        f"half an object pixel ({0.5 * pixel_um_object:.2f} um): real edges would show phase "
        "contrast, which is not modelled. Bring the sample nearer to the scintillator."
    )


def _stack(
    specimen: Specimen, mu_per_um: Mapping[str, ArrayLike]
) -> tuple[list[Image], FloatArray]:
    """Return maps and attenuation (materials, energies) in one order."""
    names = list(specimen.thickness_um)
    if not names:
        raise InputError("the specimen has no material map: give one, of zeros if it is empty.")
    for name in names:
        if name not in mu_per_um:
            raise InputError(
                f"no attenuation given for the specimen's material {name!r}."
                f"{nearest_hint(name, list(mu_per_um))}"
            )
    curves = [np.atleast_1d(np.asarray(mu_per_um[name], dtype=np.float64)) for name in names]
    if len({c.shape for c in curves}) > 1 or curves[0].ndim != 1:
        raise InputError("attenuation curves must be 1-D and share one energy axis.")
    mu = np.stack(curves)
    if not np.isfinite(mu).all() or mu.min() < 0:
        raise InputError("linear attenuation must be finite and >= 0, 1/um.")
    return [specimen.thickness_um[name] for name in names], mu


def _check_obliquity(
    obliquity: NDArray[np.floating] | None, shape: tuple[int, ...]
) -> NDArray[np.floating] | None:
    if obliquity is None:
        return None
    if obliquity.shape != shape or not np.isfinite(obliquity).all() or obliquity.min() < 1.0:
        raise InputError(f"obliquity must have shape {shape} and hold finite values >= 1.")
    return obliquity


def _greatest(thickness: Image, path: NDArray[np.floating] | None) -> float:
    top = float(thickness.max())
    return top if path is None else top * float(path.max())


def _flat(thickness: Image, path: NDArray[np.floating] | None) -> Image:
    longer = thickness if path is None else thickness * path
    return np.asarray(longer, dtype=np.float32).reshape(-1)


def _table(top_um: float, mu: FloatArray, weights: FloatArray) -> _Table | None:
    """Return X_g tabulated from 0 to ``top_um``, or None.

    None when the tolerance would need more than `_MAX_TABLE` nodes.
    """
    scale = np.maximum(weights.sum(axis=1), np.finfo(float).tiny)
    curvature = float(((weights @ mu**2) / scale).max())
    step = math.sqrt(8.0 * TABLE_TOLERANCE / curvature) if curvature > 0 else math.inf
    count = max(2, math.ceil(top_um / step) + 1)
    if count > _MAX_TABLE:
        return None
    nodes = np.linspace(0.0, top_um, count)
    values = np.empty((weights.shape[0], count), dtype=np.float64)
    for start in range(0, count, 4096):
        part = slice(start, start + 4096)
        values[:, part] = weights @ np.exp(-np.outer(mu, nodes[part]))
    nodes_32 = values.astype(np.float32)
    inverse_step = (count - 1) / top_um if top_um > 0 else 0.0
    return _Table(inverse_step=inverse_step, value=nodes_32, rise=np.diff(nodes_32, axis=1))


def _block_images(
    thickness: list[Image],
    mu: FloatArray,
    weights: FloatArray,
    tables: list[_Table | None],
) -> Image:
    """Return X_g of a run of pixels, (G, pixels): by table where one material is alone."""
    present = np.zeros(thickness[0].shape, dtype=np.int8)
    for values in thickness:
        present += values > 0
    out = np.empty((weights.shape[0], present.size), dtype=np.float32)
    out[:] = weights.sum(axis=1, keepdims=True)
    direct = present > 1
    for values, table in zip(thickness, tables, strict=True):
        alone = (values > 0) & (present == 1)
        if table is None:
            direct |= alone
        elif alone.all():
            out = _look_up(values, table)
        elif alone.any():
            out[:, alone] = _look_up(values[alone], table)
    where = np.flatnonzero(direct)
    stacked = np.stack([values[where] for values in thickness])
    for start in range(0, where.size, _MIXED_PIXELS):
        part = slice(start, start + _MIXED_PIXELS)
        out[:, where[part]] = _sum_energies(stacked[:, part], mu, weights)
    return out


def _look_up(thickness: Image, table: _Table) -> Image:
    """Interpolate the table linearly, (G, pixels)."""
    position = thickness.astype(np.float64) * table.inverse_step
    lower = np.minimum(position.astype(np.intp), table.rise.shape[1] - 1)
    fraction = (position - lower).astype(np.float32)
    out = np.empty((table.value.shape[0], thickness.size), dtype=np.float32)
    for image, value, rise in zip(out, table.value, table.rise, strict=True):
        np.multiply(rise[lower], fraction, out=image)
        image += value[lower]
    return out


def _sum_energies(thickness: Image, mu: FloatArray, weights: FloatArray) -> Image:
    """Return sum_E w exp(-mu t) of pixels with several materials, (G, pixels), in float32."""
    exponent = mu.T.astype(np.float32) @ thickness
    np.exp(np.negative(exponent, out=exponent), out=exponent)
    return np.asarray(weights.astype(np.float32) @ exponent, dtype=np.float32)
