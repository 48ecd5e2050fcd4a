//! Reads what is known of the model: `bundle.json`, `recipe.json` and the model's card.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::model::{Color, Fit, Layout, Output, Recipe, Settings, Values};
use crate::wasi_nn::{GraphEncoding, TensorType};

/// Reads the settings of a bundle from its folder.
pub fn settings(folder: &Path) -> Result<Settings, String> {
    let bundle = Json::read(folder, "bundle.json")?;
    let recipe = Json::read(folder, "recipe.json")?;
    let output = bundle.field("output")?;
    let card = Json::read(folder, bundle.field("card")?.text()?)?;
    let read = output_of(&output)?;
    Ok(Settings {
        name: plain_name(card.field("name")?.text()?)?,
        encoding: bundle.field("encoding")?.one_of(&[
            ("openvino", GraphEncoding::OpenVino),
            ("onnx", GraphEncoding::Onnx),
            ("tensorflow", GraphEncoding::TensorFlow),
            ("tensorflowlite", GraphEncoding::TensorFlowLite),
        ])?,
        files: bundle.field("model")?.texts()?,
        recipe: recipe_of(&recipe)?,
        recipe_json: recipe.value.to_string(),
        classes: class_names(
            card.optional("classes").map_or(Ok(Vec::new()), |names| names.texts())?,
            &read,
        ),
        output: read,
        image: bundle.field("image")?.text()?.to_owned(),
    })
}

/// Names for all classes: of a model of one class what is not of it comes first.
fn class_names(mut names: Vec<String>, output: &Output) -> Vec<String> {
    let count = match output.values {
        Values::OneClass { .. } | Values::OneClassByValues { .. } => {
            if names.len() < 2 {
                let name = names.pop().unwrap_or_else(|| "foreground".to_owned());
                return vec!["background".to_owned(), name];
            }
            2
        }
        Values::Labels if names.is_empty() => 256,
        Values::Labels => names.len(),
        _ => output.planes[0],
    };
    (names.len()..count).for_each(|index| names.push(format!("class {index}")));
    names
}

/// The name goes into JSON as it is.
fn plain_name(name: &str) -> Result<String, String> {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        Ok(name.to_owned())
    } else {
        Err("the card's name: expected letters, digits, '.', '_' and '-'".to_owned())
    }
}

fn recipe_of(json: &Json) -> Result<Recipe, String> {
    let color = json.field("color")?.one_of(&[
        ("BGR", Color::Bgr),
        ("RGB", Color::Rgb),
        ("GRAY", Color::Gray),
        ("RGBA", Color::Rgba),
        ("BGRA", Color::Bgra),
    ])?;
    let tensor_type = json.field("type")?.one_of(&[
        ("u8", TensorType::U8),
        ("f16", TensorType::F16),
        ("f32", TensorType::F32),
    ])?;
    json.field("resize")?.one_of(&[("triangle", ())])?;
    let [low, high] = json.field("range")?.numbers::<2>(2)?;
    let quantization = json.optional("quantization").map(|pair| pair.pair()).transpose()?;
    let recipe = Recipe {
        height: json.field("height")?.whole(1, 65_535)?,
        width: json.field("width")?.whole(1, 65_535)?,
        layout: json.field("layout")?.one_of(&[
            ("NCHW", Layout::Nchw),
            ("NHWC", Layout::Nhwc),
            ("CHW", Layout::Chw),
            ("HWC", Layout::Hwc),
        ])?,
        color,
        tensor_type,
        range: [low, high],
        mean: json.field("mean")?.numbers(color.channels())?,
        scale: json.field("scale")?.numbers(color.channels())?,
        quantization,
        fit: json.optional("fit").map_or(Ok(Fit::Stretch), |fit| {
            fit.one_of(&[
                ("stretch", Fit::Stretch),
                ("letterbox", Fit::Letterbox),
                ("crop", Fit::Crop),
            ])
        })?,
        pad_value: json.optional("pad_value").map_or(Ok(0), |level| level.whole(0, 255))? as u8,
        apply_exif: json.field("exif")?.one_of(&[("ignore", false), ("apply", true)])?,
    };
    let scale = &recipe.scale[..color.channels()];
    if scale.contains(&0.0) {
        return Err(format!(
            "{}: scale: expected numbers to divide by, got {scale:?}",
            json.name
        ));
    }
    let plain = recipe.range == [0.0, 255.0] && recipe.mean == [0.0; 4] && scale.iter().all(|&one| one == 1.0);
    if tensor_type == TensorType::U8 && quantization.is_none() && !plain {
        return Err(format!(
            "{}: a u8 input takes range, mean and scale with a quantization only",
            json.name
        ));
    }
    Ok(recipe)
}

fn output_of(json: &Json) -> Result<Output, String> {
    let threshold = json.optional("threshold").map_or(Ok(0.5), |number| number.number())?;
    let output = Output {
        index: json.field("index")?.whole(0, 1 << 16)? as u32,
        dimensions: json.field("dimensions")?.sizes()?,
        tensor_type: json.field("type")?.one_of(&[
            ("f16", TensorType::F16),
            ("f32", TensorType::F32),
            ("f64", TensorType::F64),
            ("u8", TensorType::U8),
            ("i32", TensorType::I32),
            ("i64", TensorType::I64),
        ])?,
        values: json.field("values")?.one_of(&[
            ("class scores", Values::ClassScores),
            ("labels", Values::Labels),
            ("one class", Values::OneClass { threshold }),
            ("one class, by the values", Values::OneClassByValues { threshold }),
            ("probabilities", Values::Probabilities),
            ("logits", Values::Logits),
            ("by the values", Values::ByValues),
        ])?,
        planes: {
            let sizes = json.field("planes")?.sizes()?;
            <[usize; 3]>::try_from(sizes).map_err(|_| format!("{}: planes: expected three sizes", json.name))?
        },
        channels_last: json
            .field("channels_last")?
            .one_of(&[("false", false), ("true", true)])?,
        quantization: json.optional("quantization").map(|pair| pair.pair()).transpose()?,
    };
    let count = |sizes: &[usize]| {
        sizes
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size))
    };
    let (values, planes) = (count(&output.dimensions), count(&output.planes));
    // A 32-bit program cannot hold more bytes.
    if values != planes || values.map_or(true, |n| n == 0 || n > (1 << 31) / output.tensor_type.size()) {
        return Err(format!(
            "{}: output: {:?} and planes {:?} do not fit",
            json.name, output.dimensions, output.planes
        ));
    }
    Ok(output)
}

// -- checked JSON -------------------------------------------------------------------------------------------

/// A value in a file, with the name by which errors call it.
struct Json {
    name: String,
    value: Value,
}

impl Json {
    fn read(folder: &Path, name: &str) -> Result<Self, String> {
        let bytes = fs::read(folder.join(name)).map_err(|error| format!("cannot read {name}: {error}"))?;
        let value = serde_json::from_slice(&bytes).map_err(|error| format!("{name} is not valid JSON: {error}"))?;
        Ok(Self {
            name: name.to_owned(),
            value,
        })
    }

    fn expected(&self, what: &str) -> String {
        let mut got: String = self.value.to_string().chars().take(80).collect();
        if got.is_empty() {
            got = "nothing".to_owned();
        }
        format!("{}: expected {what}, got {got}", self.name)
    }

    /// A field that may be missing, or null.
    fn optional(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self {
            name: format!("{}: {key}", self.name),
            value: value.clone(),
        })
    }

    fn field(&self, key: &str) -> Result<Self, String> {
        self.optional(key)
            .ok_or_else(|| format!("{}: the field {key:?} is missing", self.name))
    }

    fn text(&self) -> Result<&str, String> {
        self.value.as_str().ok_or_else(|| self.expected("text"))
    }

    fn items(&self) -> Result<&[Value], String> {
        self.value
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| self.expected("an array"))
    }

    fn texts(&self) -> Result<Vec<String>, String> {
        let texts = self.items()?.iter().map(|item| item.as_str().map(str::to_owned));
        texts
            .collect::<Option<_>>()
            .ok_or_else(|| self.expected("an array of texts"))
    }

    fn whole(&self, least: u64, most: u64) -> Result<usize, String> {
        let number = self.value.as_u64().filter(|number| (least..=most).contains(number));
        Ok(number.ok_or_else(|| self.expected(&format!("a whole number from {least} to {most}")))? as usize)
    }

    fn sizes(&self) -> Result<Vec<usize>, String> {
        let sizes = self
            .items()?
            .iter()
            .map(|item| item.as_u64().and_then(|size| usize::try_from(size).ok()));
        sizes
            .collect::<Option<_>>()
            .ok_or_else(|| self.expected("an array of sizes"))
    }

    fn number(&self) -> Result<f32, String> {
        finite(&self.value).ok_or_else(|| self.expected("a number"))
    }

    /// So many numbers; the rest of the array is 0.
    fn numbers<const N: usize>(&self, count: usize) -> Result<[f32; N], String> {
        let numbers: Option<Vec<f32>> = self.items()?.iter().map(finite).collect();
        let numbers = numbers.filter(|numbers| numbers.len() == count);
        let numbers = numbers.ok_or_else(|| self.expected(&format!("{count} numbers")))?;
        let mut result = [0.0; N];
        result[..count].copy_from_slice(&numbers);
        Ok(result)
    }

    fn pair(&self) -> Result<(f32, f32), String> {
        let [scale, zero_point] = self.numbers::<2>(2)?;
        Ok((scale, zero_point))
    }

    fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, String> {
        let text = match &self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let found = choices.iter().find(|(name, _)| *name == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.expected(&format!("one of {}", names.join(", ")))
        })
    }
}

fn finite(value: &Value) -> Option<f32> {
    value
        .as_f64()
        .map(|number| number as f32)
        .filter(|number| number.is_finite())
}
