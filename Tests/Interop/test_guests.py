"""Users whom PAM lets in and who all work under one account (guest_enable)."""

import ftplib
import io

import pytest

import proc

# pam_permit(8) sets credentials: a stack in which no module does so fails that step.
STACK = """auth required pam_exec.so quiet expose_authtok {script}
auth required pam_permit.so
account required pam_permit.so
session required pam_permit.so
"""

# The password of every user but one is the name behind "pw-".
SCRIPT = """#!/bin/sh
read -r word
[ "$word" = "pw-$PAM_USER" ]
"""


class Guest:
    def __init__(self, name):
        self.name = name
        self.password = "pw-" + name


@pytest.fixture
def guests(account, tmp_path):
    script = tmp_path / "check"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    (tmp_path / "portcullis").write_text(STACK.format(script=script))

    def options(**more):
        return {"pam_conf_dir": tmp_path, "guest_enable": "YES", "guest_username": account.name,
                "virtual_use_local_privs": "YES", **more}
    return options


def test_a_guest_needs_no_account_and_works_as_the_guest_account(serve, guests, account):
    gateway = serve(**guests())
    client = gateway.ftp(Guest("nobody-of-this-name"))
    client.storbinary("STOR f", io.BytesIO(b"x"))
    stored = (account.home / "f").stat()
    assert (stored.st_uid, stored.st_gid) == (account.uid, account.gid)
    agent = next(pid for pid in proc.tree(gateway.pid)
                 if proc.status(pid)["Name"] == "ftps-agent")
    assert sorted(proc.numbers(proc.status(agent)["Groups"])) == account.groups


def test_each_guest_has_a_directory_of_its_own(serve, guests, account, tmp_path):
    for name in ("amy", "bob"):
        home = account.directory(name)
        (home / f"of {name}").write_bytes(b"")
    gateway = serve(**guests(local_root=f"{account.home}/$USER", user_sub_token="$USER"))
    assert gateway.ftp(Guest("amy")).nlst() == ["of amy"]
    assert gateway.ftp(Guest("bob")).nlst() == ["of bob"]


@pytest.mark.parametrize("name", ["..", ".", "../amy", "amy/..", "/etc", ".ssh"])
def test_a_name_leads_nowhere_else(serve, guests, account, name):
    account.directory("amy")
    gateway = serve(**guests(local_root=f"{account.home}/$USER", user_sub_token="$USER"))
    control = gateway.control().secure()
    control.expect(f"USER {name}", 331)
    control.expect(f"PASS pw-{name}", 530)


def test_without_local_privileges_a_guest_has_those_of_anonymous_users(serve, guests, account):
    account.file("f", b"x", mode=0o644)
    gateway = serve(**guests(virtual_use_local_privs="NO"))
    client = gateway.ftp(Guest("amy"))
    assert client.nlst() == ["f"]
    with pytest.raises(ftplib.error_perm):
        client.storbinary("STOR g", io.BytesIO(b"x"))
    with pytest.raises(ftplib.error_perm):
        client.delete("f")


def test_the_password_still_counts(serve, guests):
    gateway = serve(**guests())
    control = gateway.control().secure()
    control.expect("USER amy", 331)
    control.expect("PASS pw-bob", 530)


def test_a_shell_is_demanded_when_written(serve, account, other_account):
    # The accounts of the tests have /usr/sbin/nologin, which no list of shells names.
    gateway = serve(check_shell="YES")
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    control.expect(f"PASS {account.password}", 530)
    with open("/etc/shells", encoding="ascii") as file:
        assert "/usr/sbin/nologin" not in file.read().split()
    serve(check_shell="NO").session(account)
