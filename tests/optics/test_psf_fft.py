"""The pupil-FFT engine and transfer functions of any pupil."""

import numpy as np
import pytest

from scintscope.errors import DataError, InputError, SamplingError
from scintscope.optics.aberrations import Aberrations
from scintscope.optics.otf import diffraction_limited_mtf, otf
from scintscope.optics.psf_fft import psf_fft
from scintscope.optics.psf_kernels import psf_stack
from scintscope.optics.pupil import SCALAR, VECTORIAL, Pupil
from scintscope.optics.pupil_otf import otf_2d
from scintscope.optics.seidel import Seidel
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from tables import read_table

CASES = [
    SCALAR,
    VECTORIAL,
    Pupil(aberrations=Aberrations(obstruction=0.4, zernike_noll=(0.0,) * 10 + (0.1,),
                                  apodisation="gaussian")),
    Pupil(model="vectorial", aberrations=Aberrations(seidel=Seidel(spherical=0.7, defocus=-0.4))),
    Pupil(aberrations=Aberrations(apodisation="aplanatic")),
]  # fmt: skip


def path_of(na, **changes):
    return OpticalPath(**({"na": na, "index": 1.82, "wavelength_um": 0.55} | changes))


@pytest.mark.parametrize("pupil", CASES)
@pytest.mark.parametrize(
    ("na", "pixel", "depth"),
    [(0.4, 0.325, 12.0), (0.4, 0.5, 60.0), (0.9, 0.14, 42.0), (0.9, 0.14, 33.0)],
)
def test_radial_and_fft_engines_agree(na, pixel, depth, pupil):
    """Kernels of both engines, pixel mean included, agree far below 1e-4 of the peak."""
    path = path_of(na)
    travel = float(travel_for_focus_um(40.0, path))
    shape = (48, 33)
    radial = psf_stack([depth], travel, path, pixel_um=pixel, shape=shape, pupil=pupil)
    full = psf_fft(depth, travel, path, pixel_um=pixel, shape=shape, pupil=pupil)
    # gridding 1e-8, spline 1e-8, cut of the window at the pixel mean some 1e-7
    np.testing.assert_allclose(
        full.kernel, radial.kernels[0], rtol=0, atol=2e-6 * radial.kernels.max()
    )
    assert full.energy_outside == pytest.approx(radial.energy_outside[0], abs=1e-5)


def test_tilt_moves_the_image_against_the_gradient():
    """W = g . p moves the image to -g: 0.3 waves rms of Noll 2 and -0.2 of Noll 3."""
    path = path_of(0.4)
    tilted = Pupil(aberrations=Aberrations(zernike_noll=(0.0, 0.3, -0.2)))
    kernel = psf_fft(0.0, 0.0, path, pixel_um=0.15, shape=(160, 141), pupil=tilted).kernel
    straight = psf_fft(0.0, 0.0, path, pixel_um=0.15, shape=(160, 141)).kernel
    shift = 2.0 * 0.55 / 0.4 * np.array([0.2, -0.3])
    y, x = np.meshgrid(np.arange(160) - 80, np.arange(141) - 70, indexing="ij")
    core = np.hypot(0.15 * y - shift[0], 0.15 * x - shift[1]) < 0.6
    place = [float((0.15 * a * kernel)[core].sum() / kernel[core].sum()) for a in (y, x)]
    # the core's edge cuts whole pixels of 0.15 um
    np.testing.assert_allclose(place, shift, atol=0.02)
    # columns: -0.3 x 2.75 = -0.825 = 5.5 pixels; rows +0.55 um: the peaks are the same to 1 %
    assert kernel.max() == pytest.approx(straight.max(), rel=0.06)


def test_strehl_of_small_aberrations_follows_marechal():
    """h(0) over its perfect value is exp(-(2 pi s)^2) for every Zernike term of s waves rms."""
    path, s = path_of(0.4), 0.03
    options = {"pixel_um": 0.3, "shape": (5, 5), "aperture_um": 0.0}
    perfect = psf_fft(0.0, 0.0, path, **options).kernel[2, 2]
    for noll in (4, 5, 7, 8, 9, 11, 12, 22):
        waves = (0.0,) * (noll - 1) + (s,)
        lens = Pupil(aberrations=Aberrations(zernike_noll=waves))
        strehl = psf_fft(0.0, 0.0, path, pupil=lens, **options).kernel[2, 2] / perfect
        # |mean exp(i f)|^2 = 1 - s2 + (m4 / 12 - ...) with s2 = 0.0355: next order s2^2 = 1.3e-3
        # times half the kurtosis less 3, below 1
        assert strehl == pytest.approx(np.exp(-((2.0 * np.pi * s) ** 2)), abs=1.3e-3)
    # and strictly second order: half the rms, a sixteenth of the deviation
    deviations = []
    for rms in (0.04, 0.02):
        lens = Pupil(aberrations=Aberrations(zernike_noll=(0.0,) * 10 + (rms,)))
        strehl = psf_fft(0.0, 0.0, path, pupil=lens, **options).kernel[2, 2] / perfect
        deviations.append(abs(strehl - np.exp(-((2.0 * np.pi * rms) ** 2))))
    assert deviations[0] / deviations[1] == pytest.approx(16.0, rel=0.1)


def test_size_is_refused_below_what_the_window_needs():
    """The least grid serves, one sample less is refused."""
    path = path_of(0.4)
    options = {"pixel_um": 0.3, "shape": (32, 20)}
    needed = 2 * (32 + 64)
    at_limit = psf_fft(3.0, 0.0, path, size=needed, **options)
    default = psf_fft(3.0, 0.0, path, **options)
    # gridding errors only
    np.testing.assert_allclose(at_limit.kernel, default.kernel, atol=1e-6 * default.kernel.max())
    with pytest.raises(SamplingError, match=rf"size = {needed - 1} undersamples.*{needed}"):
        psf_fft(3.0, 0.0, path, size=needed - 1, **options)


def test_grids_beyond_4096_are_refused():
    """The largest window that fits is admitted, one pixel more is not."""
    from scintscope.optics.pupil_grid import check_size

    assert check_size(None, 4096) == 4096
    with pytest.raises(SamplingError, match="4098 x 4098, more than 4096"):
        psf_fft(0.0, 0.0, path_of(0.4), pixel_um=0.3, shape=(1985, 3))
    with pytest.raises(SamplingError, match="exceeds 4096"):
        check_size(4097, 100)
    with pytest.raises(SamplingError, match="nodes, more than"):
        psf_fft(3000.0, 0.0, path_of(0.9), pixel_um=0.14, shape=(9, 9))
    with pytest.raises(SamplingError, match="undersamples"):
        psf_fft(0.0, 0.0, path_of(0.4), pixel_um=0.35, shape=(9, 9), aperture_um=0.0)


def test_gridding_error_falls_with_more_nodes():
    """Doubling nodes and grid changes nothing beyond the gridding kernel's 1e-8."""
    path = path_of(0.9)
    lens = Aberrations(zernike_noll=(0.0,) * 6 + (0.2, 0.1, 0.0, 0.1), decentre=(0.03, -0.05))
    options = {"pixel_um": 0.14, "shape": (40, 40), "pupil": Pupil(aberrations=lens)}
    coarse = psf_fft(3.0, 0.0, path, **options)
    fine = psf_fft(3.0, 0.0, path, size=2 * coarse.size, **options)
    # kernel of 9 cells
    np.testing.assert_allclose(coarse.kernel, fine.kernel, rtol=0, atol=1e-6 * fine.kernel.max())


@pytest.mark.parametrize("na", [0.4, 0.9])
def test_transfer_function_by_overlap_meets_the_tables(na):
    """otf_2d along any direction and otf equal the independent autocorrelation to 1e-5."""
    rows = [r for r in read_table("optics/otf_pupil.csv")
            if r["na"] == na and r["model"] == "exact_crystal"][::3]  # fmt: skip
    assert len(rows) >= 8
    for row in rows:
        f = row["frequency_lp_per_mm"] / 1000.0
        found = otf_2d(0.6 * f, -0.8 * f, row["defocus_um"], 0.0, path_of(na))[0]
        # seven printed digits; frequencies of 4 decimals
        assert found == pytest.approx(row["otf"], abs=2e-6)


@pytest.mark.parametrize("pupil", [VECTORIAL, CASES[-1]], ids=["vectorial", "aplanatic"])
def test_both_transfer_functions_agree_for_apodised_pupils(pupil):
    """The quarter overlap in JAX and the whole one in numpy are one function; H(0) = 1."""
    path, f = path_of(0.9), np.array([0.0, 0.3, 1.1, 2.5, 3.2])
    depth = np.array([0.0, 3.0])
    quarter = np.asarray(otf(f, depth, 0.4, path, pupil=pupil))
    np.testing.assert_allclose(quarter[:, 0], 1.0, rtol=0, atol=1e-12)
    for s, values in zip(depth, quarter, strict=True):
        whole = otf_2d(f * 0.28, f * 0.96, s, 0.4, path, pupil=pupil)
        # converged quadratures
        np.testing.assert_allclose(whole, values, rtol=0, atol=1e-9)


@pytest.mark.parametrize("pupil", [SCALAR, VECTORIAL], ids=["scalar", "vectorial"])
def test_transfer_at_zero_is_one_at_every_depth(pupil):
    """OTF(0) = 1 to 1e-12 from focus to 200 um off it, at both apertures."""
    for na in (0.4, 0.9):
        depth = np.array([0.0, 1.0, 17.0, 200.0])
        transfer = np.asarray(otf(np.array([0.0]), depth, 0.0, path_of(na), pupil=pupil))
        np.testing.assert_allclose(transfer, 1.0, rtol=0, atol=1e-12)
        assert abs(otf_2d(0.0, 0.0, 17.0, 0.0, path_of(na), pupil=pupil)[0] - 1.0) < 1e-12


def test_transfer_function_is_the_transform_of_the_kernel():
    """Coma, astigmatism, tilt and a decentred stop: sum h exp(-2 pi i f x) with rows as y."""
    lens = Aberrations(
        zernike_noll=(0.0, 0.05, 0.0, 0.0, 0.1, 0.0, 0.1, 0.0, 0.07),
        decentre=(0.1, -0.05),
        apodisation="gaussian",
    )
    path, pupil = path_of(0.8), Pupil(aberrations=lens)
    pixel, count = 0.15, 201
    kernel = psf_fft(3.0, 0.0, path, pixel_um=pixel, shape=(count, count), aperture_um=0.0,
                     pupil=pupil).kernel  # fmt: skip
    x = (np.arange(count) - count // 2) * pixel
    for row, column in [(0.4, -0.3), (0.2, 1.1), (-0.5, -0.9)]:
        found = np.exp(-2j * np.pi * row * x) @ kernel @ np.exp(-2j * np.pi * column * x)
        expected = otf_2d(row, column, 3.0, 0.0, path, pupil=pupil)[0]
        assert abs(expected.imag) > 1e-3
        # light beyond the 30 um window, oscillating: R^-5/2
        assert abs(found - expected) < 2e-5


def test_coma_by_field_points_where_seidel_says():
    """The centroid of an image with coma lies at -mean(dW/dp), on the field's side it names."""
    path = path_of(0.4)
    pupil = Pupil(aberrations=Aberrations(seidel=Seidel(coma=0.5)))
    near = 1e-3
    up, down = (
        otf_2d(near, 0.0, 0.0, 0.0, path, pupil=pupil, field_point=(h, 0.0))[0] for h in (1.0, -1.0)
    )
    across = otf_2d(0.0, near, 0.0, 0.0, path, pupil=pupil, field_point=(1.0, 0.0))[0]
    centroid = -np.angle(up) / (2.0 * np.pi * near)
    # W = A rho^2 y: mean dW/dy = A <3 y^2 + x^2> = A; near zero the phase is linear in f
    assert centroid == pytest.approx(-0.5 * 0.55 / 0.4, rel=2e-3)
    assert np.angle(down) == pytest.approx(-np.angle(up))
    assert abs(np.angle(across)) < 1e-12


def test_perfect_pupil_is_the_airy_transfer():
    """Without aberrations H = (2/pi)(acos v - v sqrt(1 - v^2)) and 0 beyond the cut-off."""
    path = path_of(0.9)
    v = np.array([0.0, 0.2, 0.7, 0.99, 1.0, 1.5])
    found = otf_2d(v * path.cutoff_cy_per_um, 0.0, 0.0, 0.0, path)
    np.testing.assert_allclose(found, np.asarray(diffraction_limited_mtf(v)), rtol=0, atol=1e-10)


def test_what_the_overlap_cannot_do_is_refused():
    """Obstruction has no smooth overlap; a decentred stop is scalar only."""
    path = path_of(0.4)
    hole = Pupil(aberrations=Aberrations(obstruction=0.2))
    with pytest.raises(InputError, match="obstructed"):
        otf_2d(0.1, 0.0, 0.0, 0.0, path, pupil=hole)
    with pytest.raises(InputError, match="obstructed"):
        otf(np.array([0.1]), np.array([0.0]), 0.0, path, pupil=hole)
    moved = Pupil(model="vectorial", aberrations=Aberrations(decentre=(0.1, 0.0)))
    with pytest.raises(InputError, match="decentred"):
        otf_2d(0.1, 0.0, 0.0, 0.0, path, pupil=moved)
    with pytest.raises(InputError, match="stop's decentre"):
        psf_fft(0.0, 0.0, path_of(0.95), pixel_um=0.14, shape=(9, 9), pupil=Pupil(
            aberrations=moved.aberrations))  # fmt: skip


def test_a_measured_map_acts_as_the_terms_it_samples(tmp_path):
    """A map of coma and astigmatism gives the image of their coefficients, rows as y."""
    from scintscope.optics.zernike import noll_to_nm, zernike

    y, x = np.meshgrid(np.linspace(-1, 1, 81), np.linspace(-1, 1, 71), indexing="ij")
    waves = sum(c * zernike(*noll_to_nm(j), x, y) for j, c in ((5, 0.1), (7, 0.12), (8, -0.05)))
    np.save(tmp_path / "map.npy", waves)
    path = path_of(0.4)
    coefficients = (0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.12, -0.05)
    options = {"pixel_um": 0.3, "shape": (31, 24)}
    found, expected = (
        psf_fft(2.0, 0.0, path, pupil=Pupil(aberrations=a), **options).kernel
        for a in (
            Aberrations(map_file=str(tmp_path / "map.npy")),
            Aberrations(zernike_noll=coefficients),
        )
    )
    # cubic splines hold cubics inside; end effects reach in from the square's edge: 1e-4 waves
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4 * expected.max())
    assert np.abs(expected - expected[::-1]).max() > 0.05 * expected.max()


@pytest.mark.parametrize("model", ["scalar", "vectorial"])
def test_an_amplitude_map_acts_as_the_gaussian_it_samples(tmp_path, model):
    """A sampled Gaussian of arbitrary scale gives the image and transfer of the closed form."""
    y, x = np.meshgrid(np.linspace(-1, 1, 91), np.linspace(-1, 1, 81), indexing="ij")
    np.save(tmp_path / "shade.npy", 7.0 * np.exp(-(x**2 + y**2) / 0.8**2))
    lenses = (
        Aberrations(amplitude_file=str(tmp_path / "shade.npy")),
        Aberrations(apodisation="gaussian", gaussian_radius=0.8),
    )
    path = path_of(0.9)
    pupils = [Pupil(model=model, aberrations=lens) for lens in lenses]
    found, expected = (
        psf_fft(1.0, 0.0, path, pixel_um=0.14, shape=(31, 24), pupil=p).kernel for p in pupils
    )
    # cubic splines of 1/40: h^4 f'''' / 384 = 1e-6 inside, 1e-4 at the square's edge
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4 * expected.max())
    sampled, closed = (otf_2d(0.7, -0.4, 1.0, 0.0, path, pupil=p)[0] for p in pupils)
    assert sampled == pytest.approx(closed, abs=2e-4)
    with pytest.raises(InputError, match="not axially symmetric"):
        psf_stack([0.0], 0.0, path, pixel_um=0.14, pupil=pupils[0])


def test_negative_amplitudes_are_refused(tmp_path):
    """An amplitude map that is negative inside the pupil is no transmission."""
    np.save(tmp_path / "wrong.npy", np.linspace(-1.0, 1.0, 30)[:, None] * np.ones(30))
    lens = Aberrations(amplitude_file=str(tmp_path / "wrong.npy"))
    with pytest.raises(DataError, match="not negative"):
        psf_fft(0.0, 0.0, path_of(0.4), pixel_um=0.3, shape=(9, 9), pupil=Pupil(aberrations=lens))
