"""Model cards: what is known of a model, and what its file says of itself, without a runtime."""

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.formats import content_of, encoding_of
from wasinn_nb.cards.image_input import ImageInput, image_input, recipe_for
from wasinn_nb.cards.integrity import checked_encoding, checked_files
from wasinn_nb.cards.modelfile import ModelFile
from wasinn_nb.cards.modelpath import (
    CARD_SUFFIX,
    ENCODINGS,
    FOLDER_CARD,
    WEIGHTS,
    as_name,
    card_path,
    check_whole,
    encoding_by_suffix,
    existing_model,
    is_model_file,
    is_saved_model,
    main_path,
    model_files,
    model_stem,
    saved_model_files,
)
from wasinn_nb.cards.operations import BOUNDED, UNBOUNDED, operation_behind, standard_name
from wasinn_nb.cards.palette import RGB, checked_palette, distinct_palette
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.cards.stated import Stated, stated
from wasinn_nb.cards.tflite import custom_operations

__all__ = [
    "BOUNDED",
    "CARD_SUFFIX",
    "ENCODINGS",
    "FOLDER_CARD",
    "RGB",
    "UNBOUNDED",
    "WEIGHTS",
    "ImageInput",
    "ModelCard",
    "ModelFile",
    "Port",
    "Signature",
    "Stated",
    "as_name",
    "card_path",
    "check_whole",
    "checked_encoding",
    "checked_files",
    "checked_palette",
    "content_of",
    "custom_operations",
    "distinct_palette",
    "encoding_by_suffix",
    "encoding_of",
    "existing_model",
    "image_input",
    "is_model_file",
    "is_saved_model",
    "main_path",
    "model_files",
    "model_stem",
    "operation_behind",
    "port_of",
    "recipe_for",
    "saved_model_files",
    "standard_name",
    "stated",
]
