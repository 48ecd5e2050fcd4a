"""What other runtimes do with a guest's calls: rules as data, and a report."""

from wasinn_nb.behavior.judging import portability
from wasinn_nb.behavior.report import Finding, Portability, RuntimeReport

__all__ = ["Finding", "Portability", "RuntimeReport", "portability"]
