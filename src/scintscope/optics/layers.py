"""A stack of plane layers between the emitter's plate and the lens, as the wavefront sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scintscope.errors import InputError
from scintscope.optics.wavefront import OpticalPath


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A plane layer, and the one the lens was corrected for in its place.

    Parameters
    ----------
    thickness_um, index : float
        As it is.
    design_thickness_um, design_index : float, optional
        As the lens expects it; None: as it is.
    bare : bool
        Its face towards the emitter reflects by Fresnel's laws; False is a coated or cemented one.
        Counts in the vectorial model only.
    """

    thickness_um: Any
    index: Any
    design_thickness_um: Any = None
    design_index: Any = None
    bare: bool = True

    @property
    def excess(self) -> tuple[tuple[Any, Any], ...]:
        """Return (thickness, index) of what W sees: the layer less the one designed for."""
        thickness = (
            self.thickness_um if self.design_thickness_um is None else self.design_thickness_um
        )
        if self.design_index is None:
            return ((self.thickness_um - thickness, self.index),)
        return (self.thickness_um, self.index), (-thickness, self.design_index)


def path_through(
    layers: Sequence[Layer],
    *,
    na: Any,
    index: Any,
    wavelength_um: Any,
    corrected_for_um: Any = 0.0,
    corrected_index: Any = None,
    immersion_index: Any = 1.0,
    camera_travel_um: Any = 0.0,
    magnification: Any = 5.0,
) -> OpticalPath:
    """Return the optical path of an emitter's plate followed by layers, up to the lens.

    The rest of the working distance is the immersion (air, water, oil), whose length the stage
    changes: a layer thicker by d than designed leaves d less of it, which is part of the travel.

    Parameters
    ----------
    layers : sequence of Layer
        From the exit face to the lens: substrate, glass plates, gaps of other media.
    na, index, wavelength_um, corrected_for_um, corrected_index, immersion_index
        As in `OpticalPath`; ``index`` is that of the emitter's plate.
    camera_travel_um, magnification
        As in `OpticalPath`.

    Raises
    ------
    InputError
        A negative thickness.
    """
    for number, layer in enumerate(layers, start=1):
        for name in ("thickness_um", "design_thickness_um"):
            value = getattr(layer, name)
            if isinstance(value, (int, float)) and value < 0.0:
                raise InputError(f"layer {number}: {name} = {value:g} is negative.")
    excess = [pair for layer in layers for pair in layer.excess]
    return OpticalPath(
        na=na,
        index=index,
        wavelength_um=wavelength_um,
        corrected_for_um=corrected_for_um,
        corrected_index=corrected_index,
        excess_um=tuple(thickness for thickness, _ in excess),
        excess_index=tuple(medium for _, medium in excess),
        immersion_index=immersion_index,
        camera_travel_um=camera_travel_um,
        magnification=magnification,
    )


def bare_media(layers: Sequence[Layer], immersion_index: Any = 1.0) -> tuple[Any, ...]:
    """Return ``Pupil.outer_indices`` of a stack: the media behind bare faces, then the immersion.

    A layer whose face is not bare hands its medium on without loss: the light is taken to enter it
    from the medium before at the same direction cosines in p, with all of its energy.
    """
    return (*(layer.index for layer in layers if layer.bare), immersion_index)
