"""What the module's help says, with three clicks as a tutorial.

Slicer imports it as it starts, so it imports next to nothing.
"""

from __future__ import annotations

from slicer.i18n import tr as _

_PAGES = "https://github.com/VSClickCorrect/SlicerVSClickCorrect/blob/main/Resources/"


def help_text() -> str:
    """Return it, in the language of the program."""
    return "".join(
        (
            _(
                "Find a vestibular schwannoma in contrast-enhanced T1 and T2 MRI, or take a segment that you "
                "have, and correct it with a few clicks, each of which can be undone exactly."
            ),
            _("<p><b>Three clicks</b></p>"),
            "<ol>",
            _(
                "<li>Load <i>Vestibular schwannoma, synthetic</i> from the module Sample Data. Back here, "
                "choose <i>Synthetic T1ce</i> as the <i>T1 with contrast</i> and <i>Synthetic T2</i> as the "
                "<i>T2</i>.</li>"
            ),
            _(
                "<li>Press <i>Find the tumour</i>. The views go to what was found, and <i>Boundary (B)</i> "
                "is pressed.</li>"
            ),
            _("<li>Where the outline leaves the tumour, click on the tumour's true border.</li>"),
            _("<li>Page to the next slice and click again; a click mends the slices beside it, too.</li>"),
            _(
                "<li>Press <i>Next place (N)</i>: the views go where a third click is worth most. "
                "<i>Undo</i> takes back what was done last, without limit.</li>"
            ),
            "</ol>",
            _("<p><a href='{picture}'>The same on the page, as a moving picture</a>.").format(
                picture=_PAGES + "Screenshots/story.gif"
            ),
            " ",
            _("<a href='{guide}'>User guide</a>. Research software, not a medical device.</p>").format(
                guide=_PAGES + "Docs/user-guide.md"
            ),
        )
    )
