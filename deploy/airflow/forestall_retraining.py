"""Retraining as a DAG of Airflow 3.1 or later: a new model where one is due, a person's word, and it is served.

All is done by Forestall's own commands, in the project's folder and by its environment. What they need stands in the
environment of the workers: docs/how-to/schedule-retraining.md.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, BaseNotifier, Param
from airflow.sdk.exceptions import AirflowSkipException

LASTS = timedelta(days=1)  # an alert, which nothing takes back
IN_PROJECT = """
set -e
cd "${FORESTALL_PROJECT:?is not set: the folder of the project}"
export PATH="$PWD/.venv/bin:$PATH"
"""
RETRAIN = """
result="$(mktemp)"
trap 'rm -f "$result"' EXIT
forestall retrain --if-due --run-id "$AIRFLOW_CTX_DAG_RUN_ID" --served "${FORESTALL_SERVED:-models/served}" \\
    --result "$result"
cat "$result"
"""
PROMOTE = (
    'forestall promote --served "${FORESTALL_SERVED:-models/served}" ${REASON:+--force="$REASON"} "$COMMIT"'
)


class Alert(BaseNotifier):
    """Tells whoever gets Forestall's alerts, if FORESTALL_ALERTMANAGER_URL says where Alertmanager is.

    Args:
        name: the alert's. summary: for people.
    """

    def __init__(self, name: str, summary: str) -> None:
        super().__init__()
        self.name, self.summary = name, summary

    def notify(self, context: Any) -> None:
        """Post it; that Alertmanager does not take it stands in the log, and keeps nobody from approving."""
        if not (url := os.environ.get("FORESTALL_ALERTMANAGER_URL")):
            return
        alert = {
            "labels": {"alertname": self.name, "severity": "ticket", "job": "forestall"},
            "annotations": {
                "summary": self.summary,
                "runbook_url": "docs/how-to/schedule-retraining.md#alerts",
            },
            "endsAt": (datetime.now(UTC) + LASTS).isoformat(),
            "generatorURL": context["ti"].log_url,
        }
        try:
            httpx.post(f"{url.rstrip('/')}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()
        except httpx.HTTPError as error:
            self.log.error("%s was not told: %s", self.name, error)


def made(line: str) -> dict[str, Any]:
    """What `forestall retrain` made.

    Raises:
        AirflowSkipException: nothing, so that there is nothing to ask and to serve.
    """
    result: dict[str, Any] = json.loads(line)
    if result["branch"] is None:
        raise AirflowSkipException("There is no new model.")
    return result


with DAG(
    "forestall_retraining",
    schedule="0 3 * * *",  # looks each night; `--if-due` and params.yaml decide
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "on_failure_callback": Alert("ForestallRetrainFailed", "A retraining of Forestall has failed")
    },
    tags=["forestall"],
    doc_md=__doc__,
):
    retrain = BashOperator(
        task_id="retrain",
        bash_command=IN_PROJECT + RETRAIN,
        output_processor=made,
        retries=2,  # after core.default_task_retry_delay, of five minutes
        execution_timeout=timedelta(hours=12),
    )
    approve = ApprovalOperator(
        task_id="approve",
        subject="Serve {{ ti.xcom_pull('retrain')['branch'] }}, which "
        "{{ 'passes' if ti.xcom_pull('retrain')['passed'] else 'does NOT pass' }} the gate?",
        body="{{ ti.xcom_pull('retrain')['report'] }}",
        params={"reason": Param("", type="string", title="Only against the gate: why")},
        response_timeout=timedelta(days=14),
        notifiers=[Alert("ForestallRetrainWaits", "A new model of Forestall waits for approval")],
    )
    promote = BashOperator(
        task_id="promote",
        bash_command=IN_PROJECT + PROMOTE,
        append_env=True,
        # The commit, not the branch: what was seen is served. Its history names who approved.
        env={
            "COMMIT": "{{ ti.xcom_pull('retrain')['commit'] }}",
            "REASON": "{{ ti.xcom_pull('approve')['params_input'].get('reason', '') }}",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "{{ ti.xcom_pull('approve')['responded_by_user']['name'] }}",
        },
    )
    retrain >> approve >> promote
