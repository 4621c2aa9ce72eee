"""PAM stacks that ask more than one question, that hang, and that know more than right and wrong."""

import ftplib
import os
import signal
import subprocess
import time

import pytest

import proc
from accounts import run
from compiling import compile_library
from control import TIMEOUT, wait_until
from refusals import time_of_refusal

# Asks one question in the auth phase and compares the answer: style, prompt, expected answer.
MODULE = r"""
#define PAM_SM_AUTH
#include <security/pam_modules.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>

int pam_sm_authenticate(pam_handle_t *handle, int flags, int argc, const char **argv) {
    char *answer = NULL;
    (void)flags;
    if (argc != 3) return PAM_SERVICE_ERR;
    int style = strcmp(argv[0], "shown") == 0 ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF;
    pam_info(handle, "%s", "a text that nobody can show");
    if (pam_prompt(handle, style, &answer, "%s", argv[1]) != PAM_SUCCESS || !answer)
        return PAM_CONV_ERR;
    int status = strcmp(answer, argv[2]) == 0 ? PAM_SUCCESS : PAM_AUTH_ERR;
    free(answer);
    return status;
}

int pam_sm_setcred(pam_handle_t *handle, int flags, int argc, const char **argv) {
    (void)handle; (void)flags; (void)argc; (void)argv;
    return PAM_SUCCESS;
}
"""

REST = """account required pam_unix.so
session required pam_permit.so
"""


@pytest.fixture(scope="session")
def module(tmp_path_factory):
    return compile_library(tmp_path_factory.mktemp("module"), "pam_ask", MODULE, "-lpam")


@pytest.fixture
def stack(root, tmp_path, module):
    """Writes the service file; returns the options that make the daemon use it."""
    def write(auth, rest=REST):
        text = auth.replace("ask", f"auth required {module}").replace(
            "unix", "auth required pam_unix.so nodelay")
        (tmp_path / "portcullis").write_text(text + "\n" + rest)
        return {"pam_conf_dir": tmp_path}
    return write


@pytest.fixture
def control(serve):
    def connect(options, *secrets):
        gateway = serve(**options)
        gateway.secrets += secrets
        return gateway.control().secure().protect()
    return connect


def test_every_module_gets_the_one_password(serve, account, stack):
    gateway = serve(**stack("unix\nunix\nunix"))
    gateway.session(account)


@pytest.mark.parametrize("prompt", ["Password: ", "LDAP Password: ", "Password for you@EXAMPLE: "])
def test_a_second_password_prompt_gets_the_same_password(serve, account, stack, prompt):
    gateway = serve(**stack(f"unix\nask hidden [{prompt}] {account.password}"))
    gateway.session(account)


def test_a_visible_question_for_the_user_gets_the_name(serve, account, stack):
    serve(**stack(f"unix\nask shown [login: ] {account.name}")).session(account)


@pytest.mark.parametrize("style", ["hidden", "shown"])
@pytest.mark.parametrize("prompt", ["Verification code: ", "One-time password (OATH) for `you': ",
                                    "Token: "])
def test_a_second_factor_is_asked_for_by_332(control, account, stack, style, prompt):
    client = control(stack(f"unix\nask {style} [{prompt}] 123456"), account.password)
    client.expect(f"USER {account.name}", 331)
    client.expect(f"PASS {account.password}", 332)
    client.expect("PWD", 530)
    client.expect("PASS again", 503)
    client.expect("ACCT 123456", 230)
    client.expect("PWD", 257)
    client.expect("ACCT 123456", 202)


def test_ftplib_sends_the_second_factor(serve, account, stack):
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"))
    gateway.secrets.append(account.password)
    client = ftplib.FTP_TLS(context=gateway.context(), timeout=TIMEOUT)
    gateway.clients.append(client)
    client.connect(gateway.host, gateway.port)
    client.login(account.name, account.password, "123456")
    assert client.pwd() == "/"
    assert "123456" not in gateway.log


@pytest.mark.parametrize("password, code", [(None, "654321"), ("wrong", "123456"),
                                            ("wrong", "654321")])
def test_a_wrong_factor_is_refused_like_any_other_login(control, account, stack, password, code):
    client = control(stack("unix\nask hidden [Verification code: ] 123456"), account.password)
    client.expect(f"USER {account.name}", 331)
    # The question comes whether or not the password was right.
    client.expect(f"PASS {password or account.password}", 332)
    assert client.expect(f"ACCT {code}", 530).text == "530 Login incorrect."
    client.expect(f"USER {account.name}", 331)
    client.expect(f"PASS {account.password}", 332)
    client.expect("ACCT 123456", 230)


def test_a_stack_of_a_code_alone_takes_it_from_pass(control, account, stack):
    client = control(stack("ask hidden [Verification code: ] 123456"))
    client.expect(f"USER {account.name}", 331)
    client.expect("PASS 123456", 230)


def test_acct_without_a_question_is_out_of_turn(control, account, stack):
    client = control(stack("unix"), account.password)
    client.expect("ACCT x", 503)
    client.expect(f"USER {account.name}", 331)
    client.expect("ACCT x", 503)
    client.expect(f"PASS {account.password}", 230)


def test_acct_is_not_taken_in_clear(serve, account, stack):
    serve(**stack("unix")).control().expect("ACCT x", 503, 530)


def test_starting_over_gives_the_login_up_and_counts(control, account, stack):
    client = control(stack("unix\nask hidden [Verification code: ] 123456"), account.password)
    for _ in range(2):
        client.expect(f"USER {account.name}", 331)
        client.expect(f"PASS {account.password}", 332)
    client.expect(f"USER {account.name}", 331)
    client.expect("ACCT 123456", 503)
    client.expect(f"PASS {account.password}", 332)
    client.send(f"USER {account.name}")
    client.next(530)
    assert client.ended()


def test_a_module_cannot_ask_for_ever(control, account, stack):
    questions = "\n".join(f"ask hidden [Code {number}: ] x" for number in range(5))
    client = control(stack("unix\n" + questions), account.password)
    client.expect(f"USER {account.name}", 331)
    client.expect(f"PASS {account.password}", 332)
    client.expect("ACCT x", 332)
    client.expect("ACCT x", 332)
    client.expect("ACCT x", 530)


def test_a_client_that_goes_while_it_is_asked_leaves_nothing(serve, account, stack):
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"))
    gateway.secrets.append(account.password)
    client = gateway.control().secure()
    client.expect(f"USER {account.name}", 331)
    client.expect(f"PASS {account.password}", 332)
    client.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")


def test_shutdown_ends_a_session_that_is_asked(serve, account, stack):
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"))
    gateway.secrets.append(account.password)
    client = gateway.control().secure()
    client.expect(f"USER {account.name}", 331)
    client.expect(f"PASS {account.password}", 332)
    gateway.terminate()
    assert client.ended(421)


def asked(gateway, account, source=None):
    """A client that has been asked for a second factor."""
    gateway.secrets.append(account.password)
    client = gateway.control(source).secure()
    client.expect(f"USER {account.name}", 331)
    client.expect(f"PASS {account.password}", 332)
    return client


def test_a_client_that_is_asked_makes_room_like_any_other_before_the_login(serve, account, stack):
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"), max_before_login="1")
    client = asked(gateway, account, "127.0.0.2")

    def comes_in():
        other = gateway.control("127.0.0.3", greet=False)
        return other if other.reply().code == 220 else other.close()

    other = wait_until(comes_in, 20, "a place for one more")
    assert "waiting to log in" in client.next(421).text and client.ended()
    wait_until(lambda: len(gateway.wardens()) == 1, what="the end of the session that went")
    assert "did not answer" in gateway.log and "to make room" in gateway.log
    # Whoever answers in time does not have to go.
    other.secure()
    other.expect(f"USER {account.name}", 331)
    other.expect(f"PASS {account.password}", 332)
    other.expect("ACCT 123456", 230)


@pytest.mark.parametrize("is_asked", [True, False], ids=["asked", "silent"])
def test_the_time_for_a_login_ends_a_session_that_keeps_to_no_time(
        serve, account, stack, is_asked):
    """One that is stopped stands for one that is taken over: its Warden has a clock of its own."""
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"), login_timeout="3")
    client = asked(gateway, account) if is_asked else gateway.control().secure()
    (warden,) = gateway.wardens()
    (session,) = proc.children(warden)
    os.kill(session, signal.SIGSTOP)
    wait_until(lambda: not gateway.wardens(), 20, "the end of the session")
    assert "login_timeout" in gateway.log
    client.close()


def test_whoever_is_asked_is_told_when_the_time_is_over(serve, account, stack):
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"), login_timeout="3")
    assert "Timeout" in asked(gateway, account).next(421).text
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    assert "did not answer" in gateway.log


def test_a_ban_while_the_client_is_asked_holds(serve, account, stack):
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"), ban_failures="1")
    client = asked(gateway, account)
    guesser = asked(gateway, account)
    guesser.expect("ACCT wrong", 530)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")
    client.expect("ACCT 123456", 530)


@pytest.fixture
def aged(account):
    """Changes the ageing of the account, and puts it back."""
    yield lambda *arguments: run("chage", *arguments, account.name)
    run("chage", "-E", "-1", "-M", "99999", "-d", time.strftime("%Y-%m-%d"), account.name)


@pytest.mark.parametrize("arguments, words", [(("-E", "1"), "Account has expired"),
                                              (("-d", "0"), "Password has expired")])
def test_expiry_is_told_after_the_right_password_only(control, account, stack, aged, arguments,
                                                      words):
    aged(*arguments)
    client = control(stack("unix"), account.password)
    client.expect(f"USER {account.name}", 331)
    assert client.expect("PASS wrong", 530).text == "530 Login incorrect."
    client.expect(f"USER {account.name}", 331)
    assert words in client.expect(f"PASS {account.password}", 530).text


def test_a_user_on_the_list_learns_nothing_of_expiry(control, account, stack, aged, tmp_path):
    aged("-E", "1")
    (tmp_path / "list").write_text(account.name + "\n")
    options = stack("unix")
    client = control(options | {"userlist_enable": "YES", "userlist_file": tmp_path / "list"},
                     account.password)
    client.expect(f"USER {account.name}", 331)
    assert client.expect(f"PASS {account.password}", 530).text == "530 Login incorrect."


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", ".hidden", "a/b"])
def test_a_name_that_is_a_path_never_reaches_a_module(serve, stack, tmp_path, name):
    witness = tmp_path / "witness"
    witness.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    witness.chmod(0o755)
    gateway = serve(**stack(f"auth required pam_exec.so quiet {witness}"))
    client = gateway.control().secure()
    client.expect(f"USER {name}", 331)
    client.expect("PASS x", 530)
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("line", [b"USER a\0b", b"PASS a\0b", b"USER " + b"a" * 129,
                                  b"PASS " + b"a" * 513])
def test_what_no_module_should_see_is_refused_before(serve, account, stack, tmp_path, line):
    witness = tmp_path / "witness"
    witness.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    witness.chmod(0o755)
    client = serve(**stack(f"auth required pam_exec.so quiet {witness}")).control().secure()
    if line.startswith(b"PASS"):
        client.expect(f"USER {account.name}", 331)
    client.expect(line, 501)
    assert not (tmp_path / "called").exists()


class Hanging:
    """A module whose program hangs for one user until it is let go."""

    def __init__(self, tmp_path, user):
        self.gate = tmp_path / "gate"
        self.script = tmp_path / "hang"
        self.started = tmp_path / "started"
        subprocess.run(["mkfifo", self.gate], check=True)
        self.script.write_text(
            f'#!/bin/sh\n[ "$PAM_USER" = {user} ] || exit 0\ntouch {self.started}\n'
            f"read line <{self.gate}\nexit 0\n")
        self.script.chmod(0o755)

    def wait(self):
        wait_until(self.started.exists, what="the module that hangs")

    def let_go(self):
        with self.gate.open("w") as gate:
            gate.write("go\n")


def test_a_module_that_hangs_holds_up_nobody_else(serve, account, other_account, stack, tmp_path):
    hanging = Hanging(tmp_path, account.name)
    gateway = serve(**stack(f"auth required pam_exec.so quiet {hanging.script}\nunix"))
    stuck = gateway.control().secure()
    gateway.secrets.append(account.password)
    stuck.expect(f"USER {account.name}", 331)
    stuck.send(f"PASS {account.password}")
    hanging.wait()
    gateway.session(other_account).expect("PWD", 257)
    hanging.let_go()
    stuck.next(230)


def test_a_module_that_hangs_for_ever_is_cut_off(serve, account, stack, tmp_path):
    hanging = Hanging(tmp_path, account.name)
    gateway = serve(**stack(f"auth required pam_exec.so quiet {hanging.script}\nunix"),
                    pam_timeout="1")
    stuck = gateway.control().secure()
    gateway.secrets.append(account.password)
    stuck.expect(f"USER {account.name}", 331)
    stuck.expect(f"PASS {account.password}", 421)
    assert stuck.ended()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    wait_until(lambda: "pam_timeout" in gateway.log, what="the line in the log")


def alive(file):
    """The processes whose numbers stand in a file and that have not ended."""
    return [pid for pid in map(int, file.read_text().split()) if proc.identity(pid)]


@pytest.mark.parametrize("death", ["time", "kill"])
def test_a_program_that_hangs_ends_with_its_warden(serve, account, stack, tmp_path, death):
    """Its children as well, those in a terminal session of their own included."""
    numbers, script = tmp_path / "numbers", tmp_path / "hang"
    script.write_text("#!/bin/sh\n(setsid sh -c 'echo $$; sleep 1000 & echo $!; wait' &)\n"
                      "trap '' TERM HUP INT\nsleep 1000 & echo $$ $!; wait\n")
    script.chmod(0o755)
    gateway = serve(**stack(f"auth required pam_exec.so quiet log={numbers} {script}\nunix"),
                    pam_timeout="1" if death == "time" else "60")
    stuck = gateway.control().secure()
    gateway.secrets.append(account.password)
    stuck.expect(f"USER {account.name}", 331)
    stuck.send(f"PASS {account.password}")
    wait_until(lambda: numbers.exists() and len(words(numbers)) == 4, what="four processes")
    programs = numbers.with_suffix(".only")
    programs.write_text(" ".join(words(numbers)))
    assert len(alive(programs)) == 4
    if death == "kill":
        warden, = gateway.wardens()
        os.kill(warden, 9)
    try:
        wait_until(lambda: not alive(programs), what="the end of every program")
    finally:
        for pid in alive(programs):
            os.kill(pid, 9)
    wait_until(lambda: proc.tree(gateway.pid) == gateway.signers(), what="the end of the session")
    # Nobody else's session is touched, and the next login is like any other.
    script.write_text("#!/bin/sh\nexit 0\n")
    assert gateway.session(account).alive()


def words(file):
    """What a program has written; pam_exec(8) writes a line with a star in front."""
    return [word for line in file.read_text().splitlines() if not line.startswith("*")
            for word in line.split()]


def test_what_a_module_leaves_behind_on_purpose_stays(serve, account, stack, tmp_path):
    numbers, script = tmp_path / "numbers", tmp_path / "leave"
    script.write_text('#!/bin/sh\n[ "$PAM_TYPE" = close_session ] || exit 0\n'
                      f"mkdir {tmp_path}/once || exit 0\n"
                      "(setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!)\n")
    script.chmod(0o755)
    gateway = serve(**stack(
        "unix", f"account required pam_unix.so\nsession required pam_exec.so quiet "
                f"log={numbers} {script}\n"))
    first = gateway.session(account)
    first.expect("QUIT", 221)
    wait_until(lambda: numbers.exists() and words(numbers), what="the end of the PAM session")
    left = int(words(numbers)[0])
    try:
        identity = proc.identity(left)
        gateway.session(account)
        warden = wait_until(lambda: [pid for pid in gateway.wardens()
                                     if proc.name(pid) == "ftps-warden"], what="a Warden")[0]
        os.kill(warden, 9)
        wait_until(lambda: not proc.identity(warden), what="the end of the session")
        assert gateway.session(account).alive()
        assert proc.identity(left) == identity
    finally:
        os.kill(left, 9)


def test_the_wait_for_a_client_is_no_hanging_module(serve, account, stack):
    gateway = serve(**stack("unix\nask hidden [Verification code: ] 123456"), pam_timeout="1")
    gateway.secrets.append(account.password)
    client = gateway.control().secure()
    client.expect(f"USER {account.name}", 331)
    client.expect(f"PASS {account.password}", 332)
    # Longer than the module alone may take.
    assert client.silent(5)
    client.expect("ACCT 123456", 230)


def test_a_refusal_takes_the_same_time_whoever_it_is_for(serve, account, stack):
    gateway = serve(**stack("unix"), delay_failed_login="1", delay_failed_login_max="1")
    known = time_of_refusal(gateway, account.name)
    unknown = time_of_refusal(gateway, "nobody-of-this-name")
    # Whole seconds, whatever the module took; what remains is the way there and back.
    assert abs(known - unknown) < 0.1, (known, unknown)
    assert known > 0.9
