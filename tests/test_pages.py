"""The ES modules of the widgets, joined into one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from wasinn_nb.widgets import pages
from wasinn_nb.widgets.pages import joined, page

WIDGETS = ["bars", "choice", "explorer", "gallery", "panel", "picker", "viewer"]
STANDALONE = ["gallery_page", "standalone"]  # they render by themselves, where there is a page
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


def write(folder, **modules):
    """Write modules; return the path of the one that is called ``entry``."""
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / "entry.js"


def node_output(folder, text, expression="it"):
    """Return an expression over what a module exports by default, as Node has it."""
    path = folder / "joined.mjs"
    path.write_text(text, encoding="utf-8")
    code = f"import it from {path.as_uri()!r}; console.log(JSON.stringify({expression}))"
    command = ["node", "--input-type=module", "--eval", code]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@needs_node
def test_names_that_are_not_exported_do_not_clash(tmp_path):
    entry = write(
        tmp_path,
        entry='import { a } from "./one.js";\nimport { b } from "./two.js";\n'
        'const hidden = "entry";\nexport default [a(), b(), hidden];\n',
        one='const hidden = "one";\nexport function a() {\n  return hidden;\n}\n',
        two='const hidden = "two";\nexport const b = () => hidden;\n',
    )
    text, _ = joined(entry)
    assert node_output(tmp_path, text) == ["one", "two", "entry"]


@needs_node
def test_the_same_name_exported_twice_is_that_of_the_module_it_is_imported_from(tmp_path):
    entry = write(
        tmp_path,
        entry='import { name } from "./one.js";\nimport { other } from "./two.js";\n'
        "export default [name, other];\n",
        one='export const name = "one";\n',
        two='export const name = "two";\nexport const other = name;\n',
    )
    text, _ = joined(entry)
    assert node_output(tmp_path, text) == ["one", "two"]


@needs_node
def test_a_module_is_run_once_and_after_what_it_imports(tmp_path):
    entry = write(
        tmp_path,
        entry='import { left } from "./left.js";\nimport { right } from "./right.js";\n'
        "export default [left, right];\n",
        left='import {\n  count,\n  Counter,\n} from "./shared.js";\n'
        "export const left = [count(), Counter.name];\n",
        right='import { count } from "./shared.js";\nexport const right = count();\n',
        shared="let calls = 0;\nexport function count() {\n  return ++calls;\n}\n"
        "export class Counter {}\n",
    )
    text, modules = joined(entry)
    assert [path.stem for path in modules] == ["shared", "left", "right", "entry"]
    assert node_output(tmp_path, text) == [[1, "Counter"], 2]


@needs_node
@pytest.mark.parametrize("name", WIDGETS)
def test_every_widget_is_one_module_that_renders(name, tmp_path):
    esm, _ = page(name)
    assert node_output(tmp_path, esm, "Object.keys(it)") == ["initialize", "render"]


@pytest.mark.parametrize(
    "line",
    [
        'import "./one.js";',
        'import one from "./one.js";',
        'import * as one from "./one.js";',
        'import { a as b } from "./one.js";',
        "import { a } from './one.js';",
        'import { a } from "../one.js";',
        'import { a } from "one";',
        'import { a } from "./one.js"; // why',
        '  const one = await import("./one.js");',
        "const here = import.meta.url;",
        "export { a };",
        'export * from "./one.js";',
        "export let a = 1;",
        "export const { a, b } = { a: 1, b: 2 };",
        "export default 1;\nexport default 2;",
    ],
)
def test_what_cannot_be_joined_is_refused_by_name(tmp_path, line):
    last = line if line.startswith("export default") else f"{line}\nexport default 1;"
    entry = write(tmp_path, entry=f"// An entry.\n{last}\n", one="export const a = 1;\n")
    refused = re.escape(line.splitlines()[-1].split("{")[0].strip())
    with pytest.raises(ValueError, match=rf"entry\.js cannot be joined for: .*{refused}"):
        joined(entry)


def test_a_default_export_is_the_entrys_alone(tmp_path):
    entry = write(
        tmp_path,
        entry='import { a } from "./one.js";\nexport default a;\n',
        one="export const a = 1;\nexport default a;\n",
    )
    with pytest.raises(ValueError, match=r"one\.js cannot be joined for: 'export default a;'"):
        joined(entry)


def test_what_is_not_exported_cannot_be_imported(tmp_path):
    entry = write(
        tmp_path,
        entry='import { a, b } from "./one.js";\nexport default [a, b];\n',
        one="export const a = 1;\nconst b = 2;\n",
    )
    with pytest.raises(ValueError, match=r"entry\.js: one\.js does not export \['b'\]"):
        joined(entry)


def test_modules_that_import_one_another_are_refused(tmp_path):
    entry = write(
        tmp_path,
        entry='import { a } from "./one.js";\nexport default a;\n',
        one='import { b } from "./two.js";\nexport const a = 1;\n',
        two='import { a } from "./one.js";\nexport const b = 1;\n',
    )
    with pytest.raises(ValueError, match=r"circle: entry\.js -> one\.js -> two\.js -> one\.js"):
        joined(entry)


def test_a_module_that_is_missing_is_an_error(tmp_path):
    entry = write(tmp_path, entry='import { a } from "./none.js";\nexport default a;\n')
    with pytest.raises(FileNotFoundError, match=r"none\.js"):
        joined(entry)


def test_comments_may_speak_of_imports(tmp_path):
    text = '/** @import { A } from "./one.js" */\n// import.meta is not here\nexport default 1;\n'
    assert joined(write(tmp_path, entry=text))[0] == text


def test_every_script_and_style_belongs_to_a_widget():
    scripts = {
        path for name in (*WIDGETS, *STANDALONE) for path in joined(pages._FOLDER / f"{name}.js")[1]
    }
    scripts.add(pages._FOLDER / "loaded_once.js")  # by which a page loads those of the widgets
    assert scripts == set(pages._FOLDER.glob("*.js"))
    styles = {path.with_suffix(".css") for path in scripts} | {pages._TOKENS}
    assert styles >= set(pages._FOLDER.glob("*.css"))


def test_no_script_is_long():
    for path in pages._FOLDER.glob("*.js"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path.name


def test_no_class_is_styled_for_two_widgets():
    """Widgets of one notebook share its styles: rules of a bare class are of one file."""
    owners: dict[str, set[str]] = {}
    alone = {"tokens.css", "gallery_page.css"}  # for all widgets, and of a page with one
    for path in pages._FOLDER.glob("*.css"):
        rules = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for heads in re.findall(r"([^{}]+)\{", rules):
            for selector in re.split(r",(?![^(]*\))", heads):
                if re.fullmatch(r"\.wnb-[a-z-]+", selector.strip()) and path.name not in alone:
                    owners.setdefault(selector.strip(), set()).add(path.name)
    assert len(owners) > 100
    assert {one: files for one, files in owners.items() if len(files) > 1} == {}
