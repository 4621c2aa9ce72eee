"""Addresses behind a load balancer: those of its clients, of its front and of its back."""

import re
import socket

import pytest

from control import finish, read_all, wait_until
from gateway import PAM
from proxying import (
    CLIENT, CLIENT6, FRONT, OTHER, PROXY, VERSIONS, binary, connect, data, line, session)
from test_configuration import run, write

SECOND = "192.0.2.78"
FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["backend-ipv4", "backend-ipv6"])


def transfers(control, header, command="EPSV", resume=True):
    """A download over the proxy, of the file `f`."""
    connection = data(control, header, command=command)
    control.expect("RETR f", 150)
    connection = control.wrap_data(connection, resume=resume)
    content = read_all(connection)
    finish(connection)
    control.next(226)
    return content == b"content"


def announced(control):
    found = re.search(r"\((\d+),(\d+),(\d+),(\d+),", control.expect("PASV", 227).text)
    return ".".join(found.groups())


# Clients of either kind, over a network of either kind between balancer and gateway.

@VERSIONS
@FAMILIES
def test_an_ipv4_client_is_one_whatever_lies_behind_the_balancer(
        balanced, account, ipv6, family, header):
    account.file("f", b"content")
    gateway = balanced(family=family, require_ssl_reuse="YES")
    control = session(gateway, account, header(CLIENT))
    assert f"peer={CLIENT}:5555" in gateway.log and CLIENT in control.expect("SITE WHO", 211).text
    assert announced(control) == FRONT
    control.expect("EPSV 2", 522)
    control.expect("EPSV 1", 229)
    for command in ("PASV", "EPSV"):
        assert transfers(control, header(CLIENT, port=5556), command)


@VERSIONS
@FAMILIES
def test_an_ipv6_client_is_one_whatever_lies_behind_the_balancer(
        balanced, account, ipv6, family, header):
    account.file("f", b"content")
    gateway = balanced(family=family, require_ssl_reuse="YES")
    control = session(gateway, account, header(CLIENT6))
    assert f"peer=[{CLIENT6}]:5555" in gateway.log
    assert CLIENT6 in control.expect("SITE WHO", 211).text
    assert "EPSV" in control.expect("PASV", 425).text
    control.expect("EPSV 1", 522)
    control.expect("EPSV 2", 229)
    for _ in range(2):
        assert transfers(control, header(CLIENT6, port=5556))


def test_a_mapped_address_is_the_ipv4_client(balanced, account, ipv6):
    account.file("f", b"content")
    gateway = balanced(family=6, max_per_ip="1")
    control = session(gateway, account, line(f"::ffff:{CLIENT}", f"::ffff:{FRONT}"))
    assert f"peer={CLIENT}:5555" in gateway.log and announced(control) == FRONT
    assert transfers(control, binary(CLIENT), "PASV")
    assert connect(gateway, line(CLIENT)).ended(421)


def test_a_proxy_may_reach_a_listener_of_both_kinds_by_either(balanced, account, ipv6):
    account.file("f", b"content")
    gateway = balanced(family=6, listen_address6="::")
    for host in ("127.0.0.1", "::1"):
        gateway.host = host
        for client in (CLIENT, CLIENT6):
            assert transfers(session(gateway, account, line(client)), binary(client))
    assert "ffff" not in gateway.log


def active(control, address, command, header=None):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        control.expect(command.format(port >> 8, port & 255, port), 200)
        control.expect("RETR f", 150)
        connection = control.wrap_data(listener.accept()[0])
    assert read_all(connection) == b"content"
    finish(connection)
    control.next(226)


@VERSIONS
@FAMILIES
def test_active_connections_lead_to_an_ipv4_client_and_not_to_the_proxy(
        balanced, account, ipv6, family, header):
    account.file("f", b"content")
    gateway = balanced(family=family)
    control = session(gateway, account, header("127.0.0.9", "127.0.0.1"))
    for refused in (PROXY, OTHER, FRONT):
        control.expect(f"PORT {refused.replace('.', ',')},200,200", 500)
        control.expect(f"EPRT |1|{refused}|51400|", 500)
    control.expect("EPRT |2|::1|51400|", 522)
    active(control, "127.0.0.9", "PORT 127,0,0,9,{},{}")
    active(control, "127.0.0.9", "EPRT |1|127.0.0.9|{2}|")


@VERSIONS
@FAMILIES
def test_active_connections_lead_to_an_ipv6_client_and_not_to_the_proxy(
        balanced, account, ipv6, family, header):
    account.file("f", b"content")
    gateway = balanced(family=family)
    control = session(gateway, account, header("::1", "::1"))
    control.expect("EPRT |2|2001:db8::1|51400|", 500)
    control.expect(f"EPRT |1|{PROXY}|51400|", 522)
    control.expect(f"PORT {PROXY.replace('.', ',')},200,200", 500)
    active(control, "::1", "EPRT |2|::1|{2}|")


# What PASV announces.

@VERSIONS
def test_the_balancers_own_address_is_announced(balanced, account, header):
    control = session(balanced(), account, header(CLIENT, FRONT))
    assert announced(control) == FRONT


def test_the_address_announced_depends_on_the_front_and_on_the_client(balanced, account):
    gateway = balanced(
        masquerade_address_map=f"{FRONT}:203.0.113.5", pasv_address="203.0.113.6",
        pasv_local_networks="192.0.2.0/26")
    other_front = "198.51.100.10"
    for client, front, address in (
            (CLIENT, FRONT, "203.0.113.5"), (CLIENT, other_front, "203.0.113.6"),
            ("192.0.2.7", FRONT, FRONT), ("192.0.2.7", other_front, other_front)):
        assert announced(session(gateway, account, line(client, front))) == address


def test_the_proxys_own_address_decides_nothing_of_what_is_announced(balanced, account):
    gateway = balanced(
        masquerade_address_map="127.0.0.1:203.0.113.5", pasv_local_networks="127.0.0.0/8",
        pasv_address="203.0.113.6")
    assert announced(session(gateway, account, line(CLIENT))) == "203.0.113.6"


# Networks that are named in options.

def test_only_some_clients_may_do_without_tls(balanced, account):
    account.file("f", b"content")
    gateway = balanced(
        force_local_logins_ssl="NO", force_local_data_ssl="NO", plain_system_logins="YES",
        plain_ftp_networks="192.0.2.64/26,127.0.0.0/8,2001:db8:77::/48")
    gateway.secrets.append(account.password)
    for client in (CLIENT, CLIENT6):
        inside = connect(gateway, line(client))
        inside.next(220)
        inside.login(account)
        assert transfers(inside, line(client), resume=False)
    # The proxy's own address is nobody's.
    for client in ("192.0.2.7", "2001:db8:78::1"):
        outside = connect(gateway, binary(client))
        outside.next(220)
        outside.expect(f"USER {account.name}", 530)
        outside.secure().login(account)
        outside.expect("EPSV", 229)
        outside.expect("RETR f", 521)
        outside.protect()
        assert transfers(outside, binary(client))


@VERSIONS
def test_any_client_may_fetch_where_the_administrator_says_so(balanced, account, header):
    account.file("f", b"content")
    gateway = balanced(pasv_promiscuous="YES", require_ssl_reuse="NO")
    control = session(gateway, account, header(CLIENT))
    assert transfers(control, header(SECOND), resume=False)
    wait_until(lambda: "proof=none" in gateway.log, what="the proof in the log")
    # Through the proxy still nobody comes who is not named.
    port = control.passive_port()
    with data(control, b"\x16\x03\x01\x02\0\x01", port=port) as silent:
        silent.settimeout(20)
        assert silent.recv(1) == b""
    wait_until(lambda: "no PROXY header on a data" in gateway.log, what="the line in the log")


def test_any_client_may_fetch_with_the_session_of_its_control_connection(balanced, account):
    account.file("f", b"content")
    control = session(balanced(pasv_promiscuous="YES"), account, line(CLIENT))
    assert transfers(control, line(SECOND))
    connection = data(control, line(SECOND))
    control.expect("RETR f", 150)
    connection = control.wrap_data(connection)
    control.next(522)
    connection.close()


def test_clients_of_one_network_may_open_each_others_data_connections(balanced, account):
    account.file("f", b"content")
    gateway = balanced(
        pasv_promiscuous_networks="192.0.2.64/26,127.0.0.0/8", require_ssl_reuse="YES",
        accept_timeout="2")
    control = session(gateway, account, line(CLIENT))
    assert transfers(control, line(SECOND))
    outsider = data(control, line("192.0.2.7"))
    control.expect("RETR f", 150)
    control.next(425)
    outsider.close()
    wait_until(lambda: "foreign address refused: 192.0.2.7:5555" in gateway.log, what="the line")
    # That the proxy is in a network that is named makes no client one of it.
    control = session(gateway, account, line("192.0.2.7"))
    outsider = data(control, line("192.0.2.8"))
    control.expect("RETR f", 150)
    control.next(425)
    outsider.close()


def test_only_some_clients_are_spared_the_session(balanced, account):
    account.file("f", b"content")
    gateway = balanced(
        require_ssl_reuse="YES", ssl_reuse_exempt_networks="192.0.2.64/26,127.0.0.0/8")
    assert transfers(session(gateway, account, line(CLIENT)), line(CLIENT), resume=False)
    control = session(gateway, account, line("192.0.2.7"))
    assert transfers(control, line("192.0.2.7"))
    connection = data(control, line("192.0.2.7"))
    control.expect("RETR f", 150)
    connection = control.wrap_data(connection)
    control.next(522)
    connection.close()


# Whose word is taken.

@pytest.mark.parametrize("networks", ["0.0.0.0/0", "::/0"])
def test_a_word_that_is_taken_from_anybody_is_warned_of(balanced, tmp_path, networks):
    gateway = balanced(proxy_networks=networks)
    warning = f"WARNING: proxy_networks takes the word of anybody in {networks}"
    assert gateway.log.count(warning) == 1
    config = write(tmp_path / "c", {
        "rsa_cert_file": gateway.certificate.chain, "rsa_private_key_file": gateway.certificate.key,
        "pam_conf_dir": PAM, "proxy_protocol": "YES", "proxy_networks": networks})
    done = run("check-config", config)
    assert done.returncode == 0 and warning in done.stdout
