"""How much one session may add to the logs: what waits, and what is dropped and counted."""

import re
import struct
import threading
import time

import pytest

import proc
from control import wait_until
from injection import Inside, channel_to_warden, needs_injection

LOG_ACTION, RECORD = 16, 17
DELETE = 5
# What a session may write into the logs of transfers in ten seconds.
MOST = 20_000
DROPPED = re.compile(r"lines of this session in the logs of transfers dropped: (\d+)$", re.MULTILINE)


@pytest.fixture
def taken(serve, account):
    """Starts daemons with a session that is logged in, and that somebody has taken over: the daemon,
    the client, the process, and its channel to the Warden."""
    def start(**options):
        gateway = serve(ssl_enable="NO", plain_system_logins="YES", **options)
        gateway.secrets.append(account.password)
        control = gateway.control()
        warden, = gateway.wardens()
        process, = proc.children(warden)
        channel = channel_to_warden(process)
        return gateway, control.login(account), process, channel
    return start


def say(process, channel, messages):
    with Inside(process) as session:
        for message in messages:
            assert session.call("sendto", channel, message, len(message), 0, 0, 0) == len(message)


def leave(gateway, session):
    session.expect("QUIT", 221)
    session.close()
    wait_until(lambda: not gateway.wardens(), 20, "the end of the session")


def dropped(gateway):
    return sum(map(int, DROPPED.findall(gateway.log)))


def most(start):
    """What may have been written since then, if a period ended meanwhile."""
    return MOST * ((time.monotonic() - start) // 10 + 2)


@needs_injection
def test_what_a_user_did_is_written_at_two_thousand_lines_a_second_and_none_is_lost(taken):
    gateway, session, process, channel = taken()
    count = 8000

    def messages():
        for number in range(count):
            line = b"invented %d." % number
            yield struct.pack("<BBI", LOG_ACTION, 2, len(line)) + line

    start = time.monotonic()
    say(process, channel, messages())
    wait_until(lambda: f"invented {count - 1}." in gateway.log, 20, "the last line")
    # The first second may have begun before.
    assert time.monotonic() - start > count / 2000 - 2
    told = [int(number) for number in re.findall(r"\binvented (\d+)\.", gateway.log)]
    assert told == list(range(count))
    assert "dropped" not in gateway.log
    assert session.alive()


@needs_injection
def test_what_a_session_invents_for_the_logs_of_transfers_is_dropped_and_counted(taken, tmp_path):
    log = tmp_path / "own"
    gateway, session, process, channel = taken(xferlog_enable="YES", vsftpd_log_file=log)
    count = 2 * MOST + 5000
    path = b"/invented"
    message = (struct.pack("<BBBBHQQI", RECORD, DELETE, 1, 0, 0, 0, 0, len(path)) + path
               + struct.pack("<I", 0))
    start = time.monotonic()
    say(process, channel, (message for _ in range(count)))
    leave(gateway, session)
    written = log.read_text().count('"/invented"')
    assert MOST - 10 < written <= most(start)
    assert written + dropped(gateway) == count


def test_a_conversation_crowds_out_nothing_of_what_was_done(taken, tmp_path):
    log = tmp_path / "own"
    gateway, session, _, _ = taken(xferlog_enable="YES", vsftpd_log_file=log, log_ftp_protocol="YES")
    count = 25_000
    start = time.monotonic()
    # Two lines each.
    flood = threading.Thread(target=session.raw, args=(b"NOOP\r\n" * count,))
    flood.start()
    for _ in range(count):
        session.next(200)
    flood.join()
    session.expect("MKD d", 257)
    leave(gateway, session)
    content = log.read_text()
    assert 'OK MKDIR: Client "127.0.0.1", "/d"' in content
    written = content.count("FTP command:") + content.count("FTP response:")
    assert MOST - 10 < written <= most(start)
    assert written + dropped(gateway) >= 2 * count
