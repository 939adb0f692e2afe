"""The meaning of each code of the gate, and the remedy."""

from __future__ import annotations

from collections.abc import Mapping

SAYS: Mapping[str, str] = {
    # Codes of health itself.
    "settings": (
        "a setting is missing or wrong, so nothing is announced and nothing decided: the lines `sweep"
        " not possible` of the log name it"
    ),
    "schedule_refused": (
        "POLL_SCHEDULE is one that the host refuses or misreads, so nothing is announced: write 0 * *"
        " * * * for every minute"
    ),
    "schedule_never": (
        "POLL_SCHEDULE never comes, so nothing is announced: write 0 * * * * * for every minute"
    ),
    "rare_schedule": (
        "POLL_SCHEDULE leaves 15 minutes or more between sweeps, so health is red in between, and "
        "alerts are sent: write 0 * * * * * for every minute"
    ),
    "ledger": (
        "the table store does not answer the app: look at its roles and its network; after a first "
        "deployment roles take some minutes"
    ),
    "bad_since": "--since must be a time with its zone such as 2026-12-01T08:00:00Z, or now",
    "other_version": (
        "another release answers than {cause}: the deployment did not take, this is another app, or the"
        " gate runs from the folder of another commit, or without git; --version names the release that was"
        " deployed, and --version any compares none"
    ),
    "no_sweep_yet": (
        "the timer has never run: look whether the host runs it (MASTER_KEY, or the portal's page of "
        "poll_approvals), and whether it reaches its storage"
    ),
    "no_sweep": (
        "no sweep has ended for 15 minutes: the timer does not run, or each sweep dies; look for "
        "`sweep` and for exceptions in the log"
    ),
    "not_swept_yet": "this release has not swept since then: the timer does not run, or has not come yet",
    "sweep_failing": (
        "sweeps run and do not get what they ask for: the line `sweep hampered` of the log has the code"
    ),
    "list_late": "all that waits was last read too long ago: Coupa is too slow for its allowed rate",
    "owed": (
        "people should have been told something 15 minutes ago: the line `owed` of the log has the causes"
    ),
    # Codes for a missing answer of health.
    "unreachable": "nothing answers at this address: {cause}",
    "no_app": (
        "the Functions host is there and knows no function of the app: the package cannot be loaded, "
        "so that every route is 404; the deployment's log has the cause"
    ),
    "no_app_or_wrong_address": (
        "{cause}, and a sign-in stands before all but health: the package cannot be loaded, so that there"
        " is no health (the deployment's log has the cause), or the address is that of another app"
    ),
    "wrong_address": (
        "what answers there ({cause}) shows nothing of a Functions host: look at the address; if it is"
        " right, look in the portal whether the app has its functions"
    ),
    "crowd": "429 for a minute: more requests come at once than the instances let in",
    "worker_ends": ("500 without a cause: the worker ends under the request; look for exceptions in the log"),
    "not_started": "{cause}: the host does not start, or does so again and again",
    "refused": (
        "{cause} from Azure: the app is stopped, an address list keeps this machine out, or a sign-in"
        " stands before health"
    ),
    "earlier_release": (
        "a release before this one answers (0.2.0 or earlier), or another app, as it knows neither"
        " `since` nor a cause, so that its green says nothing of this release: the deployment did not take"
    ),
}
"""The sentence for each code; `{cause}` is the cause for no answer, or its status."""
