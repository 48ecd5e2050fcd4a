//! Runs a model with one image input through WASI-NN: the program of a bundle.
//!
//! ```text
//! guest.wasm [--input] [--top N] [IMAGE [OUTPUT_DIR]]
//! ```
//!
//! IMAGE is a JPEG or PNG file, or `-` for standard input; without it the bundle's own image is taken. The output
//! tensor goes to OUTPUT_DIR (default `out`), with `--input` or without IMAGE the input tensor, too. The result goes to
//! standard output. Exit code 0, 1 for a failure (its cause on stderr), or 2 for wrong arguments.

#![deny(unsafe_code)]

mod decode;
mod exif;
// A model needs a part of what these two have.
#[allow(dead_code)]
mod model;
mod png_chunks;
mod preprocess;
mod resize;
mod result;
mod settings;
mod tensor_file;
#[allow(dead_code, unsafe_code)]
mod wasi_nn;

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use model::{signature, Settings};
use tensor_file::{sha256, Dump};
use wasi_nn::{ExecutionTarget, Graph, Tensor};

const USAGE: &str = "usage: guest.wasm [--input] [--top N] [IMAGE [OUTPUT_DIR]]";
/// Where the model and the files about it are.
const FOLDER: &str = ".";
const OUTPUT_DIR: &str = "out";
const TOP: usize = 5;

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

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Failed(message)
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
    image: Option<PathBuf>,
    output_dir: PathBuf,
    input: bool,
    top: usize,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let (mut paths, mut input, mut top) = (Vec::new(), false, TOP);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--input" => input = true,
                "--top" => {
                    top = words
                        .next()
                        .and_then(|n| n.parse().ok())
                        .filter(|&n| n > 0)
                        .ok_or(Failure::Usage)?
                }
                option if option.starts_with("--") => return Err(Failure::Usage),
                _ => paths.push(PathBuf::from(word)),
            }
        }
        if paths.len() > 2 {
            return Err(Failure::Usage);
        }
        let mut paths = paths.into_iter();
        let image = paths.next();
        Ok(Self {
            input: input || image.is_none(),
            image,
            output_dir: paths.next().unwrap_or_else(|| PathBuf::from(OUTPUT_DIR)),
            top,
        })
    }
}

fn read_image(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        return read
            .map(|_| bytes)
            .map_err(at("read image", Path::new("on standard input")));
    }
    fs::read(path).map_err(at("read image", path))
}

/// Loads the model, sets the one input, computes, and returns the output that the settings name.
fn infer(settings: &Settings, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut files = Vec::new();
    for name in &settings.files {
        let path = Path::new(FOLDER).join(name);
        files.push(fs::read(&path).map_err(at("read model", &path))?);
    }
    let builders: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let graph = Graph::load(&builders, settings.encoding, ExecutionTarget::Cpu)?;
    drop(files);
    let dimensions: Vec<u32> = settings.recipe.dimensions().iter().map(|&side| side as u32).collect();
    let mut context = graph.init_execution_context()?;
    context.set_input(
        0,
        Tensor {
            dimensions: &dimensions,
            tensor_type: settings.recipe.tensor_type,
            data: input,
        },
    )?;
    context.compute()?;

    let output = &settings.output;
    let mut bytes = vec![0; output.dimensions.iter().product::<usize>() * output.tensor_type.size()];
    let written = context.get_output(output.index, &mut bytes)?;
    if written != bytes.len() {
        return Err(Failure::Failed(format!(
            "the model's output has {written} bytes where {} has {}",
            signature(&output.dimensions, output.tensor_type),
            bytes.len()
        )));
    }
    Ok(bytes)
}

fn run(words: impl Iterator<Item = String>, out: &mut impl Write) -> Result<(), Failure> {
    let arguments = Arguments::parse(words)?;
    let settings = settings::settings(Path::new(FOLDER))?;
    let path = arguments
        .image
        .unwrap_or_else(|| Path::new(FOLDER).join(&settings.image));
    let encoded = read_image(&path)?;
    let recipe = &settings.recipe;
    let image = decode::decode(&encoded, recipe.apply_exif).map_err(at("decode image", &path))?;
    let area = preprocess::area_of(recipe, image.height, image.width);
    let input = preprocess::tensor(&image, recipe).map_err(at("use image", &path))?;
    drop(image);
    let dimensions = recipe.dimensions();
    writeln!(out, "model {}", settings.name)?;
    let image_sha256 = sha256(&encoded);
    let mut write = |kind: &'static str, dimensions: &[usize], tensor_type, bytes: &[u8]| {
        let dump = Dump {
            kind,
            dimensions,
            tensor_type,
            bytes,
        };
        let written = dump.write(&arguments.output_dir, &settings, &image_sha256);
        let (path, hash) = written.map_err(at("write to", &arguments.output_dir))?;
        writeln!(out, "{kind} {}, SHA-256 {hash}", path.display()).map_err(Failure::from)
    };
    if arguments.input {
        write("input", &dimensions, recipe.tensor_type, &input)?;
    }
    let output = infer(&settings, &input)?;
    write(
        "output",
        &settings.output.dimensions,
        settings.output.tensor_type,
        &output,
    )?;
    for line in result::lines(&output, &settings, area, arguments.top)? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn main() {
    let words = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    // `writeln!` to stdout, not `println!`, which panics where the host closes it.
    let (message, code) = match run(words, &mut io::stdout()) {
        Ok(()) => return,
        Err(Failure::Usage) => (USAGE.to_owned(), 2),
        Err(Failure::Failed(message)) => (format!("guest: {}", result::inert(&message)), 1),
    };
    let _ = writeln!(io::stderr(), "{message}");
    // Not an `ExitCode`, of which Rust 1.63 makes 0 or 1 on wasm32-wasi.
    process::exit(code);
}
