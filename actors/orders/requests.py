"""Answers of the order door to a submit or a cancel. A network error is never evidence; only a definite word is."""

from actors.orders.cancels import cancel_refused, follow_up
from actors.orders.commands import Commands
from actors.orders.desk import ONE_ENGINE, Desk
from actors.orders.order import Order, is_done, venue_ended
from actors.orders.private_stream import ENDED, EXISTS, PrivateStream
from actors.orders.state import ABSENCE, PENDING, SUBMITTING, VENUE, Absence, Asked, Missing
from bus.messages import (
    AlertLevel,
    Message,
    Outcome,
    Refusal,
    RequestAnswered,
    RequestKind,
    RequestSent,
    VenueState,
)


class Requests:
    __slots__ = ("commands", "desk", "stream")

    def __init__(self, desk: Desk, stream: PrivateStream, commands: Commands) -> None:
        self.desk = desk
        self.stream = stream
        self.commands = commands

    def on_sent(self, message: RequestSent, now_ns: int) -> tuple[Message, ...]:
        order = self.desk.register.open.get(message.client_order_id)
        if order is None:
            return ()
        if message.request is RequestKind.SUBMIT:
            order.written = True
            order.sent_ns = message.sent_ns
        else:
            order.cancel_sent_ns = message.sent_ns
        return ()

    def on_answered(self, message: RequestAnswered, now_ns: int, out: list[Message]) -> None:
        desk = self.desk
        order = desk.register.find(message.client_order_id)
        if order is None:
            desk.count("answer_of_unknown_order")
            return
        if message.venue_order_id and not order.venue_order_id:
            desk.register.link(order, message.venue_order_id)
        if message.request is RequestKind.SUBMIT:
            self.submit_answered(order, message, now_ns, out)
        else:
            self.cancel_answered(order, message, now_ns, out)
        desk.publish(order, now_ns, out)
        if order.certainty or order.cancel_wanted:
            follow_up(desk, order, now_ns, out)

    def submit_answered(self, order: Order, message: RequestAnswered, now_ns: int, out: list[Message]) -> None:
        desk = self.desk
        if message.reason in desk.settings.duplicate_reasons and desk.ids.made(order.client_order_id):
            # Whatever the door makes of it: we sent this id once, so somebody else made it too.
            detail = f"client_order_id={order.client_order_id} {ONE_ENGINE}"
            desk.alert(AlertLevel.CRITICAL, "order_of_another_engine", order.instrument, detail, out)
        if message.outcome is Outcome.RESULT:
            self.stream.answered(order, EXISTS, now_ns, out)
            if order.venue_state is VenueState.NONE:
                order.cancel_refusals = 0  # Cancels were refused because it was not there yet.
            order.venue_state = VENUE[order.venue_state, VenueState.WORKING]
            order.absence = ABSENCE[order.absence, Missing.SEEN]
            order.pending = PENDING[order.pending, Asked.SUBMIT_SETTLED]
        elif message.outcome is Outcome.REFUSED:
            self.submit_refused(order, message, now_ns, out)
        elif order.pending in SUBMITTING:
            desk.count("submit_ambiguous")
            desk.doubt(order, now_ns)

    def submit_refused(self, order: Order, message: RequestAnswered, now_ns: int, out: list[Message]) -> None:
        """The end, unless something speaks against it: fills, a working state, a duplicate, a request that was written.

        A venue that wants less of us rejects no order: it is neither a storm of rejects nor a request refused again.
        """
        desk = self.desk
        if is_done(order) or venue_ended(order):
            desk.count("refusal_of_ended_order")
            return
        by_door = message.code == 0
        if message.retry_ns > now_ns:
            self.commands.hold(order, message.retry_ns, now_ns, out, by_door=by_door)
        contradiction = order.venue_state is not VenueState.NONE or order.booked > 0 or (by_door and order.written)
        duplicate = message.reason in desk.settings.duplicate_reasons
        if contradiction or duplicate:
            desk.doubt(order, now_ns)
            order.pending = PENDING[order.pending, Asked.SUBMIT_SETTLED]
            detail = f"client_order_id={order.client_order_id} code={message.code} reason={message.reason}"
            desk.note("refusal_contradicted", order.instrument, order.client_order_id, order.venue_order_id, -1, now_ns)
            desk.alert(AlertLevel.WARNING, "refusal_contradicted", order.instrument, detail, out)
            return
        order.absence = ABSENCE[order.absence, Missing.DOOR_REFUSED if by_door else Missing.VENUE_REFUSED]
        refusal = Refusal.RATE_LIMIT if message.retry_ns else Refusal.VENUE_REJECTED
        order.refusal = (message.refusal or Refusal.NOT_CONNECTED) if by_door else refusal
        order.code = message.code
        order.pending = PENDING[order.pending, Asked.ALL_SETTLED]
        assert order.absence is not Absence.OPEN

    def cancel_answered(self, order: Order, message: RequestAnswered, now_ns: int, out: list[Message]) -> None:
        """RESULT names no executed quantity, so it ends nothing: the report does. If none comes, we ask."""
        desk = self.desk
        if message.outcome is Outcome.RESULT:
            self.stream.answered(order, ENDED, now_ns, out)
        if is_done(order) or venue_ended(order):
            return
        if message.outcome is Outcome.RESULT:
            order.cancel_due_ns = now_ns + desk.settings.backoff_min_ns
            desk.wake_at(order, order.cancel_due_ns, out)
        elif message.outcome is Outcome.REFUSED:
            cancel_refused(desk, order, message.code, message.retry_ns, now_ns, out)
        else:
            desk.count("cancel_ambiguous")
            desk.doubt(order, now_ns)
