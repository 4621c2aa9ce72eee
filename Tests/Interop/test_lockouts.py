"""Users who are locked out after failed logins, whatever the addresses."""

import pytest

from certificates import Authority
from control import Closed, wait_until
from test_certificate_logins import by_name
from test_client_certificates import showing

LOCKED = "user locked out"
SWITCHES = {"ban_failures": "0", "delay_failed_login": "0", "max_login_fails": "9"}


def lock_out(gateway, name, failures=1):
    for number in range(failures):
        assert gateway.guess(name, f"127.0.0.{number + 2}").code == 530
    wait_until(lambda: LOCKED in gateway.log, what="the lock-out")


def tries(gateway, account, **kinds):
    gateway.secrets.append(account.password)
    return gateway.guess(account.name, password=account.password, **kinds)


def test_guesses_from_many_addresses_lock_a_user_out(serve, account, other_account):
    gateway = serve(user_lock_failures="3", **SWITCHES)
    standing = gateway.session(account)
    for number, name in enumerate((account.name, account.name.upper(), account.name.title())):
        wrong = gateway.guess(name, f"127.0.0.{number + 2}")
        assert wrong.code == 530
    wait_until(lambda: LOCKED in gateway.log, what="the lock-out")
    # The right password sounds like a wrong one, from wherever it comes.
    for source in ("127.0.0.2", "127.0.0.9", None):
        assert tries(gateway, account, source=source).lines == wrong.lines
    assert gateway.log.count(LOCKED) == 1
    assert gateway.log.count("why=locked out (user_lock_failures)") == 3
    # Whoever is in stays in, and nobody else is meant.
    assert standing.alive()
    assert gateway.session(other_account, source="127.0.0.2").alive()


def test_a_lock_out_ends(serve, account):
    gateway = serve(user_lock_failures="1", user_lock_time="2", **SWITCHES)
    lock_out(gateway, account.name)
    assert tries(gateway, account).code == 530
    # Neither guesses nor the right password put the end off.
    wait_until(lambda: tries(gateway, account).code == 230, what="the end of the lock-out")


def test_failures_of_long_ago_lock_nobody_out(serve, account):
    gateway = serve(user_lock_failures="2", user_lock_period="1", **SWITCHES)
    assert gateway.guess(account.name).code == 530
    standing = gateway.session(account)
    wait_until(lambda: gateway.guess(account.name).code == 530 and standing.alive()
               and LOCKED in gateway.log, what="two failures within a second")


def test_nobody_is_locked_out_unless_it_is_wished_for(serve, account):
    gateway = serve(**SWITCHES)
    for number in range(12):
        assert gateway.guess(account.name, f"127.0.0.{number + 2}").code == 530
    assert tries(gateway, account).code == 230
    assert LOCKED not in gateway.log


def test_who_does_not_exist_is_locked_out_alike(serve):
    gateway = serve(user_lock_failures="2", **SWITCHES)
    lock_out(gateway, "nobody-of-ours", 2)
    assert gateway.guess("nobody-of-ours").code == 530
    assert gateway.log.count("locked out (user_lock_failures)") == 1


def test_a_right_password_that_is_refused_locks_nobody_out(serve, account):
    gateway = serve(user_lock_failures="1", max_per_user="1", **SWITCHES)
    standing = gateway.session(account)
    for _ in range(2):
        assert tries(gateway, account).code == 530
    standing.command("QUIT")
    wait_until(lambda: tries(gateway, account).code == 230, what="a place")
    assert LOCKED not in gateway.log


def test_a_guess_that_is_being_checked_when_the_user_is_locked_out_leads_nowhere(
        serve, account, tmp_path):
    """Else many guesses at once were as good as many."""
    service = tmp_path / "pam"
    service.mkdir()
    script = tmp_path / "check"
    script.write_text(f"""#!/bin/bash
read -r -d '' password
[[ $password == right ]] || exit 1
touch {tmp_path}/checking
for ((i = 0; i < 1000; i++)); do [[ -e {tmp_path}/go ]] && exit 0; sleep 0.02; done
exit 1
""")
    script.chmod(0o755)
    (service / "portcullis").write_text(
        f"auth required pam_exec.so quiet expose_authtok {script}\n"
        "auth required pam_permit.so\naccount required pam_permit.so\n"
        "session required pam_permit.so\n")
    gateway = serve(pam_conf_dir=service, user_lock_failures="2", **SWITCHES)
    early = gateway.control().secure().protect()
    early.expect(f"USER {account.name}", 331)
    early.send("PASS right")
    wait_until((tmp_path / "checking").exists, what="the check")
    lock_out(gateway, account.name, 2)
    (tmp_path / "go").touch()
    early.next(530)
    assert gateway.log.count("why=locked out (user_lock_failures)") == 1


def test_a_lock_out_keeps_no_certificate_out(serve, account, tmp_path):
    authority = Authority(tmp_path)
    gateway = by_name(serve, authority, "alone", user_lock_failures="1", **SWITCHES)
    other = authority.issue("somebody-else")
    control = gateway.control(context=showing(gateway, other)).secure().protect()
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS wrong", 530)
    wait_until(lambda: LOCKED in gateway.log, what="the lock-out")
    control.expect(f"USER {account.name}", 331)
    gateway.secrets.append(account.password)
    control.expect(f"PASS {account.password}", 530)
    owner = gateway.control(context=showing(gateway, authority.issue(account.name))).secure()
    owner.expect(f"USER {account.name}", 232)


def test_one_session_learns_nothing_more_of_a_user_who_is_locked_out(serve, account):
    gateway = serve(user_lock_failures="2", **{**SWITCHES, "max_login_fails": "4"})
    gateway.secrets.append(account.password)
    control = gateway.control().secure().protect()
    replies = []
    for password in ("wrong", "wrong", account.password, "wrong"):
        control.expect(f"USER {account.name}", 331)
        replies.append(control.command(f"PASS {password}"))
    assert {tuple(reply.lines) for reply in replies[:3]} == {tuple(replies[0].lines)}
    with pytest.raises((AssertionError, Closed, OSError)):
        control.expect("NOOP", 200)
