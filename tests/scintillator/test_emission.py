"""Light on its way out: refraction, Fresnel, the accepted cone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.scintillator.emission import (
    back_reflectance,
    collection_fraction,
    electrons_per_kev,
    fresnel_transmission,
    geometric_collection,
)
from strategies import indices
from tables import read_table


@pytest.mark.parametrize("row", read_table("optics/collection.csv"))
def test_collected_share_by_adaptive_quadrature(row):
    """The cone's share, without and with Fresnel losses, equals the tabulated integrals."""
    # six printed digits after the point
    assert float(geometric_collection(row["na"], row["index"])) == pytest.approx(
        row["geometric"], abs=6e-7
    )
    assert float(collection_fraction(row["na"], row["index"])) == pytest.approx(
        row["with_fresnel"], abs=6e-7
    )


def test_normal_incidence_transmits_4n_over_n_plus_1_squared():
    """T0 = 4 n / (n + 1)^2, and R + T = 1 with the back face's reflectance."""
    for index in (1.3, 1.82, 2.2):
        normal = float(fresnel_transmission(np.array(0.0), index))
        assert normal == pytest.approx(4.0 * index / (index + 1.0) ** 2, rel=1e-14)
        assert normal + back_reflectance("bare", index) == pytest.approx(1.0, rel=1e-14)


def test_grazing_exit_transmits_nothing():
    """At the critical angle all light is reflected."""
    sine = np.array((1.0 - 1e-14) / 1.82)
    # T goes as the root of the distance to the critical angle
    assert float(fresnel_transmission(sine, 1.82)) < 1e-5


def test_brewster_angle_loses_only_s_light():
    """At tan(i) = 1/n p-polarised light passes whole: T = 1 - r_s^2 / 2."""
    index = 1.82
    inside = np.arctan(1.0 / index)
    outside = np.arcsin(index * np.sin(inside))
    r_s = np.sin(outside - inside) / np.sin(outside + inside)
    found = float(fresnel_transmission(np.sin(inside), index))
    assert found == pytest.approx(1.0 - 0.5 * r_s**2, rel=1e-13)


@settings(deadline=None, max_examples=30)
@given(na=st.floats(0.01, 0.9), more=st.floats(1.01, 1.1), index=indices)
def test_larger_apertures_collect_more(na, more, index):
    """Collected light rises with NA, stays below the geometric share and far below one half."""
    less, greater = (
        float(collection_fraction(na, index)),
        float(collection_fraction(na * more, index)),
    )
    assert 0.0 < less < greater < float(geometric_collection(na * more, index)) < 0.5


def test_small_apertures_collect_na_squared():
    """NA^2 / (4 n^2) T0 for a small cone, with all digits."""
    na, index = 1e-5, 1.82
    expected = na**2 / (4.0 * index**2) * 4.0 * index / (index + 1.0) ** 2
    # relative next term NA^2 = 1e-10
    assert float(collection_fraction(na, index)) == pytest.approx(expected, rel=1e-9)


def test_back_faces():
    """Black returns nothing, a mirror all, a bare YAG face 8.7 % of the light."""
    assert back_reflectance("black", 1.836) == 0.0
    assert back_reflectance("reflective", 1.836) == 1.0
    assert back_reflectance("bare", 1.836) == pytest.approx(1.0 - 0.9131, abs=1e-4)


def test_electrons_are_the_product_of_the_chain():
    """Yield x collection x (1 + R) x lens x QE, e.g. 35 x 0.011 x 1 x 0.8 x 0.55 = 0.169."""
    assert electrons_per_kev(35.0, 0.011, 0.0, 0.8, 0.55) == pytest.approx(0.1694)
    assert electrons_per_kev(35.0, 0.011, 1.0, 0.8, 0.55) == pytest.approx(2 * 0.1694)
