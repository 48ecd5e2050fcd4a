"""Folders of models as users have them; the files hold no graphs, only a few bytes."""

from __future__ import annotations

import hashlib
import json


def put(folder, name="toy", text="<net name='toy'>", suffixes=(".xml", ".bin")):
    """Write the files of a model; return what a card says of them."""
    folder.mkdir(parents=True, exist_ok=True)
    described = []
    for suffix in suffixes:
        body = f"{text}{suffix}".encode()
        (folder / f"{name}{suffix}").write_bytes(body)
        sha384 = hashlib.sha384(body).hexdigest()
        described.append({"name": f"{name}{suffix}", "bytes": len(body), "sha384": sha384})
    return described


def put_card(folder, name="toy", **values):
    folder.mkdir(parents=True, exist_ok=True)
    card = {"name": name, "task": "segmentation", "classes": ["background", "road"]}
    (folder / "card.json").write_text(json.dumps(card | values))


def described(name):
    return {"name": name, "bytes": 1, "sha384": "0" * 96}


def put_saved_model(folder):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables/variables.index").write_bytes(b"index")
    return folder
