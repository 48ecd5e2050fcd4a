"""Processes of their own for hostile work: started, restricted, watched, and talked to."""

from wasinn_nb.isolation.environment import helper_environment, own_settings, with_imports
from wasinn_nb.isolation.frames import Frame, FrameError, read_frame, write_frame
from wasinn_nb.isolation.helpers import IDLE_SECONDS, Helper, prepare_spare, take_helper
from wasinn_nb.isolation.inside import end_with, enter_helper
from wasinn_nb.isolation.lending import Lender, borrowed
from wasinn_nb.isolation.limits import allowed_memory, limit_resources
from wasinn_nb.isolation.sandbox import enter
from wasinn_nb.isolation.watch import Limit, Watch

__all__ = [
    "IDLE_SECONDS",
    "Frame",
    "FrameError",
    "Helper",
    "Lender",
    "Limit",
    "Watch",
    "allowed_memory",
    "borrowed",
    "end_with",
    "enter",
    "enter_helper",
    "helper_environment",
    "limit_resources",
    "own_settings",
    "prepare_spare",
    "read_frame",
    "take_helper",
    "with_imports",
    "write_frame",
]
