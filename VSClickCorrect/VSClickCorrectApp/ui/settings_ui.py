"""The panel's part for the corrector, and how its proposals are used."""

from __future__ import annotations

from trame.widgets.html import Div, Span
from trame.widgets.vuetify3 import VSelect, VSlider, VSwitch
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.workflow.correction_settings import CARRY_ALL

from VSClickCorrectApp.logic.settings_logic import SettingsLogic
from VSClickCorrectApp.ui.parts import attributes, explained

_HINTS = {
    "Corrector": "The network that answers a click; below it what learned from your cases",
    "Merge": "How what the network proposes becomes a change of the mask",
    "Threshold": "From which probability on a voxel is tumour; 0 for the model's own",
    "Carry to slices": (
        "To how many slices above and below a click near the border carries; farther off a click is about "
        "a part, in all slices"
    ),
    "Learn from accepted cases": (
        "In a worklist, after every five cases that are done, let copies of the networks learn from them; "
        "what helps is used and never leaves the machine"
    ),
}


def settings_ui(settings: SettingsLogic) -> None:
    """Build what is chosen."""
    name = settings.typed_state.name
    all_or_carry = f"{name.carry} < {CARRY_ALL} ? {name.carry} : 'all'"
    with Div(classes="vs-list"):
        for model, label, items in (
            (name.corrector, "Corrector", (name.correctors,)),
            (name.merge, "Merge", ("merges", list(MERGES))),
        ):
            with explained(_HINTS[label]):
                VSelect(
                    v_model=(model,),
                    label=label,
                    items=items,
                    classes="my-2",
                    id=f"setting-{label.lower()}",
                )
        for model, label, most, step, shown in (
            (name.threshold, "Threshold", 0.95, 0.05, f"{name.threshold} || 'of the model'"),
            (
                name.carry,
                "Carry to slices",
                CARRY_ALL,
                1,
                all_or_carry,
            ),
        ):
            with Div(classes="vs-row"):
                Span(label, classes="vs-strong")
                Span(f"{{{{ {shown} }}}}", classes="vs-quiet")
            with explained(_HINTS[label]):
                VSlider(
                    v_model=(model,),
                    min=0,
                    max=most,
                    step=step,
                    classes="mx-2",
                    **attributes(aria_label=label),
                )
        learn = "Learn from accepted cases"
        with explained(_HINTS[learn]):
            VSwitch(
                v_model=(name.learns,),
                label=learn,
                classes="mx-2",
                id="setting-learn",
            )
