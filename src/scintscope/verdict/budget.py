r"""Error budget of the single-PSF model, as images: each effect alone, all together, interaction.

With every effect off, Eq. 1 of Zhou et al. 2025 is its Eq. 2. For each effect the exact and the
single-PSF image are made with that effect alone, for the total with all; each pair is registered
by itself (scale and shift), as a laboratory would. Errors are over the standard deviation of their
own exact image, so that

.. math:: E_{\rm total}(x) = \sum_e E_e(x) + E_{\rm interaction}(x).

To first order the parts add up, registration included, since it is a linear projection; what
does not is the interaction. The stage stays where the scenario's focus put it. Two parts need a
word:

- ``plate_spectra``: the single-PSF image starts from the X-ray image as the *thin* plate weights
  its energies, which is all a measured pair gives, laid on the thick plate's by the best contrast
  and offset; the contrast that takes is reported. The total includes this part.
- ``halo``: the generalized PSF contains the spread of the deposited energy, so that alone it makes
  no error; leaving it out of the PSF, as the paper's Eq. 2 does, makes `Budget.optics_only`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.forward.plane import Plane
from scintscope.forward.render import light_image, make_scene, summed_over_depth, xray_images
from scintscope.forward.simulate import Bench, RenderedLight, truth_of
from scintscope.instrument import Instrument
from scintscope.metrics import gain_offset_fit
from scintscope.progress import Progress, silent
from scintscope.response import DepthResponse
from scintscope.sample.build import build_specimen
from scintscope.sample.specimen import Specimen
from scintscope.verdict.effects import (
    EFFECTS,
    PLATE_SPECTRA,
    only,
    open_rate_per_um2,
    present,
    with_deposition,
)
from scintscope.verdict.profile import radial_rms
from scintscope.verdict.single_psf import SinglePsf, edge_rms, inner, judge_light

Array = NDArray[np.float64]
Image = NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of the budget.

    Parameters
    ----------
    error : (M, N) array
        Single-PSF minus exact image inside the border, over the standard deviation of the exact.
    scale : float
        Of the registration.
    """

    error: Array
    scale: float = 1.0

    @property
    def rms(self) -> float:
        """Over the field."""
        return float(np.sqrt(np.mean(self.error**2)))

    @property
    def edge(self) -> float:
        """Over the outer tenth of the field."""
        return edge_rms(self.error)

    def profile(self) -> tuple[Array, Array]:
        """Return ring radii, pixels, and the error's RMS there."""
        return radial_rms(self.error)


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The budget of one plate and sample.

    Parameters
    ----------
    parts : dict of str to Part
        Every effect of `effects.EFFECTS`, in order; zero where the instrument has none.
    present : tuple of str
        Effects that the instrument has.
    total, interaction, baseline : Part
        All effects; what the parts do not explain; none.
    optics_only : float
        RMS error of a generalized PSF without the halo, all effects on but ``plate_spectra``: the
        paper's Eq. 2. To be compared with `SinglePsf.rms_relative_error`.
    contrast_gain : float
        By which the thin plate's X-ray image is multiplied to meet the thick one's.
    border_px : int
        Left out around the field.
    pixel_um : float
        Camera pixel at the object.
    """

    parts: Mapping[str, Part]
    present: tuple[str, ...]
    total: Part
    interaction: Part
    baseline: Part
    optics_only: float
    contrast_gain: float
    border_px: int
    pixel_um: float


class BudgetBench:
    """Renders exact and single-PSF images of one sample on the thick plate with chosen effects."""

    def __init__(self, bench: Bench, sample: str, dtype: Any = np.float32) -> None:
        self.instrument: Instrument = bench.experiment.instrument
        self.plane: Plane = bench.planes["thick"]
        recipe = bench.experiment.samples[sample]
        self._specimen: Specimen = build_specimen(recipe, self.plane.sample_grid)
        self._absorbers, self._dtype = bench.experiment.absorbers, dtype
        off = only(self.instrument, ()).accuracy.effects
        self._with_halo = dict(bench.responses)
        self._without = {n: with_deposition(r, off) for n, r in bench.responses.items()}

    def responses(self, wanted: tuple[str, ...]) -> Mapping[str, DepthResponse]:
        """Return thin and thick plate's responses with or without halo."""
        return self._with_halo if "halo" in wanted else self._without

    def _xray(self, wanted: tuple[str, ...], plate: str) -> tuple[Any, Any]:
        response = self.responses(wanted)[plate]
        instrument = only(self.instrument, wanted)
        scene = make_scene(instrument, response, self.plane, self._specimen, self._absorbers)
        return scene, xray_images(scene, self._dtype)

    def light(self, wanted: tuple[str, ...]) -> RenderedLight:
        """Return the thick plate's light with the wanted effects alone."""
        scene, xray = self._xray(wanted, "thick")
        return truth_of(light_image(scene, xray, dtype=self._dtype))

    def as_thin_sees_it(self, wanted: tuple[str, ...], thick: Image) -> tuple[Image, float]:
        """Return the thin plate's X-ray image laid on the thick plate's, and the contrast gain."""
        scene, xray = self._xray(wanted, "thin")
        seen = summed_over_depth(scene.response, xray)
        responses = self.responses(wanted)
        level = open_rate_per_um2(responses["thick"]) / open_rate_per_um2(responses["thin"])
        fit = gain_offset_fit(seen * level, thick)
        laid = (fit.gain * level) * seen + fit.offset
        return laid.astype(thick.dtype), fit.gain

    def judged(self, wanted: tuple[str, ...]) -> tuple[SinglePsf, RenderedLight, float]:
        """Return the verdict with the wanted effects, the light, and the contrast gain."""
        light, gain = self.light(wanted), 1.0
        start = light
        if PLATE_SPECTRA in wanted:
            sharp, gain = self.as_thin_sees_it(wanted, light.sharp)
            start = replace(light, sharp=sharp)
        return judge_light(start, self.responses(wanted)["thick"], self.plane), light, gain

    def optics_only(self, light: RenderedLight) -> float:
        """Return the error of a PSF without halo for the light of all effects."""
        full = self._with_halo["thick"]
        level = full.energy_left[:, :1]
        local = replace(full, energy_left=np.broadcast_to(level, full.energy_left.shape))
        return judge_light(light, local, self.plane).rms_relative_error


def part_of(single: SinglePsf) -> Part:
    """Return the part that a verdict stands for."""
    exact = inner(single.exact, single.border_px).astype(np.float64)
    error = inner(single.registered, single.border_px).astype(np.float64) - exact
    spread = float(exact.std())
    return Part(error=error / spread if spread else error, scale=single.similarity.scale)


def error_budget(
    bench: Bench, sample: str, progress: Progress = silent, dtype: Any = np.float32
) -> Budget:
    """Return the budget of a sample on the thick plate.

    Parameters
    ----------
    bench : Bench
        The experiment set up.
    sample : str
        Name of the sample.
    progress : callable
        See `scintscope.progress`.
    dtype
        float32, or float64 for small grids.
    """
    has = present(bench.experiment.instrument, bench.responses["thick"])
    with progress("error budget", len(has) + 3) as advance:
        work = BudgetBench(bench, sample, dtype)
        found: dict[str, Part] = {}
        for effect, single in _one_by_one(work, has):
            found[effect] = part_of(single)
            advance(1)
        baseline = part_of(work.judged(())[0])
        advance(1)
        single, light, gain = work.judged(has)
        advance(1)
        optics_only = work.optics_only(light)
        advance(1)
    total = part_of(single)
    nothing = Part(error=np.zeros_like(total.error))
    parts = {name: found.get(name, nothing) for name in EFFECTS}
    explained = np.sum([part.error for part in found.values()], axis=0) if found else 0.0
    return Budget(
        parts=parts,
        present=has,
        total=total,
        interaction=Part(error=total.error - explained),
        baseline=baseline,
        optics_only=optics_only,
        contrast_gain=gain,
        border_px=single.border_px,
        pixel_um=work.plane.pixel_um,
    )


def _one_by_one(work: BudgetBench, has: tuple[str, ...]) -> Iterator[tuple[str, SinglePsf]]:
    for effect in has:
        yield effect, work.judged((effect,))[0]
