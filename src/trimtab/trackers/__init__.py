"""Trackers: what a ledger holds, written for the tools that people compare runs in. Free of torch.

``TrackerLog`` writes each trial as one run; ``registry.TRACKERS`` lists the tools.
"""

from trimtab.trackers.log import TrackerLog
from trimtab.trackers.registry import TRACKERS
from trimtab.trackers.trial_run import TrialRun, trial_runs

__all__ = ["TRACKERS", "TrackerLog", "TrialRun", "trial_runs"]
