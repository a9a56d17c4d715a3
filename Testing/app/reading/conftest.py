"""Scenes to be read."""

from importlib.util import find_spec

from scene_fixtures import add_transform, headless, mask, quarter_turn, scene, segment, volume_node

__all__ = ["add_transform", "headless", "mask", "quarter_turn", "scene", "segment", "volume_node"]

collect_ignore_glob = ["test_scene*.py"] if find_spec("slicer") is None else []
