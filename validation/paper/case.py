"""Every number of the paper that can be recomputed; see SOURCE.md."""

from __future__ import annotations

from functools import cache

from scintscope.validate import Row

from . import geometry_claims, image_claims, optics_claims, xray_claims
from .claim import Claim


@cache
def computed() -> tuple[Claim, ...]:
    """Return the claims that take no image."""
    return (*geometry_claims.claims(), *optics_claims.claims(), *xray_claims.claims())


def claims(quick: bool) -> list[Claim]:
    """Return all claims; the quick ones take those of images from a recorded run."""
    found = list(computed())
    if quick:
        return found + image_claims.claims(image_claims.recorded(), "recorded run, 512 x 512")
    return found + image_claims.claims(image_claims.measured(), "run of 512 x 512")


def rows(quick: bool) -> list[Row]:
    """Return the claims as comparisons."""
    return [claim.row() for claim in claims(quick)]
