"""The rules of the code base that a machine can check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "scintscope"
MODULES = sorted(ROOT.rglob("*.py"))

LAYERS: tuple[tuple[str, ...], ...] = (
    ("units", "errors", "threads", "machine", "jax64", "sharing"),
    (
        "grids",
        "tiled_fft",
        "convolve",
        "quadrature",
        "tiff",
        "outputs",
        "progress",
        "accuracy",
        "streams",
        "memory",
        "cache",
        "remembered",
    ),
    ("materials",),
    ("electrons",),
    ("deposition",),
    ("geometry", "source", "sample", "scintillator", "optics", "camera"),
    ("instrument",),
    ("plate_deposition", "plate_transfer"),
    ("response",),
    ("noise",),
    ("forward",),
    ("restoration", "metrics"),
    ("verdict",),
    ("inspection",),
    ("scenario",),
    ("report",),
    ("pipeline", "measured"),
    ("audit", "design", "dataset"),
    ("explore",),
    ("validate",),
    ("cli",),
)
"""What may import what: a package may import from the layers above its own line, and, within
its line, from its neighbours where `NEIGHBOURS` says so."""

NEIGHBOURS = {
    "grids": {"convolve"},
    "convolve": {"tiled_fft"},
    "tiled_fft": set[str](),
    "units": set[str](),
    "errors": {"units"},
    "jax64": {"threads"},
    "sharing": {"threads"},
    "source": {"geometry"},
    "sample": {"geometry"},
    "verdict": {"metrics"},
}
"""Imports within one line of `LAYERS`: the package before the colon may import those after it."""

FORWARD_PHYSICS = {
    "geometry",
    "source",
    "sample",
    "scintillator",
    "optics",
    "camera",
    "instrument",
    "response",
    "noise",
    "forward",
    "materials",
}
"""What measured images know nothing of: restoration and metrics import none of it."""

ONLY_IN = {"xraylib": "materials", "spekpy": "source", "cyclopts": "cli", "pydantic": "scenario"}
"""Third-party libraries that stay behind one package."""

MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 50


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def package_of(path: Path) -> str:
    """Return the package or single module a file belongs to, e.g. ``optics`` or ``units``."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names a module imports, wherever in it, relative ones resolved."""
    parents = ("scintscope", *path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            if module == "scintscope":
                yield from (f"scintscope.{alias.name}" for alias in node.names)
            else:
                yield module


def own_imports(path: Path) -> set[str]:
    """Return the packages of scintscope that a module imports, its own excepted."""
    parts = [name.split(".") for name in imported(path)]
    found = {p[1] for p in parts if p[0] == "scintscope" and len(p) > 1}
    return {name for name in found if (ROOT / name).exists() or (ROOT / f"{name}.py").exists()} - {
        package_of(path)
    }


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def layer(package: str) -> int:
    for index, packages in enumerate(LAYERS):
        if package in packages:
            return index
    pytest.fail(f"{package} stands in no layer: put it where its imports allow")


@each_module
def test_imports_point_upstream(path: Path) -> None:
    """A module imports only from layers before its own, as the photon travels."""
    if path == ROOT / "__init__.py":
        return
    package = package_of(path)
    wrong = {
        other
        for other in own_imports(path)
        if layer(other) >= layer(package) and other not in NEIGHBOURS.get(package, set())
    }
    assert wrong == set()


@pytest.mark.parametrize("package", ["restoration", "metrics", "measured"])
def test_restoration_and_metrics_know_no_forward_physics(package: str) -> None:
    """What works on images never sees how they were simulated."""
    for path in MODULES:
        if package_of(path) == package:
            assert own_imports(path) & FORWARD_PHYSICS == set(), name_of(path)


@each_module
def test_libraries_stay_behind_their_package(path: Path) -> None:
    """Xraylib is used in materials only, spekpy in source only, and so on."""
    roots = {name.split(".")[0] for name in imported(path)}
    wrong = {lib for lib, home in ONLY_IN.items() if lib in roots and package_of(path) != home}
    assert wrong == set()


@each_module
def test_no_star_import_and_no_assert(path: Path) -> None:
    """Names are imported by name, and input is checked with errors, never with assert."""
    for node in ast.walk(tree_of(path)):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: raise from scintscope.errors"
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names), f"line {node.lineno}"


@each_module
def test_no_global_random_state(path: Path) -> None:
    """Random numbers come from a Generator that is passed in."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            chain = (getattr(node.value.value, "id", ""), node.value.attr)
            if chain in {("np", "random"), ("numpy", "random")}:
                stateless = node.attr == "default_rng" or node.attr[0].isupper()
                assert stateless, f"line {node.lineno}: np.random.{node.attr}"
                assert node.attr != "RandomState", f"line {node.lineno}: use Generator"
        if isinstance(node, ast.Import):
            assert all(alias.name != "random" for alias in node.names), f"line {node.lineno}"


def public_definitions(path: Path) -> Iterator[ast.AST]:
    """Yield module, and its public classes, functions and methods."""
    module = tree_of(path)
    yield module
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in module.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    inner
                    for inner in node.body
                    if isinstance(inner, kinds) and not inner.name.startswith("_")
                )


@each_module
def test_public_names_have_docstrings(path: Path) -> None:
    """Every module, public class, function and method says what it is."""
    bare = [
        getattr(node, "name", "module")
        for node in public_definitions(path)
        if not ast.get_docstring(node)  # type: ignore[arg-type]
    ]
    assert bare == []


@each_module
def test_modules_and_functions_are_short(path: Path) -> None:
    """A module has at most 500 lines and a function body at most 50."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_MODULE_LINES
    long = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > MAX_FUNCTION_LINES:
                long.append(f"{node.name}: {lines} lines")
    assert long == []


def test_every_layer_is_in_use_or_planned() -> None:
    """Every package of the source tree stands in exactly one layer."""
    listed = [package for packages in LAYERS for package in packages]
    assert len(listed) == len(set(listed))
    present = {package_of(path) for path in MODULES} - {"__init__"}
    assert present <= set(listed)


def test_tests_mirror_the_source() -> None:
    """A folder of tests is named after a package, and test files have names of their own."""
    tests = Path(__file__).parent
    folders = {p.name for p in tests.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))}
    packages = {p.name for p in ROOT.iterdir() if p.is_dir()}
    extra = {folder for folder in folders if any((tests / folder).glob("test_*.py"))} - packages
    assert extra <= {"notebooks", "validation", "end_to_end"}
    names = [p.name for p in tests.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
