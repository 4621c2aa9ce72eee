"""Guesses at users and passwords: what they cost, what they tell, and whom they harm."""

import contextlib
import pathlib
import re
import threading
import time

import pytest

import proc
from accounts import run
from bystanders import at_rest, serves_others
from control import Closed, wait_until
from gateway import Gateway

ROOT = pathlib.Path(__file__).resolve().parents[2]


def refusal(control, name, password="wrong"):
    """The words of a refusal, and how long it took."""
    control.expect(f"USER {name}", 331)
    start = time.monotonic()
    reply = control.expect(f"PASS {password}", 530)
    return reply.text, time.monotonic() - start


@contextlib.contextmanager
def changed(account, there, back):
    """An account with something about it changed by usermod(8)."""
    run("usermod", *there, account.name)
    try:
        yield account
    finally:
        run("usermod", *back, account.name)


# What a refusal tells.

def shortest(gateway, name, password, count=4):
    """The shortest of some refusals: the one that nothing else held up."""
    spans = []
    for _ in range(count // 2):
        control = gateway.control().secure()
        for _ in range(2):
            text, span = refusal(control, name, password)
            assert text == "530 Login incorrect.", name
            spans.append(span)
        control.close()
    return min(spans)


def test_every_refusal_has_the_same_words_and_takes_the_same_time(
        serve, account, other_account, tmp_path):
    (tmp_path / "list").write_text(f"{account.name}\n")
    gateway = serve(userlist_enable="YES", userlist_file=tmp_path / "list", check_shell="YES",
                    max_login_fails="4", max_per_ip="0", ban_failures="0")
    gateway.secrets += [account.password, other_account.password]
    name, password = other_account.name, other_account.password
    with changed(other_account, ["--shell", "/bin/sh"], ["--shell", "/usr/sbin/nologin"]):
        gateway.session(other_account).close()

        def measured():
            spans = {
                "unknown": shortest(gateway, "nobody-of-this-name", "wrong"),
                "wrong password": shortest(gateway, name, "wrong"),
                "denied by the list": shortest(gateway, account.name, account.password),
                "denied by the list, wrong": shortest(gateway, account.name, "wrong"),
                "root": shortest(gateway, "root", "wrong"),
                "no login": shortest(gateway, "daemon", "wrong"),
            }
            with changed(other_account, ["--lock"], ["--unlock"]):
                spans["locked"] = shortest(gateway, name, password)
            with changed(other_account, ["--expiredate", "1"], ["--expiredate", ""]):
                # With the right password the expiry is told, which nobody learns by guessing.
                spans["expired, wrong"] = shortest(gateway, name, "wrong")
            with changed(other_account, ["--shell", "/bin/false"], ["--shell", "/bin/sh"]):
                spans["no listed shell"] = shortest(gateway, name, password)
                spans["no listed shell, wrong"] = shortest(gateway, name, "wrong")
            return spans

        # The hash of a password takes tens of milliseconds. A machine under load may spoil one
        # measurement, and no difference that is always there.
        for attempt in range(3):
            spans = measured()
            if max(spans.values()) - min(spans.values()) < 0.015:
                break
        else:
            raise AssertionError(spans)
    reasons = set(re.findall(r"why=([^=]+?)(?: \w+=| \[)", gateway.log))
    assert len(reasons) >= 3, "all of them were refused for the same reason"


def test_every_decision_about_a_login_is_in_the_log(serve, account, tmp_path):
    (tmp_path / "list").write_text("listed\n")
    gateway = serve(userlist_enable="YES", userlist_file=tmp_path / "list", ban_failures="4",
                    max_login_fails="9")
    gateway.session(account)
    control = gateway.control().secure()
    for name in ("nobody-of-ours", account.name, "listed", "root"):
        refusal(control, name)
    wait_until(lambda: "address banned" in gateway.log, what="the line about the ban")
    refusal(control, "too-late")
    assert gateway.control(greet=False).ended(421)
    lines = gateway.log.splitlines()
    logins = [line for line in lines if line.endswith("] login")]
    assert len(logins) == 1
    for part in (f"user={account.name}", f"uid={account.uid}", "by=password", "peer=127.0.0.1:"):
        assert part in logins[0]
    refused = [line for line in lines if line.endswith("] login refused")]
    assert len(refused) == 5
    for line, name, why in zip(
            refused, ("nobody-of-ours", account.name, "listed", "root", "too-late"),
            ("unknown user", "wrong password", "unknown user", "wrong password", "ban_failures")):
        assert f"user={name}" in line and why in line and "peer=127.0.0.1:" in line, line
    (banned,) = [line for line in lines if line.endswith("] address banned")]
    assert "address=127.0.0.1" in banned
    (turned_away,) = [line for line in lines if line.endswith("] client refused")]
    assert "ban_failures" in turned_away


# What guesses cost.

def test_refusals_wait_longer_and_longer_and_the_user_does_not(serve, account):
    gateway = serve(delay_failed_login="1", delay_failed_login_max="3", max_login_fails="9")
    gateway.session(account, source="127.0.0.2").close()
    guesser = gateway.control(source="127.0.0.3").secure()
    spans = [round(refusal(guesser, account.name)[1]) for _ in range(5)]
    assert spans == [1, 1, 1, 2, 3]
    # Whoever has the password gets in at once, from anywhere, and forgives nothing.
    start = time.monotonic()
    gateway.session(account, source="127.0.0.4")
    assert time.monotonic() - start < 1.9
    # The user's counter holds for other addresses, and the address's for other users.
    elsewhere = gateway.control(source="127.0.0.5").secure()
    assert round(refusal(elsewhere, account.name)[1]) == 3
    assert round(refusal(guesser, "somebody-else")[1]) == 3
    assert round(refusal(elsewhere, "somebody-else")[1]) == 1


def test_a_guesser_that_hangs_up_still_waits(serve, account):
    gateway = serve(delay_failed_login="3", max_per_ip="1")
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    control.send("PASS wrong")
    wait_until(lambda: "login refused" in gateway.log, what="the refusal")
    control.close()
    # Its place is taken until the wait is over, so that going away makes no room for more guesses.
    assert gateway.control(greet=False).ended(421)
    wait_until(lambda: gateway.control(greet=False).reply().code == 220, 20, "the end of the wait")


def guess(gateway, source, count, stop=None):
    """Guesses until it is turned away, or told to stop; how often it was told no."""
    told = 0
    with contextlib.suppress(Closed, OSError, AssertionError):
        while told < count and not (stop and stop.is_set()):
            control = gateway.control(source, greet=False)
            control.next(220)
            control.secure()
            with contextlib.suppress(Closed):
                for _ in range(3):
                    refusal(control, f"guess{told}")
                    told += 1
            control.close()
    return told


def test_a_flood_of_logins_from_one_address_ends_in_a_ban(serve, account):
    gateway = serve(ban_failures="12", delay_failed_login="0")
    before = at_rest(gateway)
    told = []
    threads = [threading.Thread(target=lambda: told.append(guess(gateway, "127.0.0.1", 100)))
               for _ in range(10)]
    for thread in threads:
        thread.start()
    assert serves_others(gateway, account)
    for thread in threads:
        thread.join(30)
    # Those that were on their way when the last failure counted may still have been told.
    assert 12 <= sum(told) <= 12 + 10 * 3
    assert serves_others(gateway, account)
    gateway.close_clients()
    wait_until(lambda: at_rest(gateway) == before, what="the end of every process")


def test_a_flood_of_logins_from_many_addresses_is_served_beside_others(serve, account):
    gateway = serve(delay_failed_login="0")
    before = at_rest(gateway)
    stop = threading.Event()
    threads = [
        threading.Thread(target=guess, args=(gateway, f"127.0.1.{number}", 1000, stop))
        for number in range(1, 41)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            assert serves_others(gateway, account)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert gateway.log.count("login refused") > 40
    gateway.close_clients()
    wait_until(lambda: at_rest(gateway) == before, what="the end of every process")


# What is never even tried.

@pytest.mark.parametrize("line", [
    *(b"USER a" + bytes([byte]) + b"b" for byte in (*range(1, 10), *range(11, 32), 127)),
    b"USER a\xc2\x80b", b"USER a\xc2\x9fb", b"USER a\0b", b"USER a\xfeb", b"USER \xc3",
    b"USER \xed\xa0\x80", b"USER \xf4\x90\x80\x80", b"USER \xc0\xaf", b"USER " + b"a" * 129,
    b"USER " + b"\xc3\xa4" * 65, b"USER " + b"a" * 4000, b"USER"], ids=repr)
def test_a_name_that_is_none_is_refused_before_anybody_is_asked(shared_gateway, line):
    control = shared_gateway.control().secure()
    control.expect(line, 501, 500)
    control.expect("PASS x", 503)
    assert "login refused" not in shared_gateway.log
    control.close()


@pytest.fixture(scope="module")
def shared_gateway(certificate, root):
    gateway = Gateway(certificate, {})
    yield gateway
    gateway.close_clients()
    gateway.stop()
    gateway.check_log()


@pytest.mark.parametrize("password", [b"a\0b", b"\0", b"a\rb", b"x" * 513, b"x" * 4000],
                         ids=["nul", "nul alone", "cr", "513", "4000"])
def test_a_password_that_is_none_is_refused_before_anybody_is_asked(
        shared_gateway, account, password):
    control = shared_gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    control.expect(b"PASS " + password, 501)
    assert "login refused" not in shared_gateway.log
    control.close()


def test_no_command_works_before_the_login_but_those_that_lead_to_it(gateway):
    page = (ROOT / "Sources/Portcullis/Portcullis.docc/Commands.md").read_text()
    commands = re.findall(r"^\| `([A-Z0-9 ]+)` \|", page, re.MULTILINE)
    assert len(commands) > 80
    leading = {"USER", "PASS", "ACCT", "QUIT", "REIN", "NOOP", "SYST", "HELP", "FEAT", "OPTS",
               "AUTH", "PBSZ", "PROT", "CCC", "HOST", "LANG", "CLNT", "CSID"}
    assert leading <= set(commands)
    lines = [command + tail for command in commands if command not in leading
             for tail in ("", " x", " /etc/passwd")]
    for named in (None, "root"):
        # Ten errors end a connection.
        for start in range(0, len(lines), 9):
            control = gateway.control().secure()
            if named:
                control.expect(f"USER {named}", 331)
            for line in lines[start:start + 9]:
                reply = control.command(line)
                # STAT tells of the connection, and ABOR has nothing to break off.
                if line == "STAT":
                    assert reply.code == 211 and "/" not in reply.lines[-1]
                elif line == "ABOR":
                    assert reply.code in (225, 226, 530)
                else:
                    assert reply.code in (501, 502, 530), (line, reply)
            control.close()
    assert not [pid for pid in proc.tree(gateway.pid) if proc.name(pid) == "ftps-agent"]
