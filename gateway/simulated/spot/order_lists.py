"""Order lists and smart order routing: no symbol here allows them (exchangeInfo), so they are refused, and the lists are empty."""

from ..core.errors import BadRequest, OrderRefused, no_such_order
from ..operations import Call, Kind, Operation, signed
from ..payload import Json
from . import parameters
from .api import VenueApi
from .errors import not_supported, one_of

PLACED = {
    "orderList.place": ("/api/v3/order/oco", "OCO"),
    "orderList.place.oco": ("/api/v3/orderList/oco", "OCO"),
    "orderList.place.oto": ("/api/v3/orderList/oto", "OTO"),
    "orderList.place.otoco": ("/api/v3/orderList/otoco", "OTOCO"),
    "orderList.place.opo": ("/api/v3/orderList/opo", "OPO"),
    "orderList.place.opoco": ("/api/v3/orderList/opoco", "OPOCO"),
    "sor.order.place": ("/api/v3/sor/order", "SOR"),
    "sor.order.test": ("/api/v3/sor/order/test", "SOR"),
}
"""What places one: its path, and what the refusal calls it (errors.md has the words for OCO and OPO; the others follow them)."""


def _refuse(what: str) -> "Operation":
    def place(api: VenueApi, call: Call) -> Json:
        api.symbol(call.params)
        raise not_supported(f"{what} orders are")

    return signed(Kind.ACCOUNT, place, 1)


def cancel(api: VenueApi, call: Call) -> Json:
    api.symbol(call.params)
    _named(call, "orderListId", "listClientOrderId")
    raise OrderRefused(-2011, "Unknown order list sent.")


def status(api: VenueApi, call: Call) -> Json:
    _named(call, "orderListId", "origClientOrderId")
    raise OrderRefused(no_such_order().code, "Order list does not exist.")


def _named(call: Call, id_name: str, client_id_name: str) -> None:
    """Raise BadRequest unless one of both was sent."""
    if parameters.integer(call.params, id_name) is None and parameters.optional(call.params, client_id_name) is None:
        raise one_of(id_name, client_id_name)


def open_lists(api: VenueApi, call: Call) -> Json:
    return []


def all_lists(api: VenueApi, call: Call) -> Json:
    window = parameters.window(call.params)
    if parameters.integer(call.params, "fromId") is not None and window != (None, None):
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    return []


OPERATIONS: dict[str, Operation] = {
    **{name: _refuse(what) for name, (_, what) in PLACED.items()},
    "orderList.cancel": signed(Kind.CANCEL, cancel, 1, "symbol orderListId listClientOrderId newClientOrderId"),
    "orderList.status": signed(Kind.ACCOUNT, status, 4, "orderListId origClientOrderId"),
    "openOrderLists.status": signed(Kind.ACCOUNT, open_lists, 6, ""),
    "allOrderLists": signed(Kind.ACCOUNT, all_lists, 20, "fromId startTime endTime limit"),
}

ROUTES = {
    **{("POST", path): name for name, (path, _) in PLACED.items()},
    ("DELETE", "/api/v3/orderList"): "orderList.cancel",
    ("GET", "/api/v3/orderList"): "orderList.status",
    ("GET", "/api/v3/openOrderList"): "openOrderLists.status",
    ("GET", "/api/v3/allOrderList"): "allOrderLists",
}
