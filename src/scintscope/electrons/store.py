"""Tables per compound: shipped with the package, kept in the cache, or computed.

A table is known by the SHA-256 of everything it depends on: composition, atomic data, cross-section
choices, counts, seed. A shipped or kept table whose key or checksum does not fit is computed again,
never used. The density is not part of it: it only scales lengths.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scintscope.cache import cached_arrays, key_of, read_table, write_table
from scintscope.electrons import elastic, medium, stopping, tabulate
from scintscope.electrons.atoms import atom
from scintscope.materials.shells import atomic_shells, moles_per_gram
from scintscope.progress import Progress, progress

Arrays = dict[str, NDArray[Any]]

ALGORITHM = 1
"""Raised whenever the physics or the reduction changes."""

BUILT_IN = ("Y3Al5O12", "Lu3Al5O12", "Gd3Ga5O12", "Gd3Al2Ga3O12", "Lu2SiO5", "Lu2O3", "CsI")
"""Hosts whose tables are shipped; dopants share the table of their host."""

_KEY = "key_sha256"


def table_inputs(formula: str) -> dict[str, Any]:
    """Return everything the tables of a compound depend on."""
    elements = moles_per_gram(formula)
    data = []
    for z, moles in elements:
        a = atom(z)
        excitation = [a.excitation_kev, a.excitation_in_compound_kev]
        screening = [*a.strength, *a.rate_per_bohr]
        shells = [[round(u, 9), round(n, 6)] for u, n in atomic_shells(z)]
        data.append([z, f"{moles:.9e}", excitation, screening, shells])
    return {
        "algorithm": ALGORITHM,
        "elements": data,
        "elastic": [elastic.ANGLE_NODES, elastic.FINE_STRUCTURE, elastic.COMPTON_CM],
        "stopping": [
            stopping.LOSS_CONSTANT_KEV_CM2_MOL,
            stopping.PLASMA_KEV2,
            stopping.VALENCE_KEV,
        ],
        "medium": [
            *(medium.CUTOFF_KEV, medium.HIGHEST_KEV, medium.NOMINAL_G_CM3),
            *(medium.STEP_TRANSPORT, medium.HARD_SHARE, medium.SCATTER_NODES),
            *(medium.QUANTILES, medium.LEGENDRE_ORDERS, medium.RANGE_NODES),
        ],
        "tables": [
            *(tabulate.ENERGY_NODES, tabulate.FREQUENCY_NODES, tabulate.DISTANCE_NODES),
            *(tabulate.LOWEST_KEV, tabulate.FREQUENCY_SCALE, tabulate.REACH),
            *(tabulate.TRACKS, tabulate.BATCH, tabulate.SEED),
        ],
    }


def compute_tables(formula: str, show: Progress = progress) -> Arrays:
    """Run the transport for one compound; about a minute of one core.

    Parameters
    ----------
    formula : str
        Chemical formula or NIST compound, elements up to uranium.
    show : Progress
        Progress bar.
    """
    steps = medium.SCATTER_NODES + tabulate.ENERGY_NODES
    with show(f"electron transport in {formula}", steps) as advance:
        arrays: Arrays = dict(medium.medium_arrays(medium.make_medium(formula, advance)))
        arrays.update(tabulate.make_tables(medium.medium_of(arrays), advance))
    return arrays


def shipped_path(formula: str) -> Path:
    """Return where the shipped table of a host is."""
    return Path(str(resources.files("scintscope.electrons"))) / "tables" / f"{formula}.npz"


def write_shipped(formula: str, show: Progress = progress) -> Path:
    """Compute the table of a host and write it into the package."""
    arrays = compute_tables(formula, show)
    path = shipped_path(formula)
    write_table(path, {**arrays, _KEY: np.array(key_of(table_inputs(formula)))})
    path.chmod(0o644)  # part of the package: readable by all
    return path


def read_shipped(formula: str) -> Arrays | None:
    """Return the shipped table of a host, or None if absent, damaged or made from other inputs."""
    if formula not in BUILT_IN:
        return None
    arrays = read_table(shipped_path(formula))
    if arrays is None or str(arrays.get(_KEY)) != key_of(table_inputs(formula)):
        return None
    return {name: array for name, array in arrays.items() if name != _KEY}


@lru_cache(maxsize=16)
def tables(formula: str) -> Arrays:
    """Return the tables of a compound: shipped, from the cache, or computed and kept there."""
    shipped = read_shipped(formula)
    if shipped is not None:
        return shipped
    return cached_arrays("electrons", table_inputs(formula), lambda: compute_tables(formula))
