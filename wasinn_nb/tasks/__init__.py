"""What models are for: each task reads a model's outputs and makes results of them."""

from wasinn_nb.tasks.base import Reading, Result, Task
from wasinn_nb.tasks.registry import task, task_for, task_of_outputs, tasks

__all__ = ["Reading", "Result", "Task", "task", "task_for", "task_of_outputs", "tasks"]
