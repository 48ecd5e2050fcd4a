"""What a model is, before it runs."""

from wasinn_nb.inspection.code import given_card, given_recipe, path_of
from wasinn_nb.inspection.describing import describe
from wasinn_nb.inspection.description import ModelDescription

__all__ = ["ModelDescription", "describe", "given_card", "given_recipe", "path_of"]
