"""What a clinic's year holds: tumours, scanners and look-alikes of every kind, sizes balanced.

`synthesize` draws what is usual; with a `Variety` it also draws what is seldom: tumours from 40 mm³ to
11 cm³, a fifth of them above 4 cm³ and a fifth below 150 mm³; faint, ring-like, patchy and cystic
enhancement; slices of 0.8 to 6.5 mm in any plane; flat contrast, fat saturation; tumours on both sides; and
in the angle what is no schwannoma. A network trained on the usual alone found large and faint tumours in
part or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.geometry.triples import triple

from VSClickCorrectResearch.simulation.acquisition import ORIENTATIONS, Acquisition
from VSClickCorrectResearch.simulation.enhancement import Patch, TumourFrame, draw_blob
from VSClickCorrectResearch.simulation.head import Canal, Head, Tissue, TumourShape
from VSClickCorrectResearch.simulation.shapes import VOLUME_RANGE_MM3, deformed, procedural_shape
from VSClickCorrectResearch.simulation.tumour import Placement, Tumour, place, random_tumour

# Shares of sizes in mm³; within a class the logarithm is uniform.
SIZE_CLASSES = ((40.0, 150.0), (150.0, 600.0), (600.0, 1500.0), (1500.0, 4000.0), (4000.0, 11000.0))
_SIZE_SHARES = (0.2, 0.2, 0.2, 0.2, 0.2)
_PROCEDURAL_SHARE = 0.25
# How often there is a tumour on each side, and a meningioma on the other one; more often, to learn from.
_TWO_SIDED, _MENINGIOMA = 0.06, 0.1
_OFTEN_TWO_SIDED, _OFTEN_MENINGIOMA = 0.45, 0.8
# A real shape is brought to the size that is wanted by scaling each side by no more than this.
_MAX_SCALE = 1.35
# In-plane mm; finer ones than 0.5 mm cost time that working grids of 1 mm cannot see.
_INPLANE_MM = (0.5, 0.6, 0.75, 0.9, 1.0)
_SLICES_MM = ((0.8, 1.5), (1.5, 3.0), (3.0, 6.5))
_SLICE_SHARES = (0.4, 0.3, 0.3)
_FIELD_MM = 190.0
# Kinds of enhancement and their shares.
_LOOKS = ("usual", "faint", "ring", "patchy", "cystic")
_LOOK_SHARES = (0.45, 0.2, 0.12, 0.11, 0.12)


@dataclass(frozen=True, eq=False)
class Variety:
    """What `synthesize` draws beyond the usual.

    Parameters
    ----------
    second : TumourShape, optional
        A tumour on the other side, too, as in neurofibromatosis type 2.
    meningioma : float
        How often there is one in the angle of the other side.
    """

    second: TumourShape | None = None
    meningioma: float = _MENINGIOMA

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, shapes: Sequence[TumourShape], other_side: bool = False
    ) -> Variety:
        """Return what a head's other side holds, drawn at random.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of chance.
        shapes : sequence of TumourShape
            Of real tumours.
        other_side : bool
            Whether most hold something: a tumour, or else a meningioma.
        """
        share = _OFTEN_TWO_SIDED if other_side else _TWO_SIDED
        second = balanced_shape(rng, shapes) if rng.random() < share else None
        often = 0.0 if second is not None else _OFTEN_MENINGIOMA
        return cls(second, often if other_side else _MENINGIOMA)

    def change(
        self, rng: np.random.Generator, patch: Patch, frame: TumourFrame, head: Head, side: str
    ) -> None:
        """Change the head around the tumours: look-alikes, and another kind of sequence."""
        look_alikes(rng, patch, frame, head.canals, side, self.meningioma)
        other_sequence(rng, patch)

    def tumours(
        self, rng: np.random.Generator, placement: Placement | None, head: Head, side: str
    ) -> list[Tumour]:
        """Return the tumours to draw, of any kind of enhancement."""
        placements = [] if placement is None else [placement]
        if self.second is not None:
            other = "left" if side == "right" else "right"
            placements.append(place(self.second, head.canals[other], other, rng))
        return [varied_tumour(rng, one, head) for one in placements]


def balanced_volume(rng: np.random.Generator) -> float:
    """Return a tumour volume in mm³, 40 to 11 000, each of `SIZE_CLASSES` equally often."""
    low, high = SIZE_CLASSES[rng.choice(len(SIZE_CLASSES), p=_SIZE_SHARES)]
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def balanced_shape(rng: np.random.Generator, shapes: Sequence[TumourShape]) -> TumourShape:
    """Return a variation of a patient's tumour, or a procedural one, of a volume from `balanced_volume`.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    shapes : sequence of TumourShape
        Real shapes; those near the wanted size are scaled to it.
    """
    volume = balanced_volume(rng)
    scales = np.array([(volume / shape.volume_mm3) ** (1 / 3) for shape in shapes])
    near = np.flatnonzero(np.abs(np.log(scales)) <= np.log(_MAX_SCALE))
    if near.size == 0 or rng.random() < _PROCEDURAL_SHARE:
        return procedural_shape(rng, float(np.clip(volume, *VOLUME_RANGE_MM3)))
    chosen = int(rng.choice(near))
    return deformed(scaled(shapes[chosen], float(scales[chosen])), rng)


def scaled(shape: TumourShape, factor: float) -> TumourShape:
    """Return a shape enlarged by ``factor`` along each axis."""
    return replace(
        shape,
        distance=shape.distance * np.float32(factor),
        spacing=shape.spacing * factor,
        tip=triple(v * factor for v in shape.tip),
        volume_mm3=shape.volume_mm3 * factor**3,
    )


def varied_acquisition(rng: np.random.Generator) -> Acquisition:
    """Return an acquisition of any plane, slices of 0.8 to 6.5 mm, sharp or blurred, quiet or noisy."""
    inplane = float(rng.choice(_INPLANE_MM))
    slices = float(rng.uniform(*_SLICES_MM[rng.choice(len(_SLICES_MM), p=_SLICE_SHARES)]))
    slices = max(slices, inplane)
    return Acquisition(
        spacing=(inplane, inplane, slices),
        matrix=(int(_FIELD_MM / inplane), int(230 / inplane), int(round(_FIELD_MM / slices))),
        orientation=ORIENTATIONS[rng.choice(3, p=(0.7, 0.12, 0.18))],
        angles_deg=triple(map(float, np.clip(rng.normal(0, (8.0, 4.0, 4.0)), -20, 20))),
        blur=float(rng.uniform(0.3, 1.2)),
        noise=float(np.exp(rng.uniform(np.log(0.005), np.log(0.09)))),
        bias=float(rng.uniform(0.0, 0.8)),
        gamma_t1=float(np.exp(rng.normal(0, 0.22))),
        gamma_t2=float(np.exp(rng.normal(0, 0.28))),
        scale=float(np.exp(rng.uniform(np.log(300), np.log(4000)))),
        shift_mm=float(rng.choice([0.0, 0.35, 0.7, 1.0])),
    )


def varied_tumour(rng: np.random.Generator, placement: Placement, head: Head) -> Tumour:
    """Return a placed tumour whose kind of enhancement is drawn by its share.

    Parameters are those of `random_tumour`, which draws the usual kind.
    """
    usual = random_tumour(rng, placement, head)
    kind = _LOOKS[rng.choice(len(_LOOKS), p=_LOOK_SHARES)]
    brain = float(np.median(head.t1[::4, ::4, ::4][head.tissue[::4, ::4, ::4] == Tissue.BRAIN]))
    calm = triple(map(float, rng.uniform((0.02, 0.02, 0.01), (0.06, 0.1, 0.06))))
    if kind == "faint":
        return replace(usual, t1=brain * float(rng.uniform(1.06, 1.4)), mottle=calm)
    if kind == "ring":
        return replace(usual, core=float(rng.uniform(0.45, 0.85)), cyst=float("inf"))
    if kind == "patchy":
        mottle = triple(map(float, rng.uniform((0.05, 0.15, 0.12), (0.15, 0.35, 0.3))))
        return replace(usual, mottle=mottle, core=float(rng.uniform(0, 0.5)))
    if kind == "cystic":
        return replace(usual, cyst=float(rng.uniform(-0.1, 0.9)), core=0.1)
    return usual


def other_sequence(rng: np.random.Generator, patch: Patch) -> None:
    """Make a gradient echo look like another sequence now and then: fat saturated, flat contrast.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    patch : Patch
        Its T1 is changed in place; contrast agent has been drawn, the tumour not yet.
    """
    if rng.random() < 0.35:
        _saturate_fat(rng, patch)
    if rng.random() < 0.3:
        # A spin echo: grey and white matter nearly alike.
        brain = patch.tissue == Tissue.BRAIN
        if brain.any():
            level = np.float32(np.median(patch.t1[brain]))
            share = np.float32(rng.uniform(0.3, 0.8))
            patch.t1[brain] += share * (np.minimum(patch.t1[brain], 1.3 * level) - patch.t1[brain])


def _saturate_fat(rng: np.random.Generator, patch: Patch) -> None:
    fat = (patch.tissue == Tissue.SOFT) & (patch.t1 > 0.55)
    share = ndimage.gaussian_filter(fat.astype(np.float32), 0.8) * np.float32(rng.uniform(0.4, 0.9))
    patch.t1[...] *= 1 - share


def look_alikes(
    rng: np.random.Generator,
    patch: Patch,
    frame: TumourFrame,
    canals: dict[str, Canal],
    side: str,
    meningioma: float,
):
    """Draw at times, in the angle, what is no schwannoma: a meningioma, an arachnoid cyst, bright marrow.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    patch : Patch
        Drawn on.
    frame : TumourFrame
        The skull base's.
    canals : dict
        Of the head, by side.
    side : str
        Where the tumour will lie: a meningioma lies on the other side, well behind the canal.
    meningioma : float
        How often there is one.
    """
    if rng.random() < meningioma:
        other = "left" if side == "right" else "right"
        porus, sign = np.array(canals[other].porus_ras), 1 if other == "right" else -1
        spot = porus + rng.normal((sign * 4, -14, 2), (2, 3, 5)) * frame.scale
        draw_blob(
            rng, patch, spot, rng.uniform(3, 9), float(rng.uniform(0.7, 1.1)), 0.5, CSF=1, BRAIN=1, BONE=0.1
        )
    if rng.random() < 0.12:
        sign = 1 if rng.random() < 0.5 else -1
        spot = frame.points(rng.normal((16, -8, -4), (4, 4, 6)), sign)
        draw_blob(rng, patch, spot, rng.uniform(4, 11), 0.14, 0.95, CSF=1, BRAIN=1)
    for sign in (1, -1):
        if rng.random() < 0.3:
            spot = frame.points(rng.normal((18, 10, -2), 3), sign)
            draw_blob(rng, patch, spot, rng.uniform(2, 5), float(rng.uniform(0.5, 1.0)), 0.4, BONE=1)
        if rng.random() < 0.25:
            spot = frame.points(rng.normal((40, -4, -8), (5, 5, 5)), sign)
            draw_blob(
                rng, patch, spot, rng.uniform(1.5, 5), float(rng.uniform(0.6, 1.1)), 0.5, BONE=1, SOFT=0.5
            )
