"""PAM modules that crash, exit or fail, in every phase: one session ends, and no other."""

import pytest

from compiling import compile_library
from control import Closed, wait_until
from witness import Witness

# Does what its argument says, in the phase that its other argument names, for one user.
MODULE = r"""
#define PAM_SM_AUTH
#define PAM_SM_ACCOUNT
#define PAM_SM_SESSION
#include <security/pam_modules.h>
#include <security/pam_ext.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int act(pam_handle_t *handle, int argc, const char **argv, const char *phase) {
    const char *user = NULL;
    if (argc != 3 || strcmp(argv[1], phase) != 0) return PAM_SUCCESS;
    if (pam_get_user(handle, &user, NULL) != PAM_SUCCESS || strcmp(user, argv[2]) != 0)
        return PAM_SUCCESS;
    if (strcmp(argv[0], "abort") == 0) abort();
    if (strcmp(argv[0], "crash") == 0) *(volatile int *)8 = 1;
    if (strcmp(argv[0], "exit") == 0) exit(0);
    if (strcmp(argv[0], "exec") == 0) execl("/bin/true", "true", (char *)NULL);
    if (strcmp(argv[0], "close") == 0) for (int number = 0; number < 64; number++) close(number);
    return strcmp(argv[0], "fail") == 0 ? PAM_SYSTEM_ERR : PAM_SUCCESS;
}

#define PHASE(name) \
    int pam_sm_##name(pam_handle_t *handle, int flags, int argc, const char **argv) { \
        (void)flags; \
        return act(handle, argc, argv, #name); \
    }
PHASE(authenticate)
PHASE(setcred)
PHASE(acct_mgmt)
PHASE(open_session)
PHASE(close_session)
"""

PHASES = ["authenticate", "acct_mgmt", "setcred", "open_session", "close_session"]


@pytest.fixture(scope="session")
def module(tmp_path_factory):
    return compile_library(tmp_path_factory.mktemp("module"), "pam_act", MODULE, "-lpam")


@pytest.fixture
def start(serve, account, module, tmp_path):
    """Starts a daemon whose module does something to one user in one phase."""
    def serving(what, phase, user=account.name, **options):
        witness = Witness(tmp_path)
        service = witness.directory / "portcullis"
        lines = [f"{kind} required {module} {what} {phase} {user}"
                 for kind in ("auth", "account", "session")]
        # Behind the witness, so that it has seen whatever was opened.
        service.write_text(service.read_text() + "\n".join(lines) + "\n")
        return serve(pam_conf_dir=witness.directory, **options), witness
    return serving


def log_in(gateway, account):
    """The code of the reply to PASS, or `None` where there was none."""
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    try:
        return control.command(f"PASS {account.password}").code
    except (Closed, OSError):
        return None
    finally:
        control.close()


@pytest.mark.parametrize("what", ["abort", "crash", "exit", "exec", "close"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_module_that_ends_the_process_ends_one_session(
        start, account, other_account, what, phase):
    gateway, witness = start(what, phase)
    other = gateway.session(other_account)
    known = gateway.wardens()
    code = log_in(gateway, account)
    if phase == "close_session":
        assert code == 230
    else:
        assert code in (None, 421, 530)
    wait_until(lambda: gateway.wardens() == known, what="the end of the session")
    # What the witness had seen opened is closed again by somebody; the other one stays open.
    if what != "close":
        witness.expect(1)
    other.store("STOR f", b"content")
    assert gateway.session(other_account).alive()
    if what in ("abort", "crash"):
        wait_until(lambda: "ended by signal" in gateway.log, what="the line in the log")


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_a_module_that_fails_refuses_one_login(start, account, other_account, phase):
    gateway, witness = start("fail", phase)
    assert log_in(gateway, account) == 530
    assert gateway.session(other_account).alive()
    wait_until(lambda: len(gateway.wardens()) == 1, what="the end of the session")
    if phase != "open_session":
        witness.expect(1)


def test_a_module_that_fails_to_close_a_session_holds_up_nobody(start, account):
    gateway, witness = start("fail", "close_session")
    assert gateway.session(account).expect("QUIT", 221)
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    witness.expect(0)
