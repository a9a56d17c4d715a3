"""A procedural head: no outside data, a skull base that a clinician recognises, and nobody's face.

Positions are mm to the right, anterior and superior of the middle between the two internal auditory pori.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from scipy import ndimage
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.triples import Point3, point3

from VSClickCorrectResearch.simulation.enhancement import Patch, TumourFrame, Vessel, vessels
from VSClickCorrectResearch.simulation.fields import (
    Lattice,
    coverage,
    ellipsoid,
    noise_block,
    rotation_matrix,
    smooth_path,
    tiled,
    tube,
)
from VSClickCorrectResearch.simulation.head import Canal, Cochlea, Head, Tissue
from VSClickCorrectResearch.simulation.inner_ear import (
    CANAL_RADII,
    COCHLEA_PLACE,
    COCHLEA_RADII,
    InnerEar,
    draw_nerves,
)

_LOW, _HIGH = (-88.0, -118.0, -62.0), (88.0, 98.0, 132.0)


class Material(IntEnum):
    """What the phantom is painted with."""

    AIR = 0
    CSF = 1
    GRAY = 2
    WHITE = 3
    STEM = 4
    BONE = 5
    CELLS = 6
    MARROW = 7
    FAT = 8
    MUSCLE = 9
    MUCOSA = 10
    EYE = 11
    DURA = 12


# T1 after contrast, T2, texture (share of the intensity), tissue.
_LOOKS = {
    Material.AIR: (0.02, 0.02, 0.0, Tissue.BACKGROUND),
    Material.CSF: (0.15, 0.95, 0.04, Tissue.CSF),
    Material.GRAY: (0.42, 0.50, 0.04, Tissue.BRAIN),
    Material.WHITE: (0.54, 0.37, 0.03, Tissue.BRAIN),
    Material.STEM: (0.49, 0.40, 0.04, Tissue.BRAIN),
    Material.BONE: (0.07, 0.06, 0.3, Tissue.BONE),
    Material.CELLS: (0.05, 0.06, 0.9, Tissue.BONE),
    Material.MARROW: (0.50, 0.32, 0.18, Tissue.SOFT),
    Material.FAT: (0.75, 0.70, 0.08, Tissue.SOFT),
    Material.MUSCLE: (0.38, 0.20, 0.12, Tissue.SOFT),
    Material.MUCOSA: (0.78, 0.80, 0.15, Tissue.SOFT),
    Material.EYE: (0.18, 0.90, 0.02, Tissue.SOFT),
    Material.DURA: (0.55, 0.15, 0.25, Tissue.SOFT),
}


class _Painter:
    """Paints materials into a lattice; each solid is varied a little and has a gently uneven surface."""

    def __init__(self, rng: np.random.Generator, lattice: Lattice, size: float) -> None:
        self.rng, self.lattice, self.size = rng, lattice, size
        self.shape = (lattice.z.size, lattice.y.size, lattice.x.size)
        self.material = np.zeros(self.shape, np.uint8)
        pitch = 1 / lattice.spacing
        self.rough = noise_block(rng, 64, max(3.0 * pitch, 0.8))
        self.folds = noise_block(rng, 96, max(3.6 * pitch, 0.8))
        self.grain = noise_block(rng, 80, max(0.8 * pitch, 0.6))

    def solid(
        self, material, center, radii, *, tilt=None, uneven=0.5, only=None, jitter=0.03
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paint an ellipsoid and return its center and radii; ``only`` names materials it may replace."""
        center = np.array(center, float) * self.size
        radii = np.array(radii, float) * self.size * self.rng.uniform(1 - jitter, 1 + jitter, 3)
        window, distance = ellipsoid(self.lattice, center, radii, tilt)
        self.fill(window, distance + uneven * tiled(self.rough, self.shape, window) < 0, material, only)
        return center, radii

    def pair(self, material, center, radii, *, tilt_deg: float = 0.0, **options) -> None:
        """Paint an ellipsoid on the right, turned around the S axis, and its mirror image on the left."""
        for sign in (1, -1):
            spot = (np.array(center) + self.rng.normal(0, 0.6, 3)) * (sign, 1, 1)
            turn = rotation_matrix(np.array([0, 0, 1.0]), sign * tilt_deg) if tilt_deg else None
            self.solid(material, spot, radii, tilt=turn, **options)

    def rope(self, material, points, radius: float, *, sign: int = 1, only=None) -> None:
        """Paint a tube along a smooth path."""
        path = smooth_path(np.array(points, float) * self.size * (sign, 1, 1), 2.0)
        for window, distance in tube(self.lattice, path, radius):
            self.fill(window, distance < 0, material, only)

    def fill(self, window, mask: np.ndarray, material, only) -> None:
        """Paint the masked voxels of a window that hold a material of ``only``, or any for None."""
        view = self.material[window]
        if only is not None:
            mask = mask & np.isin(view, only)
        view[mask] = material


def phantom_head(rng: np.random.Generator, spacing: float = 1.0, place: Point3 = COCHLEA_PLACE) -> Head:
    """Return a procedural head after contrast agent, about 176 x 216 x 194 mm.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of its anatomy; equal states give equal heads.
    spacing : float
        Voxel size, mm.
    place : tuple of float
        Where the cochlea lies, as for `InnerEar`.

    Returns
    -------
    Head
    """
    counts = np.ceil((np.array(_HIGH) - _LOW) / spacing).astype(int)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = _LOW
    grid = Grid(tuple(counts[::-1]), affine)
    painter = _Painter(rng, Lattice.of_grid(grid), float(rng.uniform(0.93, 1.04)))
    _paint_face_and_vault(painter)
    _paint_brain(painter)
    _paint_posterior_fossa(painter)
    _paint_skull_base(painter)
    ears = {side: _paint_canal(painter, sign, place) for side, sign in (("right", 1), ("left", -1))}
    canals = {side: canal for side, (canal, _) in ears.items()}
    cochleas = {side: cochlea for side, (_, cochlea) in ears.items()}
    patch = _lit(painter)
    frame = TumourFrame(np.zeros(3), painter.size)
    _draw_details(rng, patch, frame, canals)
    t1, t2 = (np.clip(a, 0, 1.3, out=a) for a in (patch.t1, patch.t2))
    return Head("phantom", grid, t1, t2, patch.tissue, canals, True, cochleas)


def _paint_face_and_vault(p: _Painter) -> None:
    m = Material
    p.solid(m.FAT, (0, -12, 30), (79, 98, 97))
    p.solid(m.FAT, (0, 34, -20), (66, 60, 62))
    p.solid(m.FAT, (0, -28, -50), (62, 62, 60))
    p.solid(m.MUSCLE, (0, -12, 30), (76, 95, 94))
    p.pair(m.MUSCLE, (46, 28, -26), (15, 28, 34), tilt_deg=-12)  # masseter and pterygoids
    p.pair(m.MUSCLE, (26, -48, -52), (24, 26, 26))  # neck
    p.solid(m.BONE, (0, -12, 30), (73.5, 92.5, 91.5))
    p.solid(m.MARROW, (0, -12, 30), (71.5, 90.5, 89.5), uneven=1.0)
    p.solid(m.BONE, (0, -12, 30), (69.8, 88.5, 87.5))
    p.solid(m.MUSCLE, (0, -52, -56), (58, 50, 28), uneven=2.0)
    # Below the skull base the inside of the vault's ellipsoid is face and neck again.
    p.solid(m.MUSCLE, (0, 40, -32), (52, 50, 38))
    p.solid(m.FAT, (0, 8, -48), (46, 20, 26), uneven=2.5)
    p.pair(m.MUSCLE, (25, 4, -48), (12, 10, 30))


def _paint_brain(p: _Painter) -> None:
    m = Material
    p.solid(m.CSF, (0, -12, 34), (68, 86.5, 82), uneven=0.3)
    p.solid(m.BONE, (0, 48, -6), (58, 50, 22), only=[m.CSF])  # floor of the anterior fossa
    p.solid(m.MUSCLE, (0, 52, -14), (56, 46, 20), only=[m.BONE, m.CSF])
    p.solid(m.BONE, (0, -41, -10), (61, 53, 36), only=[m.CSF, m.MUSCLE, m.MARROW, m.FAT])  # occipital bone
    _paint_cortex(p)
    p.pair(m.CSF, (9, -4, 44), (5, 26, 7), tilt_deg=8)
    p.pair(m.CSF, (22, -40, 40), (6, 14, 9))
    p.solid(m.CSF, (0, 4, 32), (2.6, 14, 9))
    p.pair(m.GRAY, (17, 6, 36), (8, 17, 9), only=[m.WHITE])
    p.solid(m.CSF, (0, 14, 16), (11, 10, 7))  # suprasellar and interpeduncular cisterns
    p.pair(m.CSF, (12, -19, 22), (9, 4, 6), tilt_deg=-25)


def _paint_cortex(p: _Painter) -> None:
    """Paint cerebrum and temporal lobes: folded grey matter with CSF in the sulci, white within."""
    m = Material
    lobes = [((0, -10, 42), (65.5, 84, 73))]
    lobes += [((sign * 37, 16, 9), (27, 34, 24)) for sign in (1, -1)]
    for center, radii in lobes:
        window, distance = ellipsoid(p.lattice, np.array(center) * p.size, np.array(radii) * p.size)
        folds = np.abs(tiled(p.folds, p.shape, window))
        inside = (distance < 0) & (p.material[window] == m.CSF)
        deep = -distance
        view = p.material[window]
        view[inside] = m.WHITE
        view[inside & ((deep < 3.0) | (folds < 0.42) & (deep < 24))] = m.GRAY
        view[inside & (folds < 0.11) & (deep < 17)] = m.CSF
    _paint_fissure(p)


def _paint_fissure(p: _Painter) -> None:
    """Paint the cleft between the hemispheres, around the corpus callosum and what it roofs."""
    window = p.lattice.window(np.array([-1.4, -110, -10]), np.array([1.4, 90, 130]))
    _, y, z = p.lattice.offsets(window, np.array([0, -4, 26]) * p.size)
    outside = np.sqrt((y / 40) ** 2 + (z / 30) ** 2) > p.size
    mask = np.broadcast_to(outside, p.material[window].shape)
    p.fill(window, mask, Material.CSF, [Material.GRAY, Material.WHITE])


def _paint_posterior_fossa(p: _Painter) -> None:
    m = Material
    inner = [m.CSF, m.BONE, m.GRAY, m.WHITE, m.MUSCLE, m.FAT, m.MARROW]
    p.solid(m.DURA, (0, -40, -6), (57.2, 49.2, 31.6), only=[m.GRAY, m.WHITE, m.CSF])
    p.solid(m.CSF, (0, -40, -6), (56.5, 48.5, 30.8), only=[*inner, m.DURA])
    p.solid(m.CSF, (0, -4, -2), (27, 17, 30), only=inner)
    p.rope(m.CSF, ((0, -12, -20), (0, -16, -40), (0, -20, -66)), 11.0)
    for sign in (1, -1):
        _paint_cerebellum(p, sign)
    p.solid(m.WHITE, (0, -47, -2), (8, 26, 20), only=[m.CSF, m.GRAY], uneven=1.5)
    p.pair(m.STEM, (14, -20, -1), (10, 12, 8), tilt_deg=-35)  # middle cerebellar peduncles
    p.solid(m.STEM, (0, -9, 2), (16.5, 13.5, 14.5))  # pons
    p.rope(m.STEM, ((0, -10, -8), (0, -13, -24), (0, -17, -42), (0, -20, -64)), 7.0)
    p.rope(m.STEM, ((0, -8, 12), (7, -5, 20), (12, -1, 30)), 7.5)
    p.rope(m.STEM, ((0, -8, 12), (-7, -5, 20), (-12, -1, 30)), 7.5)
    p.solid(m.STEM, (0, -17, 18), (12, 8, 9))
    p.solid(m.CSF, (0, -24, -2), (6.5, 4.0, 10), uneven=0.8)  # fourth ventricle
    p.pair(m.CSF, (11, -22, -7), (6, 2.2, 2.2), tilt_deg=-30)
    p.solid(m.CSF, (0, -62, -29), (11, 10, 5))  # cisterna magna


def _paint_cerebellum(p: _Painter, sign: int) -> None:
    """Paint one hemisphere: white matter in a cortex of thin, curved leaves with CSF between some."""
    m = Material
    center = np.array([sign * 25, -45, -5]) * p.size
    window, distance = ellipsoid(p.lattice, center, np.array([29, 37, 28.5]) * p.size)
    x, y, z = p.lattice.offsets(window, center)
    level = z + 0.012 * (x**2 + y**2) + 0.35 * (y + 20) + 1.3 * tiled(p.folds, p.shape, window)
    leaves = np.sin(level * np.float32(2 * np.pi / 4.6))
    inside = (distance + 0.5 * tiled(p.rough, p.shape, window) < 0) & (p.material[window] == m.CSF)
    view = p.material[window]
    view[inside] = m.GRAY
    view[inside & (distance < -11 + 3 * leaves)] = m.WHITE
    view[inside & (leaves < -0.86) & (distance > -7)] = m.CSF


def _paint_skull_base(p: _Painter) -> None:
    m = Material
    p.rope(m.BONE, ((0, 17, -30), (0, 19, -12), (0, 25, 6)), 7.5)
    p.rope(m.MARROW, ((0, 19, -28), (0, 21, -12), (0, 26, 0)), 5.5)  # clivus
    p.pair(m.BONE, (16, 17, -16), (14, 11, 15))
    p.pair(m.BONE, (45, 0, -2), (36, 9.5, 13), tilt_deg=-24)  # petrous pyramids
    p.pair(m.BONE, (58, -18, -14), (13, 17, 18))
    p.pair(m.CELLS, (57, -14, -8), (13, 15, 14), uneven=1.5)
    p.pair(m.CELLS, (44, 4, -2), (8, 4, 5))
    p.pair(m.AIR, (46, 5, -4), (4, 3, 4))  # middle ear
    p.pair(m.MARROW, (17, 13, -3), (6, 4, 4), only=[m.BONE])
    p.solid(m.MUCOSA, (0, 38, 0), (13, 12, 10), uneven=1.0)
    p.solid(m.AIR, (0, 38, 0), (11.5, 10.5, 8.5), uneven=0.8)  # sphenoid sinus
    p.solid(m.MUCOSA, (0, 64, -4), (12, 24, 17))
    p.solid(m.AIR, (0, 64, -4), (11, 23, 16), uneven=5.0, jitter=0.1)
    p.solid(m.MUCOSA, (0, 60, -30), (15, 30, 17))
    p.solid(m.AIR, (0, 60, -30), (13, 28, 15), uneven=5.5, jitter=0.1)
    p.solid(m.AIR, (0, 27, -36), (11, 7, 12), uneven=1.0)  # nasopharynx
    p.pair(m.BONE, (31, 60, -28), (17.5, 18, 18))
    p.pair(m.MUCOSA, (31, 60, -28), (16, 16.5, 16.5))
    p.pair(m.AIR, (31, 60, -27), (14, 14.5, 14.5), uneven=0.9)  # maxillary sinus
    p.pair(m.BONE, (32, 54, 8), (20, 24, 18))
    p.pair(m.FAT, (32, 55, 8), (18, 22, 16))
    p.pair(m.MUSCLE, (24, 52, 8), (2, 16, 5), tilt_deg=-15)
    p.pair(m.MUSCLE, (42, 52, 8), (2, 16, 5), tilt_deg=18)
    p.pair(m.DURA, (32, 63, 8), (12.5, 12.5, 12.5))
    p.pair(m.EYE, (32, 63, 8), (11.6, 11.6, 11.6), uneven=0.1)
    p.pair(m.MUSCLE, (32, 72.5, 8), (4.5, 2.2, 4.5), uneven=0.1)


def _paint_canal(p: _Painter, sign: int, place: Point3) -> tuple[Canal, Cochlea]:
    """Paint one internal auditory canal and the cochlea, and return both."""
    m, rng = Material, p.rng
    porus = np.array([26, 0, 0]) + rng.normal(0, (1.0, 0.8, 0.8))
    fundus = porus + (rng.uniform(8.5, 12.5), rng.normal(1.2, 1.2), rng.normal(0.3, 0.6))
    radius = float(rng.uniform(*CANAL_RADII))
    ear = InnerEar(porus, fundus, radius, place)
    # The pyramid's rear face, then the canal through it, flaring at its mouth.
    p.rope(m.CSF, *ear.mouth, sign=sign, only=[m.BONE, m.CELLS, m.GRAY, m.WHITE, m.MARROW])
    p.rope(m.CSF, *ear.canal, sign=sign)
    center, radii = p.solid(m.CSF, ear.cochlea * (sign, 1, 1), COCHLEA_RADII)
    p.rope(m.CSF, *ear.labyrinth, sign=sign)
    ras = [point3(point * p.size * (sign, 1, 1)) for point in (porus, fundus)]
    return Canal(*ras), Cochlea(point3(center), point3(radii))


def _lit(p: _Painter) -> Patch:
    """Turn materials into intensities with grain, and soften their borders as partial volume does."""
    rng = p.rng
    t1, t2, texture = (np.zeros(len(Material), np.float32) for _ in range(3))
    tissue = np.zeros(len(Material), np.uint8)
    for material, (a, b, share, kind) in _LOOKS.items():
        vary = rng.uniform(0.92, 1.08, 2)
        t1[material], t2[material], texture[material], tissue[material] = (
            a * vary[0],
            b * vary[1],
            share,
            kind,
        )
    grain = tiled(p.grain, p.shape)
    images = []
    for table, opposite in ((t1, 1), (t2, -1)):
        image = np.take(table, p.material)
        image *= 1 + np.take(texture * opposite, p.material) * grain
        images.append(ndimage.gaussian_filter(image, 0.55 / p.lattice.spacing, truncate=2.5))
    return Patch(p.lattice, images[0], images[1], np.take(tissue, p.material))


def _draw_details(
    rng: np.random.Generator, patch: Patch, frame: TumourFrame, canals: dict[str, Canal]
) -> None:
    """Draw vessels, and the nerves on their way from the brainstem to the fundus."""
    blood = float(rng.uniform(0.9, 1.1))
    sinus = frame.points(((0, 78, 60), (0, 60, 92), (0, 10, 117), (0, -50, 105), (0, -88, 66), (0, -93, 30)))
    for vessel in [*vessels(rng, frame), Vessel(smooth_path(sinus, 3.0), 3.2, True)]:
        for window, distance in tube(patch.lattice, vessel.path, vessel.radius):
            share = coverage(distance, patch.lattice.spacing)
            share = share * patch.within(window, CSF=1, BONE=1, SOFT=1, BRAIN=0.4 if vessel.big else 0.15)
            patch.blend(window, share, blood, 0.12)
    draw_nerves(patch, frame, canals)
