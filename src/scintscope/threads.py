"""How many threads one task computes with: fixed here, not by the machine, so that bits are too.

``scipy.fft`` and our own tiles give the same bits for any number of threads. A BLAS and JAX do not:
they cut sums where their threads meet. A task therefore has one BLAS thread, and JAX a pool of two,
whatever the number of processors, of workers, or the environment says. Two machines of one
processor family with the same libraries then give the same bits.

The command line calls `fix_threads` before anything is computed. Whoever uses the package as a
library and wants a run's bits calls it first; JAX is fixed in any case unless the caller has
chosen (`scintscope.jax64`).
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

BLAS_THREADS = 1
JAX_CPU_THREADS = 2
"""Of XLA's pool on processors: fixed by ``PJRT_NPROC`` when its client is made. Pools of two and
more were seen to give the same bits on one core or two, a pool of one others."""

POOL_VARIABLE = "SCINTSCOPE_POOL_THREADS"
POOL_THREADS = max(1, int(os.environ.get(POOL_VARIABLE, "2")))
"""Of our own pools and of ``scipy.fft``; no bit depends on them. The variable is read when the
package is imported: 1 where many tasks run side by side."""

BLAS_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
JAX_VARIABLE = "PJRT_NPROC"

_PREFIXES = ("scipy_openblas", "openblas")
_SUFFIXES = ("64_", "")


def fix_threads() -> None:
    """Fix the threads of BLAS and JAX in this process and in those it starts.

    Environment variables serve libraries not loaded yet; an OpenBLAS that is loaded, as NumPy's and
    SciPy's wheels carry it, is told directly. JAX takes the number when it first computes.
    """
    for name in BLAS_VARIABLES:
        os.environ[name] = str(BLAS_THREADS)
    os.environ[JAX_VARIABLE] = str(JAX_CPU_THREADS)
    for library in _loaded_openblas():
        setter = _function(library, "set_num_threads")
        if setter is not None:
            setter(BLAS_THREADS)


def fix_jax_threads() -> None:
    """Fix the threads of JAX on processors unless the environment already says a number."""
    os.environ.setdefault(JAX_VARIABLE, str(JAX_CPU_THREADS))


def blas_in_use() -> list[dict[str, str | int | None]]:
    """Return each loaded OpenBLAS: its configuration, the core it chose kernels for, its threads.

    Returns
    -------
    list of dict
        Empty where there is none or it cannot be asked (a system without ``/proc``).
    """
    found: list[dict[str, str | int | None]] = []
    for library in _loaded_openblas():
        threads = _function(library, "get_num_threads")
        found.append(
            {
                "configuration": _text(library, "get_config"),
                "core": _text(library, "get_corename"),
                "threads": None if threads is None else int(threads()),
            }
        )
    return found


def _loaded_openblas() -> list[ctypes.CDLL]:
    """Return the OpenBLAS libraries this process has loaded."""
    if not any(name in sys.modules for name in ("numpy", "scipy")):
        return []
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    paths = {line.split(maxsplit=5)[-1] for line in lines if "openblas" in line}
    return [ctypes.CDLL(path) for path in sorted(paths) if Path(path).is_file()]


def _function(library: ctypes.CDLL, name: str) -> ctypes._NamedFuncPointer | None:
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            name_there = f"{prefix}_{name}{suffix}"
            if hasattr(library, name_there):
                return library[name_there]
    return None


def _text(library: ctypes.CDLL, name: str) -> str | None:
    asked = _function(library, name)
    if asked is None:
        return None
    asked.restype = ctypes.c_char_p
    answer = asked()
    return answer.decode().strip() if isinstance(answer, bytes) else None
