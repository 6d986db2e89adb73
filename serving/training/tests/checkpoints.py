"""A checkpoint of EfficientNet-Lite with random weights, in the names and shapes of the published ones."""

from pathlib import Path

import numpy as np

from training.efficientnet import STEM, TOP, blocks
from training.torch_file import Array

from .torch_files import tensor, write_stream

State = dict[str, Array]


def _norm(state: State, name: str, channels: int, chance: np.random.Generator) -> None:
    for part in ("weight", "bias", "running_mean", "running_var"):
        low, high = (-0.5, 0.5) if part in ("bias", "running_mean") else (0.5, 1.5)
        state[f"{name}.{part}"] = chance.uniform(low, high, channels).astype(np.float32)
    state[f"{name}.num_batches_tracked"] = np.array(1, np.float32)


def random_state(architecture: str, classes: int = 1000) -> State:
    """The tensors of a state dict, drawn so that activations neither vanish nor explode."""
    chance, state, channels = np.random.default_rng(5), State(), STEM

    def convolution(name: str, norm: str, shape: tuple[int, ...]) -> None:
        spread = 1.4 / np.sqrt(np.prod(shape[1:]))
        state[f"{name}.weight"] = chance.normal(0, spread, shape).astype(np.float32)
        _norm(state, norm, shape[0], chance)

    convolution("_conv_stem", "_bn0", (STEM, 3, 3, 3))
    for number, block in enumerate(blocks(architecture)):
        place, inner = f"_blocks.{number}", channels * block.expansion
        if block.expansion > 1:
            convolution(f"{place}._expand_conv", f"{place}._bn0", (inner, channels, 1, 1))
        convolution(f"{place}._depthwise_conv", f"{place}._bn1", (inner, 1, block.kernel, block.kernel))
        convolution(f"{place}._project_conv", f"{place}._bn2", (block.filters, inner, 1, 1))
        channels = block.filters
    convolution("_conv_head", "_bn1", (TOP, channels, 1, 1))
    state["_fc.weight"], state["_fc.bias"] = np.zeros((classes, TOP), np.float32), np.zeros(classes, np.float32)
    return state


def write_checkpoint(path: Path, state: State) -> None:
    """Writes the tensors as the packages have them."""
    write_stream(path, {name: tensor(str(index), numbers) for index, (name, numbers) in enumerate(state.items())})
