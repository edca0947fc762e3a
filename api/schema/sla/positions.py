"""Where each calendar stands now: known by heart, or looked up once in a statement."""

from api.planner.declare import Shared
from itr.sla.positions import POSITIONS_NOW, PositionsInMemory

POSITION_NOW = Shared(
    "position_now",
    POSITIONS_NOW,
    memory=PositionsInMemory,
    types={"id": "uuid", "us": "bigint", "is_open": "boolean", "changes_at": "timestamptz"},
)
"""Where each calendar stands now: working time since the epoch, open or not, and until when."""
