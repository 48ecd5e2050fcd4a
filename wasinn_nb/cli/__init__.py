"""``wasinn-nb``: the package's verbs on the command line."""

from wasinn_nb import lazy_names as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
