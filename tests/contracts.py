"""What any transfer function, spectrum or depth profile must satisfy, whatever made it."""

import numpy as np

ROUNDING = 1e-12  # sums of at most 1e4 float64 terms of one sign


def assert_is_transfer_function(transfer):
    """Check a (D, F) table whose first frequency is 0: real, 1 at f = 0, never above 1."""
    assert transfer.dtype == np.float64
    assert np.isfinite(transfer).all()
    # pupil quadrature of a constant: exact up to rounding once the nodes resolve sin^2 t
    np.testing.assert_allclose(transfer[:, 0], 1.0, rtol=0, atol=1e-10)
    assert np.abs(transfer).max() <= 1.0 + 1e-10


def assert_is_spectrum(spectrum):
    """Check a spectrum: one shape, ascending energies, no negative rates, some photons."""
    assert spectrum.energy_kev.shape == spectrum.photons_per_um2_s.shape
    assert spectrum.energy_kev.shape == spectrum.width_kev.shape
    assert (np.diff(spectrum.energy_kev) >= 0).all()
    assert (spectrum.photons_per_um2_s >= 0).all()
    assert (spectrum.width_kev >= 0).all()
    assert spectrum.total_photons_per_um2_s > 0


def assert_is_depth_profile(k_per_um, weight_um):
    """Check k(z) on quadrature nodes: positive and of unit integral."""
    assert (k_per_um > 0).all()
    np.testing.assert_allclose(weight_um @ k_per_um, 1.0, rtol=ROUNDING)
