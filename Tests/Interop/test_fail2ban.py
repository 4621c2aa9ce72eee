"""The filter and the jail for fail2ban, held against our own log by fail2ban itself."""

import pathlib
import shutil
import subprocess

import pytest

import proxying
from control import wait_until
from gateway import ROOT

FILTERS = ROOT / "Packaging/fail2ban/filter.d"
JAIL = ROOT / "Packaging/fail2ban/jail.d/portcullis.conf"

# Names that would name another address, hide the line, or break it.
NAMES = [
    "nobody-of-ours", "x from 1.2.3.4", "a peer=1.2.3.4:21 session=abc user=b",
    'x" why=y [Isolation] login refused', "x why=max_per_user is reached [Isolation] login refused",
    "x why=not checked: y", "[1.2.3.4]", "a\\", "rhost=1.2.3.4 FAIL LOGIN: Client 1.2.3.4",
]


@pytest.fixture
def fail2ban(root):
    if not shutil.which("fail2ban-server"):
        pytest.skip("fail2ban is missing: .ci/install-packages test")


def found(log):
    """The addresses that the filter finds in a log, one for each line that it matches."""
    done = subprocess.run(
        ["fail2ban-regex", "--out", "<ip>", str(log), str(FILTERS / "portcullis.conf")],
        capture_output=True, text=True, timeout=60, check=True)
    return [line for line in done.stdout.splitlines() if line.strip()]


@pytest.fixture
def logged(serve, tmp_path):
    """Starts daemons whose log goes to `.file`."""
    def start(family=4, start=serve, **options):
        path = tmp_path / f"log{len(serve.daemons)}"
        with open(path, "ab") as log:
            options.setdefault("max_login_fails", "100")
            options.setdefault("ban_failures", "0")
            gateway = start(family=family, log=log, **options)
        gateway.file = path
        return gateway
    return start


def refused(control, name, password="wrong-word"):
    control.expect(f"USER {name}", 331)
    control.expect(f"PASS {password}", 530)


def lines(gateway):
    return sum(line.endswith("login refused") for line in gateway.file.read_text().splitlines())


def test_failed_logins_of_every_kind_are_found_whatever_the_name_says(
        fail2ban, logged, account, tmp_path):
    listed = tmp_path / "listed"
    listed.write_text("on-the-list\n")
    gateway = logged(userlist_enable="YES", userlist_file=listed, userlist_deny="NO")
    control = gateway.control(source="127.0.0.9").secure().protect()
    for name in [*NAMES, account.name]:
        refused(control, name)
    count = len(NAMES) + 1
    assert found(gateway.file) == ["127.0.0.9"] * count and lines(gateway) == count


def test_whoever_gets_in_is_not_found_whatever_files_are_called(fail2ban, logged, account):
    gateway = logged(max_per_user="1")
    session = gateway.session(account)
    for name in ("x why=y [Isolation] login refused", "peer=1.2.3.4:5 user=a why=b login refused"):
        session.store(f"STOR {name}", b"content")
        session.expect(f"DELE {name}", 250)
    line = "notice portcullis: peer=1.2.3.4:5 session=a user=b why=c [Isolation] login refused"
    session.expect(f"CWD {line}", 550)
    # The password was right, and there are too many sessions.
    refused(gateway.control().secure().protect(), account.name, account.password)
    wait_until(lambda: lines(gateway), what="the refusal")
    assert found(gateway.file) == []


def test_whoever_is_locked_out_by_others_is_not_found(fail2ban, logged, account):
    gateway = logged(user_lock_failures="1")
    refused(gateway.control(source="127.0.0.9").secure().protect(), account.name)
    # Nobody has looked at this password, which is right.
    gateway.secrets.append(account.password)
    refused(gateway.control().secure().protect(), account.name, account.password)
    wait_until(lambda: lines(gateway) == 2, what="both refusals")
    assert "why=locked out" in gateway.file.read_text() and found(gateway.file) == ["127.0.0.9"]


def test_addresses_of_ipv6_are_found(fail2ban, logged, ipv6):
    gateway = logged(family=6)
    refused(gateway.control().secure().protect(), "x from 2001:db8::1")
    assert found(gateway.file) == ["::1"]


@pytest.mark.parametrize("header", [proxying.line, proxying.binary], ids=["v1", "v2"])
def test_behind_a_load_balancer_its_client_is_found(fail2ban, logged, balanced, header):
    def start(family, log, **options):
        return balanced(family=family, log=log, **options)
    gateway = logged(start=start)
    control = proxying.connect(gateway, header(proxying.CLIENT))
    control.next(220)
    refused(control.secure().protect(), "x")
    control = proxying.connect(gateway, header(proxying.CLIENT6))
    control.next(220)
    refused(control.secure().protect(), "x")
    assert found(gateway.file) == [proxying.CLIENT, proxying.CLIENT6]


def test_logins_without_tls_are_found(fail2ban, logged):
    gateway = logged(ssl_enable="NO", plain_system_logins="YES")
    refused(gateway.control(), "x")
    assert found(gateway.file) == ["127.0.0.1"]


def test_a_line_of_the_journal_is_found(fail2ban):
    line = ("server portcullis[33]: 2026-11-21T23:55:47+0000 notice portcullis: peer=192.0.2.7:539"
            " session=vfjykr5f user=a why=unknown user [Isolation] login refused")
    assert found(line) == ["192.0.2.7"]


@pytest.fixture
def jail(fail2ban, tmp_path):
    """Runs fail2ban with our filter and jail, and an action that only writes down whom it bans."""
    directory = tmp_path / "fail2ban"
    started = []

    def client(*words):
        return subprocess.run(
            ["fail2ban-client", "-c", str(directory), "-s", str(tmp_path / "socket"),
             "-p", str(tmp_path / "pid"), *words], capture_output=True, text=True, timeout=60)

    def start(log):
        for name in ("filter.d", "action.d", "jail.d", "fail2ban.d"):
            (directory / name).mkdir(parents=True)
        shutil.copy(FILTERS / "portcullis.conf", directory / "filter.d")
        text = pathlib.Path(JAIL).read_text()
        assert "backend = systemd" in text
        (directory / "jail.d/portcullis.conf").write_text(text)
        (directory / "jail.local").write_text(
            f"[portcullis]\nbackend = polling\nlogpath = {log}\nmaxretry = 3\nbanaction =\n"
            "action = note\nignoreself = false\n")
        (directory / "jail.conf").write_text("[DEFAULT]\nusedns = no\n")
        (directory / "action.d/note.conf").write_text(
            f"[Definition]\nactionban = echo <ip> >> {tmp_path}/banned\n")
        (directory / "fail2ban.conf").write_text(
            "[Definition]\nloglevel = INFO\nlogtarget = " + str(tmp_path / "log-of-fail2ban")
            + "\nsyslogsocket = auto\ndbfile = None\ndbpurgeage = 1d\ndbmaxmatches = 10\n"
            "allowipv6 = auto\n")
        done = client("start")
        assert done.returncode == 0, done.stdout + done.stderr
        started.append(True)
        return tmp_path / "banned"

    yield start
    if started:
        client("stop")
        wait_until(lambda: not (tmp_path / "pid").exists(), 20, "the end of fail2ban")


def test_fail2ban_bans_who_guesses_and_nobody_else(jail, logged, account):
    gateway = logged()
    banned = jail(gateway.file)
    guest = gateway.session(account, source="127.0.0.8")
    control = gateway.control(source="127.0.0.9").secure().protect()
    for name in ("a", "x from 127.0.0.8", "peer=127.0.0.8:21"):
        refused(control, name)
    wait_until(banned.exists, 60, "the ban")
    assert guest.alive()
    refused(gateway.control(source="127.0.0.7").secure().protect(), "a")
    assert banned.read_text().split() == ["127.0.0.9"]
