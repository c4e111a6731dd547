"""The deposition kernel: limits, conservation, transfer functions, event power, smoothness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.accuracy import Effects
from scintscope.deposition import deposition, interaction_data
from scintscope.deposition import kernel as kernel_module
from scintscope.deposition.frequencies import tabulated_frequencies
from scintscope.deposition.physics import collisions, own_energy_kev, tracked_lines
from scintscope.errors import InputError, RangeError
from scintscope.materials import Absorber, scintillator
from scintscope.quadrature import interval_nodes
from scintscope.scintillator.absorption import interaction, per_depth

YAG, GGG = scintillator("YAG:Ce"), scintillator("GGG:Tb")
ENERGY = np.array([9.0, 20.0, 45.0])
PHOTONS_ONLY = Effects(fluorescence="transport", electrons=False, scattered_photons=True)
LINES_ONLY = Effects(fluorescence="transport", electrons=False, scattered_photons=False)


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch):
    monkeypatch.setenv("SCINTSCOPE_CACHE", "off")


def plain(fluorescence):
    return Effects(fluorescence=fluorescence, electrons=False, scattered_photons=False)


def balance_of(material, thickness, energy, effects):
    """Return the energy balance of a plate; it needs no frequency but 0."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCINTSCOPE_CACHE", "off")
        patch.setattr(kernel_module, "tabulated_frequencies", lambda: np.array([0.0, 1.0]))
        return deposition(material, thickness, energy, effects).balance()


@pytest.mark.parametrize("fluorescence", ["local", "escape"])
@pytest.mark.parametrize("name", ["YAG:Ce", "LuAG:Ce", "GAGG:Ce", "CsI:Tl"])
def test_without_transport_the_kernel_is_beer_lambert_times_the_mean_deposit(name, fluorescence):
    """With local electrons and no scattered photons both moments are those of `interaction`."""
    material, z = scintillator(name), np.linspace(0.0, 80.0, 7)
    energy = np.array([8.0, 17.2, 33.5, 51.0, 70.0])
    kernel = deposition(material, 80.0, energy, plain(fluorescence))
    act = interaction(material, energy, fluorescence)
    for path in (1.0, 1.3):
        expected = per_depth(act.deposit_kev_per_um, z, act.attenuation_per_um, path)
        np.testing.assert_allclose(kernel.mean_kev_per_um(z, path), expected, rtol=1e-12)
    square = per_depth(act.deposit_kev2_per_um, z, act.attenuation_per_um)
    one = np.ones((z.size, 2))
    power = kernel.event_power(np.eye(5), z, np.full(7, 10.0), one, np.array([0.0, 0.4]))
    for f in range(2):
        # 1e-12: float rounding of sums over branches
        np.testing.assert_allclose(power[:, :, f], square, rtol=1e-12)


@given(
    st.sampled_from(["Y3Al5O12", "Lu3Al5O12", "Gd3Ga5O12", "CsI", "H2O", "Pb", "Si"]),
    st.lists(st.floats(1.0, 300.0), min_size=1, max_size=2, unique=True),
    st.floats(0.1, 5000.0),
    st.sampled_from([PHOTONS_ONLY, LINES_ONLY, plain("escape")]),
)
@settings(max_examples=15, deadline=None)
def test_energy_is_conserved(formula, energies, thickness, effects):
    """Deposited, transmitted and escaped energy add up to the incident energy within 1e-6."""
    material = Absorber(name="any", formula=formula, density_g_cm3=4.0)
    balance = balance_of(material, thickness, np.sort(energies), effects)
    np.testing.assert_allclose(balance.total, 1.0, atol=1e-6)
    for part in (balance.deposited, balance.fluorescence_escaped, balance.scattered_escaped):
        assert part.min() >= -1e-9  # rounding


def test_transfer_starts_at_the_mean_energy_and_falls():
    """At f = 0 the transfer equals weights @ mean; it falls with f to the energy on axis."""
    kernel = deposition(YAG, 100.0, ENERGY, PHOTONS_ONLY)
    z, _ = interval_nodes(0.0, 100.0, 12)
    weights = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, 0.0]])
    f = np.array([0.0, 1e-3, 1e-2, 0.1, 1.0])
    transfer = kernel.mean_transfer(weights, z, f)
    assert transfer.shape == (2, 12, 5)
    # 1e-6: single precision of the kept operators
    np.testing.assert_allclose(transfer[..., 0], weights @ kernel.mean_kev_per_um(z), rtol=1e-6)
    assert np.all(np.diff(transfer, axis=2) < 0.0)
    local = deposition(YAG, 100.0, ENERGY, plain("escape"))
    # 1e-2: at 1 cycle per um the halo is mu / k < 1 % of what it was
    np.testing.assert_allclose(transfer[1, :, -1], local.mean_kev_per_um(z)[1], rtol=3e-2)


@pytest.mark.parametrize("path", [1.0, 1.2])
def test_each_energy_by_itself_gives_any_sum(path):
    """The transfer of each energy at the tabulated frequencies is that of a sum of one photon."""
    kernel = deposition(YAG, 100.0, ENERGY, PHOTONS_ONLY)
    z, _ = interval_nodes(0.0, 100.0, 6)
    expected = kernel.mean_transfer(np.eye(3), z, tabulated_frequencies(), path)
    np.testing.assert_array_equal(kernel.transfer_by_energy(z, path), expected)


def test_power_of_each_energy_by_itself_is_that_of_a_sum_of_one():
    """Weights of one axis give each energy's power, to the bit that of a sum of it alone."""
    kernel = deposition(YAG, 60.0, ENERGY, PHOTONS_ONLY)
    z, weight = interval_nodes(0.0, 60.0, 6)
    f = np.array([0.0, 0.02, 0.3])
    transfer = np.exp(-np.outer(z, f))
    photons = np.array([2.0, 0.7, 1.3])
    alone = kernel.event_power(photons, z, weight, transfer, f)
    np.testing.assert_array_equal(
        alone, kernel.event_power(np.diag(photons), z, weight, transfer, f)
    )


def test_kept_fractions_are_those_of_their_own_plate_and_depths():
    """What is kept for one plate and its depths answers for no other plate and no other depths."""
    z, _ = interval_nodes(0.0, 6.0, 5)
    thin, thick = (deposition(YAG, t, ENERGY, Effects()) for t in (6.0, 9.0))
    for kernel in (thin, thick):
        for depth in (z, 0.5 * z, z):
            fraction = kernel.sites.keep(depth)
            for _, electrons in kernel.sites.groups():
                fresh = kernel.sites.tracks.kept_fraction(
                    electrons.energy_kev, depth, kernel.thickness_um, electrons.start
                )
                np.testing.assert_array_equal(fraction(electrons), fresh)


def test_a_thin_plate_loses_its_halo():
    """Towards zero thickness re-absorption vanishes: the kernel is that of escape."""
    thin = deposition(YAG, 0.01, ENERGY, LINES_ONLY)
    # the share goes as mu t ln(1 / (mu t)) of the softest line (2 keV, 1 / mu = 1 um)
    assert thin.fluorescence_share(np.ones(3)) < 1e-2
    assert deposition(YAG, 50.0, ENERGY, LINES_ONLY).fluorescence_share(np.ones(3)) > 0.1


def test_an_opaque_plate_keeps_what_does_not_leave_its_front():
    """In 5 mm of YAG nothing leaves the back: 20 keV keep all but the front's escape."""
    balance = balance_of(YAG, 5000.0, ENERGY, LINES_ONLY)
    assert balance.transmitted[1] < 1e-12
    lost = balance.fluorescence_escaped[1]
    assert balance.deposited[1] == pytest.approx(1.0 - lost - balance.scattered_escaped[1])
    # half of the energy goes into lines, mean depth 69 um in units of 175 um: (E2 / 2) / 2
    assert 0.08 < lost < 0.15


def test_the_kernel_is_smooth_in_thickness():
    """Second differences over thickness are those of a smooth function, not of noise."""
    thickness = 100.0 + 0.5 * np.arange(5)
    deposited = [balance_of(YAG, t, ENERGY[1:2], LINES_ONLY).deposited[0] for t in thickness]
    second = np.diff(deposited, 2)
    # d2/dt2 of 1 - exp(-mu t) at mu t = 1.4 is 6e-5 / um2; noise of 1e-7 would show in the third
    assert np.all(second < 0.0)
    assert abs(np.diff(second)).max() < 2e-7


def test_event_power_of_lines_against_events_drawn_one_by_one():
    """E|sum eps T exp(-2 pi i f x)|^2 of analog events agrees within 5 standard errors."""
    thickness, count, f = 120.0, 300_000, np.array([0.0, 0.004, 0.05])
    kernel = deposition(YAG, thickness, np.array([20.0]), LINES_ONLY)
    z, weight = interval_nodes(0.0, thickness, 40)
    decay = np.array([0.0, 0.004, 0.01])
    transfer = np.exp(-z[:, None] * decay)
    found = np.tensordot(weight, kernel.event_power(np.ones((1, 1)), z, weight, transfer, f)[0], 1)
    rng = np.random.default_rng(11)
    drawn = np.abs(_events(kernel, count, f, decay, rng)) ** 2
    error = drawn.std(1) / np.sqrt(count)
    assert np.all(np.abs(drawn.mean(1) - found) < 5.0 * error)
    mean = kernel.mean_transfer(np.ones((1, 1)), z, f)[0]
    signal = np.sum(weight[:, None] * mean * transfer, axis=0)
    sums = _events(kernel, count, f, decay, rng).real
    assert np.all(np.abs(sums.mean(1) - signal) < 5.0 * sums.std(1) / np.sqrt(count))


def _events(kernel, count, frequency, decay, rng):
    """Return sum eps exp(-decay z) exp(-2 pi i f x) of events, (F, count), by analog transport."""
    groups = kernel.halo.groups
    total = np.zeros((frequency.size, count), dtype=complex)
    mu = kernel.attenuation_per_um[0]
    owner, x = np.arange(count), np.zeros(count)
    z = rng.exponential(1.0 / mu, count)
    kind = np.full(count, -1)
    while owner.size:
        inside = (z > 0.0) & (z < kernel.thickness_um)
        owner, x, z, kind = owner[inside], x[inside], z[inside], kind[inside]
        made = [(owner[:0], x[:0], z[:0], kind[:0])]
        for group in np.unique(kind):
            here = np.flatnonzero(kind == group)
            _collide(kernel, group, (owner[here], x[here], z[here]), frequency, decay, rng, total,
                     made)  # fmt: skip
        owner, x, z, kind = (np.concatenate(parts) for parts in zip(*made, strict=True))
        length = rng.exponential(1.0, owner.size) / groups.free_per_um[kind]
        cosine = rng.uniform(-1.0, 1.0, owner.size)
        azimuth = 2.0 * np.pi * rng.random(owner.size)
        x = x + length * np.sqrt(1.0 - cosine**2) * np.cos(azimuth)
        z = z + length * cosine
    return total


def _collide(kernel, group, photons, frequency, decay, rng, total, made):
    """Draw the outcome of collisions of one kind of photon; add deposits, append new photons."""
    owner, x, z = photons
    groups = kernel.halo.groups
    table = kernel.table if group < 0 else groups.table
    row = max(group, 0)
    path = table.attenuation_per_um[row] if group < 0 else groups.free_per_um[row]
    chances = [b.rate_per_um[row] / path for b in table.branches]
    compton = table.compton_per_um[row] / path
    recoil = table.recoil_kev[row]
    if group >= 0:  # the line photons' Compton collisions count as absorption in proportion
        compton, recoil = groups.absorbed_recoil[row], groups.energy_kev[row]
    edges = np.cumsum([*chances, compton])
    which = np.searchsorted(edges, rng.random(owner.size))
    for index, branch in enumerate(table.branches):
        here = which == index
        left = own_energy_kev(table, branch, kernel.lines)[row]
        _leave(total, owner[here], x[here], z[here], left, frequency, decay)
        for line in branch.lines:
            new = np.full(np.count_nonzero(here), groups.of_line(line))
            made.append((owner[here], x[here], z[here], new))
    here = which == len(chances)
    _leave(total, owner[here], x[here], z[here], recoil, frequency, decay)


def _leave(total, owner, x, z, energy, frequency, decay):
    for i, (f, a) in enumerate(zip(frequency, decay, strict=True)):
        np.add.at(total[i], owner, energy * np.exp(-a * z - 2j * np.pi * f * x))


def test_two_peak_events_have_the_swank_factor_of_their_peaks():
    """With escape the second moment is that of the peaks E and E - E_line, line by line."""
    energy = np.array([20.0])
    data = interaction_data(YAG, k_yields={39: 0.9})
    kernel = deposition(YAG, 50.0, energy, plain("escape"), data=data)
    lines = tracked_lines(data, "escape")
    table = collisions(data, energy, lines)
    mean = square = 0.0
    for branch in table.branches:
        left = 20.0 - sum(lines[i].energy_kev for i in branch.lines)
        mean += branch.rate_per_um[0] * left
        square += branch.rate_per_um[0] * left**2
    mean += table.compton_per_um[0] * table.recoil_kev[0]
    square += table.compton_per_um[0] * table.recoil_kev[0] ** 2
    z, w = np.array([10.0]), np.array([1.0])
    power = kernel.event_power(np.ones((1, 1)), z, w, np.ones((1, 1)), np.zeros(1))[0, 0, 0]
    ratio = kernel.mean_kev_per_um(z)[0, 0] ** 2 / power / kernel.first_collisions(z)[0, 0]
    expected = mean**2 / square / table.attenuation_per_um[0]
    assert ratio == pytest.approx(expected, rel=1e-12)  # float rounding


def test_event_power_of_two_photon_cascades_exceeds_the_squared_mean():
    """Gadolinium K then L photons: power is never below |mean|^2 per event (Jensen)."""
    energy = np.array([55.0])
    kernel = deposition(GGG, 150.0, energy, PHOTONS_ONLY)
    z, w = interval_nodes(0.0, 150.0, 30)
    f = np.array([0.0, 0.002, 0.02, 0.2])
    power = np.tensordot(w, kernel.event_power(np.ones((1, 1)), z, w, np.ones((30, 4)), f)[0], 1)
    mean = np.tensordot(w, kernel.mean_transfer(np.ones((1, 1)), z, f)[0], 1)
    chance = 1.0 - kernel.balance().transmitted[0]
    assert np.all(power >= mean**2 / chance * (1.0 - 1e-9))
    assert np.all(np.diff(power) < 0.0)


def test_replaced_attenuation_is_met_and_the_photoelectric_part_takes_it_up():
    """A table 5 % above xraylib's total is reproduced; scattering stays, branches fill the gap."""
    grid = np.array([5.0, 17.0, 17.1, 60.0])
    own = interaction_data(YAG).total_per_um(grid) * 1e4 / YAG.density_g_cm3
    data = interaction_data(YAG, total_kev=grid, total_cm2_g=1.05 * own)
    before = collisions(interaction_data(YAG), ENERGY, ())
    after = collisions(data, ENERGY, ())
    np.testing.assert_allclose(after.attenuation_per_um, 1.05 * before.attenuation_per_um)
    np.testing.assert_array_equal(after.rayleigh_per_um, before.rayleigh_per_um)
    rates = sum(branch.rate_per_um for branch in after.branches)
    total = rates + after.rayleigh_per_um + after.compton_per_um
    np.testing.assert_allclose(total, after.attenuation_per_um, rtol=1e-12)  # rounding


@pytest.mark.parametrize("mode", ["local", "escape", "transport"])
@pytest.mark.parametrize("name", ["YAG:Ce", "LuAG:Ce", "GAGG:Ce", "CsI:Tl"])
def test_each_branch_shares_out_exactly_the_photons_energy(name, mode):
    """Photoelectron, Auger electrons and lines of a branch add up to E."""
    data = interaction_data(scintillator(name))
    lines = tracked_lines(data, mode)
    energy = np.array([6.0, 12.0, 18.0, 40.0, 70.0])
    table = collisions(data, energy, lines)
    for branch in table.branches:
        parts = sum(total for total, _ in branch.auger)
        parts = parts + table.shells[branch.shell].photoelectron_kev
        parts = parts + sum(lines[i].energy_kev for i in branch.lines)
        used = branch.rate_per_um != 0.0
        np.testing.assert_allclose(parts[used], energy[used], rtol=1e-12)  # float rounding


def test_distance_shares_fall_from_all_to_nothing():
    """The share beyond r falls with r, and between 5 um and 1 mm the halo is found."""
    kernel = deposition(YAG, 200.0, ENERGY, LINES_ONLY)
    share = kernel.distant_share(np.array([0.0, 1.0, 0.0]), np.array([1.0, 5.0, 30.0, 100.0, 1e3]))
    assert np.all(np.diff(share) < 0.0)
    halo = kernel.fluorescence_share(np.array([0.0, 1.0, 0.0]))
    assert share[0] < halo and share[0] > 0.95 * halo - 0.02
    assert share[-1] < 1e-3


def test_what_does_not_fit_is_refused():
    """Weights and transfers of a wrong shape, a table without energies, no thickness."""
    kernel = deposition(YAG, 10.0, ENERGY, plain("escape"))
    with pytest.raises(InputError, match=r"weights has shape"):
        kernel.mean_transfer(np.ones((2, 4)), np.ones(2), np.zeros(1))
    with pytest.raises(InputError, match=r"transfer has shape"):
        kernel.event_power(np.ones((1, 3)), np.ones(2), np.ones(2), np.ones((3, 1)), np.zeros(1))
    with pytest.raises(InputError, match=r"total_kev and total_cm2_g"):
        interaction_data(YAG, total_kev=ENERGY)
    with pytest.raises(RangeError, match="thickness_um"):
        deposition(YAG, 0.0, ENERGY, plain("local"))
