"""The futures face's REST door: spot's, with its own tables, and orders counted in the answers to modifications too."""

from collections.abc import Mapping
from typing import ClassVar

from ..operations import Kind, Operation
from ..spot.rest import RestDoor
from .table import OPERATIONS, ROUTES

COUNTED = (Kind.PLACE, Kind.AMEND)


class PerpetualRestDoor(RestDoor):
    operations: ClassVar[Mapping[str, Operation]] = OPERATIONS
    paths: ClassVar[Mapping[tuple[str, str], str]] = ROUTES
    prefixes: ClassVar[tuple[str, ...]] = ("/fapi/",)
    gone: ClassVar[tuple[str, ...]] = ()
    counted: ClassVar[tuple[Kind, ...]] = COUNTED
