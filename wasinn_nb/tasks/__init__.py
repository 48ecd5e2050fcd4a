"""What models are for: each task reads a model's outputs and makes results of them."""

from wasinn_nb.tasks.base import Measurable, Reading, Result, Task
from wasinn_nb.tasks.fields import how_read
from wasinn_nb.tasks.loading import near_results, saved_result, saved_results
from wasinn_nb.tasks.outputs import UnreadableError
from wasinn_nb.tasks.registry import reading_of, task, task_for, tasks
from wasinn_nb.tasks.saturation import saturated_images, saturated_row
from wasinn_nb.tasks.saving import RESULT_FORMAT, SavedFiles, saved_format

__all__ = [
    "RESULT_FORMAT",
    "Measurable",
    "Reading",
    "Result",
    "SavedFiles",
    "Task",
    "UnreadableError",
    "how_read",
    "near_results",
    "reading_of",
    "saturated_images",
    "saturated_row",
    "saved_format",
    "saved_result",
    "saved_results",
    "task",
    "task_for",
    "tasks",
]
