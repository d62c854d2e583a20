"""What a verification found: figures for machines and people, and whether the recording holds."""

from typing import Any

import msgspec


class Checked(msgspec.Struct):
    """How many were compared, how many differed."""

    checked: int = 0
    failed: int = 0


class VerifyResult(msgspec.Struct):
    """books: instruments whose book went LIVE; live: those that are at the end.

    duplicates, stale: diffs the book had already (ending just there, ending before). reordered: late diffs that filled a
    gap. garbage: frames and bodies that could not be read; lost: those in which a book's update may have been, where no
    number of the venue shows it. unsynced: symbols left with a gap, a refused book or an unfit snapshot.
    proof: what the venue said against which the books were held: "ids", "connection numbers", "checksums", "tops".
    """

    venue: str
    records: int = 0
    books: int = 0
    gaps: int = 0
    resyncs: int = 0
    checksums: Checked = msgspec.field(default_factory=Checked)
    tops: Checked = msgspec.field(default_factory=Checked)
    crossed: int = 0
    duplicates: int = 0
    stale: int = 0
    reordered: int = 0
    garbage: int = 0
    unsynced: list[str] = []
    live: int = 0
    lost: int = 0
    updates: int = 0
    proof: list[str] = []

    @property
    def holds(self) -> bool:
        """A capture in which no book could be built has verified nothing."""
        failed = self.checksums.failed + self.tops.failed + self.crossed + self.lost + len(self.unsynced)
        return not failed and self.books > 0

    def public(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {field: msgspec.to_builtins(getattr(self, field)) for field in PUBLIC}


PUBLIC = (
    "venue", "records", "books", "gaps", "resyncs", "checksums", "tops", "crossed",
    "duplicates", "stale", "reordered", "garbage", "unsynced", "live", "proof",
)  # fmt: skip
