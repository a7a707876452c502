"""An Optuna sweep over the settings of extra_trees, each trial a DVC experiment: `python studies/tune.py --trials 20`.

Trials run in temporary folders and leave the working tree alone. They are judged by cost on the validation fold; the
test fold's figures are not looked at. Run it in the top folder, on a clean commit, after `dvc repro`.
"""

import argparse
import subprocess
import sys
from typing import Any

import dvc.api
import optuna

FIGURE = "cost_per_machine_month"


def main() -> None:
    """Run the trials and say which was the cheapest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most-trees", type=int, default=400)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=arguments.seed))
    study.optimize(lambda trial: cost(trial, arguments), n_trials=arguments.trials)
    best = study.best_trial
    print(f"cheapest: {best.user_attrs['experiment']}, {best.value:,.0f} per machine-month: {best.params}")
    print(f"to take it over: dvc exp apply {best.user_attrs['experiment']}")


def cost(trial: optuna.Trial, arguments: argparse.Namespace) -> float:
    """The validation fold's cost of one experiment."""
    changes = {
        "train.extra_trees.trees": trial.suggest_int("trees", 8, arguments.most_trees, log=True),
        "train.extra_trees.min_leaf": trial.suggest_int("min_leaf", 1, 5),
        "train.extra_trees.max_features": round(trial.suggest_float("max_features", 0.1, 1.0, log=True), 3),
        "train.negatives": trial.suggest_int("negatives", 1000, 24000, log=True),
    }
    name = f"tune-{arguments.seed}-{trial.number}"
    trial.set_user_attr("experiment", name)
    run(name, changes)
    figures: Any = dvc.api.metrics_show("metrics/validation.json", rev=name)
    print(f"{name}: {figures[FIGURE]:,.0f} per machine-month with {changes}", flush=True)
    return float(figures[FIGURE])


def run(name: str, changes: dict[str, Any]) -> None:
    """One experiment in a temporary folder; what it says is shown if it fails."""
    settings = [word for key, value in changes.items() for word in ("-S", f"{key}={value}")]
    command = [sys.executable, "-m", "dvc", "exp", "run", "--temp", "--name", name, *settings]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stdout}")


if __name__ == "__main__":
    main()
