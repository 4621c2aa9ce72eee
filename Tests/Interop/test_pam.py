"""The phases of PAM, seen by a module of the test's own."""

import pytest

import proc
from control import wait_until

SCRIPT = """#!/bin/sh
printf '%s\\n' "$PAM_TYPE|$PAM_USER|$PAM_RHOST|$PAM_TTY|$PAM_SERVICE" >>"{log}"
"""

STACK = """auth required pam_unix.so
auth required pam_exec.so quiet {script}
account required pam_unix.so
account required pam_exec.so quiet {script}
session required pam_unix.so
session required pam_exec.so quiet {script}
"""


class Witness:
    """A PAM configuration directory whose service writes down every phase that runs."""

    def __init__(self, directory):
        self.directory = directory
        self.log = directory / "phases"
        self.script = directory / "witness"
        self.script.write_text(SCRIPT.format(log=self.log))
        self.script.chmod(0o755)
        self.log.touch()
        self.write(STACK.format(script=self.script))

    def write(self, stack, service="portcullis"):
        (self.directory / service).write_text(stack)

    def phases(self):
        return [line.split("|")[0] for line in self.log.read_text().splitlines()]


@pytest.fixture
def witness(root, tmp_path):
    return Witness(tmp_path)


def test_every_phase_runs_once_and_in_order(serve, account, witness):
    gateway = serve(pam_conf_dir=witness.directory)
    session = gateway.session(account)
    assert witness.phases() == ["auth", "account", "open_session"]
    session.store("STOR f", b"x")
    session.expect("QUIT", 221)
    wait_until(lambda: witness.phases() == ["auth", "account", "open_session", "close_session"],
               what="the end of the PAM session")


def test_modules_see_who_comes_and_from_where(serve, account, witness):
    serve(pam_conf_dir=witness.directory).session(account, source="127.0.0.7")
    for line in witness.log.read_text().splitlines():
        assert line.split("|")[1:] == [account.name, "127.0.0.7", "ftp", "portcullis"]


def test_the_session_is_closed_when_the_client_just_vanishes(serve, account, witness):
    serve(pam_conf_dir=witness.directory).session(account).close()
    wait_until(lambda: witness.phases()[-1:] == ["close_session"], what="close_session")


def test_the_session_is_closed_at_shutdown(serve, account, witness):
    gateway = serve(pam_conf_dir=witness.directory)
    session = gateway.session(account)
    gateway.terminate()
    assert session.ended(421)
    wait_until(lambda: witness.phases()[-1:] == ["close_session"], what="close_session")


def test_a_wrong_password_opens_no_session(serve, account, witness):
    control = serve(pam_conf_dir=witness.directory).control().secure()
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS wrong", 530)
    control.expect("QUIT", 221)
    assert control.ended()
    assert "open_session" not in witness.phases() and "account" not in witness.phases()


@pytest.mark.parametrize("phase", ["auth", "account", "session"])
def test_a_phase_that_denies_ends_in_530(serve, account, witness, phase):
    witness.write(STACK.format(script=witness.script) + f"{phase} required pam_deny.so\n")
    gateway = serve(pam_conf_dir=witness.directory)
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    assert control.expect(f"PASS {account.password}", 530, 421).code in (530, 421)


def test_credentials_are_established(serve, account, witness):
    # pam_debug(8) passes the password check and fails pam_setcred(3): only a server that makes
    # that call notices.
    rules = STACK.format(script=witness.script)
    witness.write("auth required pam_debug.so auth=success cred=cred_err\n" + rules)
    gateway = serve(pam_conf_dir=witness.directory)
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    control.expect(f"PASS {account.password}", 530)
    assert witness.phases() == ["auth", "account"]


def test_the_service_name_is_configurable(serve, account, witness):
    witness.write(STACK.format(script=witness.script), "partners")
    witness.write("auth required pam_deny.so\n")
    serve(pam_conf_dir=witness.directory, pam_service_name="partners").session(account)
    assert witness.log.read_text().splitlines()[0].endswith("|partners")


def test_users_in_the_list_are_denied_or_allowed(serve, account, other_account, tmp_path):
    listed = tmp_path / "users"
    listed.write_text(f"{account.name}\n")
    denying = serve(userlist_enable="YES", userlist_file=listed)
    denying.session(other_account)
    allowing = serve(userlist_enable="YES", userlist_deny="NO", userlist_file=listed)
    allowing.session(account)
    for gateway, refused in ((denying, account), (allowing, other_account)):
        gateway.secrets.append(refused.password)
        control = gateway.control().secure()
        if control.command(f"USER {refused.name}").code == 331:
            control.expect(f"PASS {refused.password}", 530)


def test_the_environment_that_modules_make_goes_nowhere(serve, account, witness, tmp_path):
    (tmp_path / "environment").write_text("PORTCULLIS_SECRET=from-pam\n")
    witness.write(STACK.format(script=witness.script)
                  + f"session required pam_env.so readenv=1 envfile={tmp_path}/environment\n")
    gateway = serve(pam_conf_dir=witness.directory)
    gateway.session(account)
    processes = proc.tree(gateway.pid)
    assert len(processes) >= 3
    for pid in processes:
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert b"from-pam" not in file.read()
