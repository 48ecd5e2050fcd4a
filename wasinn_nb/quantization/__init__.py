"""Models in INT8, and what that costs."""

from wasinn_nb.quantization.losses import ClassLoss, Interval
from wasinn_nb.quantization.quantizing import quantize
from wasinn_nb.quantization.result import Quantization

__all__ = ["ClassLoss", "Interval", "Quantization", "quantize"]
