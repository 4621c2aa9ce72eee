"""Two gateways behind a real HAProxy, as the page about load balancers sets them up."""

import csv
import io
import re
import shutil
import socket
import subprocess

import pytest

from control import TIMEOUT, Closed, Control, finish, read_all, wait_until
from gateway import ROOT
from test_data_connections import free_ports

PROGRAM = shutil.which("haproxy") or "/usr/sbin/haproxy"
PAGE = ROOT / "Sources/Portcullis/Portcullis.docc/LoadBalancers.md"
BALANCER = "127.0.0.1"
NODES = {"a": "127.0.0.2", "b": "127.0.0.3"}
PORTS_PER_NODE = 6


def blocks():
    """The gateway's configuration on the page, and HAProxy's."""
    gateway, balancer = re.findall(r"^```\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    return gateway, balancer


def replaced(text, changes):
    """The text with something else in the places of what has to stand there."""
    for old, (new, count) in changes.items():
        assert text.count(old) == count, f"{old!r} stands {text.count(old)} times on the page"
        text = text.replace(old, new)
    return text


def node_options(ports):
    text = replaced(blocks()[0], {
        "192.0.2.10": (BALANCER, 1), "40000": (str(ports[0]), 1), "40099": (str(ports[-1]), 1)})
    return dict(option.split("=", 1) for option in text.split())


def balancer_configuration(nodes, ranges, port, word):
    """What the page says, with the addresses of the test and with quicker checks."""
    changes = {
        # The control ports first: what is left of an address then is of data.
        "192.0.2.11:21": (f"{NODES['a']}:{nodes['a'].port}", 1), "192.0.2.11": (NODES["a"], 1),
        "192.0.2.12:21": (f"{NODES['b']}:{nodes['b'].port}", 1), "192.0.2.12": (NODES["b"], 1),
        "192.0.2.10:21\n": (f"{BALANCER}:{port}\n", 1),
        "192.0.2.10:40000-40099": (f"{BALANCER}:{ranges['a'][0]}-{ranges['a'][-1]}", 1),
        "192.0.2.10:40100-40199": (f"{BALANCER}:{ranges['b'][0]}-{ranges['b'][-1]}", 1),
        "defaults\n": ("defaults\n    default-server inter 300ms rise 1 fall 1\n", 1),
        "send-proxy-v2": (word, 4),
    }
    text = replaced(blocks()[1], changes)
    assert "192.0.2." not in text
    return text


class Balancer:
    def __init__(self, path, configuration, port, administration):
        path.write_text(f"global\n    stats socket ipv4@{BALANCER}:{administration} level admin\n"
                        + configuration)
        self.port, self.administration = port, administration
        self.process = subprocess.Popen([PROGRAM, "-db", "-f", str(path)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, line):
        with socket.create_connection((BALANCER, self.administration), TIMEOUT) as connection:
            connection.sendall(line.encode() + b"\n")
            return read_all(connection).decode()

    def has_up(self, node):
        """Whether the last health check of a node was answered well."""
        try:
            rows = csv.DictReader(io.StringIO(self.ask("show stat").lstrip("# ")))
        except ConnectionRefusedError:
            return False
        return any(row["pxname"] == "control" and row["svname"] == node
                   and row["status"].startswith("UP") for row in rows)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(params=["send-proxy", "send-proxy-v2"])
def setup(serve, tmp_path, request):
    """Starts two nodes with options, and a balancer in front of them."""
    balancers = []

    def start(**options):
        ranges, nodes = {}, {}
        count = 2 + PORTS_PER_NODE * len(NODES)
        first = free_ports(count)
        for index, (name, address) in enumerate(NODES.items()):
            own = first + 2 + index * PORTS_PER_NODE
            ranges[name] = range(own, own + PORTS_PER_NODE)
            nodes[name] = serve(
                listen_address=address, ftpd_banner=f"node {name}", shutdown_timeout="1",
                **node_options(ranges[name]), **options)
        configuration = balancer_configuration(nodes, ranges, first, request.param)
        balancers.append(Balancer(tmp_path / "haproxy.cfg", configuration, first, first + 1))
        return nodes, ranges, balancers[-1]

    yield start
    for balancer in balancers:
        balancer.stop()


def arrive(nodes, balancer, source):
    """A control connection from an address, and the node that it came to."""
    gateway = nodes["a"]
    control = Control(BALANCER, balancer.port, gateway.context(), source)
    for node in nodes.values():
        node.clients.append(control)
    assert control.greeting.code == 220, control.greeting.text
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
    nodes, ranges, balancer = setup()
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


def test_full_gateways_stay_in_service(setup):
    """A health check of a full gateway is answered, and clients learn why they are refused."""
    nodes, _, balancer = setup(max_clients="1")
    for name in nodes:
        wait_until(lambda: balancer.has_up(name), 20, f"node {name}")
    places = {}
    for last in range(11, 60):
        try:
            control, name = arrive(nodes, balancer, f"127.0.0.{last}")
            places[name] = control
        except AssertionError:
            # Refused with 421, by a node that is full.
            continue
        if len(places) == 2:
            break
    assert set(places) == set(nodes)
    for name in nodes:
        # Only a check that is answered, now that the gateway is full, brings it back.
        balancer.ask(f"set server control/{name} health down")
        wait_until(lambda: balancer.has_up(name), 20, f"node {name} though it is full")
    refused = Control(BALANCER, balancer.port, nodes["a"].context(), "127.0.0.61", greet=False)
    assert "too many connected users" in refused.next(421).text and refused.ended()
    log = "".join(node.log for node in nodes.values())
    assert any("client refused" in text for text in log.splitlines() if "peer=127.0.0.61:" in text)
    assert "WARN" not in log.upper(), log
    for control in places.values():
        assert control.alive()


def test_curl_transfers_through_haproxy(setup, account, tmp_path):
    nodes, ranges, balancer = setup()
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
