r"""Transfer functions over the field: defocus, coma, astigmatism and lateral colour together.

With the pupil's wavefront W = W_axis - d B + coma + astigmatism (d the focus shift, B the path of
the stage's travel) the transfer function at the frequency f, at the angle alpha to the field's
azimuth, is the autocorrelation of the pupil

.. math:: T = \frac{2}{\pi} \iint_{half} \cos[E(+) - E(-)]\, e^{i [O(+) - O(-)]}\, dx\, dy

over half the overlap of two shifted pupils, E and O the even and odd parts of 2 pi W / lambda
(Hopkins 1955, Proc. R. Soc. A 231, 91, with the two halves of the overlap put together; the sign is
that of T = int PSF(x) exp(-2 pi i f x) dx, PSF = |int exp(i W + i p x) dp|^2). It holds
T(-alpha) = T(alpha) and T(pi - alpha) = T(alpha)*, so that

.. math:: T = \sum_j i^{j \bmod 2}\, C_j(f)\, \cos j\alpha

with real C_j: the even ones are real in T, the odd ones imaginary. C_j depends on the field through
two numbers only, the focus shift d and the radius rho / R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.optics.field import FieldAberrations, azimuthal_phase_waves, focus_shift_um
from scintscope.optics.shear import nodes_for, phase_ranges_rad
from scintscope.optics.wavefront import (
    OpticalPath,
    focus_for_travel_um,
    slab_path,
    wavefront_um,
)
from scintscope.quadrature import unit_nodes

Array = NDArray[np.float64]

_ACROSS_LEAST = 24
_FLOOR = 1e-5
"""Depths whose transfer at a frequency stays below this share of the light are left out there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthSum:
    """Which depths a transfer function sums, and with what weights.

    Parameters
    ----------
    depth_below_exit_um : (D,) array
        Emitters; mirror images lie beyond the plate.
    weight : (K, D, F) or (K, D, 1) array
        K weighted sums, the weights dependent on frequency or not.
    """

    depth_below_exit_um: Array
    weight: Array


def field_harmonics(
    frequency_cy_per_um: Array,
    depths: DepthSum,
    travel_um: float,
    path: OpticalPath,
    field: FieldAberrations,
    shift_um: Array,
    radius_fraction: Array,
    angles: int,
) -> Array:
    """Return C_j of depth-summed transfer functions on a grid of focus shifts and field radii.

    Parameters
    ----------
    frequency_cy_per_um : (F,) array
        Object side; C = 0 from the cut-off on.
    depths : DepthSum
        What is summed.
    travel_um : float
        Stage travel on the axis.
    path : OpticalPath
        Lens and layers.
    field : FieldAberrations
        Coma, astigmatism, lateral colour.
    shift_um : (S,) array
        Focus shifts.
    radius_fraction : (P,) array
        rho / R.
    angles : int
        Angles alpha between 0 and 90 degrees; harmonics j < 2 angles come out.

    Returns
    -------
    (K, F, 2 angles, S, P) array
    """
    frequency = np.asarray(frequency_cy_per_um, dtype=np.float64)
    alpha = 0.5 * np.pi * (np.arange(angles) + 0.5) / angles
    count = depths.weight.shape[0]
    shape = (count, frequency.size, 2 * angles, shift_um.size, radius_fraction.size)
    result = np.zeros(shape)
    even, odd = _harmonic_matrices(angles)
    nodes = _node_counts(frequency, depths, travel_um, path, shift_um)
    for i, f in enumerate(frequency):
        if f >= path.cutoff_cy_per_um:
            continue
        h = f / path.cutoff_cy_per_um
        weight = depths.weight[:, :, i if depths.weight.shape[2] > 1 else 0]
        values = _at_angles(
            h, nodes[i], weight, depths, travel_um, path, field, shift_um, radius_fraction, alpha
        )
        if field.lateral_colour_um:
            spread = f * field.lateral_colour_um * np.cos(alpha)[:, None] * radius_fraction
            values = values * np.sinc(spread)[None, :, None, :]
        result[:, i, 0::2] = np.einsum("ja,kasp->kjsp", even, values.real)
        result[:, i, 1::2] = np.einsum("ja,kasp->kjsp", odd, values.imag)
    return result


def transfer_at(harmonics: Array, angle_rad: Any) -> NDArray[np.complex128]:
    """Return T = sum_j i^(j mod 2) C_j cos(j alpha); harmonics (J, ...), angle broadcast to ...."""
    j = np.arange(harmonics.shape[0])
    unit = np.where(j % 2, 1j, 1.0)
    cosines = np.cos(np.multiply.outer(j, np.asarray(angle_rad)))
    extra = harmonics.ndim - cosines.ndim
    cosines = cosines.reshape(cosines.shape + (1,) * extra) if extra > 0 else cosines
    unit = unit.reshape((-1,) + (1,) * (harmonics.ndim - 1))
    return np.asarray((unit * cosines * harmonics).sum(axis=0))


def _harmonic_matrices(angles: int) -> tuple[Array, Array]:
    """Return the matrices from values at the angles to even and to odd harmonics."""
    alpha = 0.5 * np.pi * (np.arange(angles) + 0.5) / angles
    k = np.arange(angles)[:, None]
    even = (2.0 - (k == 0)) / angles * np.cos(2 * k * alpha)
    odd = 2.0 / angles * np.cos((2 * k + 1) * alpha)
    return np.asarray(even), np.asarray(odd)


def _kept(h: float, depths: DepthSum, weight: Array, focus_um: Array, path: OpticalPath) -> Any:
    """Return which depths matter at a frequency.

    The transfer of a wide blur disc stays below sqrt(8 / pi) a^(-3/2), a = 2 pi f z tan(theta).
    """
    sine = path.na / path.index
    distance = np.min(np.abs(depths.depth_below_exit_um[:, None] - focus_um[None, :]), axis=1)
    inside = (depths.depth_below_exit_um - focus_um.min()) * (
        depths.depth_below_exit_um - focus_um.max()
    ) <= 0.0
    a = 2.0 * np.pi * h * path.cutoff_cy_per_um * distance * sine / np.sqrt(1.0 - sine**2)
    envelope = np.minimum(np.sqrt(8.0 / np.pi) * np.maximum(a, 1e-9) ** -1.5, 1.0)
    share = np.abs(weight).max(axis=0) * envelope
    return inside | (share > _FLOOR * np.abs(weight).sum(axis=1).max())


def _node_counts(
    frequency: Array, depths: DepthSum, travel_um: float, path: OpticalPath, shift_um: Array
) -> list[tuple[Any, tuple[int, int]]]:
    """Return, per frequency, which depths are kept and the quadrature nodes they need."""
    ends = np.array([shift_um.min(), shift_um.max()])
    focus = np.array([float(focus_for_travel_um(travel_um + d, path)) for d in ends])
    found = []
    for i, f in enumerate(frequency):
        h = min(f / path.cutoff_cy_per_um, 1.0)
        weight = depths.weight[:, :, i if depths.weight.shape[2] > 1 else 0]
        kept = _kept(h, depths, weight, focus, path)
        along, across = 0.0, 0.0
        used = depths.depth_below_exit_um[kept]
        for d in ends if used.size else ():
            a, b = phase_ranges_rad(np.array([h]), used, travel_um + d, path)
            along, across = max(along, float(a[0])), max(across, float(b[0]))
        counts = (int(nodes_for(np.array(along))), int(nodes_for(np.array(2.0 * across))))
        found.append((kept, (counts[0], max(counts[1], _ACROSS_LEAST))))
    return found


def _half_overlap(h: float, counts: tuple[int, int]) -> tuple[Array, Array, Array, Array]:
    """Return x(+), x(-), y and weights over half the overlap, flat; they sum to H of no error."""
    node_x, weight_x = unit_nodes(counts[0])
    node_y, weight_y = unit_nodes(counts[1])
    top = np.arccos(h)
    t = top * node_x[:, None]
    plus = np.broadcast_to(np.cos(t), (counts[0], counts[1]))
    y = np.sin(t) * (2.0 * node_y - 1.0)[None, :]
    area = np.sin(t) ** 2 * top * weight_x[:, None] * (2.0 * weight_y)[None, :]
    return plus.ravel(), plus.ravel() - 2.0 * h, y.ravel(), (2.0 / np.pi * area).ravel()


def _at_angles(
    h: float,
    nodes: tuple[Any, tuple[int, int]],
    weight: Array,
    depths: DepthSum,
    travel_um: float,
    path: OpticalPath,
    field: FieldAberrations,
    shift_um: Array,
    radius_fraction: Array,
    alpha: Array,
) -> NDArray[np.complex128]:
    """Return T at one frequency, (K, angles, shifts, radii)."""
    kept, counts = nodes
    plus, minus, y, area = _half_overlap(h, counts)
    scale = 2.0 * np.pi / path.wavelength_um
    p2_plus, p2_minus = path.na**2 * (plus**2 + y**2), path.na**2 * (minus**2 + y**2)
    fixed = wavefront_um(p2_plus, 0.0, travel_um, path) - wavefront_um(
        p2_minus, 0.0, travel_um, path
    )
    slope = slab_path(p2_plus, path.index) - slab_path(p2_minus, path.index)
    air = slab_path(p2_plus, path.immersion_index) - slab_path(p2_minus, path.immersion_index)
    emitters = np.exp(1j * scale * depths.depth_below_exit_um[kept][:, None] * slope)
    light = (weight[:, kept] @ emitters) * (np.exp(1j * scale * fixed) * area)
    moved = np.exp(-1j * scale * shift_um[:, None] * air)
    left = (light[:, None, :] * moved[None]).reshape(-1, area.size)
    sides = []
    for a in alpha:
        even, odd = _azimuthal_difference(plus, minus, y, field, radius_fraction, float(a))
        turn = np.exp(2j * np.pi * even)
        sides += [turn * np.cos(2.0 * np.pi * odd), turn * np.sin(2.0 * np.pi * odd)]
    right = np.concatenate(sides)
    product = left.real @ right.real.T - left.imag @ right.imag.T
    shape = (weight.shape[0], shift_um.size, alpha.size, 2, radius_fraction.size)
    parts = product.reshape(shape).transpose(3, 0, 2, 1, 4)
    return np.asarray(parts[0] + 1j * parts[1])


def _azimuthal_difference(
    plus: Array, minus: Array, y: Array, field: FieldAberrations, radius: Array, angle: float
) -> tuple[Array, Array]:
    """Return astigmatism and coma at (+) less at (-), waves, (radii, nodes).

    The nodes lie in the frame of the shear, which stands at ``angle`` to the field's azimuth.
    """
    cosine, sine = np.cos(angle), np.sin(angle)
    ends = [
        azimuthal_phase_waves(field, x * cosine - y * sine, x * sine + y * cosine, radius[:, None])
        for x in (plus, minus)
    ]
    return ends[0][0] - ends[1][0], ends[0][1] - ends[1][1]


def local_psf(
    row_um: float,
    column_um: float,
    depth_below_exit_um: float,
    travel_um: float,
    path: OpticalPath,
    field: FieldAberrations,
    corner_um: float,
    pixel_um: float,
    count: int,
) -> Array:
    """Return the point spread at one place of the field, 1/um2, (count, count), row and column.

    By Fourier transform of the local transfer function, without the camera's pixel; what spreads
    beyond the window folds back into it.

    Parameters
    ----------
    row_um, column_um : float
        Place from the axis.
    depth_below_exit_um, travel_um, path
        Emitter, stage on the axis, lens and layers.
    field, corner_um
        The field's aberrations and the radius at which they hold.
    pixel_um, count : float, int
        Pitch and side of the window; the place itself lies at sample (count // 2, count // 2).
    """
    depths = DepthSum(
        depth_below_exit_um=np.array([depth_below_exit_um]), weight=np.ones((1, 1, 1))
    )
    radial = np.linspace(0.0, path.cutoff_cy_per_um, max(count, 64))
    shift = focus_shift_um(field, row_um, column_um, corner_um).reshape(1)
    radius = np.array([np.hypot(row_um, column_um) / corner_um])
    angles = 8 if field.blurs_by_azimuth else 1
    found = field_harmonics(radial, depths, travel_um, path, field, shift, radius, angles)
    curves = found[0, :, :, 0, 0]
    f_row = np.fft.fftfreq(count, pixel_um)[:, None]
    f_column = np.fft.fftfreq(count, pixel_um)[None, :]
    f = np.hypot(f_row, f_column)
    inside = f < path.cutoff_cy_per_um
    harmonics = np.stack([np.interp(f, radial, curve) * inside for curve in curves.T])
    angle = np.arctan2(f_row, f_column) - np.arctan2(row_um, column_um)
    transfer = transfer_at(harmonics, angle)
    return np.asarray(np.fft.fftshift(np.fft.ifft2(transfer).real) / pixel_um**2)
