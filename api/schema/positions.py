"""Where each calendar stands now: looked up once in a statement by all that counts with it."""

from api.planner.declare import Shared
from itr.sla.positions import POSITIONS_NOW

POSITION_NOW = Shared("position_now", POSITIONS_NOW)
"""Where each calendar stands now: working time since the epoch, open or not, and until when."""
