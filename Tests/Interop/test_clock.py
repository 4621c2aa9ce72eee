"""The wall clock jumps (FIELD.md E15): nothing in the server goes by it."""

import mmap
import struct
import time

import pytest

from compiling import compile_library
from control import finish, read_all, wait_until
from refusals import time_of_refusal

YEARS = 5 * 365 * 24 * 3600

# Every process of the daemon is forked from the one that maps the page, and so sees it change.
SHIFT = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shift;

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("CLOCK_SHIFT"), O_RDONLY | O_CLOEXEC);
    if (file < 0) _exit(99);
    shift = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (shift == MAP_FAILED) _exit(99);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *shift;
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec time;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec value;
    clock_gettime(CLOCK_REALTIME, &value);
    if (now) *now = value.tv_sec;
    return value.tv_sec;
}
"""


@pytest.fixture(scope="session")
def shifting_library(tmp_path_factory):
    return compile_library(tmp_path_factory.mktemp("clock"), "shift", SHIFT)


class Clock:
    """The daemon's wall clock, which a test sets forward and back."""

    def __init__(self, page):
        self.page = page

    def jump(self, seconds):
        self.page[:8] = struct.pack("=q", struct.unpack("=q", self.page[:8])[0] + seconds)


@pytest.fixture
def jumping(serve, shifting_library, tmp_path):
    """Starts a daemon whose clock a test sets; gives both."""
    place = tmp_path / "shift"
    place.write_bytes(bytes(4096))
    with open(place, "r+b") as file, mmap.mmap(file.fileno(), 4096) as page:
        environment = {"LD_PRELOAD": str(shifting_library), "CLOCK_SHIFT": str(place)}
        yield lambda **options: (serve(environment=environment, **options), Clock(page))


@pytest.mark.parametrize("years", [1, -1])
def test_the_clock_of_these_tests_jumps(jumping, account, years):
    gateway, clock = jumping()
    clock.jump(years * YEARS)
    gateway.session(account)
    year = time.gmtime(time.time() + years * YEARS).tm_year
    wait_until(lambda: f"{year}-" in gateway.log, what="a line of another year")


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("years", [1, -1])
def test_sessions_and_their_tickets_live_on(jumping, account, version, years):
    account.sparse("big", 1 << 26)
    gateway, clock = jumping(require_ssl_reuse="YES", idle_session_timeout="60",
                             data_connection_timeout="60")
    idle = gateway.session(account, version)
    session = gateway.session(account, version)
    session.store("STOR f", b"content", resume=True)
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data, resume=True)
    received = len(data.recv(1000))
    clock.jump(years * YEARS)
    received += len(read_all(data))
    finish(data)
    session.next(226)
    assert received == 1 << 26
    for _ in range(2):
        assert session.retrieve("RETR f", resume=True) == b"content"
    session.store("STOR g", b"more", resume=True)
    assert idle.alive()
    assert idle.retrieve("RETR g", resume=True) == b"more"
    # New ones too.
    fresh = gateway.session(account, version)
    assert fresh.retrieve("RETR g", resume=True) == b"more"


def test_rates_and_timeouts_go_on_as_before(jumping, account):
    account.sparse("f", 300_000)
    gateway, clock = jumping(local_max_rate="200000", idle_session_timeout="2")
    session = gateway.session(account)
    start = time.monotonic()
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    data.recv(1000)
    clock.jump(YEARS)
    received = 1000 + len(data.recv(50_000))
    clock.jump(-2 * YEARS)
    received += len(read_all(data))
    finish(data)
    session.next(226)
    # Neither at once nor never.
    assert received == 300_000 and 0.4 < time.monotonic() - start < 10
    clock.jump(2 * YEARS)
    assert session.alive()
    start = time.monotonic()
    clock.jump(-YEARS)
    session.next(421)
    assert 1 < time.monotonic() - start < 10


def test_bans_and_delays_last_as_long(jumping, account):
    gateway, clock = jumping(ban_failures="2", ban_time="60", delay_failed_login="1")
    assert 0.9 < time_of_refusal(gateway, account.name, attempts=1, count=2) < 10
    for seconds in (YEARS, -2 * YEARS):
        clock.jump(seconds)
        refused = gateway.control(greet=False)
        assert refused.next(421) and refused.ended()


@pytest.mark.parametrize("years", [1, -1])
def test_the_end_of_the_server_takes_no_longer(jumping, account, years):
    account.sparse("big", 1 << 28)
    gateway, clock = jumping(shutdown_timeout="1")
    session = gateway.session(account)
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    data.recv(1)
    gateway.terminate()
    clock.jump(years * YEARS)
    assert gateway.process.wait(20) == 0
    data.close()
