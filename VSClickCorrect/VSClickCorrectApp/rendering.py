"""When views are drawn and sent: once for each change, one after the other, and only those that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from trame_client.widgets.core import AbstractElement
from trame_client.widgets.html import Div
from trame_rca.view_adapter import RcaViewAdapter
from trame_rca.widgets.rca import RemoteControlledArea
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

from VSClickCorrectApp.interaction import limit_interaction
from VSClickCorrectApp.sent_pictures import SentPictures
from VSClickCorrectApp.turns import TurnScheduler, take_turns

_FPS_UNDER_POINTER, _FPS_ELSEWHERE = 30.0, 20.0
# How long moves of the pointer are collected.
_MOVES_MS = 10


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
    """Makes views whose pictures are shown by the page's own ``pictures.js``.

    trame-rca's leaves out the last one of many that come in a rush, and nobody can tell which it shows.
    """

    pictures: SentPictures

    def _create_vuetify_ui(
        self,
        view_id: str,
        slicer_view: AbstractView,
        rca_scheduler: TurnScheduler,
        *,
        active_view_cursor: str,
    ) -> None:
        if isinstance(slicer_view, SliceView):
            rca_scheduler.set_number_callback(partial(self.pictures.number, slicer_view))

        def draw_at(frames_per_second: float) -> None:
            rca_scheduler.target_fps = frames_per_second

        draw_at(_FPS_ELSEWHERE)
        with (
            Div(
                classes="vs-drawing",
                style=(f"{{cursor: {active_view_cursor}}}",),
                mouseenter=partial(draw_at, _FPS_UNDER_POINTER),
                mouseleave=partial(draw_at, _FPS_ELSEWHERE),
            ),
            RemoteControlledArea(
                name=view_id, display="none", send_mouse_move=True, event_throttle_ms=(str(_MOVES_MS),)
            ),
            Div(classes="vs-pictures"),
        ):
            AbstractElement("vs-picture", raw_attrs=[f'name="{view_id}"'])

    def _create_view(self, definition: ViewLayoutDefinition, *arguments, **named):
        made = super()._create_view(definition, *arguments, **named)
        made.slicer_view.set_scheduled_render(_Drawing(made.view_adapter, definition.view_type))
        limit_interaction(made.slicer_view)
        return made


def register_factories(manager: ViewManager, server: Server, pictures: SentPictures) -> None:
    """Let a view manager make slice views and 3D views for the page.

    Parameters
    ----------
    manager : ViewManager
        Makes the views.
    server : Server
        Sends their pictures.
    pictures : SentPictures
        Numbers those of slice views.
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
        made.pictures = pictures
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
