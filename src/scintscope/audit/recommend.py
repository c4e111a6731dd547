"""Which setting is best: chosen on some seeds, judged on others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scintscope.audit.study import Errors
from scintscope.errors import InputError


def summary(errors: Errors) -> list[dict[str, Any]]:
    """Return a row for each setting, best first: name, mean, standard error."""
    mean, standard = errors.mean(), errors.standard_error()
    rows = [
        {"setting": name, "mean": mean[name], "standard_error": standard[name]} for name in mean
    ]
    return sorted(rows, key=lambda row: (not np.isfinite(row["mean"]), row["mean"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Recommendation:
    """The setting that was best on some seeds, judged on others.

    Parameters
    ----------
    setting : str
        Its name.
    selected_mean, judged_mean, judged_standard_error : float
        Mean error on the seeds it was chosen on, and on those it is judged on.
    best_judged : str
        The setting that would have been best on the judging seeds.
    best_judged_mean, ratio : float
        Its mean there, and the recommended setting's over it.
    """

    setting: str
    selected_mean: float
    judged_mean: float
    judged_standard_error: float
    best_judged: str
    best_judged_mean: float
    ratio: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def recommend(selection: Errors, judged: Errors) -> Recommendation:
    """Return the setting of least mean error on the selection seeds, judged on others.

    Parameters
    ----------
    selection, judged : Errors
        Of disjoint seeds. The selection may hold more settings.

    Raises
    ------
    InputError
        The two share a seed, or the chosen setting was not judged.
    """
    shared = sorted(set(selection.seeds) & set(judged.seeds))
    if shared:
        raise InputError(f"seed {shared[0]} both selects and judges: give disjoint seeds.")
    chosen = summary(selection)[0]
    if chosen["setting"] not in judged.names:
        raise InputError(f"the best setting, {chosen['setting']!r}, was not judged: judge it too.")
    best = summary(judged)[0]
    mean = judged.mean()[chosen["setting"]]
    return Recommendation(
        setting=chosen["setting"],
        selected_mean=chosen["mean"],
        judged_mean=mean,
        judged_standard_error=judged.standard_error()[chosen["setting"]],
        best_judged=best["setting"],
        best_judged_mean=best["mean"],
        ratio=mean / best["mean"],
    )
