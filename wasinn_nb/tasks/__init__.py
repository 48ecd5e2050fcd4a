"""What models are for: each task reads a model's outputs and makes results of them."""

from wasinn_nb.tasks.base import Reading, Result, Task
from wasinn_nb.tasks.outputs import UnreadableError
from wasinn_nb.tasks.registry import reading_of, task, task_for, tasks

__all__ = [
    "Reading",
    "Result",
    "Task",
    "UnreadableError",
    "reading_of",
    "task",
    "task_for",
    "tasks",
]
