"""`Explorer`: pick a model, an image and an execution target, and look at the result.

Longer than 400 lines: one class with the callbacks of all its parts, a third of it docstrings.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, cast

import ipywidgets
import traitlets

from wasinn_nb import settings
from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.catalog import Model
from wasinn_nb.comparison import Comparison, compare
from wasinn_nb.errors import BusyError, InvalidArgumentError, WasiNnError
from wasinn_nb.imaging import ImageSource, Resize
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.runtimes import Precision
from wasinn_nb.transaction import atomic
from wasinn_nb.widgets.access import Access, PageWidget, for_visitors, under_voila
from wasinn_nb.widgets.explorer.display import Display
from wasinn_nb.widgets.explorer.latest import Latest
from wasinn_nb.widgets.explorer.panel import Panel
from wasinn_nb.widgets.explorer.runs import FILTERS, RunPicker
from wasinn_nb.widgets.explorer.saving import Saved, save_all
from wasinn_nb.widgets.explorer.selection import Selection, code_of
from wasinn_nb.widgets.explorer.times import PipelineTimes, where
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.pickers import ImagePicker, ModelPicker, TargetPicker
from wasinn_nb.widgets.showing import Showable, begin, embed, in_page
from wasinn_nb.widgets.viewer import Bars, MaskViewer, Mode, WidgetResult, notes_of
from wasinn_nb.wording import inert

__all__ = ["Explorer"]

_FOLDER: Final = "out/explorer"
_REPEATS: Final = 10
# Seconds in which interpreter and page are free for the mask, before the rest is computed and sent.
_BREATH: Final = 0.02
# The most seconds that the image waits for the first result where a cell's end is all there is.
_PATIENCE: Final = 60.0


class Explorer(Showable, PageWidget):
    """Pick a model, an image and an execution target, and look at the mask, or at the classes.

    The mask of a segmentation model is laid over the image; the five most probable classes of a
    classifier stand beside it.  What is assumed of a model is a badge above it: it opens with the
    line of Python that states it.

    It is one anywidget: it works in JupyterLab, Notebook 7, Voila and marimo, inside boxes, outputs
    and ``interact``.  Everything runs in the kernel and the page.  Models are compiled and run in a
    background thread, so that the kernel goes on answering; of choices that follow one another
    quickly, the last one counts.  What goes wrong is shown right above the image, and the widget
    goes on working; where ``WASINN_NB_RAISE`` is set, it runs at once in the caller's thread and
    raises.

    A saved notebook shows the last image in place of the widget.  (JupyterLab forgets, when a
    page is loaded again, where that image lies: it follows the widget once the cell has run
    again.)

    Parameters
    ----------
    model, image, target, precision
        What is picked at first: as for :func:`wasinn_nb.segment`.  Default: ``WASINN_NB_MODEL``,
        ``WASINN_NB_IMAGE``, ``WASINN_NB_TARGET`` and ``WASINN_NB_PRECISION``, else what comes
        with the package.
    card : ModelCard or path-like, optional
        In place of the card of *model*; another model that is picked has its own.
    recipe : PreprocessRecipe or mapping, optional
        In place of that of *model*, or of some of its fields, in the same way.
    runtime : str, optional
        The engine.  Where more than one that reads the model is installed, the page offers them.
        Default: ``WASINN_NB_RUNTIME``, else OpenVINO.
    resize : {"triangle", "triangle-0.23", "bilinear", "bilinear-draft"}, optional
        Replaces the recipe's filter.
    scores : bool
        Keep the scores of every class: for the confidence threshold, and the runner-up of a pixel;
        of one class, for its threshold.
    compare : bool
        Begin with two runs on one image.
    folder : path-like, optional
        A folder of images to pick from.
    root : path-like, optional
        The folder that holds all folders which the page may open, and save to.  Default: under
        Voila and ``marimo run`` that of the notebook; else any folder.
    saving : bool, optional
        Whether the page may save.  Default: not under Voila and ``marimo run``, where any visitor
        could.

    Attributes
    ----------
    models, images, targets : ModelPicker, ImagePicker, TargetPicker
        Their ``value`` can be set by code as well.
    runs : tuple of RunPicker
        The choices of the first run and of the one it is compared with.
    viewer : MaskViewer
        Of masks.
    bars : Bars
        Of classes.
    panel : Panel

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> explorer = wn.Explorer(image="city-crosswalk", target="CPU")
    >>> explorer.wait().labels.shape
    (512, 896)
    >>> explorer.images.value = "country-road"
    >>> explorer.wait().card.classes
    ('background', 'road', 'curb', 'mark')
    """

    _from_threads = frozenset({"_visible"})
    _page_module, _css = page("explorer")

    _closed = False

    _parts = traitlets.Dict().tag(sync=True)
    _visible = traitlets.List(traitlets.Unicode(), ["masks"]).tag(sync=True)

    def __init__(
        self,
        model: str | os.PathLike[str] | Model | None = None,
        image: ImageSource | None = None,
        target: str | int | None = None,
        *,
        precision: Precision | None = None,
        card: ModelCard | str | os.PathLike[str] | None = None,
        recipe: PartialRecipe | None = None,
        runtime: str | None = None,
        resize: Resize | None = None,
        scores: bool = True,
        compare: bool = False,
        folder: str | os.PathLike[str] | None = None,
        root: str | os.PathLike[str] | None = None,
        saving: bool | None = None,
    ) -> None:
        self._latest = Latest()
        if resize and resize not in (known := [value for _, value in FILTERS if value]):
            raise InvalidArgumentError(
                f"expected resize as one of {', '.join(known)}, got {resize!r:.80}"
            )
        self._access = Access(root)
        choices: Any = {"precision": precision, "runtime": runtime, "resize": resize}
        self.runs = tuple(
            RunPicker(model, target, card=card, recipe=recipe, **choices) for _ in range(2)
        )
        self.images = ImagePicker(image, folder, root=root)
        self._display = Display("swipe" if compare else "overlay", self._arrange_parts)
        self.still = self.viewer.still
        self.still.prepare = self._await_first
        allowed = not for_visitors() if saving is None else saving
        self.panel = Panel(compare=compare, folder=_FOLDER, saving=allowed)
        super().__init__(_parts=self._part_names())
        embed(self.viewer)
        begin(self)
        self._scores = scores
        self._lock = threading.Lock()
        self._results: tuple[WidgetResult, ...] = ()
        self._comparison: Comparison | None = None
        self._error: BaseException | None = None
        self._single_mode: Mode = "overlay"  # of one run, before two were compared
        self._turn = object()  # another one for each submission
        self._ran_last: list[tuple[Selection, weakref.ref[Pipeline]]] = []
        self._times = PipelineTimes()
        for run in self.runs:
            run.observe(self._changed)
        self.images.observe(self._changed, "value")
        self.panel.observe(self._changed, ["compare", "folder"])
        self.viewer.observe(self._threshold_moved, "threshold")
        self.panel.on_action("copy", self._copy)
        self.panel.on_action("save", self._save)
        self.panel.on_action("time", self._time)
        self._label()
        self._submit()

    # ------------------------------------------------------------------------------- by code

    @property
    def models(self) -> ModelPicker:
        """The picker of the first run's model."""
        return self.runs[0].models

    @property
    def targets(self) -> TargetPicker:
        """The picker of the first run's target and precision."""
        return self.runs[0].targets

    @property
    def viewer(self) -> MaskViewer:
        """What shows masks."""
        return self._display.viewer

    @property
    def bars(self) -> Bars:
        """What shows classes."""
        return self._display.bars

    @property
    def result(self) -> WidgetResult | None:
        """The result of the present selection; None while it runs, and where it failed.

        A mask of one class is that at the threshold of the viewer.
        """
        with self._lock:
            return self._results[0] if self._results else None

    @property
    def other(self) -> WidgetResult | None:
        """The result of the second run, where two are compared."""
        with self._lock:
            return self._results[1] if len(self._results) > 1 else None

    @property
    def comparison(self) -> Comparison | None:
        """Whether the two runs agree, where two are compared."""
        with self._lock:
            return self._comparison

    @property
    def code(self) -> str:
        """The Python that makes the present image; it runs as it is."""
        image = self.images.value
        if self._uploaded() is not None:
            image = self.images.title
            if self.panel.saving:  # "Copy code" writes it there
                image = str(self._save_folder() / image)
        with self._lock:
            results = self._results
        return code_of(image, self._selections(), results, scores=self._scores)

    def wait(self, timeout: float = 60.0) -> WidgetResult:
        """Wait until the present selection has run; return its result.

        Parameters
        ----------
        timeout : float
            Seconds.

        Raises
        ------
        WasiNnError
            What the run failed with.
        BusyError
            If it still runs after *timeout*.
        """
        if not self._latest.wait(timeout):
            raise BusyError(f"the selection still runs after {timeout:g} s; wait again")
        if self._error is not None:
            raise self._error
        if (result := self.result) is None:
            raise BusyError("the explorer is closed; make another one")
        return result

    def save(self, directory: str | os.PathLike[str] | None = None) -> list[Saved]:
        """Write each result that is shown: `SegmentationResult.save`, `ClassificationResult.save`.

        Parameters
        ----------
        directory : path-like, optional
            Default: the folder in the panel.

        Raises
        ------
        InvalidArgumentError
            If there is no result, or the folder in the panel lies outside of *root*.
        OSError
            If the folder cannot be written to.
        """
        with self._lock:
            results = self._results
        if not results:
            raise InvalidArgumentError("there is no result to save yet: pick what can run first")
        folder = self._save_folder() if directory is None else Path(directory)
        self._write_upload(folder)
        return save_all(results, folder, self.images.title)

    @property
    def children(self) -> tuple[ipywidgets.Widget, ...]:
        """All parts: widgets of their own, which the Explorer's page shows together."""
        controls = (control for run in self.runs for control in run.controls)
        return (*controls, self.images, self.panel, self.viewer, self.bars)

    def open(self) -> None:
        """Bring the widget and all its parts to the page; what was cancelled runs again."""
        for part in self.children:
            vars(part).pop("_repr_mimebundle_", None)  # closing sets it to None
            part.open()
        super().open()
        if self._closed:
            self._closed = False
            if not self._results:
                self._submit()

    def close(self) -> None:
        """Close the widget and all its parts; what runs is forgotten."""
        if self.comm is None:  # a parameter was refused, or it is closed
            return
        self._closed = True
        self._latest.cancel()
        for part in self.children:
            part.close()
        super().close()

    # ------------------------------------------------------------------------------- the page

    def _part_names(self) -> dict[str, object]:
        """Return what the page calls the parts."""
        named = {name: getattr(self, name) for name in ("images", "panel", "viewer", "bars")}
        names = {name: part.model_id for name, part in named.items()}
        return names | {"runs": [run.names for run in self.runs]}

    def _arrange_parts(self, visible: list[str]) -> None:
        self._visible = visible

    def _label(self) -> None:
        """Name the pickers: of two runs, by letters."""
        for index, run in enumerate(self.runs):
            mark = f" {'AB'[index]}" if self.panel.compare else ""
            run.models.label, run.targets.label = f"Model{mark}", f"Execution target{mark}"

    def _await_first(self) -> None:
        """Wait for the first result, where what is there at the end of the cell is all."""
        if not (in_page() or under_voila()):
            self._latest.wait(_PATIENCE)

    def __repr__(self) -> str:
        runs = [f"{s.model}, {s.precision} on {s.target}" for s in self._selections()]
        failed = "" if self._error is None else f"; error: {inert(str(self._error), 300)}"
        return f"Explorer({self.images.title}: {' | '.join(runs)}{failed})"

    # ----------------------------------------------------------------------------- the running

    def _selections(self) -> list[Selection]:
        return [run.selection for run in self.runs[: 1 + self.panel.compare]]

    def _changed(self, change: Any) -> None:
        if change["name"] == "folder":  # where an uploaded image will be, too
            self._say_code()
            return
        if change["name"] == "compare":
            self._label()
            if change["new"] and self.viewer.mode in {"overlay", "photo"}:
                self._single_mode, self.viewer.mode = self.viewer.mode, "swipe"
            elif not change["new"] and self.viewer.mode == "swipe":
                self.viewer.mode = self._single_mode
        elif not self.panel.compare and self.runs[1].holds(change["owner"]):
            return
        self._submit()

    def _submit(self) -> None:
        selections, turn = self._selections(), object()
        with self._lock:
            self._results, self._comparison, self._error, self._turn = (), None, None, turn
        self._display.dim()

        def job(is_newest: Callable[[], bool]) -> None:
            self._run(selections, turn, is_newest)

        if settings.raising():
            self._latest.cancel()
            job(lambda: True)
            if self._error is not None:
                raise self._error
        else:
            self._latest.submit(job)

    def _run(
        self, selections: Sequence[Selection], turn: object, is_newest: Callable[[], bool]
    ) -> None:
        try:
            results, pipelines = self._computed(selections, is_newest)
            if results and is_newest():
                self._show(tuple(results), selections, pipelines, turn)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown, and `wait` raises it
            if is_newest():
                with self._lock:
                    self._error = error
                self.viewer.recall_photo()
                self.panel.fail(error)
                self._say_code()
        for run in self.runs:
            run.list_runtimes()

    def _computed(
        self, selections: Sequence[Selection], is_newest: Callable[[], bool]
    ) -> tuple[list[WidgetResult], list[Pipeline]]:
        """Run every selection; nothing comes back where a newer choice was made meanwhile."""
        results: list[WidgetResult] = []
        pipelines = []
        image = self.images.image
        with ThreadPoolExecutor(1, "wasinn_nb run") as running:
            for selection in selections:
                if not is_newest():
                    return [], []
                pipeline, result = self._ran(selection, image, running)
                self._times.add(pipeline, result)
                results.append(result)
                pipelines.append(pipeline)
        return results, pipelines

    def _ran(
        self, selection: Selection, image: ImageSource, running: Executor
    ) -> tuple[Pipeline, WidgetResult]:
        """Run a selection: at once with its pipeline of the last time, if that still is its own.

        Meanwhile the image is sent, and the model's card and the stamps of its files are looked at.
        """
        last = next((one() for known, one in self._ran_last if known == selection), None)
        begun = None if last is None else running.submit(last, image)
        self._display.send_ahead(image)
        self.panel.busy(f"Running {selection.model} on {selection.target} …")
        pipeline = selection.pipeline(scores=self._scores, progress=self.panel.downloading)
        result = begun.result() if begun and pipeline is last else pipeline(image)
        known = [one for one in self._ran_last if one[0] != selection]
        self._ran_last = [*known, (selection, weakref.ref(pipeline))][-len(self.runs) :]
        return pipeline, result

    def _show(
        self,
        results: tuple[WidgetResult, ...],
        selections: Sequence[Selection],
        pipelines: Sequence[Pipeline],
        turn: object,
    ) -> None:
        notes = []
        for selection, pipeline, result in zip(selections, pipelines, results, strict=True):
            code = selection.stating(result, str(pipeline.model.path))
            notes.append([*selection.remarks(pipeline), *notes_of(result, code)])
        results = self._display.show(results, notes)
        with self._lock:
            self._results = results
        time.sleep(_BREATH)
        with self._lock:
            is_current, results = self._turn is turn, self._results
        if not is_current:  # whatever is left to say is of the newer one
            return
        for run, pipeline in zip(self.runs, pipelines, strict=False):
            run.targets.ran = where(pipeline)
        self._say_times(pipelines)
        self._compare(results)
        self._say_code()
        self._display.show_rest(results)

    def _compare(self, results: tuple[WidgetResult, ...]) -> None:
        """Show whether two runs agree."""
        if len(results) < 2:
            self.panel.hide_verdict()
            return
        if len(set(map(type, results))) > 1:
            self.panel.show_incomparable("one gives a mask, the other classes of the whole image")
            return
        try:
            comparison = compare(*cast("Any", results))
        except InvalidArgumentError as error:  # such as different parts of the image
            self.panel.show_incomparable(str(error))
            return
        with self._lock:
            self._comparison = comparison
        self.panel.show_verdict(str(comparison.verdict), str(comparison), repr(comparison))

    def _threshold_moved(self, _: object) -> None:
        """Follow the viewer: of one class, the result is that at its threshold."""
        with self._lock:
            before = self._results
            self._results = results = self._display.at_threshold(before)
        if any(one is not other for one, other in zip(before, results, strict=True)):
            self._compare(results)
            self._say_code()

    # ------------------------------------------------------------------------------- the panel

    def _say_times(self, pipelines: Sequence[Pipeline]) -> None:
        self.panel.done(self._times.summary(pipelines))
        self.panel.show_times(self._times.tables(pipelines))

    def _say_code(self) -> None:
        # A model that cannot be loaded does not say its recipe.
        with contextlib.suppress(WasiNnError):
            self.panel.show_code(self.code)

    def _time(self) -> None:
        """Run ten times more, for the median."""
        selections = self._selections()

        def job(is_newest: Callable[[], bool]) -> None:
            self.panel.busy(f"Running {_REPEATS} times …")
            pipelines: list[Pipeline] = []
            try:
                for _ in range(_REPEATS):
                    _, pipelines = self._computed(selections, is_newest)
                    if not pipelines:
                        return
            except Exception as error:  # noqa: BLE001 - as above
                self.panel.fail(error)
                return
            self._say_times(pipelines)

        if self.result is not None:
            self._latest.submit(job)

    def _save(self) -> None:
        if not self.panel.saving:
            return
        try:
            saved = self.save()
        except (OSError, ValueError) as error:  # ours are one of both
            self.panel.fail_saving(error)
            return
        paths = [path for files in saved for path in files if path is not None]
        self.panel.show_saved(paths[0].parent, [path.name for path in paths])

    def _uploaded(self) -> bytes | None:
        """Return the picked image's bytes where it is not a file here."""
        try:
            image = self.images.image
        except WasiNnError:  # a file that is gone: its path is still its name
            return None
        return image if isinstance(image, bytes) else None

    def _save_folder(self) -> Path:
        """Return the folder in the panel, where the page may use it."""
        return self._folder_named(self.panel.folder)

    def _folder_named(self, folder: str) -> Path:
        return self._access.folder(folder or _FOLDER)

    def _copy(self) -> None:
        """Write an uploaded image to where the code that is copied reads it."""
        if not self.panel.saving:
            return
        try:
            self._write_upload(self._folder_named(self.panel.code_folder))
        except (OSError, ValueError) as error:
            self.panel.fail_saving(error)

    def _write_upload(self, folder: Path) -> None:
        """Write an uploaded image, as it came, into a folder."""
        if (content := self._uploaded()) is None:
            return
        with atomic(folder / self.images.title) as temporary:
            temporary.write_bytes(content)
