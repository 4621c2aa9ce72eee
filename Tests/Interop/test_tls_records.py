"""What a client may send beneath its commands: records and messages of TLS itself."""

import ssl
import time

import pytest

from control import TIMEOUT, VERSIONS
from forge import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Forge

BOTH = pytest.mark.parametrize("version", VERSIONS)


def forged(gateway, version="TLSv1.3"):
    """A control connection whose records are made here."""
    control = gateway.control()
    control.expect("AUTH TLS", 234)
    return Forge(control.socket, gateway.certificate.chain, gateway.host, version)


def forged_upload(gateway, session, version="TLSv1.3"):
    """An upload that has begun, whose records are made here."""
    data = session.connect_data()
    session.expect("STOR f", 150)
    return Forge(data, gateway.certificate.chain, gateway.host, version)


def client_hello():
    """A ClientHello without the header of its record."""
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()[5:]


# Messages after the handshake.

@pytest.mark.parametrize("request_answer", [False, True])
def test_keys_may_be_updated_now_and_then(gateway, request_answer):
    client = forged(gateway)
    for _ in range(50):
        client.send(client.key_update(request_answer))
        client.say(b"NOOP\r\n")
        assert client.reply().startswith("200")


@pytest.mark.parametrize("request_answer", [False, True])
def test_a_flood_of_key_updates_ends_the_connection(gateway, request_answer):
    client = forged(gateway)
    flood = [client.key_update(request_answer) for _ in range(1000)]
    flood.append(client.make(APPLICATION_DATA, b"NOOP\r\n"))
    assert client.is_cut_off(*flood)
    gateway.control().secure()


def test_keys_may_be_updated_in_an_upload_but_not_without_end(gateway, account):
    session = gateway.session(account)
    upload = forged_upload(gateway, session)
    for _ in range(20):
        upload.send(upload.key_update(), upload.make(APPLICATION_DATA, b"x" * 1000))
    upload.end()
    session.next(226)
    assert (account.home / "f").read_bytes() == b"x" * 20_000

    upload = forged_upload(gateway, session)
    assert upload.is_cut_off(*(upload.key_update() for _ in range(1000)))
    session.next(426)
    assert session.alive()


def test_a_flood_of_renegotiations_ends_the_connection(gateway):
    client = forged(gateway, "TLSv1.2")
    hello = client_hello()
    client.send(client.make(HANDSHAKE, hello))
    # What is refused is the renegotiation, by a warning that OpenSSL's client takes for fatal.
    assert client.socket.recv(5)[:1] == bytes([ALERT])
    flood = [client.make(HANDSHAKE, hello) for _ in range(1000)]
    flood.append(client.make(APPLICATION_DATA, b"NOOP\r\n"))
    assert client.is_cut_off(*flood)
    gateway.control().secure()


def test_a_renegotiation_under_tls_13_ends_the_connection(gateway):
    client = forged(gateway)
    assert client.is_cut_off(client.make(HANDSHAKE, client_hello()))


@BOTH
@pytest.mark.parametrize("message", [b"\0\0\0\0", b"\4\0\0\0", b"junk" * 10, b"\x14\xff\xff\xff"],
                         ids=["hello-request", "ticket", "junk", "huge"])
def test_messages_that_no_client_sends_end_the_connection(gateway, version, message):
    client = forged(gateway, version)
    records = [client.make(HANDSHAKE, message), client.make(HANDSHAKE, b"\0" * 10_000)]
    assert client.is_cut_off(*records)


@BOTH
def test_a_flood_of_warnings_ends_the_connection(gateway, version):
    client = forged(gateway, version)
    client.send(client.make(ALERT, b"\1\x5a"))
    client.say(b"NOOP\r\n")
    assert client.reply().startswith("200")
    assert client.is_cut_off(*(client.make(ALERT, b"\1\x5a") for _ in range(100)))


# Records.

@BOTH
def test_records_of_one_byte_make_up_a_command_and_an_upload(gateway, account, version):
    client = forged(gateway, version)
    client.send(*(client.make(APPLICATION_DATA, bytes([byte])) for byte in b"NOOP\r\n"))
    assert client.reply().startswith("200")
    session = gateway.session(account, version)
    upload = forged_upload(gateway, session, version)
    content = bytes(range(256)) * 80
    upload.send(*(upload.make(APPLICATION_DATA, bytes([byte])) for byte in content))
    upload.end()
    session.next(226)
    assert (account.home / "f").read_bytes() == content


@BOTH
def test_empty_records_are_taken_but_not_without_end(gateway, account, version):
    client = forged(gateway, version)
    client.send(*(client.make(APPLICATION_DATA, b"") for _ in range(10)))
    client.say(b"NOOP\r\n")
    assert client.reply().startswith("200")
    assert client.is_cut_off(*(client.make(APPLICATION_DATA, b"") for _ in range(100)))

    session = gateway.session(account, version)
    upload = forged_upload(gateway, session, version)
    assert upload.is_cut_off(*(upload.make(APPLICATION_DATA, b"") for _ in range(100)))
    session.next(426)
    assert session.alive()


@BOTH
@pytest.mark.parametrize("size", [16_385, 17_000, 60_000])
def test_a_record_beyond_the_limit_ends_the_connection(gateway, version, size):
    client = forged(gateway, version)
    client.say(b"NOOP" + b" " * 4000 + b"\r\n")
    assert client.reply()[:3] in ("200", "501")
    assert client.is_cut_off(client.make(APPLICATION_DATA, b"x" * size))


@BOTH
@pytest.mark.parametrize("made", ["type", "change-cipher-spec", "forged", "replayed"])
def test_a_record_out_of_place_ends_the_connection(gateway, version, made):
    client = forged(gateway, version)
    line = client.make(APPLICATION_DATA, b"NOOP\r\n")
    client.send(line)
    assert client.reply().startswith("200")
    match made:
        case "type":
            wrong = client.make(99, b"NOOP\r\n")
        case "change-cipher-spec":
            wrong = client.make(CHANGE_CIPHER_SPEC, b"\1")
        case "forged":
            wrong = client.make(APPLICATION_DATA, b"NOOP\r\n")
            wrong = wrong[:-1] + bytes([wrong[-1] ^ 1])
        case "replayed":
            wrong = line
    assert client.is_cut_off(wrong)
    gateway.control().secure()


# The handshake.

def drip(plain, content, seconds):
    """Sends a byte at a time until the server has had enough; how long that took."""
    began = time.monotonic()
    plain.settimeout(seconds / 100)
    for byte in content:
        plain.sendall(bytes([byte]))
        try:
            if not plain.recv(100):
                break
        except TimeoutError:
            continue
    return time.monotonic() - began


def hello_record():
    hello = client_hello()
    return b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello


def test_the_time_for_a_handshake_is_for_all_of_it(serve):
    control = serve(ssl_handshake_timeout="2").control()
    control.expect("AUTH TLS", 234)
    try:
        assert 1 < drip(control.socket, hello_record(), 20) < 15
    except ConnectionError:
        pass
    control.socket.settimeout(TIMEOUT)
    assert control.ended()


def test_the_time_for_a_handshake_on_a_data_connection_is_for_all_of_it(serve, account):
    account.file("f", b"content")
    session = serve(ssl_handshake_timeout="2").session(account)
    data = session.connect_data()
    session.expect("RETR f", 150)
    try:
        assert 1 < drip(data, hello_record(), 20) < 15
    except ConnectionError:
        pass
    data.close()
    session.next(522)
    assert session.retrieve("RETR f") == b"content"


def test_a_handshake_may_be_cut_into_records_of_one_byte(gateway):
    """RFC 8446 section 5.1 lets a client do that; what is slow is up to the deadline."""
    control = gateway.control()
    control.expect("AUTH TLS", 234)
    for byte in client_hello():
        control.raw(b"\x16\x03\x01\x00\x01" + bytes([byte]))
    assert control.socket.recv(3)[:2] == b"\x16\x03", "a ServerHello"


# Clear where TLS is agreed, and the reverse.

@pytest.mark.parametrize("line", ["RETR f", "LIST", "STOR g"])
def test_a_clear_data_connection_gets_and_gives_nothing_under_prot_p(gateway, account, line):
    account.file("f", b"secret")
    session = gateway.session(account)
    with session.connect_data() as data:
        session.expect(line, 150)
        data.sendall(b"poison" * 100)
        session.next(522)
        received = b""
        try:
            while chunk := data.recv(1000):
                received += chunk
        except ConnectionError:
            pass
    assert received == b"" or received[0] == ALERT, "an alert at most"
    assert not (account.home / "g").exists() or (account.home / "g").read_bytes() == b""
    assert session.retrieve("RETR f") == b"secret"


def test_tls_on_a_clear_data_connection_fails_at_the_client(serve, account):
    account.file("f", b"content" * 100)
    session = serve(force_local_data_ssl="NO").session(account)
    session.expect("PROT C", 200)
    data = session.connect_data()
    session.expect("RETR f", 150)
    with pytest.raises(ssl.SSLError):
        session.wrap_data(data)
    data.close()
    session.next(226, 426)
    session.expect("PROT P", 200)
    assert session.retrieve("RETR f") == b"content" * 100


def test_a_port_opened_under_another_level_is_not_used(serve, account):
    """PROT C between PASV and RETR must not turn a port for TLS into one for clear text."""
    account.file("f", b"secret")
    session = serve(force_local_data_ssl="NO").session(account)
    for before, after in (("P", "C"), ("C", "P")):
        session.expect(f"PROT {before}", 200)
        data = session.connect_data()
        session.expect(f"PROT {after}", 200)
        session.expect("RETR f", 425)
        with data:
            try:
                assert data.recv(100) == b""
            except ConnectionError:
                pass
    session.expect("PROT P", 200)
    assert session.retrieve("RETR f") == b"secret"
