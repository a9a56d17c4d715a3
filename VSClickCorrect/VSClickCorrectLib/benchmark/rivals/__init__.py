"""Other ways to do the same, measured side by side with ours."""

from collections.abc import Callable

from VSClickCorrectLib.benchmark.rivals.comparison import Comparison

RIVALS: dict[str, Callable[..., list[Comparison]]] = {}
