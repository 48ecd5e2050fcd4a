"""`guest_source`: the guest as a Cargo project with one model's constants, to start one's own."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, Final

from wasinn_nb import catalog
from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.deployment.facts import FACTS, OutputFacts
from wasinn_nb.deployment.planning import DeploymentPlan, planned
from wasinn_nb.deployment.vectors import IMAGE
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import expanded
from wasinn_nb.folders import check_new, staged
from wasinn_nb.imaging import rust_fields
from wasinn_nb.runtimes import Runtime
from wasinn_nb.wording import inert

__all__ = ["guest_source", "write_source"]

_ENCODINGS: Final = {
    "openvino": "OpenVino",
    "onnx": "Onnx",
    "tensorflow": "TensorFlow",
    "tensorflowlite": "TensorFlowLite",
}
_VALUES: Final = {
    "class scores": "ClassScores",
    "labels": "Labels",
    "one class": "OneClass {{ threshold: {threshold} }}",
    "one class, by the values": "OneClassByValues {{ threshold: {threshold} }}",
    "probabilities": "Probabilities",
    "logits": "Logits",
    "by the values": "ByValues",
}
_SETTINGS: Final = """\
//! What {name} takes and gives. wasinn-nb wrote this file; change it as you like.

use std::path::Path;

use crate::model::{{Color, Fit, Layout, Output, Recipe, Settings, Values}};
use crate::wasi_nn::{{GraphEncoding, TensorType}};

/// Names of the classes, in the order of the output's channels.
const CLASSES: [&str; {count}] = [
{classes}];

/// The recipe as JSON, for the files beside the tensors.
const RECIPE_JSON: &str = {recipe_json};

pub fn settings(_folder: &Path) -> Result<Settings, String> {{
    Ok(Settings {{
        name: {name_text}.to_owned(),
        encoding: GraphEncoding::{encoding},
        files: vec![{files}],
        recipe: Recipe {{
{recipe}        }},
        recipe_json: RECIPE_JSON.to_owned(),
        output: Output {{
{output}        }},
        classes: CLASSES.iter().map(|name| name.to_string()).collect(),
        image: {image}.to_owned(),
    }})
}}
"""
_README: Final = """\
# A guest for {name}

The general guest of wasinn-nb with the constants of this model in `src/settings.rs`. All `unsafe`
code is in `src/wasi_nn.rs`; an error names the call and the errno.

```sh
rustup target add wasm32-wasip1
cargo build --release --target wasm32-wasip1
```

The module is `target/wasm32-wasip1/release/{package}.wasm`. It reads {files} from the
folder that it is started in, and writes to the folder `out` there:

```sh
{package}.wasm [--input] [--top N] [IMAGE [OUTPUT_DIR]]
```

In a bundle, it can take the place of `guest.wasm`.
"""


def guest_source(
    model: str | os.PathLike[str] | catalog.Model | None,
    folder: str | os.PathLike[str],
    language: str = "rust",
    *,
    recipe: PartialRecipe | None = None,
    card: ModelCard | str | os.PathLike[str] | None = None,
    runtime: str | Runtime | None = None,
) -> Path:
    """Write the program of a bundle as a small Cargo project with this model's constants.

    Parameters
    ----------
    model, recipe, card, runtime
        As for :func:`bundle`.
    folder : path-like
        A new folder, or one that is empty.
    language : {"rust"}

    Returns
    -------
    Path
        Of ``src/settings.rs``, which holds the constants.

    Raises
    ------
    InvalidArgumentError, UnsupportedOperationError, UnwritableError
        As :func:`bundle`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import wasinn_nb as wn
    >>> path = wn.guest_source(None, Path(tempfile.mkdtemp(), "road"))
    >>> print(*[line for line in path.read_text().splitlines() if "color:" in line])
                color: Color::Bgr,
    """
    if language != "rust":
        raise InvalidArgumentError(f"expected language='rust', got {language!r:.80}")
    target = Path(os.path.realpath(expanded(folder, "a folder")))
    check_new(target)
    plan = planned(model, card=card, recipe=recipe, runtime=runtime)
    with staged(target, FACTS) as stage:
        write_source(plan, stage)
    return target / "src" / "settings.rs"


def write_source(plan: DeploymentPlan, folder: Path) -> None:
    """Write the project into a folder that is there."""
    (folder / "src").mkdir(parents=True)
    sources = catalog.guest_sources()
    for path in sorted((sources / "src").glob("*.rs")):
        shutil.copyfile(path, folder / "src" / path.name)
    package = re.sub(r"[^a-z0-9]+", "-", plan.card.name.lower()).strip("-")
    package = package if package[:1].isalpha() else f"guest-{package}".rstrip("-")
    manifest = (sources / "Cargo.toml").read_text(encoding="utf-8")
    texts = {
        "Cargo.toml": _manifest(manifest, package),
        "README.md": _README.format(
            name=plan.card.name,
            package=package,
            files=" and ".join(f"`{name}`" for name in plan.files),
        ),
        "src/settings.rs": _settings(plan),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _manifest(text: str, package: str) -> str:
    """Return the manifest for another package, which reads no JSON."""
    text = text.replace('name = "guest"', f'name = "{package}"', 1)
    lines = [line for line in text.splitlines() if not line.startswith(("serde_json", "# float"))]
    return "\n".join(lines) + "\n"


def _settings(plan: DeploymentPlan) -> str:
    classes = plan.reading.card.classes
    recipe = rust_fields(plan.recipe)
    return _SETTINGS.format(
        name=plan.card.name,
        count=len(classes),
        classes="".join(f"    {_text(name)},\n" for name in classes),
        recipe_json=_text(_json(plan)),
        name_text=_text(plan.card.name),
        encoding=_ENCODINGS[plan.encoding],
        files=", ".join(f"{_text(name)}.to_owned()" for name in plan.files),
        recipe=_fields(recipe),
        output=_fields(_output(plan.output)),
        image=_text(IMAGE),
    )


def _json(plan: DeploymentPlan) -> str:
    return json.dumps(plan.recipe.to_dict(), sort_keys=True)


def _output(output: OutputFacts) -> dict[str, str]:
    values = _VALUES[output["values"]].format(threshold=_number(output["threshold"]))
    quantization = "None"
    if output["quantization"] is not None:
        quantization = f"Some(({', '.join(map(_number, output['quantization']))}))"
    return {
        "index": str(output["index"]),
        "dimensions": f"vec!{output['dimensions']}",
        "tensor_type": f"TensorType::{output['type'].upper()}",
        "values": f"Values::{values}",
        "planes": str(output["planes"]),
        "channels_last": "true" if output["channels_last"] else "false",
        "quantization": quantization,
    }


def _fields(values: dict[str, str]) -> str:
    return "".join(f"            {name}: {value},\n" for name, value in values.items())


def _number(value: Any) -> str:
    return repr(float(value)) if value is not None else "0.5"


def _text(text: str) -> str:
    """Return a string literal of Rust; what cannot be seen is escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    literal = "".join(c if inert(c) == c else f"\\u{{{ord(c):x}}}" for c in escaped)
    return f'"{literal}"'
