"""The model card: what the model is, what it was judged on, how well it did, and where not to trust it.

After Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. Every figure comes from the metrics; a field that
is empty is an error, not a blank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forestall.data.clock import hour_of
from forestall.errors import ForestallError
from forestall.training.remaining import LIFE

SCORES = {
    "event_recall": "failures caught in time",
    "alarm_precision": "alarms that were right",
    "false_alarms_per_machine_month": "false alarms per machine-month",
    "lead_time_median_h": "median lead time, {unit}",
    "cost_per_machine_month": "cost per machine-month",
}
FAILED_BY = {name.replace("life", "failed_by"): share for name, share in LIFE.items()}
LIVES = {
    "failed_by_p10": "failed by p10",
    "failed_by_p50": "failed by p50",
    "failed_by_p90": "failed by p90",
    "foreseen": "failures with a p50",
    "median_error_h": "median error of p50, {unit}",
    "integrated_brier_skill": "skill",
}
OFF = 0.1
TOO_GOOD = 0.9  # of brier_skill; foresight never measured so much here, a feature that knows the answer does
NO_INTERVAL = (
    "Intervals draw machines anew. A score without one is not sure: there is none of one machine alone, "
    "or where all draws are alike."
)
POLICIES = ("model", "one_line_rule")
FOLDS = ("validation", "test", "unseen")
COST = "cost_per_machine_month"
LESS = "the model's cost less this policy's"


@dataclass(frozen=True)
class Facts:
    """What a card is made of.

    words: intended_use and limits, written by people. manifest: the bundle's. data: metrics/data.json.
    policies, intervals, slices, calibration, remaining_life: the tables of that name in metrics/.
    """

    dataset: str
    about: str
    words: Mapping[str, str]
    manifest: Mapping[str, Any]
    params: Mapping[str, Any]
    data: Mapping[str, Any]
    policies: pd.DataFrame
    intervals: pd.DataFrame
    slices: pd.DataFrame
    calibration: pd.DataFrame
    remaining_life: pd.DataFrame


def model_card(facts: Facts) -> str:
    """The card as Markdown.

    Raises:
        ForestallError: a field is empty.
    """
    sections = {
        "Intended use": facts.words["intended_use"],
        "Model": _model(facts),
        "Data": _data(facts),
        "Scores": _scores(facts),
        "Against every policy": _policies(facts),
        "Calibration": _calibration(facts),
        "Remaining life": remaining_life(facts.remaining_life, _unit(facts)),
        "Where the one-line rule is better": rule_is_better(facts.slices),
        "Limits": facts.words["limits"],
    }
    empty = [name for name, text in sections.items() if not text.strip()]
    if empty:
        todo = "Fill in `card` in the dataset file, or run `dvc repro` so that its metrics are there"
        raise ForestallError(f"the model card has nothing to say under {', '.join(empty)}. {todo}.")
    parts = [f"## {name}\n\n{text.strip()}" for name, text in sections.items()]
    return "\n\n".join([f"# Model card: {facts.dataset}", *parts]) + "\n"


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown, numbers to three digits; empty for an empty table."""
    if table.empty:
        return ""
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|---" * len(table.columns) + "|"]
    lines += [
        "| " + " | ".join(_cell(value) for value in row) + " |" for row in table.itertuples(index=False)
    ]
    return "\n".join(lines)


def rule_is_better(slices: pd.DataFrame) -> str:
    """The slices of the test fold in which the one-line rule costs less than the model, in words."""
    if slices.empty:
        return ""
    test = slices[slices["fold"] == "test"]
    costs = test.pivot_table(index=["slice", "value"], columns="policy", values=COST, sort=True)
    costs = costs.reindex(columns=list(POLICIES)).dropna()
    if costs.empty:
        return "No slice of the test fold holds enough failures to say."
    worse = costs[costs["one_line_rule"] < costs["model"]]
    if worse.empty:
        return f"In none of the {len(costs)} slices of the test fold that hold enough failures does it cost less."
    table = worse.reset_index()[["slice", "value", *POLICIES]]
    return "It costs less per machine-month in these slices of the test fold:\n\n" + markdown(table)


def too_good(calibration: pd.DataFrame) -> list[str]:
    """A warning of the components that are foreseen better than can be foreseen."""
    names = calibration.loc[calibration["brier_skill"] > TOO_GOOD, "component"].astype(str).unique()
    if not len(names):
        return []
    return [
        f"Too good to be foresight: {', '.join(names)} (brier_skill above {TOO_GOOD}). Find out which feature "
        "knows the answer, such as one recorded after the failure: `dvc repro studies/dvc.yaml:skill` ranks them "
        "one by one."
    ]


def remaining_life(lives: pd.DataFrame, unit: str) -> str:
    """How far the times given of remaining life can be trusted, in words and by component."""
    if lives.empty:
        return ""
    lives = lives.assign(text=[_counted(row) for row in lives.itertuples(index=False)])
    names = {name: words.format(unit=unit) for name, words in LIVES.items()}
    table = lives.pivot_table(index="component", columns="metric", values="text", aggfunc="first", sort=False)
    shares = ", ".join(f"{share:.0%}" for share in LIFE.values())
    about = (
        f"By p10, p50 and p90, where they lie within the longest horizon, {shares} should have failed. "
        "Each cell: the value (95 % interval), how many decisions it stands on."
    )
    shown = markdown(table[list(names)].reset_index().rename(columns=names))
    return "\n\n".join([about, shown, *_unskilled(lives), _worst(lives)])


def _worst(lives: pd.DataFrame) -> str:
    """The quantile that is furthest off, of those that are off by a tenth and by more than chance explains."""
    shares = lives.assign(share=lives["metric"].map(FAILED_BY)).dropna(subset=["share", "low"])
    if shares.empty:
        return "Too few machines had times given to say whether these were right."
    beyond_chance = (shares["low"] > shares["share"]) | (shares["high"] < shares["share"])
    far = (shares["value"] - shares["share"]).abs()
    bad = shares.assign(far=far)[beyond_chance & (far > OFF)].nlargest(1, "far")
    if bad.empty:
        return f"None of these shares is off by more than {OFF:.0%} and by more than its interval explains."
    row: Any = next(bad.itertuples(index=False))
    said = "late: parts fail sooner" if row.value > row.share else "early: parts last longer"
    name = row.metric.removeprefix("failed_by_")
    return f"Worst: {name} of {row.component}, by which {_interval(row)} had failed. It comes too {said}."


def _unskilled(lives: pd.DataFrame) -> list[str]:
    of_curve = lives[lives["metric"] == "integrated_brier_skill"]
    names = of_curve.loc[of_curve["value"] <= 0, "component"].astype(str)
    return [f"No better than always saying the fleet's own rates: {', '.join(names)}."] if len(names) else []


def _counted(row: Any) -> str:
    """A figure with its interval, if it has one, and how many decisions it stands on."""
    if not row.decisions or pd.isna(row.value):
        return f"not defined, {row.decisions}"
    return f"{_cell(row.value) if pd.isna(row.low) else _interval(row)}, {row.decisions}"


def _unit(facts: Facts) -> str:
    return hour_of(facts.manifest["reference"]["unit"])[1]


def _model(facts: Facts) -> str:
    manifest, train = facts.manifest, facts.params["train"]
    family = manifest["family"]
    settings = ", ".join(f"{name} {value}" for name, value in train[family].items())
    thresholds = ", ".join(f"{name} {_level(level)}" for name, level in manifest["thresholds"].items())
    horizons = manifest["reference"]["spans"]["horizons"]
    ticks, unit = hour_of(manifest["reference"]["unit"])
    return "\n".join(
        [
            f"- One {family} for each component ({settings}; seed {train['seed']}), "
            f"{train['calibration']} calibration.",
            f"- {len(manifest['reference']['features'])} features that look back "
            f"{manifest['lookback'] // ticks} {unit}; risk over {_spans(horizons)}.",
            f"- Alarm thresholds, chosen on the validation fold by {facts.params['alarm']['by']}: {thresholds}.",
        ]
    )


def _level(threshold: float) -> str:
    return f"{threshold:.4g}" if threshold <= 1 else "never an alarm"


def _spans(horizons: Sequence[int]) -> str:
    return f"{len(horizons)} horizons, alarms over the longest" if len(horizons) > 1 else "one horizon"


def _data(facts: Facts) -> str:
    rows = pd.DataFrame({"what": list(facts.data), "value": list(facts.data.values())})
    return f"{facts.about.strip()}\n\n{markdown(rows)}"


def _calibration(facts: Facts) -> str:
    table = markdown(facts.calibration.rename(columns={"horizon": f"horizon, {_unit(facts)}"}))
    return "\n\n".join([table, *too_good(facts.calibration)])


def _scores(facts: Facts) -> str:
    """Each headline score of model and rule, with its 95 % interval if it has one; a column a fold and policy."""
    intervals = {(row.fold, row.policy, row.metric): row for row in facts.intervals.itertuples(index=False)}
    table = {"score": list(_score_names(facts).values())}
    for fold, policy, found in _by_column(facts.policies):
        texts = {name: _cell(value) or "not defined" for name, value in found.items()}
        texts |= {
            name: _interval(intervals[key]) for name in SCORES if (key := (fold, policy, name)) in intervals
        }
        table[f"{fold}, {policy.replace('_', ' ')}"] = [texts.get(name, "not defined") for name in SCORES]
    if len(table) == 1:
        return ""
    return "\n\n".join([markdown(pd.DataFrame(table)), NO_INTERVAL])


def _by_column(policies: pd.DataFrame) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Fold, policy and scores, in the order in which they are shown."""
    rows = {(row["fold"], row["policy"]): row for row in policies.to_dict("records")}
    for fold in FOLDS:
        for policy in POLICIES:
            if (fold, policy) in rows:
                row = rows[(fold, policy)]
                yield fold, policy, {name: float(row[name]) for name in SCORES if name in row}


def _policies(facts: Facts) -> str:
    """Each policy's scores on the test fold, and how much dearer (below 0: cheaper) the model is than it."""
    test = facts.policies[facts.policies["fold"] == "test"]
    kept = [name for name in ("policy", *SCORES) if name in test]
    than = facts.intervals[(facts.intervals["fold"] == "test") & (facts.intervals["metric"] == COST)]
    texts = {row.policy: _interval(row) for row in than.itertuples(index=False)}
    less = [texts.get(f"model - {policy}", "") for policy in test["policy"]]
    return markdown(test[kept].rename(columns=_score_names(facts)).assign(**{LESS: less}))


def _score_names(facts: Facts) -> dict[str, str]:
    return {name: words.format(unit=_unit(facts)) for name, words in SCORES.items()}


def _interval(row: Any) -> str:
    return f"{_cell(row.value)} ({_cell(row.low)} to {_cell(row.high)})"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)
