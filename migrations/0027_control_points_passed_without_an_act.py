"""How control points ended; what went past without an act is passed, what was done is the doer's.

Of those there are, the steps that had no act in any version so far, those of children that began
where their parent stood, and what silence confirmed were passed (R-CP-02).
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from itr.sla.terms import ControlPointState

WORKED_OUT = """
update control_point p set ended = case
    when p.on_time is null and p.budget_us is not null then 'GIVEN_UP'
    when p.number in (9, 12, 13, 15, 23, 24, 26, 28, 29)
        or (p.number in (2, 3, 5, 6) and r.parent_id is not null)
        or (p.number = 16 and p.completed_at = r.confirmed_at)
        or (p.number = 27 and r.confirmed_by_silence and p.completed_at = r.confirmed_at)
        then 'PASSED'
    else 'COMPLETED' end
from request r where r.id = p.request_id and p.completed_at is not null;

update control_point
set on_time = null, elapsed_us = 0, deadline = null, owner_id = null
where ended = 'PASSED';

update control_point p set owner_id = acted.actor_id
from (
    select distinct on (done.id) done.id, e.actor_id
    from control_point done
    join event e on e.subject = done.request_id and e.occurred_at = done.completed_at
    where done.ended = 'COMPLETED' and e.subject_type = 'request'
    order by done.id, e.type = any(case done.number
        when 1 then array['RequestRegistered', 'ChildRequestOpened']
        when 2 then array['RequestAccepted'] when 3 then array['RequestAccepted']
        when 5 then array['RequestAccepted'] when 6 then array['RequestDispatched']
        when 7 then array['RequestStarted'] when 16 then array['RequestRestored']
        when 8 then array['RequestReplied', 'CallLogged', 'BulletinPublished', 'RequestDelivered']
        when 20 then array['RequestWaiting'] when 25 then array['RequestDelivered']
        when 27 then array['RequestConfirmed', 'SolutionRejected']
        when 30 then array['RequestClosed'] else array[]::text[] end) desc, e.subject_version desc
) acted
where acted.id = p.id and p.owner_id is distinct from acted.actor_id;
"""
NEW = "create index control_point_passed on control_point (request_id) where ended = 'PASSED';"
OLD = "drop index control_point_passed;"


class Migration(migrations.Migration):
    dependencies = [("itr", "0026_what_another_system_told_of_a_request")]

    initial = False

    operations = [
        ops.AddField(
            model_name="ControlPoint",
            name="ended",
            field=fields.CharEnumField(
                null=True,
                description="OPEN: OPEN\nCOMPLETED: COMPLETED\nPASSED: PASSED\nGIVEN_UP: GIVEN_UP",
                enum_type=ControlPointState,
                max_length=10,
            ),
        ),
        ops.RunSQL(WORKED_OUT, ""),
        ops.RunSQL(NEW, OLD),
    ]
