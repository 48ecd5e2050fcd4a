//! Resizes as `resize_exact(width, height, FilterType::Triangle)` of the `image` crate does from 0.24 on, bit for bit.
//!
//! For each axis, in f32: `ratio = in / out`; `s = max(1, ratio)`. Output `o` has its center at `c = (o + 0.5) * ratio`
//! and reads the inputs from `clamp(floor(c - s), 0, in - 1)` up to, not including, `clamp(ceil(c + s), left + 1, in)`,
//! input `i` with weight `max(0, 1 - |(i - (c - 0.5)) / s|)`, divided by the sum of the weights. Rows first, then columns.

/// A sample of an image.
pub trait Sample: Copy {
    const MOST: f32;
    fn to_f32(self) -> f32;
    fn from_f32(value: f32) -> Self;
}

impl Sample for u8 {
    const MOST: f32 = 255.0;
    fn to_f32(self) -> f32 {
        f32::from(self)
    }
    fn from_f32(value: f32) -> Self {
        value as Self
    }
}

impl Sample for u16 {
    const MOST: f32 = 65_535.0;
    fn to_f32(self) -> f32 {
        f32::from(self)
    }
    fn from_f32(value: f32) -> Self {
        value as Self
    }
}

/// What one output reads: inputs from `left` on, with these weights.
struct Taps {
    left: usize,
    weights: Vec<f32>,
}

fn taps(inputs: usize, outputs: usize) -> Vec<Taps> {
    let ratio = inputs as f32 / outputs as f32;
    let support = ratio.max(1.0);
    let one = |output: usize| {
        let center = (output as f32 + 0.5) * ratio;
        let left = ((center - support).floor() as i64).clamp(0, inputs as i64 - 1);
        let right = ((center + support).ceil() as i64).clamp(left + 1, inputs as i64);
        let mut weights: Vec<f32> = (left..right)
            .map(|i| (1.0 - ((i as f32 - (center - 0.5)) / support).abs()).max(0.0))
            .collect();
        // Summed in the order of the inputs.
        let sum = weights.iter().fold(0.0, |sum: f32, weight| sum + weight);
        for weight in &mut weights {
            *weight /= sum;
        }
        Taps {
            left: left as usize,
            weights,
        }
    };
    (0..outputs).map(one).collect()
}

/// Resizes rows of pixels with `channels` samples each, from `from` to `to`: (height, width).
pub fn resize<T: Sample>(samples: &[T], channels: usize, from: (usize, usize), to: (usize, usize)) -> Vec<T> {
    let row = from.1 * channels;
    let columns = taps(from.1, to.1);
    let mut result = Vec::with_capacity(to.0 * to.1 * channels);
    let mut between = vec![0f32; row];
    for tap in taps(from.0, to.0) {
        for (k, weight) in tap.weights.iter().enumerate() {
            let source = &samples[(tap.left + k) * row..][..row];
            if k == 0 {
                for (sum, sample) in between.iter_mut().zip(source) {
                    *sum = sample.to_f32() * weight;
                }
            } else {
                for (sum, sample) in between.iter_mut().zip(source) {
                    *sum += sample.to_f32() * weight;
                }
            }
        }
        match channels {
            1 => across::<T, 1>(&between, &columns, &mut result),
            2 => across::<T, 2>(&between, &columns, &mut result),
            3 => across::<T, 3>(&between, &columns, &mut result),
            _ => across::<T, 4>(&between, &columns, &mut result),
        }
    }
    result
}

/// Resizes one row, and rounds it: half away from zero.
fn across<T: Sample, const C: usize>(row: &[f32], columns: &[Taps], result: &mut Vec<T>) {
    for tap in columns {
        let mut sums = [0f32; C];
        for (pixel, weight) in row[tap.left * C..].chunks_exact(C).zip(&tap.weights) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += value * weight;
            }
        }
        result.extend(sums.map(|sum| T::from_f32(sum.clamp(0.0, T::MOST).round())));
    }
}
