"""What a file or a series is, by what people call it: T1ce, T2, mask, or something that is none of these."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import Enum


class Kind(str, Enum):
    """What a name says of an image.

    ``T1`` does not say whether it is with contrast, ``NATIVE`` says that it is not. ``LABEL`` is the truth of
    an evaluation, ``OTHER`` an image on which nobody looks for the tumour: a FLAIR, a mask of the brain.
    """

    T1CE = "t1ce"
    T1 = "t1"
    NATIVE = "native"
    T2 = "t2"
    MASK = "mask"
    LABEL = "label"
    OTHER = "other"
    UNKNOWN = "unknown"


_T1 = re.compile(
    r"(?P<before>ce|gd|gad|hr|ax|tra|cor|sag|3d|[se](?=t1w))?t1(?!\d|map|rho)(?P<after>[a-z0-9]*)"
)
_T2 = re.compile(r"(?:hr|ax|tra|cor|sag|3d|[se](?=t2w))?t2(?!\d|map|rho|star|f$|flair)[a-z0-9]*")
# How a word goes on after T1 where contrast medium was given, and where it was not.
_ENHANCED = re.compile(r"w?i?(?:\dd)?(?:c|ce|c\+|gd|gad[a-z]*|km|post[a-z]*|contrast|enh[a-z]*)")
_UNENHANCED = re.compile(r"w?i?(?:n|nc|nativ[a-z]*|pre[a-z]*|plain|nocontrast)")
_CONTRAST = re.compile(
    r"ce|gd|gad|gado[a-z]*|cm|km|mdc|contrast[eo]?|kontrast(?!.*frei)[a-z]*|postcontrast|postgad|postgd|enhanced"
)
_NATIVE = re.compile(r"pre|precontrast|pregad|nativ|native|noncontrast|nocontrast|unenhanced|nonenhanced|nc")
# Before the word for contrast these turn it round ("o. KM" is "ohne KM", "v. KM" is "vor KM"), and behind it
# those; before an operation "post" and "pre" mean something else.
_WITHOUT = re.compile(
    r"(?:.*_)?(?:no|non|not|un|without|wo|w_o|ohne|(?<!com_)o|pre|before|prior(?:_to)?|minus|vor|v|prae|pr|sans|sin|sem|senza"
    r"|zonder|uten|utan|bez|avant|antes|prima|voor)(?:_inj[a-z]*)?(?:_(?:the|de|di|del|du|la|le))?"
)
_FREE = re.compile("frei|free|none")
# What says by a sign alone that contrast medium was given, or that none was: "C+" or "+C", and "C-"
# or " -C".
_GIVEN = re.compile(r"(?i)(?<![a-z0-9])(?:(?:c|km|cm|gd|iv)\+|\+\s?(?:c|km|cm|gd|iv))(?![a-z0-9])")
_NOT_GIVEN = re.compile(
    r"(?i)(?<![a-z0-9])(?:c|km|cm|gd|iv)-(?![a-z0-9-])|(?<=[\s(])-(?:c|km|cm|gd|iv)(?![a-z0-9])"
)
# "s/gado", "s/c": Spanish and Portuguese for without.
_SLASHED = re.compile(r"(?i)(?<![a-z0-9])s/\s?(?:gd|gad[a-z]*|contraste?|c|civ)(?![a-z0-9])")
_OPERATION = re.compile(r"op|operat[a-z]*|surg[a-z]*|rt|radio[a-z]*|srs|gk|treat[a-z]*|therap[a-z]*")
# Pulse sequences that only one of the two weightings has, whole words.
# MPR is a part of MPRAGE to some, and to others any reformatted image.
_T1_SEQUENCE = re.compile(r"mprage|f?spgr|bravo|vibe|thrive|flash|fl3d[a-z]*|tfl[a-z0-9]*")
_T2_SEQUENCE = re.compile(r"ciss|ci3d[a-z]*|fiesta|drive|trufi|bffe")
# In SequenceName and the like they stand amid other letters.
_WITHIN = {"t1": r"fl3d|mprage|spgr|flash|bravo", "t2": r"ci3d|ciss|tse|fse|fiesta|space|drive"}
_FLAIR = re.compile(r"[a-z0-9]*flair[a-z0-9]*|tirm|stir|t2f|darkfluid")
_OTHER = re.compile(
    r"t[12](?:map|rho)|t2star|[a-z0-9]*flair|flair[a-z0-9]*|dwi|dti|adc|trace[a-z]*|ep2d|diff|bold|fmri|swi(?:\dd[a-z0-9]*)?|hemo"
    r"|tof|mra|mrv|angio|pdw?|asl|perf(?:usion)?|dsc|dce|cbf|cbv|mtt|loc|locali[sz]ers?|[a-z]*scout|survey|fieldmap|fmap|svs"
    r"|ct|cbct|pet|dose|rtdose|m(?:in)?ips?|projections?|subtract[a-z]*"
)
# Computed of two images, and images of fat; of series alone, as the subject of a file may be called "sub".
_COMPUTED = re.compile(
    r"(?i)(?:.*[^a-z])?(?:subs?(?![a-z]|[-_ ]?\d)|(?:fat|out_?phase):|dixon.*_(?:f|fat|opp|out)(?![a-z])).*"
)
_MASK = re.compile(r"[a-z0-9]*masks?|[a-z0-9]*seg|segm|[a-z]*segmentations?|initial")
# At the end of a name; at its beginning they may name the data.
_MASKED = re.compile(r"roi|[a-z]*tumou?r|lesion|gtv|schwannoma")
# The collection of The Cancer Imaging Archive, of which a case is no segmentation.
_COLLECTION = re.compile(r"vs[-_ ]?seg")
_WORD = re.compile(r"vs[-_ ]?seg(?=[-_ ]?\d)|[a-z0-9]+", re.IGNORECASE)
# Marks above and below letters are none themselves; most of them stand in these blocks.
_WORD_OR_LETTERS = re.compile(rf"{_WORD.pattern}|(?:(?![\x00-\x7f])[\w\u0300-\u0dff])+", re.IGNORECASE)
_LABEL = re.compile(r"labels?|labelmap|dseg|truth|groundtruth|gt")
_NO_TUMOUR = re.compile(
    r"(?:brain|skull|head|face|deface|defaced|bet|hdbet|body|air|cochlea|tissue|fov|eye|vessel)(?:masks?|seg)?"
    r"|aseg|aparc|brainstem|cerebell[a-z]*|cochleae|vestibule|labyrinth|ears?|ventricles?|eyes|vessels|csf|gm|wm"
    r"|nerves?|icv|meningioma|skullstrip[a-z]*|ctmask"
)
# What is no part of a case's name.
_KIND = re.compile(
    "|".join(p.pattern.replace("?P<before>", "?:").replace("?P<after>", "?:") for p in (
        _T1, _T2, _T1_SEQUENCE, _T2_SEQUENCE, _CONTRAST, _NATIVE, _FLAIR, _MASK, _LABEL
    )) + "|mpr|post"
)  # fmt: skip


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case, but for what names a collection."""
    return [word for word in map(str.lower, _WORD.findall(_plain(name))) if not _COLLECTION.fullmatch(word)]


def rest_of(name: str) -> list[str]:
    """Return the words of a name, as they are written, that do not say what kind of image it is.

    Letters of any script count here: by them alone names of patients may differ.
    """
    rest: list[str] = []
    end = -1
    for match in _WORD_OR_LETTERS.finditer(_plain(unicodedata.normalize("NFC", name))):
        word = match[0]
        if _KIND.fullmatch(word.lower()):
            continue
        if match.start() == end and not (word.isascii() and rest[-1].isascii()):
            rest[-1] += word
        else:
            rest.append(word)
        end = match.end()
    return rest


def _plain(name: str) -> str:
    """Return a name with a word for each sign that says what kind of image it is."""
    name = _SLASHED.sub(" nocontrast ", name)
    name = _NOT_GIVEN.sub(" nocontrast ", _GIVEN.sub(" contrast ", name))
    return re.sub(r"(?i)t2\s?\*", "T2star", name)


def kind_of(name: str) -> Kind:
    """Return what an image is by its name, a file's without its suffix.

    Of several sequences that a name mentions the first is meant: ``T2_in_T1`` is a T2.
    """
    # So dcm2niix calls the phase of complex images; in capitals it may be somebody.
    if name.endswith(("_ph", "_imaginary")):
        return Kind.OTHER
    words = words_of(name)
    masked = any(_MASK.fullmatch(word) or _LABEL.fullmatch(word) for word in words)
    if masked or (words and _MASKED.fullmatch(words[-1])):
        if any(_NO_TUMOUR.fullmatch(word) for word in words):
            return Kind.OTHER
        return Kind.LABEL if any(_LABEL.fullmatch(word) for word in words) else Kind.MASK
    weighted = [kind for word in words if (kind := _weighting_of(word))]
    if _is_other(words, weighted):
        return Kind.OTHER
    if not weighted:
        alone = any(_CONTRAST.fullmatch(word) for word in words)
        return Kind.T1CE if alone and _contrast_of(words) is Kind.T1CE else Kind.UNKNOWN
    return _contrast_of(words) if weighted[0] == "t1" else Kind.T2


def kind_of_series(texts: Iterable[str], agent: str = "") -> Kind:
    """Return what a DICOM series is.

    Parameters
    ----------
    texts : iterable of str
        What its header says of it, the most telling first: description, protocol, name of the sequence. One
        that mentions both weightings, or neither, does not tell.
    agent : str
        ContrastBolusAgent.
    """
    texts = [text for text in texts if text.strip()]
    for text in texts:
        words = words_of(text)
        weighted = {kind for word in words if (kind := _weighting_of(word))}
        if _is_other(words, sorted(weighted)) or _COMPUTED.fullmatch(text):
            return Kind.OTHER
        if len(weighted) == 1:
            return _of_weighting(weighted.pop(), texts, agent)
    for text in texts:
        found = [kind for kind, pattern in _WITHIN.items() if re.search(pattern, text.lower())]
        if len(found) == 1:
            return _of_weighting(found[0], texts, agent)
    return Kind.UNKNOWN


def _of_weighting(weighting: str, texts: Sequence[str], agent: str) -> Kind:
    if weighting == "t2":
        return Kind.T2
    told = [kind for text in texts if (kind := _contrast_of(words_of(text))) is not Kind.T1]
    given = Kind.T1CE if agent.strip() and not re.match(r"no|none|0|n/a", agent.strip().lower()) else Kind.T1
    return told[0] if told else given


def _weighting_of(word: str) -> str | None:
    if _T1.fullmatch(word) or _T1_SEQUENCE.fullmatch(word):
        return "t1"
    return "t2" if _T2.fullmatch(word) or _T2_SEQUENCE.fullmatch(word) else None


def _is_other(words: Sequence[str], weighted: Sequence[str]) -> bool:
    """Whether words name neither a T1 nor a T2; a FLAIR that is weighted by T1 is a T1."""
    together = "_".join(words)
    flair = any(_FLAIR.fullmatch(word) for word in words) or re.search(r"dark_fluid|da_fl(?![a-z])", together)
    if flair:
        return "t1" not in weighted
    mapped = re.search(r"(?<![a-z0-9])t[12]w?_(?:star|map(?:s|ping)?)(?![a-z0-9])", together)
    return bool(mapped) or any(_OTHER.fullmatch(word) for word in words)


def _contrast_of(words: Sequence[str]) -> Kind:
    """Return which T1 words name."""
    t1s = [match for word in words if (match := _T1.fullmatch(word))]
    if any(t1["before"] in ("ce", "gd", "gad") or _ENHANCED.fullmatch(t1["after"]) for t1 in t1s):
        return Kind.T1CE
    if any(_UNENHANCED.fullmatch(t1["after"]) for t1 in t1s):
        return Kind.NATIVE
    for n, word in enumerate(words):
        following = "".join(words[n + 1 : n + 2])
        if _OPERATION.fullmatch(following):
            continue
        if _CONTRAST.fullmatch(word):
            turned = _WITHOUT.fullmatch("_".join(words[max(0, n - 3) : n])) or _FREE.fullmatch(following)
            return Kind.NATIVE if turned else Kind.T1CE
        if _NATIVE.fullmatch(word) and not _CONTRAST.fullmatch(following):
            return Kind.NATIVE
        if word == "post" or (word in ("c", "mc") and n and _weighting_of(words[n - 1]) == "t1"):
            return Kind.T1CE
    return Kind.T1
