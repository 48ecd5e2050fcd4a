"""`ImagePicker`: shipped images, those of a folder, and what is uploaded, dropped or pasted."""

from __future__ import annotations

import functools
import io
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from traitlets import Int, Unicode

from wasinn_nb import catalog, settings
from wasinn_nb.errors import ImageError, MissingFileError, WasiNnError
from wasinn_nb.files import change_stamp, existing_file, expanded
from wasinn_nb.imaging import IMAGE_SUFFIXES, ImageSource, encoded_bytes, open_image, rgb_image
from wasinn_nb.widgets.access import Access
from wasinn_nb.widgets.pickers.picking import Option, Picker, is_text, option, readable
from wasinn_nb.widgets.pickers.uploads import CHUNK_BYTES, MOST_BYTES, Uploads

__all__ = ["ImagePicker"]

_MOST_OPTIONS: Final = 60
_MOST_LETTERS: Final = 100  # of an uploaded file's name
_THUMBNAIL: Final = (144, 96)
_THUMBNAIL_QUALITY: Final = 60
_SECONDS_BETWEEN: Final = 0.2  # two messages with new thumbnails
_UPLOAD: Final = "upload:"


@dataclass(frozen=True, slots=True)
class _Kept:
    """An image that is not a file here: its bytes, and its option."""

    content: bytes
    option: Option


class ImagePicker(Picker):
    """Pick an image: a shipped one, one of a folder, or one that comes from the page.

    Parameters
    ----------
    value : str, path-like, bytes, PIL.Image or array, optional
        The name of a shipped image, a path, or an image itself.  Default: ``WASINN_NB_IMAGE``,
        else a shipped one.
    folder : str or path-like, optional
        Whose images are to be listed too.
    root : str or path-like, optional
        The folder that holds all folders which the page may open.  Default: under Voila that of the
        notebook, so that no visitor looks elsewhere; else any folder.

    Attributes
    ----------
    value : str
        The name, the path, or ``"upload:NAME"``.

    Examples
    --------
    >>> picker = ImagePicker()
    >>> picker.value, picker.image.name, picker.title
    ('city-crosswalk', 'city-crosswalk.jpg', 'city-crosswalk')
    """

    _folder = Unicode().tag(sync=True)
    _chunk_bytes = Int(CHUNK_BYTES).tag(sync=True)
    _most_bytes = Int(MOST_BYTES).tag(sync=True)

    def __init__(
        self,
        value: ImageSource | None = None,
        folder: str | os.PathLike[str] | None = None,
        *,
        root: str | os.PathLike[str] | None = None,
    ) -> None:
        self._access = Access(root)
        self._uploads = Uploads()
        self._kept: dict[str, _Kept] = {}
        self._in_folder: list[Option] = []
        self._opened = 0
        chosen = settings.default("image") if value is None else value
        picked = os.fspath(chosen) if isinstance(chosen, str | os.PathLike) else self._keep(chosen)
        super().__init__(_kind="images", label="Image", value=picked, _options=self._listed(picked))
        if folder is not None:
            self._show_folder(folder)

    @property
    def image(self) -> Path | bytes:
        """What is picked, as `Pipeline` takes it: a path, or the bytes as they came.

        Raises
        ------
        NotFoundError, MissingFileError
            If the value is not a shipped image, no upload and no file.
        """
        if (kept := self._kept.get(self.value)) is not None:
            return kept.content
        return catalog.image(self.value)

    @property
    def title(self) -> str:
        """The name of what is picked, for people."""
        return _title(self.value)

    def open_folder(self, path: str | os.PathLike[str]) -> None:
        """List the images of a folder, in place of those of the folder before.

        Thumbnails are made in the background; a file that is not an image is grayed then.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        MissingFileError
            If there is no such folder; the picker shows that too.
        """
        self._message = ""
        try:
            folder, names = _names_in(path)
        except WasiNnError as error:
            self._say(error)
            raise
        paths = [folder / name for name in names[:_MOST_OPTIONS]]
        listed = [self._file_option(path) for path in paths]
        with self._guard:
            self._opened = opened = self._opened + 1
            self._folder = readable(self._access.name_of(folder), 4096)
            self._in_folder = listed
            self.refresh()
        if not names:
            self._say(f"no images in {readable(str(folder))}; expected {', '.join(IMAGE_SUFFIXES)}")
        elif len(names) > _MOST_OPTIONS:
            self._say(f"the first {_MOST_OPTIONS} of {len(names)} images are shown")
        self._in_background(functools.partial(self._make_thumbnails, opened, paths))

    def add(self, content: bytes, name: str) -> None:
        """Keep an image, as it is, and pick it.

        Parameters
        ----------
        content : bytes
            Of a file of any format that Pillow reads.
        name : str
            Of the file.  Where there is one of that name already, " (2)" is added.

        Raises
        ------
        ImageError
            If it is not an image; the picker shows that too, and what was picked stays picked.
        """
        self._message = ""
        try:
            self._add(content, name)
        except WasiNnError as error:
            self._say(error)
            raise

    def _show_folder(self, path: str | os.PathLike[str]) -> None:
        with suppress(WasiNnError):  # the picker shows it
            self.open_folder(path)

    def _add(self, content: bytes, name: str) -> None:
        if not isinstance(content, bytes | bytearray | memoryview):
            raise ImageError(f"expected the bytes of an image, got {type(content).__name__}")
        name = _file_name(name)
        try:
            image = open_image(content)
            detail, thumbnail = _size(image), _jpeg(image)
        except ImageError as error:
            raise ImageError(error.reason, source=name) from error
        with self._guard:
            key = self._free_key(name)
            self._kept[key] = _Kept(
                bytes(content), option(key, _title(key), detail, thumbnail=thumbnail)
            )
            self.refresh()
        self.value = key

    def _keep(self, source: Any) -> str:
        """Keep an image that was given as start value, readable or not; return its key."""
        if isinstance(source, Image.Image | np.ndarray):
            kind = "array" if isinstance(source, np.ndarray) else "image"
            name = Path(getattr(source, "filename", "")).name or f"{kind}.png"
            content = _png(source)
        else:
            name, content = "image", encoded_bytes(source)
        key = self._free_key(_file_name(name))
        self._kept[key] = _Kept(content, _described(option(key, _title(key)), content))
        return key

    def _free_key(self, name: str) -> str:
        parts = Path(name)
        names = (
            f"{parts.stem} ({n}){parts.suffix}" if n > 1 else name
            for n in range(1, len(self._kept) + 2)
        )
        return next(key for name in names if (key := _UPLOAD + name) not in self._kept)

    def _listed(self, value: str) -> list[Option]:
        listed = [kept.option for kept in reversed(self._kept.values())]
        listed += self._in_folder
        listed += [_described(option(name, name), catalog.image(name)) for name in catalog.images()]
        if all(known["key"] != value for known in listed):
            listed.insert(0, _own_option(value))
        return listed

    def _make_thumbnails(self, opened: int, paths: Sequence[Path]) -> None:
        made: list[Option] = []
        sent = time.monotonic()
        for index, path in enumerate(paths):
            made.append(_described(self._file_option(path), path))
            last = index == len(paths) - 1
            if last or time.monotonic() - sent >= _SECONDS_BETWEEN:
                sent = time.monotonic()
                with self._guard:
                    if self._opened != opened or self.comm is None:
                        return
                    self._in_folder = made + self._in_folder[len(made) :]
                    self.refresh()

    def _file_option(self, path: Path) -> Option:
        """Return the option of a file of the folder that is open."""
        key = str(path)
        reason = ""
        if not is_text(key):
            reason = "its name is not UTF-8; rename it"
        elif not self._access.holds(path) and not _is_in(path, path.parent):
            reason = "a link that leads out of the folder that this page may use"
        if reason:
            return option(readable(key, 4096), readable(path.name), reason=reason, enabled=False)
        return option(key, readable(path.name))

    def _answer(self, content: dict[str, Any], buffers: Sequence[memoryview]) -> None:
        kind, id_ = content.get("type"), content.get("id")
        if kind == "folder" and isinstance(path := content.get("path"), str):
            self._message = ""
            self._show_folder(self._access.folder(path))
        elif kind == "drop upload":
            self._uploads.drop(id_)
        elif kind == "upload":
            try:
                upload = self._uploads.take(content, buffers)
                if upload.complete:
                    self._add(bytes(upload.content), upload.name)
            except WasiNnError:
                self.send({"type": "upload", "id": id_, "failed": True})
                raise
            self.send({"type": "upload", "id": id_, "received": len(upload.content)})


# ------------------------------------------------------------------------------------- options


def _own_option(value: str) -> Option:
    """Return the option of a path, or of a name that no shipped image has."""
    entry = option(value, readable(_title(value)))
    try:
        return _described(entry, catalog.image(value))
    except (WasiNnError, OSError) as error:
        return entry | {"reason": str(error), "enabled": False}


def _described(entry: Option, source: Path | bytes) -> Option:
    """Return an option with the image's size and thumbnail, or with why it has none."""
    if not entry["enabled"]:
        return entry
    try:
        if isinstance(source, bytes):
            image = open_image(source)
            return entry | {"detail": _size(image), "thumbnail": _jpeg(image)}
        stamp = change_stamp(existing_file(source, "image"))
        detail, thumbnail = _thumbnail(source, *stamp)
    except (WasiNnError, OSError) as error:
        reason = error.reason if isinstance(error, ImageError) else str(error)
        return entry | {"reason": reason, "enabled": False}
    return entry | {"detail": detail, "thumbnail": thumbnail}


@functools.lru_cache(maxsize=512)
def _thumbnail(path: Path, *_changes: int) -> tuple[str, bytes]:
    """Return the size of an image in words, and its thumbnail; made once."""
    width, height = _THUMBNAIL
    small = _jpeg(open_image(path, at_least=(height, width)))
    with Image.open(path) as opened:
        return _size(opened), small


def _jpeg(image: Image.Image) -> bytes:
    """Return *image* in small, as a model sees it: without alpha."""
    small = rgb_image(image)
    small = small.copy() if small is image else small
    small.thumbnail(_THUMBNAIL)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_THUMBNAIL_QUALITY)
    return out.getvalue()


def _png(source: Image.Image | np.ndarray[Any, Any]) -> bytes:
    """Return the pixels of *source* as a file that keeps them."""
    image = open_image(source)
    out = io.BytesIO()
    try:
        image.save(out, "PNG", exif=image.getexif())
    except OSError:  # a mode that PNG does not have
        out = io.BytesIO()
        rgb_image(image).save(out, "PNG", exif=image.getexif())
    return out.getvalue()


def _size(image: Image.Image) -> str:
    return f"{image.width}x{image.height}"


# --------------------------------------------------------------------------------------- names


def _title(value: str) -> str:
    if value.startswith(_UPLOAD):
        return value.removeprefix(_UPLOAD)
    return Path(value).name or value


def _is_in(path: Path, folder: Path) -> bool:
    """Return whether a file lies in a folder, wherever that lies."""
    return Access(folder).holds(path)


def _file_name(name: str) -> str:
    """Return what of *name* can be a file's name: no folders, nothing invisible, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    path = Path("".join(filter(str.isprintable, last)).strip())
    suffix = path.suffix[:10]
    return (path.stem[: _MOST_LETTERS - len(suffix)].strip(" .") or "image") + suffix


def _names_in(path: str | os.PathLike[str]) -> tuple[Path, list[str]]:
    """Return a folder, and the names of the images in it."""
    folder = expanded(path).absolute()
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.name.lower().endswith(IMAGE_SUFFIXES) and not entry.is_dir()
            )
    except (OSError, ValueError) as error:  # ValueError: a NUL
        why = getattr(error, "strerror", None) or str(error)
        raise MissingFileError(
            f"{readable(str(path))} cannot be opened as a folder: {why}; looked from {Path.cwd()}"
        ) from error
    return folder, names
