"""The colors of one street's surfaces."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from training.scenes import colors
from training.scenes.colors import Color, brightness
from training.scenes.kinds import Kind

# How many times brighter than the road its paint is, at least.
LIGHTER = 1.5

# How many times lighter or darker than the pavement a curb's top is, where it is another stone.
CURB_CONTRAST = 1.2

# How many times lighter or darker than the road its neighbor is, where no curb lies between.
EDGE_CONTRAST = 1.25


@dataclass(frozen=True)
class Materials:
    """The colors of one street's surfaces."""

    road: Color
    curb: Color
    face: Color  # of a curb's upright side, in more or less light than its top
    pavement: Color
    grass: Color
    gravel: Color
    mark: Color

    def of(self, kind: Kind) -> Color:
        """Return the color of a kind of ground."""
        return {
            Kind.ROAD: self.road,
            Kind.CURB: self.curb,
            Kind.PAVEMENT: self.pavement,
            Kind.GRASS: self.grass,
            Kind.GRAVEL: self.gravel,
        }[kind]


def pick_materials(rng: np.random.Generator, wild: float, bare: Collection[Kind] = ()) -> Materials:
    """Draw the surfaces' colors.

    Parameters
    ----------
    rng
        The source of chance.
    wild
        The chance that one has any color at all.
    bare
        What meets the road without a curb, and so must differ from it to be told apart.
    """
    road = colors.gray(rng, 0.2, 0.62, 0.04)
    if rng.random() < 0.06:
        road = colors.hsv(rng, (0.95, 1.1), (0.15, 0.45), (0.25, 0.6))
    # The hard case, and a common one: a pavement of the road's own color.
    pavement = colors.shade(road, rng.uniform(0.8, 1.25))
    pick = rng.random()
    if pick < 0.3:
        pavement = colors.gray(rng, 0.25, 0.85, 0.05)
    elif pick < 0.42:
        pavement = colors.hsv(rng, (-0.02, 0.12), (0.1, 0.5), (0.3, 0.75))
    curb = [
        colors.shade(road, rng.uniform(0.6, 1.6)),
        colors.shade(pavement, rng.uniform(0.7, 1.4)),
        colors.gray(rng, 0.45, 0.9),
        colors.gray(rng, 0.3, 0.9),
    ][rng.integers(4)]
    gravel = colors.hsv(rng, (0.05, 0.15), (0.05, 0.4), (0.25, 0.75))
    grass = colors.foliage(rng)
    road, curb, pavement, grass, gravel = (
        colors.anything(rng) if rng.random() < wild else color
        for color in (road, curb, pavement, grass, gravel)
    )
    mark = colors.gray(rng, 0.72, 1.0, 0.03)
    # Paint is made to be seen; a street in one color would ask for what no image shows.
    road = colors.shade(road, min(1.0, brightness(mark) / LIGHTER / brightness(road)))
    pavement, grass, gravel = (
        colors.apart(color, road, EDGE_CONTRAST) if kind in bare else color
        for kind, color in (
            (Kind.PAVEMENT, pavement),
            (Kind.GRASS, grass),
            (Kind.GRAVEL, gravel),
        )
    )
    curb, face = _pick_curb(rng.spawn(1)[0], curb, pavement)
    return Materials(road, curb, face, pavement, grass, gravel, mark)


def _pick_curb(rng: np.random.Generator, curb: Color, pavement: Color) -> tuple[Color, Color]:
    """Return the colors of a curb's top and face, of which one at least is no pavement's.

    The face looks away from the sky: it is mostly in the shade, now and then in the sun.
    """
    tone = rng.uniform(0.35, 0.8) if rng.random() < 0.8 else rng.uniform(1.25, 1.5)
    if rng.random() < 0.25:
        # A stone like the pavement's, seen by its face and by the joint behind it.
        curb = colors.shade(pavement, min(rng.uniform(0.95, 1.05), 0.75 / pavement.max()))
    else:
        curb = colors.apart(curb, pavement, CURB_CONTRAST)
        tone = rng.choice([tone, 0.8])
    return curb, colors.shade(curb, tone)
