"""Random street scenes with exact masks, drawn from a seed."""

from training.scenes.kinds import CLASSES, PALETTE, Kind
from training.scenes.pool import render_pool
from training.scenes.scene import Scene, draw_scene

__all__ = ["CLASSES", "PALETTE", "Kind", "Scene", "draw_scene", "render_pool"]
