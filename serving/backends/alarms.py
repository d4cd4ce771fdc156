"""What a cloud's alarms on an endpoint say."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class AlarmState(StrEnum):
    """`no_data`: the cloud has measured too little to tell."""

    OK = "ok"
    ALARM = "alarm"
    NO_DATA = "no_data"


@dataclass(frozen=True, kw_only=True)
class CloudAlarm:
    """An alarm by its name in the cloud. `text` says what is wrong while there is alarm; `state` has held `since`."""

    name: str
    text: str
    state: AlarmState
    since: dt.datetime
