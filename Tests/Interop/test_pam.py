"""The phases of PAM, seen by a module of the test's own."""

import re
import shutil

import pytest

import proc
from confining import limits
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


# What distributions put into their common files, each required here so that none can fail unseen.
ORDINARY = """auth required pam_env.so
auth required pam_faillock.so preauth silent dir={place}/faillock
auth required pam_listfile.so item=user sense=deny file={place}/denied onerr=fail
auth required pam_unix.so
auth required pam_group.so
auth required pam_succeed_if.so quiet uid > 0
account required pam_nologin.so
account required pam_access.so accessfile={place}/access.conf
account required pam_time.so
account required pam_faillock.so dir={place}/faillock
account required pam_unix.so
account required pam_exec.so quiet {script}
session required pam_keyinit.so revoke
session optional pam_keyinit.so force revoke
session required pam_loginuid.so
session required pam_limits.so conf={place}/limits.conf
session required pam_mkhomedir.so umask=0027
session required pam_umask.so
session required pam_motd.so noupdate
session required pam_mail.so
session required pam_env.so readenv=1 envfile={place}/environment
session required pam_lastlog.so silent noupdate
session required pam_warn.so
session optional pam_systemd.so
session required pam_unix.so
"""


@pytest.mark.parametrize("sandbox", ["YES", "NO"])
def test_ordinary_modules_work_in_the_sandbox(serve, account, witness, tmp_path, sandbox):
    for name, text in {
            "denied": "",
            "access.conf": f"+:{account.name}:ALL\n-:ALL:ALL\n", "environment": "A=B\n",
            "limits.conf": "* - nofile 300\n* - priority 0\n* - maxlogins 50\n"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "faillock").mkdir()
    witness.write(ORDINARY.format(place=tmp_path, script=witness.script))
    gateway = serve(pam_conf_dir=tmp_path, pam_sandbox=sandbox)
    shutil.rmtree(account.home)
    session = gateway.session(account)
    facts = account.home.stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (account.uid, account.gid, 0o750)
    session.store("STOR f", b"x")
    # What pam_limits has set holds for whoever works with the user's rights.
    agent, = [pid for pid in proc.tree(gateway.pid) if proc.name(pid) == "ftps-agent"]
    assert limits(agent)["Max open files"] == ["300", "300"]
    # Once more in the same processes: what a module has set cannot be in its own way.
    session.expect("QUIT", 221)
    gateway.session(account).expect("PWD", 257)
    assert witness.phases() == ["account", "account"]


def test_a_program_of_a_module_is_root_without_the_machine(serve, account, witness):
    witness.script.write_text(
        "#!/bin/sh\n{ grep -E '^(Uid|Cap(Eff|Bnd)|NoNewPrivs):' /proc/self/status\n"
        f"mount -t tmpfs none /mnt && umount /mnt && echo mounted; }} >{witness.log} 2>&1\nexit 0\n")
    serve(pam_conf_dir=witness.directory).session(account)
    seen = witness.log.read_text()
    assert "mounted" not in seen and "NoNewPrivs:\t1" in seen
    effective, bounding = re.findall(r"Cap(?:Eff|Bnd):\s+(\w+)", seen)
    assert effective == bounding and not int(effective, 16) & 1 << 21  # CAP_SYS_ADMIN
