"""What the server of the page sends, without a browser."""

from __future__ import annotations

import json
import socket

import pytest
from panel.io.application import build_applications
from panel.io.resources import LOCAL_DIST

from explore_scenes import small_scenario
from scintscope.errors import InputError
from scintscope.explore.serve import ADDRESS, free_port, session
from scintscope.explore.state import limits
from scintscope.explore.workshop import Workshop


def test_a_session_names_no_other_server() -> None:
    """A document not yet put into a page asks for its styles here, nothing from elsewhere.

    Such a one is sent when a browser connects so late, or again, that the server has forgotten the
    session that the page was made for.
    """
    base = small_scenario()
    idle = Workshop(base, limits(base, ("YAG:Ce",)))
    application = build_applications({"/": lambda: session(idle)})["/"]
    sent = json.dumps(application.create_document().to_json(), default=str)
    assert LOCAL_DIST in sent
    assert "https://" not in sent
    assert "http://" not in sent


def test_port_in_use_is_refused() -> None:
    """A port that another program listens on is refused with the remedy; 0 finds a free one."""
    assert free_port(0) > 0
    with socket.socket() as other:
        other.bind((ADDRESS, 0))
        other.listen()
        with pytest.raises(InputError, match="Choose another, or 0"):
            free_port(other.getsockname()[1])
