"""DepthResponse against brute-force sums, closed forms and its limits."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import simpson

from benches import LOCAL, MONO, instrument, yag_plate
from contracts import assert_is_depth_profile, assert_is_transfer_function
from scintscope.accuracy import Accuracy
from scintscope.camera.parts import Camera
from scintscope.errors import InputError, PhysicsWarning, SamplingError
from scintscope.geometry import Geometry
from scintscope.materials import ABSORBERS, attenuation, clear_material, scintillator
from scintscope.optics.lens import GlassPlate, Lens
from scintscope.optics.otf import diffraction_limited_mtf
from scintscope.optics.wavefront import OpticalPath
from scintscope.plate_transfer import optical_path, plate_otf
from scintscope.quadrature import interval_nodes, unit_nodes
from scintscope.response import (
    at_frequencies,
    check_sampling,
    depth_response,
    mean_transfer,
    plate_spectrum,
    presampled_mtf,
    with_depth_nodes,
)
from scintscope.scintillator.plate import Plate, Substrate
from scintscope.source import TubeSource
from tables import read_table

YAG = scintillator("YAG:Ce")
MU_PER_UM = attenuation.total_per_um(YAG, np.array([20.0]))[0]


@pytest.fixture(scope="module")
def bench():
    return instrument()


@pytest.fixture(scope="module")
def thin(bench):
    return depth_response(bench, bench.thin)


@pytest.fixture(scope="module")
def thick(bench):
    return depth_response(bench, bench.thick)


def test_transfer_functions_at_every_depth(thin, thick):
    """T(0, z) = 1 and |T| <= 1 at every node, up to the cut-off, where T = 0."""
    for response in (thin, thick):
        assert_is_transfer_function(response.otf)
        assert response.otf.shape == (
            response.depth_um.size,
            response.frequency_cy_per_um.size,
        )
        assert response.frequency_cy_per_um[-1] == pytest.approx(response.path.cutoff_cy_per_um)
        # the overlap of the pupils vanishes there
        np.testing.assert_allclose(response.otf[:, -1], 0.0, atol=1e-12)


def test_light_over_depth_is_beer_lambert(thin, thick):
    """At one energy k(z) = mu exp(-mu z) / (1 - exp(-mu t)), of unit integral."""
    for response in (thin, thick):
        t = response.thickness_um
        z = np.array([0.0, 0.3 * t, t])
        expected = MU_PER_UM * np.exp(-MU_PER_UM * z) / -np.expm1(-MU_PER_UM * t)
        # Gauss-Legendre of an exponential with 12 nodes and more: rounding
        np.testing.assert_allclose(response.k_per_um(z), expected, rtol=1e-11)
        assert_is_depth_profile(response.k_per_um(response.depth_um), response.depth_weight_um)


def test_mean_transfer_is_the_depth_integral(thin):
    """sum_z k T equals a Simpson sum over 801 depths with k written out."""
    z = np.linspace(0.0, 20.0, 801)
    f = thin.frequency_cy_per_um[::24]
    k = MU_PER_UM * np.exp(-MU_PER_UM * z) / -np.expm1(-MU_PER_UM * 20.0)
    transfer = plate_otf(f, z, thin.plate, thin.path, thin.travel_um)
    direct = simpson(k[:, None] * transfer, x=z, axis=0)
    # Simpson: (0.025 um)^4; nodes doubled until the change is below 1e-5
    np.testing.assert_allclose(mean_transfer(thin)[::24], direct, rtol=0, atol=1e-6)


def test_doubling_the_depth_nodes_changes_nothing(thin, thick):
    """Once "auto" has chosen, twice the nodes move the summed transfer by less than 1e-5."""
    for response in (thin, thick):
        f = response.frequency_cy_per_um[::20]
        first, second = (
            mean_transfer(with_depth_nodes(response, k * response.depth_um.size, f)) for k in (1, 2)
        )
        assert np.abs(first - second).max() < 1e-5


@pytest.mark.parametrize(
    ("na", "thickness_um", "cycles"),
    # 2 D (n - sqrt(n^2 - NA^2)) / lambda with n = 1.836, lambda = 0.55 um, rounded up
    [(0.4, 100.0, 17), (0.9, 200.0, 172)],
)
def test_depth_nodes_follow_the_defocus(na, thickness_um, cycles):
    """The film gets about one node per oscillation of the defocus; twice as many change nothing."""
    thick = yag_plate(thickness_um, focus_um=0.5 * thickness_um)
    bench = instrument(thick=thick, lens=Lens(na=na, magnification=20.0, corrected_for_um=10.0))
    response = depth_response(bench, thick)
    layer = 8.0  # um at each face, where electrons leave: at least 12 nodes or a quarter
    z = response.depth_um
    inside = (z > layer) & (z < thickness_um - layer)
    assert cycles < inside.sum() <= cycles + 8
    f = response.frequency_cy_per_um[::40]
    half, chosen, double = (
        mean_transfer(with_depth_nodes(response, n, f))
        for n in (inside.sum() // 2, inside.sum(), 2 * inside.sum())
    )
    tolerance = bench.accuracy.depth_tolerance
    assert np.abs(chosen - double).max() < tolerance
    assert np.abs(chosen - half).max() > 10.0 * tolerance


def test_depth_panels_end_at_layer_interfaces():
    """No panel of the quadrature straddles the face between a film and a glowing substrate."""
    glowing = replace(clear_material("GGG"), photons_per_kev=5.0)
    plate = yag_plate(30.0, focus_um=15.0, substrate=Substrate(medium=glowing, thickness_um=60.0))
    response = depth_response(instrument(thin=plate), plate)
    z, weight = response.depth_um, response.depth_weight_um
    for here, length in ((z < 30.0, 30.0), (z > 30.0, 60.0)):
        # each layer's weights alone integrate 1 and z exactly
        assert weight[here].sum() == pytest.approx(length, rel=1e-12)
        middle = 15.0 if length == 30.0 else 60.0
        assert weight[here] @ z[here] == pytest.approx(length * middle, rel=1e-12)


def test_depth_quadrature_converges_exponentially(thin):
    """Each pair of nodes more takes the error down by a large factor, to rounding."""
    f = thin.frequency_cy_per_um[::12]
    exact = mean_transfer(with_depth_nodes(thin, 40, f))
    counts = np.array([2, 4, 6, 8])  # nodes between the face layers, which have six each
    errors = np.array(
        [np.abs(mean_transfer(with_depth_nodes(thin, int(n), f)) - exact).max() for n in counts]
    )
    # log error falls at least linearly with the count (not with its logarithm)
    assert (np.diff(np.log10(errors)) < -0.7).all(), errors
    assert errors[-1] < 1e-11


@pytest.mark.parametrize(
    "row", [row for row in read_table("optics/uniform_slab.csv") if row["thickness_um"] <= 100.0]
)
def test_uniform_slab_by_another_code(row):
    """Mean OTF of a uniformly shining slab, n = 1.82, focus at its centre, lens corrected there."""
    t = row["thickness_um"]
    plate = yag_plate(t, scintillator=replace(YAG, refractive_index=1.82), back_face="black")
    path = OpticalPath(na=row["na"], index=1.82, wavelength_um=0.55, corrected_for_um=0.5 * t)
    z, weight = interval_nodes(0.0, t, 160)
    f = np.array([row["frequency_lp_per_mm"] / 1000.0])
    found = float(weight @ plate_otf(f, z, plate, path, 0.0)[:, 0]) / t
    # six printed digits after the point; the other code's 1600-point depth sum
    assert found == pytest.approx(row["mean_otf"], abs=3e-6)


def test_thin_limit_is_the_focused_lens_times_the_pixel():
    """A plate of 50 nm has the Airy transfer function times the pixel's sinc."""
    bench = instrument(
        thin=yag_plate(0.05, focus_um=0.025), lens=Lens(corrected_for_um=0.025, na=0.3)
    )
    response = depth_response(bench, bench.thin)
    f = np.linspace(0.0, 1.0, 30)
    v = f / response.path.cutoff_cy_per_um
    expected = np.asarray(diffraction_limited_mtf(v)) * np.abs(np.sinc(f * 1.3))
    # defocus 0.075 um at most: phase 2 pi 0.075 0.09 / (2 n lambda) = 0.02, squared
    np.testing.assert_allclose(presampled_mtf(response, f), expected, rtol=0, atol=3e-4)


def test_back_faces(bench):
    """Black: direct light alone. Bare and mirror: (T(z) + R T(-z)) / (1 + R), gain 1 + R."""
    kept = {}
    for face in ("black", "bare", "reflective"):
        plate = yag_plate(20.0, focus_um=10.0, back_face=face)
        kept[face] = depth_response(replace(bench, thin=plate), plate)
    black = kept["black"]
    mirrored = plate_otf(
        black.frequency_cy_per_um, -black.depth_um, black.plate, black.path, black.travel_um
    )
    n = YAG.refractive_index
    for face, r in (("bare", ((n - 1.0) / (n + 1.0)) ** 2), ("reflective", 1.0)):
        found = kept[face].otf_at(black.depth_um)
        # the cone's mean reflectance is 0.3 % above r of normal incidence; mirrored light below
        # 1e-5 of all is left out
        np.testing.assert_allclose(found, (black.otf + r * mirrored) / (1.0 + r), rtol=0, atol=3e-4)
        assert kept[face].electrons_per_kev == pytest.approx(
            (1.0 + r) * black.electrons_per_kev, rel=5e-4
        )


def test_single_curve_at_any_depth(thin):
    """otf_at returns the tabulated curves at the nodes."""
    found = thin.otf_at(thin.depth_um[:3])
    # node counts along the pupil may differ, since the depth range does
    np.testing.assert_allclose(found, thin.otf[:3], rtol=0, atol=1e-7)


def test_interpolated_curves_equal_computed_ones(thin, thick):
    """Between tabulated frequencies the spline is right to 1e-5, next to the cusp at 0 too."""
    for response in (thin, thick):
        table = response.frequency_cy_per_um
        f = 0.5 * (table[1:] + table[:-1])[::7]
        z = response.depth_um[[0, response.depth_um.size // 2, -1]]
        direct = plate_otf(f, z, response.plate, response.path, response.travel_um)
        found = at_frequencies(f, table, response.otf_at(z))
        # eight samples a period of the fastest oscillation, cubic spline
        np.testing.assert_allclose(found, direct, rtol=0, atol=1e-5)
        beyond = at_frequencies(np.array([table[-1], 2.0 * table[-1]]), table, response.otf)
        np.testing.assert_array_equal(beyond, 0.0)


def test_focus_by_number(bench):
    """A focus depth given is the one in focus, measured from the entrance face."""
    plate = yag_plate(20.0, focus_um=4.0, back_face="black")
    response = depth_response(replace(bench, thin=plate), plate)
    assert response.focus_um == pytest.approx(4.0, abs=1e-9)
    f = np.array([0.4])
    z = np.linspace(0.0, 20.0, 81)
    contrast = plate_otf(f, z, plate, response.path, response.travel_um)[:, 0]
    # residual aberration of 6 um of refocusing shifts the contrast's maximum by little
    assert abs(z[np.argmax(contrast)] - 4.0) <= 0.5


def test_best_focus_is_better_than_its_neighbours(bench, thick):
    """The area under the presampled MTF to Nyquist falls on both sides of the best focus."""
    f = np.linspace(0.0, bench.camera_nyquist_cy_per_um, 80)

    def area(response):
        return presampled_mtf(response, f).mean()

    top = area(thick)
    assert 0.0 <= thick.focus_um <= 200.0
    for shift in (-4.0, 4.0):
        plate = replace(bench.thick, focus_um=thick.focus_um + shift)
        cheap = replace(bench, accuracy=Accuracy(depth_nodes=thick.depth_um.size, effects=LOCAL))
        assert area(depth_response(cheap, plate)) < top


@pytest.mark.parametrize("focus_um", [-3.0, 25.0])
def test_focus_outside_the_plate_warns(bench, focus_um):
    """A focus in front of or behind the plate is computed, with a warning."""
    plate = yag_plate(20.0, focus_um=focus_um)
    with pytest.warns(PhysicsWarning, match=rf"focus_um = {focus_um:g} lies outside the plate"):
        response = depth_response(replace(bench, thin=plate), plate)
    assert response.focus_um == pytest.approx(focus_um, abs=1e-9)


def test_focus_at_a_face_does_not_warn(bench):
    """The faces belong to the plate."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for focus_um in (0.0, 20.0):
            plate = yag_plate(20.0, focus_um=focus_um)
            depth_response(replace(bench, thin=plate), plate)


def test_light_budget(thin):
    """Electrons per um2 and s = photons x energy left x yield x cone x lens x camera."""
    z, weight = thin.depth_um, thin.depth_weight_um
    total = float(weight @ thin.light_per_um(z).sum(axis=0))
    left_kev = 20.0 * thin.deposition.balance().deposited[0]
    # the nodes' quadrature of the energy left against the deposition's own balance
    assert total == pytest.approx(10.0 * left_kev * thin.electrons_per_kev, rel=1e-5)
    n = YAG.refractive_index
    # 35 photons/keV, cone 1.1 % by Fresnel at normal incidence (0.2 % at NA 0.4), face, lens, QE
    cone = 0.5 * (1.0 - np.sqrt(1.0 - (0.4 / n) ** 2)) * 4.0 * n / (n + 1.0) ** 2
    mirror = 1.0 + ((n - 1.0) / (n + 1.0)) ** 2
    assert thin.electrons_per_kev == pytest.approx(35.0 * cone * mirror * 0.8 * 0.72, rel=2e-3)


def test_glass_as_designed_leaves_no_wavefront(bench):
    """Only glass the lens was not corrected for enters the path, with its index."""
    plates = (
        GlassPlate(material="ZF7", thickness_mm=2.0),
        GlassPlate(material="glass", thickness_mm=1.0, corrected_for_mm=1.17),
    )
    path = optical_path(replace(bench, lens=Lens(plates=plates)), bench.thin)
    assert path.excess_um == pytest.approx((-170.0,))
    assert path.excess_index == pytest.approx((1.5185,), abs=1e-3)


def test_a_thicker_plate_with_its_exit_face_fixed_gets_more_beam():
    """The entrance face moves towards the tube and the flux rises with the inverse square."""
    tube = TubeSource(air_path=False)
    bench = instrument(source=tube, geometry=Geometry(plate_reference="exit"))
    thin, thick = (plate_spectrum(bench, plate) for plate in (bench.thin, bench.thick))
    ratio = thick.total_photons_per_um2_s / thin.total_photons_per_um2_s
    # the same spectrum scaled
    assert ratio == pytest.approx((100.0 / 99.82) ** 2, rel=1e-9)
    low = thin.energy_kev - 0.5 * thin.width_kev
    high = thin.energy_kev + 0.5 * thin.width_kev
    assert not ((low < 17.038) & (high > 17.039)).any()


def test_both_plates_have_the_energies_of_all_that_is_in_the_beam():
    """Film, other plate, substrate and what the instrument names: each edge ends a bin of both."""
    thin = Plate(
        scintillator=scintillator("GGG:Tb"),
        thickness_um=20.0,
        exposure_s=1.0,
        substrate=Substrate(medium=clear_material("LSO"), thickness_um=100.0),
    )
    gold = attenuation.edges_of([ABSORBERS["Au"]])
    bench = instrument(
        source=TubeSource(), thin=thin, geometry=Geometry(plate_reference="exit"), edges_kev=gold
    )
    first, second = (plate_spectrum(bench, plate) for plate in (bench.thin, bench.thick))
    np.testing.assert_array_equal(first.energy_kev, second.energy_kev)
    low, high = (first.energy_kev + half * first.width_kev for half in (-0.5, 0.5))
    for name, edge_kev in {"Gd L3": 7.243, "Lu L3": 9.244, "Au L3": 11.919, "Y K": 17.038}.items():
        # printed to an eV (Bearden and Burr 1967)
        assert not ((low < edge_kev - 2e-3) & (high > edge_kev + 2e-3)).any(), name


def test_sampling_of_the_paper_needs_two_samples_a_pixel(bench, thin, thick):
    """NA 0.4 and 1.3 um pixels: one sample a pixel aliases, two do, and "auto" finds that."""
    assert check_sampling(bench, (thin, thick)) == 2
    coarse = replace(bench, accuracy=Accuracy(oversampling=1, effects=LOCAL))
    with pytest.raises(
        SamplingError, match=r"accuracy\.oversampling = 1 leaves.*oversampling = 2 or more"
    ):
        check_sampling(coarse, (thin, thick))
    assert (
        check_sampling(
            replace(bench, accuracy=Accuracy(oversampling=3, effects=LOCAL)), (thin, thick)
        )
        == 3
    )
    lax = replace(bench, accuracy=Accuracy(oversampling=1, alias_tolerance=0.9, effects=LOCAL))
    assert check_sampling(lax, (thin, thick)) == 1


def test_sampling_no_grid_can_serve_is_refused():
    """Huge pixels and no tolerance: the remedy is another camera."""
    bench = instrument(
        camera=Camera(pixel_um_sensor=60.0), accuracy=Accuracy(alias_tolerance=1e-6, effects=LOCAL)
    )
    plate = replace(bench.thin, focus_um=10.0)
    response = depth_response(bench, plate)
    with pytest.raises(SamplingError, match="camera with a smaller pixel"):
        check_sampling(bench, (response,))


def test_depth_tolerance_that_cannot_be_met_is_refused(bench, monkeypatch):
    """If doubling does not converge within the limit the error names the tolerance."""
    monkeypatch.setattr("scintscope.response.defocus_nodes", lambda *_: 2)
    monkeypatch.setattr("scintscope.response._MAX_DEPTH_NODES", 3)
    plate = replace(bench.thin, focus_um=0.0)
    strict = replace(bench, accuracy=Accuracy(depth_tolerance=1e-12, effects=LOCAL))
    with pytest.raises(SamplingError, match=r"do not reach accuracy\.depth_tolerance = 1e-12"):
        depth_response(strict, plate)


def test_parallel_tube_is_refused(bench):
    """A tube has no flux at an infinite distance."""
    parallel = Geometry(source_to_scintillator_mm=float("inf"))
    with pytest.raises(InputError, match="source_to_scintillator_mm = inf"):
        plate_spectrum(replace(bench, source=TubeSource(), geometry=parallel), bench.thin)
    assert plate_spectrum(replace(bench, geometry=parallel), bench.thin).energy_kev[0] == (
        MONO.energy_kev
    )


@pytest.mark.parametrize("count", [1, 2, 7])
def test_gauss_legendre_is_exact_for_polynomials(count):
    """N nodes integrate degree 2 n - 1 exactly on any interval; weights sum to its length."""
    x, weight = interval_nodes(-3.0, 5.0, count)
    degree = 2 * count - 1
    exact = (5.0 ** (degree + 1) - (-3.0) ** (degree + 1)) / (degree + 1)
    assert weight @ x**degree == pytest.approx(exact, rel=1e-12)
    assert weight.sum() == pytest.approx(8.0, rel=1e-14)
    assert unit_nodes(count)[1].sum() == pytest.approx(1.0, rel=1e-14)


def test_band_and_polarisation_cost_contrast(bench):
    """Averaging over the band, and vectorial light, lower the transfer a little and keep T(0)."""
    colours = replace(bench.accuracy, effects=replace(LOCAL, emission_band=True))
    variants = {
        "plain": bench,
        "band": replace(bench, accuracy=colours),
        "colour": replace(
            bench, accuracy=colours, lens=replace(bench.lens, axial_colour_um_per_nm=0.05)
        ),
        "vectorial": replace(bench, lens=replace(bench.lens, light_model="vectorial")),
    }
    f = np.array([0.05, 0.1, 0.2])
    found = {}
    for name, each in variants.items():
        response = depth_response(each, each.thin)
        # weights that sum to 1, times one, to rounding
        np.testing.assert_allclose(response.otf[:, 0], 1.0, atol=1e-12)
        table = response.frequency_cy_per_um
        found[name] = at_frequencies(f, table, mean_transfer(response))
    for name in ("band", "vectorial"):
        # the band is 30 nm rms wide: of the order of its square over the wavelength's
        assert (found[name] < found["plain"]).all()
        np.testing.assert_allclose(found[name], found["plain"], rtol=0.02)
    assert (found["colour"] < found["band"] - 0.005).all()


def test_substrates_make_light_of_their_own(bench):
    """A glowing substrate adds light and blur; behind it the film is shaded by it."""
    film = scintillator("GGG:Tb")
    alone = yag_plate(10.0, scintillator=film)
    found = {}
    for name, plate in {
        "alone": alone,
        "exit": replace(alone, substrate=Substrate(medium=YAG, thickness_um=40.0)),
        "entrance": replace(
            alone, substrate=Substrate(medium=YAG, thickness_um=40.0, side="entrance")
        ),
    }.items():
        found[name] = depth_response(replace(bench, thin=plate), plate)
    light = {
        name: float(r.depth_weight_um @ r.light_per_um(r.depth_um).sum(axis=0))
        for name, r in found.items()
    }
    gain = {name: r.electrons_per_kev for name, r in found.items()}
    assert light["exit"] > light["alone"] * gain["exit"] / gain["alone"]
    inside = (found["entrance"].depth_um > 0.0) & (found["entrance"].depth_um < 10.0)
    shaded = found["entrance"].light_per_um(found["entrance"].depth_um[inside])
    mu = attenuation.total_per_um(YAG, np.array([20.0]))[0]
    clear = found["alone"].light_per_um(found["entrance"].depth_um[inside])
    # Beer-Lambert through 40 um of YAG, and the film's own electrons per keV
    np.testing.assert_allclose(
        shaded / gain["entrance"], clear / gain["alone"] * np.exp(-40.0 * mu), rtol=1e-9
    )
    assert (mean_transfer(found["exit"])[20:60] < mean_transfer(found["alone"])[20:60]).all()


def test_haze_takes_its_share(bench):
    """A halo of trapped light leaves 1 - h of the contrast at frequencies beyond 1 / L."""
    plate = yag_plate(20.0, focus_um=10.0, haze_fraction=0.1, haze_length_um=100.0)
    clear = yag_plate(20.0, focus_um=10.0)
    hazy, sharp = (depth_response(replace(bench, thin=p), p) for p in (plate, clear))
    high = hazy.frequency_cy_per_um > 0.1
    # the halo's transform is below (2 pi f L)^-3 = 4e-6 there
    np.testing.assert_allclose(hazy.otf[:, high], 0.9 * sharp.otf[:, high], atol=1e-5)
    assert hazy.otf[0, 0] == pytest.approx(1.0, rel=1e-12)
