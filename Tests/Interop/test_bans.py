"""What the daemon counts over all sessions: logins of a user, failed logins of an address."""

import ftplib
import resource
import time

import pytest

from control import Closed, wait_until


def test_an_address_is_turned_away_after_failed_logins(serve, account):
    gateway = serve(ban_failures="3", ban_time="3600")
    standing = gateway.session(account)
    for _ in range(3):
        assert gateway.guess("nobody-of-ours").code == 530
    wait_until(lambda: "address banned" in gateway.log, what="the ban")
    refused = gateway.control(greet=False)
    assert refused.next(421) and refused.ended()
    # Whoever is in stays in, and other addresses come in.
    assert standing.alive()
    assert gateway.session(account, source="127.0.0.2").alive()


def test_a_ban_ends(serve, account):
    gateway = serve(ban_failures="1", ban_time="1")
    assert gateway.guess("nobody-of-ours").code == 530

    def comes_in():
        try:
            return gateway.control(greet=False).reply().code == 220
        except (Closed, OSError):
            return False

    wait_until(comes_in, what="the end of the ban")
    assert gateway.session(account).alive()


def test_failures_in_many_sessions_and_in_one_count_alike(serve):
    gateway = serve(ban_failures="2", max_login_fails="5")
    control = gateway.control().secure().protect()
    for _ in range(2):
        control.expect("USER x", 331)
        control.expect("PASS wrong", 530)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")
    assert gateway.control(greet=False).ended(421)


def test_bans_can_be_switched_off(serve):
    gateway = serve(ban_failures="0", max_login_fails="5")
    control = gateway.control().secure().protect()
    for _ in range(3):
        control.expect("USER x", 331)
        control.expect("PASS wrong", 530)
    assert gateway.control().alive()


def test_a_user_has_a_limited_number_of_sessions(serve, account, other_account):
    gateway = serve(max_per_user="2")
    first, second = gateway.session(account), gateway.session(account)
    with pytest.raises(ftplib.error_perm, match="^530 Too many sessions"):
        gateway.ftp(account)
    # Where the user is not at work, the words would tell a guesser that the password was right.
    elsewhere = gateway.control("127.0.0.2").secure()
    elsewhere.expect(f"USER {account.name}", 331)
    refused = elsewhere.expect(f"PASS {account.password}", 530)
    assert refused.text == "530 Login incorrect."
    assert gateway.log.count("max_per_user is reached") == 2
    assert gateway.session(other_account).alive()
    first.expect("QUIT", 221)
    first.ended()

    def comes_in():
        try:
            return gateway.session(account).alive()
        except AssertionError:
            return False

    wait_until(comes_in, what="a place for one more")
    assert second.alive()


def test_site_who_names_the_sessions_of_the_user_alone(serve, account, other_account):
    gateway = serve()
    first = gateway.session(account)
    second = gateway.session(account, source="127.0.0.2")
    gateway.session(other_account)
    reply = first.expect("SITE WHO", 211)
    assert len(reply.lines) == 4, reply.text
    assert "127.0.0.1" in reply.text and "127.0.0.2" in reply.text
    second.expect("QUIT", 221)
    wait_until(lambda: len(first.expect("SITE WHO", 211).lines) == 3, what="one session less")
    gateway.control().secure().protect().expect("SITE WHO", 530)


def test_questions_about_sessions_have_to_wait(gateway, account):
    """The one process that accepts clients looks through all sessions for each answer."""
    session = gateway.session(account)
    start = time.monotonic()
    session.raw(b"SITE WHO\r\n" * 17)
    for _ in range(17):
        session.next(211)
    # Four in a second.
    assert time.monotonic() - start > 3


def test_an_address_may_not_connect_too_often(serve):
    gateway = serve(max_connection_rate="3")
    for _ in range(3):
        assert gateway.control().alive()
    refused = gateway.control(greet=False)
    assert refused.next(421) and refused.ended()
    assert gateway.control(source="127.0.0.2").alive()


def test_connections_of_before_a_ban_are_no_way_around_it(serve, account):
    gateway = serve(ban_failures="2", max_login_fails="9")
    open_before = [gateway.control().secure() for _ in range(4)]
    for control in open_before[:2]:
        control.expect("USER x", 331)
        control.expect("PASS wrong", 530)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")
    for control in open_before[2:]:
        control.expect(f"USER {account.name}", 331)
        gateway.secrets.append(account.password)
        control.expect(f"PASS {account.password}", 530)


def test_a_guess_counts_whatever_the_module_calls_it(serve, account, tmp_path):
    service = tmp_path / "pam"
    service.mkdir()
    (service / "portcullis").write_text(
        "auth required pam_exec.so quiet /bin/false\naccount required pam_permit.so\n"
        "session required pam_permit.so\n")
    gateway = serve(pam_conf_dir=service, ban_failures="2", max_login_fails="9")
    control = gateway.control().secure()
    for _ in range(2):
        control.expect(f"USER {account.name}", 331)
        control.expect("PASS wrong", 530)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")


def test_anonymous_users_do_not_see_each_other(serve, account):
    account.home.chmod(0o755)
    gateway = serve(anonymous_enable="YES", ftp_username=account.name, anon_root=account.home)
    sessions = []
    for source in ("127.0.0.1", "127.0.0.2"):
        control = gateway.control(source).secure().protect()
        control.expect("USER anonymous", 331)
        control.expect("PASS a@b", 230)
        sessions.append(control)
    told = sessions[0].expect("SITE WHO", 211)
    assert len(told.lines) == 3 and "127.0.0.2" not in told.text


@pytest.mark.parametrize("spelling", ["anonymous", "Anonymous", "ANONYMOUS"])
def test_a_list_of_users_knows_every_spelling_of_anonymous(serve, account, tmp_path, spelling):
    names = tmp_path / "users"
    names.write_text("anonymous\n")
    gateway = serve(anonymous_enable="YES", ftp_username=account.name, anon_root=account.home,
                    userlist_enable="YES", userlist_file=names)
    control = gateway.control().secure()
    control.expect(f"USER {spelling}", 331)
    control.expect("PASS a@b", 530)


def test_a_flood_of_connections_beyond_the_descriptors_ends_nothing(serve, account):
    gateway = serve(max_per_ip="0", max_clients="0")
    standing = gateway.session(account)
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (60, 60))
    for _ in range(90):
        gateway.control(greet=False)
    assert standing.alive()
    assert gateway.process.poll() is None
    for client in gateway.clients[1:]:
        client.close()

    def comes_in():
        try:
            return gateway.session(account).alive()
        except (AssertionError, Closed, OSError):
            return False

    wait_until(comes_in, 30, "a place for one more")
