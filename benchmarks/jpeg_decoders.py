"""How far two decoders of JPEG are apart: Pillow's libjpeg-turbo, and jpeg-decoder in Rust.

`wasinn_nb.imaging.decoders` holds what this measured.  It needs cargo, and Debian's package
librust-jpeg-decoder-dev:  python benchmarks/jpeg_decoders.py [IMAGES]
"""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

import wasinn_nb as wn
from wasinn_nb.imaging import PreprocessRecipe, resized_pixels

CRATES = Path("/usr/share/cargo/registry")
QUALITIES = (10, 30, 50, 75, 85, 90, 95, 100)
SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
PROGRAM = """
use std::io::{Read, Write};
fn main() {
    let (mut stdin, mut out) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut length = [0u8; 4];
    while stdin.read_exact(&mut length).is_ok() {
        let mut data = vec![0u8; u32::from_le_bytes(length) as usize];
        stdin.read_exact(&mut data).unwrap();
        out.write_all(&jpeg_decoder::Decoder::new(&data[..]).decode().unwrap()).unwrap();
        out.flush().unwrap();
    }
}
"""


def built(folder: Path) -> Path:
    """Build the decoder, and return its path."""
    (crate,) = CRATES.glob("jpeg-decoder-0.2*")
    (folder / "src").mkdir()
    (folder / "src/main.rs").write_text(PROGRAM)
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "decode"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n'
        f'jpeg-decoder = {{ path = "{crate}", default-features = false }}\n[workspace]\n'
    )
    subprocess.run(["cargo", "build", "--release", "--offline", "-q"], cwd=folder, check=True)
    return folder / "target/release/decode"


def drawn(rng: np.random.Generator, number: int) -> np.ndarray:
    """Return an image: noise, smooth, with edges, in saturated colors, or a part of a real one."""
    height, width = (int(side) for side in rng.integers(17, 400, 2))
    kind = number % 5
    if kind == 0:
        return rng.integers(0, 256, (height, width, 3), np.uint8)
    if kind < 4:
        cell = (24, 9, 7)[kind - 1]
        small = rng.integers(0, 256, (max(2, height // cell), max(2, width // cell), 3), np.uint8)
        small = np.where(small > 127, 255, 0).astype(np.uint8) if kind == 3 else small
        how = Image.Resampling.BICUBIC if kind == 1 else Image.Resampling.NEAREST
        return np.asarray(Image.fromarray(small).resize((width, height), how))
    names = wn.images()
    whole = np.asarray(Image.open(wn.image(names[number // 5 % len(names)])).convert("RGB"))
    top, left = (
        int(rng.integers(0, max(1, a - b)))
        for a, b in zip(whole.shape[:2], (height, width), strict=True)
    )
    return np.ascontiguousarray(whole[top : top + height, left : left + width])


def main(images: int) -> None:
    """Print how many files have which largest difference, at their size and resized."""
    ImageFile.MAXBLOCK = 1 << 23  # noise of quality 100 needs it
    rng, recipe = np.random.default_rng(31), PreprocessRecipe(224, 224, color="RGB")
    own, resized = Counter(), Counter()
    share = mean = 0.0
    with tempfile.TemporaryDirectory() as folder:
        program = subprocess.Popen(
            [built(Path(folder))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        ways = [(q, s, False) for q, s in itertools.product(QUALITIES, SUBSAMPLINGS)]
        ways += [(75, s, True) for s in SUBSAMPLINGS]
        for number in range(images):
            image = Image.fromarray(drawn(rng, number))
            for quality, subsampling, progressive in ways:
                file = io.BytesIO()
                options = {"subsampling": subsampling, "progressive": progressive}
                image.save(file, "JPEG", quality=quality, **options)
                pillow = np.asarray(Image.open(file).convert("RGB"))
                program.stdin.write(struct.pack("<I", file.tell()) + file.getvalue())
                program.stdin.flush()
                rust = np.frombuffer(program.stdout.read(pillow.size), np.uint8)
                rust = rust.reshape(pillow.shape)
                apart = np.abs(pillow.astype(int) - rust)
                own[int(apart.max())] += 1
                share, mean = max(share, (apart > 0).mean()), max(mean, apart.mean())
                a, b = (resized_pixels(pixels, recipe).astype(int) for pixels in (pillow, rust))
                resized[int(np.abs(a - b).max())] += 1
        program.stdin.close()
        program.wait()
    print(f"{own.total()} files; largest difference of 255 and files: {sorted(own.items())}")
    print(f"resized to 224 x 224: {sorted(resized.items())}")
    print(f"at most {share:.1%} of the values differ, by {mean:.2f} on average")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
