"""One task's threads are fixed by the package: bits depend on neither machine nor environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scintscope import cli, threads
from scintscope.threads import BLAS_THREADS, BLAS_VARIABLES, blas_in_use, fix_threads

ROOT = Path(__file__).parents[1]

ON_ONE_CORE = """
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
"""

PRODUCTS = """
import hashlib
import numpy as np
from scipy import linalg
from scintscope.threads import fix_threads
fix_threads()
from scintscope.jax64 import jax, jnp
rng = np.random.default_rng(0)
a, b = rng.standard_normal((700, 900)), rng.standard_normal((900, 501))
contraction = jax.jit(lambda x, y: jnp.einsum("ij,jk->k", x, y))
found = (a @ b, a.ravel() @ a.ravel(), linalg.solve(a[:, :700], b[:700]), contraction(a, b))
for item in found:
    print(hashlib.sha256(np.ascontiguousarray(item)).hexdigest())
"""

RUN = """
import hashlib, sys, warnings
from pathlib import Path
from scintscope.threads import fix_threads
fix_threads()
from scintscope.outputs import to_json
from scintscope.pipeline import perform, write_images
from scintscope.progress import silent
from scintscope.scenario import load_scenario
warnings.simplefilter("ignore")  # few defects on a small field
sets = ["camera.shape=[96,90]", "restoration.psf_size_px=21", "accuracy.energy_bin_kev=3.0",
        "accuracy.depth_nodes=8"]
made = perform(load_scenario("scenarios/quick.toml", sets), silent)
images = Path(sys.argv[1])
write_images(images, made)
print(hashlib.sha256(to_json(made.metrics).encode()).hexdigest())
for path in sorted(images.iterdir()):
    print(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
"""


def printed(code: str, *arguments: str, blas: int, jax_threads: int) -> list[str]:
    """Return the lines that a process of its own prints, under an environment's thread counts."""
    counts = dict.fromkeys(BLAS_VARIABLES, str(blas)) | {"PJRT_NPROC": str(jax_threads)}
    environment = os.environ | counts | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_products_have_the_same_bits_whatever_the_environment_says() -> None:
    """BLAS, LAPACK and JAX on one core with one thread, and on all with several, agree to the bit.

    Without `fix_threads` all four differ on a machine of two cores.
    """
    one = printed(ON_ONE_CORE + PRODUCTS, blas=1, jax_threads=1)
    several = printed(PRODUCTS, blas=2, jax_threads=4)
    assert len(one) == 4
    assert one == several


def test_run_has_the_same_bits_on_one_core_and_on_all(tmp_path: Path) -> None:
    """Metrics and images of a reduced run are the same bytes on one core and on all."""
    one = printed(ON_ONE_CORE + RUN, str(tmp_path / "one"), blas=1, jax_threads=1)
    several = printed(RUN, str(tmp_path / "several"), blas=2, jax_threads=4)
    assert len(one) > 10
    assert one == several


def test_loaded_blas_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `fix_threads` each OpenBLAS in the process has one thread, and says so."""
    for name in (*BLAS_VARIABLES, threads.JAX_VARIABLE):
        monkeypatch.setenv(name, "3")  # put back afterwards
    fix_threads()
    assert {os.environ[name] for name in BLAS_VARIABLES} == {str(BLAS_THREADS)}
    loaded = blas_in_use()
    if Path("/proc/self/maps").exists():
        assert loaded, "NumPy's wheel carries OpenBLAS"
    assert all(item["threads"] == BLAS_THREADS for item in loaded)


def test_command_line_fixes_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the command fixes its threads; a call from Python leaves the caller's."""
    called = []
    monkeypatch.setattr(cli, "fix_threads", lambda: called.append(True))
    monkeypatch.setattr(cli, "keep_freed_memory", lambda: True)
    monkeypatch.setattr(sys, "argv", ["scintscope", "schema"])
    assert cli.main(["schema"]) == 0
    assert called == []
    assert cli.main() == 0
    assert called == [True]
