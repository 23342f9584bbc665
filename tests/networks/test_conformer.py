import math

import numpy as np
import pytest
import torch

from emonas.networks.conformer import ConformerEncoder, ConformerShape

State = dict[str, np.ndarray]

SMALL = {"inputs": 20, "width": 16, "heads": 2, "hidden": 24, "blocks": 2, "kernel": 5}
SHAPES = [
    ConformerShape(**SMALL),
    ConformerShape(**SMALL, subsampling="conv2d6", causal=True, norm="layer_norm"),
    ConformerShape(**SMALL, subsampling="conv2d8", normalize_before=False, activation="relu"),
    ConformerShape(**SMALL, subsampling="linear", macaron=False, key_bias=False),
    ConformerShape(**SMALL, convolution=False, normalize_before=False, macaron=False),
]
KERNELS = {
    "linear": [],
    "conv2d": [(3, 2), (3, 2)],
    "conv2d6": [(3, 2), (5, 3)],
    "conv2d8": [(3, 2), (3, 2), (3, 2)],
}
LAYOUT = """
global_cmvn.mean global_cmvn.istd
embed.conv.0.weight embed.conv.0.bias embed.conv.2.weight embed.conv.2.bias
embed.out.0.weight embed.out.0.bias after_norm.weight after_norm.bias
"""
BLOCK = """
self_attn.pos_bias_u self_attn.pos_bias_v self_attn.linear_pos.weight
self_attn.linear_q.weight self_attn.linear_q.bias self_attn.linear_k.weight
self_attn.linear_k.bias self_attn.linear_v.weight self_attn.linear_v.bias
self_attn.linear_out.weight self_attn.linear_out.bias
feed_forward.w_1.weight feed_forward.w_1.bias feed_forward.w_2.weight feed_forward.w_2.bias
feed_forward_macaron.w_1.weight feed_forward_macaron.w_1.bias
feed_forward_macaron.w_2.weight feed_forward_macaron.w_2.bias
conv_module.pointwise_conv1.weight conv_module.pointwise_conv1.bias
conv_module.depthwise_conv.weight conv_module.depthwise_conv.bias
conv_module.norm.weight conv_module.norm.bias conv_module.norm.running_mean
conv_module.norm.running_var conv_module.norm.num_batches_tracked
conv_module.pointwise_conv2.weight conv_module.pointwise_conv2.bias
norm_ff.weight norm_ff.bias norm_mha.weight norm_mha.bias norm_ff_macaron.weight
norm_ff_macaron.bias norm_conv.weight norm_conv.bias norm_final.weight norm_final.bias
"""


def random_encoder(shape: ConformerShape) -> ConformerEncoder:
    encoder = ConformerEncoder(shape).eval()
    generator = torch.Generator().manual_seed(5)
    for name, values in encoder.state_dict().items():
        if not values.is_floating_point():
            continue
        noise = torch.randn(values.shape, generator=generator)
        if name.endswith(("running_var", "istd")) or ("norm" in name and values.ndim == 1):
            values.copy_(1 + 0.3 * noise.clamp(-2, 2))
        else:
            values.copy_(noise / (10.0 if values.ndim == 1 else values[0].numel() ** 0.5))
    return encoder


def frames_of(count: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, 20, generator=torch.Generator().manual_seed(seed))


def linear(state: State, name: str, rows: np.ndarray) -> np.ndarray:
    bias = state.get(f"{name}.bias", np.zeros(1))
    return np.array([state[f"{name}.weight"] @ row + bias for row in rows])


def normalised(state: State, name: str, rows: np.ndarray) -> np.ndarray:
    result = []
    for row in rows:
        standard = (row - row.mean()) / math.sqrt(row.var() + 1e-5)
        result.append(standard * state[f"{name}.weight"] + state[f"{name}.bias"])
    return np.array(result)


def activated(shape: ConformerShape, values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0) if shape.activation == "relu" else values * sigmoid(values)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def subsampled(state: State, shape: ConformerShape, frames: np.ndarray) -> np.ndarray:
    image = ((frames - state["global_cmvn.mean"]) * state["global_cmvn.istd"])[None]
    for number, (kernel, stride) in enumerate(KERNELS[shape.subsampling]):
        weight = state[f"embed.conv.{2 * number}.weight"]
        times, bands = ((size - kernel) // stride + 1 for size in image.shape[1:])
        result = np.zeros((shape.width, times, bands))
        for t in range(times):
            for f in range(bands):
                part = image[:, t * stride : t * stride + kernel, f * stride : f * stride + kernel]
                result[:, t, f] = np.tensordot(weight, part, 3)
        bias = state[f"embed.conv.{2 * number}.bias"]
        image = np.maximum(result + bias[:, None, None], 0)
    flat = np.array([image[:, time].reshape(-1) for time in range(image.shape[1])])
    name = "embed.linear" if shape.subsampling in ("conv2d6", "conv2d8") else "embed.out.0"
    rows = linear(state, name, flat)
    if shape.subsampling == "linear":
        rows = normalised(state, "embed.out.1", rows)
    return rows * math.sqrt(shape.width)


def attended(state: State, shape: ConformerShape, rows: np.ndarray) -> np.ndarray:
    size = shape.width // shape.heads
    waves = np.zeros_like(rows)
    for time in range(len(rows)):
        for pair in range(shape.width // 2):
            angle = time / 10000 ** (2 * pair / shape.width)
            waves[time, 2 * pair : 2 * pair + 2] = math.sin(angle), math.cos(angle)
    query, key, value = (linear(state, f"self_attn.linear_{name}", rows) for name in "qkv")
    place = linear(state, "self_attn.linear_pos", waves)
    result = np.zeros_like(rows)
    for head in range(shape.heads):
        part = slice(head * size, (head + 1) * size)
        u, v = state["self_attn.pos_bias_u"][head], state["self_attn.pos_bias_v"][head]
        for i in range(len(rows)):
            scores = np.array(
                [
                    (query[i, part] + u) @ key[j, part] + (query[i, part] + v) @ place[j, part]
                    for j in range(len(rows))
                ]
            ) / math.sqrt(size)
            weights = np.exp(scores - scores.max())
            result[i, part] = weights / weights.sum() @ value[:, part]
    return linear(state, "self_attn.linear_out", result)


def convolved(state: State, shape: ConformerShape, rows: np.ndarray) -> np.ndarray:
    width, kernel = shape.width, shape.kernel
    state = {
        key: values[..., 0] if values.ndim == 3 and "pointwise" in key else values
        for key, values in state.items()
    }
    past = np.zeros((kernel - 1, width))
    if shape.causal:
        rows = np.concatenate([past, rows])
    doubled = linear(state, "conv_module.pointwise_conv1", rows)
    gated = doubled[:, :width] * sigmoid(doubled[:, width:])
    if not shape.causal:
        around = past[: (kernel - 1) // 2]
        gated = np.concatenate([around, gated, around])
    weight = state["conv_module.depthwise_conv.weight"][:, 0]
    times = range(len(gated) - kernel + 1)
    result = np.array([(weight.T * gated[time : time + kernel]).sum(axis=0) for time in times])
    result = result + state["conv_module.depthwise_conv.bias"]
    if shape.norm == "layer_norm":
        result = normalised(state, "conv_module.norm", result)
    else:
        deviation = np.sqrt(state["conv_module.norm.running_var"] + 1e-5)
        result = (result - state["conv_module.norm.running_mean"]) / deviation
        result = result * state["conv_module.norm.weight"] + state["conv_module.norm.bias"]
    return linear(state, "conv_module.pointwise_conv2", activated(shape, result))


def fed_forward(state: State, shape: ConformerShape, name: str, rows: np.ndarray) -> np.ndarray:
    share = 0.5 if shape.macaron else 1.0
    return share * linear(
        state, f"{name}.w_2", activated(shape, linear(state, f"{name}.w_1", rows))
    )


def block_of(state: State, shape: ConformerShape, rows: np.ndarray) -> np.ndarray:
    modules = [
        ("norm_mha", lambda values: attended(state, shape, values)),
        ("norm_ff", lambda values: fed_forward(state, shape, "feed_forward", values)),
    ]
    if shape.convolution:
        modules.insert(1, ("norm_conv", lambda values: convolved(state, shape, values)))
    if shape.macaron:
        name = "feed_forward_macaron"
        modules.insert(
            0, ("norm_ff_macaron", lambda values: fed_forward(state, shape, name, values))
        )
    for norm, module in modules:
        if shape.normalize_before:
            rows = rows + module(normalised(state, norm, rows))
        else:
            rows = normalised(state, norm, rows + module(rows))
    return normalised(state, "norm_final", rows) if shape.convolution else rows


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.subsampling)
def test_numbers_are_those_of_the_equations(shape: ConformerShape) -> None:
    encoder = random_encoder(shape)
    state = {name: values.double().numpy() for name, values in encoder.state_dict().items()}
    frames = frames_of(61)
    with torch.inference_mode():
        encoded = encoder(frames[None], torch.tensor([61]))
    rows = subsampled(state, shape, frames.double().numpy())
    assert encoded.lengths.tolist() == [len(rows)]
    for number, output in enumerate(encoded.blocks):
        prefix = f"encoders.{number}."
        block = {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}
        rows = block_of(block, shape, rows)
        np.testing.assert_allclose(output[0].numpy(), rows, atol=1e-5, rtol=1e-5)
    last = normalised(state, "after_norm", rows) if shape.normalize_before else rows
    np.testing.assert_allclose(encoded.output[0].numpy(), last, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.subsampling)
def test_padding_does_not_leak(shape: ConformerShape) -> None:
    encoder = random_encoder(shape)
    least = shape.receptive_field
    counts = [400, least, least + 4 * shape.rate, 5 * shape.rate + 97]
    alone = [frames_of(count, seed=count) for count in counts]
    # What stands behind an utterance is no silence, so that a leak shows.
    batch = torch.full((len(counts), 400, 20), 50.0)
    for row, frames in zip(batch, alone, strict=True):
        row[: len(frames)] = frames
    with torch.inference_mode():
        together = encoder(batch, torch.tensor(counts))
        for index, frames in enumerate(alone):
            single = encoder(frames[None], torch.tensor([len(frames)]))
            length = int(together.lengths[index])
            assert length == single.output.shape[1]
            pairs = [*zip(together.blocks, single.blocks, strict=True)]
            for batched, expected in [*pairs, (together.output, single.output)]:
                np.testing.assert_allclose(batched[index, :length], expected[0], atol=1e-5)
    assert together.lengths[1] == 1


def test_names_are_those_of_the_releases() -> None:
    encoder = ConformerEncoder(ConformerShape(inputs=80, blocks=3))
    blocks = [f"encoders.{number}.{name}" for number in range(3) for name in BLOCK.split()]
    assert set(encoder.state_dict()) == {*LAYOUT.split(), *blocks}


def test_names_of_the_other_forms() -> None:
    for kind, names in {
        "conv2d6": {"conv.0", "conv.2", "linear"},
        "conv2d8": {"conv.0", "conv.2", "conv.4", "linear"},
        "linear": {"out.0", "out.1"},
    }.items():
        encoder = ConformerEncoder(ConformerShape(**SMALL, subsampling=kind))
        there = {key.rsplit(".", 1)[0] for key in encoder.embed.state_dict()}
        assert there == names


def test_parameters_at_the_size_of_the_paper() -> None:
    with torch.device("meta"):
        encoder = ConformerEncoder(ConformerShape(width=512, heads=8, blocks=12))
    attention = 4 * (512 * 512 + 512) + 512 * 512 + 2 * 512
    forward = 2 * (512 * 2048) + 2048 + 512
    convolution = 512 * 1024 + 1024 + 512 * 15 + 512 + 2 * 512 + 512 * 512 + 512
    block = attention + 2 * forward + convolution + 5 * 2 * 512
    embedding = 9 * 512 + 512 + 9 * 512 * 512 + 512 + 512 * 19 * 512 + 512
    assert sum(values.numel() for values in encoder.parameters()) == (
        embedding + 12 * block + 2 * 512
    )
    assert encoder.encoders[0].self_attn.pos_bias_u.shape == (8, 64)


def test_only_the_blocks_that_are_asked_for_run() -> None:
    encoder = random_encoder(SHAPES[0])
    frames, lengths = frames_of(30)[None], torch.tensor([30])
    with torch.inference_mode():
        whole, first = encoder(frames, lengths), encoder(frames, lengths, 1)
    assert len(first.blocks) == 1
    assert torch.equal(first.blocks[0], whole.blocks[0])
