"""Requests: their queries and the mutations of their lifecycle; translate, call, wrap."""

from typing import Annotated
from uuid import UUID

import strawberry

from api.planner import read as planner
from api.planner.fields import page_field
from api.resolvers.performing import answered, on_request
from api.resolvers.permissions import may, mutation
from api.schema import request_inputs as given
from api.schema.charge_inputs import AcceptChargeInput
from api.schema.payloads import RequestPayload
from api.schema.requests import RequestConnection, ServiceRequest
from itr.actors.roles import Permission
from itr.events.log import Audience
from itr.requests import operations
from itr.requests.charge_rules import Price
from itr.requests.intake import Intake
from itr.requests.priority import Classification
from itr.requests.terms import Verb
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

    @mutation(P.ACCEPT_REQUEST, "Authorise and classify a request: pins its entitlement.")
    async def accept_request(
        self, info: Info, input: given.ClassifyRequestInput
    ) -> RequestPayload | None:
        """Accept a request (R-ENT-01)."""
        return await on_request(info, input, operations.accept_request, _classification(input))

    @mutation(P.ACCEPT_REQUEST, "Authorise once more, after missing data was completed.")
    async def reauthorise_request(
        self, info: Info, input: given.RequestInput
    ) -> RequestPayload | None:
        """Authorise once more (R-ENT-02)."""
        return await on_request(info, input, operations.reauthorise_request)

    @mutation(P.RECLASSIFY_REQUEST, "Classify anew; another priority retargets the clocks.")
    async def reclassify_request(
        self, info: Info, input: given.ClassifyRequestInput
    ) -> RequestPayload | None:
        """Classify a request anew (R-PRI-03)."""
        return await on_request(info, input, operations.reclassify_request, _classification(input))

    @mutation(P.ACCEPT_REQUEST, "Put to the customer what a request costs that nothing covers.")
    async def offer_charge(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Offer a charge (R-ENT-06)."""
        return await on_request(info, input, operations.offer_charge)

    @mutation(P.ACCEPT_CHARGE, "Accept the charge of a request, as you have seen it.")
    async def accept_charge(self, info: Info, input: AcceptChargeInput) -> RequestPayload | None:
        """Accept the price seen (R-ENT-06)."""
        seen = Price(input.price.amount, input.price.currency, input.tax_percent)
        verb = Verb.ACCEPT_CHARGE
        return await on_request(info, input, operations.agree_to_charge, verb, seen=seen)

    @mutation(P.WAIVE_CHARGE, "Waive the charge that waits for a decision.")
    async def waive_charge(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Waive the price (R-ENT-01)."""
        return await on_request(info, input, operations.agree_to_charge, Verb.WAIVE_CHARGE)

    @mutation(P.ACCEPT_REQUEST, "Take back a charge that waits for a decision.")
    async def withdraw_charge(self, info: Info, input: given.ReasonInput) -> RequestPayload | None:
        """Take a charge back (R-ENT-06)."""
        return await on_request(
            info,
            input,
            operations.withdraw_charge,
        )

    @mutation(P.REJECT_REQUEST, "Turn a request down; the requester is told why.")
    async def reject_request(
        self, info: Info, input: given.RejectRequestInput
    ) -> RequestPayload | None:
        """Turn a request down."""
        return await on_request(
            info,
            input,
            operations.reject_request,
        )

    @mutation(P.DISPATCH_REQUEST, "Send a request to a queue, or to a person of it.")
    async def dispatch_request(
        self, info: Info, input: given.DispatchRequestInput
    ) -> RequestPayload | None:
        """Send a request to a queue."""
        return await on_request(
            info,
            input,
            operations.dispatch_request,
        )

    @mutation(P.START_REQUEST, "Take a request and become its owner.")
    async def start_request(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Take a request (R-ROLE-07)."""
        return await on_request(info, input, operations.start_request)

    @mutation(P.WORK_ON_REQUEST, "Wait for somebody else; pauses what the level pauses.")
    async def wait_request(
        self, info: Info, input: given.WaitRequestInput
    ) -> RequestPayload | None:
        """Wait for somebody else (R-REQ-03)."""
        return await on_request(
            info,
            input,
            operations.wait_request,
        )

    @mutation(P.RESUME_REQUEST, "Go on; customers resume by answering.")
    async def resume_request(
        self, info: Info, input: given.ResumeRequestInput
    ) -> RequestPayload | None:
        """Go on with a waiting request."""
        return await on_request(
            info,
            input,
            operations.resume_request,
        )

    @mutation(P.WORK_ON_REQUEST, "Service is up again by a workaround: stops RESTORATION.")
    async def restore_request(
        self, info: Info, input: given.RestoreRequestInput
    ) -> RequestPayload | None:
        """Service is up again (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.restore_request,
        )

    @mutation(P.REQUEUE_REQUEST, "Put a request back into a queue: nobody's again.")
    async def requeue_request(
        self, info: Info, input: given.RequeueRequestInput
    ) -> RequestPayload | None:
        """Put a request back into a queue."""
        return await on_request(
            info,
            input,
            operations.requeue_request,
        )

    @mutation(P.WORK_ON_REQUEST, "Deliver the solution: stops RESOLUTION, starts CLOSURE.")
    async def deliver_request(
        self, info: Info, input: given.DeliverRequestInput
    ) -> RequestPayload | None:
        """Deliver the solution to the customer (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.deliver_request,
        )

    @mutation(P.ESCALATE_REQUEST, "Hand a request up to a higher line.")
    async def escalate_request(
        self, info: Info, input: given.ChangeLineInput
    ) -> RequestPayload | None:
        """Hand a request up (R-LIN-01)."""
        return await _change_line(info, input, Verb.ESCALATE)

    @mutation(P.ESCALATE_REQUEST, "Hand a request back to a lower line.")
    async def hand_back_request(
        self, info: Info, input: given.ChangeLineInput
    ) -> RequestPayload | None:
        """Hand a request back (R-LIN-01)."""
        return await _change_line(info, input, Verb.HAND_BACK)

    @mutation(P.CONFIRM_REQUEST, "Accept the solution.")
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

    @mutation(P.CONFIRM_REQUEST, "Send the solution back; RESOLUTION goes on.")
    async def reject_solution(
        self, info: Info, input: given.NotResolvedInput
    ) -> RequestPayload | None:
        """Send the solution back (R-SLA-09)."""
        return await on_request(
            info,
            input,
            operations.reject_solution,
        )

    @mutation(P.REOPEN_REQUEST, "Open a confirmed or closed request again, within 7 days.")
    async def reopen_request(
        self, info: Info, input: given.NotResolvedInput
    ) -> RequestPayload | None:
        """Open a request again (R-SLA-09)."""
        return await on_request(
            info,
            input,
            operations.reopen_request,
        )

    @mutation(P.CLOSE_REQUEST, "Close a confirmed request: stops CLOSURE.")
    async def close_request(self, info: Info, input: given.RequestInput) -> RequestPayload | None:
        """Close a confirmed request."""
        return await on_request(info, input, operations.close_request)

    @mutation(P.CANCEL_REQUEST, "Withdraw a request before its solution is delivered.")
    async def cancel_request(self, info: Info, input: given.ReasonInput) -> RequestPayload | None:
        """Withdraw a request."""
        return await on_request(
            info,
            input,
            operations.cancel_request,
        )

    @mutation(P.RESPOND_TO_REQUEST, "Reply in public; our first reply stops RESPONSE.")
    async def respond_to_request(
        self, info: Info, input: given.RespondToRequestInput
    ) -> RequestPayload | None:
        """Reply in public (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.respond_to_request,
        )

    @mutation(P.NOTE_ON_REQUEST, "Write an internal note, or one shared with the partner.")
    async def note_on_request(
        self, info: Info, input: given.NoteOnRequestInput
    ) -> RequestPayload | None:
        """Write a note (R-REQ-07)."""
        audience = Audience.PARTNER if input.shared_with_partner else Audience.INTERNAL
        return await on_request(info, input, operations.note_on_request, audience=audience)

    @mutation(P.LOG_CALL, "Log a call with the customer; it answers them.")
    async def log_call(self, info: Info, input: given.LogCallInput) -> RequestPayload | None:
        """Log a call (R-SLA-01)."""
        return await on_request(
            info,
            input,
            operations.log_call,
        )

    @mutation(P.PLAN_REQUEST, "Tell the customer the plan and the date to expect.")
    async def plan_request(
        self, info: Info, input: given.PlanRequestInput
    ) -> RequestPayload | None:
        """Tell the plan (R-REQ-05)."""
        return await on_request(
            info,
            input,
            operations.plan_request,
        )


async def _change_line(info: Info, input: given.ChangeLineInput, verb: Verb) -> RequestPayload:
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
