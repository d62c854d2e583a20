"""The faults' rows of the control door: what is set, set more, remove, and the log."""

from ..control import Command
from ..core.errors import BadRequest
from ..operations import Params
from ..spot import parameters
from .engine import FaultEngine
from .spec import SpecError, parse_json

PAGE_ROWS_DEFAULT = 1_000
PAGE_ROWS_MAX = 10_000  # chosen: about 3 MB of JSON


class FaultDoor:
    def __init__(self, faults: FaultEngine) -> None:
        self._faults = faults

    def commands(self) -> list[Command]:
        page = {
            "from": "number of the first row",
            "limit": f"{PAGE_ROWS_DEFAULT:,} unless named, {PAGE_ROWS_MAX:,} at most",
        }
        one = {"id": "this one", "all": "true: every one"}
        return [
            Command("GET", "faults", "faults and kill points that are set, with chances and hits", {}, self._present),
            Command("POST", "faults", 'sets those of the body: {"fault": [...], "point": [...]}', {}, self._set),
            Command("DELETE", "faults", "removes; what a fault held is undone", one, self._remove),
            Command("GET", "fault-log", "every hit, and what was done", page, self._log),
        ]

    def _present(self, params: Params, body: bytes) -> object:
        return {"rows": self._faults.present()}

    def _set(self, params: Params, body: bytes) -> object:
        try:
            return {"ids": self._faults.set(parse_json(body))}
        except SpecError as error:
            raise BadRequest(-1130, str(error)) from error

    def _remove(self, params: Params, body: bytes) -> object:
        if params.get("all") == "true":
            return {"removed": self._faults.remove()}
        number = parameters.integer(params, "id")
        if number is None:
            raise BadRequest(-1102, "Param 'id' or 'all' must be sent, but both were empty/null!")
        if not self._faults.remove(number):
            raise BadRequest(-1130, f"Data sent for parameter 'id' is not valid; no fault or point is {number}.")
        return {"removed": 1}

    def _log(self, params: Params, body: bytes) -> object:
        rows = self._faults.log.rows
        limit = parameters.limit(params, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX)
        found = rows.rows(parameters.integer(params, "from") or 0, limit)
        then = found[-1].number + 1 if found else rows.next_number
        return {"first": rows.first_number, "next": rows.next_number, "then": then, "rows": found}
