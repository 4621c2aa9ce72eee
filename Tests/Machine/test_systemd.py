"""The units of the package under the systemd that they were written for."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import uploading
from control import Closed, Control, client_context, finish, wait_until
from service import NAME, SOCKETS, run, systemctl

CONTENT = os.urandom(3_000_000)
ERROR, WARNING = 3, 4
PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "Packaging"


def test_the_service_came_up_with_the_machine():
    """First of all: nothing has touched it yet."""
    assert systemctl("is-active", NAME).strip() == "active"
    assert run("systemctl", "show", "--value", "--property=Result", NAME).strip() == "success"
    assert systemctl("is-enabled", NAME).strip() == "enabled"
    # As installed, with the certificate of ssl-cert.
    greeting = Control("127.0.0.1", 21, None).greeting
    assert greeting.code == 220


def test_the_start_ends_when_clients_are_served(service, account):
    service.start()
    assert service.show("Type") == "notify"
    assert service.show("ActiveState") == "active" and service.show("SubState") == "running"
    # Without a moment's wait.
    session = service.session(account)
    session.store("STOR f", CONTENT)
    assert session.retrieve("RETR f") == CONTENT
    assert (account.home / "f").stat().st_uid == account.uid


def test_the_status_tells_how_it_goes(service, account):
    service.override("WatchdogSec=2s").start()
    assert 'Status: "connections: 0"' in systemctl("status", NAME)
    session = service.session(account)
    wait_until(lambda: service.show("StatusText") == "connections: 1", 20, "the client in it")
    assert session.alive()


def test_a_configuration_that_cannot_be_used_is_not_tried_again_and_again(service):
    service.configure(listen_port="no number")
    systemctl("restart", NAME, status=1)
    assert service.show("Result") == "exit-code" and service.show("ExecMainStatus") == "78"
    assert service.show("ActiveState") == "failed" and service.show("NRestarts") == "0"
    wait_until(lambda: service.said("listen_port", ERROR), 10, "a word about it")


def test_a_reload_takes_what_was_written(service, account):
    service.start(ftpd_banner="Before")
    old = service.session(account)
    service.configure(ftpd_banner="Behind")
    pid = service.pid
    systemctl("reload", NAME)
    wait_until(lambda: "Behind" in service.control().greeting.text, 10, "the new banner")
    assert old.alive() and service.pid == pid
    assert service.show("ActiveState") == "active"


def test_a_reload_of_nonsense_is_told_and_changes_nothing(service, account):
    service.start(ftpd_banner="Before")
    service.configure(listen_port="no number")
    systemctl("reload", NAME, status=None)
    wait_until(lambda: service.said("listen_port", ERROR), 10, "a word about it")
    assert "Before" in service.control().greeting.text
    assert service.show("ActiveState") == "active"


def test_a_stop_lets_transfers_finish(service, account):
    service.start()
    session = service.session(account)
    data = uploading.begin(session, "STOR f", CONTENT[:1_000_000])
    stop = subprocess.Popen(["systemctl", "stop", NAME])
    try:
        wait_until(lambda: service.show("ActiveState") == "deactivating", 10, "the stop")
        wait_until(lambda: "ending" in service.show("StatusText"), 10, "a word about it")
        data.sendall(CONTENT[1_000_000:])
        uploading.end(session, data)
        assert stop.wait(20) == 0
    finally:
        stop.wait(60)
    assert (account.home / "f").read_bytes() == CONTENT
    assert service.show("Result") == "success" and not service.processes()


def test_a_restart_keeps_what_runs(service, account):
    service.start(local_max_rate="1000000")
    account.file("large", CONTENT)
    session = service.session(account)
    data = session.connect_data()
    session.expect("RETR large", 150)
    data = session.wrap_data(data)
    received = bytearray(data.recv(1_000))
    old = service.pid
    begin = time.monotonic()
    service.configure(ftpd_banner="The next one")
    systemctl("restart", NAME)
    assert time.monotonic() - begin < 20 and service.pid != old
    later = service.session(account)
    assert "The next one" in later.greeting.text
    while chunk := data.recv(1 << 16):
        received += chunk
    finish(data)
    session.next(226)
    assert bytes(received) == CONTENT and session.ended(421)
    assert later.alive()
    assert service.show("ActiveState") == "active"


def test_a_server_that_hangs_is_started_anew(service, account):
    service.override("WatchdogSec=3s\nTimeoutAbortSec=10s\nRestartSec=0").start()
    old = service.pid
    os.kill(old, signal.SIGSTOP)
    wait_until(lambda: service.show("NRestarts") == "1" and service.pid not in (0, old), 60,
               "another start")
    wait_until(lambda: service.show("ActiveState") == "active", 20, "its end")
    assert service.session(account).alive()
    told = run("journalctl", "--unit", NAME, f"--after-cursor={service.begin}")
    assert "Watchdog timeout" in told


def test_a_server_that_is_killed_is_started_anew(service, account):
    service.override("RestartSec=0").start()
    old = service.pid
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: service.pid not in (0, old) and service.show("ActiveState") == "active", 30,
               "another start")
    assert service.session(account).alive()


@pytest.fixture
def sockets(service):
    service.configure()
    systemctl("stop", NAME)
    yield service
    systemctl("stop", *SOCKETS)


def test_the_first_client_starts_the_server(sockets, account):
    systemctl("start", *SOCKETS)
    assert sockets.show("ActiveState") == "inactive"
    session = sockets.session(account)
    assert sockets.show("ActiveState") == "active"
    session.store("STOR f", CONTENT)
    assert session.retrieve("RETR f") == CONTENT
    # And the one on which TLS comes first.
    other = sockets.control(port=990, greet=False).handshake()
    other.next(220)
    other.protect().login(account)
    assert other.alive()


def test_nobody_is_refused_while_a_server_with_sockets_restarts(sockets, account):
    systemctl("start", *SOCKETS)
    sockets.session(account)
    restart = subprocess.Popen(["systemctl", "restart", NAME])
    served = 0
    while restart.poll() is None or served == 0:
        control = Control("127.0.0.1", 21, client_context(sockets.certificate.chain), greet=False)
        try:
            served += control.reply().code == 220
        except Closed:
            # Taken by the one that was about to leave.
            pass
        finally:
            control.close()
    assert restart.wait(60) == 0
    assert sockets.session(account).alive()


def test_the_key_may_be_a_credential(service, account):
    key = service.certificate.key.with_name("only-for-root.key")
    shutil.copy(service.certificate.key, key)
    key.chmod(0o600)
    service.override(f"LoadCredential=key:{key}")
    service.start(rsa_private_key_file="credential:key")
    assert service.session(account).alive()
    # The directory of credentials is there for root and for nobody else.
    assert pathlib.Path(f"/run/credentials/{NAME}/key").stat().st_mode & 0o077 == 0
    key.unlink()
    systemctl("reload", NAME)
    assert service.session(account).alive()


def test_the_exposure_is_what_the_security_page_says():
    told = run("systemd-analyze", "security", "--no-pager", NAME)
    assert re.search(r"Overall exposure level for portcullis\.service: (\S+)", told)[1] == "3.4"


def test_systemd_has_nothing_to_say_about_the_units():
    told = run("journalctl", "--boot", "--identifier=systemd", "--output=cat")
    lines = [line for line in told.splitlines() if "portcullis" in line]
    assert lines
    for words in ("Unknown key", "Unknown section", "ignoring", "deprecated", "cycle"):
        assert not [line for line in lines if words in line]


def test_lines_of_the_journal_have_the_priority_that_they_say(service, account):
    service.start()
    service.session(account)
    guest = service.control().secure()
    guest.expect("USER nobody-here", 331)
    guest.expect("PASS wrong-password", 530)
    wait_until(lambda: service.said("login refused"), 10, "the line")
    numbers = {"critical": 2, "error": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7}
    entries = [entry for entry in service.journal()
               if entry.get("_COMM", "").startswith(("portcullis", "ftps-"))]
    assert entries
    for entry in entries:
        level = re.match(r"(?:\S+ )?(\w+) portcullis", entry["MESSAGE"])
        if level:
            assert int(entry["PRIORITY"]) == numbers[level[1]], entry
    for level, is_there in (("notice", True), ("warning", False)):
        told = run("journalctl", "--boot", "--unit", NAME, f"--priority={level}")
        assert ("login refused" in told) == is_there


def test_the_unit_takes_nothing_that_logins_need(service, account):
    """No warning beyond what this kernel lacks, and no process that was ended by a filter."""
    service.start()
    session = service.session(account)
    session.store("STOR f", CONTENT)
    session.expect("QUIT", 221)
    told = [entry["MESSAGE"] for entry in service.journal(WARNING)]
    assert not [line for line in told if "Landlock" not in line], told


def test_the_kernel_encrypts_where_the_unit_has_it_do_so(service, account):
    """As the page about systemd says."""
    run("modprobe", "--remove", "tls", status=None)
    service.override("\n[Unit]\nWants=modprobe@tls.service\nAfter=modprobe@tls.service")
    service.start(ktls_enable="YES")
    account.file("f", CONTENT)
    session = service.session(account)

    def count():
        lines = pathlib.Path("/proc/net/tls_stat").read_text().splitlines()
        return int(dict(line.split() for line in lines)["TlsTxSw"])
    before = count()
    assert session.retrieve("RETR f") == CONTENT and count() == before + 1


def test_the_names_of_the_admin_socket_and_its_commands_work(service, account):
    service.start(admin_socket="/run/portcullis/admin.sock")
    session = service.session(account)
    told = json.loads(run("portcullis", "who", "--json"))
    assert account.name in json.dumps(told)
    assert session.alive()


@pytest.fixture
def fail2ban():
    places = {"filter.d": "filter.d/portcullis.conf", "jail.d": "jail.d/portcullis.conf"}
    for directory, name in places.items():
        shutil.copy(PACKAGING / "fail2ban" / name, f"/etc/fail2ban/{directory}")
    own = pathlib.Path("/etc/fail2ban/jail.local")
    # Debian's own jail reads a file that this machine has not.
    own.write_text("[sshd]\nenabled = false\n[portcullis]\nmaxretry = 3\nbanaction =\naction =\n"
                   "ignoreself = false\n")
    systemctl("unmask", "fail2ban.service")
    systemctl("restart", "fail2ban.service")
    yield
    systemctl("stop", "fail2ban.service")
    systemctl("mask", "fail2ban.service")


def test_fail2ban_reads_the_journal(service, account, fail2ban):
    wait_until(lambda: "portcullis" in run("fail2ban-client", "status", status=None), 20, "the jail")
    service.start()
    for _ in range(3):
        guest = service.control(source="127.0.0.9").secure()
        guest.expect("USER nobody-here", 331)
        guest.expect("PASS wrong-password", 530)
        guest.close()
    wait_until(lambda: "127.0.0.9" in run("fail2ban-client", "status", "portcullis"), 30, "the ban")
    assert service.session(account).alive()


def test_no_process_was_ended_by_a_filter_since_the_machine_started():
    """Last of all."""
    told = run("journalctl", "--boot", "--output=short", "_TRANSPORT=kernel", "+", "_TRANSPORT=audit")
    assert not [line for line in told.splitlines() if "type=1326" in line]
