"""What a file is: a model before it runs, a tensor, an image."""

from wasinn_nb.inspection.code import given_card, given_recipe, path_of
from wasinn_nb.inspection.describing import describe
from wasinn_nb.inspection.description import ModelDescription
from wasinn_nb.inspection.files import FileDescription, describe_file
from wasinn_nb.inspection.kinds import kinds_in

__all__ = [
    "FileDescription",
    "ModelDescription",
    "describe",
    "describe_file",
    "given_card",
    "given_recipe",
    "kinds_in",
    "path_of",
]
