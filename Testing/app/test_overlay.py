"""What the page draws over slice views, against numbers worked out from the voxels alone."""

import numpy as np
import pytest
from VSClickCorrectApp.overlay import Picture, cut, length_mm, scale_bar
from VSClickCorrectApp.pointing import point_at
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.volumes import add_volume

SPACING = np.array([0.5, 0.75, 2.0])


def picture(pixel_mm=0.2, size=(500, 400), columns=((1, 0, 0), (0, 1, 0)), point=(0, 0, 0)):
    matrix = np.eye(4)
    matrix[:3, :2] = pixel_mm * np.transpose(columns)
    matrix[:3, 2] = np.cross(*columns)
    matrix[:3, 3] = point
    return Picture(matrix, size)


@pytest.mark.parametrize(
    ("pixel_mm", "text", "percent"),
    [(0.2, "2 cm", 20), (0.02, "2 mm", 20), (0.1, "1 cm", 20), (1.0, "10 cm", 20), (0.0005, "1 mm", 400)],
)
def test_a_scale_bar_has_a_round_length_that_follows_the_zoom(pixel_mm, text, percent):
    width, said = scale_bar(picture(pixel_mm))
    assert said == text
    assert width == pytest.approx(percent)


def test_views_side_by_side_have_scale_bars_of_one_length():
    assert {scale_bar(picture(0.17, (width, 663)))[1] for width in range(460, 480)} == {"2 cm"}


def test_a_coronal_view_cuts_an_axial_one_in_a_level_line():
    # Rows of 0.2 mm: 20 mm up are a quarter of 80 mm, counted from the top.
    coronal = picture(columns=((1, 0, 0), (0, 0, 1)), point=(0, 20, 0))
    (x1, y1), (x2, y2) = cut(picture(), coronal)
    assert sorted((x1, x2)) == [0, 100]
    assert (y1, y2) == pytest.approx((75, 75))


def test_an_oblique_view_cuts_along_a_slope_and_a_far_one_nowhere():
    leaning = picture(columns=((1, 1, 0) / np.sqrt(2), (0, 0, 1)), point=(0, 0, 0))
    ends = cut(picture(), leaning)
    assert sorted(ends) == [pytest.approx((0, 100)), pytest.approx((80, 0))]
    assert cut(picture(), picture(columns=((1, 0, 0), (0, 0, 1)), point=(0, 90, 0))) is None
    assert cut(picture(), picture(point=(0, 0, 5))) is None


def test_places_are_counted_from_the_upper_left():
    assert picture().place((25, 20, 3)) == pytest.approx((25, 75))
    assert picture().distance((25, 20, -3)) == pytest.approx(3)


@pytest.fixture(scope="module")
def oblique():
    """A grid that is turned by 20 degrees about S and 35 about R, and an axial view along its voxels."""
    from trame_slicer.core import SlicerApp
    from trame_slicer.views import DirectViewFactory, ViewLayoutDefinition

    a, b = np.radians((20.0, 35.0))
    about_s = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_r = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_r @ about_s @ np.diag(SPACING)
    affine[:3, 3] = (-12.0, 7.0, 30.0)
    app = SlicerApp()
    app.view_manager.register_factory(DirectViewFactory(do_render_offscreen=True))
    view = app.view_manager.create_view(ViewLayoutDefinition.axial_view())
    view.update_size(640, 480)
    grid = Grid((20, 64, 64), affine)
    volume = add_volume(app.scene, Volume(np.zeros(grid.shape, np.int16), grid), "oblique")
    view.set_background_volume_id(volume.GetID())
    view.get_view_node().RotateToVolumePlane(volume)
    view.fit_view_to_content()
    view.app, view.grid = app, grid
    return view


def pixel_of(view, ras):
    import vtk

    inverse = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(view.get_view_node().GetXYToRAS(), inverse)
    return inverse.MultiplyPoint((*ras, 1.0))[:2]


def test_a_length_on_an_oblique_grid_is_that_of_its_voxels(oblique):
    start, end = np.array((10, 12, 10)), np.array((50, 36, 10))
    oblique.get_view_node().JumpSliceByOffsetting(*oblique.grid.ijk_to_ras(start))
    points = [point_at(oblique, pixel_of(oblique, oblique.grid.ijk_to_ras(ijk))) for ijk in (start, end)]
    # 40 columns of 0.5 mm and 24 rows of 0.75 mm.
    assert length_mm(*points) == pytest.approx(np.hypot(20.0, 18.0), abs=1e-6)
