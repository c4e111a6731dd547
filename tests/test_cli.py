"""The command line: exit codes, messages, clean stdout."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import scintscope
from scintscope import cli
from scintscope.errors import DataError, ScintscopeError
from scintscope.outputs import Outcome

SHIPPED = Path(__file__).parents[1] / "scenarios"
QUICK = str(SHIPPED / "quick.toml")


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace the pipeline by a recorder of calls; return the list of calls."""
    calls: list[tuple[Any, ...]] = []

    def recorder(name: str) -> Callable[..., Outcome]:
        def record(*arguments: Any) -> Outcome:
            calls.append((name, *arguments))
            return Outcome(document={"nan": float("nan")}, text="for people")

        return record

    for module, names in (
        ("pipeline", ("run", "simulate", "verify")),
        ("measured", ("restore_files",)),
    ):
        fake = types.ModuleType(f"scintscope.{module}")
        for name in names:
            setattr(fake, name, recorder(name))
        monkeypatch.setitem(sys.modules, f"scintscope.{module}", fake)
        monkeypatch.setattr(scintscope, module, fake, raising=False)
    return calls


@pytest.mark.parametrize("command", ["run", "simulate", "verify"])
def test_command_passes_scenario_folder_and_seed(
    pipeline: list[tuple[Any, ...]], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checked scenario, the default folder and the seed reach the pipeline."""
    assert cli.main([command, QUICK, "--seed", "7", "--set", "lens.na=0.3"]) == 0
    ((name, scenario, out, *_),) = pipeline
    assert (name, out) == (command, Path("runs/quick"))
    assert (scenario.acquisition.seed, scenario.lens.na) == (7, 0.3)
    assert capsys.readouterr().out == "for people\n"


def test_map_reaches_the_pipeline(pipeline: list[tuple[Any, ...]]) -> None:
    """`verify --map` hands its axes on; without it there is no map."""
    assert cli.main(["verify", QUICK, "--map", "thickness=50:100,na"]) == 0
    assert cli.main(["verify", QUICK]) == 0
    assert [call[-1] for call in pipeline] == ["thickness=50:100,na", None]


def test_json_is_one_strict_document_on_stdout(
    pipeline: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With --json stdout is one document, NaN is null, and notes go to stderr."""
    arguments = [
        "run",
        QUICK,
        "--json",
        "--out",
        str(tmp_path / "o"),
        "--set",
        "thin.thickness_um=300",
    ]
    assert cli.main(arguments) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"nan": None}
    assert "note: thick.thickness_um" in captured.err
    assert pipeline[0][2] == tmp_path / "o"


def test_restore_passes_files_and_settings(pipeline: list[tuple[Any, ...]]) -> None:
    """Only files that are given reach the pipeline; pixel size comes from the command line."""
    files = ["--thin", "a", "--thin-background", "b", "--thick", "c", "--thick-background", "d*"]
    scale = ["--pixel-um-sensor", "6.5", "--magnification", "5", "--out", "o"]
    more = ["--set", "restoration.iterations=3"]
    assert cli.main(["restore", *files, *scale, *more]) == 0
    ((_, given, settings, out, _),) = pipeline
    expected = {"thin": "a", "thin_background": "b", "thick": "c", "thick_background": "d*"}
    assert (given, out) == (expected, Path("o"))
    assert settings.restoration.iterations == 3
    assert settings.images.pixel_um_object == 6.5 / 5.0


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["run"], "requires an argument"),
        (["rum", QUICK], 'Did you mean "run"'),
        (["check", QUICK, "--bad"], "--bad"),
        (["run", QUICK, "--seed", "x"], "--seed"),
        (["run", QUICK, "--seed", "-1"], "acquisition.seed = -1 is outside"),
        (["check", "nowhere.toml"], "nowhere.toml: no such file"),
        (["check", QUICK, "--set", "lens.na=2"], "lens.na = 2.0 is outside"),
        (["check", QUICK, "--set", "accuracy.oversampling=1"], "accuracy.oversampling = 1 leaves"),
        (["materials", "YAGCe"], "Did you mean 'YAG:Ce'"),
        (["restore", "--thin", "a"], "requires an argument"),
    ],
)
def test_bad_input_is_exit_code_2_and_a_sentence(
    arguments: list[str], match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the user got wrong is said on stderr without a traceback."""
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert match in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_specimen_background_needs_a_specimen(capsys: pytest.CaptureFixture[str]) -> None:
    """A background without what it belongs to is refused."""
    files = ["--thin", "a", "--thin-background", "b", "--thick", "c", "--thick-background", "d"]
    assert cli.main(["restore", *files, "--specimen-background", "e", "--out", "o"]) == 2
    assert "--specimen" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("bad image"), 2),
        (ScintscopeError("did not converge"), 1),
        (OSError("disk full"), 1),
        (MemoryError(), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(
    pipeline: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    """Input errors are 2, failures 1, Ctrl-C 130; each with a line on stderr."""

    def fail(*_: Any) -> Outcome:
        raise error

    monkeypatch.setattr(sys.modules["scintscope.pipeline"], "run", fail)
    assert cli.main(["run", QUICK]) == code
    assert capsys.readouterr().err.startswith("scintscope: ")
    assert pipeline == []


def test_check_prints_ok_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    """A sound scenario is OK; legal surprises follow as notes; --json holds the same."""
    surprises = ("thin.focus_um=-1", "thick.thickness_um=15", "geometry.source_to_sample_mm=50")
    sets = [word for text in surprises for word in ("--set", text)]
    assert cli.main(["check", QUICK, *sets]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"OK: {QUICK} (quick)"
    assert any("focus_um = -1" in line and line.startswith("note: ") for line in lines)
    assert any("is thinner than thin.thickness_um" in line for line in lines)
    assert any("sqrt(lambda z_eff)" in line for line in lines)
    assert cli.main(["check", QUICK, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["name"], len(document["hash"])) == (True, "quick", 64)


def test_schema_and_materials_print(capsys: pytest.CaptureFixture[str]) -> None:
    """The schema is JSON; the list of materials names absorbers and scintillators."""
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Scenario"
    assert cli.main(["materials"]) == 0
    listed = capsys.readouterr().out
    assert "YAG:Ce" in listed
    assert "Be " in listed
    assert "also gold" in listed
    assert cli.main(["materials", "YAG:Ce"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("Zelmon", "Crytur", "35 photons/keV", "70 ns", "15%"))
    assert cli.main(["materials", "YAG:Ce", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["YAG:Ce"]["formula"] == "Y3Al5O12"


def test_help_starts_without_heavy_imports() -> None:
    """`scintscope --help` loads neither numpy nor jax nor pydantic, so that it is quick."""
    script = (
        "import sys\nfrom scintscope.cli import main\nmain(['--help'])\n"
        "heavy = {'numpy', 'jax', 'pydantic', 'scipy', 'matplotlib', 'cv2'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    commands = ["run", "simulate", "restore", "inspect", "verify", "materials", "check", "schema"]
    assert all(command in done.stdout for command in commands)


def test_closed_pipe_is_quiet() -> None:
    """`scintscope schema | head -1` ends without a complaint."""
    command = f"{sys.executable} -c 'from scintscope.cli import main; main()' schema | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("{\n", "")
