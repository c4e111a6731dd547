"""From a recipe to material maps."""

from __future__ import annotations

from scintscope.grids import Grid
from scintscope.sample.bodies import draw_fibres, draw_foam, draw_spheres
from scintscope.sample.fish import draw_fish
from scintscope.sample.layout import target_layout
from scintscope.sample.packings import Fibres, Foam, Spheres
from scintscope.sample.specimen import Fish, ImageSpecimen, Specimen, SpecimenRecipe
from scintscope.sample.targets import draw_layout
from scintscope.sample.user_image import image_coverage


def build_specimen(recipe: SpecimenRecipe, grid: Grid) -> Specimen:
    """Return the thickness maps of a specimen or target.

    Parameters
    ----------
    recipe : SpecimenRecipe
        What it is.
    grid : Grid
        Fine grid in the sample plane, centred on the optical axis.

    Returns
    -------
    Specimen
        One map per material. A pixel holds the mean thickness over its square; the transmission
        of a partly covered pixel is thus that of the mean thickness.

    Raises
    ------
    InputError, SamplingError, DataError
        When the grid cannot hold the recipe, or an image cannot be used.
    """
    if isinstance(recipe, Fish):
        return Specimen(thickness_um=draw_fish(recipe, grid), pixel_um=grid.pixel_um)
    if isinstance(recipe, Foam):
        relative = draw_foam(recipe, grid)
    elif isinstance(recipe, Spheres):
        relative = draw_spheres(recipe, grid)
    elif isinstance(recipe, Fibres):
        relative = draw_fibres(recipe, grid)
    elif isinstance(recipe, ImageSpecimen):
        relative = image_coverage(recipe, grid)
        relative *= recipe.max_thickness_um
    else:
        relative = draw_layout(target_layout(recipe, grid), grid)
        relative *= recipe.thickness_um
    return Specimen(thickness_um={recipe.material: relative}, pixel_um=grid.pixel_um)
