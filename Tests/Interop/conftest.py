"""What the tests share: a certificate of this run, real accounts, and a daemon per test."""

import atexit
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from accounts import Account
from certificates import make_certificate
from control import wait_until
from embedding import BUILT, Example, combined
from gateway import BINARY, Gateway
from proxying import PROXY, PROXY6

CLIENTS = ("curl", "lftp", "openssl", "python3", "useradd", "userdel", "chpasswd")


def pytest_configure(config):
    """Gives this run a place of its own: the one that runs share is closed again by each that begins.

    Agents have to get through to what tests keep there, and found no home in the middle of a test.
    """
    place = tempfile.mkdtemp(prefix="portcullis-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    os.environ["PYTEST_DEBUG_TEMPROOT"] = place
    config.has_passed = False
    # After everything that pytest does itself at the end; what a failed run leaves is looked at.
    atexit.register(lambda: config.has_passed and shutil.rmtree(place, ignore_errors=True))


def pytest_sessionfinish(session, exitstatus):
    session.config.has_passed = exitstatus == 0


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

    def start(family=4, config=None, log=None, environment=None, enter=None, **options):
        gateway = Gateway(certificate, options, family, config, log=log, environment=environment,
                          enter=enter)
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
def place(root):
    """A directory that only root writes to and everybody may look into, with a name short enough
    for sockets in it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def small_disk(root, tmp_path):
    """A file system of 64 KiB; ask for it before `serve`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def gateway(serve):
    return serve()


@pytest.fixture
def daemons(certificate):
    """Starts daemons whose processes may be killed, and ends whatever is left of them."""
    started = []

    def start(**options):
        started.append(Gateway(certificate, options))
        return started[-1]

    yield start
    for gateway in started:
        gateway.close_clients()
        gateway._kill()
        gateway.check_log()


@pytest.fixture
def victim():
    """A process that somebody would do something to."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.stdin.close()


@pytest.fixture(params=["processes", "threads"])
def concurrency(request):
    """The two forms of a server that is part of another program."""
    return request.param


@pytest.fixture
def probe(certificate, account, tmp_path, concurrency):
    """Starts programs that serve the account's home with the settings that are named."""
    started = []

    def start(source=None, pem=None, **wishes):
        if not (BUILT / "Probe").exists():
            pytest.skip("Probe is not built: swift build -c release --product Probe")
        words = [f"{name}={str(value).lower() if isinstance(value, bool) else value}"
                 for name, value in wishes.items()]
        program = Example("Probe", certificate, source or account.home,
                          pem or combined(certificate, tmp_path), *words, concurrency)
        started.append(program)
        return program

    yield start
    for program in started:
        program.stop()


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
