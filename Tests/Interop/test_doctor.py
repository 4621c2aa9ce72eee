"""`portcullis doctor`: each thing that people trip over is made, and found with its mend."""

import functools
import json
import os
import pathlib
import pty
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from certificates import Authority, make_certificate
from control import wait_until
from gateway import BINARY, PAM
from namespaces import Host
from test_landlock import LANDLOCK_CREATE_RULESET, refuse_call
from test_networks import host  # noqa: F401

PUBLIC = "203.0.113.1"
OPENAT2 = 437


class Patient:
    """A host of its own with a configuration, and a server where one is started."""

    def __init__(self, directory, certificate, server, serve):
        self.server = server
        self.serve = serve
        self.certificate = certificate
        self.config = directory / "portcullis.conf"
        self.options = {
            "listen_address": "127.0.0.1", "listen_port": "21", "pam_conf_dir": PAM,
            "rsa_cert_file": certificate.chain, "rsa_private_key_file": certificate.key,
            "pasv_min_port": "61000", "pasv_max_port": "63047", "write_enable": "YES",
        }

    def write(self, options):
        self.options.update(options)
        self.config.write_text("".join(f"{name}={value}\n" for name, value in self.options.items()))
        self.config.chmod(0o644)

    def start(self, **options):
        self.write(options)
        with self.server:
            return self.serve(**{name: str(value) for name, value in self.options.items()})

    def ask(self, *arguments, password=None, json_wanted=True, trusted=True, hosts=("localhost",),
            before=None, user=None, **options):
        """(status, findings by check, notes)"""
        self.write(options)
        words = [BINARY, "doctor", "--config", self.config, *arguments,
                 *[word for name in hosts for word in ("--host", name)],
                 *(["--ca-file", self.certificate.chain] if trusted else []), "--json"]
        with self.server:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                  input=password and f"{password}\n", timeout=60, preexec_fn=before,
                                  user=user)
        # Nothing but the answer goes into a pipe.
        assert done.stderr == "", done.stderr
        if password:
            assert password not in done.stdout
        answer = json.loads(done.stdout)
        assert all(one["mend"] and one["finding"] for one in answer["findings"])
        found = {}
        for one in answer["findings"]:
            found.setdefault(one["check"], []).append(one["finding"])
        assert done.returncode == (1 if found else 0)
        return found, answer["notes"]


@pytest.fixture
def patient(host, serve, certificate, tmp_path):  # noqa: F811
    return Patient(tmp_path, certificate, host("server"), serve)


def only(found, check, words):
    assert set(found) == {check}, found
    assert any(words in text for text in found[check]), found


def test_nothing_is_found_where_nothing_is_wrong(patient, account):
    patient.start()
    found, notes = patient.ask("--user", account.name, "--write", password=account.password)
    assert found == {}
    assert os.listdir(account.home) == []
    # What it cannot know it says.
    assert any("cannot be seen from here" in note for note in notes)
    found, notes = patient.ask()
    assert found == {} and not any("no server runs" in note for note in notes)


def test_a_server_that_does_not_run_is_no_finding(patient):
    found, notes = patient.ask()
    assert found == {} and any("no server runs on 127.0.0.1:21" in note for note in notes)


# Certificates.

def test_a_certificate_for_another_name(patient):
    only(patient.ask(hosts=["ftp.example.org"])[0], "certificate-name", "is not for ftp.example.org")


@pytest.mark.parametrize("days, words", [(-1, "has expired"), (10, "expires in")])
def test_a_certificate_that_expires(patient, tmp_path, days, words):
    authority = Authority(tmp_path)
    made = authority.issue("server", kind="server", days=days, names="DNS:localhost")
    made.chain.write_bytes(made.chain.read_bytes() + authority.chain.read_bytes())
    only(patient.ask(rsa_cert_file=made.chain, rsa_private_key_file=made.key)[0],
         "certificate-expiry", words)


def test_a_certificate_without_its_issuer(patient, tmp_path):
    made = Authority(tmp_path).issue("server", kind="server", days=60, names="DNS:localhost")
    only(patient.ask(rsa_cert_file=made.chain, rsa_private_key_file=made.key)[0],
         "certificate-chain", "lacks the certificate of its issuer")


def test_a_key_of_another_certificate(patient, tmp_path):
    other = make_certificate(tmp_path, "other")
    only(patient.ask(rsa_private_key_file=other.key)[0], "configuration", str(other.key))


def test_a_certificate_that_no_authority_knows(patient):
    patient.start()
    only(patient.ask(trusted=False)[0], "certificate-trust", "self-signed certificate")


def test_a_certificate_that_was_renewed_and_not_loaded(patient, tmp_path):
    live = tmp_path / "live.pem"
    shutil.copy(patient.certificate.chain, live)
    key = tmp_path / "live.key"
    shutil.copy(patient.certificate.key, key)
    gateway = patient.start(rsa_cert_file=live, rsa_private_key_file=key)
    made = make_certificate(tmp_path, "renewed")
    shutil.copy(made.chain, live)
    shutil.copy(made.key, key)
    only(patient.ask()[0], "certificate-served", "another certificate")
    gateway.certificate = made
    patient.certificate = made
    gateway.process.send_signal(signal.SIGHUP)
    gateway_loaded(gateway)
    assert patient.ask()[0] == {}


def gateway_loaded(gateway):
    wait_until(lambda: "certificates loaded" in gateway.log, what="the reload")


# The machine.

def test_a_pam_service_that_is_missing(patient):
    only(patient.ask(pam_service_name="absent")[0], "configuration", "no PAM service file")


@pytest.mark.parametrize("call, words", [(LANDLOCK_CREATE_RULESET, "no Landlock"),
                                         (OPENAT2, "no openat2")])
def test_a_kernel_without_what_the_walls_are_made_of(patient, call, words):
    only(patient.ask(before=functools.partial(refuse_call, call))[0], "kernel", words)


def test_a_server_without_root(patient, tmp_path):
    found, _ = patient.ask(user=65534)
    assert "nobody but this account can log in" in found["root"][0]


# Ports.

def test_another_program_on_the_control_port(patient):
    with patient.server:
        listener = socket.create_server(("127.0.0.1", 21))
    with listener:
        only(patient.ask()[0], "control-port", "what listens on 127.0.0.1:21 is not this server")


def test_too_few_passive_ports(patient):
    only(patient.ask(pasv_max_port="61009")[0], "passive-range",
         "10 passive ports are too few for max_clients=2000")


def test_passive_ports_that_the_kernel_gives_away(patient):
    options = {"pasv_min_port": "40000", "pasv_max_port": "42100"}
    only(patient.ask(**options)[0], "passive-range", "to other programs too")
    patient.server.setting("ipv4/ip_local_reserved_ports", "39000-43000")
    assert patient.ask(**options)[0] == {}


def test_another_program_among_the_passive_ports(patient):
    with patient.server:
        listener = socket.create_server(("127.0.0.1", 61005))
    with listener:
        only(patient.ask()[0], "passive-range", "another program listens on 61005")


def test_passive_ports_of_sessions_are_the_servers_own(patient, account):
    gateway = patient.start()
    with patient.server:
        session = gateway.session(account)
        session.expect("EPSV", 229)
        assert patient.ask()[0] == {}
        assert session.alive()


# The address that is announced, and what stands between.

def test_an_announced_address_that_is_private(patient):
    patient.server.ip("address", "add", "10.1.2.3/32", "dev", "lo")
    only(patient.ask(pasv_address="10.1.2.3")[0], "advertised-address", "only this network")


def test_a_firewall_before_the_passive_ports(patient):
    patient.server.ip("address", "add", f"{PUBLIC}/32", "dev", "lo")
    assert patient.ask(pasv_address=PUBLIC)[0] == {}
    patient.server.filter("tcp dport 61000-63047 drop")
    only(patient.ask(pasv_address=PUBLIC)[0], "firewall", "timed out")


def test_a_firewall_is_noticed_without_an_announced_address(patient):
    patient.server.ip("address", "add", f"{PUBLIC}/32", "dev", "lo")
    patient.server.filter("tcp dport 61000-63047 reject")
    only(patient.ask(listen_address=PUBLIC)[0], "firewall", "cannot be reached on this machine")


@pytest.fixture
def behind_nat(patient, host):  # noqa: F811
    """The server with a router before it, which announces the router's address."""
    router, abroad = host("router"), host("abroad")
    router.forward()
    router.connect(patient.server, ["192.168.7.1/24"], ["192.168.7.2/24"])
    router.connect(abroad, [f"{PUBLIC}/24"], ["203.0.113.9/24"])
    patient.server.default_route("192.168.7.1")
    patient.router = router
    return patient


@pytest.mark.parametrize("ports, is_found", [("21", True), ("21, 61000-63047", False)])
def test_a_nat_that_hides_the_passive_ports(behind_nat, ports, is_found):
    behind_nat.router.translate(
        [f"ip daddr {PUBLIC} tcp dport {{ {ports} }} dnat to 192.168.7.2"],
        ['ip saddr 192.168.7.0/24 masquerade'])
    found, _ = behind_nat.ask(pasv_address=PUBLIC, listen_address="0.0.0.0")
    if is_found:
        only(found, "nat", "do not come to this machine")
    else:
        assert found == {}


def test_an_announced_address_where_something_else_answers(behind_nat):
    # The router's own program takes every connection.
    behind_nat.router.translate(["tcp dport 61000-63047 redirect to :7"])
    with behind_nat.router:
        listener = socket.create_server(("0.0.0.0", 7))
    with listener:
        only(behind_nat.ask(pasv_address=PUBLIC)[0], "nat", "something else answers there")


def test_a_server_in_a_private_network_is_noted(behind_nat):
    found, notes = behind_nat.ask(listen_address="0.0.0.0")
    assert found == {} and any("clients are told 192.168.7.2" in note for note in notes)


# Files.

def test_a_key_that_everybody_may_read(patient, tmp_path):
    key = tmp_path / "open.key"
    shutil.copy(patient.certificate.key, key)
    key.chmod(0o644)
    only(patient.ask(rsa_private_key_file=key)[0], "permissions", "may read the private key")


def test_users_that_everybody_may_read(patient, tmp_path):
    users = tmp_path / "users"
    users.write_text("")
    users.chmod(0o644)
    only(patient.ask(virtual_users_file=users)[0], "permissions", "may read the users")


def test_a_configuration_that_everybody_may_write(patient):
    patient.write({})
    write = patient.write

    def open_to_all(options):
        write(options)
        patient.config.chmod(0o666)

    patient.write = open_to_all
    only(patient.ask()[0], "permissions", "everybody on this machine may write the file")


def test_a_home_that_is_missing_or_closed(patient, account):
    patient.start()
    arguments = ("--user", account.name)
    account.home.chmod(0o700)
    os.chown(account.home, 0, 0)
    found, _ = patient.ask(*arguments, password=account.password)
    assert "may not enter" in found["home"][0]
    shutil.rmtree(account.home)
    found, _ = patient.ask(*arguments, password=account.password)
    assert "is not a directory" in found["home"][0]


def test_a_root_for_everybody_that_is_missing(patient):
    only(patient.ask(local_root="/nonexistent/root")[0], "home", "local_root=/nonexistent/root")


# A login as a client does it.

def test_a_login_that_is_refused(patient, account):
    patient.start()
    only(patient.ask("--user", account.name, password="Wrong-" + "x" * 12)[0], "login",
         "the login was refused: 530")


def test_a_transfer_that_a_firewall_keeps_from_clients(patient, account):
    patient.start()
    patient.server.filter("tcp dport 61000-63047 drop")
    only(patient.ask("--user", account.name, password=account.password)[0], "transfer",
         "the passive port 127.0.0.1:")


def test_uploads_that_are_not_allowed(patient, account):
    patient.start(write_enable="NO")
    only(patient.ask("--user", account.name, "--write", password=account.password)[0], "transfer",
         "STOR")


class Forgetful(threading.Thread):
    """A server of the test's that resumes no TLS session, as what terminates TLS before one may."""

    def __init__(self, listener, passive, certificate):
        super().__init__(daemon=True)
        self.listener, self.passive = listener, passive
        self.certificate = certificate
        self.users = []

    def run(self):
        # The first client only looks at the certificate.
        for _ in range(2):
            client, peer = self.listener.accept()
            self.users.append(user_of_port(peer[1]))
            with client:
                self.serve(client)

    def context(self):
        """Another one for each connection, so that none knows the sessions of the others."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.chain, self.certificate.key)
        return context

    def serve(self, client):
        client.sendall(b"220 ready\r\n")
        client.recv(100)
        client.sendall(b"234 go on\r\n")
        with self.context().wrap_socket(client, server_side=True) as control:
            port = self.passive.getsockname()[1]
            answers = {"USER": "331 on", "PASS": "230 in", "PBSZ": "200 ok", "PROT": "200 ok",
                       "TYPE": "200 ok", "QUIT": "221 bye",
                       "PASV": f"227 here (127,0,0,1,{port >> 8},{port & 255})"}
            for line in control.makefile("r"):
                verb = line.split()[0]
                if verb != "LIST":
                    control.sendall(f"{answers[verb]}\r\n".encode())
                    continue
                data, _ = self.passive.accept()
                control.sendall(b"150 here it comes\r\n")
                with self.context().wrap_socket(data, server_side=True) as data:
                    data.sendall(b"-rw-r--r-- 1 u g 0 Jan  1 00:00 f\r\n")
                    data.unwrap()
                control.sendall(b"226 done\r\n")


def test_a_session_that_is_not_resumed(patient, account):
    with patient.server:
        listener = socket.create_server(("127.0.0.1", 21))
        passive = socket.create_server(("127.0.0.1", 0))
    with listener, passive:
        server = Forgetful(listener, passive, patient.certificate)
        with patient.server:
            server.start()
        only(patient.ask("--user", account.name, password="Pw-anything")[0], "session-reuse",
             "did not resume")
        server.join(20)
    # What reads the answers of servers is not root.
    nobody = pwd.getpwnam("nobody").pw_uid
    assert server.users == [nobody, nobody]


def user_of_port(port):
    """Whose the socket is that connects from here, in the network of this thread."""
    lines = pathlib.Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return next(int(row[7]) for row in rows if int(row[1].split(":")[1], 16) == port)


# How it talks.

def test_people_read_lines_with_the_mend_below(patient):
    patient.write({"pasv_max_port": "61009"})
    with patient.server:
        done = subprocess.run([BINARY, "doctor", "--config", patient.config], capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and done.stderr == ""
    assert re.search(r"^passive-range: 10 passive ports .*\n    mend: widen ", done.stdout,
                     re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "1 to mend"


def on_a_terminal(arguments, inside):
    """What a command writes to a terminal at standard error."""
    master, slave = pty.openpty()
    with inside:
        process = subprocess.Popen([str(one) for one in arguments], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:
        # The last of its ends was closed.
        pass
    process.stdout.read()
    process.wait(60)
    os.close(master)
    return shown.decode()


def test_progress_is_shown_on_a_terminal_and_taken_away_again(patient):
    patient.write({})
    shown = on_a_terminal([BINARY, "doctor", "--config", patient.config], patient.server)
    for check in ("configuration", "kernel", "certificates", "passive ports"):
        assert f"looking at the {check}" in shown
    assert shown.endswith("\r\x1b[K")


def test_an_import_of_users_shows_how_far_it_has_come(patient, tmp_path):
    old = tmp_path / "old"
    old.write_text("".join(f"user{number} Pw-{number}-secret elr /srv\n" for number in range(3)))
    old.chmod(0o600)
    arguments = [BINARY, "passwd", tmp_path / "users", "--import", old]
    shown = on_a_terminal(arguments, patient.server)
    assert "hashing passwords: 3 of 3" in shown and "secret" not in shown
    (tmp_path / "users").unlink()
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "hashing" not in done.stderr
