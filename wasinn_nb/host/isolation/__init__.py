"""Processes of their own for guests: started, restricted, watched, and talked to."""

from wasinn_nb.host.isolation.environment import helper_environment, import_path, own_settings
from wasinn_nb.host.isolation.frames import Frame, FrameError, read_frame, write_frame
from wasinn_nb.host.isolation.helpers import IDLE_SECONDS, Helper, prepare_spare, take_helper
from wasinn_nb.host.isolation.lending import Lender, borrowed
from wasinn_nb.host.isolation.limits import allowed_memory, become_helper
from wasinn_nb.host.isolation.sandbox import enter, files_of
from wasinn_nb.host.isolation.watch import Limit, Watch

__all__ = [
    "IDLE_SECONDS",
    "Frame",
    "FrameError",
    "Helper",
    "Lender",
    "Limit",
    "Watch",
    "allowed_memory",
    "become_helper",
    "borrowed",
    "enter",
    "files_of",
    "helper_environment",
    "import_path",
    "own_settings",
    "prepare_spare",
    "read_frame",
    "take_helper",
    "write_frame",
]
