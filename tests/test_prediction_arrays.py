"""Columns as arrays are what pandas makes of them, without pandas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

import wasinn_nb as wn  # noqa: E402
from wasinn_nb.prediction.table import plain_arrays  # noqa: E402 - it needs pyarrow

VALUES = {
    "double": pa.chunked_array([[1.5, None, -0.0], [], [np.nan, 7.0]], pa.float64()),
    "float": pa.chunked_array([[1.5, 2.5, None, 4.5, 5.5]], pa.float32()),
    "int32": pa.chunked_array([[1, None], [3, -4, 5]], pa.int32()),
    "int64": pa.chunked_array([[1 << 40, 2, 3, 4, None]], pa.int64()),
    "uint64": pa.chunked_array([[1 << 63, 2, 3, 4, 5]], pa.uint64()),
    "text": pa.chunked_array([["a", None, ""], ["é", "b"]], pa.string()),
    "list": pa.chunked_array([[[1], [], None, [2], [3]]], pa.list_(pa.int64())),
}
NUMBERS = ["double", "float", "int32", "int64", "uint64"]


@pytest.mark.parametrize("start", [0, 1, 3])
def test_numbers_are_floats_and_texts_are_texts(start):
    table = pa.table(VALUES).slice(start)
    found = plain_arrays(table)
    assert sorted(found) == sorted([*NUMBERS, "text"])
    for name in NUMBERS:
        expected = table.column(name).to_pandas().to_numpy(np.float64)
        assert np.array_equal(found[name], expected, equal_nan=True), name
    assert found["text"].tolist() == ["a", "", "", "é", "b"][start:]


def test_there_may_be_no_rows():
    found = plain_arrays(pa.table(VALUES).slice(5))
    assert {len(values) for values in found.values()} == {0}
    assert found["int32"].dtype == np.float64


@pytest.mark.full  # another process
def test_a_gallery_opens_without_pandas(tmp_path):
    wn.predict(["city-arrow"], store=tmp_path / "store", progress=False)
    code = (
        "import sys, wasinn_nb as wn\n"
        f"gallery = wn.Gallery({str(tmp_path / 'store')!r})\n"
        "gallery._table.facet('road'), gallery.rows\n"
        "assert 'pandas' not in sys.modules\n"
        "assert gallery.selection['name'].tolist() == ['city-arrow.jpg']\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
