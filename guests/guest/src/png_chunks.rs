//! The chunks of a PNG file that its decoder does not hand out, or not as they are.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// The longest text that is unpacked, in bytes.
const MOST_TEXT: usize = 1 << 20;

/// What was found; nothing of it is checked beyond its length.
#[derive(Clone, Debug, Default)]
pub struct Chunks<'a> {
    /// `PLTE`: red, green and blue of each entry.
    pub palette: Option<&'a [u8]>,
    /// `tRNS`: alpha of each entry, or the one color that is transparent.
    pub transparent: Option<&'a [u8]>,
    /// `eXIf`: a TIFF header and directories.
    pub exif: Option<&'a [u8]>,
    /// Kind and content of the chunks `tEXt`, `zTXt` and `iTXt`.
    texts: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Chunks<'a> {
    /// Walks over the chunks of a file that begins with the PNG signature.
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut found = Self::default();
        let mut rest = bytes.get(8..).unwrap_or(&[]);
        while let Some((length, kind)) = header(rest) {
            let data = match rest.get(8..8usize.saturating_add(length)) {
                Some(data) => data,
                None => break,
            };
            match kind {
                b"PLTE" => found.palette = Some(data),
                b"tRNS" => found.transparent = Some(data),
                b"eXIf" => found.exif = Some(data),
                b"tEXt" | b"zTXt" | b"iTXt" => found.texts.push((kind, data)),
                b"IEND" => break,
                _ => {}
            }
            rest = rest.get(length + 12..).unwrap_or(&[]);
        }
        found
    }

    /// The last text with a keyword, unpacked where it is packed.
    pub fn text(&self, keyword: &str) -> Option<Vec<u8>> {
        let content = |&(kind, data): &(&'a [u8], &'a [u8])| {
            let rest = data.strip_prefix(keyword.as_bytes())?.strip_prefix(b"\0")?;
            Some((kind, rest))
        };
        let (kind, rest) = self.texts.iter().rev().find_map(content)?;
        let (packed, text) = match kind {
            b"tEXt" => (false, rest),
            b"zTXt" => (true, rest.get(1..)?),
            _ => {
                // Whether it is packed, how, a language, a translated keyword.
                let mut parts = rest.get(2..)?.splitn(3, |&byte| byte == 0);
                (*rest.first()? == 1, parts.nth(2)?)
            }
        };
        if packed {
            decompress_to_vec_zlib_with_limit(text, MOST_TEXT).ok()
        } else {
            Some(text.to_vec())
        }
    }
}

fn header(rest: &[u8]) -> Option<(usize, &[u8])> {
    let length = rest.get(..4)?;
    let kind = rest.get(4..8)?;
    Some((
        u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize,
        kind,
    ))
}
