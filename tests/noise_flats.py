"""Flat frames on a periodic field, and their noise power in rings, for the noise tests."""

import numpy as np

from scintscope.deposition.events import Deposits
from scintscope.forward.brute_force import draw_frame, light_table
from scintscope.forward.plane import Plane, camera_pixels
from scintscope.forward.quanta import noise_kernels, quantum_noise_spectrum
from scintscope.grids import Grid
from scintscope.materials import attenuation
from scintscope.metrics.psd import mirror_weights, ring_sums
from scintscope.noise import mean_electrons_per_um2, quanta_groups, sampled_nps


def periodic_plane(response, shape, oversampling=2):
    """Return a plane without margin, whose edges meet."""
    fine = Grid(
        shape=(shape[0] * oversampling, shape[1] * oversampling),
        pixel_um=response.pixel_um / oversampling,
    )
    return Plane(
        fine=fine,
        camera_shape=shape,
        padded_shape=shape,
        oversampling=oversampling,
        entrance_mm=np.inf,
        sample_magnification=1.0,
    )


def local_events(response):
    """Return an event sampler below the K edges: photons stop and leave all their energy, or none.

    Rayleigh and Compton collisions of low energies leave nothing and their mean recoil.
    """
    material, thickness = response.plate.scintillator, response.thickness_um

    def sample(energy_kev, rng):
        energy = energy_kev[:1]
        mu = attenuation.total_per_um(material, energy)[0]
        photo = attenuation.photoelectric_per_um(material, energy)[0]
        compton = attenuation.compton_per_um(material, energy)[0]
        recoil = attenuation.mean_compton_fraction(energy)[0]
        z = rng.exponential(1.0 / mu, energy_kev.size)
        kind = rng.random(energy_kev.size) * mu
        left = np.where(kind < photo, 1.0, np.where(kind < photo + compton, recoil, 0.0))
        keep = np.flatnonzero((z < thickness) & (left > 0.0))
        return Deposits(
            event=keep,
            x_um=np.zeros(keep.size),
            y_um=np.zeros(keep.size),
            z_um=z[keep],
            energy_kev=(left * energy_kev)[keep],
        )

    return sample


def brute_flats(response, shape, frames, events, rng, table=None):
    """Yield flats with every quantum drawn, photo-electrons per pixel."""
    table = light_table(response) if table is None else table
    per_pixel = response.spectrum.photons_per_um2_s * (
        response.plate.exposure_s * response.pixel_um**2
    )
    for _ in range(frames):
        yield draw_frame(
            lambda e: np.full(shape, per_pixel[e]),
            response.spectrum.energy_kev,
            events,
            response.electrons_per_kev,
            table,
            response.pixel_um,
            shape,
            response.pixel_um,
            rng,
        )


def fast_flats(response, shape, frames, rng):
    """Yield flats of the fast sampler with Poisson light, photo-electrons per pixel."""
    plane, groups = periodic_plane(response, shape), quanta_groups(response)
    kernels = noise_kernels(groups, plane)
    images = np.ones((len(groups.weights), *plane.padded_shape), dtype=np.float32)
    images *= groups.rate_per_um2_s.astype(np.float32)[:, None, None]
    mean = mean_electrons_per_um2(response) * response.pixel_um**2
    for _ in range(frames):
        noise = quantum_noise_spectrum(images, kernels, plane, response.plate.exposure_s, rng)
        yield rng.poisson(np.maximum(mean + camera_pixels(noise, plane), 0.0))


def ring_power(frames, response):
    """Return mean level, ring means of the power (electrons^2 per um2), independent elements."""
    total, level, count = 0.0, 0.0, 0
    for frame in frames:
        spectrum = np.fft.rfft2(frame - frame.mean())
        total = total + spectrum.real**2 + spectrum.imag**2
        level, count, shape = level + frame.mean(), count + 1, frame.shape
    grid = Grid(shape=shape, pixel_um=response.pixel_um)
    total[0, 0] = 0.0
    cells = ring_sums(kept(shape), grid)
    scale = shape[0] * shape[1] * response.pixel_um**2 * count
    power = ring_sums(total, grid)[1:] / cells[1:] / scale
    return level / count, power, cells[1:] * count / 2.0


def kept(shape):
    """Return ones on a transform's elements, zero at zero frequency."""
    ones = np.ones((shape[0], mirror_weights(shape[1]).size))
    ones[0, 0] = 0.0
    return ones


def ring_theory(response, shape):
    """Return the analytic sampled NPS in the same rings."""
    grid = Grid(shape=shape, pixel_um=response.pixel_um)
    cells = ring_sums(kept(shape), grid)[1:]
    return ring_sums(sampled_nps(response, shape) * kept(shape), grid)[1:] / cells
