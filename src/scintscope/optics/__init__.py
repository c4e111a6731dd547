"""Optics: wavefront, transfer function, focus and depth of field of the objective."""
