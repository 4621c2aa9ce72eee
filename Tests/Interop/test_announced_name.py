"""A name in pasv_address, whose address changes while the daemon runs (`pasv_addr_resolve`)."""

import os
import re
import struct
import subprocess

import pytest

import gateway as daemon
import injection
import proc
from control import wait_until
from injection import Inside, needs_injection
from namespaces import cover
from nameserver import NameServer

NAME = "gateway.portcullis.test"
LOOKING_UP = {"pasv_address": NAME, "pasv_addr_resolve": "YES", "pasv_addr_resolve_interval": "1"}
LOCALHOST = "127.0.0.1 localhost\n"


@pytest.fixture
def files(tmp_path, monkeypatch, root):
    """Files that the daemon sees in /etc in place of the machine's."""
    def write(name, content):
        (tmp_path / name).write_text(content)

    write("hosts", LOCALHOST)
    write("resolv.conf", "")
    write("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder == type(folder)("/tmp"):
            break
        folder.chmod(folder.stat().st_mode | 0o011)
    covers = {f"/etc/{path.name}": path for path in tmp_path.iterdir()}

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, preexec_fn=lambda: cover(covers), **options)

    monkeypatch.setattr(daemon.subprocess, "Popen", Popen)
    return write


@pytest.fixture
def hosts(files):
    def write(address):
        files("hosts", LOCALHOST + (f"{address} {NAME}\n" if address else ""))
    return write


@pytest.fixture
def name_server(files):
    """A name server that the daemon asks, and for how many seconds it waits for an answer."""
    servers = []

    def start(*addresses, patience=30):
        servers.append(NameServer(*addresses))
        files("resolv.conf", f"nameserver {servers[-1].host}\n"
                             f"options timeout:{patience} attempts:1\n")
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def announced(session):
    text = session.expect("PASV", 227).text
    return ".".join(re.search(r"\((\d+),(\d+),(\d+),(\d+),", text).groups())


def resolver(gateway):
    found = [pid for pid in proc.children(gateway.pid) if proc.name(pid) == "ftps-resolver"]
    assert len(found) < 2
    return found[0] if found else None


def test_the_name_is_looked_up_again_and_again(hosts, serve, account):
    hosts("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    session = gateway.session(account)
    assert announced(session) == "192.0.2.10"
    hosts("192.0.2.11")
    # In a session that stands as well as in a new one.
    wait_until(lambda: announced(session) == "192.0.2.11", what="the new address")
    assert announced(gateway.session(account)) == "192.0.2.11"
    wait_until(lambda: "is 192.0.2.11 now" in gateway.log, what="the line in the log")
    hosts(None)
    wait_until(lambda: "the old one stays" in gateway.log, what="the line in the log")
    assert announced(session) == "192.0.2.11"
    hosts("192.0.2.12")
    wait_until(lambda: announced(session) == "192.0.2.12", what="the new address")


def test_nobody_waits_for_a_name_server_that_hangs(name_server, serve, account):
    server = name_server("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    standing = gateway.session(account)
    assert announced(standing) == "192.0.2.10"
    server.silent = True
    wait_until(lambda: server.waiting, what="a question")
    account.file("f", b"content")
    for session in (standing, gateway.session(account)):
        assert announced(session) == "192.0.2.10"
        for command in ("PASV", "EPSV"):
            assert session.retrieve("RETR f", command=command) == b"content"
    # All of that while the resolver waits for its answer.
    assert len(server.waiting) == 1 and "stays" not in gateway.log
    server.tell("192.0.2.11")
    server.silent = False
    server.answer()
    wait_until(lambda: announced(standing) == "192.0.2.11", what="the answer that came late")


def test_a_name_server_that_gives_no_answer_changes_nothing(name_server, serve, account):
    server = name_server("192.0.2.10", patience=1)
    gateway = serve(**LOOKING_UP)
    session = gateway.session(account)
    server.silent = True
    wait_until(lambda: "cannot be looked up; the old one stays" in gateway.log, what="the line")
    assert announced(session) == "192.0.2.10"
    server.waiting.clear()
    server.tell("192.0.2.11")
    server.silent = False
    wait_until(lambda: announced(session) == "192.0.2.11", what="the new address")


def test_long_answers_come_by_tcp_and_other_modules_are_loaded_later(
        name_server, files, serve, account):
    server = name_server("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    session = gateway.session(account)
    server.only_streams = True
    server.tell("192.0.2.11")
    wait_until(lambda: announced(session) == "192.0.2.11", what="the new address")
    assert server.streams > 0
    # nsswitch.conf(5) is read anew when it has changed; the process has no rights by now.
    files("nsswitch.conf", "passwd: files\ngroup: files\nhosts: mymachines hesiod files dns\n")
    server.only_streams = False
    server.tell("192.0.2.12")
    wait_until(lambda: announced(session) == "192.0.2.12", what="the newest address")


def test_of_several_addresses_one_is_announced_as_long_as_it_is_among_them(
        name_server, serve, account):
    server = name_server("192.0.2.10", "192.0.2.11", "192.0.2.12")
    gateway = serve(**LOOKING_UP)
    session = gateway.session(account)
    first = announced(session)
    for _ in range(3):
        count = server.answered
        wait_until(lambda: server.answered > count, what="the next answer")
        assert announced(session) == first
    assert " now" not in gateway.log
    others = {"192.0.2.10", "192.0.2.11", "192.0.2.12"} - {first}
    server.tell(*others)
    second = wait_until(lambda: (told := announced(session)) != first and told,
                        what="another address")
    assert second in others
    count = server.answered
    wait_until(lambda: server.answered > count + 1, what="the next answers")
    assert announced(session) == second


def test_a_server_that_starts_before_the_network_learns_its_address_later(
        name_server, serve, account):
    server = name_server("192.0.2.10", patience=1)
    server.silent = True
    gateway = serve(**LOOKING_UP, pasv_local_networks="127.0.0.2")
    wait_until(lambda: f"{NAME} cannot be looked up yet" in gateway.log, what="the line in the log")
    account.file("f", b"content")
    session = gateway.session(account)
    assert "does not know its address" in session.expect("PASV", 425).text
    session.expect("RETR f", 425)
    assert session.retrieve("RETR f") == b"content"
    assert announced(gateway.session(account, source="127.0.0.2")) == "127.0.0.1"
    server.silent = False
    wait_until(lambda: session.command("PASV").code == 227, what="an address")
    assert announced(session) == "192.0.2.10"


def test_a_name_that_does_not_exist_keeps_the_server_from_starting(name_server, serve):
    name_server()
    with pytest.raises(AssertionError, match="ended with 78 .*\n.*the name has no IPv4 address"):
        serve(**LOOKING_UP)


NOBODY = ["0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1"]


@pytest.mark.parametrize("address", NOBODY)
def test_a_name_is_not_announced_by_an_address_that_no_host_has(hosts, serve, address):
    hosts(address)
    with pytest.raises(AssertionError, match="ended with 78 .*\n.*the name has no IPv4 address"):
        serve(**LOOKING_UP)


def test_an_address_that_no_host_has_does_not_replace_the_one_before(hosts, serve, account):
    hosts("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    session = gateway.session(account)
    for number, address in enumerate(NOBODY):
        hosts(address)
        wait_until(lambda: gateway.log.count("has no address; the old one stays") == number + 1,
                   what="the line in the log")
        assert announced(session) == "192.0.2.10"
        hosts("192.0.2.10")
        wait_until(lambda: gateway.log.count("is 192.0.2.10 again") == number + 1,
                   what="the line in the log")


@pytest.mark.parametrize("address,words", [
    ("127.0.0.9", "only clients on this machine can connect to 127.0.0.9"),
    ("10.1.2.3", "only clients within networks of your own can connect to 10.1.2.3"),
])
def test_an_address_for_some_clients_alone_is_remarked_on(
        hosts, serve, account, certificate, tmp_path, address, words):
    hosts(address)
    gateway = serve(**LOOKING_UP)
    line = f"pasv_address: {NAME}: {words}"
    assert gateway.log.count(line) == 1
    assert announced(gateway.session(account)) == address
    config = tmp_path / "c"
    options = {**LOOKING_UP, "pam_conf_dir": daemon.PAM, "rsa_cert_file": certificate.chain,
               "rsa_private_key_file": certificate.key}
    config.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    # The same covered files as the daemon sees.
    done = daemon.subprocess.Popen([daemon.BINARY, "check-config", config],
                                   stdout=subprocess.PIPE, text=True)
    said, _ = done.communicate(timeout=30)
    assert done.returncode == 0 and said.count(line) == 1, said


def test_the_resolver_has_no_log_and_its_news_are_told_all_the_same(hosts, serve):
    """Whoever takes it over could write, and wipe out, what the log says of everybody."""
    hosts("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    known = proc.descriptors(wait_until(lambda: resolver(gateway), what="the process"))
    assert [known[number] for number in range(3)] == ["/dev/null"] * 3
    hosts("192.0.2.11")
    wait_until(lambda: f"] pasv_address: {NAME} is 192.0.2.11 now" in gateway.log,
               what="the line in the log")
    assert "192.0.2.10 now" not in gateway.log


def test_without_passive_mode_no_name_is_looked_up(hosts, serve, account):
    gateway = serve(**LOOKING_UP, pasv_enable="NO")
    assert "pasv_address" not in gateway.log and resolver(gateway) is None
    gateway.session(account).expect("EPSV", 502)


def test_a_resolver_that_ends_is_started_again(hosts, serve, account):
    hosts("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    session = gateway.session(account)
    last = resolver(gateway)
    assert proc.numbers(proc.status(last)["Uid"])[1] != 0
    for number, address in enumerate(("192.0.2.11", "192.0.2.12")):
        os.kill(last, 9)
        wait_until(lambda: gateway.log.count("looks pasv_address up has ended") == number + 1,
                   what="the line")
        # What it had found is not forgotten.
        before = announced(session)
        assert before == announced(gateway.session(account)) == f"192.0.2.{10 + number}"
        last = wait_until(lambda: resolver(gateway), what="another process")
        hosts(address)
        wait_until(lambda: announced(session) == address, what="the new address")
    # At longer and longer intervals.
    assert "another starts in 1.0 seconds" in gateway.log
    assert "another starts in 2.0 seconds" in gateway.log


def test_an_address_needs_no_such_process(serve, account):
    gateway = serve(pasv_address="192.0.2.10", pasv_addr_resolve="YES")
    assert announced(gateway.session(account)) == "192.0.2.10"
    assert resolver(gateway) is None


def cut_timer(process, seconds):
    """Has the timer that ends a process run out sooner; how long it had left, in seconds."""
    with open(f"/proc/{process.pid}/timers", encoding="ascii") as file:
        text = file.read()
    number, = re.findall(r"^ID: (\d+)$", text, re.MULTILINE)
    assert "signal: 9/" in text and "ClockID: 1\n" in text
    place = process.before[injection.RSP] - 16384
    assert process.call("timer_settime", int(number), 0, struct.pack("=4q", 0, 0, seconds, 0),
                        place) == 0
    with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory:
        memory.seek(place)
        return struct.unpack("=4q", memory.read(32))[2]


@needs_injection
def test_a_resolver_that_hangs_is_ended_by_the_kernel_and_nobody_waits(
        name_server, serve, account):
    """One that a name server keeps waiting for ever; what the timer has left is cut short."""
    server = name_server("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    standing = gateway.session(account)
    server.silent = True
    wait_until(lambda: server.waiting, what="a question")
    account.file("f", b"content")
    for hung in range(1, 3):
        asked = len(server.waiting)
        pid = resolver(gateway)
        with Inside(pid) as process:
            # The interval, and what several servers that do not answer may take.
            assert 60 < cut_timer(process, 1) <= 181
        for session in (standing, gateway.session(account)):
            assert announced(session) == "192.0.2.10"
            assert session.retrieve("RETR f", command="PASV") == b"content"
        wait_until(lambda: gateway.log.count("looks pasv_address up has ended") == hung,
                   what="the line in the log")
        wait_until(lambda: resolver(gateway) not in (None, pid), what="another process")
        # Which asks the same server, and waits as well.
        wait_until(lambda: len(server.waiting) > asked, what="its question")
    assert announced(standing) == "192.0.2.10"
    server.tell("192.0.2.11")
    server.waiting.clear()
    server.silent = False
    os.kill(resolver(gateway), 9)
    wait_until(lambda: announced(standing) == "192.0.2.11", what="the answer")


def test_a_lookup_that_would_ask_services_of_this_machine_asks_name_servers(
        name_server, files, serve, account):
    """Without Unix sockets what nsswitch.conf names before `dns` is passed over."""
    files("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n"
                           "hosts: files sss resolve [!UNAVAIL=return] mdns4_minimal"
                           " [NOTFOUND=return] dns\n")
    server = name_server("192.0.2.10")
    gateway = serve(**LOOKING_UP)
    session = gateway.session(account)
    assert announced(session) == "192.0.2.10"
    server.tell("192.0.2.11")
    wait_until(lambda: announced(session) == "192.0.2.11", what="the new address")
