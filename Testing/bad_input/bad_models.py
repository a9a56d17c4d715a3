"""Bad models: manifests and weights."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
from bad_case import BadInput, Room
from good_files import FOUND
from handmade_models import (
    bright_unet3d,
    change_entry,
    pickled_trap,
    read_manifest,
    vouch_for,
    write_manifest,
)
from safetensors.numpy import save

TITLE = "Models"


def _models(spoil):
    """Segment with a spoiled copy of the models."""

    def make(room: Room):
        folder = Path(shutil.copytree(room.good.models, room.folder / "models"))
        spoil(folder)
        return room.segment(room.good.t1ce, "--models", folder)

    return make


def _manifest(content: bytes):
    return _models(lambda folder: (folder / "manifest.json").write_bytes(content))


def _entry(**values):
    return _models(lambda folder: change_entry(folder, "find", **values))


def _without(word: str):
    def spoil(folder: Path) -> None:
        entries = read_manifest(folder)
        del entries[0][word]
        write_manifest(folder, entries)

    return _models(spoil)


def _twice(folder: Path) -> None:
    entries = read_manifest(folder)
    write_manifest(folder, [*entries, entries[0]])


def _weights(content):
    """Weights for which the manifest vouches; ``content`` makes bytes of the tensors."""
    return _models(lambda folder: vouch_for(folder, "find", content(bright_unet3d(0.55))))


def _one_byte(folder: Path) -> None:
    path = folder / "find.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def _cut(folder: Path) -> None:
    path = folder / "find.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _zip(_) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("find/data.pkl", b"")
    return stream.getvalue()


def _nan(tensors) -> bytes:
    tensors["head.weight"][0, 0] = np.nan
    return save(tensors)


def _shape(tensors) -> bytes:
    return save({**tensors, "head.weight": np.zeros((1, 3, 1, 1, 1), np.float32)})


def _outside(room: Room):
    folder = Path(shutil.copytree(room.good.models, room.folder / "models"))
    (folder / "find.safetensors").rename(room.folder / "find.safetensors")
    change_entry(folder, "find", file="../find.safetensors")
    return room.segment(room.good.t1ce, "--models", folder)


def _pickle(room: Room):
    trap = room.folder / "trapped"
    folder = Path(shutil.copytree(room.good.models, room.folder / "models"))
    vouch_for(folder, "find", pickled_trap(trap))
    return room.segment(room.good.t1ce, "--models", folder)


CASES = [
    BadInput(
        "folder without manifest",
        lambda room: room.segment(room.good.t1ce, "--models", room.inside("models")),
        ("models", "manifest.json", "holds", "folder"),
    ),
    BadInput(
        "manifest that is no JSON",
        _manifest(b"models: find"),
        ("models/manifest.json", "JSON", "install"),
    ),
    BadInput(
        "manifest that is no text",
        _manifest(b"\xff\xfe\x00"),
        ("models/manifest.json", "JSON", "install"),
    ),
    BadInput(
        "manifest that is a list",
        _manifest(b"[1, 2]"),
        ("models/manifest.json", "[1", "2]", "understood", "install"),
    ),
    BadInput(
        "manifest without models",
        _manifest(b'{"format": 1}'),
        ("models/manifest.json", "understood", "install"),
    ),
    BadInput(
        "manifest whose models are numbers",
        _manifest(b'{"models": [1]}'),
        ("models/manifest.json", "1", "understood", "install"),
    ),
    BadInput(
        "manifest of 100 000 brackets",
        _manifest(b"[" * 100_000),
        ("models/manifest.json", "JSON", "install"),
    ),
    BadInput(
        "two models of one name",
        _models(_twice),
        ("models/manifest.json", "find", "understood", "install"),
    ),
    BadInput(
        "model without its file",
        _without("file"),
        ("models/manifest.json", "find", "understood", "install"),
    ),
    BadInput(
        "model with an unknown word",
        _entry(colour="red"),
        ("models/manifest.json", "find", "colour", "sha256", "unknown", "threshold"),
    ),
    BadInput(
        "model of an unknown role",
        _entry(role="oracle"),
        ("models/manifest.json", "find", "oracle", "role", "install"),
    ),
    BadInput(
        "model of an unknown network",
        _entry(network="transformer"),
        (
            "transformer",
            "unet3d",
            "attention_unet2d",
            "multi_encoder_unet2d",
            "multi_encoder_unet3d",
            "network",
        ),
    ),
    BadInput(
        "model with spacing 0",
        _entry(geometry={"spacing": [0, 3, 3]}),
        ("models/manifest.json", "1", "find", "0.1", "20", "0", "spacing", "install"),
    ),
    BadInput(
        "model with a spacing of a micrometre",
        _entry(geometry={"spacing": [0.001, 3, 3]}),
        ("models/manifest.json", "1", "find", "0.1", "20", "0.001", "spacing", "install"),
    ),
    BadInput(
        "corrector whose cuts hold 134 million samples",
        _models(lambda folder: change_entry(folder, "mend", geometry={"size": 512, "slices": 512})),
        ("models/manifest.json", "mend", "1", "128", "512", "size", "install"),
    ),
    BadInput(
        "model without spacing",
        _entry(geometry={}),
        ("models/manifest.json", "find", "spacing", "install"),
    ),
    BadInput(
        "model with threshold 7",
        _entry(threshold=7),
        ("models/manifest.json", "find", "0", "1", "7", "threshold", "install"),
    ),
    BadInput(
        "model with a parameter that its network has not",
        _entry(parameters={"depth": 4}),
        ("unet3d", "depth", "parameter", "channels"),
    ),
    BadInput(
        "model with channels for 10 TB",
        _entry(parameters={"in_channels": 2, "out_channels": 1, "channels": [10**6, 10**6]}),
        ("channels", "unet3d", "2", "8", "1", "1024", "64", "[1000000", "1000000]", "whole"),
    ),
    BadInput(
        "model with channels that its weights have not",
        _entry(parameters={"in_channels": 2, "out_channels": 1, "channels": [4, 8]}),
        ("find.safetensors", "unet3d", "encoder.stages.0.conv1.weight", "2×2×3×3×3", "4×2×3×3×3", "instead"),
    ),
    BadInput(
        "model whose file lies outside its folder",
        _outside,
        ("models/manifest.json", "find", "../find.safetensors", "understood", "install"),
    ),
    BadInput(
        "model whose file is /etc/passwd",
        _entry(file="/etc/passwd"),
        ("models/manifest.json", "find", "/etc/passwd", "understood", "install"),
    ),
    BadInput(
        "weights that are not there",
        _models(lambda folder: (folder / "find.safetensors").unlink()),
        ("models/find.safetensors", "read", "install"),
    ),
    BadInput(
        "weights cut short",
        _models(_cut),
        ("models/find.safetensors", "sha256", "5be3861a4622…", "428ffee74e49…", "instead", "install"),
    ),
    BadInput(
        "weights with one bit changed",
        _models(_one_byte),
        ("models/find.safetensors", "sha256", "c53291fe3af1…", "428ffee74e49…", "instead", "install"),
    ),
    BadInput(
        "pickle called .safetensors",
        _pickle,
        ("models/find.safetensors", "whole", "install"),
    ),
    BadInput(
        "zip archive called .safetensors",
        _weights(_zip),
        ("models/find.safetensors", "whole", "install"),
    ),
    BadInput(
        "weights of another shape",
        _weights(_shape),
        ("find.safetensors", "unet3d", "1×3×1×1×1", "1×2×1×1×1", "instead"),
    ),
    BadInput(
        "weights with a tensor too few",
        _weights(lambda t: save({k: v for k, v in t.items() if k != "head.bias"})),
        ("find.safetensors", "unet3d", "missing"),
    ),
    BadInput(
        "weights with NaN",
        _weights(_nan),
        ("find.safetensors", "unet3d", "infinite"),
    ),
    BadInput(
        "weights of float64",
        _weights(
            lambda t: save({k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in t.items()})
        ),
        happens="are used, in single precision",
        prints=FOUND,
    ),
    BadInput(
        "corrector that is not in the manifest",
        lambda room: room.correct("--corrector", "other"),
        ("models", "other", "corrector", "mend"),
    ),
]
