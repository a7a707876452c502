"""One ONNX graph for all components: classifiers, calibration, and a matrix of risks out.

What follows the trees is in double precision: the runtime's float32 logarithm and sigmoid give other last bits to
a row that is scored alone than to the same row among others.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from forestall.serving.bundle import INPUT, OUTPUT
from forestall.training.calibration import CLIP, Calibration
from forestall.training.fit import FittedModel, in_horizons
from forestall.training.trees import trees_of

OPSETS = {"": 18, "ai.onnx.ml": 3}
Part = tuple[list[onnx.NodeProto], list[onnx.TensorProto], str]
Step = tuple[str, list[str], str, dict[str, Any]]


def to_graph(model: FittedModel) -> onnx.ModelProto:
    """The model as ONNX: `features` float32 [rows, features] -> `risk` float32 [rows, components * horizons]."""
    nodes: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []
    risks, columns = [], 0
    for number, component in enumerate(model.estimators):
        prefix = f"c{number}_"
        calibrations = model.calibrations[component]
        scores = _scores(model.estimators[component], len(model.features), len(calibrations), prefix)
        risk = _calibrated(scores[2], calibrations, prefix)
        nodes += scores[0] + risk[0]
        tensors += scores[1] + risk[1]
        risks.append(risk[2])
        columns += len(calibrations)
    nodes.append(helper.make_node("Concat", risks, [OUTPUT], axis=1))
    whole = helper.make_graph(
        nodes,
        "forestall",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, len(model.features)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, columns])],
        tensors,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    result = helper.make_model(whole, opset_imports=opsets, producer_name="forestall", ir_version=9)
    onnx.checker.check_model(result)
    return result


def _scores(estimator: Any, features: int, horizons: int, prefix: str) -> Part:
    """From features to the classifier's own probabilities of failure within each horizon, double [rows, horizons]."""
    logistic = isinstance(estimator, Pipeline) and isinstance(estimator[-1], LogisticRegression)
    by_class = (_logistic if logistic else _converted)(estimator, features, prefix)
    values = {"in_horizons": in_horizons(estimator.classes_, horizons)}
    steps: list[Step] = [("MatMul", [by_class[2], "in_horizons"], "scores", {})]
    summed = _part(values, steps, prefix)
    return by_class[0] + summed[0], by_class[1] + summed[1], summed[2]


def _converted(estimator: Any, features: int, prefix: str) -> Part:
    """The classifier as skl2onnx has it, to double [rows, classes]."""
    graph = _classifier_graph(estimator, features, prefix)
    steps: list[Step] = [("Cast", [graph.output[1].name], "by_class", {"to": TensorProto.DOUBLE})]
    nodes, tensors, name = _part({}, steps, prefix)
    return [*_renamed_input(graph), *nodes], [*graph.initializer, *tensors], name


def _logistic(estimator: Any, _: int, prefix: str) -> Part:
    """Logistic regression to double [rows, classes]: the runtime's own linear classifier works in float32."""
    scaler, model = estimator[0], estimator[-1]
    binary = len(model.classes_) == 2
    slopes = np.vstack([0 * model.coef_, model.coef_]) if binary else model.coef_
    constant = np.append(0.0, model.intercept_) if binary else model.intercept_
    values = {"mean": scaler.mean_, "scale": scaler.scale_, "slopes": slopes.T, "constant": constant}
    steps: list[Step] = [
        ("Cast", [INPUT], "exact", {"to": TensorProto.DOUBLE}),
        ("Sub", ["exact", "mean"], "centred", {}),
        ("Div", ["centred", "scale"], "scaled", {}),
        ("MatMul", ["scaled", "slopes"], "product", {}),
        ("Add", ["product", "constant"], "logits", {}),
        ("Softmax", ["logits"], "by_class", {"axis": 1}),
    ]
    return _part(values, steps, prefix)


def _classifier_graph(estimator: Any, features: int, prefix: str) -> onnx.GraphProto:
    converted = to_onnx(
        estimator,
        initial_types=[(INPUT, FloatTensorType([None, features]))],
        options={id(estimator): {"zipmap": False}},
        target_opset=OPSETS,
    )
    if isinstance(estimator, ExtraTreesClassifier | RandomForestClassifier | DecisionTreeClassifier):
        (node,) = converted.graph.node
        _give_shares(node, trees_of(estimator))
    return compose.add_prefix(converted, prefix=prefix).graph


def _give_shares(node: onnx.NodeProto, trees: list[Any]) -> None:
    """Let leaves add what `normalised` made of their shares: skl2onnx scales them to a sum of 1 again.

    Those are no multiples of 2^-24, and what they add up to depends on the order.
    """
    given = {attribute.name: attribute for attribute in node.attribute}
    tree, leaf, label = (given[f"class_{name}"].ints for name in ("treeids", "nodeids", "ids"))
    binary = len(trees[0].classes_) == 2  # then there is the second class alone, in the first one's place
    shares = [one.tree_.value[:, 0, int(binary) :] / len(trees) for one in trees]
    weights = [shares[t][n, c] for t, n, c in zip(tree, leaf, label, strict=True)]
    given["class_weights"].floats[:] = weights


def _renamed_input(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The graph's nodes, reading the shared input."""
    own = graph.input[0].name
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name == own:
                node.input[position] = INPUT
    return list(graph.node)


def _calibrated(scores: str, calibrations: list[Calibration], prefix: str) -> Part:
    """From own probabilities, double [rows, horizons], to calibrated ones that never fall, float32."""
    values = {
        "low": np.array(CLIP),
        "high": np.array(1 - CLIP),
        "one": np.array(1.0),
        **{name: np.array([getattr(one, name) for one in calibrations]) for name in ("a", "b", "c")},
    }
    steps: list[Step] = [
        ("Clip", [scores, "low", "high"], "s", {}),
        ("Log", ["s"], "log", {}),
        ("Sub", ["one", "s"], "rest", {}),
        ("Log", ["rest"], "log_rest", {}),
        ("Mul", ["a", "log"], "al", {}),
        ("Mul", ["b", "log_rest"], "bl", {}),
        ("Sub", ["al", "bl"], "d", {}),
        ("Add", ["d", "c"], "z", {}),
        ("Sigmoid", ["z"], "exact", {}),
        ("Cast", ["exact"], "single", {"to": TensorProto.FLOAT}),
    ]
    for number in range(len(calibrations)):
        values[f"place{number}"] = np.array([number], dtype=np.int64)
        steps.append(("Gather", ["single", f"place{number}"], f"own{number}", {"axis": 1}))
        shorter = [f"risk{number - 1}"] if number else []
        steps.append(("Max", [f"own{number}", *shorter], f"risk{number}", {}))
    steps.append(("Concat", [f"risk{number}" for number in range(len(calibrations))], "risk", {"axis": 1}))
    return _part(values, steps, prefix + "cal_")


def _part(values: dict[str, Any], steps: list[Step], prefix: str) -> Part:
    """Nodes and constants of some steps, and the name of the last result; own names get the prefix."""
    own = {*values, *(output for _, _, output, _ in steps)}
    nodes = [
        helper.make_node(kind, [prefix + i if i in own else i for i in inputs], [prefix + output], **more)
        for kind, inputs, output, more in steps
    ]
    tensors = [numpy_helper.from_array(_exact(value), prefix + name) for name, value in values.items()]
    return nodes, tensors, prefix + steps[-1][2]


def _exact(value: Any) -> Any:
    """A constant as the graph holds it: numbers in double precision, positions as they are."""
    array = np.asarray(value)
    return array if array.dtype == np.int64 else array.astype(np.float64)
