"""Sockets that the service manager has opened (`systemd.socket(5)`)."""

import os
import re
import socket
import subprocess

import pytest

import gateway as daemon


@pytest.fixture
def activated(serve, monkeypatch):
    """Starts daemons that find sockets where systemd leaves them."""
    opened = []
    ordinary = subprocess.Popen

    def start(sockets, names="", pid=None, **options):
        opened.extend(sockets)

        class Popen(ordinary):
            # Only the child knows its own number, and so sets its environment itself.
            def __init__(self, *arguments, env, **settings):
                def inherit():
                    # Away first: a low number may be another's target.
                    copies = [os.dup2(one.fileno(), 100 + index)
                              for index, one in enumerate(sockets)]
                    for index, copy in enumerate(copies):
                        os.dup2(copy, 3 + index)
                        os.close(copy)
                    os.environ.update(env, LISTEN_PID=str(pid or os.getpid()),
                                      LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=names)
                super().__init__(*arguments, preexec_fn=inherit, close_fds=False, **settings)

        # execve(2) has to see what the child has set.
        monkeypatch.setattr(daemon.subprocess, "Popen", Popen)
        return serve(**options)

    yield start
    for one in opened:
        one.close()


def listen(family=socket.AF_INET, address="127.0.0.1"):
    return socket.create_server((address, 0), family=family)


def test_sockets_of_the_service_manager_are_served(activated, account):
    account.file("f", b"content")
    explicit, implicit = listen(), listen()
    gateway = activated([explicit, implicit], "ftp:implicit", listen_port="1")
    assert gateway.port == explicit.getsockname()[1]
    assert gateway.session(account).retrieve("RETR f", resume=True) == b"content"
    gateway.port = implicit.getsockname()[1]
    control = gateway.control(greet=False).handshake()
    control.next(220)
    control.protect().login(account)
    assert control.retrieve("RETR f", resume=True) == b"content"
    lines = [line for line in gateway.out if line.startswith("listening")]
    assert [bool(re.search("implicit", line)) for line in lines] == [False, True]


def test_an_inherited_ipv6_socket_is_served(activated, account, ipv6):
    account.file("f", b"content")
    one = listen(socket.AF_INET6, "::1")
    gateway = activated([one])
    assert (gateway.host, gateway.port) == one.getsockname()[:2]
    session = gateway.session(account)
    assert session.retrieve("RETR f", resume=True) == b"content"
    session.expect("PASV", 425)
    session.expect("EPRT |1|127.0.0.1|50000|", 522)
    assert "peer=[::1]:" in gateway.log


def test_an_inherited_socket_of_both_families_sees_ipv4_clients_as_such(activated, account, ipv6):
    account.file("f", b"content")
    both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    gateway = activated([both], listen_ipv6="NO")
    for host, command in (("::1", "EPSV"), ("127.0.0.1", "EPSV"), ("127.0.0.1", "PASV")):
        gateway.host = host
        session = gateway.session(account)
        assert session.retrieve("RETR f", command=command, resume=True) == b"content"
    assert "peer=[::1]:" in gateway.log and "peer=127.0.0.1:" in gateway.log
    assert "ffff" not in gateway.log


def test_sockets_for_another_process_are_left_alone(activated, account):
    foreign = listen()
    gateway = activated([foreign], pid=1)
    assert gateway.port != foreign.getsockname()[1]
    assert gateway.session(account).alive()


@pytest.mark.parametrize("kind", ["datagram", "connected"])
def test_what_does_not_listen_ends_the_start(activated, kind):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "datagram"
                        else socket.SOCK_STREAM)
    with pytest.raises(AssertionError, match="(?s)ended with.*does not listen for TCP"):
        activated([one])


def test_a_socket_for_plain_ftp_needs_the_option_that_permits_it(activated, serve, account):
    one, other = listen(), listen()
    with pytest.raises(AssertionError, match="(?s)ended with 78 .*plain_listen_port=21, or give"):
        activated([one, other], "plain:ftp")
    gateway = activated([one, other], "plain:ftp", plain_listen_port="21",
                        plain_system_logins="YES")
    gateway.secrets.append(account.password)
    gateway.wait_for_line(r", plain FTP$")
    assert gateway.port == one.getsockname()[1]
    assert gateway.control().login(account).alive()
    gateway.port = other.getsockname()[1]
    gateway.control().expect(f"USER {account.name}", 530)


def test_a_socket_for_implicit_tls_is_not_served_without_tls(activated):
    with pytest.raises(AssertionError, match="(?s)ended with 78 .*implicit TLS.*ssl_enable=YES"):
        activated([listen()], "implicit", ssl_enable="NO")


def test_a_server_may_live_by_what_is_handed_over_alone(activated, serve, account):
    one = listen()
    gateway = activated([one], listen="NO", listen_address=None)
    assert gateway.port == one.getsockname()[1]
    assert gateway.session(account).alive()
    assert "listen=NO: honoured, but the server starts only with" in gateway.log
    with pytest.raises(AssertionError, match="(?s)ended with 78 .*listen=NO: refused: neither"):
        activated([], listen="NO", listen_address=None)
