"""What stands in the beam: recipes, their thickness maps, and the X-rays they let through."""

from scintscope.sample.build import build_specimen
from scintscope.sample.layout import TargetLayout, target_layout
from scintscope.sample.specimen import Specimen, SpecimenRecipe
from scintscope.sample.transmission import fresnel_warning, group_images, transmission

__all__ = [
    "Specimen",
    "SpecimenRecipe",
    "TargetLayout",
    "build_specimen",
    "fresnel_warning",
    "group_images",
    "target_layout",
    "transmission",
]
