"""A page with sliders: what thickness, NA, focus, voltage and the rest do, at once."""
