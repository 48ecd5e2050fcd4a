//! A safe wrapper over the WASI-NN core-module ABI (import module `wasi_ephemeral_nn`).
//!
//! All `unsafe` of the program is in this file. Every wrapper borrows real Rust memory, passes its address and length,
//! and turns the errno that comes back into an [`Error`].

use std::fmt;
use std::marker::PhantomData;

#[cfg(not(target_arch = "wasm32"))]
compile_error!("WASI-NN passes 32-bit addresses: build for a wasm32 WASI target");

/// The functions as the host exports them.
mod raw {
    /// An element of `load`'s builder array.
    #[repr(C)]
    pub struct Builder {
        pub data: *const u8,
        pub len: usize,
    }

    /// The 20-byte tensor record of `set_input`.
    #[repr(C)]
    pub struct Tensor {
        pub dimensions: *const u32,
        pub dimensions_len: usize,
        pub tensor_type: u8,
        pub data: *const u8,
        pub data_len: usize,
    }

    #[link(wasm_import_module = "wasi_ephemeral_nn")]
    extern "C" {
        pub fn load(builders: *const Builder, builders_len: usize, encoding: u32, target: u32, graph: *mut u32) -> u32;
        pub fn init_execution_context(graph: u32, context: *mut u32) -> u32;
        pub fn set_input(context: u32, index: u32, tensor: *const Tensor) -> u32;
        pub fn compute(context: u32) -> u32;
        pub fn get_output(context: u32, index: u32, buffer: *mut u8, buffer_len: usize, bytes_written: *mut u32)
            -> u32;
    }
}

/// Format of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphEncoding {
    /// OpenVINO IR: two builders, the xml and then the bin file.
    OpenVino = 0,
    Onnx = 1,
    TensorFlow = 2,
    TensorFlowLite = 4,
}

/// Device that runs the model.
#[derive(Clone, Copy, Debug)]
pub enum ExecutionTarget {
    Cpu = 0,
}

/// Item type of a tensor, numbered as in the specification since 2023.
///
/// Until then it was f16, f32, u8, i32 from 0. f16 and f32 are the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorType {
    F16 = 0,
    F32 = 1,
    F64 = 2,
    U8 = 3,
    I32 = 4,
    I64 = 5,
}

impl TensorType {
    /// Its name, as the names of `.tensor` files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::I64 => "i64",
        }
    }

    /// Bytes of one value.
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }
}

/// Why the host refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    InvalidArgument,
    InvalidEncoding,
    MissingMemory,
    Busy,
    RuntimeError,
    UnsupportedOperation,
    TooLarge,
    NotFound,
    /// A code that the specification does not have.
    Other(u32),
}

impl Errno {
    /// `None` where `code` is success.
    fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => return None,
            1 => Self::InvalidArgument,
            2 => Self::InvalidEncoding,
            3 => Self::MissingMemory,
            4 => Self::Busy,
            5 => Self::RuntimeError,
            6 => Self::UnsupportedOperation,
            7 => Self::TooLarge,
            8 => Self::NotFound,
            other => Self::Other(other),
        })
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidArgument => "invalid_argument",
            Self::InvalidEncoding => "invalid_encoding",
            Self::MissingMemory => "missing_memory",
            Self::Busy => "busy",
            Self::RuntimeError => "runtime_error",
            Self::UnsupportedOperation => "unsupported_operation",
            Self::TooLarge => "too_large",
            Self::NotFound => "not_found",
            Self::Other(code) => return write!(f, "unknown errno {code}"),
        })
    }
}

/// A WASI-NN call that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Name of the function.
    pub call: &'static str,
    pub errno: Errno,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WASI-NN {}: {}", self.call, self.errno)
    }
}

impl std::error::Error for Error {}

fn check(call: &'static str, code: u32) -> Result<(), Error> {
    match Errno::from_code(code) {
        None => Ok(()),
        Some(errno) => Err(Error { call, errno }),
    }
}

/// A tensor to hand over. The host checks that the dimensions, the type and the bytes fit each other.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    pub dimensions: &'a [u32],
    pub tensor_type: TensorType,
    pub data: &'a [u8],
}

/// A loaded model.
#[derive(Debug)]
pub struct Graph(u32);

impl Graph {
    /// Loads a model from the contents of its files.
    pub fn load(builders: &[&[u8]], encoding: GraphEncoding, target: ExecutionTarget) -> Result<Self, Error> {
        // The layout of `&[u8]` is not promised by the language, so the pairs are written out.
        let builders: Vec<raw::Builder> = builders
            .iter()
            .map(|bytes| raw::Builder {
                data: bytes.as_ptr(),
                len: bytes.len(),
            })
            .collect();
        let mut graph = 0;
        // SAFETY: the builders and what they point at outlive the call, and the host only reads them; `graph` is a
        // valid place for one u32.
        let code = unsafe {
            raw::load(
                builders.as_ptr(),
                builders.len(),
                encoding as u32,
                target as u32,
                &mut graph,
            )
        };
        check("load", code)?;
        Ok(Self(graph))
    }

    /// Prepares to run the model. The tensors that are set live as long as the context.
    pub fn init_execution_context<'a>(&self) -> Result<ExecutionContext<'a>, Error> {
        let mut context = 0;
        // SAFETY: `context` is a valid place for one u32.
        let code = unsafe { raw::init_execution_context(self.0, &mut context) };
        check("init_execution_context", code)?;
        Ok(ExecutionContext(context, PhantomData))
    }

    /// The host's number for it.
    pub fn id(&self) -> u32 {
        self.0
    }
}

/// One inference: inputs, then `compute`, then outputs.
#[derive(Debug)]
pub struct ExecutionContext<'a>(u32, PhantomData<&'a [u8]>);

impl<'a> ExecutionContext<'a> {
    /// Hands over the input with this index. It stays borrowed: WasmEdge reads it no earlier than in `compute`.
    pub fn set_input(&mut self, index: u32, tensor: Tensor<'a>) -> Result<(), Error> {
        let record = raw::Tensor {
            dimensions: tensor.dimensions.as_ptr(),
            dimensions_len: tensor.dimensions.len(),
            tensor_type: tensor.tensor_type as u8,
            data: tensor.data.as_ptr(),
            data_len: tensor.data.len(),
        };
        // SAFETY: the record and what it points at outlive the call, and the host only reads them.
        check("set_input", unsafe { raw::set_input(self.0, index, &record) })
    }

    /// Runs the model.
    pub fn compute(&mut self) -> Result<(), Error> {
        // SAFETY: passes no pointer; what `set_input` was given is still borrowed.
        check("compute", unsafe { raw::compute(self.0) })
    }

    /// Copies the output with this index into `buffer` and says how many bytes the host wrote.
    pub fn get_output(&self, index: u32, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut written = 0;
        // SAFETY: the buffer is ours alone during the call and the host gets its length; `written` is a valid place
        // for one u32.
        let code = unsafe { raw::get_output(self.0, index, buffer.as_mut_ptr(), buffer.len(), &mut written) };
        check("get_output", code)?;
        Ok(written as usize)
    }

    /// The host's number for it.
    pub fn id(&self) -> u32 {
        self.0
    }
}
