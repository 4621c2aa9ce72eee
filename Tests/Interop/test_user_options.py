"""Options of single users, and who is kept inside which directory."""

import ftplib
import io
import os

import pytest

from control import wait_until


@pytest.fixture
def users(tmp_path):
    directory = tmp_path / "users"
    directory.mkdir(mode=0o755)

    def write(account, text, mode=0o644):
        file = directory / account.name
        file.write_text(text)
        file.chmod(mode)
        return file

    write.directory = directory
    return write


def test_a_file_holds_for_its_user_alone(serve, account, other_account, users):
    users(account, "write_enable=NO\n")
    gateway = serve(user_config_dir=users.directory, quit_message="So long.")
    client = gateway.ftp(account)
    with pytest.raises(ftplib.error_perm, match="^550"):
        client.storbinary("STOR x", io.BytesIO(b"x"))
    assert client.quit() == "221 So long."
    other = gateway.ftp(other_account)
    other.storbinary("STOR x", io.BytesIO(b"x"))
    assert os.listdir(other_account.home) == ["x"]


def test_the_messages_are_the_users_own(serve, account, users):
    users(account, "login_message=Read only for you.\nquit_message=Bye then.\n")
    control = serve(user_config_dir=users.directory).control().secure().protect()
    control.expect(f"USER {account.name}", 331)
    assert control.expect(f"PASS {account.password}", 230).text == "230 Read only for you."
    assert control.expect("QUIT", 221).text == "221 Bye then."


def test_what_the_session_enforces_is_the_users_own(serve, account, users):
    users(account, "cmds_denied=DELE\nidle_session_timeout=2\n")
    session = serve(user_config_dir=users.directory).session(account)
    session.expect("DELE x", 550)
    assert session.ended(421)


def test_the_agent_enforces_the_users_own(serve, account, users):
    users(account, "local_umask=027\ndownload_enable=NO\n")
    gateway = serve(user_config_dir=users.directory, local_umask="077")
    client = gateway.ftp(account)
    client.storbinary("STOR x", io.BytesIO(b"x"))
    assert (account.home / "x").stat().st_mode & 0o777 == 0o640
    with pytest.raises(ftplib.error_perm, match="^550"):
        client.retrbinary("RETR x", lambda _: None)


@pytest.mark.parametrize("text, mode", [
    ("write_enable=perhaps\n", 0o644),
    ("no_such_option=1\n", 0o644),
    ("nonsense\n", 0o644),
    ("write_enable=NO\n", 0o666),
])
def test_a_file_that_cannot_be_honoured_keeps_its_user_out(
        serve, account, other_account, users, text, mode):
    users(account, text, mode)
    gateway = serve(user_config_dir=users.directory)
    with pytest.raises(ftplib.error_perm, match="^530"):
        gateway.ftp(account)
    wait_until(lambda: "not checked" in gateway.log, what="the reason in the log")
    gateway.ftp(other_account)


def test_what_holds_for_the_whole_server_is_ignored_and_named(serve, account, users):
    users(account, "max_clients=1\nwrite_enable=YES\n")
    gateway = serve(user_config_dir=users.directory)
    gateway.ftp(account)
    assert gateway.session(account).alive()
    assert "max_clients: ignored" in gateway.log


def test_a_user_cannot_name_another_file(serve, account, users):
    gateway = serve(user_config_dir=users.directory)
    control = gateway.control().secure()
    for name in ("../users/x", ".", "a/b"):
        control.expect(f"USER {name}", 331)
        control.expect("PASS x", 530)
        control = gateway.control().secure()


def test_everybody_is_jailed_unless_it_is_written(serve, account):
    client = serve().ftp(account)
    assert client.pwd() == "/"
    with pytest.raises(ftplib.error_perm):
        client.cwd("/etc")


def test_a_user_may_be_let_out_of_the_jail(serve, account):
    gateway = serve(chroot_local_user="NO")
    client = gateway.ftp(account)
    assert client.pwd() == str(account.home)
    client.storbinary("STOR x", io.BytesIO(b"x"))
    assert os.listdir(account.home) == ["x"]
    client.cwd("/etc")
    assert "passwd" in client.nlst()
    with pytest.raises(ftplib.error_perm):
        client.retrbinary("RETR /etc/shadow", lambda _: None)
    with pytest.raises(ftplib.error_perm):
        client.storbinary("STOR /etc/x", io.BytesIO(b"x"))
    assert "WARNING" in gateway.log


@pytest.mark.parametrize("written, listed_is_jailed", [("YES", False), ("NO", True)])
def test_the_list_turns_the_rule_around(
        serve, account, other_account, tmp_path, written, listed_is_jailed):
    names = tmp_path / "list"
    names.write_text(f"{account.name}\n")
    gateway = serve(chroot_local_user=written, chroot_list_enable="YES", chroot_list_file=names)
    listed, other = gateway.ftp(account), gateway.ftp(other_account)
    assert (listed.pwd() == "/") == listed_is_jailed
    assert (other.pwd() == "/") != listed_is_jailed


def test_a_list_alone_lets_nobody_out(serve, account, tmp_path):
    names = tmp_path / "list"
    names.write_text(f"{account.name}\n")
    gateway = serve(chroot_list_enable="YES", chroot_list_file=names)
    assert gateway.ftp(account).pwd() == "/"


def test_a_list_that_is_gone_lets_nobody_in(serve, account, tmp_path):
    names = tmp_path / "list"
    names.write_text("")
    gateway = serve(chroot_local_user="NO", chroot_list_enable="YES", chroot_list_file=names)
    names.unlink()
    with pytest.raises(ftplib.error_perm, match="^530"):
        gateway.ftp(account)


def test_files_can_be_kept_from_being_replaced(serve, account):
    client = serve(overwrite_enable="NO").ftp(account)
    client.storbinary("STOR x", io.BytesIO(b"first"))
    for attempt in (lambda: client.storbinary("STOR x", io.BytesIO(b"second")),
                    lambda: client.storbinary("APPE x", io.BytesIO(b"second")),
                    lambda: client.storbinary("STOR x", io.BytesIO(b"second"), rest=2)):
        with pytest.raises(ftplib.error_perm, match="^55"):
            attempt()
    client.storbinary("STOR y", io.BytesIO(b"other"))
    with pytest.raises(ftplib.error_perm, match="^550"):
        client.rename("y", "x")
    client.rename("y", "z")
    assert (account.home / "x").read_bytes() == b"first"
    assert client.storbinary("STOU x", io.BytesIO(b"more")).startswith("226")
    assert (account.home / "x").read_bytes() == b"first"


def test_options_that_are_too_long_are_told(serve, account, tmp_path):
    names = ",".join(f"name{number}:/{'d' * 60}" for number in range(90))
    (tmp_path / account.name).write_text(f"dir_aliases={names}\n")
    gateway = serve(user_config_dir=tmp_path)
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    control.expect(f"PASS {account.password}", 530, 421)
    assert "too long" in gateway.log
    # The last word counts, however often it is said.
    (tmp_path / account.name).write_text("dir_aliases=pub:/pub\n" * 2000)
    assert "pub /pub" in gateway.session(account).expect("SITE ALIAS", 214).text
