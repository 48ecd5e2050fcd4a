//! What the output means: pixels of each class, or the most probable classes.

use half::f16;

use crate::model::{Output, Recipe, Settings, Values};
use crate::preprocess::Area;
use crate::wasi_nn::TensorType;

const NOT_A_NUMBER: &str = "the output holds values that are not numbers (NaN): check range, mean and scale";
/// By how much the sum of rounded probabilities may differ from 1.
const SUM_TOLERANCE: f64 = 0.02;
/// What is a whole pixel but for rounding.
const ROUNDING: f64 = 1e-6;

/// The lines that tell what the model found.
pub fn lines(bytes: &[u8], settings: &Settings, area: Area, top: usize) -> Result<Vec<String>, String> {
    let values = values_of(bytes, settings.output.tensor_type);
    if values.iter().any(|value| value.is_nan()) {
        return Err(NOT_A_NUMBER.to_owned());
    }
    let output = &settings.output;
    match output.values {
        Values::Probabilities | Values::Logits | Values::ByValues => Ok(top_classes(&values, settings, top)),
        _ => pixels_of_classes(&labels(&values, output)?, settings, area),
    }
}

/// All values as f64, which holds every one of them but large i64 exactly.
fn values_of(bytes: &[u8], tensor_type: TensorType) -> Vec<f64> {
    let items = bytes.chunks_exact(tensor_type.size());
    fn array<const N: usize>(item: &[u8]) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(item);
        bytes
    }
    match tensor_type {
        TensorType::U8 => bytes.iter().map(|&byte| f64::from(byte)).collect(),
        TensorType::F16 => items
            .map(|item| f16::from_bits(u16::from_le_bytes(array(item))).to_f64())
            .collect(),
        TensorType::F32 => items.map(|item| f64::from(f32::from_le_bytes(array(item)))).collect(),
        TensorType::F64 => items.map(|item| f64::from_le_bytes(array(item))).collect(),
        TensorType::I32 => items.map(|item| f64::from(i32::from_le_bytes(array(item)))).collect(),
        TensorType::I64 => items.map(|item| i64::from_le_bytes(array(item)) as f64).collect(),
    }
}

/// The number that a stored value stands for, in f32.
fn real(value: f64, output: &Output) -> f32 {
    match output.quantization {
        None => value as f32,
        Some((scale, zero_point)) => (value as f32 - zero_point) * scale,
    }
}

// -- segmentation -------------------------------------------------------------------------------------------

/// The label of each pixel.
fn labels(values: &[f64], output: &Output) -> Result<Vec<u8>, String> {
    let [channels, height, width] = output.planes;
    let pixels = height * width;
    let above = |threshold: f32| {
        values
            .iter()
            .map(|&value| u8::from(real(value, output) > threshold))
            .collect()
    };
    Ok(match output.values {
        Values::OneClass { threshold } => above(threshold),
        Values::OneClassByValues { threshold } => {
            let logits = values
                .iter()
                .map(|&value| real(value, output))
                .any(|v| !(0.0..=1.0).contains(&v));
            above(if logits {
                (threshold / (1.0 - threshold)).ln()
            } else {
                threshold
            })
        }
        Values::Labels => {
            let whole = values
                .iter()
                .all(|&value| (0.0..=255.0).contains(&value) && value.fract() == 0.0);
            if !whole {
                return Err("expected labels as whole numbers from 0 to 255 in the output".to_owned());
            }
            values.iter().map(|&value| value as u8).collect()
        }
        _ => {
            let at = |channel: usize, pixel: usize| {
                if output.channels_last {
                    values[pixel * channels + channel]
                } else {
                    values[channel * pixels + pixel]
                }
            };
            // The first of equal scores counts.
            let best = |pixel| (1..channels).fold(0, |best, c| if at(c, pixel) > at(best, pixel) { c } else { best });
            (0..pixels).map(|pixel| best(pixel) as u8).collect()
        }
    })
}

/// `road: 78598 pixels` for each class, without the borders of a letterbox.
fn pixels_of_classes(labels: &[u8], settings: &Settings, area: Area) -> Result<Vec<String>, String> {
    let [_, height, width] = settings.output.planes;
    let recipe: &Recipe = &settings.recipe;
    let (top, bottom) = inside(height, recipe.height, area.top, area.height);
    let (left, right) = inside(width, recipe.width, area.left, area.width);
    let mut counts = vec![0u64; settings.classes.len().max(1)];
    for row in labels.chunks_exact(width).take(bottom).skip(top) {
        for &label in &row[left..right] {
            let known = counts.len();
            match counts.get_mut(usize::from(label)) {
                Some(count) => *count += 1,
                None => {
                    return Err(format!(
                        "the output holds label {label}, the card names {known} classes"
                    ))
                }
            }
        }
    }
    let named = settings.classes.iter().zip(counts);
    Ok(named
        .map(|(name, count)| format!("{}: {count} pixel{}", inert(name), if count == 1 { "" } else { "s" }))
        .collect())
}

/// The rows, or columns, of a mask of `mask` of them that lie on the image, of `model` in the input.
fn inside(mask: usize, model: usize, first: usize, length: usize) -> (usize, usize) {
    let (offset, step) = if model % mask == 0 {
        (0.0, model as f64 / mask as f64)
    } else {
        let step = (model - 1) as f64 / (mask - 1) as f64;
        (0.5 - step / 2.0, step)
    };
    let low = ((first as f64 - offset) / step + ROUNDING).floor().max(0.0);
    let high = (((first + length) as f64 - offset) / step - ROUNDING)
        .ceil()
        .min(mask as f64);
    (low as usize, high as usize)
}

// -- classification -----------------------------------------------------------------------------------------

/// The most probable classes, in the form of WASI-NN's example guests: `1.) [401](0.7000) name`.
fn top_classes(values: &[f64], settings: &Settings, top: usize) -> Vec<String> {
    let scores: Vec<f32> = values.iter().map(|&value| real(value, &settings.output)).collect();
    let logits = match settings.output.values {
        Values::Probabilities => false,
        Values::Logits => true,
        _ => {
            let sum: f64 = scores.iter().map(|&score| f64::from(score)).sum();
            !scores.iter().all(|score| (0.0..=1.0).contains(score)) || (sum - 1.0).abs() > SUM_TOLERANCE
        }
    };
    let probabilities = if logits { softmax(&scores) } else { scores };
    // A model that gives integers has them printed as they are.
    let whole = values.iter().all(|value| value.fract() == 0.0) && values.iter().any(|&value| value > 1.0);
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    // Stable: of equal ones the lower index comes first.
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let ranked = order.into_iter().take(top).enumerate();
    ranked
        .map(|(rank, class)| {
            let name = settings.classes.get(class).map_or(String::new(), |name| inert(name));
            let value = if whole && !logits {
                format!("{:.0}", values[class])
            } else {
                format!("{:.4}", probabilities[class])
            };
            format!("{}.) [{class}]({value}) {name}", rank + 1)
        })
        .collect()
}

fn softmax(scores: &[f32]) -> Vec<f32> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = scores
        .iter()
        .map(|&score| (f64::from(score) - f64::from(highest)).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| (power / sum) as f32).collect()
}

/// Text from outside that only shows itself: what steers a terminal, or turns the direction, is escaped.
pub fn inert(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars()
        .map(|c| {
            if is_hidden(c) {
                c.escape_unicode().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}
