"""How hard hypothesis tries: hundreds of cases by default, thousands where asked for.

``HYPOTHESIS_PROFILE=thorough`` multiplies what each law asks for by `THOROUGH_TIMES`; `make
validate` runs the laws so. A test's own ``max_examples`` says how many cases its cost allows; a
profile alone cannot raise it, so collected tests get their settings here.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
THOROUGH_TIMES = 20

settings.register_profile("default", deadline=None)
settings.register_profile(
    "thorough",
    deadline=None,
    max_examples=100 * THOROUGH_TIMES,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile(PROFILE)


def thorough(chosen: settings) -> settings:
    """Return a law's settings with `THOROUGH_TIMES` its cases, no deadline."""
    return settings(
        chosen,
        max_examples=chosen.max_examples * THOROUGH_TIMES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "law: a hypothesis test (set by itself)")


def pytest_collection_modifyitems(items):
    """Mark hypothesis tests as laws, so that ``-m law`` runs them alone; raise their cases."""
    raised = set()
    for item in items:
        function = getattr(item, "obj", None)
        if not getattr(function, "is_hypothesis_test", False):
            continue
        item.add_marker(pytest.mark.law)
        inner = getattr(function, "__func__", function)
        if PROFILE != "thorough" or inner in raised:
            continue
        raised.add(inner)
        own = inner._hypothesis_internal_use_settings  # has no public form; missing is an error
        inner._hypothesis_internal_use_settings = thorough(own)
