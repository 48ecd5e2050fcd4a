"""Many images: where they come from, running them, and the store that keeps the results."""

from wasinn_nb.prediction.agreement import RunComparison
from wasinn_nb.prediction.column_names import no_column, quoted_column
from wasinn_nb.prediction.display import tinted_thumbnail
from wasinn_nb.prediction.executors import dask_executor
from wasinn_nb.prediction.gathering import NamedResult, Original, gather_named, gather_results
from wasinn_nb.prediction.items import Item, read_item
from wasinn_nb.prediction.opening import read_predictions
from wasinn_nb.prediction.predicting import predict
from wasinn_nb.prediction.predictions import Predictions
from wasinn_nb.prediction.querying import rows_that_plainly_hold
from wasinn_nb.prediction.row_listing import RowListing
from wasinn_nb.prediction.sources import listing
from wasinn_nb.prediction.store import is_store, near_store

__all__ = [
    "Item",
    "NamedResult",
    "Original",
    "Predictions",
    "RowListing",
    "RunComparison",
    "dask_executor",
    "gather_named",
    "gather_results",
    "is_store",
    "listing",
    "near_store",
    "no_column",
    "predict",
    "quoted_column",
    "read_item",
    "read_predictions",
    "rows_that_plainly_hold",
    "tinted_thumbnail",
]
