"""Accuracy knobs and the switchboard of effects, apart from the physics they steer."""

from __future__ import annotations

from dataclasses import dataclass, field

from scintscope.errors import check_choice, check_range

LEAST_ERROR_TARGET = 5e-5
"""Float32 images and tables are good for 1e-5 of the image's standard deviation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effects:
    """Which effects the forward model includes; each off-switch has a known limit.

    Parameters
    ----------
    fluorescence : {"local", "escape", "transport"}
        ``local``: all absorbed energy stays where the photon stopped. ``escape``: K photons
        leave the plate. ``transport``: K and L photons travel and are absorbed elsewhere in the
        plate or leave it.
    electrons : bool
        Photoelectrons, Auger and recoil electrons spread their energy along their tracks and may
        leave at a face. Off: they stop where they start.
    scattered_photons : bool
        Rayleigh and Compton scattered photons are followed. Off: they leave the plate.
    emission_band : bool
        Transfer functions are averaged over the emission band as detected, with the plate's
        dispersion and the lens's axial colour. Off: the emission's nominal wavelength.
    cone_magnification : bool
        The X-ray image grows with depth, (z0 + z) / z0. Off: parallel beam inside the plate.
    lens_perspective : bool
        A lens with its pupil at a finite distance magnifies near depths more. Off: telecentric.
    obliquity : bool
        1/cos path length in the plate and cos^3 fluence over the field. Off: normal incidence.
    penumbra : bool
        The focal spot blurs the sample's shadow. Off: point source.
    penumbra_depth : bool
        The penumbra grows with depth in the plate. Off: its value at the entrance face.
    sample_hardening : bool
        The sample's transmission differs between energies, so k(z) depends on the sample. Off:
        each pixel transmits the plate's energy-weighted mean at every depth.
    defects, noise : bool
        Plate defects; all noise of X-rays, light and camera.
    """

    fluorescence: str = "transport"
    electrons: bool = True
    scattered_photons: bool = True
    emission_band: bool = False
    cone_magnification: bool = True
    lens_perspective: bool = True
    obliquity: bool = True
    penumbra: bool = True
    penumbra_depth: bool = True
    sample_hardening: bool = True
    defects: bool = True
    noise: bool = True

    def __post_init__(self) -> None:
        check_choice(
            "accuracy.effects.fluorescence",
            self.fluorescence,
            ("local", "escape", "transport"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Accuracy:
    """Numerical settings, each defined by the error it permits.

    Parameters
    ----------
    energy_bin_kev : float
        Width of the bins of a tube spectrum.
    depth_nodes : int or "auto"
        Gauss-Legendre nodes over the plate; "auto" doubles until the transfer function changes
        by less than ``depth_tolerance``.
    depth_tolerance : float
        Largest permitted change of the depth-summed transfer function on doubling.
    error_target : float
        Largest permitted error of the depth-node form against the plane-by-plane sum, as a
        fraction of the image's standard deviation.
    oversampling : int or "auto"
        Simulation samples per camera pixel along an axis; "auto" takes the smallest that meets
        ``alias_tolerance``.
    alias_tolerance : float
        Largest permitted presampled MTF beyond the simulation grid's Nyquist frequency.
    frequency_samples : int
        Frequencies of the curves in the data sheet.
    noise_sampler : {"auto", "fast", "every_quantum"}
        How X-ray quantum noise is drawn: by filtered fields, or every X-ray and photo-electron
        (slow). "auto" is fast unless fewer than 25 X-rays overlap under a point-spread function.
    noise_error : float
        Largest permitted error of the fast sampler's local variance on any image, over the open
        beam's variance.
    """

    energy_bin_kev: float = 0.5
    depth_nodes: int | str = "auto"
    depth_tolerance: float = 1e-5
    error_target: float = 1e-3
    oversampling: int | str = "auto"
    alias_tolerance: float = 0.02
    frequency_samples: int = 256
    noise_sampler: str = "auto"
    noise_error: float = 0.1
    effects: Effects = field(default_factory=Effects)

    def __post_init__(self) -> None:
        check_range("accuracy.energy_bin_kev", self.energy_bin_kev, low=0.05, high=5.0, unit="keV")
        for name, low, high in (("depth_nodes", 1, 4096), ("oversampling", 1, 16)):
            value = getattr(self, name)
            if value != "auto":
                check_range(f"accuracy.{name}", value, low=low, high=high, remedy='Or say "auto".')
        check_range("accuracy.depth_tolerance", self.depth_tolerance, low=1e-12, high=1e-2)
        check_range(
            "accuracy.error_target",
            self.error_target,
            low=LEAST_ERROR_TARGET,
            high=0.1,
            remedy="Images are float32; for less, use forward.planes.plane_by_plane.",
        )
        check_range("accuracy.alias_tolerance", self.alias_tolerance, low=0.0, high=1.0)
        check_range("accuracy.frequency_samples", self.frequency_samples, low=16, high=4096)
        check_choice(
            "accuracy.noise_sampler", self.noise_sampler, ("auto", "fast", "every_quantum")
        )
        check_range("accuracy.noise_error", self.noise_error, low=1e-3, high=1.0)
