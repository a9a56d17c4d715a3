"""The panel's part for looks."""

from __future__ import annotations

from trame.widgets.html import Div, Span
from trame.widgets.vuetify3 import VBtn, VRangeSlider, VSlider, VSwitch

from VSClickCorrectApp.intensity_windows import AUTOMATIC, FULL
from VSClickCorrectApp.logic.display_logic import SEQUENCES, DisplayLogic, DisplayState
from VSClickCorrectApp.logic.doubt_logic import DoubtLogic
from VSClickCorrectApp.logic.sequences_logic import SequencesLogic
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.ui.parts import attributes, explained, tip

_TITLES = {"t1ce": "T1ce window", "t2": "T2 window"}
_SWITCHES = {
    "fill": (f"Fill ({key_of('fill')})", f"Fill the segment ({key_of('fill')})"),
    "outline": ("Outline", "Outline the segment"),
    "start": (
        f"Mask at start ({key_of('start')})",
        f"Outline the mask with which the correction began ({key_of('start')})",
    ),
    "clicks": (f"Markers ({key_of('markers')})", f"Show where clicks were placed ({key_of('markers')})"),
    "crosshair": (
        f"Crosshair ({key_of('crosshair')})",
        f"Show the place that the arrows move ({key_of('crosshair')})",
    ),
}
_DOUBT = (
    f"Doubt ({key_of('doubt')})",
    f"Colour the border where the networks doubt it, from yellow to red ({key_of('doubt')})",
)
_PRESETS = {
    AUTOMATIC: ("Auto", "as it was opened"),
    "narrow": ("Narrow", "more contrast in soft tissue"),
    "bright": ("Bright", "more contrast in what is bright"),
    "wide": ("Wide", "all but stray voxels"),
    FULL: ("Full", "from the darkest to the brightest voxel"),
}


def display_ui(display: DisplayLogic, sequences: SequencesLogic, doubt: DoubtLogic) -> None:
    """Build windows, blending, opacity and switches."""
    name = display.typed_state.name
    for sequence in SEQUENCES:
        window, limits = (getattr(name, f"{sequence}_{part}") for part in ("window", "limits"))
        there = f"{name.sequences}.includes('{sequence}')"
        with Div(v_if=(there,), classes="vs-row"):
            Span(_TITLES[sequence], classes="vs-strong")
            Span(f"{{{{ {window}.map(v => Math.round(v)).join(' – ') }}}}", classes="vs-quiet")
        _presets(display, sequence, there)
        with explained("The darkest and the brightest intensity; on an image, Ctrl and drag", v_if=(there,)):
            VRangeSlider(
                v_model=(window,),
                min=(f"{limits}[0]",),
                max=(f"{limits}[1]",),
                classes="mx-2",
                **attributes(aria_label=_TITLES[sequence]),
            )
    _blend(sequences)
    with Div(classes="vs-row"):
        Span("Opacity of the fill", classes="vs-strong")
    with explained(f"How much the fill covers ({key_of('fill')} shows and hides it)"):
        VSlider(
            v_model=(name.opacity,),
            min=0,
            max=1,
            step=0.05,
            classes="mx-2",
            **attributes(aria_label="Opacity of the fill"),
        )
    switches = {switch: (getattr(name, switch), *texts) for switch, texts in _SWITCHES.items()}
    switches["doubt"] = (doubt.typed_state.name.line, *_DOUBT)
    with Div(classes="vs-switches"):
        for switch, (model, label, hint) in switches.items():
            with explained(hint):
                VSwitch(
                    v_model=(model,),
                    label=label,
                    id=f"switch-{switch}",
                )
    with Div(classes="vs-row vs-quiet"):
        Span("Zoom: right drag. Pan: middle drag. Window: Ctrl and drag. Shift and move: crosshair.")


def _presets(display: DisplayLogic, sequence: str, there: str) -> None:
    name = display.typed_state.name
    with Div(v_if=(there,), classes="vs-presets"):
        for preset, (label, hint) in _PRESETS.items():
            window = f"{name.presets}['{sequence}']?.{preset}"
            with VBtn(
                label,
                size="x-small",
                variant="tonal",
                color=(f"String({window}) === String({_window(name, sequence)}) ? 'primary' : undefined",),
                click=(display.choose_window, f"['{sequence}', '{preset}']"),
                id=f"window-{sequence}-{preset}",
                **attributes(aria_label=f"{_TITLES[sequence]}: {label}"),
            ):
                tip(f"{hint.capitalize()} ({key_of('window')} goes on to the next)")


def _window(name: DisplayState, sequence: str) -> str:
    return str(getattr(name, f"{sequence}_window"))


def _blend(sequences: SequencesLogic) -> None:
    name = sequences.typed_state.name
    with Div(v_if=(name.both,), classes="vs-row"):
        Span("Blend in the other sequence", classes="vs-strong")
        Span(f"{{{{ {name.blend} }}}} %", classes="vs-quiet")
    hint = f"How much of the other sequence each view shows ({key_of('flick')} flicks to it)"
    with explained(hint, v_if=(name.both,)):
        VSlider(
            v_model=(name.blend,),
            min=0,
            max=100,
            step=5,
            classes="mx-2",
            id="blend",
            **attributes(aria_label="Blend in the other sequence"),
        )
