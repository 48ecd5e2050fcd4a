//! From an image to the bytes of the input tensor, as `wasinn_nb.image_to_tensor` makes them.

use half::f16;

use crate::decode::{Image, Samples};
use crate::model::{Color, Fit, Recipe};
use crate::resize::resize;
use crate::wasi_nn::TensorType;

/// Where the image lies in the input: the pixels from `top` and `left`, `height` x `width` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

/// Rounds half to even.
fn round_even(value: f64) -> f64 {
    let rounded = value.round();
    if (rounded - value).abs() == 0.5 {
        2.0 * (value / 2.0).round()
    } else {
        rounded
    }
}

/// The size that a whole image of `height` x `width` is resized to.
fn resized_size(recipe: &Recipe, height: usize, width: usize) -> (usize, usize) {
    let down = recipe.height as f64 / height as f64;
    let across = recipe.width as f64 / width as f64;
    let scale = match recipe.fit {
        Fit::Stretch => return (recipe.height, recipe.width),
        Fit::Letterbox => down.min(across),
        Fit::Crop => down.max(across),
    };
    let side = |size: usize, target: usize| {
        let scaled = round_even(size as f64 * scale) as usize;
        if recipe.fit == Fit::Letterbox {
            scaled.clamp(1, target)
        } else {
            scaled.max(target)
        }
    };
    (side(height, recipe.height), side(width, recipe.width))
}

/// Where an image of `height` x `width` lies in the input.
pub fn area_of(recipe: &Recipe, height: usize, width: usize) -> Area {
    let (rows, columns) = resized_size(recipe, height, width);
    let (height, width) = (rows.min(recipe.height), columns.min(recipe.width));
    Area {
        top: (recipe.height - height) / 2,
        left: (recipe.width - width) / 2,
        height,
        width,
    }
}

/// The bytes of the input tensor.
pub fn tensor(image: &Image, recipe: &Recipe) -> Result<Vec<u8>, String> {
    let pixels = resized_pixels(image, recipe)?;
    Ok(laid_out(&pixels, recipe))
}

// -- pixels of the model's size -----------------------------------------------------------------------------

/// Pixels of the recipe's size, fit and channels: in RGB or RGBA order, or gray.
fn resized_pixels(image: &Image, recipe: &Recipe) -> Result<Vec<u8>, String> {
    let channels = recipe.color.channels();
    let (rows, columns) = resized_size(recipe, image.height, image.width);
    if rows.max(columns) > 65_535 {
        return Err(format!(
            "to cover {}x{} pixels, the image of {}x{} would be resized to {rows}x{columns}",
            recipe.height, recipe.width, image.height, image.width
        ));
    }
    let pixels = colored(resized(image, recipe.color.has_alpha(), (rows, columns)), recipe.color);
    if recipe.fit == Fit::Stretch {
        return Ok(pixels);
    }
    let area = area_of(recipe, image.height, image.width);
    let (top, left) = ((rows - area.height) / 2, (columns - area.width) / 2);
    let mut whole = vec![recipe.pad_value; recipe.height * recipe.width * channels];
    for y in 0..area.height {
        let source = &pixels[((top + y) * columns + left) * channels..][..area.width * channels];
        whole[((area.top + y) * recipe.width + area.left) * channels..][..source.len()].copy_from_slice(source);
    }
    Ok(whole)
}

/// Resized pixels as they were decoded, with alpha only where it is wanted; and how many channels they have.
fn resized(image: &Image, with_alpha: bool, size: (usize, usize)) -> (Vec<u8>, usize) {
    let from = (image.height, image.width);
    match &image.samples {
        Samples::U16(samples) => {
            let wide = resize(samples, 1, from, size);
            let narrow = wide.into_iter().map(|value| ((u32::from(value) + 128) / 257) as u8);
            (narrow.collect(), 1)
        }
        Samples::U8(samples) if image.channels % 2 == 0 && !with_alpha => {
            let colors = image.channels - 1;
            let opaque: Vec<u8> = samples
                .chunks_exact(image.channels)
                .flat_map(|pixel| &pixel[..colors])
                .copied()
                .collect();
            (resize(&opaque, colors, from, size), colors)
        }
        Samples::U8(samples) => (resize(samples, image.channels, from, size), image.channels),
    }
}

/// The channels that a color has.
fn colored((pixels, channels): (Vec<u8>, usize), color: Color) -> Vec<u8> {
    match (channels, color.channels()) {
        (1, 3) => pixels.into_iter().flat_map(|v| [v, v, v]).collect(),
        (1, 4) => pixels.into_iter().flat_map(|v| [v, v, v, 255]).collect(),
        (2, 4) => pixels.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect(),
        (3, 1) => pixels.chunks_exact(3).map(luma).collect(),
        (3, 4) => pixels.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect(),
        _ => pixels,
    }
}

/// Rec. 709 in whole numbers, truncated, as the `image` crate's `to_luma8`.
fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
    ((2126 * red + 7152 * green + 722 * blue) / 10_000) as u8
}

// -- values -------------------------------------------------------------------------------------------------

/// Values in the order of the layout.
fn laid_out(pixels: &[u8], recipe: &Recipe) -> Vec<u8> {
    let channels = recipe.color.channels();
    let order: &[usize] = match recipe.color {
        Color::Gray => &[0],
        Color::Rgb => &[0, 1, 2],
        Color::Bgr => &[2, 1, 0],
        Color::Rgba => &[0, 1, 2, 3],
        Color::Bgra => &[2, 1, 0, 3],
    };
    // There are 256 levels: what becomes of each is computed once for each channel.
    let tables: Vec<Vec<u8>> = (0..channels).map(|channel| table(recipe, channel)).collect();
    let size = recipe.tensor_type.size();
    let mut bytes = Vec::with_capacity(pixels.len() * size);
    let mut push = |pixel: &[u8], channel: usize| {
        let level = usize::from(pixel[order[channel]]);
        bytes.extend_from_slice(&tables[channel][level * size..][..size]);
    };
    if recipe.is_planar() {
        for channel in 0..channels {
            for pixel in pixels.chunks_exact(channels) {
                push(pixel, channel);
            }
        }
    } else {
        for pixel in pixels.chunks_exact(channels) {
            for channel in 0..channels {
                push(pixel, channel);
            }
        }
    }
    bytes
}

/// The bytes of each level from 0 to 255 in one channel.
fn table(recipe: &Recipe, channel: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 * recipe.tensor_type.size());
    for level in 0..=255u8 {
        let value = value_of(level, recipe, channel);
        match recipe.tensor_type {
            TensorType::F16 => bytes.extend_from_slice(&f16::from_f32(value).to_bits().to_le_bytes()),
            TensorType::U8 => bytes.push(value as u8),
            // An image has no other type; see the settings.
            _ => bytes.extend_from_slice(&value.to_le_bytes()),
        }
    }
    bytes
}

/// What a level becomes, in f32. Steps that change nothing are left out, so that 0 to 255 stay exact.
fn value_of(level: u8, recipe: &Recipe, channel: usize) -> f32 {
    let channels = recipe.color.channels();
    let mut value = f32::from(level);
    let [low, high] = recipe.range;
    if recipe.range != [0.0, 255.0] {
        value = value / 255.0 * (high - low) + low;
    }
    if recipe.mean[..channels].iter().any(|&mean| mean != 0.0) {
        value -= recipe.mean[channel];
    }
    if recipe.scale[..channels].iter().any(|&scale| scale != 1.0) {
        value /= recipe.scale[channel];
    }
    match recipe.quantization {
        None => value,
        Some((step, zero_point)) => (round_even(f64::from(value / step)) as f32 + zero_point).clamp(0.0, 255.0),
    }
}
