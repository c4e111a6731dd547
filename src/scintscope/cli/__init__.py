"""The command line. Thin: every command reads its arguments and calls one function.

A module of this package holds the commands of one subject and registers them on `common.app` when
it is imported here. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence

from cyclopts import CycloptsError

from scintscope.cli import audit, dataset, design, explore, lookup, measured, simulation, validate
from scintscope.cli.common import app, tell
from scintscope.errors import InputError, ScintscopeError
from scintscope.memory import keep_freed_memory
from scintscope.threads import fix_threads

__all__ = [
    "app",
    "audit",
    "dataset",
    "design",
    "explore",
    "lookup",
    "main",
    "measured",
    "simulation",
    "validate",
]

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    tell(f"note: {message}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str or None
        What follows ``scintscope``; None takes the process's own.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:  # the process is ours
        keep_freed_memory()
        fix_threads()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            app(tokens, exit_on_error=False, print_error=False)
            sys.stdout.flush()
        except CycloptsError as error:
            tell(f"scintscope: {error}\nSee scintscope --help.")
            return EXIT_BAD_INPUT
        except InputError as error:
            tell(f"scintscope: {error}")
            return EXIT_BAD_INPUT
        except BrokenPipeError:
            # The reader of stdout has gone (scintscope schema | head): nothing left to say.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (ScintscopeError, OSError, MemoryError) as error:
            tell(f"scintscope: {type(error).__name__}: {error}")
            return EXIT_FAILED
        except KeyboardInterrupt:
            tell("scintscope: interrupted; nothing was left under the output's final name.")
            return EXIT_INTERRUPTED
    return 0
