"""Orders that we hold no record of: whose they are by their id, and what becomes of them by configuration. Pure.

    id                                   whose it is                       what is done
    ours, older epoch                    a predecessor's, journal lost it  [orders] orphans: cancel, adopt or leave
    ours, memory once had more           done long ago                     the journal's index is asked (see lookups)
    ours, our epoch, never given out     another engine's                  never touched, we stop being ready
    ours, later epoch                    a newer engine's                  never touched, we stop being ready
    one of the venue's own prefixes      the venue's: a liquidation        booked as ours, owner "venue"
    any other                            a person's or a program's         [orders] external: leave, claim or cancel

What is left alone is never acted on and reserves nothing. Its executions are no fills of ours: the ledger follows them and no
position does but a contract's (`ForeignTraded`), so that the account can still be compared with the venue.
"""

from actors.orders.desk import ONE_ENGINE, Desk, Terms
from actors.orders.foreign import Foreign
from actors.orders.ids import OrderId, claimed_key, recognize
from actors.orders.lookups import Lookups
from actors.orders.order import Order
from actors.orders.restored import EXTERNAL_OWNER, ORPHAN_OWNER, VENUE_OWNER
from actors.orders.settings import External, Orphans
from actors.orders.state import Certainty, Pending
from bus.messages import AlertLevel, ExecutionReport, Message, ReportKind, VenueState


class Strangers:
    __slots__ = ("desk", "foreign", "lookups")

    def __init__(self, desk: Desk, lookups: Lookups) -> None:
        self.desk = desk
        self.foreign = Foreign(desk)
        self.lookups = lookups

    def whose(self, report: ExecutionReport, now_ns: int, out: list[Message]) -> Order | None:
        """The record that the report belongs to from now on; None if it is nobody's of ours, or not known yet."""
        desk = self.desk
        known = recognize(desk.settings.prefix, report.client_order_id)
        if known is None:
            return self.of_others(report, now_ns, out)
        if known.attempt and (order := desk.register.find(known.root)) is not None:
            return order
        if known.epoch > desk.ids.epoch:
            self.superseded(report, known, out)
            return None
        if known.epoch == desk.ids.epoch and known.counter >= desk.ids.next_counter:
            self.beside_us(report, known, out)
            return None
        if desk.register.forgotten:
            self.lookups.park(known.root, report, now_ns, out)
            return None
        return self.unheld(report, known, now_ns, out)

    def unheld(self, report: ExecutionReport, known: OrderId, now_ns: int, out: list[Message]) -> Order | None:
        """Ours by its id, and neither memory nor the journal's index has it."""
        desk = self.desk
        if known.epoch == desk.ids.epoch:
            desk.keep_aside(report, "report_of_forgotten_order", out)
            return None
        if desk.settings.orphans is Orphans.LEAVE:
            self.leave(report, "orphan_left", AlertLevel.WARNING, out)
            return None
        order = self.adopt(report, known.root, ORPHAN_OWNER, now_ns)
        order.cancel_wanted = desk.settings.orphans is Orphans.CANCEL
        detail = f"client_order_id={order.client_order_id} epoch={known.epoch}"
        desk.alert(AlertLevel.WARNING, "orphan_order", report.instrument, detail, out)
        return order

    def superseded(self, report: ExecutionReport, known: OrderId, out: list[Message]) -> None:
        """A newer engine made it: it owns this account, and its orders are not ours to touch. We stop being ready."""
        desk = self.desk
        desk.later_epoch = max(desk.later_epoch, known.epoch)
        remedy = "a newer engine owns this account: stop this one; if none runs, start again: a start asks for the last epoch"
        more = f"epoch={known.epoch} ours={desk.ids.epoch} remedy={remedy}"
        desk.keep_aside(report, "order_of_a_later_epoch", out, AlertLevel.CRITICAL, more)

    def beside_us(self, report: ExecutionReport, known: OrderId, out: list[Message]) -> None:
        """Of our epoch, with a counter we never gave out: two fresh state directories, one account. Not ours to touch."""
        desk = self.desk
        desk.later_epoch = max(desk.later_epoch, known.epoch, 1)
        more = f"epoch={known.epoch} counter={known.counter} next_counter={desk.ids.next_counter} {ONE_ENGINE}"
        desk.keep_aside(report, "order_of_another_engine", out, AlertLevel.CRITICAL, more)

    def of_others(self, report: ExecutionReport, now_ns: int, out: list[Message]) -> Order | None:
        """No id of ours: the venue's own order, or a person's or program's."""
        desk = self.desk
        if not report.client_order_id:
            return None  # a trade names its order by the venue's id alone: whoever reads trades asks whose it is
        by_venue = report.client_order_id.startswith(desk.settings.venue_prefixes)
        if report.venue_order_id <= 0 or not (by_venue or desk.settings.external is not External.LEAVE):
            self.leave(report, "external_order", AlertLevel.INFO, out)
            return None
        key = claimed_key(report.instrument, report.venue_order_id)
        order = self.adopt(report, key, VENUE_OWNER if by_venue else EXTERNAL_OWNER, now_ns)
        order.cancel_wanted = not by_venue and desk.settings.external is External.CANCEL
        detail = f"client_order_id={report.client_order_id} venue_order_id={report.venue_order_id} kept_as={key}"
        if by_venue:
            desk.note("order_of_the_venue", report.instrument, key, report.venue_order_id, report.trade_id, now_ns)
            remedy = "remedy=it liquidates us: look at margin and positions"
            desk.alert(AlertLevel.CRITICAL, "order_of_the_venue", report.instrument, f"{detail} {remedy}", out)
        elif order.cancel_wanted:
            desk.alert_every(AlertLevel.INFO, "external_order_canceled", report.instrument, detail, out)
        else:
            desk.alert_every(AlertLevel.INFO, "external_order_claimed", report.instrument, detail, out)
        return order

    def leave(self, report: ExecutionReport, event: str, level: AlertLevel, out: list[Message]) -> None:
        """Said once an order, then only counted. What it executes moves the ledger and nothing else."""
        desk = self.desk
        if report.kind is ReportKind.TRADE:
            self.foreign.book(report, out)
        desk.count("external_report" if event == "external_order" else "orphan_report")
        if not desk.is_news(report.instrument, report.venue_order_id):
            return
        ids = f"client_order_id={report.client_order_id} venue_order_id={report.venue_order_id}"
        detail = f"side={report.side.name} {ids} remedy=none: of another program or a person, and left alone"
        desk.alert_every(level, event, report.instrument, detail, out)

    def adopt(self, report: ExecutionReport, key: str, owner: str, now_ns: int) -> Order:
        """It gets a record, and its fills count.

        What it executed before is booked from the trades since the last one that was known when the run began. On the
        very first start there is no "since": that quantity lies inside the baseline, which is taken after this.
        """
        desk = self.desk
        terms: Terms = desk.terms[report.instrument]
        lot = terms.instrument.lot
        order = Order(
            key,
            report.instrument,
            terms.instrument.version,
            owner,
            -1,
            report.side,
            report.price // terms.instrument.tick,
            -(-report.quantity // lot),
            False,
            terms.unit,
        )
        order.orphan = True
        order.trade_floor = desk.floors.get(report.instrument, -1)
        order.sent_ns = now_ns
        order.written = True
        order.pending = Pending.NONE
        order.venue_state = VenueState.WORKING
        order.certainty = Certainty.UNKNOWN
        order.doubt_ns = 0
        if order.trade_floor < 0 and not desk.ever_ready:
            last = report.last_quantity if report.kind is ReportKind.TRADE else 0
            order.cumulative = report.cumulative * terms.factor
            order.covered = max(report.cumulative - last, 0) * terms.factor
        desk.register.open[order.client_order_id] = order
        return order
