"""The privilege separation as /proc shows it, and what the death of one part does to the others."""

import os
import pwd
import signal

import pytest

import proc
from confining import environment
from control import wait_until
from uploading import roles

LISTEN, ESTABLISHED = "0A", "01"
PROTECTED = "root only"


class Group:
    """The processes of one session: its Warden, its Session and, after login, its Agent."""

    def __init__(self, gateway, account, warden):
        nobody = pwd.getpwnam("nobody").pw_uid
        self.warden = warden
        self.session = self.agent = None
        for child in proc.children(warden):
            uid = proc.numbers(proc.status(child)["Uid"])[0]
            if uid == nobody:
                self.session = child
            elif account and uid == account.uid:
                self.agent = child


def group_of(gateway, account=None, known=()):
    warden, = [pid for pid in gateway.wardens() if pid not in known]
    return wait_until(
        lambda: (found := Group(gateway, account, warden)).session
        and (found.agent or not account) and found,
        what="the processes of the session")


def assert_confined(pid, uid, gid, groups):
    status = proc.status(pid)
    assert proc.numbers(status["Uid"]) == [uid] * 4
    assert proc.numbers(status["Gid"]) == [gid] * 4
    assert sorted(proc.numbers(status["Groups"])) == groups
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Threads"] == "1"


def test_before_login_only_the_unprivileged_session_talks_to_the_network(gateway, root):
    control = gateway.control().secure()
    processes = group_of(gateway)
    nobody = pwd.getpwnam("nobody")
    assert proc.children(processes.warden) == [processes.session]
    assert_confined(processes.session, nobody.pw_uid, nobody.pw_gid, [])
    assert proc.internet_states(processes.session) == [ESTABLISHED]
    assert proc.internet_states(processes.warden) == []
    assert proc.internet_states(gateway.pid) == [LISTEN]
    assert control.alive()


def test_after_login_the_agent_is_the_user_and_has_no_network(gateway, account):
    session = gateway.session(account)
    processes = group_of(gateway, account)
    nobody = pwd.getpwnam("nobody")
    assert sorted(proc.children(processes.warden)) == sorted([processes.session, processes.agent])
    assert_confined(processes.session, nobody.pw_uid, nobody.pw_gid, [])
    assert_confined(processes.agent, account.uid, account.gid, account.groups)
    assert proc.internet_states(processes.agent) == []
    assert proc.internet_states(processes.warden) == []
    session.passive_port()
    assert proc.internet_states(processes.session) == [ESTABLISHED, LISTEN]
    assert proc.internet_states(gateway.pid) == [LISTEN]


def test_the_session_holds_no_file(gateway, account):
    gateway.session(account)
    processes = group_of(gateway, account)
    for pid in (processes.session, processes.agent):
        paths = [path for path in proc.descriptors(pid).values()
                 if path.startswith("/") and path != "/dev/null"
                 and not (pid == processes.agent and path == str(account.home))]
        assert paths == []


def test_every_process_has_one_thread(gateway, account):
    gateway.session(account)
    group_of(gateway, account)
    for pid in [gateway.pid, *proc.tree(gateway.pid)]:
        assert proc.status(pid)["Threads"] == "1"


def test_the_parts_do_not_see_each_others_memory(gateway, account):
    gateway.session(account)
    processes = group_of(gateway, account)
    for pid in (processes.session, processes.agent):
        # A process that cannot be traced by its own user has files in /proc that belong to root.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0


def test_no_memory_can_be_written_and_run(gateway, account):
    """Nor can the copy of the code in large pages, which all of them share."""
    session = gateway.session(account)
    for pid in [gateway.pid, *proc.tree(gateway.pid)]:
        mapped = list(proc.mappings(pid))
        assert any("x" in rights for rights, _ in mapped)
        assert not [(rights, name) for rights, name in mapped if {"w", "x"} <= set(rights)]
        assert not [name for rights, name in mapped if "memfd:text" in name and "w" in rights]
    assert session.alive()


def test_the_agent_does_not_remember_what_pam_has_read(gateway, account, other_account):
    with open("/etc/shadow", encoding="utf-8") as shadow:
        hashes = {fields[0]: fields[1].encode() for fields in (line.split(":") for line in shadow)}
    session = gateway.session(account)
    session.store("STOR x", b"content")
    agent, = [pid for pid in proc.tree(gateway.pid) if proc.name(pid) == "ftps-agent"]
    assert proc.memory_holds(agent, [account.name.encode()]), "the search itself finds nothing"
    others = [value for name, value in hashes.items()
              if name != account.name and value.startswith(b"$")]
    assert hashes[other_account.name] in others
    assert not proc.memory_holds(agent, others)


def test_uploads_belong_to_the_user(gateway, account):
    session = gateway.session(account)
    session.store("STOR f", b"x")
    session.expect("MKD d", 257)
    for name in ("f", "d"):
        facts = (account.home / name).stat()
        assert (facts.st_uid, facts.st_gid) == (account.uid, account.gid)


def test_the_kernel_judges_by_the_users_rights(gateway, account):
    path = account.home / PROTECTED
    path.write_bytes(b"secret")
    path.chmod(0o600)
    shared = account.home / "shared"
    shared.write_bytes(b"for the group")
    os.chown(shared, 0, [gid for gid in account.groups if gid != account.gid][0])
    shared.chmod(0o640)
    sticky = account.home / "closed"
    sticky.mkdir(mode=0o755)
    session = gateway.session(account)
    for line in (f"RETR {PROTECTED}", f"STOR {PROTECTED}", f"APPE {PROTECTED}", "STOR closed/x"):
        session.passive_port()
        session.expect(line, 550, 553)
    session.expect(f"SITE CHMOD 644 {PROTECTED}", 550)
    session.expect("MKD closed/x", 550)
    assert path.read_bytes() == b"secret" and path.stat().st_mode & 0o777 == 0o600
    assert session.retrieve("RETR shared") == b"for the group"


@pytest.mark.parametrize("victim", ["session", "agent", "warden"])
def test_the_death_of_one_part_ends_its_own_session_only(gateway, account, victim):
    first = gateway.session(account)
    doomed = group_of(gateway, account)
    second = gateway.session(account)
    group_of(gateway, account, known=[doomed.warden])
    os.kill(getattr(doomed, victim), signal.SIGKILL)
    try:
        # A command may still be answered before the death is noticed.
        first.send("CWD /")
        assert first.ended(250, 421, 450, 451, 550)
    except ConnectionError:
        pass
    wait_until(lambda: not any(proc.identity(pid) for pid in
                               (doomed.warden, doomed.session, doomed.agent)),
               what="the end of the whole group")
    second.store("STOR f", b"still here")
    assert second.retrieve("RETR f") == b"still here"
    assert gateway.session(account).alive()


def test_the_death_of_the_session_ends_its_transfer_only(gateway, account):
    account.sparse("big", 1 << 28)
    first = gateway.session(account)
    doomed = group_of(gateway, account)
    data = first.connect_data()
    first.expect("RETR big", 150)
    data = first.wrap_data(data)
    assert data.recv(1000)
    os.kill(doomed.session, signal.SIGKILL)
    with data, pytest.raises((OSError, EOFError)):
        while data.recv(1 << 18):
            pass
        raise EOFError
    assert gateway.session(account).alive()


def test_a_session_that_ends_leaves_nothing(gateway, account):
    for _ in range(5):
        session = gateway.session(account)
        session.store("STOR f", b"x")
        session.expect("QUIT", 221)
    wait_until(lambda: proc.tree(gateway.pid) == gateway.signers(), what="the end of every session")
    assert proc.internet_states(gateway.pid) == [LISTEN]
    before = len(proc.descriptors(gateway.pid))
    for _ in range(5):
        gateway.session(account).close()
    wait_until(lambda: proc.tree(gateway.pid) == gateway.signers(), what="the end of every session")
    # What was for a Warden is closed a moment after its end.
    wait_until(lambda: len(proc.descriptors(gateway.pid)) <= before, what="what sessions have left")


@pytest.mark.parametrize("tunables", [None, "glibc.malloc.tcache_count=7"])
def test_the_server_starts_without_lists_of_freed_memory(serve, root, tunables):
    """glibc takes its tunables when a program starts, so the server starts itself anew; not where the
    administrator has set some."""
    variables = {} if tunables is None else {"GLIBC_TUNABLES": tunables}
    gateway = serve(environment=variables)
    started = proc.started_as(gateway.pid)
    assert (started == b"/proc/self/exe") == (tunables is None), started
    assert environment(gateway.pid) == b""


def test_a_session_copies_little_of_what_openssl_has_made(gateway, account):
    """What a session writes to lies together; it is about thirty kilobytes among seven hundred."""
    gateway.session(account)
    theirs = proc.anonymous(gateway.pid, 4 << 20)
    own = proc.anonymous(roles(gateway)["session"], 4 << 20)
    assert len(theirs) > 100
    copies = [address for address, page in own.items() if theirs.get(address) != page]
    assert 0 < len(copies) < 12, len(copies)
