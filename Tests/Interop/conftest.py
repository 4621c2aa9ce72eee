"""What the tests share: a certificate of this run, real accounts, and a daemon per test."""

import os
import shutil
import signal
import socket
import subprocess

import pytest

from accounts import Account
from certificates import make_certificate
from control import wait_until
from gateway import BINARY, Gateway
from proxying import PROXY, PROXY6

CLIENTS = ("curl", "lftp", "openssl", "python3", "useradd", "userdel", "chpasswd")


def pytest_sessionstart(session):
    # A run that is cancelled still removes its accounts and ends its daemons.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A user's PATH often lacks the administrator's directories.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    missing = [name for name in CLIENTS if not shutil.which(name, path=path)]
    if missing:
        pytest.exit(f"missing: {', '.join(missing)}; run .ci/install-packages test", returncode=4)
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is missing: swift build -c release --product portcullis",
                    returncode=4)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture(scope="session")
def root():
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes system accounts and looks into other users' processes")


@pytest.fixture(scope="session")
def first_account(root):
    account = Account.create()
    yield account
    account.remove()


@pytest.fixture(scope="session")
def second_account(root):
    account = Account.create()
    yield account
    account.remove()


@pytest.fixture
def account(first_account):
    """A real account with an empty home."""
    first_account.empty()
    return first_account


@pytest.fixture
def other_account(second_account):
    second_account.empty()
    return second_account


@pytest.fixture
def serve(certificate):
    """Starts daemons; each must end with status 0, leave no process and no password behind."""
    started = []

    def start(family=4, config=None, log=None, environment=None, **options):
        gateway = Gateway(certificate, options, family, config, log=log, environment=environment)
        started.append(gateway)
        return gateway

    start.daemons = started
    yield start
    for gateway in started:
        gateway.close_clients()
    problems = []
    for gateway in started:
        try:
            gateway.stop()
            gateway.check_log()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def gateway(serve):
    return serve()


@pytest.fixture
def balanced(serve):
    """Starts daemons that believe the PROXY headers of the test."""
    def start(**options):
        networks = f"{PROXY},{PROXY6}"
        return serve(**{"proxy_protocol": "YES", "proxy_networks": networks, **options})
    return start


@pytest.fixture
def busy():
    """Some load on this machine: more than 0.02."""
    work = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    try:
        wait_until(lambda: os.getloadavg()[0] > 0.03, 60, "some load")
        yield
    finally:
        work.kill()
        work.wait()


@pytest.fixture(scope="session")
def ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds what the daemons logged to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and "serve" in getattr(item, "funcargs", {}):
        for daemon in item.funcargs["serve"].daemons:
            report.sections.append((f"log of the gateway {daemon.pid}", daemon.log))
