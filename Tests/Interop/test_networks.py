"""Clients and servers on different hosts, with address translation in between and without IPv4."""

import ftplib
import io
import socket
import ssl
import time

import pytest

from certificates import make_certificate
from control import finish, read_all, wait_until
from gateway import ResumingFTP
from namespaces import Host
from test_curl import Curl
from test_haproxy import Balancer, blocks, replaced
from test_lftp import lftp

CONTENT = b"portcullis " * 10_000
PORTS = "50000-50019"

# A server in a private network, and the address under which the world knows it.
PRIVATE, PUBLIC, ABROAD, COLLEAGUE = "192.168.7.2", "203.0.113.1", "203.0.113.9", "192.168.8.2"
# A server with an address of its own, and the addresses of a box in front of its clients.
SERVER, BOX, SECOND_BOX = "198.51.100.9", "198.51.100.1", "198.51.100.2"
ULA, ULA_CLIENT = "fd00:7::1", "fd00:7::2"


class Trusting:
    """Believes the address in the reply to PASV, as old clients do."""

    trust_server_pasv_ipv4_address = True


class TrustingStock(Trusting, ftplib.FTP_TLS):
    pass


class TrustingResuming(Trusting, ResumingFTP):
    pass


STOCK_AND_RESUMING = pytest.mark.parametrize("kind", [ftplib.FTP_TLS, ResumingFTP])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(
        tmp_path_factory.mktemp("networks"), "networks",
        [PRIVATE, PUBLIC, SERVER, ULA, "10.0.0.1"])


@pytest.fixture
def host(root, ipv6):
    """Makes hosts that are gone after the test."""
    hosts = []

    def make(name):
        try:
            hosts.append(Host(name))
        except PermissionError as error:
            pytest.skip(f"no network namespaces here: {error}")
        return hosts[-1]

    yield make
    for made in hosts:
        made.close()


@pytest.fixture
def serve_on(serve):
    def start(server, address, first=50000, last=50019, **options):
        options = {"listen_address": "0.0.0.0", "listen_port": "21", "pasv_min_port": str(first),
                   "pasv_max_port": str(last), **options}
        with server:
            gateway = serve(**options)
        gateway.host = address
        return gateway
    return start


def exchange(ftp, account):
    """A file there and back and a listing."""
    assert ftp.storbinary("STOR there", io.BytesIO(CONTENT)).startswith("226")
    assert (account.home / "there").read_bytes() == CONTENT
    back = bytearray()
    assert ftp.retrbinary("RETR there", back.extend).startswith("226")
    assert back == CONTENT and ftp.nlst() == ["there"]


def refused(session, line, code):
    """A transfer that ends without a data connection, and the session goes on."""
    session.expect(line, 150)
    session.next(code)
    assert session.alive()


# A server behind a NAT that forwards its ports.

@pytest.fixture
def private(host):
    server, nat, abroad, colleague = (
        host(name) for name in ("server", "nat", "abroad", "colleague"))
    nat.forward()
    nat.connect(server, ["192.168.7.1/24"], [f"{PRIVATE}/24"])
    nat.connect(colleague, ["192.168.8.1/24"], [f"{COLLEAGUE}/24"])
    nat.connect(abroad, [f"{PUBLIC}/24"], [f"{ABROAD}/24"])
    server.default_route("192.168.7.1")
    colleague.default_route("192.168.8.1")
    nat.translate([f'iifname "abroad" tcp dport {{ 21, {PORTS} }} dnat to {PRIVATE}'],
                  ['oifname "abroad" masquerade'])
    return server, abroad, colleague


ANNOUNCEMENTS = pytest.mark.parametrize("announcement", [
    {"pasv_address": PUBLIC}, {"masquerade_address_map": f"{PRIVATE}:{PUBLIC}"},
], ids=lambda options: next(iter(options)))


@ANNOUNCEMENTS
@pytest.mark.parametrize("kind", [TrustingStock, TrustingResuming])
def test_clients_that_believe_pasv_reach_a_server_behind_a_nat_from_either_side(
        private, serve_on, account, announcement, kind):
    server, abroad, colleague = private
    gateway = serve_on(server, PUBLIC, pasv_local_networks="192.168.0.0/16", **announcement)
    with abroad:
        exchange(gateway.ftp(account, kind=kind), account)
    assert f"peer={ABROAD}:" in gateway.log
    account.empty()
    gateway.host = PRIVATE
    with colleague:
        exchange(gateway.ftp(account, kind=kind), account)
    assert f"peer={COLLEAGUE}:" in gateway.log


@ANNOUNCEMENTS
def test_curl_and_lftp_reach_it_from_either_side(private, serve_on, account, announcement):
    server, abroad, colleague = private
    gateway = serve_on(server, PUBLIC, pasv_local_networks="192.168.0.0/16", **announcement)
    account.file("there", CONTENT)
    for client, address in ((abroad, PUBLIC), (colleague, PRIVATE)):
        gateway.host = address
        with client:
            curl = Curl(gateway, account, "TLSv1.3")
            for options in ([], ["--disable-epsv", "--no-ftp-skip-pasv-ip"]):
                assert curl.run(*options, curl.url("there")) == CONTENT
            for epsv in ("true", "false"):
                listed = lftp(gateway, account, "set ftp:fix-pasv-address false",
                              f"set ftp:prefer-epsv {epsv}", "cls -1")
                assert listed.split() == ["there"]


def test_without_an_address_to_announce_only_epsv_leads_through_the_nat(
        private, serve_on, account):
    server, abroad, _ = private
    gateway = serve_on(server, PUBLIC)
    account.file("there", CONTENT)
    with abroad:
        session = gateway.session(account)
        assert session.retrieve("RETR there") == CONTENT
        assert f"({PRIVATE.replace('.', ',')}," in session.expect("PASV", 227).text
        with pytest.raises(OSError, match="unreachable"):
            gateway.ftp(account, kind=TrustingStock).nlst()
        # The ftplib of today mistrusts the address, and so gets through.
        assert gateway.ftp(account).nlst() == ["there"]
        curl = Curl(gateway, account, "TLSv1.3")
        assert curl.run(curl.url("there")) == CONTENT
        curl.run("--disable-epsv", "--no-ftp-skip-pasv-ip", curl.url("there"), status=7)


def test_a_server_behind_a_nat_connects_to_active_clients(private, serve_on, account):
    server, abroad, _ = private
    gateway = serve_on(server, PUBLIC)
    with abroad:
        ftp = gateway.ftp(account, kind=ResumingFTP)
        ftp.set_pasv(False)
        exchange(ftp, account)


# A client behind a NAT of its own.

@pytest.fixture
def hidden_client(host):
    server, nat, client = host("server"), host("nat"), host("client")
    nat.forward()
    nat.connect(server, [f"{BOX}/24"], [f"{SERVER}/24"])
    nat.connect(client, ["10.0.0.1/24"], ["10.0.0.2/24"])
    client.default_route("10.0.0.1")
    nat.translate(leaving=['oifname "server" masquerade'])
    return server, nat, client


@STOCK_AND_RESUMING
def test_a_client_behind_a_nat_works_in_passive_mode_and_is_refused_in_active_mode(
        hidden_client, serve_on, account, kind):
    server, _, client = hidden_client
    gateway = serve_on(server, SERVER)
    with client:
        ftp = gateway.ftp(account, kind=kind)
        exchange(ftp, account)
        ftp.set_pasv(False)
        with pytest.raises(ftplib.error_perm, match="^500 Illegal PORT"):
            ftp.nlst()
        # Nothing is left behind that would be in the way of passive mode.
        ftp.set_pasv(True)
        assert ftp.nlst() == ["there"]
    assert "PORT to 10.0.0.2:" in gateway.log


def test_curl_and_lftp_work_behind_a_nat_of_their_own(hidden_client, serve_on, account):
    server, _, client = hidden_client
    gateway = serve_on(server, SERVER, require_ssl_reuse="YES")
    account.file("there", CONTENT)
    with client:
        curl = Curl(gateway, account, "TLSv1.3")
        for options in ([], ["--disable-epsv"], ["--disable-epsv", "--no-ftp-skip-pasv-ip"]):
            assert curl.run(*options, curl.url("there")) == CONTENT
        for epsv in ("true", "false"):
            assert lftp(gateway, account, f"set ftp:prefer-epsv {epsv}",
                        "cls -1").split() == ["there"]
        # In active mode curl names the address that it has inside.
        curl.run("--ftp-port", "-", "--disable-eprt", curl.url("there"), status=30)
    assert f"peer={BOX}:" in gateway.log and "PORT to 10.0.0.2:" in gateway.log


@pytest.mark.parametrize("answer", ["reject with tcp reset", "drop"], ids=["refused", "dropped"])
def test_a_client_that_names_its_nat_is_told_that_nobody_answers(
        hidden_client, serve_on, account, answer):
    server, nat, client = hidden_client
    nat.filter(f'iifname "server" tcp dport 50100 {answer}')
    gateway = serve_on(server, SERVER, connect_timeout="2")
    account.file("there", CONTENT)
    with client:
        session = gateway.session(account)
        for line in (f"PORT {BOX.replace('.', ',')},195,180", f"EPRT |1|{BOX}|50100|"):
            session.expect(line, 200)
            refused(session, "RETR there", 425)
        assert session.retrieve("RETR there", command="PASV") == CONTENT


def test_estp_tells_what_the_nat_made_of_the_client(hidden_client, serve_on, account):
    server, _, client = hidden_client
    gateway = serve_on(server, SERVER)
    with client:
        session = gateway.session(account)
        with session.connect_data():
            assert f"(|1|{BOX}|" in session.expect("ESTP", 225).text


# A NAT that shows the connections of one client under several addresses.

@pytest.fixture
def pooled(host):
    server, nat, client, stranger = (
        host(name) for name in ("server", "nat", "client", "stranger"))
    nat.forward()
    nat.connect(server, [f"{BOX}/24", f"{SECOND_BOX}/24"], [f"{SERVER}/24"])
    nat.connect(client, ["10.0.0.1/24"], ["10.0.0.2/24"])
    stranger.connect(server, ["192.0.2.7/24"], ["192.0.2.1/24"])
    client.default_route("10.0.0.1")
    stranger.default_route("192.0.2.1")
    nat.translate(leaving=[f'oifname "server" tcp dport 21 snat to {BOX}',
                           f'oifname "server" tcp dport {PORTS} snat to {SECOND_BOX}'])
    return server, client, stranger


def test_a_nat_pool_fails_by_default(pooled, serve_on, account):
    server, client, _ = pooled
    gateway = serve_on(server, SERVER, accept_timeout="2")
    account.file("there", CONTENT)
    with client:
        session = gateway.session(account)
        with session.connect_data():
            refused(session, "RETR there", 425)
    assert f"foreign address refused: {SECOND_BOX}:" in gateway.log


POOL = {"pasv_promiscuous_networks": "198.51.100.0/30", "require_ssl_reuse": "YES"}


def test_a_nat_pool_that_is_named_works_for_clients_that_resume(pooled, serve_on, account):
    server, client, _ = pooled
    gateway = serve_on(server, SERVER, **POOL)
    with client:
        exchange(gateway.ftp(account, kind=ResumingFTP), account)
        curl = Curl(gateway, account, "TLSv1.3")
        assert curl.run(curl.url("there")) == CONTENT
        assert lftp(gateway, account, "cls -1").split() == ["there"]
        # Whoever else is behind the same boxes has no session to resume.
        session = gateway.session(account)
        port = session.passive_port()
        neighbour = session.wrap_data(session.connect_data(port))
        with session.connect_data(port) as data:
            session.expect("RETR there", 150)
            with session.wrap_data(data, resume=True) as data:
                assert read_all(data) == CONTENT
                finish(data)
        session.next(226)
        with neighbour:
            assert_gets_nothing(neighbour)



def test_a_stranger_outside_of_the_pool_neither_gets_nor_spoils_a_transfer(
        pooled, serve_on, account):
    server, client, stranger = pooled
    gateway = serve_on(server, SERVER, accept_timeout="2", **POOL)
    account.file("there", CONTENT)
    with client:
        session = gateway.session(account)
    port = session.passive_port()
    with stranger, session.connect_data(port) as thief:
        with client:
            assert session.retrieve("RETR there", resume=True, port=port) == CONTENT
        assert_gets_nothing(thief)
    port = session.passive_port()
    # A session that was stolen does not help.
    with stranger, session.connect_data(port) as thief:
        session.expect("RETR there", 150)
        with pytest.raises(OSError):
            session.wrap_data(thief, resume=True).recv(1)
        session.next(425)
    assert "foreign address refused: 192.0.2.7:" in gateway.log


def assert_gets_nothing(connection):
    try:
        assert connection.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        pass


# IPv6.

def pair(host, own, others):
    server, client = host("server"), host("client")
    server.connect(client, own, others)
    return server, client


IPV6 = {"listen": "NO", "listen_ipv6": "YES", "listen_address": None}


@STOCK_AND_RESUMING
@pytest.mark.parametrize("listening", [None, ULA], ids=["any-address", "one-address"])
def test_hosts_without_ipv4_exchange_files(host, serve_on, account, kind, listening):
    server, client = pair(host, [f"{ULA}/64"], [f"{ULA_CLIENT}/64"])
    gateway = serve_on(server, ULA, **IPV6, listen_address6=listening)
    with client:
        for passive in (True, False):
            account.empty()
            ftp = gateway.ftp(account, kind=kind)
            ftp.set_pasv(passive)
            exchange(ftp, account)
        session = gateway.session(account)
        assert "EPSV" in session.expect("PASV", 425).text
        session.expect("PORT 10,0,0,2,200,200", 500)
        session.expect("EPRT |1|10.0.0.2|50000|", 522)
        session.expect("EPRT |2|fd00:7::3|50000|", 500)
        session.expect("EPSV 1", 522)
        assert session.retrieve("RETR there") == CONTENT
    assert f"peer=[{ULA_CLIENT}]:" in gateway.log


def test_curl_and_lftp_need_no_ipv4(host, serve_on, account):
    server, client = pair(host, [f"{ULA}/64"], [f"{ULA_CLIENT}/64"])
    gateway = serve_on(server, f"[{ULA}]", **IPV6, require_ssl_reuse="YES")
    account.file("there", CONTENT)
    with client:
        curl = Curl(gateway, account, "TLSv1.3")
        assert curl.run(curl.url("there")) == CONTENT
        for passive in (True, False):
            assert lftp(gateway, account, "cls -1", passive=passive).split() == ["there"]


def test_a_server_of_both_kinds_sees_ipv4_clients_as_such(host, serve_on, account):
    server, client = pair(host, ["10.0.0.1/24", f"{ULA}/64"],
                          ["10.0.0.2/24", "10.0.0.3/24", f"{ULA_CLIENT}/64"])
    gateway = serve_on(server, "10.0.0.1", **IPV6, pasv_address="192.0.2.10", max_per_ip="1",
                       pasv_local_networks="10.0.0.3/32",
                       pasv_promiscuous_networks="10.0.0.0/30")
    account.file("there", CONTENT)
    with client:
        first = gateway.session(account, source="10.0.0.2")
        assert "(192,0,2,10," in first.expect("PASV", 227).text
        assert first.retrieve("RETR there", source="10.0.0.3", resume=True) == CONTENT
        second = gateway.control(source="10.0.0.2", greet=False)
        assert second.reply().code == 421
        inside = gateway.session(account, source="10.0.0.3")
        assert inside.retrieve("RETR there", command="PASV", resume=True) == CONTENT
        inside.expect("EPRT |2|::ffff:10.0.0.3|50000|", 522)
        inside.expect("PORT 10,0,0,2,200,200", 500)
        for command in ("PORT 10,0,0,3,{},{}", "EPRT |1|10.0.0.3|{2}|"):
            assert active(inside, command, "10.0.0.3", "10.0.0.1", resume=True) == CONTENT
        gateway.host = ULA
        ftp = gateway.ftp(account, kind=ResumingFTP)
        assert ftp.nlst() == ["there"]
    assert "peer=10.0.0.2:" in gateway.log and f"peer=[{ULA_CLIENT}]:" in gateway.log
    assert "ffff" not in gateway.log


def active(session, command, address, server, family=socket.AF_INET, resume=False):
    with socket.create_server((address, 0), family=family) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        session.expect(command.format(port >> 8, port & 255, port), 200)
        session.expect("RETR there", 150)
        data, peer = listener.accept()
    assert peer[0] == server
    data = session.wrap_data(data, resume)
    content = read_all(data)
    finish(data)
    session.next(226)
    return content


def test_link_local_addresses_are_enough(host, serve_on, account):
    # The same addresses again on another link: only the scope tells them apart.
    server, client = pair(host, ["fe80::1/64"], ["fe80::2/64"])
    other = host("other")
    server.connect(other, ["fe80::1/64"], ["fe80::2/64"])
    gateway = serve_on(server, "fe80::1%server", **IPV6, require_ssl_reuse="YES")
    account.file("there", CONTENT)
    context = gateway.context()
    # The certificate names no link-local address.
    context.check_hostname = False
    for machine in (client, other):
        with machine:
            session = gateway.session(account, context=context)
            for _ in range(2):
                assert session.retrieve("RETR there", resume=True) == CONTENT
    with client:
        session = gateway.session(account, context=context)
        answer = active(session, "EPRT |2|fe80::2|{2}|", "::", "fe80::1", socket.AF_INET6, True)
        assert answer == CONTENT
        curl = Curl(gateway, account, "TLSv1.3")
        curl.base = "ftp://[fe80::1%25server]:21/"
        assert curl.run("--insecure", curl.url("there")) == CONTENT
        port = session.passive_port()
    with other, pytest.raises(OSError):
        session.connect_data(port)
    with client:
        assert session.retrieve("RETR there", resume=True, port=port) == CONTENT


@pytest.mark.parametrize("zone", ["name", "number"])
def test_one_link_local_address_is_listened_on(host, serve_on, account, zone):
    # The same address again on another link, where nobody listens.
    server, client = pair(host, ["fe80::1/64"], ["fe80::2/64"])
    other = host("other")
    server.connect(other, ["fe80::1/64"], ["fe80::2/64"])
    with server:
        number = socket.if_nametoindex("client")
    interface = "client" if zone == "name" else number
    gateway = serve_on(server, "fe80::1%server", **IPV6, implicit_listen_port="990",
                       listen_address6=f"fe80::1%{interface}")
    account.file("there", CONTENT)
    context = gateway.context()
    # The certificate names no link-local address.
    context.check_hostname = False
    with client:
        session = gateway.session(account, context=context)
        assert session.retrieve("RETR there", resume=True) == CONTENT
        answer = active(session, "EPRT |2|fe80::2|{2}|", "::", "fe80::1", socket.AF_INET6)
        assert answer == CONTENT
        gateway.port = 990
        assert gateway.control(context=context, greet=False).handshake().next(220)
    with other:
        for port in (21, 990):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("fe80::1%server", port), 10)
    assert f"listening on [fe80::1%{number}]:21" in gateway.out
    assert f"peer=[fe80::2%{number}]:" in gateway.log


# A load balancer that speaks no IPv4.

INSIDE, NODE = "fd00:9::2", "fd00:9::1"


@pytest.fixture
def balanced(host, serve_on, tmp_path):
    """A gateway, and a client to whom it is reachable through HAProxy alone."""
    server, proxy, client = host("server"), host("proxy"), host("client")
    proxy.connect(server, [f"{INSIDE}/64"], [f"{NODE}/64"])
    proxy.connect(client, [f"{ULA}/64"], [f"{ULA_CLIENT}/64"])
    gateway = serve_on(server, ULA, **IPV6, proxy_protocol="YES", proxy_networks=INSIDE,
                       require_ssl_reuse="YES")
    # The page's configuration, whose second node is out of service here.
    text = replaced(blocks()[1], {
        "192.0.2.11": (f"[{NODE}]", 2), "192.0.2.12": ("[fd00:9::3]", 2),
        "192.0.2.10:21\n": (f"[{ULA}]:21\n", 1), "192.0.2.10:40000-40099": (f"[{ULA}]:{PORTS}", 1),
        "192.0.2.10:40100-40199": (f"[{ULA}]:50020-50039", 1),
        "defaults\n": ("defaults\n    default-server inter 300ms rise 1 fall 1\n", 1)})
    with proxy:
        balancer = Balancer(tmp_path / "haproxy.cfg", text, 21, 2100)
        try:
            wait_until(lambda: balancer.has_up("a") and not balancer.has_up("b"), 20, "the node")
            yield gateway, client
        finally:
            balancer.stop()


def test_haproxy_balances_hosts_without_ipv4(balanced, account):
    gateway, client = balanced
    with client:
        exchange(gateway.ftp(account, kind=ResumingFTP), account)
        session = gateway.session(account)
        assert "EPSV" in session.expect("PASV", 425).text
        session.expect("EPRT |2|fd00:7::3|50000|", 500)
        gateway.host = f"[{ULA}]"
        curl = Curl(gateway, account, "TLSv1.3")
        assert curl.run(curl.url("there")) == CONTENT
        assert lftp(gateway, account, "cls -1").split() == ["there"]
    assert f"peer=[{ULA_CLIENT}]:" in gateway.log
    assert f"peer=[{INSIDE}]:" not in gateway.log


# Two servers on one host.

def test_two_servers_share_one_range_of_ports(host, serve_on, account):
    server, client = pair(host, ["10.0.0.1/24"], ["10.0.0.2/24"])
    one, two = (serve_on(server, "10.0.0.1", first=50000, last=50001, listen_port=port)
                for port in ("21", "2121"))
    account.file("there", CONTENT)
    with client:
        holders = [one.session(account), one.session(account)]
        other = two.session(account)
        # Each in turn, on ports that the other one's connections have only just left.
        for _ in range(4):
            for session in (*holders, other):
                assert session.retrieve("RETR there") == CONTENT
        ports = [session.passive_port() for session in holders]
        assert set(ports) == {50000, 50001}
        begin = time.monotonic()
        for command in ("EPSV", "PASV"):
            assert "No passive port is free" in other.expect(command, 425).text
        assert time.monotonic() - begin < 5, "the reply waits for nothing"
        for session, port in zip(holders, ports):
            assert session.retrieve("RETR there", port=port) == CONTENT
        assert other.retrieve("RETR there") == CONTENT
        for session in holders:
            session.expect("EPSV", 229)
        other.expect("EPSV", 425)
        holders[0].close()
        wait_until(lambda: other.command("EPSV").code == 229, what="the port of who has gone")
