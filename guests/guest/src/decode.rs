//! Decodes JPEG and PNG into the samples that Pillow has of them, so that the tensor is the one made in Python.

use std::io::Cursor;

use crate::exif;
use crate::png_chunks::Chunks;

/// Pillow's limit, beyond which it takes an image for an attack.
const MOST_PIXELS: usize = 178_956_970;
const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG_MAGIC: &[u8] = b"\xff\xd8\xff";

/// Samples of 8 bits; or of 16, of gray images alone.
#[derive(Clone, Debug)]
pub enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

/// A decoded image: gray (1 channel), gray with alpha (2), RGB (3) or RGBA (4), row by row.
#[derive(Clone, Debug)]
pub struct Image {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub samples: Samples,
}

/// Decodes an image; what the bytes are decides the format. It is turned upright if `apply_exif` is set.
pub fn decode(bytes: &[u8], apply_exif: bool) -> Result<Image, String> {
    let (image, orientation) = if bytes.starts_with(PNG_MAGIC) {
        decode_png(bytes).map_err(|error| format!("PNG: {error}"))?
    } else if bytes.starts_with(JPEG_MAGIC) {
        decode_jpeg(bytes).map_err(|error| format!("JPEG: {error}"))?
    } else {
        return Err("expected a JPEG or PNG image, by its first bytes".to_owned());
    };
    Ok(if apply_exif { image.upright(orientation) } else { image })
}

fn check_size(width: usize, height: usize) -> Result<(), String> {
    match width.checked_mul(height) {
        Some(0) => Err("it has no pixels".to_owned()),
        Some(pixels) if pixels <= MOST_PIXELS && width.max(height) <= 65_535 => Ok(()),
        _ => Err(format!("{height}x{width} pixels are too many")),
    }
}

// -- PNG ----------------------------------------------------------------------------------------------------

fn decode_png(bytes: &[u8]) -> Result<(Image, u8), String> {
    let chunks = Chunks::of(bytes);
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    check_size(width, height)?;
    let (color, depth) = (reader.info().color_type, reader.info().bit_depth as usize);
    let mut raw = vec![0; reader.output_buffer_size()];
    reader.next_frame(&mut raw).map_err(|error| error.to_string())?;
    let row = reader.output_line_size(width as u32);
    let orientation = exif::of_png(&chunks);
    let key = chunks.transparent;
    let (channels, samples) = match color {
        png::ColorType::Grayscale if depth == 16 => {
            let wide = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            (1, Samples::U16(wide.collect()))
        }
        png::ColorType::Grayscale => {
            let step = 255 / ((1 << depth) - 1) as u8;
            let gray = unpacked(&raw, row, width, depth).map(|value| value * step);
            match key {
                // Pillow compares the color that is transparent with the levels from 0 to 255.
                Some(key) if key.len() >= 2 => (2, Samples::U8(gray.flat_map(|v| [v, alpha(v == key[1])]).collect())),
                _ => (1, Samples::U8(gray.collect())),
            }
        }
        png::ColorType::Indexed => indexed(unpacked(&raw, row, width, depth), &chunks),
        png::ColorType::Rgb => {
            let rgb = high_bytes(raw, depth);
            match key {
                Some(key) if key.len() >= 6 => {
                    let key = [key[1], key[3], key[5]];
                    let pixels = rgb.chunks_exact(3);
                    let keyed = pixels.flat_map(|p| [p[0], p[1], p[2], alpha(p == key)]);
                    (4, Samples::U8(keyed.collect()))
                }
                _ => (3, Samples::U8(rgb)),
            }
        }
        png::ColorType::GrayscaleAlpha => (2, Samples::U8(high_bytes(raw, depth))),
        png::ColorType::Rgba => (4, Samples::U8(high_bytes(raw, depth))),
    };
    let image = Image {
        width,
        height,
        channels,
        samples,
    };
    Ok((image, orientation))
}

/// The values of rows of packed bits, without the bits that fill a row up.
fn unpacked(raw: &[u8], row: usize, width: usize, depth: usize) -> impl Iterator<Item = u8> + '_ {
    let mask = ((1u16 << depth) - 1) as u8;
    raw.chunks_exact(row).flat_map(move |bytes| {
        (0..width).map(move |x| {
            let bit = x * depth;
            (bytes[bit / 8] >> (8 - depth - bit % 8)) & mask
        })
    })
}

/// Samples of 16 bits lose their low bytes, as they do in Pillow.
fn high_bytes(raw: Vec<u8>, depth: usize) -> Vec<u8> {
    if depth == 16 {
        raw.chunks_exact(2).map(|pair| pair[0]).collect()
    } else {
        raw
    }
}

fn alpha(transparent: bool) -> u8 {
    if transparent {
        0
    } else {
        255
    }
}

fn indexed(indices: impl Iterator<Item = u8>, chunks: &Chunks<'_>) -> (usize, Samples) {
    // Entries that a palette lacks are black.
    let mut table = [[0, 0, 0, 255]; 256];
    for (entry, color) in table.iter_mut().zip(chunks.palette.unwrap_or(&[]).chunks_exact(3)) {
        entry[..3].copy_from_slice(color);
    }
    match chunks.transparent {
        None => {
            let rgb = indices.flat_map(|i| {
                let [r, g, b, _] = table[usize::from(i)];
                [r, g, b]
            });
            (3, Samples::U8(rgb.collect()))
        }
        Some(alphas) => {
            for (entry, alpha) in table.iter_mut().zip(alphas) {
                entry[3] = *alpha;
            }
            (4, Samples::U8(indices.flat_map(|i| table[usize::from(i)]).collect()))
        }
    }
}

// -- JPEG ---------------------------------------------------------------------------------------------------

fn decode_jpeg(bytes: &[u8]) -> Result<(Image, u8), String> {
    let mut decoder = jpeg_decoder::Decoder::new(Cursor::new(bytes));
    decoder.read_info().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("no header")?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    check_size(width, height)?;
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    let (channels, samples) = match info.pixel_format {
        jpeg_decoder::PixelFormat::L8 => (1, pixels),
        jpeg_decoder::PixelFormat::RGB24 => (3, pixels),
        jpeg_decoder::PixelFormat::CMYK32 => (3, rgb_of_cmyk(&pixels)),
        jpeg_decoder::PixelFormat::L16 => return Err("lossless, with 16 bits; export it as PNG".to_owned()),
    };
    let image = Image {
        width,
        height,
        channels,
        samples: Samples::U8(samples),
    };
    Ok((image, exif::of_jpeg(bytes)))
}

/// As Pillow does it: each color times what black leaves.
fn rgb_of_cmyk(pixels: &[u8]) -> Vec<u8> {
    let channel = |ink: u8, paper: u32| {
        let product = u32::from(ink) * paper + 128;
        (paper - ((product >> 8) + product >> 8)) as u8
    };
    let colors = pixels.chunks_exact(4).flat_map(|p| {
        let paper = 255 - u32::from(p[3]);
        [channel(p[0], paper), channel(p[1], paper), channel(p[2], paper)]
    });
    colors.collect()
}

// -- turning ------------------------------------------------------------------------------------------------

impl Image {
    /// The image as an EXIF orientation, 1 to 8, says that it is to be seen.
    fn upright(self, orientation: u8) -> Self {
        if !(2..=8).contains(&orientation) {
            return self;
        }
        let (w, h) = (self.width, self.height);
        let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
        let source = move |x: usize, y: usize| match orientation {
            2 => (w - 1 - x, y),
            3 => (w - 1 - x, h - 1 - y),
            4 => (x, h - 1 - y),
            5 => (y, x),
            6 => (y, h - 1 - x),
            7 => (w - 1 - y, h - 1 - x),
            _ => (w - 1 - y, x),
        };
        let samples = match &self.samples {
            Samples::U8(samples) => Samples::U8(moved(samples, self.channels, w, (width, height), source)),
            Samples::U16(samples) => Samples::U16(moved(samples, self.channels, w, (width, height), source)),
        };
        Self {
            width,
            height,
            channels: self.channels,
            samples,
        }
    }
}

/// Pixels in another order: `source` says from where each one comes.
fn moved<T: Copy>(
    samples: &[T],
    channels: usize,
    row: usize,
    (width, height): (usize, usize),
    source: impl Fn(usize, usize) -> (usize, usize),
) -> Vec<T> {
    let mut result = Vec::with_capacity(samples.len());
    for y in 0..height {
        for x in 0..width {
            let (from_x, from_y) = source(x, y);
            let first = (from_y * row + from_x) * channels;
            result.extend_from_slice(&samples[first..first + channels]);
        }
    }
    result
}
