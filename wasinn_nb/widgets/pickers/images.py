"""`ImagePicker`: shipped images, those of a folder, and what is uploaded, dropped or pasted."""

from __future__ import annotations

import io
import os
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
from wasinn_nb.files import expanded
from wasinn_nb.imaging import IMAGE_SUFFIXES, ImageSource, encoded_bytes, open_image, rgb_image
from wasinn_nb.widgets.access import Access
from wasinn_nb.widgets.pickers.picking import Option, Picker, is_text, option, readable
from wasinn_nb.widgets.pickers.thumbnails import Described, Thumbnails, described
from wasinn_nb.widgets.pickers.uploads import CHUNK_BYTES, MOST_BYTES, Uploads

__all__ = ["ImagePicker"]

_MOST_LETTERS: Final = 100  # of an uploaded file's name
_UPLOAD: Final = "upload:"


@dataclass(frozen=True, slots=True)
class _Kept:
    """An image that is not a file here: its bytes, and what its option says of it."""

    content: bytes
    described: Described

    def option(self, key: str) -> Option:
        """Return its option."""
        return option(key, _title(key)) | self.described[0]


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
        The folder that holds all folders which the page may open.  Default: under Voila and
        ``marimo run`` that of the notebook, so that no visitor looks elsewhere; else any folder.

    Attributes
    ----------
    value : str
        The name, the path, or ``"upload:NAME"``.

    Examples
    --------
    >>> picker = wn.ImagePicker()
    >>> picker.value, picker.image.name, picker.title
    ('city-crosswalk', 'city-crosswalk.jpg', 'city-crosswalk')
    """

    _folder = Unicode().tag(sync=True)
    _most_bytes = Int(MOST_BYTES).tag(sync=True)
    _chunk_bytes = Int(CHUNK_BYTES).tag(sync=True)

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
        self._thumbnails = Thumbnails(self._described, self._send_thumbnails)
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

        Thumbnails are made in the background as the page comes to show them; a file that is not an
        image is grayed then.

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
            folder, entries = _entries_in(path)
        except WasiNnError as error:
            self._say(error)
            raise
        with self._guard:
            self._folder = readable(self._access.name_of(folder), 4096)
            self._in_folder = [self._file_option(folder, entry) for entry in entries]
            self.refresh()
        if not entries:
            self._say(f"no images in {readable(str(folder))}; expected {', '.join(IMAGE_SUFFIXES)}")

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
        about = described(bytes(content))
        if reason := about[0].get("reason"):
            raise ImageError(reason, source=name)
        with self._guard:
            key = self._free_key(name)
            self._kept[key] = _Kept(bytes(content), about)
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
        self._kept[key] = _Kept(content, described(content))
        return key

    def _free_key(self, name: str) -> str:
        parts = Path(name)
        names = (
            f"{parts.stem} ({n}){parts.suffix}" if n > 1 else name
            for n in range(1, len(self._kept) + 2)
        )
        return next(key for name in names if (key := _UPLOAD + name) not in self._kept)

    def close(self) -> None:
        """Take the widget off the page; no more thumbnails are made."""
        if self.comm is not None:
            self._thumbnails.cancel()
        super().close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no thumbnail is being made.

        Parameters
        ----------
        timeout : float, optional
            The most seconds to wait.

        Returns
        -------
        bool
            Whether nothing runs any more.
        """
        return self._thumbnails.wait(timeout)

    def _listed(self, value: str) -> list[Option]:
        listed = [kept.option(key) for key, kept in reversed(self._kept.items())]
        listed += self._in_folder
        listed += [option(name, name) for name in catalog.images()]
        if all(known["key"] != value for known in listed):
            listed.insert(0, _own_option(value))
        return listed

    def _described(self, key: str) -> Described:
        """Return the description of an image that the page was offered."""
        if (kept := self._kept.get(key)) is not None:
            return kept.described
        try:
            return described(catalog.image(key))
        except (WasiNnError, OSError) as error:
            return {"reason": str(error), "enabled": False}, b""

    def _send_thumbnails(self, made: list[tuple[str, Described | None]]) -> None:
        with self._guard:
            if self.comm is None:  # it was closed meanwhile
                return
            options = [{"key": key} | (one[0] if one else {"dropped": True}) for key, one in made]
            buffers = [one[1] if one else b"" for _, one in made]
            self.send({"type": "thumbnails", "options": options}, buffers)

    def _file_option(self, folder: Path, entry: os.DirEntry[str]) -> Option:
        """Return the option of a file of the folder that is open."""
        key = f"{folder}{os.sep}{entry.name}"
        reason = ""
        if not is_text(key):
            reason = "its name is not UTF-8; rename it"
        elif entry.is_symlink() and not self._reaches(folder, Path(key)):
            reason = "a link that leads out of the folder that this page may use"
        if reason:
            return option(readable(key, 4096), readable(entry.name), reason=reason, enabled=False)
        # A pipe, a device, a broken link: the page is told before somebody clicks.
        return option(key, readable(entry.name)) if entry.is_file() else _own_option(key)

    def _reaches(self, folder: Path, link: Path) -> bool:
        """Return whether the page may open a link: into the root, or into its own folder."""
        return self._access.holds(link) or Access(folder).holds(link)

    def _answer(self, content: dict[str, Any], buffers: Sequence[memoryview]) -> None:
        kind, id_ = content.get("type"), content.get("id")
        if kind == "folder" and isinstance(path := content.get("path"), str):
            self._message = ""
            self._show_folder(self._access.folder(path))
        elif kind == "thumbnails" and isinstance(keys := content.get("keys"), list):
            offered = {one["key"] for one in self._options if one["enabled"]}
            self._thumbnails.ask(key for key in keys if isinstance(key, str) and key in offered)
        elif kind == "uploads":
            self._message = ""
        elif kind == "unreadable upload":
            name, reason = (readable(str(content.get(key))) for key in ("name", "reason"))
            self._say(f"{name} cannot be read: {reason}", below=True)
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
        return entry | described(catalog.image(value))[0]
    except (WasiNnError, OSError) as error:
        return entry | {"reason": str(error), "enabled": False}


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


# --------------------------------------------------------------------------------------- names


def _title(value: str) -> str:
    if value.startswith(_UPLOAD):
        return value.removeprefix(_UPLOAD)
    return Path(value).name or value


def _file_name(name: str) -> str:
    """Return what of *name* can be a file's name: no folders, nothing invisible, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    path = Path("".join(filter(str.isprintable, last)).strip())
    suffix = path.suffix[:10]
    return (path.stem[: _MOST_LETTERS - len(suffix)].strip(" .") or "image") + suffix


def _entries_in(path: str | os.PathLike[str]) -> tuple[Path, list[os.DirEntry[str]]]:
    """Return a folder, and the files in it that are called as images are."""
    folder = expanded(path).absolute()
    try:
        with os.scandir(folder) as entries:
            found = [
                entry
                for entry in entries
                if entry.name.lower().endswith(IMAGE_SUFFIXES) and not entry.is_dir()
            ]
    except (OSError, ValueError) as error:  # ValueError: a NUL
        why = getattr(error, "strerror", None) or str(error)
        raise MissingFileError(
            f"{readable(str(path))} cannot be opened as a folder: {why}; looked from {Path.cwd()}"
        ) from error
    return folder, sorted(found, key=lambda entry: entry.name)
