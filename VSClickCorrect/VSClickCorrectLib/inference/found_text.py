"""What the user is told of what the initial networks found."""

from __future__ import annotations

from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.measure.measurements import head_middle, measure

_SIDES = {"left": "on the left", "right": "on the right", "middle": "in the middle", "both": "on both sides"}


def found_text(found: InitialMask, case: Case, number: int = 1) -> str:
    """Return one sentence or two: where the shown candidate is, how sure it is, and what to do now.

    Parameters
    ----------
    found : InitialMask
        What was found, with its other candidates.
    case : Case
        The sequences it was found in.
    number : int
        The candidate that is shown, from 1.
    """
    if not found.found:
        return "No tumour was found; place an include click inside it, and it will be."
    count, shown = len(found.candidates), found.candidates[number - 1]
    what = candidate_text(shown, case)
    if number == 1 and found.sure:
        alone = ", each side alone among them" if any(one.meets(found) for one in found.others) else ""
        more = f" ({count - 1} other candidate{'s' if count > 2 else ''}{alone})" if count > 1 else ""
        return f"Found {what}{more}; click where its border is wrong.{_second_text(found, case)}"
    wrong = "If that is not the tumour,"
    if count == 1:
        return f"Not sure: {what}. {wrong} place an include click inside it."
    doubt = "Not sure: candidate" if number == 1 else "Candidate"
    return (
        f"{doubt} {number} of {count}, {what}. {wrong} look at the next candidate "
        "or place an include click inside it."
    )


def _second_text(found: InitialMask, case: Case) -> str:
    """Return what to do about a second candidate that is sure: some patients have a tumour on each side."""
    second = next((one for one in found.candidates[1:] if one.sure and not one.meets(found)), None)
    if second is None:
        return ""
    return (
        f" Also {candidate_text(second, case)}: if that is a tumour, too, an include click inside it adds it."
    )


def candidate_text(candidate: InitialMask, case: Case) -> str:
    """Return side, volume and certainty of a candidate."""
    measured = measure(case.grid, candidate.box, candidate.values, head_middle(case.reference))
    side = _SIDES.get(measured.side or "")
    place = f"{side}, " if side else ""
    return f"{place}{measured.volume_cm3:.2f} cm³, {candidate.certainty:.0%} sure"
