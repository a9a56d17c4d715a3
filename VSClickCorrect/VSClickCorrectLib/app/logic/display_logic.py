"""How sequences, segment, start and clicks look."""

from __future__ import annotations

from dataclasses import dataclass, field

import slicer
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.logic.views_logic import ViewsLogic
from VSClickCorrectLib.workflow.workflow import Workflow

SEQUENCES = ("t1ce", "t2")
_SWITCHES = ("fill", "outline", "start", "clicks", "crosshair")


@dataclass
class DisplayState:
    """What the page knows of it.

    Windows are the darkest and the brightest intensity that are told apart, of the sequences there are.
    """

    sequences: list = field(default_factory=list)
    t1ce_window: list = field(default_factory=lambda: [0.0, 1.0])
    t1ce_limits: list = field(default_factory=lambda: [0.0, 1.0])
    t2_window: list = field(default_factory=lambda: [0.0, 1.0])
    t2_limits: list = field(default_factory=lambda: [0.0, 1.0])
    opacity: float = 0.25
    fill: bool = True
    outline: bool = True
    start: bool = False
    clicks: bool = True
    crosshair: bool = True
    surface: bool = False


class DisplayLogic:
    """Keeps the page's sliders and switches and the display nodes alike.

    Parameters
    ----------
    server : Server
        Its state holds `DisplayState`.
    flow : Workflow
        The case whose nodes are displayed, and its clicks.
    views : ViewsLogic
        For the crosshair.
    """

    def __init__(self, server: Server, flow: Workflow, views: ViewsLogic) -> None:
        self._workbench, self._clicks = flow.workbench, flow.clicks
        self._views = views
        self._opened_windows: dict[str, tuple[float, float]] = {}
        self._tags: list[tuple[slicer.vtkMRMLDisplayNode, int]] = []
        self.typed_state = TypedState(server.state, DisplayState)
        name = self.typed_state.name
        self.typed_state.bind_changes(
            {
                name.t1ce_window: lambda window: self._set_window("t1ce", window),
                name.t2_window: lambda window: self._set_window("t2", window),
                (name.opacity, name.fill, name.outline, name.start, name.clicks, name.crosshair): (
                    lambda *_: self.show()
                ),
            }
        )
        flow.workbench.opened.connect(self._on_opened)
        flow.workbench.changed.connect(self.show)

    def toggle(self, switch: str) -> None:
        """Turn one of the switches ``fill``, ``outline``, ``start``, ``clicks`` and ``crosshair``."""
        if switch in _SWITCHES:
            setattr(self.typed_state.data, switch, not getattr(self.typed_state.data, switch))

    def reset_window(self, sequence: str) -> None:
        """Give a sequence the window it had when it was opened."""
        low, high = self._opened_windows[sequence]
        setattr(self.typed_state.data, f"{sequence}_window", [low, high])

    def show(self) -> None:
        """Make the scene look as the switches say."""
        data, nodes = self.typed_state.data, self._workbench.nodes
        crosshair = self._views.crosshair
        crosshair.SetCrosshairMode(
            crosshair.ShowSmallBasic if data.crosshair else slicer.vtkMRMLCrosshairNode.NoCrosshair
        )
        if nodes is None:
            return
        display = nodes.segmentation.GetDisplayNode()
        self._clicks.show_fill(data.fill)
        display.SetVisibility2DOutline(data.outline)
        display.SetOpacity2DFill(data.opacity)
        self._clicks.show_start(data.start)
        self._clicks.show_markers(data.clicks)

    def _on_opened(self) -> None:
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._tags.clear()
        self._opened_windows = {}
        volumes = dict(zip(SEQUENCES, self._workbench.case.volumes, strict=True))
        self.typed_state.data.sequences = [name for name, volume in volumes.items() if volume is not None]
        for sequence in self.typed_state.data.sequences:
            self._follow(sequence, volumes[sequence])

    def _follow(self, sequence: str, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
        display = volume.GetDisplayNode()
        low, high = volume.GetImageData().GetScalarRange()
        setattr(self.typed_state.data, f"{sequence}_limits", [low, max(high, low + 1.0)])
        self._opened_windows[sequence] = _window(display)
        self._update(sequence, display)
        tag = display.AddObserver("ModifiedEvent", lambda node, _: self._update(sequence, node))
        self._tags.append((display, tag))

    def _update(self, sequence: str, display: slicer.vtkMRMLScalarVolumeDisplayNode) -> None:
        window = [round(value, 3) for value in _window(display)]
        if getattr(self.typed_state.data, f"{sequence}_window") != window:
            setattr(self.typed_state.data, f"{sequence}_window", window)

    def _set_window(self, sequence: str, window: list) -> None:
        volumes = self._workbench.nodes.volumes if self._workbench.nodes is not None else (None, None)
        volume = volumes[SEQUENCES.index(sequence)]
        if volume is not None and [round(value, 3) for value in _window(volume.GetDisplayNode())] != window:
            volume.GetDisplayNode().SetWindowLevelMinMax(float(window[0]), float(window[1]))


def _window(display: slicer.vtkMRMLScalarVolumeDisplayNode) -> tuple[float, float]:
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()
