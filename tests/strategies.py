"""Shared hypothesis strategies: instruments as users will try them, kept cheap."""

from hypothesis import strategies as st

from scintscope.materials import SCINTILLATORS, scintillator

scintillators = st.sampled_from(sorted(SCINTILLATORS)).map(scintillator)
energies_kev = st.floats(5.0, 120.0)
thicknesses_um = st.floats(0.5, 1000.0)
apertures = st.floats(0.05, 0.6)
indices = st.floats(1.3, 2.2)
shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))
