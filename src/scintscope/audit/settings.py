"""The grid of settings that is compared, each a few keys of ``[restoration]``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scintscope.restoration.config import RestorationConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """How a kernel is estimated: keys of ``[restoration]`` by the names they have there.

    Keys that a method does not read keep their defaults, so that equal settings are equal.
    """

    target_background: str
    psf_method: str
    psf_size_px: int
    psf_taper: str = "none"
    psf_iterations: int = 8
    psf_start: str = "peaked"
    psf_acceleration: str = "biggs_andrews"
    psf_regularisation: float = 1e-3
    subtract_offset: str = "clip"

    @property
    def name(self) -> str:
        """Return a short name that tells settings apart."""
        how = {
            "richardson_lucy": f"rl-{self.psf_start}-{self.psf_iterations}",
            "fourier_ratio": f"ratio-{self.psf_regularisation:g}",
            "radial": "radial",
        }[self.psf_method]
        if self.psf_method == "richardson_lucy" and self.psf_acceleration == "none":
            how += "-plain"
        parts = [how, f"{self.psf_size_px}px", self.target_background]
        parts += [self.psf_taper] if self.psf_taper != "none" else []
        parts += [self.subtract_offset] if self.subtract_offset != "clip" else []
        return " ".join(parts)

    def config(self, base: RestorationConfig) -> RestorationConfig:
        """Return a chain's settings with these laid over them."""
        return replace(base, **self.keys())

    def keys(self) -> dict[str, Any]:
        """Return the keys that matter to this method, as a scenario has them."""
        own = {
            "richardson_lucy": ("psf_iterations", "psf_start", "psf_acceleration"),
            "fourier_ratio": ("psf_regularisation",),
            "radial": (),
        }[self.psf_method]
        common = ("target_background", "psf_method", "psf_size_px", "psf_taper", "subtract_offset")
        return {key: getattr(self, key) for key in (*common, *own)}


BACKGROUNDS = ("subtract", "divide")
TAPERS = ("none", "hann")
ITERATIONS = (1, 2, 4, 8, 16, 32)
MANY_ITERATIONS = (*ITERATIONS, 64)
RL_SIZES_PX = (20, 40, 60)
REGULARISATIONS = (1e-3, 1e-2, 1e-1)
RADIAL_SIZES_PX = (40, 60, 129)

PAPER = Setting(target_background="subtract", psf_method="richardson_lucy", psf_size_px=60)
"""Eight iterations, 60 pixels, hard cut, background subtracted (Zhou et al. 2025); the start is the
package's default, since the paper names none. Its flat start is in the wide grid."""


def judged_grid() -> tuple[Setting, ...]:
    """Return the grid of the judging seeds, 40 settings.

    Richardson-Lucy from a peaked start, background subtracted: 20 pixels x 6 iteration counts, 60
    pixels x 4 (up to the paper's). Ratio of transforms: 2 backgrounds x 3 sizes x 3
    regularisations. Radial fit: 2 backgrounds x 3 sizes x 2 tapers.
    """
    grid = richardson_lucy("subtract", RL_SIZES_PX[0])
    grid += richardson_lucy("subtract", PAPER.psf_size_px, iterations=ITERATIONS[:4])
    for background in BACKGROUNDS:
        grid += _ratios(background, "none")
        for taper in TAPERS:
            grid += [radial(background, size, taper) for size in RADIAL_SIZES_PX]
    return tuple(grid)


def wide_grid() -> tuple[Setting, ...]:
    """Return the grid of the selection seeds, 118 settings, the judged ones among them.

    Also 64 iterations, 40 pixels, the background divided at 20 pixels, a flat start (as the paper's
    text reads) at 60 pixels, and a Hann taper on everything.
    """
    grid = list(judged_grid())
    for taper in TAPERS:
        for size in RL_SIZES_PX:
            grid += richardson_lucy("subtract", size, taper, iterations=MANY_ITERATIONS)
        grid += richardson_lucy("divide", RL_SIZES_PX[0], taper, iterations=MANY_ITERATIONS)
        grid += richardson_lucy(
            "subtract", PAPER.psf_size_px, taper, start="full", iterations=MANY_ITERATIONS
        )
        for background in BACKGROUNDS:
            grid += _ratios(background, taper)
    return tuple(dict.fromkeys(grid))


def _ratios(background: str, taper: str) -> list[Setting]:
    """Return the ratio of transforms at all sizes and regularisations."""
    return [
        Setting(
            target_background=background,
            psf_method="fourier_ratio",
            psf_size_px=size,
            psf_taper=taper,
            psf_regularisation=value,
        )
        for size in RL_SIZES_PX
        for value in REGULARISATIONS
    ]


def small_grid() -> tuple[Setting, ...]:
    """Return one setting or two of each method, for axes and first looks."""
    return (
        PAPER,
        *richardson_lucy("divide", 20, iterations=(8, 32)),
        *richardson_lucy("divide", 60, iterations=(8, 32, 64)),
        Setting(
            target_background="divide",
            psf_method="fourier_ratio",
            psf_size_px=20,
            psf_regularisation=1e-2,
        ),
        radial("subtract", 129),
        radial("divide", 60),
        radial("divide", 129),
    )


def radial(background: str, size_px: int, taper: str = "none") -> Setting:
    """Return a radial fit."""
    return Setting(
        target_background=background, psf_method="radial", psf_size_px=size_px, psf_taper=taper
    )


def richardson_lucy(
    background: str,
    size_px: int,
    taper: str = "none",
    *,
    start: str = "peaked",
    acceleration: str = "biggs_andrews",
    iterations: Iterable[int] = ITERATIONS,
) -> list[Setting]:
    """Return Richardson-Lucy at several iteration counts."""
    return [
        Setting(
            target_background=background,
            psf_method="richardson_lucy",
            psf_size_px=size_px,
            psf_taper=taper,
            psf_iterations=count,
            psf_start=start,
            psf_acceleration=acceleration,
        )
        for count in iterations
    ]


def one_pass(settings: Sequence[Setting]) -> list[list[Setting]]:
    """Return the settings grouped by what one run of an estimator serves.

    Of one iteration all counts come from one pass, and every taper from one estimate; direct
    methods estimate the whole frame's kernel, so that every size comes from one too.
    """
    groups: dict[Setting, list[Setting]] = {}
    for setting in settings:
        key = replace(setting, psf_iterations=1, psf_taper="none")
        if setting.psf_method != "richardson_lucy":
            key = replace(key, psf_size_px=3)
        groups.setdefault(key, []).append(setting)
    return list(groups.values())
