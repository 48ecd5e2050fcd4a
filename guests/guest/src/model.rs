//! What is known of a model: how an image becomes its input, and what its output means.

use crate::wasi_nn::{GraphEncoding, TensorType};

/// Order of the tensor's axes. `N` is 1 where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Nchw,
    Nhwc,
    Chw,
    Hwc,
}

/// Channels of the tensor, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Bgr,
    Rgb,
    Gray,
    Rgba,
    Bgra,
}

impl Color {
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Bgr | Self::Rgb => 3,
            Self::Rgba | Self::Bgra => 4,
        }
    }

    pub fn has_alpha(self) -> bool {
        self.channels() == 4
    }
}

/// How an image of another shape is brought to the model's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Resized to exactly this size.
    Stretch,
    /// Resized to fit inside, centered, with a border.
    Letterbox,
    /// Resized to cover, and its middle taken.
    Crop,
}

/// How an image becomes the input tensor. The filter is always the `image` crate's `Triangle`.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub height: usize,
    pub width: usize,
    pub layout: Layout,
    pub color: Color,
    pub tensor_type: TensorType,
    /// Where the levels 0 and 255 go.
    pub range: [f32; 2],
    /// One number for each channel; what is left over is not used.
    pub mean: [f32; 4],
    pub scale: [f32; 4],
    /// Scale and zero point of an integer input.
    pub quantization: Option<(f32, f32)>,
    pub fit: Fit,
    /// Level of the border that `Letterbox` leaves.
    pub pad_value: u8,
    /// Whether the EXIF orientation turns the image.
    pub apply_exif: bool,
}

impl Recipe {
    /// Dimensions of the input tensor.
    pub fn dimensions(&self) -> Vec<usize> {
        let (h, w, c) = (self.height, self.width, self.color.channels());
        match self.layout {
            Layout::Nchw => vec![1, c, h, w],
            Layout::Nhwc => vec![1, h, w, c],
            Layout::Chw => vec![c, h, w],
            Layout::Hwc => vec![h, w, c],
        }
    }

    pub fn is_planar(&self) -> bool {
        matches!(self.layout, Layout::Nchw | Layout::Chw)
    }
}

/// What the values of the output are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// Segmentation: one plane of scores for each class.
    ClassScores,
    /// Segmentation: the labels themselves.
    Labels,
    /// Segmentation: one plane; a pixel above the threshold, in the output's units, belongs to the class.
    OneClass { threshold: f32 },
    /// Segmentation: one plane of probabilities, or of logits if one of them lies outside of 0 to 1.
    OneClassByValues { threshold: f32 },
    /// Classification: one probability for each class.
    Probabilities,
    /// Classification: softmax makes probabilities of them.
    Logits,
    /// Classification: probabilities if they are from 0 to 1 and add up to 1, else logits.
    ByValues,
}

/// The output that is read.
#[derive(Clone, Debug)]
pub struct Output {
    pub index: u32,
    pub dimensions: Vec<usize>,
    pub tensor_type: TensorType,
    pub values: Values,
    /// Channels, height and width; of a classifier classes, 1 and 1.
    pub planes: [usize; 3],
    pub channels_last: bool,
    /// Scale and zero point: a stored value stands for `scale * (value - zero_point)`.
    pub quantization: Option<(f32, f32)>,
}

/// All that the program has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub encoding: GraphEncoding,
    /// The model's files, in the order in which `load` takes them.
    pub files: Vec<String>,
    pub recipe: Recipe,
    /// The recipe as JSON, for the sidecars of the tensors.
    pub recipe_json: String,
    pub output: Output,
    pub classes: Vec<String>,
    /// The image to run without arguments.
    pub image: String,
}

/// Dimensions and type as the names of `.tensor` files have them: `1x3x512x896xf32`.
pub fn signature(dimensions: &[usize], tensor_type: TensorType) -> String {
    let mut text = String::new();
    for side in dimensions {
        text += &format!("{side}x");
    }
    text + tensor_type.name()
}
