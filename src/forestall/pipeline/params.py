"""params.yaml: what experiments vary, as a typed model in which a typing error is an error."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from forestall.data.settings import Section, read_yaml, validate
from forestall.data.simulator.settings import SimulateParams
from forestall.errors import SettingsError

PARAMS = Path("params.yaml")
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class DataParams(Section):
    """Which dataset the pipeline runs on."""

    dataset: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="data/raw/<dataset>.yaml and data/raw/<dataset>/"
    )


class PrepareParams(Section):
    """How raw tables are cleaned."""

    carry_forward: int = Field(ge=0, le=48, description="telemetry intervals over which a last value is kept")


class Groups(Section):
    """Which kinds of features a model may use."""

    sensors: bool
    levels: bool
    errors: bool
    replacements: bool
    schedule: bool
    machine: bool
    gaps: bool

    @model_validator(mode="after")
    def _some_group_is_on(self) -> Self:
        if not any(on for _, on in self):
            raise ValueError("all groups are off and a model needs features; switch at least one on")
        return self


class FeaturesParams(Section):
    """What is computed from a machine's history."""

    groups: Groups
    max_codes: int = Field(
        ge=1, le=100, description="error codes with features of their own, commonest first"
    )


class ExtraTreesParams(Section):
    """Settings of the family extra_trees."""

    trees: int = Field(ge=1, le=10_000)
    min_leaf: Count
    max_features: Share


class RandomForestParams(Section):
    """Settings of the family random_forest."""

    trees: int = Field(ge=1, le=10_000)
    min_leaf: Count
    max_features: Share
    max_samples: Share


class HistGradientBoostingParams(Section):
    """Settings of the family hist_gradient_boosting."""

    iterations: int = Field(ge=1, le=10_000)
    learning_rate: Share
    leaves: int = Field(ge=2)
    l2: float = Field(ge=0, allow_inf_nan=False)


class LogisticRegressionParams(Section):
    """Settings of the family logistic_regression."""

    c: Positive


class DecisionTreeParams(Section):
    """Settings of the family decision_tree."""

    depth: Count
    min_leaf: Count


class MlpParams(Section):
    """Settings of the family mlp."""

    hidden: Count
    iterations: Count


class TrainParams(Section):
    """Which model is fitted, and how."""

    family: Literal[
        "extra_trees",
        "random_forest",
        "hist_gradient_boosting",
        "logistic_regression",
        "decision_tree",
        "mlp",
    ]
    seed: Seed
    negatives: int = Field(ge=1, description="most training rows without a failure, per component")
    calibration: Literal["sigmoid", "beta"]
    extra_trees: ExtraTreesParams
    random_forest: RandomForestParams
    hist_gradient_boosting: HistGradientBoostingParams
    logistic_regression: LogisticRegressionParams
    decision_tree: DecisionTreeParams
    mlp: MlpParams

    @model_validator(mode="after")
    def _leaves_fit_in_the_sample(self) -> Self:
        settings = getattr(self, self.family)
        if getattr(settings, "min_leaf", 1) > self.negatives:
            raise ValueError(f"{self.family}.min_leaf is more than negatives: no tree could split; lower it")
        return self


class AlarmParams(Section):
    """When an alarm opens and closes."""

    by: Literal["cost", "recall", "false_alarms", "alarms_per_week"]
    budget: Positive
    per_week: Positive
    quiet: Count
    min_failures: Count


class EvaluateParams(Section):
    """How a model is judged."""

    min_failures: Count


class PredictParams(Section):
    """What the table of the fleet shows."""

    top: Count
    reasons: Annotated[int, Field(ge=0, le=20)]


class FloorParams(Section):
    """The least that a model must reach on the validation fold."""

    event_recall: Annotated[float, Field(ge=0, le=1)]
    alarm_precision: Annotated[float, Field(ge=0, le=1)]
    slice_recall: Annotated[float, Field(ge=0, le=1)]


class GateParams(Section):
    """What `forestall compare --gate` asks of a change; no stage reads it."""

    floors: FloorParams
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    calibration_error: Share
    beats_rule: bool


class RetrainingParams(Section):
    """When `forestall retrain --if-due` trains; no stage reads it."""

    every_months: Count
    on_change: bool
    cool_down_days: Annotated[int, Field(ge=0)]
    min_new_failures: Annotated[int, Field(ge=0)]


class Params(Section):
    """params.yaml as a whole."""

    data: DataParams
    simulate: SimulateParams
    prepare: PrepareParams
    features: FeaturesParams
    train: TrainParams
    alarm: AlarmParams
    evaluate: EvaluateParams
    predict: PredictParams
    gate: GateParams
    retraining: RetrainingParams


def read_params(file: Path = PARAMS) -> Params:
    """The checked params.

    Raises:
        SettingsError: naming the file, the key and what is allowed.
    """
    if not file.is_file():
        raise SettingsError(f"{file}: no such file. Run this from the repository's top folder.")
    return validate(Params, read_yaml(file), file)
