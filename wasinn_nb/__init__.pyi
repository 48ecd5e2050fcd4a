from .abi import Errno as Errno
from .abi import ExecutionTarget as ExecutionTarget
from .abi import GraphEncoding as GraphEncoding
from .abi import TensorType as TensorType
