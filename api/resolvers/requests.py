"""Requests: their queries and the mutations of their lifecycle; translate, call, wrap."""

from typing import Annotated
from uuid import UUID

import strawberry

from api.planner import read as planner
from api.planner.fields import page_field
from api.resolvers.performing import answered, on_request
from api.resolvers.permissions import may, mutation, verb_mutation
from api.schema.payloads import RequestPayload
from api.schema.requests import inputs as given
from api.schema.requests.charge_inputs import AcceptChargeInput
from api.schema.requests.types import RequestConnection, ServiceRequest
from itr.actors.roles import Permission
from itr.events.log import Audience
from itr.requests import operations
from itr.requests.charge_rules import Price
from itr.requests.intake import Intake
from itr.requests.lifecycle import RequestVerb
from itr.requests.priority import Classification
from itr.sight.row_filter import RowFilter

Info = strawberry.Info
P = Permission


@strawberry.type
class RequestQuery:
    """Reading requests."""

    requests: RequestConnection = page_field(
        permission_classes=[may(P.READ_REQUESTS)],
        description="Requests within your sight, newest first unless ordered otherwise.",
    )

    @strawberry.field(
        permission_classes=[may(P.READ_REQUESTS)],
        description="The request of this number, whatever its case and width; null: none in sight.",
    )
    async def request(
        self,
        info: Info,
        number: Annotated[str, strawberry.argument(description="The number people use.")],
    ) -> ServiceRequest | None:
        """One request by the number people use."""
        named = "{alias}.number_folded = lower(normalize(:number, NFKC))"
        found: ServiceRequest | None = await planner.one(
            info, ServiceRequest, where=RowFilter(named, {"number": number.strip()})
        )
        return found


@strawberry.type
class RequestMutation:
    """The verbs of the lifecycle."""

    @mutation(P.SUBMIT_REQUEST, "Register a request; its clocks start now.")
    async def submit_request(
        self, info: Info, input: given.SubmitRequestInput
    ) -> RequestPayload | None:
        """Register a request (R-REQ-08)."""

        async def act() -> UUID:
            return await operations.submit_request(
                info.context.actor, _intake(input), now=info.context.now
            )

        return await answered(RequestPayload, info, input, act)

    @verb_mutation(RequestVerb.ACCEPT)
    async def accept_request(
        self, info: Info, input: given.ClassifyRequestInput
    ) -> RequestPayload | None:
        """Accept a request (R-ENT-01)."""
        return await on_request(info, input, operations.accept_request, _classification(input))

    @verb_mutation(RequestVerb.REAUTHORISE)
    async def reauthorise_request(
        self, info: Info, input: given.RequestInput
    ) -> RequestPayload | None:
        """Authorise once more (R-ENT-02)."""
        return await on_request(info, input, operations.reauthorise_request)

    @verb_mutation(RequestVerb.RECLASSIFY)
    async def reclassify_request(
        self, info: Info, input: given.ClassifyRequestInput
    ) -> RequestPayload | None:
        """Classify a request anew (R-PRI-03)."""
        return await on_request(info, input, operations.reclassify_request, _classification(input))

    @mutation(P.ACCEPT_REQUEST, "Put to the customer what a request costs that nothing covers.")
    async def offer_charge(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Offer a charge (R-ENT-06)."""
        return await on_request(info, input, operations.offer_charge)

    @verb_mutation(RequestVerb.ACCEPT_CHARGE)
    async def accept_charge(self, info: Info, input: AcceptChargeInput) -> RequestPayload | None:
        """Accept the price seen (R-ENT-06)."""
        seen = Price(input.price.amount, input.price.currency, input.tax_percent)
        verb = RequestVerb.ACCEPT_CHARGE
        return await on_request(info, input, operations.agree_to_charge, verb, seen=seen)

    @verb_mutation(RequestVerb.WAIVE_CHARGE)
    async def waive_charge(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Waive the price (R-ENT-01)."""
        return await on_request(info, input, operations.agree_to_charge, RequestVerb.WAIVE_CHARGE)

    @verb_mutation(RequestVerb.WITHDRAW_CHARGE)
    async def withdraw_charge(self, info: Info, input: given.ReasonInput) -> RequestPayload | None:
        """Take a charge back (R-ENT-06)."""
        return await on_request(
            info,
            input,
            operations.withdraw_charge,
        )

    @verb_mutation(RequestVerb.REJECT)
    async def reject_request(
        self, info: Info, input: given.RejectRequestInput
    ) -> RequestPayload | None:
        """Turn a request down."""
        return await on_request(
            info,
            input,
            operations.reject_request,
        )

    @verb_mutation(RequestVerb.DISPATCH)
    async def dispatch_request(
        self, info: Info, input: given.DispatchRequestInput
    ) -> RequestPayload | None:
        """Send a request to a queue."""
        return await on_request(
            info,
            input,
            operations.dispatch_request,
        )

    @verb_mutation(RequestVerb.START)
    async def start_request(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Take a request (R-ROLE-07)."""
        return await on_request(info, input, operations.start_request)

    @verb_mutation(RequestVerb.WAIT)
    async def wait_request(
        self, info: Info, input: given.WaitRequestInput
    ) -> RequestPayload | None:
        """Wait for somebody else (R-REQ-03)."""
        return await on_request(
            info,
            input,
            operations.wait_request,
        )

    @verb_mutation(RequestVerb.RESUME)
    async def resume_request(
        self, info: Info, input: given.ResumeRequestInput
    ) -> RequestPayload | None:
        """Go on with a waiting request."""
        return await on_request(
            info,
            input,
            operations.resume_request,
        )

    @verb_mutation(RequestVerb.RESTORE)
    async def restore_request(
        self, info: Info, input: given.RestoreRequestInput
    ) -> RequestPayload | None:
        """Service is up again (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.restore_request,
        )

    @verb_mutation(RequestVerb.REQUEUE)
    async def requeue_request(
        self, info: Info, input: given.RequeueRequestInput
    ) -> RequestPayload | None:
        """Put a request back into a queue."""
        return await on_request(
            info,
            input,
            operations.requeue_request,
        )

    @verb_mutation(RequestVerb.DELIVER)
    async def deliver_request(
        self, info: Info, input: given.DeliverRequestInput
    ) -> RequestPayload | None:
        """Deliver the solution to the customer (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.deliver_request,
        )

    @verb_mutation(RequestVerb.ESCALATE)
    async def escalate_request(
        self, info: Info, input: given.ChangeLineInput
    ) -> RequestPayload | None:
        """Hand a request up (R-LIN-01)."""
        return await _change_line(info, input, RequestVerb.ESCALATE)

    @verb_mutation(RequestVerb.HAND_BACK)
    async def hand_back_request(
        self, info: Info, input: given.ChangeLineInput
    ) -> RequestPayload | None:
        """Hand a request back (R-LIN-01)."""
        return await _change_line(info, input, RequestVerb.HAND_BACK)

    @verb_mutation(RequestVerb.CONFIRM)
    async def confirm_request(
        self, info: Info, input: given.ConfirmRequestInput
    ) -> RequestPayload | None:
        """Accept the solution."""
        return await on_request(
            info,
            input,
            operations.confirm_request,
            verified_by=input.verified_by_id,
        )

    @verb_mutation(RequestVerb.REJECT_SOLUTION)
    async def reject_solution(
        self, info: Info, input: given.NotResolvedInput
    ) -> RequestPayload | None:
        """Send the solution back (R-SLA-09)."""
        return await on_request(
            info,
            input,
            operations.reject_solution,
        )

    @verb_mutation(RequestVerb.REOPEN)
    async def reopen_request(
        self, info: Info, input: given.NotResolvedInput
    ) -> RequestPayload | None:
        """Open a request again (R-SLA-09)."""
        return await on_request(
            info,
            input,
            operations.reopen_request,
        )

    @verb_mutation(RequestVerb.CLOSE)
    async def close_request(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Close a confirmed request."""
        return await on_request(info, input, operations.close_request)

    @verb_mutation(RequestVerb.CANCEL)
    async def cancel_request(self, info: Info, input: given.ReasonInput) -> RequestPayload | None:
        """Withdraw a request."""
        return await on_request(
            info,
            input,
            operations.cancel_request,
        )

    @verb_mutation(RequestVerb.RESPOND)
    async def respond_to_request(
        self, info: Info, input: given.RespondToRequestInput
    ) -> RequestPayload | None:
        """Reply in public (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.respond_to_request,
        )

    @verb_mutation(RequestVerb.NOTE)
    async def note_on_request(
        self, info: Info, input: given.NoteOnRequestInput
    ) -> RequestPayload | None:
        """Write a note (R-REQ-07)."""
        audience = Audience.PARTNER if input.shared_with_partner else Audience.INTERNAL
        return await on_request(info, input, operations.note_on_request, audience=audience)

    @verb_mutation(RequestVerb.LOG_CALL)
    async def log_call(self, info: Info, input: given.LogCallInput) -> RequestPayload | None:
        """Log a call (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.log_call,
        )

    @verb_mutation(RequestVerb.PLAN)
    async def plan_request(
        self, info: Info, input: given.PlanRequestInput
    ) -> RequestPayload | None:
        """Tell the plan (R-REQ-05)."""
        return await on_request(
            info,
            input,
            operations.plan_request,
        )


async def _change_line(
    info: Info, input: given.ChangeLineInput, verb: RequestVerb
) -> RequestPayload:
    return await on_request(
        info,
        input,
        operations.change_line,
        verb,
    )


def _classification(input: given.ClassifyRequestInput) -> Classification:
    return Classification(input.problem_type, input.fault_level, input.impact)


def _intake(input: given.SubmitRequestInput) -> Intake:
    return Intake(
        kind=input.kind,
        title=input.title,
        description=input.description,
        customer_id=input.customer_id,
        contact_id=input.contact_id,
        product_id=input.product_id,
        product_known=not input.product_unknown,
        project_id=input.project_id,
        channel=input.channel,
        phase=input.phase,
        follows_id=input.follows_id,
    )
