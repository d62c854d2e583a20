"""When the venue's checksums are no longer believed: a venue that changes its formula must not cost us the feed. Pure."""

from actors.market_data.sync import Synchronizer
from bus.messages import BookStateChanged

EARLY_MAX = (
    3  # chosen: books in a row that differed as soon as they were new; what we compute is then not what they mean
)
HOUR_NS = 3_600_000_000_000
HOURLY_MAX = 10  # chosen: each costs a snapshot, and ids prove the book too


def differs_too_often(sync: Synchronizer, refused: BookStateChanged, now_ns: int) -> bool:
    """Count a checksum that differed. Early: of a snapshot, or of the first update behind it."""
    at = refused.sequence
    early = at in (sync.bare_at, sync.live_at) or (at == sync.sequence and sync.before == sync.live_at)
    sync.early_breaks = sync.early_breaks + 1 if early else 0
    recent = [then_ns for then_ns in sync.checksum_breaks if now_ns - then_ns < HOUR_NS]
    sync.checksum_breaks = [*recent, now_ns][-HOURLY_MAX - 1 :]
    return sync.early_breaks >= EARLY_MAX or len(sync.checksum_breaks) > HOURLY_MAX
