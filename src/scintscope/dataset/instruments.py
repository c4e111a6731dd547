"""Apparatus kept by a worker, so that samples of one instrument compute its optics once.

What a sample may change without new optics - exposures, defects, the camera's noise - is taken out
of an instrument before it is looked up and put back afterwards. What is kept are values alone: a
sample has the same bits whether its instrument was at hand or not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from scintscope.camera.parts import Camera
from scintscope.forward.simulate import PLATES, Apparatus, apparatus
from scintscope.instrument import Instrument
from scintscope.plate_deposition import PlateDeposition
from scintscope.response import DepthResponse
from scintscope.scintillator.plate import DefectRecipe, Plate

Array = NDArray[np.float64]

KEPT_INSTRUMENTS = 2
"""Instruments whose optics a worker keeps; 50 to 250 MB each, as plates are thin or thick."""

_KEPT_TABLES = 24
_OPTICAL_CAMERA_KEYS = (
    "pixel_um_sensor",
    "shape",
    "quantum_efficiency",
    "quantum_efficiency_curve",
)


@dataclass(slots=True)
class RememberedDeposition:
    """A plate's deposition that remembers what it was asked for; same values, computed once.

    The mean transfer of any sum over energies follows from that of each energy, which is kept.
    Everything else is passed on.
    """

    inner: PlateDeposition
    _kept: OrderedDict[tuple[Any, ...], Array] = field(default_factory=OrderedDict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def mean_kev_per_um(self, z_um: Array, path: float = 1.0) -> Array:
        """See `PlateDeposition.mean_kev_per_um`."""
        z = np.asarray(z_um, dtype=np.float64)
        key = ("kev", z.tobytes(), path)
        return self._remembered(key, lambda: self.inner.mean_kev_per_um(z, path))

    def mean_transfer(
        self, weights: Array, z_um: Array, frequency_cy_per_um: Array, path: float = 1.0
    ) -> Array:
        """See `PlateDeposition.mean_transfer`."""
        z = np.asarray(z_um, dtype=np.float64)
        f = np.asarray(frequency_cy_per_um, dtype=np.float64)
        energies = self.inner.energy_kev.size
        each = self._remembered(
            ("transfer", z.tobytes(), f.tobytes(), path),
            lambda: self.inner.mean_transfer(np.eye(energies), z, f, path),
        )
        sums = np.asarray(weights, dtype=np.float64) @ each.reshape(energies, -1)
        return np.asarray(sums.reshape(-1, z.size, f.size))

    def _remembered(self, key: tuple[Any, ...], make: Callable[[], Array]) -> Array:
        found = self._kept.get(key)
        if found is None:
            found = make()
            found.setflags(write=False)
            self._kept[key] = found
            while len(self._kept) > _KEPT_TABLES:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


def optical_part(instrument: Instrument) -> Instrument:
    """Return the instrument with everything put to its default that its optics do not know."""
    camera = Camera(**{key: getattr(instrument.camera, key) for key in _OPTICAL_CAMERA_KEYS})
    plates = {
        name: replace(getattr(instrument, name), defects=DefectRecipe(), exposure_s=1.0)
        for name in PLATES
    }
    return replace(instrument, camera=camera, **plates)


class InstrumentShelf:
    """The last few instruments' apparatus.

    Parameters
    ----------
    size : int
        How many are kept.
    """

    def __init__(self, size: int = KEPT_INSTRUMENTS) -> None:
        self._size = size
        self._kept: OrderedDict[Instrument, Apparatus] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def apparatus(self, instrument: Instrument) -> Apparatus:
        """Return the apparatus of an instrument, its exposures and defects as they are there."""
        key = optical_part(instrument)
        found = self._kept.get(key)
        if found is None:
            found = _remembering(apparatus(key))
            self._kept[key] = found
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return _with_plates(found, {name: getattr(instrument, name) for name in PLATES})


def _remembering(made: Apparatus) -> Apparatus:
    return replace(
        made,
        responses={
            name: replace(
                response,
                deposition=cast(PlateDeposition, RememberedDeposition(response.deposition)),
            )
            for name, response in made.responses.items()
        },
    )


def _with_plates(made: Apparatus, plates: dict[str, Plate]) -> Apparatus:
    """Return an apparatus for plates that differ in exposure and defects alone.

    X-rays under a point-spread function grow with the exposure; nothing else of it does.
    """
    return Apparatus(
        responses={name: _of_plate(r, plates[name]) for name, r in made.responses.items()},
        planes=made.planes,
        quanta={
            name: replace(groups, quanta_per_psf=groups.quanta_per_psf * plates[name].exposure_s)
            for name, groups in made.quanta.items()
        },
    )


def _of_plate(response: DepthResponse, plate: Plate) -> DepthResponse:
    return replace(response, plate=plate)
