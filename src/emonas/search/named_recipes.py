"""The cells with names, as recipes in NAS-Bench-NLP's form."""

from typing import Literal, get_args

from emonas.storage.genotype import Recipe, RecipeNode, RecipeOperation

CellName = Literal["rnn", "gru", "lstm"]
CELL_NAMES: tuple[CellName, ...] = get_args(CellName)


def named_recipe(name: CellName) -> Recipe:
    """The recipe that is the same function as torch's cell of that name, tanh the RNN's.

    torch's GRU applies the reset gate after the hidden projection, which takes linear nodes of one
    input; NAS-Bench-NLP's own GRU applies it before, and its own LSTM has tanh at the output gate.
    """
    return {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[name]()


def _node(operation: RecipeOperation, *inputs: str) -> RecipeNode:
    return RecipeNode(op=operation, input=inputs)


def _gate(name: str, activation: RecipeOperation = "activation_sigm") -> Recipe:
    """A projection of frame and state, and `{name}_act`, its activation."""
    return {
        name: _node("linear", "x", "h_prev_0"),
        f"{name}_act": _node(activation, name),
    }


def _rnn() -> Recipe:
    return {
        "sum": _node("linear", "x", "h_prev_0"),
        "h_new_0": _node("activation_tanh", "sum"),
    }


def _gru() -> Recipe:
    return {
        **_gate("reset"),
        **_gate("update"),
        "candidate_x": _node("linear", "x"),
        "candidate_h": _node("linear", "h_prev_0"),
        "candidate_reset": _node("elementwise_prod", "reset_act", "candidate_h"),
        "candidate": _node("elementwise_sum", "candidate_x", "candidate_reset"),
        "candidate_act": _node("activation_tanh", "candidate"),
        "h_new_0": _node("blend", "update_act", "h_prev_0", "candidate_act"),
    }


def _lstm() -> Recipe:
    """`h_prev_1` is the cell state."""
    return {
        **_gate("input"),
        **_gate("forget"),
        **_gate("candidate", "activation_tanh"),
        **_gate("output"),
        "kept": _node("elementwise_prod", "forget_act", "h_prev_1"),
        "added": _node("elementwise_prod", "input_act", "candidate_act"),
        "h_new_1": _node("elementwise_sum", "kept", "added"),
        "h_new_1_act": _node("activation_tanh", "h_new_1"),
        "h_new_0": _node("elementwise_prod", "output_act", "h_new_1_act"),
    }
