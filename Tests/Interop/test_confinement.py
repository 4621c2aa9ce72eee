"""What the kernel lets each process do: as /proc shows it, and as a process that somebody has taken
over finds it."""

import ctypes
import os
import pwd
import signal
import socket
import struct
import subprocess

import pytest

import gateway as daemon
import injection
import proc
from control import wait_until
from injection import KILLED, Inside, inside

RESOLVING = {"pasv_address": "localhost", "pasv_addr_resolve": "YES"}
UNPRIVILEGED = ["ftps-signer", "ftps-session", "ftps-resolver", "ftps-agent"]
PRIVILEGED = ["ftps-listener", "ftps-warden"]

# SETUID, SETGID, KILL, SETPCAP, SYS_RESOURCE, SYS_NICE, DAC_OVERRIDE, CHOWN, FOWNER, FSETID,
# NET_BIND_SERVICE, AUDIT_WRITE, AUDIT_CONTROL
KEPT = sum(1 << number for number in (7, 6, 5, 8, 24, 23, 1, 0, 3, 4, 10, 29, 30))

AT_FDCWD = -100
PR_GET_DUMPABLE = 3
MSG_FASTOPEN = 0x20000000
PROT_EXEC = 4

needs_injection = pytest.mark.skipif(
    not injection.is_possible, reason="the registers of x86_64 are all that it knows")


def roles(gateway):
    """Process by name, of a daemon with one session that is logged in."""
    def find():
        found = {proc.name(pid): pid for pid in [gateway.pid, *proc.tree(gateway.pid)]}
        return found if set(found) == set(UNPRIVILEGED + PRIVILEGED) else None
    return wait_until(find, what="every process of a session")


def capabilities(pid="self"):
    return int(proc.status(pid)["CapPrm"], 16)


def limits(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        return {line[:26].strip(): line[26:].split()[:2] for line in file.readlines()[1:]}


def environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read().strip(b"\0")


@pytest.fixture
def session(serve, account):
    gateway = serve(**RESOLVING)
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
        files = {"ftps-listener": 65536, "ftps-signer": 65536, "ftps-warden": 1024,
                 "ftps-session": 320}.get(name, 64)
        # Soft limits alone are what root's processes may raise again.
        assert int(held["Max open files"][name in UNPRIVILEGED]) <= files, name
        if name in UNPRIVILEGED:
            assert held["Max processes"] == ["0", "0"], name
    assert limits(processes["ftps-signer"])["Max file size"] == ["0", "0"]


def test_the_largest_file_is_a_limit_of_session_and_agent(serve, account):
    gateway = serve(max_file_size="1000000", **RESOLVING)
    gateway.session(account)
    processes = roles(gateway)
    for name in ("ftps-session", "ftps-agent"):
        assert limits(processes[name])["Max file size"][0] == "1000000", name


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


def test_nothing_is_inherited(inheriting, account, tmp_path):
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
        gateway = inheriting(numbers, hostile, pam_conf_dir=tmp_path, **RESOLVING)
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


# What somebody who has taken a process over would try: the call and its arguments.
# VICTIM stands for a process of the test's own, SCRATCH for an address that cannot be used.
VICTIM, SCRATCH = "victim", 1
FILES = {
    "open": ("openat", AT_FDCWD, b"/etc/passwd", os.O_RDONLY),
    "open_another_way": ("openat2", AT_FDCWD, b"/etc/passwd", struct.pack("=3Q", 0, 0, 0), 24),
    "see_others": ("openat", AT_FDCWD, b"/proc/1/environ", os.O_RDONLY),
}
NETWORK = {
    "make_a_socket": ("socket", socket.AF_INET, socket.SOCK_STREAM, 0),
    "make_a_packet_socket": ("socket", socket.AF_PACKET, socket.SOCK_RAW, 0),
    "connect": ("connect", -1, SCRATCH, 16),
    "bind": ("bind", -1, SCRATCH, 16),
    "listen": ("listen", -1, 1),
    "connect_by_sending": ("sendto", -1, SCRATCH, 1, MSG_FASTOPEN, SCRATCH, 16),
}
PROCESSES = {
    "start_a_program": ("execve", b"/bin/true", 0, 0),
    "fork": ("clone", signal.SIGCHLD, 0, 0, 0, 0),
    "signal": ("kill", VICTIM, 0),
    "signal_a_thread": ("tgkill", VICTIM, VICTIM, 0),
    "limit_others": ("prlimit64", VICTIM, 0, 0, 0),
    "slow_others": ("setpriority", 0, VICTIM, 19),
    "become_root": ("setuid", 0),
    "load_code": ("mmap", 0, 4096, PROT_EXEC | 1, 0x22, -1, 0),
}
# Each of these has to leave no trace, were it carried out after all.
KERNEL = {
    "trace": ("ptrace", 16, VICTIM, 0, 0),
    "read_memory": ("process_vm_readv", VICTIM, 0, 0, 0, 0, 0),
    "write_memory": ("process_vm_writev", VICTIM, 0, 0, 0, 0, 0),
    "take_a_descriptor": ("pidfd_getfd", -1, 0, 0),
    "open_by_handle": ("open_by_handle_at", AT_FDCWD, SCRATCH, 0),
    "load_a_program": ("bpf", 0, SCRATCH, 0),
    "watch_the_machine": ("perf_event_open", SCRATCH, 0, -1, -1, 0),
    "serve_page_faults": ("userfaultfd", -1),
    "load_a_module": ("init_module", SCRATCH, 0, SCRATCH),
    "load_a_kernel": ("kexec_load", 0, -1, SCRATCH, 0),
    "restart": ("reboot", 0, 0, 0, 0),
    "set_the_clock": ("clock_settime", -1, SCRATCH),
}
PRIVILEGE = {
    "mount": ("mount", 0, b"/nonexistent", 0, 0, 0),
    "mount_another_way": ("fsopen", b"tmpfs", -1),
    "unmount": ("umount2", b"/nonexistent", 0),
    "leave": ("setns", -1, 0),
    "separate": ("unshare", 0x10000000),
    "change_root": ("chroot", b"/nonexistent"),
    "change_what_it_is": ("personality", 0xFFFFFFFF),
    "set_quotas": ("quotactl", -1, 0, 0, 0),
    "fork_into_a_namespace": ("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0),
}
ABSENT = {
    "use_keys": ("keyctl", 0, -3, 0),
    "add_keys": ("add_key", SCRATCH, SCRATCH, 0, 0, 0),
    "use_io_uring": ("io_uring_setup", 1, SCRATCH),
}
# Whoever gets the last descriptor of a connection may have to wait in close(2).
PASSING = {
    "hand_a_descriptor_over": ("sendmsg", -1, SCRATCH, 0),
    "have_close_wait": ("setsockopt", -1, socket.SOL_SOCKET, socket.SO_LINGER, SCRATCH, 8),
}
EVERYTHING = {**PASSING, **FILES, **NETWORK, **PROCESSES, **KERNEL, **PRIVILEGE, **ABSENT}

# What is answered, because libraries try it in passing; everything else ends the process.
ANSWERED = {
    "ftps-session": {"open": "ENOSYS", "see_others": "ENOSYS"},
    "ftps-signer": {"open": "ENOSYS", "see_others": "ENOSYS"},
    # Its root is the home, whatever it asks for; Landlock has the last word.
    "ftps-agent": {
        "open": "ENOSYS", "see_others": "ENOSYS", "open_another_way": "EACCES",
        "hand_a_descriptor_over": "EBADF",
    },
    "ftps-resolver": {
        "see_others": "EACCES", "make_a_packet_socket": "EAFNOSUPPORT", "connect": "EBADF",
        "bind": "EBADF", "limit_others": "ENOSYS", "fork": "ENOSYS",
        "fork_into_a_namespace": "ENOSYS", "hand_a_descriptor_over": "EBADF",
    },
}
# What each is there for; tried elsewhere.
ALLOWED = {"ftps-resolver": {"open", "make_a_socket", "load_code"}}


@pytest.fixture
def victim():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:

        yield process.pid
        process.stdin.close()


@pytest.fixture
def daemons(certificate):
    """Starts daemons whose processes may be killed, and ends whatever is left of them."""
    started = []

    def start(**options):
        started.append(daemon.Gateway(certificate, {**RESOLVING, **options}))
        return started[-1]

    yield start
    for gateway in started:
        gateway.close_clients()
        gateway._kill()


def attempt(pid, what, victim):
    name, *arguments = EVERYTHING[what]
    return inside(pid, name, *[victim if argument is VICTIM else argument
                               for argument in arguments])


@needs_injection
@pytest.mark.parametrize("role", UNPRIVILEGED)
def test_a_process_that_is_taken_over_can_do_nothing_else(daemons, account, victim, role):
    answers = ANSWERED[role]
    tried = set(EVERYTHING) - ALLOWED.get(role, set())
    gateway = daemons()
    session = gateway.session(account)
    with Inside(roles(gateway)[role]) as process:
        for what in tried & set(answers):
            name, *arguments = EVERYTHING[what]
            arguments = [victim if one is VICTIM else one for one in arguments]
            assert process.call(name, *arguments) == answers[what], what
    # It goes on as if nothing had happened.
    assert session.alive()
    session.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    for what in sorted(tried - set(answers)):
        if role in ("ftps-signer", "ftps-resolver"):
            gateway.close_clients()
            gateway._kill()
            gateway = daemons()
        if role != "ftps-resolver":
            session = gateway.session(account)
        target = wait_until(lambda: [pid for pid in proc.tree(gateway.pid)
                                     if proc.name(pid) == role], what=role)[0]
        assert attempt(target, what, victim) == KILLED, what
        session.close()
        wait_until(lambda: not gateway.wardens(), what="the end of the session")


@needs_injection
def test_the_resolver_reads_what_is_everybodys_and_loads_its_modules(session):
    gateway, client, processes = session
    with Inside(processes["ftps-resolver"]) as resolver:
        for what in ("open", "make_a_socket", "load_code"):
            name, *arguments = EVERYTHING[what]
            assert isinstance(resolver.call(name, *arguments), int), what
        # Landlock: neither /proc nor /tmp, and no port but that of name servers.
        assert resolver.call("openat", AT_FDCWD, b"/proc/self/status", os.O_RDONLY) == "EACCES"
        assert resolver.call("openat", AT_FDCWD, b"/tmp", os.O_RDONLY) == "EACCES"
        stream = resolver.call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
        port = struct.pack("=H", socket.AF_INET) + struct.pack("!H", gateway.port)
        address = port + socket.inet_aton("127.0.0.1") + bytes(8)
        assert resolver.call("connect", stream, address, 16) == "EACCES"
    assert client.alive()


@needs_injection
def test_a_passive_listener_is_no_way_to_somebody_else(daemons, account):
    """A socket that listened can be connected by sending, and Landlock does not see that."""
    gateway = daemons()
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
    with Inside(processes[role]) as process:
        for what, call in PRIVILEGE.items():
            assert process.call(*call) == "EPERM", what
        for what, call in ABSENT.items():
            assert process.call(*call) == "ENOSYS", what
        assert process.call(*NETWORK["make_a_packet_socket"]) == "EAFNOSUPPORT"
        # Raw sockets and the files of /proc that belong to the machine take what is not there.
        assert process.call("socket", socket.AF_INET, socket.SOCK_RAW, 1) == "EPERM"
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
        assert attempt(known[role], what, victim) == KILLED, what
        gateway.close_clients()
        if role == "ftps-listener":
            gateway._kill()
        else:
            wait_until(lambda: not gateway.wardens(), what="the end of the session")


@needs_injection
def test_a_report_in_place_of_refusals_is_for_development(serve, account):
    gateway = serve(seccomp_report="YES", **RESOLVING)
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
def test_a_pam_stack_that_needs_more_gets_it_by_an_option(serve, account):
    gateway = serve(pam_sandbox="NO", **RESOLVING)
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


LANDLOCK_CREATE_RULESET = 444


def refuse_landlock():
    """Has the kernel say that it has no Landlock, to this process and its children."""
    def step(code, jump_true, jump_false, value):
        return struct.pack("=HBBI", code, jump_true, jump_false, value)

    program = b"".join([
        step(0x20, 0, 0, 0),
        step(0x15, 0, 1, LANDLOCK_CREATE_RULESET),
        step(0x06, 0, 0, 0x00050000 | 38),
        step(0x06, 0, 0, 0x7FFF0000),
    ])
    steps = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(
        struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(steps)), 16)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((38, 1, 0, 0, 0), (22, 2, ctypes.addressof(header), 0, 0)):
        if libc.prctl(*[ctypes.c_ulong(one) for one in arguments]):
            raise OSError(ctypes.get_errno(), "prctl")


def test_a_kernel_without_landlock_is_named_in_the_log(monkeypatch, serve, account):
    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, preexec_fn=refuse_landlock, **options)

    monkeypatch.setattr(daemon.subprocess, "Popen", Popen)
    gateway = serve(**RESOLVING)
    monkeypatch.undo()
    assert "this kernel has no Landlock" in gateway.log
    session = gateway.session(account)
    session.store("STOR f", b"content")
    assert session.retrieve("RETR f") == b"content"
    if injection.is_possible:
        # The other walls stand.
        assert inside(roles(gateway)["ftps-agent"], *FILES["open"]) == "ENOSYS"


def test_a_kernel_with_landlock_is_worth_no_line(gateway):
    assert "Landlock" not in gateway.log
