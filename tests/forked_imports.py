"""What `forked` has imported, and put together, before it forks."""

import openvino  # noqa: F401

import wasinn_nb.host.guest
import wasinn_nb.pipeline  # noqa: F401
from wasinn_nb.cli import program

VERBS = program.app.group
