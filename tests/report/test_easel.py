"""The second process that draws: same bytes, named failures, and nothing of it left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from scintscope.report import Easel, style
from scintscope.report.easel import FigureError, picture_of, second_process
from scintscope.report.records import Drawing

QUICK = Path(__file__).parents[2] / "scenarios" / "quick.toml"
PATIENCE_S = 60.0
"""Longer than any of these takes on a busy machine."""

SCRIPT = """
import json, os, signal, sys, threading, time, warnings
from scintscope.threads import fix_threads

fix_threads()  # as the command does: a BLAS with threads of its own would forbid the copy
from scintscope.report import easel, style
from scintscope.report.records import Drawing

def line(height):
    figure = style.new_figure(2.0)
    figure.subplots().plot([0.0, height])
    return figure

def broken(height):
    raise ValueError(f"no such height: {height}")

def slow(seconds):
    time.sleep(seconds)
    return line(1.0)

def who(height):
    figure = line(height)
    figure.set_label("drawn")
    with open(sys.argv[1], "a") as record:
        record.write(f"{height} {os.getpid()}\\n")
    return figure

def drawing(name, draw, *arguments):
    return Drawing(name=name, title=name, caption="A line.", draw=draw, arguments=arguments)

def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

def quiet():
    while len(os.listdir("/proc/self/task")) > 1:  # joined threads take a moment to vanish
        time.sleep(0.01)

def worker(drawer):
    (process,) = drawer.pool._processes.values()
    return process
"""


def script(body: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process of its own: this one may have threads, and is then not copied."""
    text = SCRIPT + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a process with a second one saw."""
    body = """
    told = {}
    line_of = drawing("line", line, 3.0)
    told["alone"] = easel.picture_of(line_of).hex()
    with easel.second_process() as drawer:
        told["pool"] = drawer.pool is not None
        drawer.order(line_of, drawing("other", line, 4.0))
        both = drawer.illustrations([drawing("other", line, 4.0), line_of])
        told["names"] = [one.name for one in both]
        told["together"] = both[1].png.hex()
        pid = worker(drawer).pid
    told["left"] = alive(pid)

    quiet()
    with easel.second_process() as drawer:
        drawer.order(drawing("bad", broken, 7.0))
        try:
            drawer.illustrations([drawing("bad", broken, 7.0)])
        except easel.FigureError as error:
            told["error"] = str(error)

    quiet()
    with easel.second_process() as drawer, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        drawer.order(drawing("slow", slow, 0.5), line_of)
        while not drawer._orders["line"].task.running():
            time.sleep(0.01)
        worker(drawer).kill()
        told["after death"] = drawer.illustrations([line_of])[0].png.hex()
        told["warned"] = [str(one.message) for one in caught]

    quiet()
    with easel.second_process() as drawer:
        shown = [drawing("wait", slow, 1.0), *(drawing(str(i), who, i) for i in range(5))]
        drawer.illustrations(shown)
        told["first"] = os.getpid()

    quiet()
    try:
        with easel.second_process() as drawer:
            drawer.order(line_of)
            pid = worker(drawer).pid
            os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        told["interrupted"] = alive(pid)

    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    with easel.second_process() as drawer:
        told["pool beside a thread"] = drawer.pool is not None
    stop.set()
    other.join()
    print(json.dumps(told))
    """
    record = tmp_path_factory.mktemp("easel") / "who.txt"
    out, error = script(body, str(record)).communicate(timeout=PATIENCE_S)
    assert out, error
    lines = [line.split() for line in record.read_text().splitlines()]
    return json.loads(out) | {"who": {number: int(pid) for number, pid in lines}}


def test_whoever_draws_the_bytes_are_the_same(told: dict[str, Any]) -> None:
    """A figure drawn by the second process is the one drawn here, and in its own place."""
    assert told["pool"] and told["names"] == ["other", "line"]
    assert told["together"] == told["alone"]


def test_a_failing_figure_is_named(told: dict[str, Any]) -> None:
    """What goes wrong in the other process comes back with the figure's name and its reason."""
    assert told["error"] == "figure 'bad' could not be drawn: ValueError: no such height: 7.0"


def test_death_of_the_second_process_costs_time_only(told: dict[str, Any]) -> None:
    """If the second process is killed, its figures are drawn here, with a warning."""
    assert told["after death"] == told["alone"]
    assert told["warned"] == ["the process that draws has died; drawing here"]


def test_the_first_process_helps_from_the_far_end(told: dict[str, Any]) -> None:
    """While the second process is held up, the last figures are drawn by the first."""
    assert told["who"]["4"] == told["first"]


def test_no_process_is_left(told: dict[str, Any]) -> None:
    """Neither a finished nor an interrupted block leaves its process running."""
    assert told["left"] is False and told["interrupted"] is False


def test_no_copy_of_a_process_with_threads(told: dict[str, Any]) -> None:
    """Where other threads run, no process is started: a copy could hold their locks."""
    assert told["pool beside a thread"] is False


def test_the_second_process_follows_a_killed_first() -> None:
    """When the first process is killed outright, the second one ends too."""
    body = """
    with easel.second_process() as drawer:
        drawer.order(drawing("slow", slow, 30.0))
        print(worker(drawer).pid, flush=True)
        time.sleep(60.0)
    """
    first = script(body)
    assert first.stdout is not None and first.stderr is not None
    pid = int(first.stdout.readline())
    time.sleep(1.0)  # it has settled
    first.kill()
    first.wait()
    end = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}/stat").exists() and time.monotonic() < end:
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.1)
    else:
        assert not Path(f"/proc/{pid}").exists()
    first.stdout.close()
    first.stderr.close()


def test_interrupted_run_leaves_neither_folder_nor_process(tmp_path: Path) -> None:
    """Ctrl-C reaches both processes of a run: exit code 130, one sentence, nothing left."""
    small = ["--set", "camera.shape=[64,64]", "--set", "acquisition.frames=200"]
    run = subprocess.Popen(
        [sys.executable, "-c", "from scintscope.cli import main; raise SystemExit(main())",
         "run", str(QUICK), "--out", str(tmp_path / "out"), *small],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE_S
    while len(group(run.pid)) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(group(run.pid)) == 2
    time.sleep(2.0)  # at work
    os.killpg(run.pid, signal.SIGINT)
    _, error = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130
    assert "interrupted" in error and "Traceback" not in error
    assert list(tmp_path.iterdir()) == [] and group(run.pid) == []


def group(leader: int) -> list[int]:
    """Return the processes of a group."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if folder.name.isdigit() and int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def broken() -> Figure:
    raise ValueError("no")


def test_drawing_here_names_the_figure_too() -> None:
    """Without a second process the error is the same."""
    drawing = Drawing(name="bad", title="", caption="", draw=broken, arguments=())
    with pytest.raises(FigureError, match="figure 'bad' could not be drawn: ValueError: no"):
        Easel().illustrations([drawing])


def test_nothing_is_drawn_beforehand_without_a_second_process() -> None:
    """An easel alone draws when asked, not when ordered."""
    drawer = Easel()
    drawer.order(Drawing(name="bad", title="", caption="", draw=broken, arguments=()))
    assert drawer.ordered("bad") is None


def test_picture_is_a_png() -> None:
    """A drawing becomes a PNG."""
    drawing = Drawing(name="empty", title="", caption="", draw=style.new_figure, arguments=(1.0,))
    assert picture_of(drawing).startswith(b"\x89PNG")


def test_second_process_where_none_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """On other systems than Linux the easel draws in this process."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with second_process() as drawer:
        assert drawer.pool is None
