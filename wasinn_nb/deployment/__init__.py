"""To the device: bundles with a general guest, and what devices made of them."""

from wasinn_nb.deployment.bundling import bundle
from wasinn_nb.deployment.conformance import Bundle
from wasinn_nb.deployment.facts import is_bundle
from wasinn_nb.deployment.scripts import RUNTIMES
from wasinn_nb.deployment.source import guest_source

__all__ = ["RUNTIMES", "Bundle", "bundle", "guest_source", "is_bundle"]
