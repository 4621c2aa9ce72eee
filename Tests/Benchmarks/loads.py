"""The loads: what clients do, and the figures that come of it."""

import dataclasses
import statistics
import time
from typing import Callable

from accounting import Failed, busy_cores
from clients import PROCESSES, Client, Crew, repeat, spread, threads
from ground import BUSY_BYTES, MEGABYTE, SMALL_BYTES, SMALL_FILES

GIGABYTE = 1e9


@dataclasses.dataclass
class Sizes:
    seconds: float = 4
    big: int = 1 << 30
    sessions: int = 300
    busy: int = 100
    names: int = 10_000
    listings: int = 10
    at_once: int = 8
    limit: float = 300

    @classmethod
    def quick(cls):
        return cls(0.3, 16 << 20, 8, 6, 500, 20, 2, 60)


@dataclasses.dataclass
class Figure:
    title: str
    higher: bool = False
    # Whether the peers are asked as well.
    compared: bool = True


@dataclasses.dataclass
class Load:
    title: str
    measure: Callable
    figures: dict
    site: dict = dataclasses.field(default_factory=dict)
    # Whether it is about logins through PAM, and nothing else.
    system_only: bool = False


class Bill:
    """What the server's processes used between two moments of rest."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        tree = self.server.tree
        tree.settle(self.server.resting)
        self.before = tree.seconds(), tree.faults()
        self.start = time.perf_counter()
        return self

    def __exit__(self, kind, *_):
        self.elapsed = time.perf_counter() - self.start
        if kind is None:
            tree = self.server.tree
            tree.settle(self.server.resting)
            self.seconds = tree.seconds() - self.before[0]
            self.faults = tree.faults() - self.before[1]

    def faults_per(self, count):
        """Ours alone: the peers' page faults are no figure of this table."""
        return None if self.server.program.peer else self.faults / count


# Sessions that come and go.

def short_sessions(once):
    def measure(server, ground):
        sizes = ground.sizes
        shared = spread(sizes.at_once)

        def work(number, context, ready):
            ready()
            return sum(threads(shared[number], lambda _: repeat(
                sizes.seconds, lambda: once(server, context))))

        with Bill(server) as bill, Crew(ground, PROCESSES, work, sizes.limit) as crew:
            crew.await_ready()
            start = time.perf_counter()
            crew.go()
            count = sum(crew.results())
            elapsed = time.perf_counter() - start
        return {"rate": count / elapsed, "cpu": bill.seconds / count * 1e3,
                "faults": bill.faults_per(count)}
    return measure


def connect(server, context):
    Client.of(server, context).secure().quit()


def login(server, context):
    client = Client.of(server, context).secure().protect()
    client.expect(f"USER {server.name}", 331)
    client.expect(f"PASS {server.password}", 230)
    client.quit()


SHORT = {"rate": Figure("sessions/s", higher=True), "cpu": Figure("CPU ms/session"),
         "faults": Figure("page faults/session", compared=False)}


# One session with a lot to do.

def alone(server, ground, work):
    """Runs `work(client)` in a session of its own; (seconds, result, bill)."""
    def process(_, context, ready):
        client = Client.logged_in(server, context)
        ready()
        start = time.perf_counter()
        result = work(client)
        elapsed = time.perf_counter() - start
        client.quit()
        return elapsed, result

    with Bill(server) as bill, Crew(ground, 1, process, ground.sizes.limit) as crew:
        crew.await_ready()
        start, machine = time.perf_counter(), busy_cores()
        crew.go()
        elapsed, result = crew.results()[0]
        # What the whole machine did meanwhile.
        bill.machine = busy_cores() - machine
        bill.window = time.perf_counter() - start
    return elapsed, result, bill


def retrieve(server, ground):
    size = ground.sizes.big
    name = ground.file("big", size)
    elapsed, got, bill = alone(
        server, ground, lambda client: client.download(f"RETR {name}", resume=False)[0])
    if got != size:
        raise Failed(f"{got} bytes of {size} arrived")
    figures = {"rate": size / 1e6 / elapsed, "cpu": bill.seconds / size * GIGABYTE}
    if not server.site.plain:
        _, (got, elapsed), _ = alone(
            server, ground, lambda client: client.download_without_decrypting(f"RETR {name}", size))
        if got < size:
            raise Failed(f"{got} bytes of ciphertext for {size} of content")
        figures["raw"] = size / 1e6 / elapsed
    return figures


def store(server, ground):
    size, content = ground.sizes.big, ground.noise
    elapsed, _, bill = alone(
        server, ground, lambda client: client.upload("STOR up/big", size, content, resume=False))
    found = (ground.account.home / "up/big").stat().st_size
    if found != size:
        raise Failed(f"{found} bytes of {size} were stored")
    return {"rate": size / 1e6 / elapsed, "cpu": bill.seconds / size * GIGABYTE}


def small(server, ground):
    figures = {}
    content = ground.noise[:SMALL_BYTES]
    buffer = bytearray(SMALL_BYTES * 2)

    def down(client):
        number, resumed = 0, 0
        stop = time.monotonic() + ground.sizes.seconds
        while number == 0 or time.monotonic() < stop:
            size, _, again = client.download(f"RETR small/{number % SMALL_FILES}", buffer=buffer)
            assert size == SMALL_BYTES, f"{size} bytes of {SMALL_BYTES} arrived"
            number, resumed = number + 1, resumed + again
        return number, resumed

    def up(client):
        number, resumed = 0, 0
        stop = time.monotonic() + ground.sizes.seconds
        while number == 0 or time.monotonic() < stop:
            resumed += client.upload(f"STOR up/{number % SMALL_FILES}", SMALL_BYTES, content)
            number += 1
        return number, resumed

    for direction, work in (("down", down), ("up", up)):
        elapsed, (count, resumed), bill = alone(server, ground, work)
        figures[f"{direction}_rate"] = count / elapsed
        figures[f"{direction}_cpu"] = bill.seconds / count * 1e3
        figures[f"{direction}_resumed"] = resumed / count * 100
    return figures


def listing(server, ground):
    """Listings one after the other in one session, of many names and of a hundred."""
    sizes = ground.sizes
    figures = {}
    for verb in ("LIST", "MLSD"):
        for kind, count, repeats in (("", sizes.names, sizes.listings),
                                     ("_few", 100, sizes.listings * 3)):
            folder = ground.names(count)

            def work(client):
                client.expect(f"CWD {folder}", 250)
                times, firsts = [], []
                buffer = bytearray(MEGABYTE)
                for _ in range(repeats):
                    start = time.perf_counter()
                    found = client.download(verb, buffer=buffer)
                    if found is None:
                        return None
                    assert found[0] > count * 20, f"{found[0]} bytes are no list of {count} names"
                    times.append((time.perf_counter() - start) * 1e3)
                    firsts.append(found[1] * 1e3)
                return statistics.median(times), statistics.median(firsts)

            _, found, bill = alone(server, ground, work)
            if found is None:
                continue
            figures[f"{verb}{kind}_first"] = found[1]
            if not kind:
                figures[f"{verb}_time"] = found[0]
                figures[f"{verb}_cpu"] = bill.seconds / repeats * 1e3
    return figures


# Many sessions.

def hold(server, ground, count, inside):
    """Opens so many sessions and calls `inside` while they are at rest."""
    shared = spread(count)

    def work(number, context, ready):
        # No more at a time than a listen queue and a slow login bear.
        clients = []
        while len(clients) < shared[number]:
            some = min(16, shared[number] - len(clients))
            clients += threads(some, lambda _: Client.logged_in(server, context))
        ready()
        for client in clients:
            client.quit()
        return len(clients)

    with Crew(ground, PROCESSES, work, ground.sizes.limit) as crew:
        crew.await_ready()
        result = inside()
        crew.go()
        crew.results()
    return result


def idle(server, ground):
    count = ground.sizes.sessions
    tree = server.tree
    before = tree.memory(), len(tree.processes())

    def look():
        tree.settle(seconds=60)
        return tree.memory(), len(tree.processes())

    during = hold(server, ground, count, look)
    return {"memory": (during[0] - before[0]) / count,
            "processes": (during[1] - before[1]) / count}


def many(server, ground):
    """Everybody logs in, then downloads, then uploads, all at once."""
    count = ground.sizes.sessions
    shared = spread(count)
    steps = 10 if ground.sizes.big >= 1 << 28 else 2
    for size in range(1, steps + 1):
        ground.file(f"many/{size}", size * MEGABYTE)
    content = ground.noise

    def work(number, context, ready):
        def session(which):
            client = Client.logged_in(server, context)
            size = (which * PROCESSES + number) % steps + 1
            got, _, _ = client.download(f"RETR many/{size}")
            assert got == size * MEGABYTE, f"{got} bytes arrived of {size} MiB"
            client.upload(f"STOR up/{number}-{which}", size * MEGABYTE, content)
            client.quit()
        ready()
        threads(shared[number], session)
        return shared[number]

    with Bill(server) as bill, Crew(ground, PROCESSES, work, ground.sizes.limit) as crew:
        crew.await_ready()
        start = time.perf_counter()
        crew.go()
        crew.results()
        elapsed = time.perf_counter() - start
    return {"time": elapsed, "cpu": bill.seconds}


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latency(server, ground):
    """One process probes while the others keep their sessions downloading."""
    sizes = ground.sizes
    loaders = PROCESSES * 2
    shared = [sizes.busy // loaders + (number < sizes.busy % loaders) for number in range(loaders)]

    def probe(context, ready):
        client = Client.logged_in(server, context)
        ready()

        def greet():
            Client.of(server, context).close()

        def times(once):
            found = []
            stop = time.monotonic() + sizes.seconds
            while not found or time.monotonic() < stop:
                start = time.perf_counter()
                once()
                found.append((time.perf_counter() - start) * 1e3)
                time.sleep(0.005)
            return found
        # One does not wait for the other.
        loops = [lambda: client.expect("NOOP", 200), greet]
        found = threads(2, lambda which: times(loops[which]))
        client.quit()
        return {f"{kind}_p{share}": percentile(values, share / 100)
                for kind, values in zip(("noop", "greeting"), found) for share in (50, 99)}

    def busy(number, context, ready):
        clients = threads(shared[number], lambda _: Client.logged_in(server, context))
        ready()

        def load(which):
            buffer = bytearray(BUSY_BYTES)
            moved = 0
            stop = time.monotonic() + sizes.seconds
            while moved == 0 or time.monotonic() < stop:
                moved += clients[which].download("RETR busy", buffer=buffer)[0]
            clients[which].quit()
            return moved
        return sum(threads(shared[number], load))

    def work(number, context, ready):
        return probe(context, ready) if number == loaders else busy(number, context, ready)

    with Crew(ground, loaders + 1, work, sizes.limit) as crew:
        crew.await_ready()
        start = time.perf_counter()
        crew.go()
        *moved, figures = crew.results()
        elapsed = time.perf_counter() - start
    return {**figures, "moved": sum(moved) / 1e6 / elapsed}


BIG = {"rate": Figure("MB/s", higher=True), "cpu": Figure("CPU s/GB")}

LOADS = {
    "connect": Load("connect, TLS, quit", short_sessions(connect), SHORT),
    "login": Load("login and quit, PAM with a cheap hash", short_sessions(login), SHORT,
                  system_only=True),
    "virtual": Load("login and quit, a virtual user with a cheap hash", short_sessions(login),
                    SHORT, {"virtual": True}),
    "retr": Load("RETR of a big file", retrieve, {
        **BIG, "raw": Figure("MB/s, client does not decrypt", higher=True)}),
    "stor": Load("STOR of a big file", store, BIG),
    "small": Load("4 KiB files, one session, resumed data connections", small, {
        key: figure for direction in ("down", "up") for key, figure in {
            f"{direction}_rate": Figure(f"{direction}: files/s", higher=True),
            f"{direction}_cpu": Figure(f"{direction}: CPU ms/file"),
            f"{direction}_resumed": Figure(f"{direction}: % resumed", True, False)}.items()}),
    "idle": Load("idle sessions, all processes", idle, {
        "memory": Figure("PSS KiB/session"),
        "processes": Figure("processes/session", compared=False)}),
    "many": Load("many clients at once: login, download, upload", many, {
        "time": Figure("seconds"), "cpu": Figure("CPU s")}),
    "list": Load("listings", listing, {
        key: figure for verb in ("LIST", "MLSD") for key, figure in {
            f"{verb}_time": Figure(f"{verb} ms"), f"{verb}_cpu": Figure(f"{verb} CPU ms"),
            f"{verb}_first": Figure(f"{verb} first byte ms"),
            f"{verb}_few_first": Figure(f"{verb} first byte ms, 100 names")}.items()}),
    "latency": Load("latency beside busy sessions", latency, {
        "noop_p50": Figure("NOOP p50 ms"), "noop_p99": Figure("NOOP p99 ms"),
        "greeting_p50": Figure("greeting p50 ms"), "greeting_p99": Figure("greeting p99 ms"),
        "moved": Figure("MB/s moved meanwhile", higher=True)}),
    "plain": Load("RETR of a big file in clear, which the administrator opted in to", retrieve,
                  BIG, {"plain": True}),
}
