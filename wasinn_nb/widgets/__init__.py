"""Widgets: pick a model, an image and an execution target; look at the mask."""
