"""One ONNX graph for all components: classifiers, calibration, and a matrix of risks out."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

from forestall.serving.names import INPUT, OUTPUT
from forestall.training.calibration import CLIP, Calibration
from forestall.training.fit import FittedModel

OPSETS = {"": 18, "ai.onnx.ml": 3}


def to_graph(model: FittedModel) -> onnx.ModelProto:
    """The model as ONNX: `features` float32 [rows, features] -> `risk` float32 [rows, components]."""
    nodes: list[Any] = []
    tensors: list[Any] = []
    risks = []
    for number, component in enumerate(model.estimators):
        graph = _classifier_graph(model.estimators[component], len(model.features), f"c{number}_")
        tensors += graph.initializer
        nodes += _renamed_input(graph)
        more, constants, name = _calibrated(
            graph.output[1].name, model.calibrations[component], f"c{number}_"
        )
        nodes, tensors = nodes + more, tensors + constants
        risks.append(name)
    nodes.append(helper.make_node("Concat", risks, [OUTPUT], axis=1))
    whole = helper.make_graph(
        nodes,
        "forestall",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, len(model.features)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, len(risks)])],
        tensors,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    result = helper.make_model(whole, opset_imports=opsets, producer_name="forestall", ir_version=9)
    onnx.checker.check_model(result)
    return result


def _classifier_graph(estimator: Any, features: int, prefix: str) -> onnx.GraphProto:
    converted = to_onnx(
        estimator,
        initial_types=[(INPUT, FloatTensorType([None, features]))],
        options={id(estimator): {"zipmap": False}},
        target_opset=OPSETS,
    )
    return compose.add_prefix(converted, prefix=prefix).graph


def _renamed_input(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The graph's nodes, reading the shared input."""
    own = graph.input[0].name
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name == own:
                node.input[position] = INPUT
    return list(graph.node)


def _calibrated(
    probabilities: str, calibration: Calibration, prefix: str
) -> tuple[list[Any], list[Any], str]:
    """Nodes and constants from a classifier's [rows, 2] to one column of calibrated risk, and its name."""
    values: dict[str, Any] = {
        "second": np.array([1], dtype=np.int64),
        "low": np.array(CLIP, dtype=np.float32),
        "high": np.array(1 - CLIP, dtype=np.float32),
        "one": np.array(1, dtype=np.float32),
        "a": np.array(calibration.a, dtype=np.float32),
        "b": np.array(calibration.b, dtype=np.float32),
        "c": np.array(calibration.c, dtype=np.float32),
    }
    n = {
        name: prefix + "cal_" + name
        for name in [*values, "raw", "s", "log", "rest", "log_rest", "al", "bl", "d", "z", "risk"]
    }
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Gather", [probabilities, n["second"]], "raw", {"axis": 1}),
        ("Clip", [n["raw"], n["low"], n["high"]], "s", {}),
        ("Log", [n["s"]], "log", {}),
        ("Sub", [n["one"], n["s"]], "rest", {}),
        ("Log", [n["rest"]], "log_rest", {}),
        ("Mul", [n["a"], n["log"]], "al", {}),
        ("Mul", [n["b"], n["log_rest"]], "bl", {}),
        ("Sub", [n["al"], n["bl"]], "d", {}),
        ("Add", [n["d"], n["c"]], "z", {}),
        ("Sigmoid", [n["z"]], "risk", {}),
    ]
    nodes = [helper.make_node(kind, inputs, [n[output]], **more) for kind, inputs, output, more in steps]
    return nodes, [numpy_helper.from_array(value, n[name]) for name, value in values.items()], n["risk"]
