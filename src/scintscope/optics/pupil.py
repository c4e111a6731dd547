r"""The pupil: which amplitude and which polarisation reach the image, scalar and vectorial.

**Scalar.** Amplitude A(rho) of `Aberrations` (1 by default) in the coordinate p = NA rho.

**Vectorial.** Isotropic, incoherent dipoles inside the plate, three orientations summed. The plane
wave of transverse frequency p of a dipole has its s and p parts transmitted by each bare face with
Fresnel's amplitudes (q_j = sqrt(n_j^2 - p^2))

.. math:: t_s = \frac{2 q_1}{q_1 + q_2},\qquad t_p = \frac{2 n_1 n_2 q_1}{n_2^2 q_1 + n_1^2 q_2}

and a lens that keeps the sine condition and the energy turns the spherical wave into the pupil's
plane one. In p the amplitude is

.. math:: a(p) = \sqrt{\cos\theta_i} / \cos\theta_1,\quad
          \cos\theta_j = \sqrt{1 - p^2 / n_j^2}

(index 1 the plate, i the immersion): |a t|^2 d^2p is the power through the face per solid angle,
T dOmega_1. It is the reciprocal of focusing with sqrt(cos theta) dOmega (Richards and Wolf 1959,
Proc. R. Soc. A 253, 358; Torok et al. 1995, J. Opt. Soc. Am. A 12, 325; Hell et al. 1993, J.
Microsc. 169, 391; dipoles: Aguet et al. 2009, Opt. Express 17, 6829). On the low-NA image side

.. math:: I = \tfrac12 |I_0|^2 + \tfrac12 |I_2|^2 + |I_1|^2,\quad
          I_m = \int_0^1 A_m e^{i k W} J_m(k\,NA\,r \rho)\, \rho\, d\rho

A_0 = a (t_s + t_p cos theta_1), A_2 = a (t_s - t_p cos theta_1), A_1 = a t_p sin theta_1: the
halves are the x and y dipoles, I_1 the z dipole. Left out: interference of light reflected at the
exit face, and what the face does to the dipole's power (both for emitters a wavelength from it).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from scintscope.errors import InputError, check_choice
from scintscope.jax64 import namespace
from scintscope.optics.aberrations import PERFECT, Aberrations, radial_terms_um
from scintscope.optics.wavefront import OpticalPath


@dataclass(frozen=True, kw_only=True, slots=True)
class Pupil:
    """What the light is taken for, and what the lens does to it besides the layers.

    Parameters
    ----------
    model : {"scalar", "vectorial"}
        See the module.
    aberrations : Aberrations
        Of the lens.
    outer_indices : tuple of float
        Vectorial: indices of the media with bare faces from the exit face on, in order; the last
        is the immersion. Empty: the immersion alone, so that only the exit face counts and glass
        plates are taken as coated.
    """

    model: str = "scalar"
    aberrations: Aberrations = PERFECT
    outer_indices: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        check_choice("pupil.model", self.model, ("scalar", "vectorial"))
        if self.model == "vectorial" and self.aberrations.apodisation == "aplanatic":
            raise InputError(
                "pupil.model = 'vectorial' has the aplanatic factor by itself: set "
                "aberrations.apodisation = 'none' (or 'gaussian', which multiplies it)."
            )


SCALAR = Pupil()
VECTORIAL = Pupil(model="vectorial")


def root_index(p2: Any, index: Any) -> Any:
    """Return q = sqrt(n^2 - p^2), n times the direction cosine in that medium."""
    return namespace(p2, index).sqrt(index**2 - p2)


def fresnel_transmission(p2: Any, inner: Any, outer: Any) -> tuple[Any, Any]:
    """Return the amplitudes t_s, t_p of a face from index ``inner`` to ``outer``.

    Born and Wolf 1999, Eq. 1.5.2 (20a); written in q = n cos(theta) (module equation).
    """
    q1, q2 = root_index(p2, inner), root_index(p2, outer)
    return (
        2.0 * q1 / (q1 + q2),
        2.0 * inner * outer * q1 / (outer**2 * q1 + inner**2 * q2),
    )


def bare_faces(p2: Any, path: OpticalPath, pupil: Pupil) -> tuple[Any, Any]:
    """Return t_s, t_p through all bare faces between plate and lens, multiplied."""
    inner = path.index
    total_s, total_p = 1.0, 1.0
    for outer in pupil.outer_indices or (path.immersion_index,):
        t_s, t_p = fresnel_transmission(p2, inner, outer)
        total_s, total_p, inner = total_s * t_s, total_p * t_p, outer
    return total_s, total_p


def scalar_amplitude(p2: Any, path: OpticalPath, aberrations: Aberrations) -> Any:
    """Return the apodisation A of `Aberrations` (its docstring), obstruction left out."""
    if aberrations.apodisation == "aplanatic":
        return (1.0 - p2 / path.index**2) ** -0.25
    if aberrations.apodisation == "gaussian":
        xp = namespace(p2, path.na)
        return xp.exp(-p2 / (path.na * aberrations.gaussian_radius) ** 2)
    return 1.0 + 0.0 * p2


def dipole_factors(p2: Any, path: OpticalPath, pupil: Pupil) -> tuple[Any, Any, Any]:
    """Return a t_s, a t_p cos(theta_1) and a t_p sin(theta_1) (module equations)."""
    t_s, t_p = bare_faces(p2, path, pupil)
    xp = namespace(p2, path.index, path.na)
    q1 = root_index(p2, path.index)
    cosine = q1 / path.index
    outside = root_index(p2, path.immersion_index) / path.immersion_index
    a = xp.sqrt(outside) / cosine * scalar_amplitude(p2, path, pupil.aberrations)
    return a * t_s, a * t_p * cosine, a * t_p * xp.sqrt(p2) / path.index


def components(p2: Any, path: OpticalPath, pupil: Pupil) -> tuple[tuple[int, float, Any], ...]:
    """Return (Bessel order, weight, amplitude) of the incoherent parts of the image.

    The intensity is the sum of weight |int A J_order exp(ikW) rho drho|^2.
    """
    if pupil.model == "scalar":
        return ((0, 1.0, scalar_amplitude(p2, path, pupil.aberrations)),)
    s, p_across, p_along = dipole_factors(p2, path, pupil)
    return ((0, 0.5, s + p_across), (2, 0.5, s - p_across), (1, 1.0, p_along))


def with_aberrations(
    path: OpticalPath, pupil: Pupil, field_point: tuple[float, float] = (0.0, 0.0)
) -> OpticalPath:
    """Return the path with the lens's axially symmetric aberrations in ``radial_um``.

    Raises
    ------
    InputError
        If the aberrations are not axially symmetric.
    """
    extra = radial_terms_um(pupil.aberrations, path.wavelength_um, field_point)
    own = path.radial_um
    longest = max(len(extra), len(own))
    padded = (tuple(values) + (0.0,) * (longest - len(values)) for values in (own, extra))
    return replace(path, radial_um=tuple(a + b for a, b in zip(*padded, strict=True)))
