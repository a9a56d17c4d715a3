"""When views are drawn and sent: once for each change, one after the other, and only those that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from trame_rca.view_adapter import RcaViewAdapter
from trame_server import Server
from trame_slicer.core import ViewManager
from trame_slicer.rca_view import RemoteViewFactory
from trame_slicer.views import (
    AbstractView,
    ScheduledRenderStrategy,
    SliceView,
    ThreeDView,
    ViewLayoutDefinition,
    ViewType,
)

from VSClickCorrectApp.turns import take_turns

_FPS_UNDER_POINTER, _FPS_ELSEWHERE = 30.0, 20.0


class _Drawing(ScheduledRenderStrategy):
    """Lets a view be drawn soon, unless what asks for it changes nothing in views of its type."""

    resting: ClassVar[set[ViewType]] = set()

    def __init__(self, adapter: RcaViewAdapter, view_type: ViewType) -> None:
        super().__init__()
        self._adapter, self._view_type = adapter, view_type

    def schedule_render(self) -> None:
        """See `ScheduledRenderStrategy`."""
        if self._view_type not in _Drawing.resting:
            self._adapter.schedule_render()


class _Views(RemoteViewFactory):
    def _create_view(self, definition: ViewLayoutDefinition, *arguments, **named):
        made = super()._create_view(definition, *arguments, **named)
        made.slicer_view.set_scheduled_render(_Drawing(made.view_adapter, definition.view_type))
        return made


def register_factories(manager: ViewManager, server: Server) -> None:
    """Let a view manager make slice views and 3D views for the page.

    Parameters
    ----------
    manager : ViewManager
        Makes the views.
    server : Server
        Sends their pictures.
    """
    take_turns()
    for view, view_type in ((SliceView, ViewType.SLICE_VIEW), (ThreeDView, ViewType.THREE_D_VIEW)):
        made = _Views(
            server,
            partial(_undrawn, view),
            view_type,
            target_fps=_FPS_UNDER_POINTER,
            blur_fps=_FPS_ELSEWHERE,
        )
        manager.register_factory(made)


def _undrawn(view: Callable[..., AbstractView], **named) -> AbstractView:
    """Make a view that is not drawn until its factory has said how, as each of its settings asks for it."""
    return view(scheduled_render_strategy=ScheduledRenderStrategy(), **named)


@contextmanager
def views_stay(view_type: ViewType) -> Iterator[None]:
    """Draw no view of a type for what is done here: it changes none, though Slicer says so."""
    _Drawing.resting.add(view_type)
    try:
        yield
    finally:
        _Drawing.resting.discard(view_type)
