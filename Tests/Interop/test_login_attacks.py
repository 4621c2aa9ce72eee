"""Guesses at users and passwords: what they cost, what they tell, and whom they harm."""

import contextlib
import pathlib
import re
import secrets
import threading
import time

import pytest

import proc
from accounts import PASSWORDS, run
from bystanders import at_rest, serves_others, settled
from certificates import Authority
from control import Closed, wait_until
from gateway import Gateway
from virtual_users import UserFile

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


class Phases:
    """A service whose modules refuse in one phase, and let everybody pass in the others."""

    def __init__(self, directory):
        self.chosen = directory / "chosen"
        script = directory / "refuse"
        script.write_text(f'#!/bin/sh\n[ "$PAM_TYPE" != "$(cat {self.chosen})" ]\n')
        script.chmod(0o755)
        module = f"required pam_exec.so quiet {script}"
        (directory / "portcullis").write_text(
            f"auth required pam_unix.so nodelay\naccount required pam_unix.so\n"
            f"account {module}\nsession {module}\n")
        self.refuse("none")

    def refuse(self, phase):
        self.chosen.write_text(phase)


@pytest.fixture
def phases(root, tmp_path):
    return Phases(tmp_path)


def test_a_right_password_that_is_refused_waits_and_sounds_like_a_wrong_one(
        serve, account, other_account, phases, tmp_path):
    gateway = serve(pam_conf_dir=tmp_path, max_per_user="1", ban_failures="0", max_login_fails="20",
                    delay_failed_login="1", delay_failed_login_max="2")
    gateway.session(account, source="127.0.0.9")
    gateway.secrets.append(other_account.password)
    guesser = gateway.control(source="127.0.0.3").secure()
    # By then the delays of the address have grown, and a refusal that waits for none stands out.
    spans = [round(refusal(guesser, f"guess{number}")[1]) for number in range(4)]
    assert spans == [1, 1, 1, 2]

    def told(name, password):
        words, span = refusal(guesser, name, password)
        return words, round(span)

    seen = {
        "unknown": told("nobody-of-this-name", "wrong"),
        "wrong password": told(other_account.name, "wrong"),
        "max_per_user": told(account.name, account.password),
    }
    for phase in ("account", "open_session"):
        phases.refuse(phase)
        seen[phase] = told(other_account.name, other_account.password)
    phases.refuse("none")
    other_account.home.rename(tmp_path / "away")
    seen["no home"] = told(other_account.name, other_account.password)
    assert set(seen.values()) == {("530 Login incorrect.", 2)}, seen
    lines = [line for line in gateway.log.splitlines() if line.endswith("] login refused")]
    assert len(lines) == 4 + len(seen)
    for line, why in zip(lines[4:], ("unknown user", "wrong password", "max_per_user is reached",
                                     "pam_acct_mgmt", "pam_open_session", "home directory")):
        assert why in line, line


def test_right_passwords_that_are_refused_ban_nobody(serve, account):
    gateway = serve(ban_failures="2", max_per_user="1", max_login_fails="9")
    gateway.session(account)
    control = gateway.control().secure()
    for _ in range(4):
        refusal(control, account.name, account.password)
    assert "address banned" not in gateway.log
    assert gateway.control().alive()


def keep_out_by_pam(tmp_path, _):
    (tmp_path / "portcullis").write_text(
        "auth required pam_unix.so nodelay\naccount required pam_unix.so\n"
        "account required pam_succeed_if.so quiet user = nobody-of-ours\n")
    return {"pam_conf_dir": tmp_path}


def keep_out_by_number(_, account):
    return {"min_uid": account.uid + 1}


def keep_out_without_certificate(tmp_path, _):
    return {"cert_auth": "second", "cert_user_field": "cn", "validate_cert": "YES",
            "ca_certs_file": Authority(tmp_path).chain}


@pytest.mark.parametrize(
    "keep_out", [keep_out_by_pam, keep_out_by_number, keep_out_without_certificate],
    ids=lambda function: function.__name__)
def test_a_right_password_that_a_rule_refuses_bans_nobody_and_a_wrong_one_does(
        serve, account, tmp_path, keep_out):
    gateway = serve(ban_failures="2", max_login_fails="9", **keep_out(tmp_path, account))
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    for _ in range(3):
        refusal(control, account.name, account.password)
    assert "address banned" not in gateway.log and gateway.control().alive()
    for _ in range(2):
        refusal(control, account.name)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")


def test_who_stands_on_the_list_counts_whatever_the_password(serve, account, tmp_path):
    """Or the ban would tell the right one."""
    (tmp_path / "list").write_text(f"{account.name}\n")
    gateway = serve(ban_failures="2", userlist_enable="YES", userlist_file=tmp_path / "list")
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    for _ in range(2):
        refusal(control, account.name, account.password)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")


@pytest.fixture
def twin_of_root(root):
    """An account with root's number, a password of its own and a shell that anybody may use."""
    name, password = "pc" + secrets.token_hex(4), "Pw-" + secrets.token_hex(12)
    PASSWORDS.add(password)
    run("useradd", "--non-unique", "--uid", "0", "--gid", "0", "--no-create-home",
        "--home-dir", "/tmp", "--shell", "/bin/sh", name)
    try:
        run("chpasswd", text=f"{name}:{password}\n")
        yield name, password
    finally:
        run("userdel", "--force", name)


@pytest.mark.parametrize("options", [{}, {"check_shell": "YES"}, {"userlist_enable": "YES"}],
                         ids=str)
def test_root_is_refused_with_the_right_password(serve, twin_of_root, tmp_path, options):
    name, password = twin_of_root
    (tmp_path / "list").write_text(f"{name}\n")
    gateway = serve(**options, userlist_file=tmp_path / "list")
    control = gateway.control().secure()
    assert refusal(control, name, password)[0] == "530 Login incorrect."
    (line,) = [line for line in gateway.log.splitlines() if line.endswith("] login refused")]
    # The password was the right one: a wrong one has another reason.
    assert "why=root login" in line, line
    refusal(control, name, "wrong")
    assert gateway.log.count("why=root login") == 1
    assert not [pid for pid in proc.tree(gateway.pid) if proc.name(pid) == "ftps-agent"]


def test_the_group_of_root_is_nobodys_primary_one(serve, account):
    gateway = serve()
    gateway.secrets.append(account.password)
    run("usermod", "-g", "0", account.name)
    try:
        words = refusal(gateway.control().secure(), account.name, account.password)[0]
        assert words == "530 Login incorrect."
        wait_until(lambda: "why=the primary group is root's" in gateway.log, what="the reason")
    finally:
        run("usermod", "-g", str(account.gid), account.name)
    assert gateway.session(account).alive()


def test_a_refusal_for_want_of_a_certificate_is_in_the_log(serve, account, tmp_path):
    authority = Authority(tmp_path)
    gateway = serve(cert_auth="second", cert_user_field="cn", validate_cert="YES",
                    ca_certs_file=authority.chain)
    gateway.secrets.append(account.password)
    assert refusal(gateway.control().secure(), account.name, account.password)[0] \
        == "530 Login incorrect."
    (line,) = [line for line in gateway.log.splitlines() if line.endswith("] login refused")]
    assert "cert_auth" in line and f"user={account.name}" in line


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


def test_every_spelling_of_a_name_counts_for_the_same_delay(serve):
    gateway = serve(delay_failed_login="1", delay_failed_login_max="2")
    spans = [round(refusal(gateway.control(source=f"127.0.0.{number + 2}").secure(), name)[1])
             for number, name in enumerate(("victim", "Victim", "VICTIM", "vIcTiM"))]
    assert spans == [1, 1, 1, 2]


def test_an_address_waits_longer_whoever_it_guesses_at(serve):
    gateway = serve(delay_failed_login="1", delay_failed_login_max="2", max_login_fails="9")
    guesser = gateway.control(source="127.0.0.2").secure()
    spans = [round(refusal(guesser, f"user{number}")[1]) for number in range(4)]
    assert spans == [1, 1, 1, 2]
    assert round(refusal(gateway.control(source="127.0.0.3").secure(), "user9")[1]) == 1


def test_logins_that_begin_and_end_without_end_are_slowed_down_and_all_logged(serve, account):
    gateway = serve(ssl_enable="NO", plain_system_logins="YES")
    gateway.secrets.append(account.password)
    control = gateway.control()
    start = time.monotonic()
    for _ in range(21):
        control.login(account)
        control.expect("REIN", 220)
    # Five in a second; each leaves lines in the log, and starts processes. An Agent that has to be
    # killed at the end of its login takes two seconds.
    assert 3.5 < time.monotonic() - start < 21 * 1.5
    assert gateway.log.count("] login\n") == 21


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
    before = settled(gateway)
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
    before = settled(gateway)
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


# Of the empty password, by crypt(3).
OF_NOTHING = ("$6$salt$r6qPcj2UeIkfklWHvleGJk8OKTInFYR/fxyuwcC656IWiZBpIFZ9.hMRG2ZQnnyM"
              "FrKOe461f9iT9Ljn0wJ5l.")


@pytest.fixture
def without_password(other_account):
    """An account that anybody may use at the console."""
    with open("/etc/shadow", encoding="utf-8") as shadow:
        kept, = [line.split(":")[1] for line in shadow if line.startswith(f"{other_account.name}:")]
    with changed(other_account, ["--password", ""], ["--password", kept]) as account:
        yield account


def test_an_account_without_a_password_logs_nobody_in(serve, without_password, tmp_path):
    """Even where PAM would have it: its module takes any password for such an account."""
    (tmp_path / "portcullis").write_text(
        "auth required pam_unix.so nullok nodelay\naccount required pam_unix.so\n"
        "session required pam_permit.so\n")
    gateway = serve(pam_conf_dir=tmp_path, max_login_fails="100", ban_failures="0")
    control = gateway.control().secure()
    for line in ("PASS", "PASS ", "PASS anything", "PASS  "):
        control.expect(f"USER {without_password.name}", 331)
        control.expect(line, 530, 501)
        control.expect("PWD", 530)


@pytest.mark.parametrize("value", [OF_NOTHING, "!"], ids=["of nothing", "locked"])
def test_a_virtual_user_without_a_password_logs_nobody_in(serve, account, tmp_path, value):
    users = UserFile(tmp_path, account)
    users.add("amy")
    text = users.path.read_text()
    hashed = re.search("^amy:([^:]+):", text, re.MULTILINE)[1]
    users.path.write_text(text.replace(hashed, value))
    control = serve(**users.options(max_login_fails="100", ban_failures="0")).control().secure()
    for line in ("PASS", "PASS ", "PASS anything", f"PASS {value}"):
        control.expect("USER amy", 331)
        control.expect(line, 530, 501)
        control.expect("PWD", 530)


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
