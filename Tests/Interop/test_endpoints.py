"""ESTA and ESTP: between which addresses a data connection stands before its transfer."""

import re
import socket

from control import TIMEOUT, finish, read_all


def listen():
    return socket.create_server(("127.0.0.1", 0))


def end_of(reply):
    found = re.search(r"\(\|1\|([0-9.]+)\|(\d+)\|\)\.$", reply.text)
    assert found, reply.text
    return found.group(1), int(found.group(2))


def receive(session, data, line):
    session.expect(line, 150)
    data = session.wrap_data(data)
    content = read_all(data)
    finish(data)
    session.next(226)
    return content


def test_esta_connects_and_tells_where_from(gateway, account):
    account.file("f", b"content")
    session = gateway.session(account)
    assert {" ESTA", " ESTP"} <= set(session.expect("FEAT", 211).lines)
    session.expect("ESTA", 520)
    with listen() as listener:
        listener.settimeout(TIMEOUT)
        session.expect(f"EPRT |1|127.0.0.1|{listener.getsockname()[1]}|", 200)
        told = end_of(session.expect("ESTA", 225))
        assert end_of(session.expect("ESTA", 225)) == told, "one connection, not two"
        session.expect("ESTP", 520)
        data, peer = listener.accept()
        assert peer == told
        # The transfer takes this very connection.
        assert receive(session, data, "RETR f") == b"content"
        listener.settimeout(0.2)
        try:
            listener.accept()
            raise AssertionError("a second connection")
        except TimeoutError:
            pass
    session.expect("ESTA", 520)


def test_esta_says_when_nobody_answers(gateway, account):
    session = gateway.session(account)
    with listen() as listener:
        port = listener.getsockname()[1]
    session.expect(f"EPRT |1|127.0.0.1|{port}|", 200)
    session.expect("ESTA", 425)
    session.expect("ESTA", 520)
    assert session.alive()


def test_estp_tells_who_has_connected(gateway, account):
    account.file("f", b"content")
    session = gateway.session(account)
    session.expect("ESTP", 520)
    port = session.passive_port()
    session.expect("ESTP", 520)
    data = session.connect_data(port)
    assert end_of(session.expect("ESTP", 225)) == data.getsockname()
    session.expect("ESTA", 520)
    assert receive(session, data, "RETR f") == b"content"
    session.expect("ESTP", 520)


def test_a_stranger_from_elsewhere_is_not_named(gateway, account):
    session = gateway.session(account)
    port = session.passive_port()
    with session.connect_data(port, source="127.0.0.2"):
        session.expect("ESTP", 520)


def test_a_stranger_who_proved_nothing_is_not_named(serve, account):
    account.file("f", b"content")
    session = serve(require_ssl_reuse="YES").session(account)
    port = session.passive_port()
    thief = session.wrap_data(session.connect_data(port))
    own = session.connect_data(port)
    assert end_of(session.expect("ESTP", 225)) == own.getsockname()
    thief.close()
    own.close()


def test_esta_is_given_up_by_abor(serve, account):
    session = serve(port_promiscuous="YES").session(account)
    # Nobody answers there: a network for documentation.
    session.expect("PORT 192,0,2,1,200,200", 200)
    session.send("ESTA")
    session.send("ABOR")
    reply = session.next(426, 425)
    if reply.code == 426:
        session.next(226)
    else:
        session.next(225)
    assert session.alive()
