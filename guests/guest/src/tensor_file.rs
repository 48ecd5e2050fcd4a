//! `.tensor` files: the bare values, and beside them a JSON file that says what they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::model::{signature, Settings};
use crate::wasi_nn::TensorType;

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A tensor as it is written.
pub struct Dump<'a> {
    /// How the file's name begins.
    pub kind: &'static str,
    pub dimensions: &'a [usize],
    pub tensor_type: TensorType,
    pub bytes: &'a [u8],
}

impl Dump<'_> {
    /// Writes the tensor and its sidecar into a folder; returns where, and the SHA-256 of the values.
    ///
    /// Each file is whole or not there, and the sidecar comes first: a tensor is never without it.
    pub fn write(&self, folder: &Path, settings: &Settings, image_sha256: &str) -> io::Result<(PathBuf, String)> {
        let name = format!("{}-{}.tensor", self.kind, signature(self.dimensions, self.tensor_type));
        let hash = sha256(self.bytes);
        let sidecar = format!(
            concat!(
                "{{\n",
                "  \"format\": \"wasinn_nb.tensor/1\",\n",
                "  \"dimensions\": {:?},\n",
                "  \"type\": \"{}\",\n",
                "  \"bytes\": {},\n",
                "  \"sha256\": \"{}\",\n",
                "  \"kind\": \"{}\",\n",
                "  \"model\": {{\"name\": \"{}\"}},\n",
                "  \"image_sha256\": \"{}\",\n",
                "  \"recipe\": {}\n",
                "}}\n"
            ),
            self.dimensions,
            self.tensor_type.name(),
            self.bytes.len(),
            hash,
            self.kind,
            settings.name,
            image_sha256,
            settings.recipe_json,
        );
        write_whole(&folder.join(format!("{name}.json")), sidecar.as_bytes())?;
        let path = folder.join(name);
        write_whole(&path, self.bytes)?;
        Ok((path, hash))
    }
}

/// Writes a file so that its name never stands for half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|error| {
            // Best effort: the error that matters is the other one.
            let _ = fs::remove_file(&part);
            error
        })
}
