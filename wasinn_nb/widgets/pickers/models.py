"""`ModelPicker`: the models of the catalog, and a button for those that can be fetched."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from wasinn_nb import catalog, settings
from wasinn_nb.cards import ModelCard, is_model_file, path_text
from wasinn_nb.catalog import Model, ModelEntry
from wasinn_nb.errors import DownloadError, NotFoundError, WasiNnError
from wasinn_nb.files import expanded, has_folder
from wasinn_nb.widgets.pickers.background import ending
from wasinn_nb.widgets.pickers.picking import Option, Picker, option, readable
from wasinn_nb.wording import bytes_text

__all__ = ["ModelPicker"]

_SECONDS_BETWEEN: Final = 0.1  # two messages on one download


class ModelPicker(Picker):
    """Pick a model of the catalog: what is here, and after a download what is only known.

    Parameters
    ----------
    value : str, path-like or Model, optional
        A name of :func:`wasinn_nb.models`, or a path.  Default: ``WASINN_NB_MODEL``, else the
        shipped model.
    card : ModelCard or path-like, optional
        In place of the card of *value*.
    tasks : sequence of str
        What a model may be for.  Those whose card says another task cannot be picked, and say so.

    Attributes
    ----------
    value : str
        The name, or the path.

    Examples
    --------
    >>> wn.ModelPicker().value
    'road-segmentation-synth-0001'
    """

    def __init__(
        self,
        value: str | os.PathLike[str] | Model | None = None,
        *,
        card: ModelCard | str | os.PathLike[str] | None = None,
        tasks: Sequence[str] = ("segmentation",),
    ) -> None:
        self._progress: dict[str, float] = {}
        self._tasks = tuple(tasks)
        picked = settings.default("model") if value is None else _as_text(value)
        self._given = (picked, card)
        super().__init__(_kind="models", label="Model", value=picked, _options=self._listed(picked))

    def download(self, name: str) -> None:
        """Fetch a model in the background, and pick it when it is here.

        A second call while the first one runs does nothing.  A failure is shown in the picker.

        Parameters
        ----------
        name : str
            Of a model that :func:`wasinn_nb.models` lists.
        """
        with self._guard:
            if name in self._progress:
                return
            self._message = ""
            entry = next((entry for entry in catalog.models() if entry.name == name), None)
            if entry is None or entry.download_bytes is None:
                reason = entry.reason if entry else "no such model is known"
                self._say(f"{readable(name)} cannot be fetched: {reason or 'it is here already'}")
                return
            self._progress[name] = 0.0
            self.refresh()
            self._in_background(partial(self._fetch, name))

    def _fetch(self, name: str) -> None:
        sent = 0.0

        def report(so_far: int, in_all: int) -> None:
            nonlocal sent
            if ending():
                raise DownloadError(f"{name}: the session ended while it was downloaded")
            if (now := time.monotonic()) - sent >= _SECONDS_BETWEEN:
                sent = now
                with self._guard:
                    self._progress[name] = so_far / in_all if in_all else 0.0
                    self._show_progress(name)

        error: Exception | None = None
        try:
            catalog.fetch(name, progress=report)
        except (WasiNnError, OSError) as failure:
            error = failure
        finally:
            with self._guard:
                del self._progress[name]
                self.refresh()
        if error is None:
            self.value = name
        else:
            self._say(error)

    def _show_progress(self, name: str) -> None:
        for known in self._options:
            if known["key"] == name:
                self._change(known | {"progress": self._progress[name]})

    def _listed(self, value: str) -> list[Option]:
        listed = [self._option(entry) for entry in catalog.models()]
        if all(known["key"] != value for known in listed):
            listed.append(self._own_option(value))
        return sorted(listed, key=lambda known: not known["enabled"])

    def _option(self, entry: ModelEntry) -> Option:
        if self._card_of(entry.name) is not None and entry.here:
            return self._own_option(entry.name)
        unfit = self._unfit(entry.task)
        fits = not unfit
        size = entry.download_bytes if fits else None
        progress = self._progress.get(entry.name)
        reason, action = entry.reason, None
        if not fits:
            reason = unfit
        elif progress is not None:
            reason = "being downloaded"
        elif size is not None:
            reason = "not downloaded"
            action = {"name": "download", "title": f"Download {bytes_text(size)}"}
        return option(
            entry.name,
            readable(entry.name),
            _detail(entry.task, entry.precisions),
            reason,
            enabled=entry.here and fits,
            action=action,
            progress=progress,
        )

    def _own_option(self, value: str) -> Option:
        """Return the option of a path, or of a name that is not listed with its card."""
        try:
            model = catalog.model(value, download=False, card=self._card_of(value))
        except (WasiNnError, OSError) as error:
            title = value if isinstance(error, NotFoundError) else Path(value).name or value
            return option(value, readable(title), reason=str(error), enabled=False)
        unfit = self._unfit(model.card.task)
        named = model.path.name if has_folder(value) or is_model_file(Path(value)) else value
        return option(
            value,
            readable(named),
            _detail(model.card.task, [model.precision] if model.precision else []),
            unfit,
            enabled=not unfit,
        )

    def _card_of(self, value: str) -> ModelCard | str | os.PathLike[str] | None:
        """Return the card that was given in place of the model's own."""
        picked, card = self._given
        return card if value == picked else None

    def _unfit(self, task: str) -> str:
        """Return why a model of that task cannot be picked; "" if it can."""
        if task in {*self._tasks, "unknown"}:
            return ""
        return f"{task} model; this needs {' or '.join(self._tasks)}"

    def _answer(self, content: dict[str, Any], _: Sequence[memoryview]) -> None:
        name = content.get("name")
        if content.get("type") == "download" and isinstance(name, str):
            self.download(name)


def _as_text(value: str | os.PathLike[str] | Model) -> str:
    if isinstance(value, Model):
        return str(value.path)
    if isinstance(value, str):
        return value
    return path_text(expanded(value))


def _detail(task: str, precisions: Sequence[str]) -> str:
    return " · ".join(filter(None, [task, ", ".join(precisions)]))
