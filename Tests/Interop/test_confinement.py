"""What the kernel lets each process do: as /proc shows it, and as a process that somebody has taken
over finds it."""

import mmap
import os
import pwd
import resource
import socket
import struct
import subprocess

import pytest

import gateway as daemon
import proc
from confining import (
    KEPT, PRIVILEGED, UNPRIVILEGED, capabilities, environment, every_role, limits, roles)
from control import wait_until
from hostile_calls import (
    ABSENT, ALLOWED, ANSWERED, AT_FDCWD, EVERYTHING, KERNEL, MSG_FASTOPEN, NETWORK, PRIVILEGE,
    SCRATCH, attempt)
from injection import KILLED, Inside, inside, needs_injection

PR_GET_DUMPABLE = 3
READ_WRITE, MAP_NORESERVE = 3, 0x4000


@pytest.fixture
def session(place, serve, account):
    gateway = serve(**every_role(place))
    return gateway, gateway.session(account), roles(gateway)


def test_every_process_has_given_up_what_it_needs_no_more(session, account):
    _, _, processes = session
    nobody = pwd.getpwnam("nobody")
    for name, pid in processes.items():
        status = proc.status(pid)
        # A container may have less to give.
        kept = KEPT & capabilities() if name in PRIVILEGED else 0
        assert {key: int(status[key], 16) for key in
                ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {
                    "CapInh": 0, "CapPrm": kept, "CapEff": kept, "CapBnd": kept, "CapAmb": 0}, name
        assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1"), name
        uid, gid, groups = {
            "ftps-agent": (account.uid, account.gid, account.groups),
            "ftps-listener": (0, 0, None), "ftps-warden": (0, 0, None),
        }.get(name, (nobody.pw_uid, nobody.pw_gid, []))
        assert proc.numbers(status["Uid"]) == [uid] * 4, name
        assert proc.numbers(status["Gid"]) == [gid] * 4, name
        if groups is not None:
            assert sorted(proc.numbers(status["Groups"])) == groups, name
        assert environment(pid) == b"", name


def test_every_process_is_held_to_limits(session):
    _, _, processes = session
    for name, pid in processes.items():
        held = limits(pid)
        assert held["Max core file size"] == ["0", "0"], name
        # Soft limits alone are what root's processes may raise again.
        soft, hard = map(int, held["Max open files"])
        if name in PRIVILEGED:
            assert soft <= {"ftps-listener": 65536, "ftps-warden": 1024}[name], name
        elif name in ("ftps-signer", "ftps-auditor"):
            # A channel of each session.
            assert soft == hard <= 65536
        else:
            # 256 strangers at a passive port, beside the few that each process has; and what all
            # Agents of one user may have on the way to their Sessions.
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            wanted = {"ftps-session": 64 + 256, "ftps-agent": min(16384, most)}
            assert soft == hard == wanted.get(name, 64), name
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
            goes_first = int(file.read()) >= 500
        assert goes_first == (name in ("ftps-session", "ftps-agent")), name
        if name in UNPRIVILEGED:
            assert held["Max processes"] == ["0", "0"], name
            size = proc.kibibytes(pid, "VmSize") << 10
            assert size < int(held["Max address space"][1]) < 1 << 30, name
    for name in ("ftps-signer", "ftps-clerk", "ftps-metrics"):
        assert limits(processes[name])["Max file size"] == ["0", "0"], name


def test_the_largest_file_is_a_limit_of_session_and_agent(place, serve, account):
    gateway = serve(max_file_size="1000000", **every_role(place))
    gateway.session(account)
    processes = roles(gateway)
    for name in ("ftps-session", "ftps-agent"):
        assert limits(processes[name])["Max file size"][0] == "1000000", name


@needs_injection
@pytest.mark.parametrize("role", UNPRIVILEGED)
def test_no_process_fills_the_memory_of_the_machine(session, account, role):
    gateway, client, processes = session
    with Inside(processes[role]) as process:
        for kind in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            flags = kind | mmap.MAP_ANONYMOUS | MAP_NORESERVE
            assert process.call("mmap", 0, 1 << 30, READ_WRITE, flags, -1, 0) == "ENOMEM", kind
            taken = 0
            while isinstance(process.call("mmap", 0, 1 << 26, READ_WRITE, flags, -1, 0), int):
                taken += 1 << 26
                assert taken <= 1 << 29
            # Enough for whatever it has to do.
            assert taken >= 1 << 28 or kind == mmap.MAP_SHARED
        # The others go on; but not while who signs their handshakes, or writes down what they do,
        # stands still.
        if role not in ("ftps-signer", "ftps-auditor"):
            assert gateway.session(account).store("STOR f", b"x").code == 226
    if role not in ("ftps-session", "ftps-agent"):
        assert client.alive()


@needs_injection
def test_no_process_has_a_memory_that_others_may_see(session):
    _, client, processes = session
    for name in PRIVILEGED:
        assert inside(processes[name], "prctl", PR_GET_DUMPABLE) == 0, name
    for name in UNPRIVILEGED:
        assert os.stat(f"/proc/{processes[name]}/mem").st_uid == 0, name
    assert client.alive()


@pytest.fixture
def inheriting(monkeypatch, serve):
    """Starts daemons with more descriptors and variables than they should have."""
    def start(descriptors=(), variables=None, **options):
        class Popen(subprocess.Popen):
            def __init__(self, *arguments, **settings):
                settings["env"] = {**(settings.get("env") or os.environ), **(variables or {})}
                super().__init__(*arguments, pass_fds=descriptors, **settings)
        monkeypatch.setattr(daemon.subprocess, "Popen", Popen)
        return serve(**options)
    return start


def test_nothing_is_inherited(place, inheriting, account, tmp_path):
    witness = tmp_path / "witness"
    witness.write_text(
        f"#!/bin/sh\nenv >{tmp_path}/seen\nls -l /proc/self/fd >>{tmp_path}/seen\n")
    witness.chmod(0o755)
    (tmp_path / "portcullis").write_text(
        f"auth required pam_unix.so\nauth required pam_exec.so quiet {witness}\n"
        "account required pam_unix.so\nsession required pam_permit.so\n")
    secret = "what-no-process-keeps"
    hostile = {"HOSTALIASES": "/tmp/x", "LOCPATH": "/tmp/x", "GCONV_PATH": "/tmp/x",
               "RES_OPTIONS": "ndots:9", "BASH_ENV": "/tmp/x", "ENV": "/tmp/x",
               "LD_LIBRARY_PATH": "/nonexistent", "MALLOC_CHECK_": "3", "A_SECRET": secret}
    with open(tmp_path / "foreign", "w+b") as foreign, socket.socket() as other:
        numbers = [foreign.fileno(), other.fileno(), os.dup2(foreign.fileno(), 900)]
        gateway = inheriting(numbers, hostile, pam_conf_dir=tmp_path, **every_role(place))
        os.close(900)
        inode = os.fstat(other.fileno()).st_ino
        gateway.session(account)
        for name, pid in roles(gateway).items():
            targets = set(proc.descriptors(pid).values())
            assert str(tmp_path / "foreign") not in targets, name
            assert f"socket:[{inode}]" not in targets, name
            assert environment(pid) == b"", name
            assert not proc.memory_holds(pid, [secret.encode()]), name
    seen = (tmp_path / "seen").read_text()
    assert "PAM_USER=" in seen and "foreign" not in seen
    assert not [name for name in hostile if f"{name}=" in seen]


def test_closed_standard_descriptors_are_no_place_for_a_socket(serve, account, tmp_path):
    """A daemon that is started without them must not greet clients with its log."""
    log = tmp_path / "log"
    starter = tmp_path / "starter"
    starter.write_text(f'#!/bin/sh\nexec <&- 2>{log} {daemon.BINARY} "$@" 2>&-\n')
    starter.chmod(0o755)
    before, daemon.BINARY = daemon.BINARY, starter
    try:
        gateway = serve()
    finally:
        daemon.BINARY = before
    gateway.session(account).store("STOR f", b"x")
    for number in (0, 2):
        assert proc.descriptors(gateway.pid)[number] == "/dev/null"


@needs_injection
@pytest.mark.parametrize("role", UNPRIVILEGED)
def test_a_process_that_is_taken_over_can_do_nothing_else(
        place, daemons, account, victim, role):
    answers = ANSWERED[role]
    tried = set(EVERYTHING) - ALLOWED.get(role, set())
    gateway = daemons(**every_role(place))
    session = gateway.session(account)
    with Inside(roles(gateway)[role]) as process:
        for what in tried & set(answers):
            assert attempt(process, what, victim) == answers[what], what
    # It goes on as if nothing had happened.
    assert session.alive()
    session.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    for what in sorted(tried - set(answers)):
        if role not in ("ftps-session", "ftps-agent"):
            gateway.close_clients()
            gateway._kill()
            gateway = daemons(**every_role(place))
        else:
            session = gateway.session(account)
        target = wait_until(lambda: [pid for pid in proc.tree(gateway.pid)
                                     if proc.name(pid) == role], what=role)[0]
        with Inside(target) as process:
            assert attempt(process, what, victim) == KILLED, what
        session.close()
        wait_until(lambda: not gateway.wardens(), what="the end of the session")


def test_nobody_who_hears_the_network_has_standard_error(session):
    gateway, client, processes = session
    pipe = os.fstat(gateway.process.stderr.fileno()).st_ino
    holders = {name for name, pid in processes.items()
               if f"pipe:[{pipe}]" in proc.descriptors(pid).values()}
    # The Auditor tells of the disk.
    assert holders == {"ftps-listener", "ftps-warden", "ftps-auditor"}
    assert client.alive()


@needs_injection
def test_the_resolver_reads_what_is_everybodys_and_loads_its_modules(session):
    gateway, client, processes = session
    with Inside(processes["ftps-resolver"]) as resolver:
        for what in sorted(ALLOWED["ftps-resolver"]):
            assert isinstance(attempt(resolver, what, None), int), what
        # Landlock: neither /proc nor /tmp, and no port but that of name servers.
        assert resolver.call("openat", AT_FDCWD, b"/proc/self/status", os.O_RDONLY) == "EACCES"
        assert resolver.call("openat", AT_FDCWD, b"/tmp", os.O_RDONLY) == "EACCES"
        stream = resolver.call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
        port = struct.pack("=H", socket.AF_INET) + struct.pack("!H", gateway.port)
        address = port + socket.inet_aton("127.0.0.1") + bytes(8)
        assert resolver.call("connect", stream, address, 16) == "EACCES"
    assert client.alive()


@needs_injection
def test_a_passive_listener_is_no_way_to_somebody_else(place, daemons, account):
    """A socket that listened can be connected by sending, and Landlock does not see that."""
    gateway = daemons(**every_role(place))
    session = gateway.session(account)
    session.passive_port()
    pid = roles(gateway)["ftps-session"]
    sockets = {f"socket:[{inode}]": state for inode, state in proc.internet_sockets().items()}
    listener, = [number for number, target in proc.descriptors(pid).items()
                 if sockets.get(target) == "0A"]
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        address = (struct.pack("=H", socket.AF_INET) + struct.pack("!H", stranger.getsockname()[1])
                   + socket.inet_aton("127.0.0.1") + bytes(8))
        with Inside(pid) as process:
            assert process.call("shutdown", listener, socket.SHUT_RDWR) == 0
            assert process.call(
                "sendto", listener, b"x", 1, MSG_FASTOPEN, address, len(address)) == KILLED
        stranger.settimeout(0.2)
        with pytest.raises(TimeoutError):
            stranger.accept()


@needs_injection
@pytest.mark.parametrize("role", PRIVILEGED)
def test_root_in_a_warden_is_not_root_of_the_machine(session, tmp_path, role):
    _, client, processes = session
    # It looks into no process of its own uid either, which keeps more rights than it has.
    others = [b"/proc/%d/%s" % (processes[name], file) for name in processes
              for file in (b"mem", b"environ") if processes[name] != processes[role]]
    with Inside(processes[role]) as process:
        for path in others:
            assert process.call("openat", AT_FDCWD, path, os.O_RDONLY) == "EACCES", path
        for what, call in PRIVILEGE.items():
            assert process.call(*call) == "EPERM", what
        for what, call in ABSENT.items():
            assert process.call(*call) == "ENOSYS", what
        assert process.call(*NETWORK["make_a_packet_socket"]) == "EAFNOSUPPORT"
        # Raw sockets and the files of /proc that belong to the machine take what is not there.
        assert process.call("socket", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) == "EPERM"
        for what in ("make_a_socket_of_many_paths", "look_at_sockets"):
            assert process.call(*NETWORK[what]) == "EPROTONOSUPPORT", what
        assert process.call("mknodat", AT_FDCWD, bytes(tmp_path / "x"), 0o020600, 0x0101) == "EPERM"
        assert process.call("ioctl", 0, 0x5412, SCRATCH) == "EPERM"
        # A call that came after this program was written.
        assert process.call("mseal", 0, 0, 0) == "ENOSYS"
    assert client.alive()


@needs_injection
@pytest.mark.parametrize("role", PRIVILEGED)
def test_what_no_login_needs_ends_a_privileged_process(daemons, account, victim, role):
    gateway = daemons()
    for what in sorted(KERNEL):
        if role == "ftps-listener":
            gateway = daemons()
        gateway.control().secure()
        known = {proc.name(pid): pid for pid in [gateway.pid, *proc.tree(gateway.pid)]}
        with Inside(known[role]) as process:
            assert attempt(process, what, victim) == KILLED, what
        gateway.close_clients()
        if role == "ftps-listener":
            gateway._kill()
        else:
            wait_until(lambda: not gateway.wardens(), what="the end of the session")


@needs_injection
def test_a_report_in_place_of_refusals_is_for_development(place, serve, account):
    gateway = serve(seccomp_report="YES", **every_role(place))
    gateway.session(account)
    assert "seccomp_report=YES is for development" in gateway.log
    processes = roles(gateway)
    for name in UNPRIVILEGED:
        assert proc.status(processes[name])["Seccomp"] == "2", name
        with Inside(processes[name]) as process:
            assert process.call("getsid", 0) != KILLED, name
            assert process.call("kill", processes[name], 0) == 0, name
    with Inside(processes["ftps-warden"]) as warden:
        assert warden.call(*KERNEL["load_a_program"]) not in (KILLED, "ENOSYS")
        # Capabilities are none of the filter's.
        assert warden.call(*PRIVILEGE["mount_another_way"]) == "EPERM"


@needs_injection
def test_a_pam_stack_that_needs_more_gets_it_by_an_option(place, serve, account):
    gateway = serve(pam_sandbox="NO", **every_role(place))
    gateway.session(account)
    assert "pam_sandbox=NO" in gateway.log
    processes = roles(gateway)
    for name in PRIVILEGED:
        status = proc.status(processes[name])
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("0", "0"), name
        assert int(status["CapEff"], 16) == capabilities(), name
        assert inside(processes[name], *PRIVILEGE["unmount"]) == "ENOENT", name
        assert inside(processes[name], "prctl", PR_GET_DUMPABLE) == 0, name
    for name in UNPRIVILEGED:
        status = proc.status(processes[name])
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), name
        assert int(status["CapBnd"], 16) == 0, name
