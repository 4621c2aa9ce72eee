"""A load balancer of the test's own: connections that begin with a PROXY header."""

import socket
import struct

import pytest

from control import Control

# 127.0.0.5 and ::1 are in `proxy_networks`, 127.0.0.6 is not.
PROXY, PROXY6, OTHER = "127.0.0.5", "::1", "127.0.0.6"
CLIENT, CLIENT6 = "192.0.2.77", "2001:db8:77::1"
FRONT, FRONT6 = "198.51.100.9", "2001:db8:9::9"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def line(client, to=None, port=5555):
    """A header of version 1."""
    to = to or (FRONT6 if ":" in client else FRONT)
    return f"PROXY TCP{6 if ':' in client else 4} {client} {to} {port} 21\r\n".encode()


def binary(client, to=None, port=5555):
    """A header of version 2."""
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    to = to or (FRONT6 if ":" in client else FRONT)
    # An extension (PP2_TYPE_NOOP) stands behind the addresses, as HAProxy may send them.
    body = (socket.inet_pton(family, client) + socket.inet_pton(family, to)
            + struct.pack("!HH", port, 21) + b"\x04\0\x03abc")
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    return SIGNATURE + bytes([0x21, kind]) + struct.pack("!H", len(body)) + body


VERSIONS = pytest.mark.parametrize("header", [line, binary], ids=["v1", "v2"])

# What health checks send after they have connected; a gateway answers all but the first.
CHECKS = {
    "connect": b"", "unknown": b"PROXY UNKNOWN\r\n", "local": SIGNATURE + b"\x20\0\0\0",
    "local-with-addresses": SIGNATURE + b"\x20\x11\0\x0c" + b"\x7f\0\0\1" * 2 + b"\0\1\0\2",
}


def proxy_of(gateway):
    return PROXY6 if ":" in gateway.host else PROXY


def connect(gateway, header, source=None):
    """A control connection over the proxy, up to the greeting."""
    source = source or proxy_of(gateway)
    control = Control(gateway.host, gateway.port, gateway.context(), source, greet=False)
    gateway.clients.append(control)
    control.raw(header)
    return control


def session(gateway, account, header):
    """A session that is logged in and protects its data."""
    gateway.secrets.append(account.password)
    control = connect(gateway, header)
    control.next(220)
    return control.secure().protect().login(account)


def data(control, header, source=None, port=None, command="EPSV"):
    """A data connection over the proxy."""
    connection = control.connect_data(port, command, source)
    connection.sendall(header)
    return connection


def check(gateway, start, source=None):
    """A health check; whether it was answered as one of a living gateway is."""
    control = connect(gateway, start, source)
    if start:
        control.next(220)
        # Nothing is read of what it might say.
        control.raw(b"USER x\r\n")
        assert control.ended()
    control.close()
