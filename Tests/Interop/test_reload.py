"""A configuration that is read anew while the server runs: `portcullis reload`, and SIGHUP."""

import os
import re
import signal

import pytest

import auditing
import uploading
from administering import answer, ask, status
from certificates import make_certificate
from control import wait_until
from test_data_connections import free_ports


@pytest.fixture
def running(serve, place, tmp_path):
    """A daemon with a file of options, and ways to change it."""
    class Running:
        def __init__(self):
            self.file = tmp_path / "portcullis.conf"
            self.socket = place / "admin"
            self.gateway = None

        def start(self, text, **options):
            self.file.write_text(text)
            self.gateway = serve(config=self.file, admin_socket=self.socket, **options)
            return self.gateway

        def ask(self, text):
            """The exit status of a reload, and every line of its answer."""
            self.file.write_text(text)
            done = ask(self.socket, "reload")
            return done.returncode, (done.stdout + done.stderr).splitlines()

        def change(self, text):
            """What a reload that has to succeed says has changed."""
            self.file.write_text(text)
            *changes, last = answer(self.socket, "reload").splitlines()
            assert last == "certificates loaded"
            return changes

        def hang_up(self, text):
            """A reload by SIGHUP."""
            self.file.write_text(text)
            count = self.log_count()
            self.gateway.process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.log_count() > count, what="the reload")

        def log_count(self):
            return len(re.findall("certificates (?:not )?loaded", self.gateway.log))

        @property
        def status(self):
            return status(self.socket)
    return Running()


def refused(gateway, account, **options):
    control = gateway.control(**options).secure().protect()
    control.expect(f"USER {account.name}", 331)
    return control.expect(f"PASS {account.password}", 530)


# What is new holds for new sessions; old ones go on with theirs.

def test_a_greeting(running):
    gateway = running.start("ftpd_banner=First\n")
    assert running.change("ftpd_banner=Second\n") == ["changed: ftpd_banner=Second"]
    assert "Second" in gateway.control().greeting.text
    assert running.change("") == ["changed: ftpd_banner is the default"]
    assert "Second" not in gateway.control().greeting.text
    assert running.change("") == []


def test_what_users_may_do(running, account):
    gateway = running.start("")
    old = gateway.session(account)
    running.change("download_enable=NO\n")
    new = gateway.session(account)
    old.store("STOR f", b"content")
    assert old.retrieve("RETR f") == b"content"
    new.connect_data().close()
    new.expect("RETR f", 550)


def test_a_range_of_passive_ports(running, account):
    first = free_ports(2)
    second = first + 1
    gateway = running.start(f"pasv_min_port={first}\npasv_max_port={first}\n")
    old = gateway.session(account)
    assert old.passive_port() == first
    running.change(f"pasv_min_port={second}\npasv_max_port={second}\n")
    new = gateway.session(account)
    assert new.passive_port() == second
    assert old.passive_port() == first


def test_a_list_of_users(running, account, other_account, tmp_path):
    names = tmp_path / "names"
    names.write_text(f"{account.name}\n")
    gateway = running.start("")
    old = gateway.session(account)
    running.change(f"userlist_enable=YES\nuserlist_file={names}\n")
    refused(gateway, account)
    assert gateway.session(other_account).alive() and old.alive()


def test_how_many_failures_are_a_ban(running, account):
    gateway = running.start("ban_failures=0\n")
    running.change("ban_failures=1\nban_time=60\n")
    control = gateway.control(source="127.0.0.9").secure().protect()
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS wrong-word", 530)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")
    # With the number of before nobody is banned, and whoever is banned stays so for the time that was.
    running.change("ban_failures=0\n")
    assert gateway.session(account, source="127.0.0.10").alive()


def test_how_many_sessions_a_user_may_have(running, account):
    gateway = running.start("max_per_user=9\n")
    old = gateway.session(account)
    running.change("max_per_user=1\n")
    refused(gateway, account)
    assert old.alive() and running.status["limits"]["max_per_user"] == 1


def test_a_transfer_is_not_disturbed(running, account):
    gateway = running.start("")
    session = gateway.session(account)
    data = uploading.begin(session, "STOR f", b"x" * 100_000)
    running.change("write_enable=YES\nanon_max_rate=1000\nlocal_max_rate=100\n")
    data.sendall(b"y" * 100_000)
    uploading.end(session, data)
    assert (account.home / "f").read_bytes() == b"x" * 100_000 + b"y" * 100_000


# What cannot be used changes nothing, and is named.

@pytest.mark.parametrize("line, words", [
    ("no_such_option=1", "no such option"),
    ("max_clients=many", "max_clients=many"),
    ("userlist_enable=YES\nuserlist_file=/nonexistent/list", "userlist_file"),
    ("anonymous_enable=YES\nftp_username=nobody-of-ours", "there is no account"),
    ("anonymous_enable=YES\ndeny_email_enable=YES\nbanned_email_file=/nonexistent/list",
     "/nonexistent/list cannot be read"),
    ("this is no line", "not an assignment"),
], ids=["option", "number", "list", "account", "file", "line"])
def test_a_mistake_leaves_everything_as_it_was(running, account, line, words):
    gateway = running.start("ftpd_banner=First\n")
    code, lines = running.ask(f"ftpd_banner=Second\nwrite_enable=NO\n{line}\n")
    said = "\n".join(lines)
    assert code == 1 and words in said and "changed:" not in said
    assert "First" in gateway.control().greeting.text
    gateway.session(account).store("STOR f", b"content")
    assert re.search(f" error portcullis: .*not loaded: .*{words}", gateway.log)
    # Certificates are exchanged all the same.
    assert lines[-1] == "certificates loaded"
    assert running.status["last_reload_done"] is False
    assert running.change("ftpd_banner=Third\n") == ["changed: ftpd_banner=Third"]
    assert running.status["last_reload_done"] is True


def test_a_file_that_is_gone_changes_nothing(running):
    gateway = running.start("ftpd_banner=First\n")
    running.file.unlink()
    running.file.mkdir()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "cannot be read" in gateway.log, what="the error")
    assert "First" in gateway.control().greeting.text


def test_a_certificate_that_cannot_be_used_leaves_the_configuration_as_well(running, tmp_path):
    first = make_certificate(tmp_path, "first")
    gateway = running.start("ftpd_banner=First\n")
    code, lines = running.ask(f"ftpd_banner=Second\nec_cert_file={first.key}\n")
    assert code == 1 and any(line.startswith("certificates not loaded") for line in lines)
    assert "configuration not loaded, as its certificates are not" in lines
    assert "First" in gateway.control().greeting.text


# What only a restart can change is named, and the rest holds.

@pytest.mark.parametrize("line", [
    "listen_ipv6=YES", "nopriv_user=daemon", "admin_group=daemon", "metrics_address=0",
    "seccomp_sandbox=YES", "xferlog_enable=YES", "pasv_enable=NO", "pasv_max_per_ip=7",
    "audit_log_file=/nonexistent/trail",
])
def test_what_takes_a_restart_is_named_and_the_rest_holds(running, line):
    gateway = running.start("ftpd_banner=First\n")
    name = line.split("=", maxsplit=1)[0]
    code, lines = running.ask(f"ftpd_banner=Second\n{line}\n")
    assert code == 1 and lines == [
        "changed: ftpd_banner=Second", f"takes a restart: {name}", "certificates loaded"]
    assert "Second" in gateway.control().greeting.text
    assert f"takes a restart: {name}" in gateway.log
    # As long as the file asks for it, it is said again; not once it is what holds.
    assert running.ask(f"ftpd_banner=Second\n{line}\n") == (1, lines[1:])
    assert running.change("ftpd_banner=Second\n") == []


def test_an_option_that_takes_a_restart_keeps_its_value(running, account, tmp_path):
    log = tmp_path / "log"
    gateway = running.start(f"xferlog_enable=YES\nvsftpd_log_file={log}\n")
    code, lines = running.ask("xferlog_enable=NO\nftpd_banner=Second\n")
    assert code == 1 and "takes a restart: vsftpd_log_file, xferlog_enable" in lines
    gateway.session(account).store("STOR f", b"content")
    wait_until(lambda: "OK UPLOAD" in log.read_text(), what="the line about the upload")


def test_a_mistake_in_what_takes_a_restart_is_told_at_once(running):
    gateway = running.start("ftpd_banner=First\n")
    code, lines = running.ask("ftpd_banner=Second\npasv_max_per_ip=many\n")
    assert code == 1 and "pasv_max_per_ip=many" in lines[0]
    assert "First" in gateway.control().greeting.text


# SIGHUP, and what is written down.

def test_sighup_does_the_same_and_tells_the_log(running):
    gateway = running.start("ftpd_banner=First\n")
    running.hang_up("ftpd_banner=Second\nmax_per_user=7\nlisten_ipv6=YES\n")
    assert "Second" in gateway.control().greeting.text
    log = gateway.log
    assert "by=SIGHUP" in log and "changed: ftpd_banner=Second" in log
    assert "changed: max_per_user=7" in log and "takes a restart: listen_ipv6" in log
    running.hang_up("no_such_option=1\n")
    assert "Second" in gateway.control().greeting.text
    assert "no such option" in gateway.log


def test_the_audit_trail_tells_what_was_changed_and_by_whom(running, account, tmp_path):
    trail = tmp_path / "trail"
    gateway = running.start(f"audit_log_file={trail}\n")
    gateway.session(account)
    line = f"audit_log_file={trail}\n"
    running.change(f"{line}ftpd_banner=Second\nmax_per_user=7\n")
    running.ask(f"{line}ftpd_banner=Second\nmax_per_user=7\nlisten_ipv6=YES\n")
    running.ask(f"{line}ftpd_banner=Third\nno_such_option=1\n")
    running.hang_up(line)
    assert answer(running.socket, "kick", "--user", account.name) == "1 session ended\n"
    assert ask(running.socket, "kick", "--address", "192.0.2.0/24").returncode == 1
    assert ask(running.socket, "unlock", "--user", account.name).returncode == 1
    gateway.stop()
    found = auditing.records(trail)
    shown = [{name: value for name, value in record.items()
              if name in ("result", "by_uid", "changed", "restart")}
             for record in auditing.of(found, "reload")]
    assert shown == [
        {"result": "ok", "by_uid": os.getuid(), "changed": "ftpd_banner max_per_user"},
        {"result": "failed", "by_uid": os.getuid(), "changed": "", "restart": "listen_ipv6"},
        {"result": "failed", "by_uid": os.getuid(), "changed": ""},
        {"result": "ok", "changed": "ftpd_banner max_per_user"},
    ]
    ends = [record.get("reason") for record in auditing.of(found, "disconnect")]
    assert ends == ["ended by an administrator"]
    (lifted,) = auditing.of(found, "unlock")
    assert (lifted["result"], lifted["which"], lifted["by_uid"]) == (
        "failed", f"user {account.name}", os.getuid())
    first, second = auditing.of(found, "kick")
    assert (first["result"], first["which"], first["sessions"]) == (
        "ok", f"user {account.name}", 1)
    assert (second["result"], second["which"], second["by_uid"]) == (
        "failed", "address 192.0.2.0/24", os.getuid())
