//! Road segmentation with OpenVINO through WASI-NN.
//!
//! ```text
//! roadseg.wasm MODEL.xml MODEL.bin IMAGE [OUTPUT_DIR]
//! ```
//!
//! Resizes a JPEG or PNG image, runs `road-segmentation-adas-0001` (or a model with the same input and output) on it,
//! dumps the output as a `.tensor` file into OUTPUT_DIR (default `.`) and prints how many pixels each class has.
//! Exit code 0, 1 for a failure (its cause on stderr), or 2 for wrong arguments.

// The same wrapper as that of the general guest, of which this program needs a part.
#[allow(dead_code)]
#[path = "../../guest/src/wasi_nn.rs"]
mod wasi_nn;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use image::imageops::FilterType;
use image::io::Reader;
use image::RgbImage;
use wasi_nn::{ExecutionTarget, Graph, GraphEncoding, Tensor, TensorType};

const USAGE: &str = "usage: roadseg.wasm MODEL.xml MODEL.bin IMAGE [OUTPUT_DIR]";

const HEIGHT: u32 = 512;
const WIDTH: u32 = 896;
const CLASSES: [&str; 4] = ["background", "road", "curb", "mark"];
const PIXELS: usize = (HEIGHT * WIDTH) as usize;

/// What the model takes: one image, planes in the order blue, green, red, values 0 to 255 with no mean or scale.
const INPUT_DIMENSIONS: [u32; 4] = [1, 3, HEIGHT, WIDTH];
/// What it gives, one plane of probabilities per class: `1x4x512x896xf32`, as the dump's name says.
const OUTPUT_BYTES: usize = CLASSES.len() * PIXELS * std::mem::size_of::<f32>();
const OUTPUT_NAME: &str = "wasinn-openvino-inference-output-1x4x512x896xf32.tensor";

/// Why the program stops early.
enum Failure {
    Usage,
    Failed(String),
}

impl From<wasi_nn::Error> for Failure {
    fn from(error: wasi_nn::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Only standard output is written with `?` on an [`io::Error`]: files have a path to name.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("cannot write to standard output: {error}"))
    }
}

/// Makes a failure that names the file it happened to.
fn at<'a, E: std::fmt::Display>(doing: &'a str, path: &'a Path) -> impl FnOnce(E) -> Failure + 'a {
    move |error| Failure::Failed(format!("cannot {doing} {}: {error}", path.display()))
}

struct Arguments {
    xml: PathBuf,
    bin: PathBuf,
    image: PathBuf,
    output_dir: PathBuf,
}

impl Arguments {
    fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, Failure> {
        let mut paths = arguments.map(PathBuf::from);
        let mut required = || paths.next().ok_or(Failure::Usage);
        let (xml, bin, image) = (required()?, required()?, required()?);
        let output_dir = paths.next().unwrap_or_else(|| PathBuf::from("."));
        match paths.next() {
            Some(_) => Err(Failure::Usage),
            None => Ok(Self {
                xml,
                bin,
                image,
                output_dir,
            }),
        }
    }
}

/// Decodes the image and stretches it to the model's size. What the file holds decides its format, not its name.
fn read_image(path: &Path) -> Result<RgbImage, Failure> {
    let image = Reader::open(path)
        .and_then(Reader::with_guessed_format)
        .map_err(at("read image", path))?
        .decode()
        .map_err(at("decode image", path))?;
    if image.width() == 0 || image.height() == 0 {
        // The resize would make a black image of it.
        return Err(at("use image", path)("it has no pixels"));
    }
    // Resized before it becomes RGB, so that grey and alpha images are resized as they are.
    Ok(image.resize_exact(WIDTH, HEIGHT, FilterType::Triangle).to_rgb8())
}

/// The bytes of the input tensor: NCHW, BGR, f32.
fn to_tensor(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(image.len() * std::mem::size_of::<f32>());
    for channel in [2, 1, 0] {
        for pixel in image.pixels() {
            bytes.extend_from_slice(&f32::from(pixel[channel]).to_le_bytes());
        }
    }
    bytes
}

/// Counts the pixels whose most probable class is each class; the first of equals wins.
fn pixels_per_class(output: &[u8]) -> [usize; CLASSES.len()] {
    let scores: Vec<f32> = output
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let mut counts = [0; CLASSES.len()];
    for pixel in 0..PIXELS {
        let mut best = 0;
        for class in 1..CLASSES.len() {
            if scores[class * PIXELS + pixel] > scores[best * PIXELS + pixel] {
                best = class;
            }
        }
        counts[best] += 1;
    }
    counts
}

/// Writes a file so that its name never stands for half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|error| {
            // Best effort: the error that matters is the one above.
            let _ = fs::remove_file(&part);
            at("write", path)(error)
        })
}

fn run(arguments: impl Iterator<Item = OsString>, out: &mut impl Write) -> Result<(), Failure> {
    let arguments = Arguments::parse(arguments)?;

    let xml = fs::read(&arguments.xml).map_err(at("read model", &arguments.xml))?;
    writeln!(out, "Load graph XML, size in bytes: {}", xml.len())?;
    let bin = fs::read(&arguments.bin).map_err(at("read weights", &arguments.bin))?;
    writeln!(out, "Load graph weights, size in bytes: {}", bin.len())?;
    let graph = Graph::load(&[&xml, &bin], GraphEncoding::OpenVino, ExecutionTarget::Cpu)?;
    writeln!(out, "Loaded graph into WASI-NN with ID: {}", graph.id())?;
    let mut context = graph.init_execution_context()?;
    writeln!(out, "Created execution context with ID: {}", context.id())?;

    let input = to_tensor(&read_image(&arguments.image)?);
    writeln!(
        out,
        "Read input tensor 1x3x{HEIGHT}x{WIDTH}xf32, size in bytes: {}",
        input.len()
    )?;
    context.set_input(
        0,
        Tensor {
            dimensions: &INPUT_DIMENSIONS,
            tensor_type: TensorType::F32,
            data: &input,
        },
    )?;
    context.compute()?;
    writeln!(out, "Executed graph inference")?;

    let mut output = vec![0; OUTPUT_BYTES];
    let written = context.get_output(0, &mut output)?;
    if written != OUTPUT_BYTES {
        return Err(Failure::Failed(format!(
            "the model's output has {written} bytes where 1x4x{HEIGHT}x{WIDTH}xf32 has {OUTPUT_BYTES}"
        )));
    }
    let path = arguments.output_dir.join(OUTPUT_NAME);
    write_whole(&path, &output)?;
    writeln!(
        out,
        "Dumped output tensor to {}, size in bytes: {written}",
        path.display()
    )?;

    for (name, count) in CLASSES.iter().zip(pixels_per_class(&output)) {
        writeln!(out, "{name}: {count} pixels")?;
    }
    Ok(())
}

fn main() {
    // `writeln!` to stdout, not `println!`, which panics where the host closes it.
    let (message, code) = match run(env::args_os().skip(1), &mut io::stdout()) {
        Ok(()) => return,
        Err(Failure::Usage) => (USAGE.to_owned(), 2),
        Err(Failure::Failed(message)) => (format!("roadseg: {message}"), 1),
    };
    let _ = writeln!(io::stderr(), "{message}");
    // Not an `ExitCode`, of which Rust 1.63 makes 0 or 1 on wasm32-wasi.
    process::exit(code);
}
