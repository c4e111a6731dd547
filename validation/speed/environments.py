"""Environments of peers whose pins clash with ours or with each other's, or whose licence does.

Made once under ``.venv/bench``, which git ignores and ``make clean`` removes. Nothing in them is
installed with scintscope.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".venv" / "bench"

OURS = ("numpy", "scipy")

PEERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "psfmodels": (("psfmodels==0.3.3",),),  # GPL-3: measured, never installed with scintscope
    # its scipy pin fails in its own fftconvolve; 1.14.1 is the last that works
    "microsim": (("microsim==0.0.12.post0", "numpy<2"), ("scipy==1.14.1", "numpy<2")),
    "redlionfish": (("redlionfish==0.10",),),
    "mkl": (("mkl_fft", "mkl-service"),),
}
"""What pip installs, call by call."""


def python_of(name: str) -> tuple[str, str | None]:
    """Return an environment's Python, made if need be, and why it could not be made."""
    if name == "ours":
        return sys.executable, None
    folder = FOLDER / name
    python, stamp = folder / "bin" / "python", folder / "installed"
    if stamp.exists():
        return str(python), None
    print(f"environment {name} ...", flush=True)
    calls = [[sys.executable, "-m", "venv", str(folder)]]
    pins = [f"{n}=={metadata.version(n)}" for n in OURS] if name == "mkl" else []
    for packages in PEERS[name]:
        calls.append([str(python), "-m", "pip", "install", "--quiet", *pins, *packages])
    for call in calls:
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode:
            return str(python), done.stderr.strip().splitlines()[-1][:200]
    stamp.touch()
    return str(python), None


def installed(name: str) -> dict[str, str]:
    """Return the versions that matter in an environment."""
    python, problem = python_of(name)
    if problem:
        return {}
    wanted = [
        "numpy", "scipy", "scikit-image", "jax", "jaxlib", "psfmodels", "microsim", "RedLionfish",
        "mkl_fft", "mkl",
    ]  # fmt: skip
    code = (
        "from importlib import metadata as m\nimport sys\n"
        "for n in sys.argv[1:]:\n"
        "    try: print(n, m.version(n))\n"
        "    except m.PackageNotFoundError: pass\n"
    )
    done = subprocess.run([python, "-c", code, *wanted], capture_output=True, text=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())
