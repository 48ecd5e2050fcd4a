"""`Explorer`: the pickers, a viewer and a panel in one widget."""

from wasinn_nb.widgets.explorer.explorer import Explorer

__all__ = ["Explorer"]
