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
        "models holds no manifest.json; name a folder with models.",
    ),
    BadInput(
        "manifest that is no JSON",
        _manifest(b"models: find"),
        "models/manifest.json cannot be understood (it is not JSON); install the models again.",
    ),
    BadInput(
        "manifest that is no text",
        _manifest(b"\xff\xfe\x00"),
        "models/manifest.json cannot be understood (it is not JSON); install the models again.",
    ),
    BadInput(
        "manifest that is a list",
        _manifest(b"[1, 2]"),
        "models/manifest.json cannot be understood (it must be names and values, not [1, 2]); install the models again.",
    ),
    BadInput(
        "manifest without models",
        _manifest(b'{"format": 1}'),
        "models/manifest.json cannot be understood (it has no models, which must be a list of models); install the models again.",
    ),
    BadInput(
        "manifest whose models are numbers",
        _manifest(b'{"models": [1]}'),
        "models/manifest.json cannot be understood (number 1 of models must be names and values, not 1); install the models again.",
    ),
    BadInput(
        "manifest of 100 000 brackets",
        _manifest(b"[" * 100_000),
        "models/manifest.json cannot be understood (it is not JSON); install the models again.",
    ),
    BadInput(
        "model without its file",
        _without("file"),
        "models/manifest.json cannot be understood ('find' has no file, which must be the name of a file beside the manifest); install the models again.",
    ),
    BadInput(
        "model with an unknown word",
        _entry(colour="red"),
        "models/manifest.json cannot be understood ('find' has an unknown 'colour'; it may have name, role, file, sha256, network, parameters, geometry, threshold, certainty); install the models again.",
    ),
    BadInput(
        "model of an unknown role",
        _entry(role="oracle"),
        "models/manifest.json cannot be understood (role of 'find' must be one of locator, initial, click, corrector, not 'oracle'); install the models again.",
    ),
    BadInput(
        "model of an unknown network",
        _entry(network="transformer"),
        "There is no network 'transformer'; choose one of unet3d, attention_unet2d, multi_encoder_unet2d, multi_encoder_unet3d.",
    ),
    BadInput(
        "model with spacing 0",
        _entry(geometry={"spacing": [0, 3, 3]}),
        "models/manifest.json cannot be understood (number 1 of spacing of geometry of 'find' must be a number from 0.1 to 20 mm, not 0); install the models again.",
    ),
    BadInput(
        "model with a spacing of a micrometre",
        _entry(geometry={"spacing": [0.001, 3, 3]}),
        "models/manifest.json cannot be understood (number 1 of spacing of geometry of 'find' must be a number from 0.1 to 20 mm, not 0.001); install the models again.",
    ),
    BadInput(
        "corrector whose cuts hold 134 million samples",
        _models(lambda folder: change_entry(folder, "mend", geometry={"size": 512, "slices": 512})),
        "models/manifest.json cannot be understood (size of geometry of 'mend' must be a whole number from 1 to 128, not 512); install the models again.",
    ),
    BadInput(
        "model without spacing",
        _entry(geometry={}),
        "models/manifest.json cannot be understood (geometry of 'find' has no spacing, which must be three lengths in mm); install the models again.",
    ),
    BadInput(
        "model with threshold 7",
        _entry(threshold=7),
        "models/manifest.json cannot be understood (threshold of 'find' must be a number above 0 and below 1, not 7); install the models again.",
    ),
    BadInput(
        "model with a parameter that its network has not",
        _entry(parameters={"depth": 4}),
        "Network 'unet3d' has no parameter 'depth'; it has in_channels, out_channels, channels, each_sample.",
    ),
    BadInput(
        "model with channels for 10 TB",
        _entry(parameters={"in_channels": 2, "out_channels": 1, "channels": [10**6, 10**6]}),
        "Parameter 'channels' of network 'unet3d' must be a list of 2 to 8 whole numbers from 1 to 1024, the first at most 64, not [1000000, 1000000].",
    ),
    BadInput(
        "model with channels that its weights have not",
        _entry(parameters={"in_channels": 2, "out_channels": 1, "channels": [4, 8]}),
        "The weights find.safetensors do not fit the network unet3d (encoder.stages.0.conv1.weight is 2×2×3×3×3 instead of 4×2×3×3×3).",
    ),
    BadInput(
        "model whose file lies outside its folder",
        _outside,
        "models/manifest.json cannot be understood (file of 'find' must be the name of a file beside the manifest, not '../find.safetensors'); install the models again.",
    ),
    BadInput(
        "model whose file is /etc/passwd",
        _entry(file="/etc/passwd"),
        "models/manifest.json cannot be understood (file of 'find' must be the name of a file beside the manifest, not '/etc/passwd'); install the models again.",
    ),
    BadInput(
        "weights that are not there",
        _models(lambda folder: (folder / "find.safetensors").unlink()),
        "The weights models/find.safetensors cannot be read; install the models again.",
    ),
    BadInput(
        "weights cut short",
        _models(_cut),
        "The weights models/find.safetensors are not those of the manifest (sha256 5be3861a4622… instead of 428ffee74e49…); they may be damaged: install the models again.",
    ),
    BadInput(
        "weights with one bit changed",
        _models(_one_byte),
        "The weights models/find.safetensors are not those of the manifest (sha256 c53291fe3af1… instead of 428ffee74e49…); they may be damaged: install the models again.",
    ),
    BadInput(
        "pickle called .safetensors",
        _pickle,
        "The weights models/find.safetensors are no whole safetensors file; install the models again.",
    ),
    BadInput(
        "zip archive called .safetensors",
        _weights(_zip),
        "The weights models/find.safetensors are no whole safetensors file; install the models again.",
    ),
    BadInput(
        "weights of another shape",
        _weights(_shape),
        "The weights find.safetensors do not fit the network unet3d (head.weight is 1×3×1×1×1 instead of 1×2×1×1×1).",
    ),
    BadInput(
        "weights with a tensor too few",
        _weights(lambda t: save({k: v for k, v in t.items() if k != "head.bias"})),
        "The weights find.safetensors do not fit the network unet3d (head.bias is missing).",
    ),
    BadInput(
        "weights with NaN",
        _weights(_nan),
        "The weights find.safetensors do not fit the network unet3d (head.weight holds NaN or infinite values).",
    ),
    BadInput(
        "weights of float64",
        _weights(
            lambda t: save({k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in t.items()})
        ),
        "are used, in single precision",
        FOUND,
    ),
    BadInput(
        "corrector that is not in the manifest",
        lambda room: room.correct("--corrector", "other"),
        "models has no model 'other' of role corrector; it has find, first, mend.",
    ),
]
