#!/usr/bin/env python3
"""Build the WASI-NN guests of the project.

``python guests/build.py`` builds all of them into ``data/guests`` and writes ``SOURCES.json``
beside them: what each module was built from and with. ``--check`` builds into a temporary folder
instead and compares with what is there.

The builds are offline and reproducible: the same Debian packages give the same bytes, wherever
the sources lie. That is why they use Debian's own ``/usr/bin/cargo``, ``/usr/bin/rustc`` and
``/usr/bin/clang``, with an environment of their own, and not what comes first on PATH.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent / "data" / "guests"
RECORD = "SOURCES.json"

CARGO_FLAGS = [
    "--release",
    "--locked",
    "--offline",
    "--target=wasm32-wasi",
    # The crates that Debian's librust-*-dev packages install, in place of crates.io.
    '--config=source.crates-io.replace-with="debian"',
    '--config=source.debian.directory="/usr/share/cargo/registry"',
]
# lld-14 is what libstd-rust-dev-wasm32 links with.
RUST = ("rustc", "cargo", "libstd-rust-dev-wasm32", "lld-14")
CLANG_FLAGS = [
    "--target=wasm32-wasi",
    "-std=c11",
    "-Os",
    "-flto",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Werror",
    # The stack below the data: running over it is a trap, not silently changed data.
    "-Wl,--stack-first",
    "-Wl,--strip-all",
]


class BuildError(Exception):
    """A guest cannot be built; the message says what to do."""


@dataclass(frozen=True)
class Guest:
    """How one guest is built.

    Attributes
    ----------
    name
        Its folder under ``guests/`` and, with ``.wasm``, its module.
    compile
        Builds from the source folder (first argument) to the module (second argument).
    flags
        What is passed to the compiler: part of what the module is built from.
    packages
        Debian packages that it needs, whose versions decide the bytes.
    shared
        Files of other guests that it is built from, too, by their paths under ``guests/``.
    """

    name: str
    compile: Callable[[Path, Path], None]
    flags: list[str]
    packages: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        """The folder of its sources."""
        return HERE / self.name

    @property
    def module(self) -> str:
        """File name of the built module."""
        return f"{self.name}.wasm"


def run(command: list[str], *, cwd: Path, **environment: str) -> None:
    """Run a compiler with nothing from the caller's environment that could change its output."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed with {result.returncode}:\n{result.stdout}")


def compile_rust(source: Path, module: Path) -> None:
    """Build a Cargo package."""
    with tempfile.TemporaryDirectory(prefix="wasinn-guest-") as scratch:
        target = Path(scratch, "target")
        run(
            ["/usr/bin/cargo", "build", *CARGO_FLAGS, f"--target-dir={target}"],
            cwd=source,
            RUSTC="/usr/bin/rustc",
            # No ~/.cargo/config.toml, and no cache in the home directory.
            CARGO_HOME=str(Path(scratch, "home")),
        )
        shutil.copyfile(target / "wasm32-wasi" / "release" / module.name, module)


def compile_c(source: Path, module: Path) -> None:
    """Build one C file."""
    run(["/usr/bin/clang", *CLANG_FLAGS, "-o", str(module.resolve()), "main.c"], cwd=source)


def compile_wat(source: Path, module: Path) -> None:
    """Assemble one file of WebAssembly text, with wasmtime's own assembler."""
    import wasmtime

    text = (source / f"{source.name}.wat").read_text(encoding="utf-8")
    try:
        module.write_bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        raise BuildError(f"{source.name}.wat: {error}") from error


GUESTS = [
    Guest(
        "roadseg",
        compile_rust,
        CARGO_FLAGS,
        (*RUST, "librust-image-dev"),
        ("guest/src/wasi_nn.rs",),
    ),
    Guest(
        "guest",
        compile_rust,
        CARGO_FLAGS,
        (
            *RUST,
            "librust-half-dev",
            "librust-jpeg-decoder-dev",
            "librust-miniz-oxide-dev",
            "librust-png-dev",
            "librust-serde-json-dev",
            "librust-sha2-dev",
        ),
    ),
    Guest(
        "classify-legacy",
        compile_c,
        CLANG_FLAGS,
        ("clang", "clang-14", "lld", "lld-14", "wasi-libc", "libclang-rt-14-dev-wasm32"),
    ),
    Guest("misbehave", compile_wat, []),
]


def package_versions(guest: Guest) -> dict[str, str]:
    """Versions of the Debian packages of a guest that are installed here."""
    if not guest.packages or shutil.which("dpkg-query") is None:
        return {}
    result = subprocess.run(
        [
            "dpkg-query",
            "--show",
            "--showformat=${db:Status-Status} ${Package} ${Version}\n",
            *guest.packages,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Says which packages are unknown; so does their absence.
        text=True,
        check=False,
    )
    rows = (line.split() for line in result.stdout.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed"}


def missing(guest: Guest) -> list[str]:
    """Name what building a guest here lacks: Debian packages, or wasmtime for Python."""
    if not guest.packages:
        return [] if importlib.util.find_spec("wasmtime") else ["wasmtime (pip install wasmtime)"]
    return sorted(set(guest.packages) - package_versions(guest).keys())


def install(packages: list[str]) -> None:
    """Install Debian packages without asking."""
    for command in (
        ["update", "-qq"],
        ["install", "-qq", "--yes", "--no-install-recommends", *packages],
    ):
        run(
            ["/usr/bin/apt-get", *command],
            cwd=HERE,
            DEBIAN_FRONTEND="noninteractive",
            PATH=os.defpath + ":/usr/sbin:/sbin",
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sources(guest: Guest) -> dict[str, str]:
    """SHA-256 of every file that a guest is built from, by its path in the project."""
    own = (
        path
        for path in guest.source.rglob("*")
        if path.is_file() and "target" not in path.relative_to(guest.source).parts
    )
    return {
        f"guests/{path.relative_to(HERE).as_posix()}": sha256(path)
        for path in sorted([*own, *(HERE / name for name in guest.shared)])
    }


def build(guest: Guest, out: Path) -> Path:
    """Build a guest into a folder and return the path of the module.

    Raises
    ------
    BuildError
        If something that it needs is not installed, or the compiler fails.
    """
    if lacking := missing(guest):
        raise BuildError(f"building {guest.name} needs {' '.join(lacking)}")
    module = out / guest.module
    guest.compile(guest.source, module)
    module.chmod(0o644)
    return module


def record(guest: Guest, module: Path) -> dict[str, object]:
    """Tell what a module was built from and with, for ``SOURCES.json``."""
    with_wasmtime = {} if guest.packages else {"wasmtime": importlib.metadata.version("wasmtime")}
    return {
        "sha256": sha256(module),
        "bytes": module.stat().st_size,
        "sources": sources(guest),
        "flags": guest.flags,
        "built_with": package_versions(guest) | with_wasmtime,
    }


def main() -> int:
    """Build or check all guests; the command line."""
    parser = argparse.ArgumentParser(description="Build the WASI-NN guests of the project.")
    parser.add_argument(
        "--out",
        type=Path,
        default=SHIPPED,
        metavar="DIR",
        help="folder to build into (%(default)s)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="build elsewhere and compare with what is in the folder",
    )
    parser.add_argument(
        "--no-install", action="store_true", help="never install Debian packages, even as root"
    )
    options = parser.parse_args()
    try:
        packages = sorted(
            {package for guest in GUESTS if guest.packages for package in missing(guest)}
        )
        if (
            packages
            and not options.no_install
            and os.geteuid() == 0
            and Path("/usr/bin/apt-get").exists()
        ):
            print(f"Installing {' '.join(packages)}")
            install(packages)
        elif packages:
            raise BuildError(f"install these first: apt-get install {' '.join(packages)}")
        # All are built before any is put in place, so that modules and record belong together.
        with tempfile.TemporaryDirectory(prefix="wasinn-guests-") as scratch:
            modules = [build(guest, Path(scratch)) for guest in GUESTS]
            if options.check:
                return compare(modules, options.out)
            records = {
                guest.module: record(guest, module)
                for guest, module in zip(GUESTS, modules, strict=True)
            }
            options.out.mkdir(parents=True, exist_ok=True)
            for module in modules:
                shutil.copyfile(module, options.out / module.name)
            (options.out / RECORD).write_text(
                json.dumps(records, indent=2) + "\n", encoding="utf-8"
            )
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    for name, row in records.items():
        print(f"{options.out / name}: {row['bytes']} bytes, sha256 {row['sha256']}")
    return 0


def compare(modules: list[Path], shipped: Path) -> int:
    """Compare modules with those of the same name in a folder; 1 where one differs."""
    differing = 0
    for module in modules:
        other = shipped / module.name
        same = other.is_file() and other.read_bytes() == module.read_bytes()
        print(f"{other}: {'same' if same else 'differs' if other.exists() else 'is not there'}")
        differing += not same
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
