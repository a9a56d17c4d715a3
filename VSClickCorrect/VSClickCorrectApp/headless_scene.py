"""A scene for work without Slicer's windows."""

from __future__ import annotations

import slicer
from VSClickCorrectLib.io.temporary import TemporaryFolder

_MODULES = {"Segmentations": "vtkSlicerSegmentationsModuleLogic", "Markups": "vtkSlicerMarkupsLogic"}


class HeadlessScene:
    """A MRML scene with the logics that desktop Slicer would give it.

    The logics register what segmentations and markups need to be made, converted, saved and read, and wire
    the file access that ``.mrb`` bundles go through. They last as long as this object, so keep it for as
    long as its scene is used.

    Attributes
    ----------
    scene : vtkMRMLScene
        The scene.
    application : vtkSlicerApplicationLogic
        Gives the logics by the names that they have in Slicer.

    Examples
    --------
    The sample case in a scene, and one click at a voxel that its segment misses, by a stand-in for the
    network that knows the truth:

    >>> import numpy as np
    >>> from VSClickCorrectLib.clicks.click import Click, ClickKind
    >>> from VSClickCorrectLib.io.sample_case import read_sample
    >>> from VSClickCorrectLib.mrml.examples import add_example
    >>> from VSClickCorrectLib.mrml.begin_correction import correct_segment
    >>> from VSClickCorrectLib.session.oracle import Oracle
    >>> sample = read_sample()
    >>> missed = np.argwhere(sample.truth & ~sample.start)[0]
    >>> click = Click(tuple(sample.grid.index_to_ras(missed)), ClickKind.INCLUDE)
    >>> with HeadlessScene() as headless:
    ...     nodes = add_example(headless.scene, sample.case, sample.start)
    ...     segment = nodes.segmentation, nodes.segment_id
    ...     correction = correct_segment((nodes.t1ce, nodes.t2), segment, Oracle(sample.truth))
    ...     edit = correction.place(click)
    ...     [(row.number, row.kind.value) for row in correction.rows]
    ...     bool(nodes.mask.read(sample.grid.box)[tuple(missed)])
    ...     correction.close()
    [(1, 'include')]
    True
    """

    def __init__(self) -> None:
        self._folder = TemporaryFolder("vsclick-scene-")
        folder = str(self._folder.path)
        self.scene = slicer.vtkMRMLScene()
        self.application = application = slicer.vtkSlicerApplicationLogic()
        application.SetMRMLScene(self.scene)
        application.SetTemporaryPath(folder)
        application.GetColorLogic().SetMRMLScene(self.scene)
        application.SetModuleLogic("Colors", application.GetColorLogic())
        modules = {
            module: _connected(getattr(slicer, name)(), application) for module, name in _MODULES.items()
        }
        _keep_conversions_once()
        for module, logic in modules.items():
            application.SetModuleLogic(module, logic)
        # The application refers to them without keeping them.
        self._logics = [*modules.values(), *_file_access(application, folder)]

    def close(self) -> None:
        """Empty the scene and remove its temporary folder."""
        self.scene.Clear(True)
        self._folder.remove()

    def __enter__(self) -> HeadlessScene:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()


def _connected(logic: slicer.vtkMRMLAbstractLogic, application: slicer.vtkSlicerApplicationLogic):
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(application.GetMRMLScene())
    return logic


def _keep_conversions_once() -> None:
    """Drop the conversions of segments that each logic registers again, for the whole process.

    What looks through them, a copy of a segmentation for one, takes the longer the more there are.
    """
    factory = slicer.vtkSegmentationConverterFactory.GetInstance()
    known = set()
    for rule in factory.GetConverterRules():
        if rule.GetClassName() in known:
            factory.UnregisterConverterRule(rule)
        known.add(rule.GetClassName())


def _file_access(application: slicer.vtkSlicerApplicationLogic, folder: str) -> list:
    remote = _connected(slicer.vtkMRMLRemoteIOLogic(), application)
    remote.GetCacheManager().SetRemoteCacheDirectory(folder)
    manager = _connected(slicer.vtkDataIOManagerLogic(), application)
    manager.SetAndObserveDataIOManager(remote.GetDataIOManager())
    remote.AddDataIOToScene()
    return [remote, manager]
