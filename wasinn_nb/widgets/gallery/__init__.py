"""`Gallery`: predictions of many images, to filter, to sort and to open."""

from wasinn_nb.widgets.gallery.gallery import Gallery

__all__ = ["Gallery"]
