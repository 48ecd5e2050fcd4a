"""What was done with the files of an evaluation that its figures do not show."""

from __future__ import annotations

from dataclasses import dataclass

from wasinn_nb.tasks import saturated_images
from wasinn_nb.wording import counted, listed

__all__ = ["Remarks"]


@dataclass(frozen=True)
class Remarks:
    """What a reader of the figures should know about the files.

    Parameters
    ----------
    numbered : bool
        Whether the truth's labels were taken for the numbers of the model's classes, as nothing
        else was given.
    gray : tuple of str
        Masks that are color images with equal channels, which were read as labels.
    loaded : tuple of str
        Masks that are loaded images, whose labels may have been multiplied.
    exif_ignored, exif_applied : tuple of str
        Images with an EXIF orientation other than upright, by what the recipe does with it.
    failed : tuple of (name, reason)
        Images that could not be read, or whose masks could not; they do not count.
    passed_over : tuple of str
        Files in the folders that were not taken, as their names are not those of images.
    stored : tuple of str
        Of predictions of a store: which of several runs they are, and whether it is finished.
    saturated : (int, int)
        Images whose probabilities mean nothing, as the scores are saturated, and all.

    Examples
    --------
    >>> Remarks(gray=("truth a",)).sentences()
    ['read as labels, though they are color images (R = G = B): truth a']
    """

    numbered: bool = False
    gray: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    exif_ignored: tuple[str, ...] = ()
    exif_applied: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    stored: tuple[str, ...] = ()
    saturated: tuple[int, int] = (0, 0)

    def sentences(self) -> list[str]:
        """Return them in words."""
        sentences = []
        if self.numbered:
            sentences.append(
                "labels of the truth were taken for the numbers of the model's classes, as no "
                "classes were given"
            )
        if self.gray:
            sentences.append(
                f"read as labels, though they are color images (R = G = B): {listed(self.gray, 4)}"
            )
        if self.loaded:
            sentences.append(
                f"labels that are all multiples of 17 or 85 ({listed(self.loaded, 4)}): a "
                f"PIL.Image that is loaded has lost that its samples had 2 or 4 bits; where they "
                f"had, pass the paths of the files"
            )
        if self.exif_ignored:
            sentences.append(
                f"EXIF orientation ignored by the recipe ({listed(self.exif_ignored, 8)}): masks "
                f'must be turned as the images are stored; exif="apply" is for upright masks'
            )
        if self.exif_applied:
            sentences.append(
                f"EXIF orientation applied by the recipe ({listed(self.exif_applied, 8)}): masks "
                f'must be upright; exif="ignore" is for masks as the images are stored'
            )
        if n := len(self.failed):
            names = listed([name for name, _ in self.failed], 8)
            images = counted(n, "image")
            sentences.append(f"not counted, as they cannot be read: {names} ({images})")
        if n := len(self.passed_over):
            sentences.append(
                f"passed over, as not named like images: {listed(self.passed_over, 8)} "
                f"({counted(n, 'file')})"
            )
        if self.saturated[0]:
            sentences.append(saturated_images(*self.saturated))
        # Predictions say it of themselves, too.
        return [*dict.fromkeys((*sentences, *self.stored))]
