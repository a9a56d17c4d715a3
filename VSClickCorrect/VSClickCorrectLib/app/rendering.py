"""When views are drawn and sent: once for each change, and only those that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from trame_rca.view_adapter import RcaViewAdapter
from trame_server import Server
from trame_slicer.core import ViewManager
from trame_slicer.rca_view import RemoteViewFactory
from trame_slicer.views import AbstractView, ScheduledRenderStrategy, SliceView, ThreeDView, ViewType

# What trame-rca sends of a view at rest; with one quality a change is drawn and sent once, not twice.
_QUALITY = 90
_FPS_UNDER_POINTER, _FPS_ELSEWHERE = 30.0, 20.0


class _Drawing(ScheduledRenderStrategy):
    """Lets a view be drawn soon, unless what asks for it changes nothing in the view."""

    resting = False

    def __init__(self, adapter: RcaViewAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def schedule_render(self) -> None:
        """See `ScheduledRenderStrategy`."""
        if not _Drawing.resting:
            self._adapter.schedule_render()


class _SliceViews(RemoteViewFactory):
    def _create_view(self, *arguments, **named):
        made = super()._create_view(*arguments, **named)
        made.slicer_view.set_scheduled_render(_Drawing(made.view_adapter))
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
    kinds = (
        (_SliceViews, SliceView, ViewType.SLICE_VIEW),
        (RemoteViewFactory, ThreeDView, ViewType.THREE_D_VIEW),
    )
    for factory, view, view_type in kinds:
        made = factory(
            server,
            partial(_undrawn, view),
            view_type,
            target_fps=_FPS_UNDER_POINTER,
            blur_fps=_FPS_ELSEWHERE,
            interactive_quality=_QUALITY,
        )
        manager.register_factory(made)


def _undrawn(view: Callable[..., AbstractView], **named) -> AbstractView:
    """Make a view that is not drawn until its factory has said how, as each of its settings asks for it."""
    return view(scheduled_render_strategy=ScheduledRenderStrategy(), **named)


@contextmanager
def slices_stay() -> Iterator[None]:
    """Draw no slice view for what is done here: it changes none, though Slicer says so."""
    _Drawing.resting = True
    try:
        yield
    finally:
        _Drawing.resting = False
