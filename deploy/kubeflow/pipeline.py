"""Retraining as pipelines of Kubeflow: one makes a model where it is due, the other serves what somebody approved.

`python deploy/kubeflow/pipeline.py` writes pipeline.yaml and promotion.yaml again. All is done by Forestall's own
commands, in the project's folder on a volume: docs/how-to/schedule-retraining.md.
"""

from pathlib import Path
from typing import NamedTuple

from kfp import compiler, dsl, kubernetes

IMAGE = "forestall-retraining:0.1.0"  # deploy/Dockerfile, --target retraining: it has KFP's executor
VOLUME, SECRET = "forestall", "forestall"
PROJECT, SERVED = "/project", "models/served"


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def retrain(
    run: str, project: str, database: str, served: str, promote: bool, report: dsl.Output[dsl.Markdown]
) -> NamedTuple("Made", [("branch", str), ("commit", str), ("passed", bool)]):
    """A new model where one is due, as a branch with the gate's verdict; empty where nothing was trained."""
    import json
    import os
    import subprocess
    from collections import namedtuple
    from pathlib import Path

    result = Path(report.path).with_suffix(".json")
    words = ["forestall", "retrain", "--if-due", "--run-id", run, "--served", served, "--result", str(result)]
    # The project's own code, whatever the image was built with.
    environment = os.environ | {"PYTHONPATH": f"{project}/src"}
    environment |= {"FORESTALL_DATABASE_URL": database} if database else {}
    subprocess.run([*words, *["--promote"] * promote], cwd=project, env=environment, check=True)
    made = json.loads(result.read_text(encoding="utf-8"))
    Path(report.path).write_text(made["report"] or "Nothing was trained.\n", encoding="utf-8")
    outputs = namedtuple("Made", ["branch", "commit", "passed"])
    return outputs(made["branch"] or "", made["commit"] or "", bool(made["passed"]))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def promote(project: str, served: str, commit: str, reason: str):
    """Serve a commit's model, if the gate agrees, or for a reason against it."""
    import os
    import subprocess

    words = ["forestall", "promote", "--served", served, *([f"--force={reason}"] if reason else []), commit]
    subprocess.run(words, cwd=project, env=os.environ | {"PYTHONPATH": f"{project}/src"}, check=True)


def in_cluster(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """With the project's volume, and the database's address; nothing is taken from KFP's cache."""
    kubernetes.mount_pvc(task, pvc_name=VOLUME, mount_path=PROJECT)
    kubernetes.use_secret_as_env(
        task, secret_name=SECRET, secret_key_to_env={"database": "FORESTALL_DATABASE_URL"}, optional=True
    )
    return task.set_caching_options(False)


@dsl.pipeline(name="forestall-retraining", description="A new model where one is due")
def retraining(project: str = PROJECT, database: str = "", served: str = SERVED, promote: bool = False):
    """promote: serve at once what passes the gate; else somebody reads the report and runs the promotion."""
    run = dsl.PIPELINE_JOB_ID_PLACEHOLDER
    made = retrain(run=run, project=project, database=database, served=served, promote=promote)
    in_cluster(made).set_retry(2, backoff_duration="300s")


@dsl.pipeline(name="forestall-promotion", description="Serve the model that somebody approved")
def promotion(commit: str, reason: str = "", project: str = PROJECT, served: str = SERVED):
    """commit: of the report. reason: only against the gate."""
    in_cluster(promote(project=project, served=served, commit=commit, reason=reason))


def write(folder: Path) -> None:
    """Compile both."""
    compiler.Compiler().compile(retraining, str(folder / "pipeline.yaml"))
    compiler.Compiler().compile(promotion, str(folder / "promotion.yaml"))


if __name__ == "__main__":
    write(Path(__file__).parent)
