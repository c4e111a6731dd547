"""The command ``explore``: a local page with sliders."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from scintscope.cli.common import ScenarioFile, Sets, app, load


@app.command
def explore(
    scenario: ScenarioFile,
    /,
    *,
    port: Annotated[int, Parameter(name="--port", help="0: any free one; it is printed.")] = 0,
    show: Annotated[
        bool, Parameter(name="--show", help="Open the page in the browser, or only print where.")
    ] = True,
    materials: Annotated[
        tuple[str, ...],
        Parameter(
            name="--material",
            negative="",
            show_default=False,
            help="Scintillator offered besides the scenario's own; repeatable. Default: YAG:Ce, "
            "LuAG:Ce, GAGG:Ce, GGG:Eu.",
        ),
    ] = (),
    sets: Sets = (),
) -> None:
    """Open a page with sliders for thickness, NA, focus, voltage, filter, exposure, material."""
    from scintscope.explore.serve import serve

    base = load(scenario, sets, None)
    serve(base, port, show, lambda text: print(text, flush=True), materials or None)
