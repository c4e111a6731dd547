"""Physical constants and the only unit conversions of the package.

Every dimensional name ends in its unit. The suffixes in use are

====================  =====================================================
suffix                meaning
====================  =====================================================
``_um``               micrometre: image-plane lengths, depths, wavelengths
``_mm``               millimetre: distances along the bench, filters
``_nm``               nanometre: emission wavelengths as data sheets give them
``_ns``               nanosecond: decay of the light
``_kev``, ``_kv``     kiloelectronvolt (photons), kilovolt (tube)
``_cy_per_um``        cycles per micrometre, object side unless ``_sensor``
``_per_um``           inverse length, e.g. attenuation
``_g_cm3``, ``_cm2_g``  density, mass attenuation
``_s``                second
``_px``               camera pixel
``_adu``, ``_electrons``  camera counts, photo-electrons
====================  =====================================================
"""

UM_PER_MM = 1000.0
UM_PER_CM = 1.0e4
NM_PER_UM = 1000.0
MM_PER_CM = 10.0
UM2_PER_CM2 = 1.0e8
UM2_PER_MM2 = 1.0e6
LINE_PAIRS_PER_MM_PER_CY_PER_UM = 1000.0

HC_KEV_UM = 1.239841984e-3
"""Planck constant times speed of light, keV um (CODATA 2018, exact to the digits given)."""

ELECTRON_REST_KEV = 510.99895
"""Electron rest energy, keV (CODATA 2018)."""

FWHM_PER_SIGMA = 2.3548200450309493
"""Full width at half maximum of a Gaussian over its standard deviation, 2 sqrt(2 ln 2)."""


def mm_to_um(length_mm: float) -> float:
    """Return a length in um; infinity stays infinity."""
    return length_mm * UM_PER_MM


def nm_to_um(length_nm: float) -> float:
    """Return a wavelength in um."""
    return length_nm / NM_PER_UM


def attenuation_per_um(mass_attenuation_cm2_g: float, density_g_cm3: float) -> float:
    """Return the linear attenuation, 1/um, of a mass attenuation in cm2/g."""
    return mass_attenuation_cm2_g * density_g_cm3 / UM_PER_CM


def wavelength_um(energy_kev: float) -> float:
    """Return the X-ray wavelength, um, of a photon energy: hc/E."""
    return HC_KEV_UM / energy_kev


def sigma_from_fwhm(fwhm: float) -> float:
    """Return the standard deviation of a Gaussian of the given full width at half maximum."""
    return fwhm / FWHM_PER_SIGMA
