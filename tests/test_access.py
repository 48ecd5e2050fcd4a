"""What a page reaches: the traits of its controls, folders below the root, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.widgets.access import Access, for_visitors

pytestmark = pytest.mark.full

SHIPPED = "road-segmentation-synth-0001"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that visitors see, beside one that they must not."""
    for name in ("app/photos/in.png", "app/own.png", "private/secret.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4), (250, 10, 20)).save(path)
    (tmp_path / "app/photos/link.png").symlink_to(tmp_path / "private/secret.png")
    (tmp_path / "app/photos/near.png").symlink_to(tmp_path / "app/own.png")
    (tmp_path / "app/door").symlink_to(tmp_path / "private")
    (tmp_path / "app/round").symlink_to(tmp_path / "app/round")
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path


@pytest.fixture
def visited(site, monkeypatch):
    """A kernel of Voila."""
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    return site


def titles(picker):
    return {one["title"]: one["enabled"] for one in picker._options}


def from_page(widget, **state):
    """Set traits as a page does."""
    widget.set_state(state)


OUTSIDE = {
    "parent": "..",
    "beside": "../private",
    "through and back": "photos/../../private",
    "absolute": "{site}/private",
    "root of the disk": "/",
    "link": "door",
    "below a link": "door/.",
    "NUL": "photos\0",
    "circle": "round",
    "prefix": "../app-other",
    "windows": "..\\..\\private",
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_visitor_opens_no_folder_elsewhere(visited, name):
    (visited / "app-other").mkdir()
    path = OUTSIDE[name].format(site=visited)
    picker = wn.ImagePicker()
    picker._handle_custom_msg({"type": "folder", "path": path}, [])
    assert "secret.png" not in titles(picker)
    assert picker._folder == ""
    if name == "windows":  # a name like any other, of a folder that is not there
        assert "cannot be opened as a folder" in picker._message
    else:
        assert "outside of the folder that this page may use" in picker._message
        assert str(visited) not in picker._message.replace(path, "")
        with pytest.raises(InvalidArgumentError):
            Access().folder(path)


@pytest.mark.parametrize(("mode", "folder"), [("run", "."), ("edit", None), (None, None)])
def test_an_app_of_marimo_has_visitors(monkeypatch, tmp_path, mode, folder):
    class Meta:
        pass

    Meta.mode = mode
    monkeypatch.setitem(sys.modules, "marimo", type(sys)("marimo"))
    monkeypatch.setattr(sys.modules["marimo"], "app_meta", Meta, raising=False)
    monkeypatch.chdir(tmp_path)
    assert for_visitors() == (mode == "run")
    assert Access().root == (None if folder is None else tmp_path.resolve())


def test_a_visitor_opens_the_folders_of_the_notebook(visited):
    picker = wn.ImagePicker()
    picker._handle_custom_msg({"type": "folder", "path": "photos"}, [])
    assert picker.wait(30)
    listed = titles(picker)
    assert listed["in.png"]
    assert listed["near.png"], "a link within the folder"
    assert not listed["link.png"]
    (reason,) = [one["reason"] for one in picker._options if one["title"] == "link.png"]
    assert "leads out of the folder" in reason
    assert picker._folder == "photos"
    assert all("thumbnail" not in one for one in picker._options if one["title"] == "link.png")


def test_home_folders_are_not_looked_up_for_visitors(visited):
    picker = wn.ImagePicker()
    picker._handle_custom_msg({"type": "folder", "path": "~"}, [])
    assert "cannot be opened as a folder: No such file" in picker._message


@pytest.mark.parametrize(
    "value", ["{site}/private/secret.png", "../private/secret.png", "own.png", "upload:none"]
)
def test_a_visitor_picks_only_what_is_listed(visited, value):
    picker = wn.ImagePicker()
    before = picker.value
    from_page(picker, value=value.format(site=visited))
    assert picker.value == before
    assert "is not among what can be picked" in picker._message
    from_page(picker, value="country-road")
    assert picker.value == "country-road"


def test_a_visitor_picks_no_model_by_its_path(visited, toy):
    picker = wn.ModelPicker()
    from_page(picker, value=toy)
    assert picker.value == SHIPPED
    explorer = wn.Explorer(image="city-arrow")
    explorer.wait()
    from_page(explorer.models, value=toy)
    assert explorer.wait().card.name == SHIPPED
    explorer.close()


def test_a_page_cannot_list_what_it_wants_to_pick(visited):
    picker = wn.ImagePicker()
    secret = str(visited / "private/secret.png")
    listed = [{"key": secret, "title": "x", "detail": "", "reason": "", "enabled": True}]
    from_page(picker, _options=listed, value=secret)
    from_page(picker, _esm="alert(1)", _module="alert(1)", label="x", _folder="/", _kind="models")
    assert picker.value != secret
    assert (picker.label, picker._folder, picker._kind) == ("Image", "", "images")
    assert "alert(1)" not in picker._esm
    assert picker._module == wn.ImagePicker()._module
    viewer = wn.MaskViewer()
    from_page(viewer, _still_id="x", _css="x", mode="mask", stale=True)
    assert (viewer.mode, viewer.stale) == ("mask", False)
    assert viewer._still_id == viewer.still.id


def test_what_the_author_gives_is_allowed(visited):
    secret = visited / "private/secret.png"
    picker = wn.ImagePicker(secret, folder=visited / "private")
    assert picker.wait(30)
    assert picker._folder == "private", "its name, not where it lies"
    from_page(picker, value="city-arrow")
    from_page(picker, value=str(secret))
    assert picker.image == secret


def test_a_root_of_ones_own(site):
    picker = wn.ImagePicker(root=site / "app/photos")
    picker._handle_custom_msg({"type": "folder", "path": "../../private"}, [])
    assert "outside of the folder" in picker._message
    picker._handle_custom_msg({"type": "folder", "path": "."}, [])
    assert "in.png" in titles(picker)
    with pytest.raises(MissingFileError, match="expected a folder as root"):
        wn.ImagePicker(root=site / "gone")
    with pytest.raises(MissingFileError, match="expected a folder as root"):
        wn.Explorer(root=site / "app/own.png")


def test_without_a_root_any_folder_is_opened(site):
    picker = wn.ImagePicker()
    picker._handle_custom_msg({"type": "folder", "path": "../private"}, [])
    assert picker.wait(30)
    assert titles(picker)["secret.png"]


# --------------------------------------------------------------------------------------- saving


def press(explorer, action, **traits):
    explorer.panel._handle_custom_msg({"action": action, "traits": traits}, [])


def files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_symlink()}


def test_a_visitor_does_not_save(visited, explore, toy, red):
    explorer = explore(toy, red)
    explorer.wait()
    explorer.images.add(Path(red).read_bytes(), "up.png")
    explorer.wait()
    before = files(visited)
    from_page(explorer.panel, folder=str(visited / "private"))
    from_page(explorer.panel, saving=True)
    press(explorer, "save")
    press(explorer, "copy")
    assert not explorer.panel.saving
    assert files(visited) == before
    assert '"up.png"' in explorer.code
    explorer.save(visited / "by-code")  # Python may
    assert "by-code/up-mask.png" in files(visited)


@pytest.mark.parametrize(
    "folder", ["../private", "{site}/private", "door", "/tmp/wnb-no", "a/../.."]
)
def test_saving_stays_in_the_root(visited, explore, toy, red, folder):
    explorer = explore(toy, red, saving=True)
    explorer.wait()
    explorer.images.add(Path(red).read_bytes(), "up.png")
    explorer.wait()
    before = files(visited)
    folder = folder.format(site=visited)
    for action, name in (("save", "folder"), ("copy", "code_folder")):
        explorer.panel._saved = {}
        press(explorer, action, **{name: folder})
        assert "outside of the folder" in explorer.panel._saved["error"]
    assert files(visited) == before
    from_page(explorer.panel, folder="kept/here")
    press(explorer, "save")
    assert "app/kept/here/up-mask.png" in files(visited)


@pytest.mark.parametrize(
    "name", ["../../private/up.png", "/etc/up.png", "..\\up.png", "a/b/../up.png", "door/up.png"]
)
def test_the_name_of_an_upload_is_no_path(visited, explore, toy, red, name):
    explorer = explore(toy, "city-arrow", saving=True)
    explorer.images.add(Path(red).read_bytes(), name)
    explorer.wait()
    before = files(visited)
    press(explorer, "save")
    new = files(visited) - before
    assert {one for one in new if Path(one).suffix} == {
        one for one in new if one.startswith("app/out/explorer/up")
    }
    assert "app/out/explorer/up.png" in new


def test_a_link_where_an_upload_is_written_is_replaced_not_followed(visited, explore, toy, red):
    target = visited / "private/secret.png"
    kept = target.read_bytes()
    folder = visited / "app/out/explorer"
    folder.mkdir(parents=True)
    (folder / "up.png").symlink_to(target)
    explorer = explore(toy, "city-arrow", saving=True)
    explorer.images.add(Path(red).read_bytes(), "up.png")
    explorer.wait()
    press(explorer, "save")
    assert target.read_bytes() == kept
    assert not (folder / "up.png").is_symlink()


def test_in_jupyterlab_the_page_saves_anywhere(site, explore, toy, red):
    explorer = explore(toy, red)
    explorer.wait()
    from_page(explorer.panel, folder=str(site / "private/kept"))
    press(explorer, "save")
    assert "private/kept/red-mask.png" in files(site)
