//! The orientation of an image, 1 to 8, where Pillow finds it: in EXIF data, else in XMP.

use crate::png_chunks::Chunks;

const UPRIGHT: u8 = 1;
const ORIENTATION: u16 = 0x0112;
const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const IN_XMP: &[u8] = b"tiff:Orientation";

/// The orientation of a PNG file.
pub fn of_png(chunks: &Chunks<'_>) -> u8 {
    let profile = || chunks.text("Raw profile type exif").and_then(|text| raw_profile(&text));
    let exif = chunks.exif.map(<[u8]>::to_vec).or_else(profile);
    let in_exif = exif.and_then(|data| of_tiff(data.strip_prefix(EXIF).unwrap_or(&data)));
    let in_xmp = || of_xmp(&chunks.text("XML:com.adobe.xmp")?);
    in_exif.or_else(in_xmp).unwrap_or(UPRIGHT)
}

/// EXIF data as ImageMagick writes them: hexadecimal digits after three lines.
fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .split(|&byte| byte == b'\n')
        .skip(3)
        .flatten()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let bytes = digits.chunks_exact(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    });
    bytes.collect()
}

/// The orientation of a JPEG file.
pub fn of_jpeg(bytes: &[u8]) -> u8 {
    let mut exif = Vec::new();
    let mut xmp = None;
    let mut rest = bytes.get(2..).unwrap_or(&[]);
    while let [0xff, marker, ..] = *rest {
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        if matches!(marker, 0xda | 0xd9) {
            break;
        }
        let length = match rest.get(2..4) {
            Some(pair) => usize::from(u16::from_be_bytes([pair[0], pair[1]])),
            None => break,
        };
        let segment = rest.get(4..length + 2).unwrap_or(&[]);
        if marker == 0xe1 {
            if let Some(data) = segment.strip_prefix(EXIF) {
                exif.extend_from_slice(data);
            } else if let Some(data) = segment.strip_prefix(XMP) {
                xmp = Some(data);
            }
        }
        rest = rest.get(length + 2..).unwrap_or(&[]);
    }
    of_tiff(&exif).or_else(|| xmp.and_then(of_xmp)).unwrap_or(UPRIGHT)
}

/// The orientation in the first directory of TIFF data.
fn of_tiff(data: &[u8]) -> Option<u8> {
    let little = match data.get(..4)? {
        b"II\x2a\0" => true,
        b"MM\0\x2a" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let pair = data.get(at..at.checked_add(2)?)?;
        let pair = [pair[0], pair[1]];
        Some(if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        })
    };
    let long = |at: usize| {
        let (first, second) = (u32::from(short(at)?), u32::from(short(at.checked_add(2)?)?));
        Some(if little {
            second << 16 | first
        } else {
            first << 16 | second
        })
    };
    let directory = long(4)? as usize;
    for entry in 0..usize::from(short(directory)?) {
        let at = directory.checked_add(2 + 12 * entry)?;
        if short(at)? == ORIENTATION && long(at + 4)? == 1 {
            let value = match short(at + 2)? {
                1 => u32::from(*data.get(at + 8)?),
                3 => u32::from(short(at + 8)?),
                4 => long(at + 8)?,
                _ => return None,
            };
            // One that is not an orientation counts as none, and XMP is not asked.
            return Some(u8::try_from(value).unwrap_or(UPRIGHT));
        }
    }
    None
}

/// The digit after `tiff:Orientation="` or `tiff:Orientation>`.
fn of_xmp(text: &[u8]) -> Option<u8> {
    for (at, window) in text.windows(IN_XMP.len()).enumerate() {
        if window == IN_XMP {
            let rest = &text[at + IN_XMP.len()..];
            let rest = rest.strip_prefix(b"=\"").or_else(|| rest.strip_prefix(b">"));
            if let Some([digit @ b'0'..=b'9', ..]) = rest {
                return Some(digit - b'0');
            }
        }
    }
    None
}
