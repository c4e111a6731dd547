"""Richardson-Lucy competitors on one blurred, noisy image; numpy makes it, so all get the same."""

from __future__ import annotations

import numpy as np

START = 0.5


def as_the_command_does() -> None:
    """Fix threads and keep freed memory as ``scintscope`` does: our engines and their floors."""
    from scintscope.memory import keep_freed_memory
    from scintscope.threads import fix_threads

    fix_threads()
    keep_freed_memory()


def problem(side: int, kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of bright rectangles, blurred and with counting noise, and the PSF."""
    rng = np.random.default_rng(7)
    truth = np.full((side, side), 20.0)
    for _ in range(300 * side * side // 2048**2 + 4):
        row, column = rng.integers(0, side - side // 8, 2)
        height, width = rng.integers(5, max(6, side // 16), 2)
        truth[row : row + height, column : column + width] = rng.uniform(20.0, 400.0)
    x = np.arange(kernel) - kernel // 2
    core = np.exp(-0.5 * (x / 3.0) ** 2)
    tails = (1.0 + (x[:, None] ** 2 + x[None, :] ** 2) / 30.0) ** -1.5
    psf = core[:, None] * core[None, :] + 0.2 * tails
    psf /= psf.sum()
    padded = np.zeros_like(truth)
    padded[:kernel, :kernel] = psf
    padded = np.roll(padded, (-(kernel // 2), -(kernel // 2)), axis=(0, 1))
    blurred = np.fft.irfft2(np.fft.rfft2(truth) * np.fft.rfft2(padded), s=truth.shape)
    image = rng.poisson(np.maximum(blurred, 0.0)).astype(np.float32)
    return image / image.max(), psf.astype(np.float32)


def scintscope(
    side: int,
    kernel: int,
    iterations: int,
    save: str = "",
    acceleration: str = "none",
    precision: str = "float32",
    engine: str = "scipy",
):
    """Return our Richardson-Lucy with scikit-image's zero boundary and start."""
    from scintscope.restoration.richardson_lucy import richardson_lucy

    as_the_command_does()
    image, psf = problem(side, kernel)

    def work() -> dict:
        found = richardson_lucy(
            image,
            psf,
            iterations=iterations,
            boundary="zero",
            start=START,
            normalise=False,
            acceleration=acceleration,
            precision=precision,
            engine=engine,
        )
        if save:
            np.save(save, found.estimate)
        return {"history": [float(h) for h in found.history]}

    return work, {}


def scintscope_float64(side: int, kernel: int, iterations: int, save: str = ""):
    """Return the same in double precision: what float32 is checked against."""
    return scintscope(side, kernel, iterations, save, precision="float64")


def scintscope_jax(side: int, kernel: int, iterations: int, save: str = ""):
    """Return the same on JAX's transforms."""
    return scintscope(side, kernel, iterations, save, engine="jax")


def scintscope_mkl(side: int, kernel: int, iterations: int, save: str = ""):
    """Return the same code on MKL's transforms, through scipy's backend mechanism."""
    import mkl
    import mkl_fft.interfaces.scipy_fft
    from scipy import fft

    made = scintscope(side, kernel, iterations, save)
    mkl.set_num_threads(1)  # tiles are spread over threads already
    fft.set_global_backend(mkl_fft.interfaces.scipy_fft)
    return made


def psf_estimate(side: int, kernel: int, iterations: int):
    """Return our estimate of the PSF between two images, the unknown as large as the frame."""
    from scintscope.restoration import RestorationConfig, estimate_psf

    as_the_command_does()
    thick, _ = problem(side, kernel)
    thin = np.roll(thick, 1, axis=0)  # what the numbers are does not matter to the time
    config = RestorationConfig(
        psf_iterations=iterations, psf_size_px=kernel, psf_acceleration="none"
    )

    def work() -> None:
        estimate_psf(thin, thick, config)

    return work, {}


def psf_floor(side: int, kernel: int, iterations: int):
    """Return the four transforms an iteration of the PSF needs: frame plus farthest lag."""
    from scipy import fft

    return _transforms(int(fft.next_fast_len(side + side // 2 + 1, real=True)), iterations)


def skimage(side: int, kernel: int, iterations: int, save: str = ""):
    """Return scikit-image's, without its clipping to [-1, 1]."""
    from skimage.restoration import richardson_lucy

    image, psf = problem(side, kernel)

    def work() -> None:
        estimate = richardson_lucy(image, psf, num_iter=iterations, clip=False)
        if save:
            np.save(save, estimate)

    return work, {}


def redlionfish(side: int, kernel: int, iterations: int, save: str = ""):
    """Return RedLionfish on its CPU, the image as a volume of one plane."""
    import RedLionfishDeconv

    image, psf = problem(side, kernel)

    def work() -> None:
        estimate = RedLionfishDeconv.doRLDeconvolutionFromNpArrays(
            image[None], psf[None], niter=iterations, method="cpu"
        )
        if save:
            np.save(save, np.asarray(estimate)[0])

    return work, {}


def _floor_shape(side: int, kernel: int) -> int:
    from scipy import fft

    return int(fft.next_fast_len(side + kernel // 2, real=True))


def floor(side: int, kernel: int, iterations: int):
    """Return the four real transforms an iteration needs, whole arrays, nothing else."""
    return _transforms(_floor_shape(side, kernel), iterations)


def _transforms(count: int, iterations: int):
    from scipy import fft

    as_the_command_does()
    image = np.zeros((count, count), dtype=np.float32)

    def work() -> None:
        item = image
        for _ in range(2 * iterations):
            spectrum = fft.rfft2(item, workers=2)
            item = fft.irfft2(spectrum, s=(count, count), workers=2)

    return work, {"transform_side": count}


def tiled_floor(side: int, kernel: int, iterations: int):
    """Return the transforms in our calling form: two filters by one on tiles, and nothing else."""
    from scintscope.convolve import Convolver

    as_the_command_does()
    _, psf = problem(side, kernel)
    blur = Convolver(psf, (side, side), "zero").tiles.pack()
    spectrum = np.zeros_like(blur.workspace())

    def nothing(first: int, last: int, tile: np.ndarray) -> None:
        """Leave the rows as they are."""

    def work() -> None:
        for _ in range(iterations):
            blur.forward(spectrum)
            blur.rows(spectrum, blur.target, nothing)
            blur.adjoint(spectrum)
            blur.rows(spectrum, blur.source, nothing)

    return work, {}


def jax_floor(side: int, kernel: int, iterations: int):
    """Return the same transforms by JAX, each compiled by itself."""
    import jax
    import jax.numpy as jnp

    as_the_command_does()
    count = _floor_shape(side, kernel)
    forward = jax.jit(jnp.fft.rfft2)
    back = jax.jit(lambda s: jnp.fft.irfft2(s, s=(count, count)))
    image = jnp.zeros((count, count), dtype=jnp.float32)

    def work() -> None:
        item = image
        for _ in range(2 * iterations):
            item = back(forward(item))
        item.block_until_ready()

    return work, {}


def mkl_floor(side: int, kernel: int, iterations: int):
    """Return the same transforms by MKL, whole arrays, two threads."""
    import mkl
    import mkl_fft.interfaces.scipy_fft
    from scipy import fft

    mkl.set_num_threads(2)
    fft.set_global_backend(mkl_fft.interfaces.scipy_fft)
    return floor(side, kernel, iterations)
