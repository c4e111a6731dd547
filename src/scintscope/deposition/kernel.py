"""The deposition kernel: energy left per depth, its transfer function, its power per event.

Symbols: E photon energy, z depth below the entrance face, f spatial frequency, mu attenuation,
T(f, z) transfer function of light from depth z. Each incident photon first collides at z with
density mu path exp(-mu z path); see docs/conventions.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.accuracy import Effects
from scintscope.cache import cached_arrays
from scintscope.deposition.frequencies import interpolation, tabulated_frequencies
from scintscope.deposition.groups import Groups, compton_shares, photon_groups
from scintscope.deposition.halo import Halo, halo_tables, kept_groups, sources
from scintscope.deposition.outcomes import ElectronTracks, NoTracks, OutcomeMaker
from scintscope.deposition.panels import Panels, graded_panels
from scintscope.deposition.physics import (
    Collisions,
    InteractionData,
    LineGroup,
    collisions,
    interaction_data,
    recoil_moments,
    tracked_lines,
)
from scintscope.deposition.power import (
    collision_parts,
    combined,
    light,
    scattered_power,
    secondary_children,
)
from scintscope.deposition.sites import Sites
from scintscope.deposition.spread import share_beyond
from scintscope.errors import InputError, check_range
from scintscope.materials.attenuation import Composed

Array = NDArray[np.float64]

ALGORITHM_VERSION = 1
"""Part of the cache key; raise it when a change alters the tables."""

AT_ZERO = slice(1)
"""The first of the tabulated frequencies, f = 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EnergyBalance:
    """Where the incident energy goes, each a fraction of it per photon energy, (E,).

    ``untracked``: energy of bremsstrahlung and of what falls below the tracking threshold, which
    is left where it arises, is part of ``deposited``; so ``untracked`` is 0 in this model.
    """

    deposited: Array
    transmitted: Array
    fluorescence_escaped: Array
    scattered_escaped: Array
    electrons_escaped: Array
    untracked: Array

    @property
    def total(self) -> Array:
        """Sum of all parts, 1 up to the quadrature's error."""
        return np.asarray(
            self.deposited
            + self.transmitted
            + self.fluorescence_escaped
            + self.scattered_escaped
            + self.electrons_escaped
            + self.untracked
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deposition:
    """Energy that photons leave in a plate.

    Parameters
    ----------
    energy_kev : (E,) array
        Photon energies.
    thickness_um : float
        Plate.
    attenuation_per_um : (E,) array
        Total attenuation.
    table, sites, halo, lines
        Collisions of the primary photons, what they leave on the spot, secondary photons (None
        where none is followed), fluorescence lines.
    """

    energy_kev: Array
    thickness_um: float
    attenuation_per_um: Array
    table: Collisions
    sites: Sites
    lines: tuple[LineGroup, ...]
    halo: Halo

    def first_collisions(self, z_um: Array, path: float = 1.0) -> Array:
        """Return the density of first collisions, mu path exp(-mu z path), per um, (E, D)."""
        slant = self.attenuation_per_um[:, None] * path
        return np.asarray(slant * np.exp(-slant * np.asarray(z_um)))

    def mean_kev_per_um(self, z_um: Array, path: float = 1.0) -> Array:
        """Return the mean energy left per um of depth and incident photon, keV/um, (E, D).

        Parameters
        ----------
        z_um : (D,) array
            Depths.
        path : float
            Path per depth, 1/cos of the angle of incidence. The halo around an oblique ray is
            that of a normal one with the same density of first collisions.
        """
        z = np.asarray(z_um, dtype=np.float64)
        first = self.first_collisions(z, path)
        own = self.sites.mean_kev(z, AT_ZERO)[:, 0] * first
        return np.asarray(own + self._halo_per_energy(path) @ self.halo.panels.interpolation(z).T)

    def _halo_per_energy(self, path: float) -> Array:
        """Return the energy secondary photons leave per um of depth at f = 0, (E, N)."""
        halo = self.halo
        total = halo.tables["scatter"][:, 0].copy()
        for operator, group in zip(halo.tables["transfer"], kept_groups(halo.groups), strict=True):
            if halo.groups.line[group] is not None:
                sent = halo.made.line[:, group, None] * self._first_on_nodes(path)
                total += sent @ operator[0].astype(np.float64).T
        return np.asarray(total)

    def _first_on_nodes(self, path: float) -> Array:
        return self.first_collisions(self.halo.panels.z_um, path)

    def mean_transfer(
        self, weights: Array, z_um: Array, frequency_cy_per_um: Array, path: float = 1.0
    ) -> Array:
        """Return the mean energy left per um with its radial transfer function.

        Parameters
        ----------
        weights : (G, E) array
            Photons of each energy in each of G sums.
        z_um : (D,) array
            Depths.
        frequency_cy_per_um : (F,) array
            Spatial frequencies, at most 20.
        path : float
            1/cos of the angle of incidence.

        Returns
        -------
        (G, D, F) array
            At f = 0 equal to ``weights @ mean_kev_per_um(z_um, path)``; keV per um.

        Raises
        ------
        InputError
            If the shape of ``weights`` does not fit.
        """
        z = np.asarray(z_um, dtype=np.float64)
        photons = self.checked(weights)
        density = photons[:, :, None] * self.first_collisions(z, path)
        own = self.sites.mean_sum(density, z)
        halo = self._halo_transfer(photons, path)
        spread = np.einsum("gtn,dn->gdt", halo, self.halo.panels.interpolation(z), optimize=True)
        return np.asarray((own + spread) @ interpolation(frequency_cy_per_um))

    def transfer_by_energy(self, z_um: Array, path: float = 1.0) -> Array:
        """Return `mean_transfer` of each energy by itself at the tabulated frequencies, (E, D, T).

        Parameters
        ----------
        z_um : (D,) array
            Depths.
        path : float
            1/cos of the angle of incidence.
        """
        z = np.asarray(z_um, dtype=np.float64)
        own = self.sites.mean_sum(self.first_collisions(z, path), z)
        halo = self._halo_transfer(np.eye(self.energy_kev.size), path)
        spread = np.einsum("gtn,dn->gdt", halo, self.halo.panels.interpolation(z), optimize=True)
        return np.asarray((own + spread) @ interpolation(tabulated_frequencies()))

    def checked(self, weights: Array) -> Array:
        """Return weights as a (G, E) array of floats, or refuse them."""
        photons = np.asarray(weights, dtype=np.float64)
        if photons.ndim != 2 or photons.shape[1] != self.energy_kev.size:
            raise InputError(
                f"weights has shape {photons.shape}: give (G, {self.energy_kev.size}), a row of "
                "photons per energy for each sum."
            )
        return photons

    def _halo_transfer(self, photons: Array, path: float) -> Array:
        """Return the halo's energy per um on the nodes, (G, T, N)."""
        halo = self.halo
        total = np.einsum("ge,etn->gtn", photons, halo.tables["scatter"], optimize=True)
        first = self._first_on_nodes(path)
        for operator, group in zip(halo.tables["transfer"], kept_groups(halo.groups), strict=True):
            if halo.groups.line[group] is not None:
                sent = (photons * halo.made.line[:, group]) @ first
                total += np.einsum("tij,gj->gti", operator, sent, optimize=True)
        return np.asarray(total)

    def event_power(
        self,
        weights: Array,
        z_um: Array,
        weight_um: Array,
        transfer: Array,
        frequency_cy_per_um: Array,
    ) -> Array:
        """Return the mean squared transform of what one X-ray's light makes, per um of depth.

        sum_E weights x density of events at z x E|sum_i eps_i T(f, z_i) exp(-2 pi i f x_i)|^2,
        the sum over all places i where the event leaves energy eps_i. Photons that were only
        Rayleigh-scattered so far count where they first leave energy.

        Parameters
        ----------
        weights : (G, E) or (E,) array
            Photons of each energy in each of G sums; of one axis: each energy by itself, G = E.
        z_um, weight_um : (D,) array
            Quadrature over the plate's depth.
        transfer : (D, F) array
            T at these depths and frequencies; 1 everywhere gives the energy's own power.
        frequency_cy_per_um : (F,) array
            Spatial frequencies, at most 20.

        Returns
        -------
        (G, D, F) array
            keV2 per um of depth; its sum with ``weight_um`` is the events' second moment.

        Raises
        ------
        InputError
            If shapes do not fit.
        """
        photons = self.checked(np.atleast_2d(weights))
        photons = photons[0] if np.ndim(weights) == 1 else photons
        z = np.asarray(z_um, dtype=np.float64)
        seen = np.asarray(transfer, dtype=np.float64)
        if seen.shape != (z.size, np.size(frequency_cy_per_um)):
            raise InputError(
                f"transfer has shape {seen.shape}: give (depths, frequencies) = "
                f"({z.size}, {np.size(frequency_cy_per_um)})."
            )
        view = light(self.halo, z, np.asarray(weight_um), seen, frequency_cy_per_um)
        children = secondary_children(self.halo, view)
        again = photons[..., None] * (self.halo.tables["second"] @ view.nodes.T)
        density = photons[..., None] * self.first_collisions(z) + again
        total = combined(collision_parts(self.halo, self.sites, density, z), view, children)
        if self.halo.groups.scattered.size:
            total += scattered_power(self.halo, self.sites, density, again, view, children)
        return np.asarray(total)

    def balance(self) -> EnergyBalance:
        """Return where the energy goes, as fractions of the incident energy, each (E,)."""
        panels, tables = self.halo.panels, self.halo.tables
        z, weight = panels.z_um, panels.weight_um
        first = self.first_collisions(z)
        collided = -np.expm1(-self.attenuation_per_um * self.thickness_um)
        short = self.sites.full_kev()[:, None] - self.sites.mean_kev(z, AT_ZERO)[:, 0]
        lost = (first * short) @ weight
        scattered = tables["scattered_kev"]
        if not self.halo.groups.scattered.size:
            away = self.table.rayleigh_per_um * self.energy_kev
            away = away + self.table.compton_per_um * (self.energy_kev - self.table.recoil_kev)
            scattered = scattered + collided * away / self.attenuation_per_um
        lines = tables["fluorescence_kev"] + collided * self.halo.made.unfollowed_kev
        return EnergyBalance(
            deposited=self.mean_kev_per_um(z) @ weight / self.energy_kev,
            transmitted=1.0 - collided,
            fluorescence_escaped=lines / self.energy_kev,
            scattered_escaped=scattered / self.energy_kev,
            electrons_escaped=(lost + tables["electrons_kev"]) / self.energy_kev,
            untracked=np.zeros(self.energy_kev.shape),
        )

    def fluorescence_share(self, weights: Array) -> float:
        """Return the share of the deposited energy that photons carried away from the first site.

        Parameters
        ----------
        weights : (E,) array
            Photons of each energy. Lines and scattered photons both count.
        """
        photons = self.checked(np.asarray(weights)[None, :])[0]
        panels = self.halo.panels
        total = float(photons @ self.mean_kev_per_um(panels.z_um) @ panels.weight_um)
        return float(photons @ self._halo_per_energy(1.0) @ panels.weight_um) / total

    def transfer_function(self, weights: Array, frequency_cy_per_um: Array) -> Array:
        """Return the transfer function of all deposited energy, 1 at f = 0, (F,).

        Parameters
        ----------
        weights : (E,) array
            Photons of each energy.
        frequency_cy_per_um : (F,) array
            Spatial frequencies.
        """
        return np.asarray(self._node_transfer(weights) @ interpolation(frequency_cy_per_um))

    def _node_transfer(self, weights: Array) -> Array:
        """Return the transfer function of all deposited energy at the tabulated frequencies."""
        panels = self.halo.panels
        nodes = tabulated_frequencies()
        summed = self.mean_transfer(np.asarray(weights)[None, :], panels.z_um, nodes)
        total = np.tensordot(panels.weight_um, summed[0], axes=1)
        return np.asarray(total / total[0])

    def distant_share(self, weights: Array, radius_um: Array) -> Array:
        """Return the share of the deposited energy farther than r from the entry axis, (R,).

        Within r lies 2 pi r int_0^inf m(f) J1(2 pi f r) df, m the transfer function of the
        deposited energy; its value at high f, energy on the axis, is within any r.

        Parameters
        ----------
        weights : (E,) array
            Photons of each energy.
        radius_um : (R,) array
            Radii, 0.5 um or more for full accuracy.
        """
        known = self._node_transfer(weights)

        def transfer(frequency: Array) -> Array:
            return np.asarray(known @ interpolation(frequency))

        return np.array([share_beyond(transfer, float(r)) for r in np.atleast_1d(radius_um)])


def deposition(
    material: Composed,
    thickness_um: float,
    energy_kev: Array,
    effects: Effects,
    *,
    data: InteractionData | None = None,
) -> Deposition:
    """Return the deposition kernel of a plate.

    Parameters
    ----------
    material : Composed
        Formula and density of the plate.
    thickness_um : float
        Plate.
    energy_kev : (E,) array
        Photon energies.
    effects : Effects
        ``fluorescence``, ``electrons`` and ``scattered_photons`` count.
    data : InteractionData, optional
        Cross-sections; None takes xraylib's.

    Notes
    -----
    Fluorescence lines and scattered photons are followed through all orders: line photons exactly
    isotropic, first Rayleigh scattering of the primary with the form factor's angles, Compton
    scattered photons and all later scattering as isotropic with the transport-corrected
    attenuation mu - g sigma_Rayleigh.
    """
    check_range("thickness_um", float(thickness_um), low=0.0, low_open=True, unit="um")
    energy = np.atleast_1d(np.asarray(energy_kev, dtype=np.float64))
    cross = interaction_data(material) if data is None else data
    lines = tracked_lines(cross, effects.fluorescence)
    table = collisions(cross, energy, lines)
    tracks = _tracks(material, effects.electrons)
    groups = photon_groups(
        cross,
        energy,
        lines,
        transport_lines=effects.fluorescence == "transport",
        scatter=effects.scattered_photons,
    )
    primary = _sites(cross, table, tracks, float(thickness_um), effects.scattered_photons, groups)
    halo = _halo(cross, table, lines, groups, primary, effects)
    return Deposition(
        energy_kev=energy,
        thickness_um=float(thickness_um),
        attenuation_per_um=table.attenuation_per_um,
        table=table,
        sites=primary,
        lines=lines,
        halo=halo,
    )


def _tracks(material: Composed, electrons: bool) -> ElectronTracks:
    """Return the electron kernel, or electrons that stop where they start."""
    if not electrons:
        return NoTracks()
    from scintscope.electrons import electron_kernel

    return electron_kernel(material)


def _sites(
    data: InteractionData,
    table: Collisions,
    tracks: ElectronTracks,
    thickness_um: float,
    scatter: bool,
    groups: Groups,
) -> Sites:
    """Return what collisions leave on the spot.

    Where scattered photons are followed, the recoil is the photon's energy less what the groups
    of scattered photons take; otherwise part 1's free-electron mean, the same for every event.
    """
    recoil, square = table.recoil_kev, table.recoil_kev**2
    spread = groups.scattered
    if scatter:
        nodes = groups.energy_kev[spread]
        mean, mean_square = recoil_moments(data, table.energy_kev)
        recoil = table.energy_kev - compton_shares(data, nodes, table.energy_kev) @ nodes
        square = mean_square * (recoil / mean) ** 2
    maker = OutcomeMaker(tracks=tracks, frequency_cy_per_um=tabulated_frequencies())
    return Sites(
        outcomes=maker.outcomes(table, recoil, square), tracks=tracks, thickness_um=thickness_um
    )


def _halo(
    data: InteractionData,
    table: Collisions,
    lines: tuple[LineGroup, ...],
    groups: Groups,
    primary: Sites,
    effects: Effects,
) -> Halo:
    """Return the secondary photons' operators and tables, from the cache if they are there."""
    attenuation = np.concatenate([table.attenuation_per_um, groups.free_per_um])
    panels = graded_panels(primary.thickness_um, 0.5 / float(attenuation.max()))
    secondary = Sites(outcomes=(), tracks=primary.tracks, thickness_um=primary.thickness_um)
    if groups.table is not None:
        secondary = _sites(
            data, groups.table, primary.tracks, primary.thickness_um, effects.scattered_photons,
            groups,
        )  # fmt: skip
    made = sources(data, table, groups, lines)
    frequency = tabulated_frequencies()
    inputs = {
        "version": ALGORITHM_VERSION,
        "data": [data.formula, data.density_g_cm3, data.total_kev, data.total_ratio, data.k_yields],
        "thickness_um": primary.thickness_um,
        "energy_kev": table.energy_kev,
        "frequency": frequency,
        "effects": [effects.fluorescence, effects.electrons, effects.scattered_photons],
        "cross_sections": [table.attenuation_per_um, table.rayleigh_per_um, groups.free_per_um],
        "photons": [made.line, made.compton, groups.again, groups.children],
        "electrons": [o.first.mean_kev for o in (*primary.outcomes, *secondary.outcomes)],
    }

    def make() -> dict[str, Array]:
        return halo_tables(data, panels, table, primary, secondary, groups, made, frequency)

    if groups.table is None:
        tables = _no_halo(table.energy_kev.size, panels, frequency.size)
    else:
        tables = cached_arrays("deposition", inputs, make)
    return Halo(panels=panels, groups=groups, made=made, secondary=secondary, tables=tables)


def _no_halo(energies: int, panels: Panels, frequencies: int) -> dict[str, Array]:
    """Return the tables of a plate in which no secondary photon is followed."""
    nodes = panels.z_um.size
    return {
        "transfer": np.zeros((0, frequencies, nodes, nodes)),
        "collide": np.zeros((0, nodes, nodes)),
        "scatter": np.zeros((energies, frequencies, nodes)),
        "second": np.zeros((energies, nodes)),
        "fluorescence_kev": np.zeros(energies),
        "scattered_kev": np.zeros(energies),
        "electrons_kev": np.zeros(energies),
    }
