"""Users who are no accounts of the system (virtual_users_file)."""

import ftplib
import io
import os
import signal
import subprocess

import pytest

import proc
from control import wait_until
from gateway import BINARY, PAM
from refusals import time_of_refusal
from virtual_users import UserFile


@pytest.fixture
def users(account, tmp_path):
    return UserFile(tmp_path, account)


def refused(gateway, name, password, *codes):
    """The reply to a login that must not succeed."""
    gateway.secrets.append(password)
    control = gateway.control().secure()
    control.expect(f"USER {name}", 331)
    return control.expect(f"PASS {password}", *(codes or (530,)))


def test_a_user_of_the_file_works_in_a_home_of_its_own(serve, users, account):
    user = users.add("amy")
    client = serve(**users.options()).ftp(user)
    client.storbinary("STOR a file", io.BytesIO(b"content"))
    assert client.nlst() == ["a file"]
    stored = (user.home / "a file").stat()
    assert (stored.st_uid, stored.st_gid) == (account.uid, account.gid)
    assert client.pwd() == "/"


def test_the_agent_has_the_ids_and_groups_of_the_guest_account(serve, users, account):
    gateway = serve(**users.options())
    gateway.session(users.add("amy"))
    agent = [pid for pid in proc.tree(gateway.pid) if proc.status(pid)["Name"] == "ftps-agent"]
    facts = proc.status(agent[0])
    assert proc.numbers(facts["Uid"]) == [account.uid] * 4
    assert proc.numbers(facts["Gid"]) == [account.gid] * 4
    assert sorted(proc.numbers(facts["Groups"])) == account.groups


def test_the_letters_and_options_of_the_user_hold(serve, users):
    reader = users.add("reader", permissions="elr")
    (reader.home / "f").write_bytes(b"x")
    keeper = users.add("keeper", "--set", "local_umask=027", "--set", "cmds_denied=DELE, RMD")
    gateway = serve(**users.options())
    client = gateway.ftp(reader)
    content = io.BytesIO()
    client.retrbinary("RETR f", content.write)
    assert content.getvalue() == b"x"
    with pytest.raises(ftplib.error_perm):
        client.storbinary("STOR g", io.BytesIO(b"y"))
    with pytest.raises(ftplib.error_perm):
        client.delete("f")
    client = gateway.ftp(keeper)
    client.storbinary("STOR h", io.BytesIO(b"z"))
    assert (keeper.home / "h").stat().st_mode & 0o777 == 0o640
    with pytest.raises(ftplib.error_perm):
        client.delete("h")


def test_the_server_can_only_narrow_the_letters(serve, users):
    session = serve(**users.options(write_enable="NO")).session(users.add("amy"))
    session.expect("DELE f", 550)
    session.expect("MKD d", 550)


def test_accounts_of_the_system_log_in_beside_them(serve, users, account):
    gateway = serve(**users.options())
    gateway.session(users.add("amy"))
    gateway.session(account)


def test_a_user_of_the_file_hides_an_account_of_the_same_name(serve, users, account, tmp_path):
    twin = users.add(account.name)
    gateway = serve(**users.options())
    gateway.session(twin).store("STOR here", b"x")
    assert (twin.home / "here").exists()
    refused(gateway, account.name, account.password)


def test_the_order_of_authorizers_is_the_written_one(serve, users, account):
    twin = users.add(account.name)
    other = users.add("amy")
    # PAM knows no such name as unknown: whoever it refuses stays refused.
    gateway = serve(**users.options(auth_order="pam, virtual"))
    gateway.session(account)
    refused(gateway, account.name, twin.password)
    gateway.session(other)
    gateway = serve(**users.options(auth_order="virtual"))
    gateway.session(other)
    refused(gateway, account.name, account.password)


def test_without_local_users_only_the_file_counts(serve, users, account):
    gateway = serve(**users.options(local_enable="NO", pam_conf_dir="/nonexistent"))
    gateway.session(users.add("amy"))
    refused(gateway, account.name, account.password)


def test_a_change_of_the_file_holds_at_once(serve, users):
    gateway = serve(**users.options())
    amy = users.add("amy")
    gateway.session(amy)
    users.passwd("amy", "--lock")
    refused(gateway, amy.name, amy.password)
    users.passwd("amy", "--unlock")
    gateway.session(amy)
    users.passwd("amy", "--delete")
    refused(gateway, amy.name, amy.password)


@pytest.mark.parametrize("name", ["zoe", "../amy", "/amy", ".amy", "amy:", "amy/", "#", "AMY",
                                  "nobody-in-particular"])
def test_nobody_else_gets_in(serve, users, name):
    amy = users.add("amy")
    reply = refused(serve(**users.options()), name, amy.password)
    assert reply.text == "530 Login incorrect."


@pytest.mark.parametrize("password", ["", " ", "!", "*", "x" * 512])
def test_no_other_password_gets_in(serve, users, password):
    users.add("amy")
    gateway = serve(**users.options())
    control = gateway.control().secure()
    control.expect("USER amy", 331)
    reply = control.expect(f"PASS {password}", 530, 501)
    assert "Login incorrect" in reply.text or reply.code == 501


def test_no_hash_and_no_password_is_in_any_process(serve, users):
    amy = users.add("amy")
    gateway = serve(**users.options())
    gateway.session(amy)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "virtual_users_file: users: 2" in gateway.log, what="what SIGHUP found")
    digests = [line.split(":")[1].encode() for line in users.path.read_text().splitlines()]
    processes = [gateway.pid, *proc.tree(gateway.pid)]
    assert len(processes) >= 4
    for pid in processes:
        content = memory(pid)
        for digest in digests:
            assert digest not in content, proc.status(pid)["Name"]
        if proc.status(pid)["Name"] == "ftps-agent":
            assert amy.password.encode() not in content


def memory(pid):
    content = bytearray()
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            first, last = (int(number, 16) for number in span.split("-"))
            try:
                mem.seek(first)
                content += mem.read(last - first)
            except OSError:
                pass
    return content


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_lets_nobody_in(serve, users, mode):
    amy = users.add("amy")
    gateway = serve(**users.options())
    users.path.chmod(mode)
    refused(gateway, amy.name, amy.password)
    wait_until(lambda: "others than its owner may write it" in gateway.log, what="the log line")
    users.path.chmod(0o600)
    gateway.session(amy)


def test_a_file_of_somebody_else_lets_nobody_in(serve, users, account):
    amy = users.add("amy")
    gateway = serve(**users.options())
    os.chown(users.path, account.uid, account.gid)
    refused(gateway, amy.name, amy.password)
    os.chown(users.path, 0, 0)
    gateway.session(amy)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_lets_nobody_in(serve, users, make):
    amy = users.add("amy")
    gateway = serve(**users.options())
    users.path.unlink()
    make(users.path)
    refused(gateway, amy.name, amy.password)


def test_a_line_that_makes_no_sense_harms_nobody_else(serve, users):
    amy = users.add("amy")
    gateway = serve(**users.options())
    with users.path.open("a") as file:
        file.write("bob:plainly told:/srv:elr:\n\xff\xfe\nzoe\n")
    gateway.session(amy)
    refused(gateway, "bob", "plainly told")
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "virtual_users_file: users: 2" in gateway.log, what="what SIGHUP found")
    assert "line 3: " in gateway.log and "line 4: " in gateway.log and "line 5: " in gateway.log
    assert "$y$" not in gateway.log


def check(users, certificate, tmp_path, **more):
    options = users.options(rsa_cert_file=certificate.chain, pam_conf_dir=PAM,
                            rsa_private_key_file=certificate.key, **more)
    file = tmp_path / "portcullis.conf"
    file.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    return subprocess.run([BINARY, "check-config", file], capture_output=True, text=True,
                          timeout=60, check=False)


def test_check_config_names_every_line_that_makes_no_sense(users, certificate, tmp_path):
    assert check(users, certificate, tmp_path).returncode == 0
    with users.path.open("a") as file:
        file.write("bob:$1$saltsalt$9xy1btjgzLYfb7hivXtC//:/srv:elr:\n"
                   "zoe:!:/srv:elr:listen_port=21\neve:!:/srv:elr:local_umask=0888\n")
    done = check(users, certificate, tmp_path)
    assert done.returncode == 78
    for number in (2, 3, 4):
        assert f"line {number}: " in done.stdout
    assert "$1$salt" not in done.stdout


@pytest.mark.parametrize("mode", [0o622, 0o640, 0o644])
def test_check_config_looks_at_the_mode(users, certificate, tmp_path, mode):
    users.path.chmod(mode)
    done = check(users, certificate, tmp_path)
    if mode & 0o022:
        assert done.returncode == 78 and "others than its owner may write it" in done.stdout
    else:
        assert done.returncode == 0
        assert ("may read the hashes" in done.stdout) == bool(mode & 0o004)


@pytest.mark.parametrize("guest", ["root", "portcullis-no-such-account"])
def test_check_config_refuses_a_guest_account_with_privilege(users, certificate, tmp_path, guest):
    done = check(users, certificate, tmp_path, guest_username=guest)
    assert done.returncode == 78 and f"guest_username={guest}: refused" in done.stdout


def test_the_time_of_a_refusal_does_not_tell_who_there_is(serve, users, account):
    users.add("amy")
    gateway = serve(**users.options(max_per_ip="0", ban_failures="0"))
    spans = [time_of_refusal(gateway, name, attempts=3, count=9)
             for name in ("amy", account.name, "nobody-of-this-name")]
    # A hash takes tens of milliseconds, and each of the three takes another number of them.
    assert max(spans) - min(spans) < 0.02 or max(spans) < 1.5 * min(spans), spans


def test_the_user_list_is_read_for_each_login(serve, users, tmp_path):
    amy = users.add("amy")
    listed = tmp_path / "list"
    listed.write_text("bob\n")
    gateway = serve(**users.options(userlist_enable="YES", userlist_file=listed))
    gateway.session(amy)
    listed.write_text("amy\n")
    refused(gateway, amy.name, amy.password)
    # What cannot be read would let in whom it names.
    listed.unlink()
    refused(gateway, amy.name, amy.password)
