"""Numbers that judge images and kernels; no forward physics, no restoration.

Spectral density (`psd_gain`), blind quality (`piqe`), resolution (`slanted_edge`,
`fourier_ring_correlation`, `bar_modulation`), distance from a truth (`compare_to_truth`) and
kernels (`psf_widths`, `kernel_relative_error`). Images are (row, column), any real dtype, any size.
"""

from scintscope.metrics.edge import Mtf, SlantedEdge, mtf_at, slanted_edge
from scintscope.metrics.frc import RingCorrelation, fourier_ring_correlation, half_bit_threshold
from scintscope.metrics.gain import BandGain, PsdGain, gain_numbers, psd_gain
from scintscope.metrics.image import (
    GainOffset,
    TruthComparison,
    compare_to_truth,
    compare_to_truths,
    gain_offset_fit,
    psnr,
    rmse,
    ssim,
)
from scintscope.metrics.lines import BarModulation, bar_modulation, bar_profile
from scintscope.metrics.piqe import PiqeResult, eight_bit_limits, piqe, to_eight_bit
from scintscope.metrics.psd import (
    PowerSpectrum2D,
    RadialSpectrum,
    RowSpectrum,
    noise_power_from_frames,
    noise_power_from_repeats,
    power_spectrum_2d,
    radial_mean,
    radial_power_spectrum,
    row_power_spectrum,
)
from scintscope.metrics.widths import (
    PsfWidths,
    centroid_px,
    encircled_energy_radius_um,
    fourier_shift,
    kernel_relative_error,
    psf_widths,
    radial_profile,
)

__all__ = [
    "BandGain",
    "BarModulation",
    "GainOffset",
    "Mtf",
    "PiqeResult",
    "PowerSpectrum2D",
    "PsdGain",
    "PsfWidths",
    "RadialSpectrum",
    "RingCorrelation",
    "RowSpectrum",
    "SlantedEdge",
    "TruthComparison",
    "bar_modulation",
    "bar_profile",
    "centroid_px",
    "compare_to_truth",
    "compare_to_truths",
    "eight_bit_limits",
    "encircled_energy_radius_um",
    "fourier_ring_correlation",
    "fourier_shift",
    "gain_numbers",
    "gain_offset_fit",
    "half_bit_threshold",
    "kernel_relative_error",
    "mtf_at",
    "noise_power_from_frames",
    "noise_power_from_repeats",
    "piqe",
    "power_spectrum_2d",
    "psd_gain",
    "psf_widths",
    "psnr",
    "radial_mean",
    "radial_power_spectrum",
    "radial_profile",
    "rmse",
    "row_power_spectrum",
    "slanted_edge",
    "ssim",
    "to_eight_bit",
]
