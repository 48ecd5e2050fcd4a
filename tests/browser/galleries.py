"""A `Gallery` on a page: its grid, filters and the opened image."""

from __future__ import annotations

import re

from browser.pages import expect


class GalleryPage:
    """The first gallery within *where*."""

    def __init__(self, where) -> None:
        self.root = where.locator(".wnb-gallery").first
        self.page = self.root.page
        self.grid = self.root.get_by_role("listbox", name="Images")
        self.query = self.root.get_by_role("searchbox", name="Filter by an expression")
        self.count = self.root.locator(".wnb-gallery-count")
        self.opened = self.root.locator("dialog.wnb-opened")

    def wait_drawn(self) -> None:
        """Wait until every tile on screen has what it shows."""
        expect(self.grid).to_have_attribute("data-drawn", re.compile(r"^(\d+)/\1$"))

    def wait_selected(self, count: int) -> None:
        """Wait until so many images pass the filters, and are on screen."""
        expect(self.root).to_have_attribute("data-selected", str(count))
        tiles = re.compile(r"^([1-9]\d*)/\1$") if count else "0/0"
        expect(self.grid).to_have_attribute("data-drawn", tiles)

    def names(self) -> list[str]:
        """Return what the tiles on screen say, in their order."""
        tiles = [one for one in self.grid.get_by_role("option").all() if one.is_visible()]
        tiles.sort(key=lambda one: int(one.get_attribute("aria-posinset")))
        words = [one.locator(".wnb-gallery-tile-words span").all_inner_texts() for one in tiles]
        return [", ".join(filter(None, parts)) for parts in words]

    def facet(self, column: str):
        """Return the section of a column, once it is in view and drawn."""
        section = self.root.locator(f'.wnb-facet[data-column="{column}"]')
        section.scroll_into_view_if_needed()
        expect(section.locator(".wnb-facet-track, .wnb-facet-list")).to_be_visible()
        return section

    def brush(self, column: str, start: float, end: float) -> None:
        """Drag over a histogram, from one part of its width to another."""
        track = self.facet(column).locator(".wnb-facet-track")
        track.scroll_into_view_if_needed()
        box = track.bounding_box()
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + start * box["width"], y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + (start + end) / 2 * box["width"], y)
        self.page.mouse.move(box["x"] + end * box["width"], y)
        self.page.mouse.up()

    def mask_pixel(self, place: int) -> list[int]:
        """Return red, green, blue and opacity in the middle of the mask of a tile."""
        tile = self.grid.get_by_role("option").nth(place)
        return tile.locator("canvas").evaluate(
            "(one) => [...one.getContext('2d').getImageData("
            "one.width >> 1, one.height >> 1, 1, 1).data]"
        )

    def wait_opened(self, row: int) -> None:
        """Wait until the image of a row is open and painted."""
        expect(self.opened).to_have_attribute("data-shown", str(row))
        expect(self.opened.locator(".wnb-viewer")).to_have_attribute(
            "data-painted", re.compile(r"\d+")
        )
