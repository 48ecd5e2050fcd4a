"""Model cards: what is known of a model, and what its file states, read without a runtime."""

from wasinn_nb.cards.assumptions import (
    DEFAULT_THRESHOLD,
    Assumption,
    assumed_classes,
    assumed_recipe,
    assumed_scores,
    assumed_threshold,
    restored_assumptions,
    statements,
)
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.checks import named_background
from wasinn_nb.cards.code import card_code, card_line, is_bare, recipe_code
from wasinn_nb.cards.conventions import clean_text
from wasinn_nb.cards.fields import CardFields
from wasinn_nb.cards.formats import content_of, encoding_of
from wasinn_nb.cards.inputs import FIVE_CALLS, ImageInput, image_input, image_inputs
from wasinn_nb.cards.integrity import checked_encoding, checked_files, companion_files
from wasinn_nb.cards.ir import quantized_key
from wasinn_nb.cards.metadata import Stated, check_with_weights, stated
from wasinn_nb.cards.modelfile import ModelFile, precision_with
from wasinn_nb.cards.modelpath import (
    CARD_SUFFIX,
    ENCODINGS,
    FOLDER_CARD,
    WEIGHTS,
    as_name,
    card_path,
    encoding_by_suffix,
    existing_model,
    is_model_file,
    is_saved_model,
    main_path,
    model_files,
    model_stem,
    path_text,
    saved_model_files,
)
from wasinn_nb.cards.onnx_file import with_weights_inside
from wasinn_nb.cards.onnx_layers import OnnxLayers, given_name
from wasinn_nb.cards.operations import BOUNDED, UNBOUNDED, operation_behind, standard_name
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.cards.recipes import PartialRecipe, partial_fields, recipe_for
from wasinn_nb.cards.tflite import custom_operations
from wasinn_nb.cards.unnamed import UNNAMED_CLASS, unnamed_class, unnamed_classes

__all__ = [
    "BOUNDED",
    "CARD_SUFFIX",
    "DEFAULT_THRESHOLD",
    "ENCODINGS",
    "FIVE_CALLS",
    "FOLDER_CARD",
    "UNBOUNDED",
    "UNNAMED_CLASS",
    "WEIGHTS",
    "Assumption",
    "CardFields",
    "ImageInput",
    "ModelCard",
    "ModelFile",
    "OnnxLayers",
    "PartialRecipe",
    "Port",
    "Signature",
    "Stated",
    "as_name",
    "assumed_classes",
    "assumed_recipe",
    "assumed_scores",
    "assumed_threshold",
    "card_code",
    "card_line",
    "card_path",
    "check_with_weights",
    "checked_encoding",
    "checked_files",
    "clean_text",
    "companion_files",
    "content_of",
    "custom_operations",
    "encoding_by_suffix",
    "encoding_of",
    "existing_model",
    "given_name",
    "image_input",
    "image_inputs",
    "is_bare",
    "is_model_file",
    "is_saved_model",
    "main_path",
    "model_files",
    "model_stem",
    "named_background",
    "operation_behind",
    "partial_fields",
    "path_text",
    "port_of",
    "precision_with",
    "quantized_key",
    "recipe_code",
    "recipe_for",
    "restored_assumptions",
    "saved_model_files",
    "standard_name",
    "stated",
    "statements",
    "unnamed_class",
    "unnamed_classes",
    "with_weights_inside",
]
