"""The page: what is shown for a state, and what happens when a slider moves."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any

import panel as pn

from scintscope.errors import ScintscopeError
from scintscope.explore import plots, words
from scintscope.explore.controls import controls
from scintscope.explore.engine import NotReadyError
from scintscope.explore.state import (
    State,
    advice,
    changes,
    problems,
    scenario_of,
    start_state,
)
from scintscope.explore.tables import Rank
from scintscope.explore.thumbnail import SIDE_PX, plane_of, star, thumbnails
from scintscope.explore.workshop import View, Workshop
from scintscope.materials import Absorber, absorber
from scintscope.units import UM_PER_MM

_POLL_MS, _REST_MS = 400, 120
_STAR = ("Au", 5.0)
_WRAPPED = {"flex": "1 1 300px", "min-width": "280px"}
"""Of a third of the page's width: on a narrow screen they go below one another."""

IMAGE_NOTE = (
    "Sketch, not a simulated run: a gold star 5 um thick on the axis, without penumbra, "
    "perspective and defects; each plate's blur is the sum over depths for the open beam, the "
    "noise is that of one frame (X-rays, light, camera), and the restoration knows the true ratio "
    "of the blurs. For the whole chain: download the state and run scintscope simulate on it."
)


class Page:
    """One visitor's page.

    Parameters
    ----------
    workshop : Workshop
        Of all visitors.
    """

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        base = workshop.base
        self.start = start_state(base)
        self.controls = controls(workshop.limit, self.start)
        self.data = plots.sources()
        self.images = {name: plots.image_source() for name in plots.IMAGES}
        self.pixel_um = base.instrument().pixel_um_object
        self.view: View | None = None
        self.marked: View | None = None
        self.waiting = True
        self._seen = 0
        self._pending = False
        self._image_call: Any = None
        self._plane = plane_of(self.pixel_um)
        self._star = star(self._plane, *_STAR)
        self._absorbers: dict[str, Absorber] = {_STAR[0]: absorber(_STAR[0])}
        self.notice = _html("")
        self.numbers = _html("")
        self.changed = _html(words.changed([]))
        self.speed = _html("")
        self.making = _html("")
        self.mark = pn.widgets.Button(label="Mark this state (dashed)", width=190)
        self.reset = pn.widgets.Button(label="Back to the scenario", width=150)
        self.download = pn.widgets.FileDownload(
            callback=self._file,
            filename=f"{base.name}-explored.toml",
            label="Download as scenario (TOML)",
            stylesheets=[words.BUTTON_STYLE],
            width=230,
        )
        for widget in self.controls.widgets():
            widget.param.watch(lambda _: self._dirty(), "value")
        self.mark.on_click(lambda _: self._mark())
        self.reset.on_click(lambda _: self.controls.show(self.start))

    def layout(self) -> Any:
        """Return the page."""
        nyquist = 0.5 / self.pixel_um * UM_PER_MM
        curve = {
            name: pn.Column(
                pn.pane.Bokeh(
                    plots.curve_figure(name, self.data, nyquist), sizing_mode="stretch_width"
                ),
                _sentence(plots.SENTENCES[name]),
                sizing_mode="stretch_width",
                styles=_WRAPPED,
            )
            for name in plots.CURVES
        }
        side = SIDE_PX * self.pixel_um
        titles = {"thin": "Thin", "thick": "Thick", "restored": "Thick, restored"}
        pictures = [
            pn.Column(
                pn.pane.Bokeh(plots.image_figure(name, self.images[name], titles[name], side)),
                _sentence(plots.SENTENCES[name], 300),
                width=310,
            )
            for name in plots.IMAGES
        ]
        numbers = self._numbers()
        name = self.workshop.base.name
        head = _html(
            f"<h1>scintscope explore: {name}</h1><p>Move a slider; curves and images follow. "
            f"{words.key()} Solid lines are the sliders' state, dashed ones the marked state.</p>"
        )
        return pn.Row(
            pn.Column(self.controls.column(), width=320),
            pn.Column(
                head,
                pn.Row(self.download, self.mark, self.reset),
                self.notice,
                pn.FlexBox(*(curve[n] for n in ("mtf", "nps", "dqe")), sizing_mode="stretch_width"),
                pn.FlexBox(curve["k"], curve["psf"], numbers, sizing_mode="stretch_width"),
                pn.FlexBox(*pictures, sizing_mode="stretch_width"),
                _sentence(IMAGE_NOTE),
                self.speed,
                self.making,
                sizing_mode="stretch_width",
            ),
            sizing_mode="stretch_width",
        )

    def _numbers(self) -> Any:
        """Return the table and the changed keys."""
        return pn.Column(
            _html("<h2>Numbers</h2>"),
            self.numbers,
            _html("<h2>Changed keys</h2>"),
            self.changed,
            sizing_mode="stretch_width",
            styles=_WRAPPED,
        )

    def poll(self) -> None:
        """Look after the tables in the making; called from time to time."""
        jobs = self.workshop.tables.jobs
        rough = self.view is not None and not self.view.fine
        if self.waiting or (rough and jobs.done != self._seen):
            self._seen = jobs.done
            self.refresh()
        text = words.making(jobs.status()) if self.view is not None else ""
        if text != self.making.object:
            self.making.object = text

    def refresh(self) -> None:
        """Bring curves, numbers and sentences to the sliders' state."""
        self._pending = False
        state = self.controls.state()
        wrong = problems(state, self.workshop.limit)
        if wrong:
            self._refuse([*wrong, "The plots still show the last state that was valid."])
            return
        began = time.perf_counter()
        try:
            view = self.workshop.view(state)
        except NotReadyError:
            self._wait()
            return
        except ScintscopeError as error:
            self._refuse([str(error)])
            return
        self._show(view, state)
        self._speed(curves=time.perf_counter() - began)

    def _show(self, view: View, state: State) -> None:
        self.view, self.waiting = view, False
        self.workshop.tables.jobs.calm()
        if self.marked is None:
            self._mark()
        marked = view if self.marked is None else self.marked
        keys = changes(self.workshop.base, state)
        plots.fill(self.data, view.plates)
        self.numbers.object = words.table(view.plates, marked.plates)
        self.changed.object = words.changed(keys)
        self._say("advice" if view.fine else "wait", [*self._rough(view), *advice(state)], keys)
        self._images_later()

    def _rough(self, view: View) -> list[str]:
        """Return a sentence where finer tables are still to come."""
        if view.fine:
            return []
        left = self.workshop.tables.jobs.time_left(Rank.FINE)
        return [f"Rough for now, to about 1 %: tables of more thicknesses follow{left}."]

    def _wait(self) -> None:
        """Say that tables are being made."""
        self.waiting = True
        jobs = self.workshop.tables.jobs
        last = Rank.COMPILED if self.view is None else Rank.ROUGH
        status = jobs.status(last) or "starting"
        self._say("wait", [f"Making tables, once: {status}. The plots follow when they are there."])

    def _refuse(self, sentences: list[str]) -> None:
        self.waiting = False
        self._say("problem", sentences)

    def _dirty(self) -> None:
        """Ask for a refresh; many changes at once make one."""
        document = pn.state.curdoc
        if document is None:
            self.refresh()
        elif not self._pending:
            self._pending = True
            document.add_next_tick_callback(self.refresh)

    def _images_later(self) -> None:
        """Draw the images when the sliders rest."""
        document = pn.state.curdoc
        if document is None:
            self.draw_images()
            return
        if self._image_call is not None:
            document.remove_timeout_callback(self._image_call)
        self._image_call = document.add_timeout_callback(self.draw_images, _REST_MS)

    def draw_images(self) -> None:
        """Draw the three images of the state shown."""
        self._image_call = None
        if self.view is None:
            return
        began = time.perf_counter()
        plots.fill_images(self.images, thumbnails(self.view, self._star, self._absorbers))
        self._speed(images=time.perf_counter() - began)

    def _mark(self) -> None:
        if self.view is None:
            return
        self.marked = self.view
        plots.fill(self.data, self.view.plates, marked=True)
        self.numbers.object = words.table(self.view.plates, self.view.plates)

    def _file(self) -> io.BytesIO:
        """Return the state as a scenario file."""
        scenario = scenario_of(self.workshop.base, self.controls.state())
        return io.BytesIO(scenario.to_toml().encode())

    def _say(self, kind: str, sentences: list[str], keys: list[str] | None = None) -> None:
        """Show sentences, and tell the browser's document after all else what it now shows."""
        text = words.notice(kind, sentences)
        if text != self.notice.object:
            self.notice.object = text
        plots.tell(self.data, keys, " ".join(sentences))

    def _speed(self, **seconds: float) -> None:
        times: dict[str, float] = getattr(self, "_times", {}) | seconds
        self._times: Mapping[str, float] = times
        said = ", ".join(f"{name} {1e3 * value:.0f} ms" for name, value in times.items())
        self.speed.object = f'<p class="sentence">Computed on this machine: {said}.</p>'


def _html(text: str) -> Any:
    return pn.pane.HTML(text, stylesheets=[words.BLOCK_STYLE], sizing_mode="stretch_width")


def _sentence(text: str, width: int | None = None) -> Any:
    size = {"sizing_mode": "stretch_width"} if width is None else {"width": width}
    return pn.pane.HTML(f'<p class="sentence">{text}</p>', stylesheets=[words.BLOCK_STYLE], **size)
