"""One instance of every public class, as a person holds it in a notebook."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import quantized
import toys
import wasmtime
from hosting import command
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.host import GuestMemory
from wasinn_nb.origin import Origin

FURTHER = {
    "GuestExitError": {"exit_code": 3},
    "TooLargeError": {"needed": 64},
}


def instances(folder: Path) -> dict[str, object]:
    """Make the instances; *folder* takes the model that they belong to."""
    model = toys.brightest_channel(Path(folder) / "toy.xml")
    image = np.zeros((4, 6, 3), np.uint8)
    pipeline = wn.Pipeline(model)
    result = pipeline(image)
    tensor = wn.image_to_tensor(image, pipeline.recipe)
    card = wn.ModelCard("toy", "classification", classes=("a", "b"))
    classified = wn.ClassificationResult(np.float32([0.5, 0.5]), card, Origin("toy"))
    store = wasmtime.Store()
    memory = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(1, None)))
    with wn.WasiNnCtx() as context:
        handle = context.init_execution_context(context.load(model))
        context.set_input(handle, 0, tensor)
    file = Path(folder) / "image.png"
    Image.fromarray(image).save(file)
    predictions = wn.predict([file], model, Path(folder) / "store", progress=False)
    made = [
        *(getattr(errors, name)("why", **FURTHER.get(name, {})) for name in errors.__all__),
        wn.Errno.BUSY,
        wn.ExecutionTarget.CPU,
        wn.Explorer(model, image),
        wn.Gallery(predictions),
        wn.GraphEncoding.ONNX,
        wn.ImagePicker(),
        wn.MaskViewer(result),
        wn.ModelPicker(),
        wn.TargetPicker(),
        wn.TensorType.F32,
        wn.Verdict.SAME,
        wn.bundle(model, Path(folder) / "bundle", image),
        wn.bench(pipeline, image, rounds=3, progress=False),
        wn.compare(result, result),
        wn.describe(model),
        wn.diagnose(tensor, image, recipe=pipeline.recipe),
        wn.evaluate([classified], [0]),
        wn.evaluate(result.labels, result.labels, classes=3),
        wn.model(model),
        wn.portability(context.trace),
        predictions,
        predictions.compare(predictions),
        quantized.layer_comparison(),
        quantized.quantization(model, image),
        wn.run_guest(command("(call $exit (i32.const 0))")),
        GuestMemory(memory, store),
        card,
        classified,
        context,
        context.trace,
        pipeline,
        pipeline.recipe,
        result,
        result.digest(),
        tensor,
    ]
    return {type(one).__name__: one for one in made}
