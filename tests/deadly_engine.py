"""OpenVINO, but an image whose first pixel is 66, 6, 6 ends the process that runs it."""

from __future__ import annotations

import os

from wasinn_nb.runtimes.openvino.runtime import OpenVinoContext, OpenVinoGraph, OpenVinoRuntime

MAGIC = [66, 6, 6]


class DeadlyContext(OpenVinoContext):
    def set_input(self, index, tensor):
        if tensor.to_array().reshape(-1, 3)[0, ::-1].tolist() == MAGIC:  # the model takes BGR
            os._exit(9)
        super().set_input(index, tensor)


class DeadlyRuntime(OpenVinoRuntime):
    name = "deadly"

    def load(self, *arguments, **options):
        graph = super().load(*arguments, **options)
        graph.execution_context = lambda: DeadlyContext(
            graph, OpenVinoGraph.execution_context(graph)._request
        )
        return graph
