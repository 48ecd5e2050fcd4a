"""Models for contexts, and how a context runs one."""

import numpy as np

from wasinn_nb.tensor import Tensor

TWO = Tensor.from_array(np.array([[-1, 2]], np.float32))


def run(ctx, model, *tensors, encoding="autodetect", outputs=1):
    """Do the five calls and return the outputs."""
    graph = ctx.load(model, encoding, "CPU")
    context = ctx.init_execution_context(graph)
    for index, tensor in enumerate(tensors):
        ctx.set_input(context, index, tensor)
    ctx.compute(context)
    return [ctx.get_output(context, index) for index in range(outputs)]


def values(tensor):
    return tensor.to_array().tolist()


def _ready(ctx, model):
    context = ctx.init_execution_context(ctx.load(model, "openvino", "CPU"))
    ctx.set_input(context, 0, TWO)
    ctx.compute(context)
    return context


def _fresh(ctx, model):
    return ctx.init_execution_context(ctx.load(model, "openvino", "CPU"))


def _set(ctx, model, tensor, index=0):
    ctx.set_input(_fresh(ctx, model), index, tensor)
