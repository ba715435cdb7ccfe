"""Who may tell us of an alert, what an alert says, and what became of each. Pure but for one small file."""

from pytest_mlgates.webhook.alerts import Alert, alerts
from pytest_mlgates.webhook.desk import Desk, Job, Stage
from pytest_mlgates.webhook.door import Door, Refused, signature

__all__ = ["Alert", "Desk", "Door", "Job", "Refused", "Stage", "alerts", "signature"]
