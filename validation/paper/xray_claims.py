"""Claims about the beam, absorption, scattering and electrons."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import brentq

from scintscope.accuracy import Effects
from scintscope.deposition import deposition
from scintscope.materials import absorber, attenuation, scintillator
from scintscope.response import plate_spectrum
from scintscope.scintillator.light_budget import light_budget

from .claim import Claim, instrument

COARSE = "accuracy.energy_bin_kev=1.0"
FILTERS_MM = (0.1, 0.5, 1.0)
TRANSPORT = Effects(fluorescence="transport", electrons=True, scattered_photons=True)
ELECTRONS = Effects(fluorescence="local", electrons=True, scattered_photons=False)
BAND_KEV = np.linspace(10.0, 30.0, 801)


def filtered(al_mm: float) -> Any:
    """Return the paper's instrument with aluminium in the beam."""
    al = f',{{material="Al",thickness_um={1000.0 * al_mm}}}' if al_mm else ""
    filters = f'source.filters=[{{material="Be",thickness_um=150.0}}{al}]'
    return instrument("paper.toml", COARSE, filters)


@cache
def deposited(plate: str, energy_kev: tuple[float, ...]) -> Any:
    """Return the deposition in a plate at some energies; the same for every filter."""
    part = getattr(instrument(), plate)
    return deposition(part.scintillator, part.thickness_um, np.array(energy_kev), TRANSPORT)


def kept(al_mm: float, plate: str) -> tuple[float, float]:
    """Return keV left in a plate per um2 and s, and X-rays that interact, of the open beam."""
    i = filtered(al_mm)
    part = getattr(i, plate)
    spectrum = plate_spectrum(i, part)
    found = deposited(plate, tuple(spectrum.energy_kev.tolist()))
    photons = spectrum.photons_per_um2_s
    share = np.asarray(found.balance().deposited)
    mu = attenuation.total_per_um(part.scintillator, spectrum.energy_kev)
    interacting = float(photons @ -np.expm1(-mu * part.thickness_um))
    return float(photons @ (spectrum.energy_kev * share)), interacting


def beam() -> list[Claim]:
    """Return the claims about the spectrum."""
    shares = {}
    for al in (0.0, *FILTERS_MM):
        i = filtered(al)
        shares[al] = plate_spectrum(i, i.thick).fraction_between(10.0, 30.0)
    spectrum = plate_spectrum(filtered(0.0), filtered(0.0).thick)
    lines = spectrum.width_kev == 0.0
    photons, energy = spectrum.photons_per_um2_s[lines], spectrum.energy_kev[lines]
    low = spectrum.fraction_between(8.0, 12.0)
    return [
        Claim(
            slug="band",
            ours=shares[0.0],
            ours_is="share of photons of 10-30 keV, 0.15 mm of Be and 10 cm of air",
            tolerance=0.0,
            relation="at least",
            reason="'predominantly' is more than half",
            readings=tuple((f"with {al:g} mm of aluminium", shares[al]) for al in FILTERS_MM),
            why=f"Behind a thin window {low:.0%} of the photons are tungsten L lines and continuum "
            "of 8 to "
            "12 keV. It takes a filter like a tenth of a mm of aluminium to make the claim true; "
            "the "
            "paper names none.",
        ),
        Claim(
            slug="lines",
            ours=float(photons @ energy / photons.sum()),
            ours_is="mean energy of the tungsten lines of the beam",
            tolerance=1.0,
            reason="'near 10 keV'",
        ),
    ]


def penetration() -> list[Claim]:
    """Return the claims about penetration depth."""
    depth = 1.0 / attenuation.total_per_um(scintillator("YAG:Ce"), BAND_KEV)
    inside = float(np.mean((depth >= 100.0) & (depth <= 200.0)))
    why = (
        f"1/mu runs from {depth.min():.0f} to {depth.max():.0f} um and not steadily: above the K "
        "edge of "
        "yttrium, 17.04 keV, it falls back to a fifth. "
        f"{inside:.0%} of the band lies between 100 and 200 um."
    )
    edge = "5 % between tables"
    return [
        Claim(slug="penetration-least", ours=float(depth.min()), ours_is="least 1/mu, 10-30 keV",
              tolerance=5.0, relation="at least", reason=edge, why=why),
        Claim(slug="penetration-most", ours=float(depth.max()), ours_is="greatest 1/mu, 10-30 keV",
              tolerance=10.0, relation="at most", reason=edge, why=why),
    ]  # fmt: skip


def caesium_iodide() -> list[Claim]:
    """Return the claims about thick CsI:Tl in hard X-rays."""
    csi = scintillator("CsI:Tl")
    mu = float(attenuation.total_per_um(csi, np.array([200.0]))[0])
    energy = np.linspace(20.0, 33.0, 261)
    needed = -np.log1p(-0.38) / 100.0
    fits = float(energy[np.abs(attenuation.total_per_um(csi, energy) - needed).argmin()])
    why = (
        f"At 200 keV 1/mu is {1e-3 / mu:.1f} mm. The pair 38 % and 92 % belongs to about "
        f"{fits:.0f} keV "
        "(or 53 keV, above the K edges)."
    )
    return [
        Claim(slug=slug, ours=-100.0 * float(np.expm1(-mu * thickness)),
              ours_is="1 - exp(-mu t) at 200 keV", tolerance=0.5, reason="printed digits", why=why)
        for slug, thickness in (("csi-thin", 100.0), ("csi-thick", 500.0))
    ]  # fmt: skip


def exposure() -> list[Claim]:
    """Return the claims about light per second of the two plates."""
    ratio = {al: kept(al, "thick")[0] / kept(al, "thin")[0] for al in (0.0, *FILTERS_MM)}
    budget = light_budget(instrument().thick, instrument().lens, instrument().camera)
    energy, interacting = kept(0.0, "thick")
    return [
        Claim(
            slug="exposure",
            ours=ratio[0.0],
            ours_is="energy left in 200 um over that in 20 um of YAG, fluorescence transported",
            tolerance=0.5,
            reason="'10' and '1' as integers: 5 %",
            readings=tuple((f"with {al:g} mm of aluminium", ratio[al]) for al in FILTERS_MM),
            repairs=(("mu t much below one", 10.0),),
            why="Ten times the thickness absorbs ten times the energy only where hardly anything "
            "is "
            "absorbed. The exposures are round numbers, or the thin plate makes less light than "
            "its "
            "thickness.",
        ),
        Claim(
            slug="electrons-per-x-ray",
            ours=energy * budget.electrons_per_kev / interacting,
            ours_is="electrons per X-ray that interacts, 200 um, paper.toml",
            tolerance=0.8,
            reason="the printed range",
            kind="code",
            why="Derived in the audit of the paper by other codes, no claim of the paper.",
        ),
    ]


def scattering() -> list[Claim]:
    """Return the claims about scattered X-rays and electrons."""
    yag = scintillator("YAG:Ce")
    grid = np.array([10.0, 20.0, 30.0, 40.0, 50.0])
    ratio = attenuation.rayleigh_per_um(yag, grid) / attenuation.compton_per_um(yag, grid)
    part = filtered(0.0).thick
    spectrum = plate_spectrum(filtered(0.0), part)
    whole = deposited("thick", tuple(spectrum.energy_kev.tolist()))
    far = float(whole.distant_share(spectrum.photons_per_um2_s, np.array([100.0]))[0])
    single = deposition(yag, part.thickness_um, np.array([20.0]), TRANSPORT)
    at_20 = float(single.distant_share(np.ones(1), np.array([100.0]))[0])
    radius = {e: electron_radius_um(e) for e in (10.0, 20.0, 30.0)}
    return [
        Claim(
            slug="rayleigh",
            ours=float(ratio.max()),
            ours_is="greatest ratio Rayleigh / Compton, 10-50 keV",
            tolerance=0.0,
            relation="at most",
            reason="a limit",
            why="The other way round: Rayleigh / Compton is "
            + ", ".join(f"{r:.2g} at {e:g} keV" for e, r in zip(grid, ratio, strict=True))
            + ". Both are small beside the photo-effect.",
        ),
        Claim(
            slug="x-ray-scattering",
            ours=far,
            ours_is="share of the energy the beam leaves beyond 100 um from where it entered",
            tolerance=0.0,
            relation="at most",
            reason="a limit",
            why="What spreads energy is not scattering but fluorescence: above 17.04 keV yttrium "
            "sends "
            "out photons of 14.96 keV that travel 170 um. At 20 keV "
            f"{at_20:.0%} of the energy lands beyond 100 um: a pedestal that no deconvolution with "
            "a "
            "cut-off PSF removes.",
        ),
        Claim(
            slug="electrons",
            ours=radius[20.0],
            ours_is="radius that holds 90 % of what a photon's electrons leave, 20 keV",
            tolerance=0.05,
            reason="one printed digit",
            readings=tuple((f"at {e:g} keV", radius[e]) for e in (10.0, 30.0)),
            why="Photoelectrons carry the photon's energy less its binding and range over microns; "
            "100 nm "
            "is the mean free path of secondary electrons, not the range of the energy.",
        ),
    ]


def electron_radius_um(energy_kev: float, share: float = 0.9) -> float:
    """Return the radius that holds a share of the energy, fluorescence left where it arises."""
    found = deposition(scintillator("YAG:Ce"), 200.0, np.array([energy_kev]), ELECTRONS)

    def beyond(radius: float) -> float:
        return float(found.distant_share(np.ones(1), np.array([radius]))[0]) - (1.0 - share)

    return float(brentq(beyond, 0.05, 40.0, xtol=1e-3))


def glass() -> list[Claim]:
    """Return the claim about the lead glass."""
    energy = np.linspace(30.0, 85.0, 12)
    ratio = attenuation.total_per_um(absorber("ZF7"), energy)
    ratio = ratio / attenuation.total_per_um(absorber("Pb"), energy)
    return [
        Claim(slug="lead-glass", ours=float(ratio.mean()),
              ours_is="mu of ZF7 over mu of lead, mean of 30-85 keV", tolerance=0.033,
              reason="10 %: composition is that of the near-equivalent SF6")
    ]  # fmt: skip


def claims() -> list[Claim]:
    """Return all claims of this module."""
    return [*beam(), *penetration(), *caesium_iodide(), *exposure(), *scattering(), *glass()]
