"""How the cost of ours grows: per session, per byte, per name; a table and a plot."""

import dataclasses
import math
import os
import statistics
import time

from accounting import Failed, busy_cores
from clients import PROCESSES, Client, Crew, spread, threads
from loads import Bill, alone, hold
from report import number
from servers import Server


FEWEST_SESSIONS = 50


@dataclasses.dataclass
class Row:
    size: int
    values: dict
    bound: str = ""


def bound(elapsed, server, machine, sessions=1):
    """What there was none left of."""
    cores = os.cpu_count() or 1
    shares = f"server {server / elapsed:.1f}, machine {machine / elapsed:.1f} of {cores} cores"
    if machine >= 0.85 * cores * elapsed:
        return f"processor time ({shares})"
    if sessions == 1 and server >= 0.85 * elapsed:
        return f"the one core of a session ({shares})"
    if sessions == 1 and machine >= 0.85 * elapsed:
        return f"server and client taking turns ({shares})"
    return f"waiting for one another ({shares})"


def sessions(program, ground, counts):
    """All log in at once, are at rest, say NOOP once each, and leave."""
    for count in counts:
        shared = spread(count)

        def work(number, context, ready):
            clients = []
            while len(clients) < shared[number]:
                some = min(100, shared[number] - len(clients))
                clients += threads(some, lambda _: Client.logged_in(server, context))
            ready()
            times = []
            for client in clients:
                start = time.perf_counter()
                client.expect("NOOP", 200)
                times.append((time.perf_counter() - start) * 1e3)
            ready()
            for client in clients:
                client.quit()
            return statistics.median(times) if times else None

        # The kernel tells in hundredths of a second what processes have used that are gone.
        repeats = max(1, FEWEST_SESSIONS // count)
        elapsed = machine = logins = 0
        answers = []
        with Server(program, ground) as server:
            tree = server.tree
            memory = tree.memory()
            with Bill(server) as bill:
                for _ in range(repeats):
                    with Crew(ground, PROCESSES, work, ground.sizes.limit) as crew:
                        start, busy = time.perf_counter(), busy_cores()
                        before = tree.seconds()
                        crew.await_ready()
                        elapsed += time.perf_counter() - start
                        machine += busy_cores() - busy
                        logins += tree.seconds() - before
                        tree.settle(seconds=120)
                        held = tree.memory() - memory
                        crew.go()
                        crew.await_ready()
                        crew.go()
                        answers += [value for value in crew.results() if value is not None]
        yield Row(count, {
            "CPU ms/session": bill.seconds / count / repeats * 1e3,
            "logins/s": count * repeats / elapsed, "PSS KiB/session": held / count,
            "page faults/session": bill.faults / count / repeats,
            "NOOP ms": statistics.median(answers)}, bound(elapsed, logins, machine, count))


def idle(program, ground, counts, seconds):
    """What sessions cost that do nothing."""
    for count in counts:
        with Server(program, ground) as server:
            tree = server.tree
            memory = tree.memory()

            def look():
                tree.settle(seconds=120)
                held = tree.memory() - memory
                before = tree.seconds()
                time.sleep(seconds)
                return held, tree.seconds() - before
            held, used = hold(server, ground, count, look)
        yield Row(count, {"PSS KiB/session": held / count,
                          "CPU ms/session and minute": used / count / seconds * 60e3},
                  "memory" if used < seconds * 0.05 else "timers")


def transfers(program, ground, lengths, least):
    """Files of one size, one after the other, until enough bytes have moved."""
    for length in lengths:
        name = ground.file(f"scale{length}", length)
        repeats = max(1, min(500, least // length))
        values, bounds = {}, []
        for verb in ("RETR", "STOR"):
            def work(client):
                for _ in range(repeats):
                    if verb == "RETR":
                        client.download(f"RETR {name}")
                    else:
                        client.upload("STOR up/scale", length, ground.noise)

            with Server(program, ground) as server:
                elapsed, _, bill = alone(server, ground, work)
            total = length * repeats
            values[f"{verb} MB/s"] = total / 1e6 / elapsed
            values[f"{verb} CPU s/GB"] = bill.seconds / total * 1e9
            bounds.append(f"{verb}: {bound(bill.window, bill.seconds, bill.machine)}")
        (ground.account.home / name).unlink()
        ground.clear_uploads()
        yield Row(length, values, "; ".join(bounds))


def directories(program, ground, counts):
    """Listings of more and more names."""
    for count in counts:
        folder = ground.names(count)
        repeats = max(3, min(200, 20_000 // count))
        values, bounds = {}, []
        for verb in ("LIST", "MLSD"):
            def work(client):
                client.expect(f"CWD {folder}", 250)
                return statistics.median(
                    client.download(verb)[1] * 1e3 for _ in range(repeats))

            with Server(program, ground) as server:
                elapsed, first, bill = alone(server, ground, work)
            values[f"{verb} µs/name"] = elapsed / repeats / count * 1e6
            values[f"{verb} CPU µs/name"] = bill.seconds / repeats / count * 1e6
            values[f"{verb} first byte ms"] = first
            bounds.append(f"{verb}: {bound(bill.window, bill.seconds, bill.machine)}")
        yield Row(count, values, "; ".join(bounds))


def measure(program, ground, quick, most, tell):
    """Title to (name of the size, rows)."""
    steps = {
        "sessions at once": ("sessions", sessions(
            program, ground, [1, 4] if quick else [n for n in (1, 10, 100, 1_000) if n <= most])),
        "idle sessions": ("sessions", idle(
            program, ground, [4] if quick else [n for n in (100, 1_000, 5_000) if n <= most],
            1 if quick else 10)),
        "sizes of files": ("bytes", transfers(
            program, ground,
            [1 << power for power in ((12, 20) if quick else (12, 16, 20, 24, 28, 30))],
            1 << 20 if quick else 1 << 28)),
        "names in a directory": ("names", directories(
            program, ground, [10, 100] if quick else [10, 100, 1_000, 10_000, 100_000])),
    }
    found, failures = {}, []
    for title, (unit, rows) in steps.items():
        found[title] = (unit, [])
        try:
            for row in rows:
                found[title][1].append(row)
                tell(f"scale, {title}, {row.size}: "
                     + ", ".join(f"{key} {number(value)}" for key, value in row.values.items()))
        except (Failed, OSError, AssertionError) as failure:
            failures.append(f"scale, {title}: {failure}")
    return found, failures


def markdown(found, plot):
    lines = ["", "## Scale: portcullis alone", ""]
    if plot:
        lines += [f"![Cost per session, per byte and per name]({plot})", ""]
    for title, (unit, rows) in found.items():
        if not rows:
            continue
        keys = list(rows[0].values)
        lines += [f"### {title.capitalize()}", "",
                  f"| {unit} | " + " | ".join(keys) + " | bounded by |",
                  "|---" * (len(keys) + 2) + "|"]
        lines += [f"| {row.size:,} | " + " | ".join(number(row.values[key]) for key in keys)
                  + f" | {row.bound} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


# The plot.

WIDTH, HEIGHT, LEFT, TOP = 380, 250, 60, 50
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad")


def svg(found):
    """Panels with logarithmic axes, one for each table: costs only, which ought to stay flat."""
    panels = [(title, unit, rows) for title, (unit, rows) in found.items() if len(rows) > 1]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * 2}" '
             f'height="{HEIGHT * max(1, math.ceil(len(panels) / 2))}" font-family="sans-serif" '
             'font-size="11">', '<rect width="100%" height="100%" fill="white"/>']
    for index, (title, unit, rows) in enumerate(panels):
        parts.append(f'<g transform="translate({index % 2 * WIDTH},{index // 2 * HEIGHT})">')
        parts += panel(title, unit, rows)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def panel(title, unit, rows):
    keys = [key for key in rows[0].values if not key.endswith("/s")
            and all(row.values[key] > 0 for row in rows)][:4]
    right, bottom = WIDTH - 20, HEIGHT - 45
    yield f'<text x="{LEFT}" y="18" font-weight="bold">{title}</text>'
    if not keys:
        return
    values = [row.values[key] for row in rows for key in keys]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    first, last = math.log10(rows[0].size), math.log10(rows[-1].size)

    def x(size):
        return LEFT + (math.log10(size) - first) / (last - first) * (right - LEFT)

    def y(value):
        return bottom - (math.log10(value) - low) / (high - low) * (bottom - TOP)

    for power in range(low, high + 1):
        place = y(10 ** power)
        yield (f'<line x1="{LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}" stroke="#ddd"/>'
               f'<text x="{LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">'
               f'{10.0 ** power:g}</text>')
    for row in rows:
        yield (f'<text x="{x(row.size):.1f}" y="{bottom + 16}" text-anchor="middle">'
               f'{short(row.size)}</text>')
    yield f'<text x="{(LEFT + right) / 2}" y="{bottom + 34}" text-anchor="middle">{unit}</text>'
    for index, (key, colour) in enumerate(zip(keys, COLOURS)):
        points = " ".join(f"{x(row.size):.1f},{y(row.values[key]):.1f}" for row in rows)
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield (f'<text x="{LEFT + index % 2 * 160}" y="{32 + index // 2 * 13}" fill="{colour}">'
               f'{key}</text>')


def short(size):
    for unit, factor in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if size >= factor and size % factor == 0:
            return f"{size // factor} {unit}i"
    return f"{size:,}"
