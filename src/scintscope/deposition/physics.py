"""What one photon does where it first collides: shells, branches, lines, scattering.

Symbols: E photon energy, B binding energy, omega fluorescence yield, mu attenuation. A collision
ends in one of exclusive branches: photoelectric in a shell whose vacancy radiates a line or does
not, Compton scattering, Rayleigh scattering. The energy of a branch is exactly that of the photon:
photoelectron E - B, lines, the rest Auger electrons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scintscope.errors import InputError
from scintscope.materials import attenuation, scattering, vacancies
from scintscope.materials.attenuation import Composed
from scintscope.materials.composition import mass_fractions
from scintscope.units import attenuation_per_um

Array = NDArray[np.float64]

TRACKED_KEV = 1.6
"""Lines below this energy travel less than a micrometre in any solid and stay where they are."""

_RESOLVED_KEV = 1.0
_SOFTEST_KEV = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class InteractionData:
    """Cross-sections and yields of a material; xraylib's, or with parts of them replaced.

    Parameters
    ----------
    formula : str
        As in `scintscope.materials.Absorber`.
    density_g_cm3 : float
        Mass density.
    total_kev, total_ratio : tuple of float
        Another table's total attenuation over xraylib's on rising energies, interpolated over
        log E (equal energies at an edge are allowed); the photoelectric part takes up the
        difference. Empty: xraylib's own.
    k_yields : tuple of (int, float)
        K fluorescence yields to use instead of xraylib's, by atomic number.
    """

    formula: str
    density_g_cm3: float
    total_kev: tuple[float, ...] = ()
    total_ratio: tuple[float, ...] = ()
    k_yields: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.total_kev) != len(self.total_ratio):
            raise InputError(
                f"total_ratio has {len(self.total_ratio)} values for {len(self.total_kev)} "
                "energies in total_kev: give one per energy."
            )

    def total_per_um(self, energy_kev: Array) -> Array:
        """Return the total attenuation, 1/um, (E,)."""
        own = attenuation.total_per_um(self, energy_kev)
        if not self.total_kev:
            return own
        ratio = np.interp(np.log(energy_kev), np.log(self.total_kev), self.total_ratio)
        return np.asarray(own * ratio)

    def k_yield(self, element: int, tabulated: float) -> float:
        """Return the K yield of an element, the tabulated one unless it is replaced."""
        return dict(self.k_yields).get(element, tabulated)


def interaction_data(
    material: Composed,
    *,
    total_kev: Array | None = None,
    total_cm2_g: Array | None = None,
    k_yields: dict[int, float] | None = None,
) -> InteractionData:
    """Return the interaction data of a material.

    Parameters
    ----------
    material : Composed
        Formula and density.
    total_kev, total_cm2_g : (T,) arrays, optional
        Another table of the total attenuation, Rayleigh included, on rising energies.
    k_yields : dict, optional
        K fluorescence yields by atomic number.

    Raises
    ------
    InputError
        If only one of the two table arguments is given.
    """
    if (total_kev is None) != (total_cm2_g is None):
        raise InputError("total_kev and total_cm2_g belong together: give both or neither.")
    energies: tuple[float, ...] = ()
    ratio: tuple[float, ...] = ()
    if total_kev is not None and total_cm2_g is not None:
        other = np.asarray(total_cm2_g) * attenuation_per_um(1.0, material.density_g_cm3)
        own = attenuation.total_per_um(material, np.asarray(total_kev, dtype=np.float64))
        energies, ratio = tuple(map(float, total_kev)), tuple(map(float, other / own))
    return InteractionData(
        formula=material.formula,
        density_g_cm3=material.density_g_cm3,
        total_kev=energies,
        total_ratio=ratio,
        k_yields=tuple(sorted((k_yields or {}).items())),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LineGroup:
    """A fluorescence line that is followed: element, name, energy."""

    element: int
    name: str
    energy_kev: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Shell:
    """Photoelectric absorption in one shell: how often per um, and the photoelectron, (E,)."""

    rate_per_um: Array
    photoelectron_kev: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One way a vacancy decays.

    Parameters
    ----------
    shell : int
        Index of the shell.
    rate_per_um : (E,) array
        How often per um of path.
    lines : tuple of int
        Lines sent out (indices into the list of lines).
    auger : tuple of (array, float)
        Energy in Auger electrons, keV, (E,), and the energy of one such electron.
    """

    shell: int
    rate_per_um: Array
    lines: tuple[int, ...]
    auger: tuple[tuple[Array, float], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Collisions:
    """Collisions of photons of given energies, all rates per um of path, (E,) arrays.

    Parameters
    ----------
    energy_kev, attenuation_per_um, rayleigh_per_um, compton_per_um : (E,) array
        Photon energy; total, coherent and incoherent attenuation.
    recoil_kev : (E,) array
        Mean energy of the Compton electron.
    shells, branches : tuple
        Photoelectric absorption.
    """

    energy_kev: Array
    attenuation_per_um: Array
    rayleigh_per_um: Array
    compton_per_um: Array
    recoil_kev: Array
    shells: tuple[Shell, ...]
    branches: tuple[Branch, ...]


def tracked_lines(data: InteractionData, mode: str) -> tuple[LineGroup, ...]:
    """Return the lines a fluorescence mode follows, in descending energy.

    ``"local"``: none. ``"escape"``: K-L3, K-L2 and K-M,N of every element. ``"transport"``: K-L,
    K-M,N and two groups of L lines of every element, above `TRACKED_KEV`.
    """
    if mode == "local":
        return ()
    found = []
    for element, _ in mass_fractions(data.formula):
        shells = vacancies.inner_shells(element, mode == "transport")
        lines = shells.k_lines if mode == "escape" else (*shells.k_lines, *shells.l_lines)
        floor = TRACKED_KEV if mode == "transport" else 0.0
        found += [
            LineGroup(element=element, name=line.name, energy_kev=line.energy_kev)
            for line in lines
            if line.energy_kev > floor
        ]
    return tuple(sorted(found, key=lambda line: -line.energy_kev))


def collisions(
    data: InteractionData, energy_kev: Array, lines: tuple[LineGroup, ...]
) -> Collisions:
    """Return the collision tables of photons in a material.

    Parameters
    ----------
    data : InteractionData
        Cross-sections.
    energy_kev : (E,) array
        Photon energies.
    lines : tuple of LineGroup
        The lines that leave the place of the vacancy; others stay as Auger electrons do.
    """
    energy = np.asarray(energy_kev, dtype=np.float64)
    total = data.total_per_um(energy)
    compton = attenuation.compton_per_um(data, energy)
    rayleigh = attenuation.rayleigh_per_um(data, energy)
    photo = attenuation.photoelectric_per_um(data, energy)
    scale = (total - compton - rayleigh) / photo if data.total_kev else np.ones(energy.shape)
    builder = _Builder(data=data, energy_kev=energy, scale=scale, lines=lines)
    shells, branches = builder.build()
    return Collisions(
        energy_kev=energy,
        attenuation_per_um=total,
        rayleigh_per_um=rayleigh,
        compton_per_um=compton,
        recoil_kev=attenuation.mean_compton_fraction(energy) * energy,
        shells=shells,
        branches=branches,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Builder:
    """Collects the shells and branches of all elements."""

    data: InteractionData
    energy_kev: Array
    scale: Array
    lines: tuple[LineGroup, ...]

    def build(self) -> tuple[tuple[Shell, ...], tuple[Branch, ...]]:
        """Return shells and branches; what is not resolved is one outer shell."""
        shells: list[Shell] = []
        branches: list[Branch] = []
        rest = np.zeros(self.energy_kev.shape)
        rest_kev, weight = np.zeros_like(rest), np.zeros_like(rest)
        for element, fraction in mass_fractions(self.data.formula):
            outer, binding = self._element(element, fraction, shells, branches)
            rest = rest + outer
            rest_kev = rest_kev + np.maximum(outer, 0.0) * binding
            weight = weight + np.maximum(outer, 0.0)
        binding_kev = np.divide(rest_kev, weight, out=np.zeros_like(rest), where=weight > 0.0)
        electron = np.maximum(self.energy_kev - binding_kev, 0.0)
        shells.append(Shell(rate_per_um=rest, photoelectron_kev=electron))
        left = self.energy_kev - electron
        branches.append(
            Branch(
                shell=len(shells) - 1,
                rate_per_um=rest,
                lines=(),
                auger=((left, max(float(left.mean()), _SOFTEST_KEV)),),
            )
        )
        return tuple(shells), tuple(branches)

    def _element(
        self, element: int, fraction: float, shells: list[Shell], branches: list[Branch]
    ) -> tuple[Array, float]:
        """Add one element's K and L shells; return the rest's rate and binding energy."""
        to_per_um = attenuation_per_um(fraction, self.data.density_g_cm3) * self.scale
        rest = to_per_um * vacancies.photoelectric_cm2_g(element, self.energy_kev)
        inner = vacancies.inner_shells(element)
        followed = {line.name[0] for line in self.lines if line.element == element}
        binding = inner.k_edge_kev
        for name, edge in (("K", inner.k_edge_kev), ("L", inner.l_edge_kev)):
            if edge < _RESOLVED_KEV and name not in followed:
                continue
            binding = inner.l_edge_kev if name == "K" else inner.outer_edge_kev
            rate = to_per_um * vacancies.partial_photoelectric_cm2_g(element, name, self.energy_kev)
            if not rate.any():
                continue
            rest = rest - rate
            electron = np.maximum(self.energy_kev - edge, 0.0)
            shells.append(Shell(rate_per_um=rate, photoelectron_kev=electron))
            add = self._k_branches if name == "K" else self._l_branches
            branches += add(inner, len(shells) - 1, shells[-1], to_per_um)
        return rest, binding

    def _index(self, element: int, name: str) -> int | None:
        for index, line in enumerate(self.lines):
            if line.element == element and line.name == name:
                return index
        return None

    def _l_photons(self, element: int, name: str) -> list[tuple[int, Array]]:
        """Return the followed L lines and their production, cm2/g, from one origin."""
        codes = [self._index(element, line) for line in ("L3-M", "L-other")]
        if codes == [None, None]:
            return []
        made = vacancies.l_photons_cm2_g(element, self.energy_kev)[name]
        return [(code, made[:, i]) for i, code in enumerate(codes) if code is not None]

    def _k_branches(
        self, inner: vacancies.InnerShells, shell: int, table: Shell, to_per_um: Array
    ) -> list[Branch]:
        """Return the decays of a K vacancy: each line, and Auger, with or without an L photon."""
        element = inner.element
        omega = self.data.k_yield(element, inner.k_yield)
        held = self.energy_kev - table.photoelectron_kev
        soft = max(inner.l_edge_kev - 2.0 * inner.outer_edge_kev, _SOFTEST_KEV)
        radiated = np.zeros(table.rate_per_um.shape)
        found: list[Branch] = []
        for index, line in enumerate(self.lines):
            if line.element != element or line.name[0] != "K":
                continue
            share = self._branching(inner, line)
            rate = table.rate_per_um * omega * share
            radiated = radiated + rate
            second = self._l_photons(element, "radiative") if line.name == "K-L" else []
            grown = to_per_um * omega / inner.k_yield
            extra = [(code, grown * made) for code, made in second]
            left = held - line.energy_kev
            found += self._split(shell, rate, (index,), left, ((soft, 1.0),), extra)
        hard = max(inner.k_edge_kev - inner.l_per_auger * inner.l_edge_kev, _SOFTEST_KEV)
        grown = to_per_um * (1.0 - omega) / (1.0 - inner.k_yield)
        extra = [(code, grown * made) for code, made in self._l_photons(element, "auger")]
        part = hard / inner.k_edge_kev
        electrons = ((hard, part), (soft, 1.0 - part))
        return found + self._split(shell, table.rate_per_um - radiated, (), held, electrons, extra)

    @staticmethod
    def _branching(inner: vacancies.InnerShells, line: LineGroup) -> float:
        """Return a K line's share of the radiative transitions."""
        both = (*inner.k_lines, *vacancies.inner_shells(inner.element, False).k_lines)
        return next(item.branching for item in both if item.name == line.name)

    def _l_branches(
        self, inner: vacancies.InnerShells, shell: int, table: Shell, to_per_um: Array
    ) -> list[Branch]:
        """Return the decays of an L vacancy: each group of lines, and the rest."""
        photons = self._l_photons(inner.element, "direct")
        extra = [(code, to_per_um * made) for code, made in photons]
        held = self.energy_kev - table.photoelectron_kev
        soft = max(inner.l_edge_kev - 2.0 * inner.outer_edge_kev, _SOFTEST_KEV)
        return self._split(shell, table.rate_per_um, (), held, ((soft, 1.0),), extra)

    def _split(
        self,
        shell: int,
        rate: Array,
        first: tuple[int, ...],
        left_kev: Array,
        electrons: tuple[tuple[float, float], ...],
        extra: list[tuple[int, Array]],
    ) -> list[Branch]:
        """Return the branches of a decay without and with one of the extra photons.

        A photon of an extra line takes its energy from the last (softest) group of electrons.
        """
        found = []
        for code, made in extra:
            photon = self.lines[code].energy_kev
            harder = tuple((left_kev * part, each) for each, part in electrons[:-1])
            softest = left_kev * electrons[-1][1] - photon
            each = min(electrons[-1][0], max(float(np.abs(softest).max()), _SOFTEST_KEV))
            found.append(
                Branch(
                    shell=shell,
                    rate_per_um=made,
                    lines=(*first, code),
                    auger=(*harder, (softest, each)),
                )
            )
            rate = rate - made
        auger = tuple((left_kev * part, each) for each, part in electrons)
        return [Branch(shell=shell, rate_per_um=rate, lines=first, auger=auger), *found]


def own_energy_kev(table: Collisions, branch: Branch, lines: tuple[LineGroup, ...]) -> Array:
    """Return what a branch leaves at its own site if no electron leaves it, keV, (E,)."""
    return np.asarray(table.energy_kev - sum(lines[i].energy_kev for i in branch.lines))


def recoil_moments(data: InteractionData, energy_kev: Array) -> tuple[Array, Array]:
    """Return mean and mean square of the Compton electron's energy, keV and keV2, (E,).

    Klein-Nishina times the incoherent scattering function of the atoms.
    """
    cosine, weight = np.polynomial.legendre.leggauss(48)
    density = scattering.compton_angles(data, energy_kev, cosine) * weight
    density = density / density.sum(1, keepdims=True)
    recoil = energy_kev[:, None] * (1.0 - scattering.compton_ratio(energy_kev, cosine))
    return np.asarray((density * recoil).sum(1)), np.asarray((density * recoil**2).sum(1))
