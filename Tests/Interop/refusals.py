"""How long the server takes to say no."""

import statistics
import time

from control import Closed


def time_of_refusal(gateway, name, attempts=1, count=5):
    """The median time of `count` refused logins, up to `attempts` on one connection."""
    spans = []
    while len(spans) < count:
        control = gateway.control().secure()
        try:
            for _ in range(attempts):
                control.expect(f"USER {name}", 331)
                start = time.monotonic()
                control.expect("PASS wrong", 530)
                spans.append(time.monotonic() - start)
        except Closed:
            pass
        control.close()
    return statistics.median(spans)
