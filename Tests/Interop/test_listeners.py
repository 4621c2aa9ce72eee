"""Several listeners in one daemon, each with its own rule about TLS."""

import pytest

from virtual_users import UserFile

SYSTEM = {"plain_system_logins": "YES"}


def port_of(gateway, kind):
    return int(gateway.wait_for_line(rf"^listening on 127\.0\.0\.1:(\d+), {kind}$")[0][1])


def at(gateway, port, **options):
    gateway.port = port
    return gateway.control(**options)


@pytest.fixture
def three(serve, account):
    """A daemon with a port of each kind."""
    def start(**options):
        gateway = serve(implicit_listen_port="0", plain_listen_port="0", **options)
        gateway.secrets.append(account.password)
        account.file("f", b"content")
        ports = {"explicit": gateway.port, "implicit": port_of(gateway, "implicit TLS"),
                 "plain": port_of(gateway, "plain FTP")}
        assert len(set(ports.values())) == 3
        return gateway, ports
    return start


def test_each_of_three_listeners_has_its_own_rule(three, account):
    gateway, ports = three(**SYSTEM)
    plain = at(gateway, ports["plain"]).login(account)
    for command in ("EPSV", "PASV"):
        assert plain.retrieve("RETR f", command=command) == b"content"
    plain.store("STOR g", b"more")

    explicit = at(gateway, ports["explicit"])
    explicit.expect(f"USER {account.name}", 530)
    explicit.secure().login(account)
    explicit.expect("PBSZ 0", 200)
    explicit.expect("PROT C", 534)
    explicit.expect("EPSV", 229)
    explicit.expect("RETR f", 521)
    explicit.protect()
    assert explicit.retrieve("RETR f", resume=True) == b"content"

    silent = at(gateway, ports["implicit"], greet=False)
    silent.raw(b"USER nobody\r\n")
    assert silent.socket.recv(100)[:1] != b"2", "greeted in clear"
    implicit = at(gateway, ports["implicit"], greet=False).handshake()
    implicit.next(220)
    implicit.login(account).expect("EPSV", 229)
    implicit.expect("RETR f", 521)
    implicit.protect()
    assert implicit.retrieve("RETR g", resume=True) == b"more"


def test_the_plain_port_takes_tls_all_the_same(three, account):
    gateway, ports = three()
    control = at(gateway, ports["plain"]).secure().login(account)
    assert control.retrieve("RETR f") == b"content"
    control.protect()
    assert control.retrieve("RETR f", resume=True) == b"content"
    control.expect("PROT C", 200)
    control.protected = False
    assert control.retrieve("RETR f") == b"content"


def test_the_plain_port_is_warned_of_and_its_sessions_are_marked(three, account):
    gateway, ports = three(**SYSTEM)
    warning = "WARNING: port 0: plain FTP for whoever asks for no TLS (plain_listen_port)"
    assert warning in gateway.log and "plain_system_logins=YES: passwords" in gateway.log
    at(gateway, ports["plain"]).login(account).expect("QUIT", 221)
    login, = [line for line in gateway.log.splitlines() if "] login" in line]
    assert " tls=no " in login
    gateway.port = ports["explicit"]
    gateway.session(account).expect("QUIT", 221)
    logins = [line for line in gateway.log.splitlines() if "] login" in line]
    assert len(logins) == 2 and " tls=no " not in logins[1]


def test_passwords_of_system_accounts_are_not_taken_on_the_plain_port_either(
        three, account, tmp_path):
    users = UserFile(tmp_path, account)
    amy = users.add("amy")
    gateway, ports = three(**users.options())
    gateway.secrets.append(amy.password)
    assert at(gateway, ports["plain"]).login(amy).alive()
    system = at(gateway, ports["plain"])
    system.expect(f"USER {account.name}", 331)
    system.expect(f"PASS {account.password}", 530)
    assert at(gateway, ports["plain"]).secure().login(account).alive()


def test_the_plain_port_serves_only_the_networks_for_plain_ftp(three, account):
    gateway, ports = three(**SYSTEM, plain_ftp_networks="127.0.0.2")
    inside = at(gateway, ports["plain"], source="127.0.0.2").login(account)
    assert inside.retrieve("RETR f") == b"content"
    outside = at(gateway, ports["plain"], source="127.0.0.3")
    outside.expect(f"USER {account.name}", 530)
    outside.secure().login(account).expect("EPSV", 229)
    outside.expect("RETR f", 521)


def test_an_implicit_port_and_a_plain_one_do_without_an_explicit_one(serve, account):
    gateway = serve(implicit_ssl="YES", plain_listen_port="0", **SYSTEM)
    gateway.secrets.append(account.password)
    assert port_of(gateway, "implicit TLS") == gateway.port
    control = gateway.control(greet=False).handshake()
    control.next(220)
    assert control.login(account).alive()
    assert at(gateway, port_of(gateway, "plain FTP")).login(account).alive()


def test_both_families_are_listened_on_at_once(serve, account, ipv6):
    gateway = serve(listen_ipv6="YES", listen_address6="::1")
    gateway.wait_for_line("^listening on", count=2)
    account.file("f", b"content")
    assert gateway.host == "127.0.0.1"
    assert gateway.session(account).retrieve("RETR f") == b"content"
    found = gateway.wait_for_line(r"^listening on \[::1\]:(\d+)$")[0]
    gateway.host, gateway.port = "::1", int(found[1])
    assert gateway.session(account).retrieve("RETR f") == b"content"
