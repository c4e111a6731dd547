"""What a kernel nearer to the truth is worth in the restored target, over the iterations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.audit.estimates import kernels, signals
from scintscope.audit.kernel_error import KernelTruth
from scintscope.audit.pairs import PairBench, draw_pair
from scintscope.audit.settings import Setting
from scintscope.forward.simulate import truth_of
from scintscope.metrics import gain_offset_fit, rmse
from scintscope.restoration import richardson_lucy
from scintscope.verdict.judge import TARGET
from scintscope.verdict.truth import thin_truth

Array = NDArray[np.float64]

_BORDER_PX = 64
"""Left out of the comparison: half of the widest kernel."""


def truth_image(bench: PairBench) -> Array:
    """Return the target's signal as a perfect, quiet thin plate gives it in the thick's frame."""
    thick, thin = bench.planes["thick"], bench.planes["thin"]
    light = truth_of(bench.light[f"thin_{TARGET}"])
    scale = thick.sample_magnification / thin.sample_magnification
    return 1.0 - thin_truth(light, bench.responses["thin"], thin, scale, (0.0, 0.0))


def image_errors(
    bench: PairBench,
    truth: KernelTruth,
    settings: Sequence[Setting],
    seed: int,
    iterations: Sequence[int],
) -> dict[str, dict[str, float]]:
    """Return the restored target's error by kernel and Richardson-Lucy iterations.

    Parameters
    ----------
    bench : PairBench
        Of a sample that does not drift, so that its truth needs no registration.
    truth : KernelTruth
        Restores as well, under the name ``true kernel``.
    settings : sequence of Setting
        Estimate the kernels.
    seed : int
    iterations : sequence of int
        Of the image's deconvolution; "0" in the result is the thick image as it is, "thin" the
        thin image.

    Returns
    -------
    dict
        Rms error after gain and offset over the standard deviation of the truth.
    """
    plates = draw_pair(bench, seed)
    targets = signals(plates, settings[:1], bench.config)
    found = next(iter(targets.values()))
    wanted = truth_image(bench)
    result: dict[str, dict[str, float]] = {
        "images": {"thin": _error(found.thin, wanted), "0": _error(found.thick, wanted)}
    }
    each: dict[str, Any] = {"true kernel": np.maximum(truth.kernel, 0.0)}
    each |= {setting.name: kernel for setting, kernel in kernels(plates, settings, bench.config)}
    for name, kernel in each.items():
        result[name] = {
            str(count): _error(
                richardson_lucy(found.thick, kernel / kernel.sum(), iterations=count).estimate,
                wanted,
            )
            for count in iterations
        }
    return result


def _error(image: NDArray[Any], truth: Array) -> float:
    inside = (slice(_BORDER_PX, -_BORDER_PX),) * 2
    kept, wanted = np.asarray(image[inside], dtype=np.float64), truth[inside]
    fit = gain_offset_fit(kept, wanted)
    return rmse(fit.gain * kept + fit.offset, wanted)


def least(errors: Sequence[Mapping[str, Mapping[str, float]]], name: str) -> tuple[str, float]:
    """Return the iterations of least mean error of one kernel, and that error."""
    counts = errors[0][name]
    mean = {count: float(np.mean([each[name][count] for each in errors])) for count in counts}
    best = min(mean, key=lambda count: mean[count])
    return best, mean[best]
