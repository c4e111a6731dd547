"""A server for the page on this machine alone; nothing is fetched from elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import panel as pn
from panel.io.resources import LOCAL_DIST

from scintscope.errors import InputError
from scintscope.explore import words
from scintscope.explore.page import Page
from scintscope.explore.state import limits
from scintscope.explore.tables import fitting
from scintscope.explore.workshop import Workshop
from scintscope.progress import progress
from scintscope.scenario import Scenario

ADDRESS = "127.0.0.1"
_POLL_MS = 400


def free_port(port: int) -> int:
    """Return the port, or any free one for 0.

    Raises
    ------
    InputError
        If another program uses it.
    """
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            raise InputError(
                f"--port {port} cannot be used ({error.strerror}). Choose another, or 0 for any "
                "free one."
            ) from error
        return int(trial.getsockname()[1])


def serve(
    base: Scenario,
    port: int,
    show: bool,
    say: Callable[[str], None],
    materials: tuple[str, ...] | None = None,
) -> None:
    """Serve the page until interrupted.

    Parameters
    ----------
    base : Scenario
        Where the sliders start.
    port : int
        0: any free one.
    show : bool
        Whether to open it in the browser.
    say : callable
        Told the address.
    materials : tuple of str, optional
        Scintillators offered besides the scenario's own.
    """
    wanted = limits(base) if materials is None else limits(base, materials)
    limit = fitting(base, wanted)
    chosen = free_port(port)
    workshop = Workshop(base, limit)
    workshop.start(progress)
    pn.extension(raw_css=[words.STYLE])
    say(f"http://{ADDRESS}:{chosen}/ (stop with Ctrl-C)")
    pn.serve(
        {"/": lambda: session(workshop)},
        port=chosen,
        address=ADDRESS,
        websocket_origin=[f"{ADDRESS}:{chosen}", f"localhost:{chosen}"],
        show=show,
        title=f"scintscope explore: {base.name}",
        verbose=False,
    )


def session(workshop: Workshop) -> Any:
    """Return the page of one visitor.

    Panel puts the address of its styles right when it renders the page, and leaves a public
    address in documents that it makes afterwards: those of browsers that connect so late, or again,
    that their session has been forgotten. So it is said here, before any style is made.
    """
    if pn.state.curdoc is not None:
        pn.state.curdoc.template_variables["dist_url"] = LOCAL_DIST
    page = Page(workshop)
    layout = page.layout()
    pn.state.onload(page.refresh)
    pn.state.add_periodic_callback(page.poll, period=_POLL_MS)
    return layout
