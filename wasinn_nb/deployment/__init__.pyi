from .bundling import bundle as bundle
from .conformance import Bundle as Bundle
from .facts import is_bundle as is_bundle
from .scripts import RUNTIMES as RUNTIMES
from .source import guest_source as guest_source
