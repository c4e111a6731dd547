"""The command for measured images: restore."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from scintscope.cli.common import Json, Sets, app, say
from scintscope.errors import InputError

if TYPE_CHECKING:
    from scintscope.scenario import RestoreSettings

Frames = Annotated[
    str | None, Parameter(help="Multi-page TIFF (frame, row, column), or a quoted glob of files.")
]


@app.command
def restore(
    *,
    thin: Annotated[str, Parameter(help="Target on the thin plate: TIFF stack or quoted glob.")],
    thin_background: Annotated[str, Parameter(help="The thin plate without target.")],
    thick: Annotated[str, Parameter(help="Target on the thick plate.")],
    thick_background: Annotated[str, Parameter(help="The thick plate without target.")],
    specimen: Frames = None,
    specimen_background: Frames = None,
    dark: Frames = None,
    flat: Frames = None,
    pixel_um_sensor: Annotated[float | None, Parameter(help="Pixel pitch on the sensor.")] = None,
    magnification: Annotated[float | None, Parameter(help="Of the lens.")] = None,
    config: Annotated[Path | None, Parameter(help="TOML with [restoration], [images].")] = None,
    out: Annotated[Path, Parameter(name="--out", help="Output folder.")],
    sets: Sets = (),
    json: Json = False,
) -> None:
    """Estimate the PSF from measured stacks and restore the thick plate's images."""
    if specimen_background is not None and specimen is None:
        raise InputError("--specimen-background has no --specimen to go with. Give both.")
    given = {
        "thin": thin,
        "thin_background": thin_background,
        "thick": thick,
        "thick_background": thick_background,
        "specimen": specimen,
        "specimen_background": specimen_background,
        "dark": dark,
        "flat": flat,
    }
    files = {name: value for name, value in given.items() if value is not None}
    settings = _restore_settings(config, sets, pixel_um_sensor, magnification)
    from scintscope.measured import restore_files
    from scintscope.progress import progress

    say(restore_files(files, settings, out, progress), json)


def _restore_settings(
    config: Path | None,
    sets: Sequence[str],
    pixel_um_sensor: float | None,
    magnification: float | None,
) -> RestoreSettings:
    from scintscope.scenario import load_restore_settings

    scale = {"pixel_um_sensor": pixel_um_sensor, "magnification": magnification}
    typed = [f"images.{key}={value}" for key, value in scale.items() if value is not None]
    return load_restore_settings(config, (*typed, *sets))
