"""How sequences, segment, start and clicks look."""

from __future__ import annotations

from dataclasses import dataclass, field

import slicer
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.mrml.volumes import volume_of
from VSClickCorrectLib.workflow.workflow import Workflow

from VSClickCorrectApp.intensity_windows import AUTOMATIC, PRESETS, dragged, window_presets
from VSClickCorrectApp.logic.views_logic import ViewsLogic

SEQUENCES = ("t1ce", "t2")
_SWITCHES = ("fill", "outline", "start", "clicks", "crosshair")


@dataclass
class DisplayState:
    """What the page knows of it.

    Windows are the darkest and the brightest intensity that are told apart, of the sequences there are;
    ``presets`` are those that are offered, by sequence and name. While ``bare`` nothing lies over the images.
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
    bare: bool = False
    presets: dict = field(default_factory=dict)


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
        self._tags: list[tuple[slicer.vtkMRMLDisplayNode, int]] = []
        self.typed_state = TypedState(server.state, DisplayState)
        name = self.typed_state.name
        self.typed_state.bind_changes(
            {
                name.t1ce_window: lambda window: self._set_window("t1ce", window),
                name.t2_window: lambda window: self._set_window("t2", window),
                (name.opacity, name.fill, name.outline, name.start, name.clicks, name.crosshair, name.bare): (
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

    @property
    def bare(self) -> bool:
        """Whether nothing lies over the images for now."""
        return bool(self.typed_state.data.bare)

    def choose_window(self, sequence: str, preset: str) -> None:
        """Give a sequence one of the windows that are offered for it; see `intensity_windows`."""
        setattr(
            self.typed_state.data, f"{sequence}_window", list(self.typed_state.data.presets[sequence][preset])
        )

    def next_window(self) -> None:
        """Give all sequences the window that is offered after the one that the first of them has."""
        data = self.typed_state.data
        if data.sequences:
            first = data.sequences[0]
            offered, now = data.presets[first], getattr(data, f"{first}_window")
            at = next((n for n, preset in enumerate(PRESETS) if offered[preset] == now), -1)
            for sequence in data.sequences:
                self.choose_window(sequence, PRESETS[(at + 1) % len(PRESETS)])

    def drag_window(self, sequence: str, right: int, up: int) -> None:
        """Change the window of a sequence by a drag of so many pixels."""
        data, name = self.typed_state.data, f"{sequence}_window"
        if sequence in data.sequences:
            automatic = data.presets[sequence][AUTOMATIC]
            window = dragged(tuple(getattr(data, name)), right, up, tuple(automatic))
            setattr(data, name, _rounded(window))

    def show(self) -> None:
        """Make the scene look as the switches say."""
        data, nodes = self.typed_state.data, self._workbench.nodes
        crosshair, seen = self._views.crosshair, not data.bare
        crosshair.SetCrosshairMode(
            crosshair.ShowSmallBasic if data.crosshair and seen else slicer.vtkMRMLCrosshairNode.NoCrosshair
        )
        if nodes is None:
            return
        display = nodes.segmentation.GetDisplayNode()
        self._clicks.show_fill(data.fill)
        display.SetVisibility2DOutline(data.outline)
        display.SetOpacity2DFill(data.opacity)
        display.SetVisibility2D(seen)
        self._clicks.show_start(data.start and seen)
        self._clicks.show_markers(data.clicks and seen)

    def _on_opened(self) -> None:
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._tags.clear()
        self.typed_state.data.presets = {}
        volumes = dict(zip(SEQUENCES, self._workbench.case.volumes, strict=True))
        self.typed_state.data.sequences = [name for name, volume in volumes.items() if volume is not None]
        for sequence in self.typed_state.data.sequences:
            self._follow(sequence, volumes[sequence])

    def _follow(self, sequence: str, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
        display = volume.GetDisplayNode()
        low, high = volume.GetImageData().GetScalarRange()
        setattr(self.typed_state.data, f"{sequence}_limits", [low, max(high, low + 1.0)])
        offered = window_presets(volume_of(volume).array, _window(display))
        rounded = {name: _rounded(window) for name, window in offered.items()}
        self.typed_state.data.presets = {**self.typed_state.data.presets, sequence: rounded}
        self._update(sequence, display)
        tag = display.AddObserver("ModifiedEvent", lambda node, _: self._update(sequence, node))
        self._tags.append((display, tag))

    def _update(self, sequence: str, display: slicer.vtkMRMLScalarVolumeDisplayNode) -> None:
        window = _rounded(_window(display))
        if getattr(self.typed_state.data, f"{sequence}_window") != window:
            setattr(self.typed_state.data, f"{sequence}_window", window)

    def _set_window(self, sequence: str, window: list) -> None:
        volumes = self._workbench.nodes.volumes if self._workbench.nodes is not None else (None, None)
        volume = volumes[SEQUENCES.index(sequence)]
        if volume is not None and _rounded(_window(volume.GetDisplayNode())) != window:
            volume.GetDisplayNode().SetWindowLevelMinMax(float(window[0]), float(window[1]))


def _rounded(window: tuple[float, float]) -> list[float]:
    return [round(value, 3) for value in window]


def _window(display: slicer.vtkMRMLScalarVolumeDisplayNode) -> tuple[float, float]:
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()
