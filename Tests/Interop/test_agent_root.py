"""The home is the root of the process that opens files: what one that somebody has taken over finds of
the rest of the machine, which is nothing, not even what Landlock knows nothing of."""

import ctypes
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import types

import pytest

import gateway as daemon
import injection
import proc
from control import wait_until
from faulty_disk import mounted
from injection import KILLED, Inside, needs_injection
from tracing import traced
from virtual_users import UserFile

AT_FDCWD = -100
PR_CAPBSET_DROP, CAP_SYS_CHROOT = 24, 18
F_SETFL, F_SETOWN, F_SETSIG, F_SETLEASE, F_NOTIFY, F_ADD_SEALS = 4, 8, 10, 1024, 1026, 1033
F_SETLK, F_OFD_SETLK, F_SETPIPE_SZ, F_DUPFD_CLOEXEC = 6, 37, 1031, 1030
HOME_IS_NO_ROOT = "no right to change the root of a process (CAP_SYS_CHROOT)"
UP = b"../" * 24


@pytest.fixture(params=["system", "guest", "virtual", "anonymous"])
def user(request, account, tmp_path):
    """Options, somebody who logs in by them, and the home; all files belong to one account."""
    who = types.SimpleNamespace(options={}, login=account, home=account.home)
    if request.param == "guest":
        (tmp_path / "portcullis").write_text(
            "auth required pam_permit.so\naccount required pam_permit.so\n"
            "session required pam_permit.so\n")
        who.options = {"pam_conf_dir": tmp_path, "guest_enable": "YES",
                       "guest_username": account.name, "virtual_use_local_privs": "YES"}
        who.login = types.SimpleNamespace(name="somebody", password="anything-at-all")
    elif request.param == "virtual":
        users = UserFile(tmp_path, account)
        who.options = users.options()
        who.login = users.add("amy")
        who.home = who.login.home
    elif request.param == "anonymous":
        account.home.chmod(0o755)
        who.options = {"anonymous_enable": "YES", "ftp_username": account.name,
                       "anon_root": account.home}
        who.login = types.SimpleNamespace(name="anonymous", password="someone@example.org")
    return who


@pytest.fixture
def outside(account):
    """A directory outside of every home, whose files belong to the user and are open to everybody."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "file")
        with open(path, "wb") as file:
            file.write(b"content")
        os.symlink("file", os.path.join(directory, "link"))
        for name in ("file", "link"):
            account.own(os.path.join(directory, name))
        os.utime(path, (1, 1))
        os.chmod(path, 0o644)
        yield directory


def agent(gateway):
    return wait_until(lambda: [pid for pid in proc.tree(gateway.pid)
                               if proc.name(pid) == "ftps-agent"], what="the agent")[0]


def root_descriptor(pid, home):
    number, = [number for number, target in proc.descriptors(pid).items() if target == str(home)]
    return number


def look(process, group, directory, path, link):
    """What comes of every call that the filter leaves and that takes a path."""
    room = bytes(512)
    how = struct.pack("=3Q", os.O_PATH, 0, 0)
    found = {
        "stat": process.call("newfstatat", directory, path, room, 0),
        "statx": process.call("statx", directory, path, 0, 0x7FF, room),
        "access": process.call("faccessat2", directory, path, os.F_OK, 0),
        "readlink": process.call("readlinkat", directory, link, room, len(room)),
        "open_as_a_path": process.call("openat2", directory, path, how, len(how)),
        "chmod": process.call("fchmodat2", directory, path, 0o600, 0),
        "chown": process.call("fchownat", directory, path, -1, group, 0),
        "utime": process.call("utimensat", directory, path, 0, 0),
    }
    opened = found["open_as_a_path"]
    if isinstance(opened, int):
        found["statfs"] = process.call("fstatfs", opened, room)
        process.call("close", opened)
    return found


def ways_to(directory, root):
    """How a path outside may be spelled: descriptor, path of a file, path of a link."""
    path = directory.encode().lstrip(b"/")
    for start in (AT_FDCWD, root):
        for prefix in (b"/", UP):
            yield start, prefix + path + b"/file", prefix + path + b"/link"
    # By links of the user's own.
    yield root, b"way/file", b"way/link"
    yield root, b"way up/file", b"way up/link"


@needs_injection
def test_nothing_outside_of_the_home_exists(serve, account, user, outside):
    (user.home / "file").write_bytes(b"inside")
    (user.home / "link").symlink_to("file")
    (user.home / "way").symlink_to(outside)
    (user.home / "way up").symlink_to(UP.decode() + outside.lstrip("/"))
    (user.home / "below").mkdir()
    for name in ("file", "link", "below"):
        account.own(user.home / name)
    gateway = serve(**user.options)
    session = gateway.session(user.login)
    pid = agent(gateway)
    root = root_descriptor(pid, user.home)
    # Anonymous users have not all of the account's.
    group = [account.gid, *proc.numbers(proc.status(pid)["Groups"])][-1]
    before = os.stat(os.path.join(outside, "file"))
    with Inside(pid) as process:
        for start, path, link in ways_to(outside, root):
            found = look(process, group, start, path, link)
            assert set(found.values()) == {"ENOENT"}, (path, found)
        # From a directory further down, and the machine's own.
        how = struct.pack("=3Q", os.O_PATH, 0, 0)
        below = process.call("openat2", root, b"below", how, len(how))
        for path in (UP + b"etc/passwd", b"/etc/passwd", b"/proc/self/exe", b"/proc/self/root"):
            for start in (below, AT_FDCWD):
                assert process.call("newfstatat", start, path, bytes(512), 0) == "ENOENT", path
        process.call("close", below)
        # The same calls, inside.
        for start, path, link in ((AT_FDCWD, b"/file", b"/link"), (root, b"file", b"link"),
                                  (AT_FDCWD, UP + b"file", UP + b"link")):
            found = look(process, group, start, path, link)
            assert {name: isinstance(result, int) for name, result in found.items()} == dict.fromkeys(
                found, True), (path, found)
    after = os.stat(os.path.join(outside, "file"))
    assert (after.st_mode, after.st_gid, after.st_mtime) == (
        before.st_mode, before.st_gid, before.st_mtime)
    changed = (user.home / "file").stat()
    assert (changed.st_mode & 0o777, changed.st_gid) == (0o600, group)
    assert session.alive()


def test_no_descriptor_leads_out(serve, user):
    """A directory outside that is open would be a way around the root."""
    gateway = serve(**user.options)
    session = gateway.session(user.login)
    pid = agent(gateway)
    for number, target in proc.descriptors(pid).items():
        kind = target.split(":")[0]
        assert target in ("/dev/null", str(user.home)) or kind == "socket", (number, target)
    for place in ("root", "cwd"):
        assert os.readlink(f"/proc/{pid}/{place}") == str(user.home), place
    assert HOME_IS_NO_ROOT not in gateway.log
    assert session.alive()


@needs_injection
@pytest.mark.parametrize("name, arguments", {
    "stat": (b"/", bytes(512)), "lstat": (b"/", bytes(512)), "access": (b"/", 0),
    "readlink": (b"/", bytes(512), 512), "open": (b"/", os.O_PATH), "chmod": (b"/", 0o700),
    "chown": (b"/", -1, -1), "lchown": (b"/", -1, -1), "utime": (b"/", 0), "utimes": (b"/", 0),
    "statfs": (b"/", bytes(512)), "chdir": (b"/",), "fchdir": (-1,), "chroot": (b"/",),
}.items())
def test_what_no_agent_needs_ends_it(serve, account, name, arguments):
    gateway = serve()
    gateway.session(account)
    with Inside(agent(gateway)) as process:
        assert process.call(name, *arguments) == KILLED


@needs_injection
def test_the_root_holds_where_the_filter_does_not(serve, account, outside):
    gateway = serve(seccomp_report="YES")
    gateway.session(account)
    with Inside(agent(gateway)) as process:
        for path in (outside.encode() + b"/file", UP + outside.encode() + b"/file"):
            assert process.call("stat", path, bytes(512)) == "ENOENT"
            assert process.call("statfs", path, bytes(512)) == "ENOENT"
            assert process.call("chmod", path, 0o600) == "ENOENT"
        # A second root would be a way out of the first one.
        assert process.call("mkdirat", AT_FDCWD, b"inner", 0o700) == 0
        assert process.call("chroot", b"inner") == "EPERM"
        assert process.call("chdir", UP) == 0
        assert process.call("newfstatat", AT_FDCWD, b"inner", bytes(512), 0) == 0


@needs_injection
@pytest.mark.parametrize("command", [
    F_SETFL, F_SETOWN, F_SETSIG, F_SETLEASE, F_NOTIFY, F_ADD_SEALS, F_SETLK, F_OFD_SETLK,
    F_SETPIPE_SZ])
def test_an_agent_only_asks_of_descriptors(serve, account, command):
    gateway = serve()
    gateway.session(account)
    with Inside(agent(gateway)) as process:
        assert process.call("fcntl", 0, 1, 0) == 0
        copy = process.call("fcntl", 0, F_DUPFD_CLOEXEC, 3)
        assert process.call("close", copy) == 0
        assert process.call("fcntl", 0, command, 0) == KILLED


def use(session):
    """Some of everything that an Agent is there for."""
    session.expect("TYPE I", 200)
    session.store("STOR f", b"content")
    assert session.retrieve("RETR f") == b"content"
    session.store("APPE f", b" more")
    session.store("STOU", b"unique")
    session.expect("MKD d", 257)
    session.expect("RNFR f", 350)
    session.expect("RNTO d/g", 250)
    session.expect("SITE CHMOD 640 d/g", 200)
    session.expect("MFMT 20200102030405 d/g", 213)
    session.expect("SIZE d/g", 213)
    session.expect("CWD d", 250)
    for listing in ("LIST", "NLST", "MLSD"):
        assert b"g" in session.retrieve(listing)
    session.expect("CDUP", 250)
    session.expect("CWD /etc", 550)
    session.expect("DELE d/g", 250)
    session.expect("RMD d", 250)
    session.expect("AVBL /", 213)


LOOKS_UP = re.compile(r"^\d+ +(\w+)\((.*)")
# What takes a descriptor and a name beneath it; an old strace(1) knows the number of fchmodat2 alone.
BENEATH = {"openat2", "newfstatat", "statx", "mkdirat", "unlinkat", "renameat", "renameat2",
           "fchmodat2", "utimensat", "faccessat2", "readlinkat", "fchownat", "symlinkat", "syscall_0x1c4"}


def test_once_it_has_its_root_an_agent_loads_nothing_and_looks_up_no_path(
        serve, account, tmp_path):
    """What a user has put there must not be taken for a part of the system: no program, no library, no
    configuration. Without the filter, which would hide what it refuses."""
    gateway = serve(seccomp_sandbox="NO", use_localtime="YES", quota_bytes="100000",
                    text_userdb_names="YES", atomic_uploads="YES")
    control = gateway.control().secure().protect()
    warden, = gateway.wardens()
    gateway.secrets.append(account.password)
    report = tmp_path / "calls"
    with traced(warden, report, "-f", "-e", "trace=%file,%process,fchdir,mmap,mprotect"):
        control.login(account)
        pid = agent(gateway)
        use(control)
        control.close()
        wait_until(lambda: not gateway.wardens(), what="the end of the session")
    lines = [line for line in report.read_text().splitlines() if line.startswith(f"{pid} ")]
    place, = [index for index, line in enumerate(lines) if 'chroot(".")' in line]
    assert lines[place].endswith("= 0") and "fchdir" in lines[place - 1]
    calls = [LOOKS_UP.match(line) for line in lines[place + 1:]]
    calls = [(match[1], match[2]) for match in calls if match]
    assert {"openat2", "mkdirat", "unlinkat"} <= {name for name, _ in calls}
    for name, arguments in calls:
        if name in ("mmap", "mprotect"):
            assert "PROT_EXEC" not in arguments, arguments
        elif name in BENEATH:
            # By a descriptor, never from the root or the working directory.
            assert re.match(r"\d+, \"(?!/)|0x\d+, 0x", arguments) or "RESOLVE_IN_ROOT" in arguments, (
                name, arguments)
        else:
            assert name in ("munmap", "exit_group"), (name, arguments)


def drop_the_right():
    """Takes CAP_SYS_CHROOT from the program that this process becomes."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture
def serve_without_the_right(monkeypatch, serve):
    def start(**options):
        class Popen(subprocess.Popen):
            def __init__(self, *arguments, **settings):
                super().__init__(*arguments, preexec_fn=drop_the_right, **settings)

        with monkeypatch.context() as patch:
            patch.setattr(daemon.subprocess, "Popen", Popen)
            return serve(**options)
    return start


@pytest.mark.parametrize("sandbox", ["YES", "NO"])
def test_without_the_right_to_change_the_root_the_log_says_so(
        serve_without_the_right, account, outside, sandbox):
    gateway = serve_without_the_right(pam_sandbox=sandbox)
    wait_until(lambda: HOME_IS_NO_ROOT in gateway.log, what="the line in the log")
    session = gateway.session(account)
    use(session)
    pid = agent(gateway)
    assert os.readlink(f"/proc/{pid}/root") == "/"
    if injection.is_possible:
        # This is what the other tests would find.
        root = root_descriptor(pid, account.home)
        with Inside(pid) as process:
            for start, path, link in list(ways_to(outside, root))[:4]:
                found = look(process, account.gid, start, path, link)
                assert isinstance(found["stat"], int) and found["chmod"] == 0, found


@pytest.fixture
def fuse_for_everybody():
    """As it is on most machines; a container may have it for root alone."""
    device = pathlib.Path("/dev/fuse")
    before = device.stat().st_mode
    device.chmod(0o666)
    yield
    device.chmod(before & 0o777)


def test_a_home_that_root_may_not_enter_is_one_all_the_same(
        serve, account, outside, fuse_for_everybody):
    """As on a network file system to which root is nobody."""
    with mounted(pathlib.Path(outside), account) as disk:
        with pytest.raises(PermissionError):
            os.listdir(disk.path)
        gateway = serve(local_root=disk.path)
        session = gateway.session(account)
        assert os.readlink(f"/proc/{agent(gateway)}/root") == str(disk.path)
        session.store("STOR f", b"content")
        assert session.retrieve("RETR f") == b"content"
        assert (disk.backing / "f").read_bytes() == b"content"
        session.close()
        wait_until(lambda: not gateway.wardens(), what="the end of the session")


def test_a_session_that_is_not_jailed_has_the_root_of_the_machine(serve, account):
    gateway = serve(chroot_local_user="NO")
    session = gateway.session(account)
    assert os.readlink(f"/proc/{agent(gateway)}/root") == "/"
    assert str(account.home) in session.expect("PWD", 257).text
    assert b"etc" in session.retrieve("NLST /")
