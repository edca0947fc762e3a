"""Whom a service level's alarms tell, and how, as the API has it (R-ALM-01, R-ESC-02)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import strawberry

from api.schema.vocabulary import described
from itr.catalogue.alarm_rules import AlarmRules as RulesInForce
from itr.catalogue.alarm_rules import alarm_rules_of
from itr.catalogue.terms import Priority


class AlarmRecipient(StrEnum):
    """Whom an alarm may tell."""

    OWNER = "OWNER"
    LINE_LEAD = "LINE_LEAD"
    DISPATCH_MANAGER = "DISPATCH_MANAGER"
    PROJECT_MANAGER = "PROJECT_MANAGER"
    PROCESS_MANAGER = "PROCESS_MANAGER"
    OPERATIONS_DIRECTOR = "OPERATIONS_DIRECTOR"


class NotificationChannel(StrEnum):
    """How somebody is told."""

    LIST = "LIST"
    SMS = "SMS"
    EMAIL = "EMAIL"


described(
    AlarmRecipient,
    "Whom an alarm may tell (R-ALM-01). 告警接收人",
    {
        AlarmRecipient.OWNER: "Who has the request; the dispatch manager while nobody has. 责任人",
        AlarmRecipient.LINE_LEAD: "The lead of its queue. 组长",
        AlarmRecipient.DISPATCH_MANAGER: "The dispatch manager. 服务调度经理",
        AlarmRecipient.PROJECT_MANAGER: "The manager of its project. 项目经理",
        AlarmRecipient.PROCESS_MANAGER: "The process manager. 流程经理",
        AlarmRecipient.OPERATIONS_DIRECTOR: "The operations director. 运营总监",
    },
)
described(
    NotificationChannel,
    "How somebody is told (R-NOT-01). 通知渠道",
    {
        NotificationChannel.LIST: "In the list of the system. 系统内列表",
        NotificationChannel.SMS: "By text message. 短信",
        NotificationChannel.EMAIL: "By e-mail. 电子邮件",
    },
)

_EMPTY = "Whom it tells; an empty list tells nobody."


@strawberry.type(description="One recipient of an alarm level. 告警通知")
class AlarmTelling:
    """One recipient of an alarm level."""

    recipient: AlarmRecipient = strawberry.field(description="Who is told,")
    channels: list[NotificationChannel] = strawberry.field(description="by these channels,")
    priorities: list[Priority] = strawberry.field(description="of requests at these priorities.")


@strawberry.type(description="Whom one alarm level tells. 告警级别")
class AlarmLevel:
    """Whom one alarm level tells."""

    percent: int = strawberry.field(description="The level, in percent of the target.")
    tells: list[AlarmTelling] = strawberry.field(description=_EMPTY)


@strawberry.type(description="Whom a service level's alarms tell (R-ALM-01, R-ESC-02). 告警规则")
class AlarmRules:
    """Whom a service level's alarms tell, and how long an escalation waits."""

    levels: list[AlarmLevel] = strawberry.field(description="Every alarm level, lowest first.")
    acknowledge_minutes: int = strawberry.field(
        description="Working minutes an escalation waits to be acknowledged."
    )
    acknowledge_minutes_p1: int = strawberry.field(
        name="acknowledgeMinutesP1", description="Real minutes it waits at P1."
    )


@strawberry.input(description="One recipient of an alarm level.")
class AlarmTellingInput:
    """One recipient of an alarm level."""

    recipient: AlarmRecipient = strawberry.field(description="Who is told,")
    channels: list[NotificationChannel] = strawberry.field(description="by these channels,")
    priorities: list[Priority] | None = strawberry.field(
        default=None, description="of requests at these priorities; left out, at all."
    )


@strawberry.input(description="Whom one alarm level tells (R-ALM-01).")
class AlarmLevelInput:
    """Whom one alarm level tells."""

    percent: int = strawberry.field(description="One of the level's alarm percentages.")
    tells: list[AlarmTellingInput] = strawberry.field(description=_EMPTY)


@strawberry.input(description="Whom alarms tell; what is left out is as R-ALM-01 says.")
class AlarmRulesInput:
    """Whom alarms tell; what is left out is as R-ALM-01 says."""

    levels: list[AlarmLevelInput] = strawberry.field(
        default_factory=list, description="Levels that tell others than R-ALM-01 says."
    )
    acknowledge_minutes: int | None = strawberry.field(
        default=None, description="Working minutes to acknowledge an escalation; 30 if left out."
    )
    acknowledge_minutes_p1: int | None = strawberry.field(
        name="acknowledgeMinutesP1",
        default=None,
        description="Real minutes to acknowledge one at P1; 10 if left out.",
    )

    def to_json(self) -> dict[str, Any]:
        """As a service level keeps it."""
        waits = {"minutes": self.acknowledge_minutes, "minutesP1": self.acknowledge_minutes_p1}
        return {
            "levels": {
                str(level.percent): [_kept(each) for each in level.tells] for level in self.levels
            },
            "escalation": {key: value for key, value in waits.items() if value is not None},
        }


def _kept(given: AlarmTellingInput) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "recipient": given.recipient.value,
        "channels": [each.value for each in given.channels],
    }
    if given.priorities is not None:
        kept["priorities"] = [each.value for each in given.priorities]
    return kept


def shown_alarm_rules(values: Mapping[str, Any], _context: Any) -> AlarmRules:
    """What a version's rules come to at each of its levels, defaults written out."""
    rules = alarm_rules_of(values["alarm_rules"])
    return AlarmRules(
        levels=[
            AlarmLevel(percent=percent, tells=_tells(rules, percent))
            for percent in values["alarm_percents"]
        ],
        acknowledge_minutes=int(rules.timeout.total_seconds()) // 60,
        acknowledge_minutes_p1=int(rules.timeout_p1.total_seconds()) // 60,
    )


def _tells(rules: RulesInForce, percent: int) -> list[AlarmTelling]:
    told = {each: None for priority in Priority for each in rules.to_notify(percent, priority)}
    return [
        AlarmTelling(
            recipient=AlarmRecipient(each.recipient.value),
            channels=[NotificationChannel(channel.value) for channel in each.channels],
            priorities=sorted(each.priorities),
        )
        for each in told
    ]
