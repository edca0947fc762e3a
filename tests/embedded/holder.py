"""Runs embedded servers and one process beside them until asked to stop: `holder <home>`."""

import sys
import time

from embedded import EmbeddedServers, ServersFailed
from embedded.signals import StopAsked, StopSignals

ADDRESS = "http://127.0.0.1:8123"


def hold(home: str) -> int:
    """Start, say so, and stay; the exit code says how it ended."""
    with StopSignals() as signals:
        servers = EmbeddedServers(home, address=ADDRESS, durable=False, shield=signals.shield)
        try:
            addresses = servers.start()
            servers.start_beside("beside", ["/bin/sleep", "600"], environment={})
            sys.stdout.write(addresses.admin_url + "\n")
            sys.stdout.flush()
            while True:
                servers.check()
                time.sleep(0.05)
        except StopAsked:
            return 0
        except ServersFailed as error:
            sys.stderr.write(f"{error}\n")
            return 1
        finally:
            with signals.closing():
                servers.stop()


if __name__ == "__main__":
    raise SystemExit(hold(sys.argv[1]))
