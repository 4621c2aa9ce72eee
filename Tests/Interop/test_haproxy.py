"""Two gateways behind a real HAProxy, as the page about load balancers sets them up."""

import shutil
import subprocess

import pytest

from control import Closed, Control, finish, read_all, wait_until
from test_data_connections import free_ports

BALANCER = "127.0.0.1"
NODES = {"a": "127.0.0.2", "b": "127.0.0.3"}
PORTS_PER_NODE = 6

CONFIGURATION = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend control
    bind {balancer}:{port}
    default_backend control

backend control
    balance source
    hash-type consistent
    option tcp-check
    tcp-check connect default
    tcp-check expect rstring ^220
{servers}
"""

DATA = """
frontend data_{name}
    bind {balancer}:{first}-{last}
    default_backend data_{name}

backend data_{name}
    server {name} {address} send-proxy-v2
"""


class Balancer:
    def __init__(self, directory, nodes, ranges, port):
        servers = "\n".join(
            f"    server {name} {NODES[name]}:{node.port} send-proxy-v2 check check-send-proxy"
            f" inter 300ms rise 1 fall 1" for name, node in nodes.items())
        text = CONFIGURATION.format(balancer=BALANCER, port=port, servers=servers)
        for name, ports in ranges.items():
            text += DATA.format(name=name, balancer=BALANCER, address=NODES[name],
                                first=ports[0], last=ports[-1])
        path = directory / "haproxy.cfg"
        path.write_text(text)
        self.port = port
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        self.process = subprocess.Popen([program, "-db", "-f", str(path)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def setup(serve, tmp_path):
    ranges, nodes = {}, {}
    first = free_ports(1 + PORTS_PER_NODE * len(NODES))
    taken = range(first, first + 1 + PORTS_PER_NODE * len(NODES))
    for index, (name, address) in enumerate(NODES.items()):
        own = 1 + index * PORTS_PER_NODE
        ranges[name] = taken[own:own + PORTS_PER_NODE]
        nodes[name] = serve(
            listen_address=address, proxy_protocol="YES", proxy_networks=BALANCER,
            ftpd_banner=f"node {name}", pasv_min_port=ranges[name][0],
            pasv_max_port=ranges[name][-1], require_ssl_reuse="YES", shutdown_timeout="1")
    balancer = Balancer(tmp_path, nodes, ranges, taken[0])
    yield nodes, ranges, balancer
    balancer.stop()


def arrive(nodes, balancer, source):
    """A control connection from an address, and the node that it came to."""
    gateway = nodes["a"]
    control = Control(BALANCER, balancer.port, gateway.context(), source)
    for node in nodes.values():
        node.clients.append(control)
    return control, control.greeting.text.split()[-1]


def reachable(nodes, balancer, source, wanted=None):
    def attempt():
        try:
            control, name = arrive(nodes, balancer, source)
        except (OSError, AssertionError, Closed):
            return None
        if wanted in (None, name):
            return control, name
        control.close()
        return None
    return wait_until(attempt, 20, "a node behind the balancer")


def work(control, account, ranges):
    control.secure().protect().login(account)
    for number in range(4):
        port = control.passive_port("PASV" if number % 2 else "EPSV")
        assert port in ranges
        connection = control.connect_data(port)
        control.expect(f"STOR f{number}", 150)
        connection = control.wrap_data(connection, resume=True)
        connection.sendall(b"content")
        finish(connection)
        control.next(226)
        port = control.passive_port()
        connection = control.connect_data(port)
        control.expect(f"RETR f{number}", 150)
        connection = control.wrap_data(connection, resume=True)
        assert read_all(connection) == b"content"
        finish(connection)
        control.next(226)


def test_two_gateways_serve_behind_haproxy_and_one_may_go(setup, account):
    nodes, ranges, balancer = setup
    for node in nodes.values():
        node.secrets.append(account.password)
    reachable(nodes, balancer, "127.0.0.10")[0].close()
    places = {}
    for last in range(11, 40):
        source = f"127.0.0.{last}"
        control, name = arrive(nodes, balancer, source)
        if name not in places:
            work(control, account, ranges[name])
            assert f"peer={source}:" in nodes[name].log
            places[name] = source, control
        else:
            control.close()
        if len(places) == 2:
            break
    assert set(places) == set(NODES), "the source decides, and both are used"
    # A client comes to the same node again: its passive ports are there.
    for name, (source, _) in places.items():
        for _ in range(3):
            control, again = arrive(nodes, balancer, source)
            control.close()
            assert again == name
    # One goes; its clients are served by the other, whose sessions notice nothing.
    nodes["a"].stop()
    source, _ = places["a"]
    control, name = reachable(nodes, balancer, source, wanted="b")
    work(control, account, ranges["b"])
    staying = places["b"][1]
    assert staying.alive()
    assert staying.retrieve("RETR f0", resume=True) == b"content"


def test_curl_transfers_through_haproxy(setup, account, tmp_path):
    nodes, ranges, balancer = setup
    for node in nodes.values():
        node.secrets.append(account.password)
    reachable(nodes, balancer, "127.0.0.10")[0].close()
    account.file("f", b"content")
    certificate = nodes["a"].certificate.chain
    for arguments in ([], ["--disable-epsv"]):
        done = subprocess.run(
            ["curl", "-sS", "--ssl-reqd", "--cacert", certificate, "--interface", "127.0.0.12",
             "-u", f"{account.name}:{account.password}", *arguments,
             f"ftp://{BALANCER}:{balancer.port}/f"], capture_output=True, timeout=60)
        assert done.stdout == b"content", done.stderr
