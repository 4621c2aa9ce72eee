"""A Warden whose session asked for nothing serves the next one, and nothing of the first is left."""

import collections
import os
import re
import signal

import pytest

import proc
from control import wait_until
from test_processes import Group, group_of

# More connections than one process serves.
MANY = 60


def enter(gateway):
    """A client that is greeted, and the processes of its session; others may be free."""
    control = wait_until(lambda: greeted(gateway), what="room for a client")
    control.secure()
    return control, wait_until(
        lambda: next((found for warden in gateway.wardens()
                      if (found := Group(gateway, None, warden)).session), None),
        what="the processes of the session")


def greeted(gateway):
    control = gateway.control()
    return control if control.greeting.code == 220 else None


def leave(control, processes):
    control.expect("QUIT", 221)
    control.close()
    wait_until(lambda: processes.session not in proc.children(processes.warden),
               what="the end of the session")


def visit(gateway):
    """The processes of a session that asked for nothing."""
    control, processes = enter(gateway)
    leave(control, processes)
    return processes


@pytest.fixture
def quiet(serve, root):
    return serve(max_per_ip="0")


def test_a_warden_serves_the_next_client_with_another_session(quiet):
    visits = [visit(quiet) for _ in range(10)]
    assert len({processes.warden for processes in visits}) < 10
    assert len({processes.session for processes in visits}) == 10


def test_each_session_has_its_own_name_and_client_in_the_log(quiet):
    clients = []
    for _ in range(3):
        control = quiet.control().secure()
        clients.append("%s:%d" % control.socket.getsockname()[:2])
        control.expect("QUIT", 221)
        control.close()
    wait_until(lambda: quiet.log.count("disconnected") == 3, what="the end of the sessions")
    for client in clients:
        lines = [line for line in quiet.log.splitlines() if f"peer={client} " in line]
        assert [line.rsplit("] ", 1)[1].split(":")[0] for line in lines] \
            == ["connected", "TLS established", "disconnected"]
        assert len({re.search(r"session=(\w+)", line)[1] for line in lines}) == 1
    assert len(set(re.findall(r"session=(\w+)", quiet.log))) == 3


def test_after_a_login_that_was_tried_the_warden_ends(quiet, account):
    control = quiet.control().secure().protect()
    processes = group_of(quiet)
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS wrong-password", 530)
    control.expect("QUIT", 221)
    wait_until(lambda: proc.identity(processes.warden) is None, what="the end of the Warden")


def test_after_a_login_the_warden_ends(quiet, account):
    session = quiet.session(account)
    processes = group_of(quiet, account)
    session.expect("QUIT", 221)
    wait_until(lambda: proc.identity(processes.warden) is None, what="the end of the Warden")


def test_after_a_session_that_did_not_end_by_itself_the_warden_ends(quiet):
    quiet.control().secure()
    processes = group_of(quiet)
    os.kill(processes.session, signal.SIGKILL)
    wait_until(lambda: proc.identity(processes.warden) is None, what="the end of the Warden")


def test_a_warden_that_nobody_needs_ends_soon(quiet):
    visit(quiet)
    wait_until(lambda: not quiet.wardens(), 5, "the end of the Warden")


def test_a_free_warden_that_is_killed_is_missed_by_nobody(quiet):
    visit(quiet)
    killed = quiet.wardens()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    # One that is still about to end may be given a client, who is cut off with it.
    wait_until(lambda: not any(proc.identity(pid) for pid in killed), what="the end of the Wardens")
    assert visit(quiet).warden not in killed


def test_no_process_serves_for_ever(quiet):
    wardens = collections.Counter(visit(quiet).warden for _ in range(MANY))
    assert 1 < len(wardens) < MANY / 2
    assert max(wardens.values()) <= 50


def test_free_wardens_are_no_clients(serve, root):
    gateway = serve(max_clients="1")
    wardens = {visit(gateway).warden for _ in range(10)}
    assert len(wardens) < 10


def test_what_was_read_anew_holds_for_the_next_session(serve, root, tmp_path):
    file = tmp_path / "portcullis.conf"
    file.write_text("ftpd_banner=before\n")
    gateway = serve(config=file)
    control, before = enter(gateway)
    assert "before" in control.greeting.text
    leave(control, before)
    file.write_text("ftpd_banner=after\n")
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates loaded" in gateway.log, what="the reload")
    control, after = enter(gateway)
    assert "after" in control.greeting.text
    assert after.warden != before.warden


def test_a_session_that_was_there_at_a_reload_is_its_wardens_last(quiet):
    control = quiet.control().secure()
    processes = group_of(quiet)
    quiet.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates loaded" in quiet.log, what="the reload")
    control.expect("QUIT", 221)
    wait_until(lambda: proc.identity(processes.warden) is None, what="the end of the Warden")


def kinds(paths):
    return sorted(re.sub(r"\d+", "", path) for path in paths)


def test_the_next_session_has_no_page_and_no_channel_of_the_first(serve, root, place):
    gateway = serve(admin_socket=place / "admin", metrics_address="127.0.0.1:0",
                    audit_log_file=place / "audit", log_ftp_protocol="YES",
                    dual_log_enable="YES", xferlog_file=place / "xferlog",
                    vsftpd_log_file=place / "log")
    found = collections.defaultdict(list)
    for _ in range(10):
        control, processes = enter(gateway)
        # Whatever the Warden maps for the session, it has mapped by then.
        control.expect("NOOP", 200)
        found[processes.warden].append((
            [name for _, name in proc.mappings(processes.session) if "memfd:portcullis" in name],
            kinds(proc.descriptors(processes.session).values()),
            kinds(proc.descriptors(processes.warden).values())))
        leave(control, processes)
    (pages, held, of_warden), *later = max(found.values(), key=len)
    assert later and len(pages) == 1
    for more in later:
        assert more[:2] == (pages, held)
        # The first has its own copy of the page of the session.
        assert not collections.Counter(more[2]) - collections.Counter(of_warden)
