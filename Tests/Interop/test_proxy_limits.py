"""Limits behind a load balancer: each is asked about the client, and about no health check."""

import pytest

from control import Closed, wait_until
from proxying import (
    CHECKS, CLIENT, CLIENT6, PROXY, VERSIONS, binary, check, connect, line, proxy_of, session)

SECOND = "192.0.2.78"
CHECKED = pytest.mark.parametrize("start", CHECKS.values(), ids=CHECKS)


def refused(gateway, header, words):
    control = connect(gateway, header)
    assert words in control.next(421).text and control.ended()


def refusals(gateway):
    return [text for text in gateway.log.splitlines() if "client refused" in text]


def comes_in(gateway, header):
    def attempt():
        try:
            return connect(gateway, header).reply().code == 220
        except (Closed, OSError):
            return False
    wait_until(attempt, what="room for one more")


@VERSIONS
@pytest.mark.parametrize("client,shown", [(SECOND, SECOND), (CLIENT6, f"[{CLIENT6}]")],
                         ids=["ipv4", "ipv6"])
def test_a_full_server_refuses_the_client_by_name(balanced, account, header, client, shown):
    gateway = balanced(max_clients="1")
    first = session(gateway, account, header(CLIENT))
    refused(gateway, header(client), "too many connected users")
    told, = refusals(gateway)
    assert f"peer={shown}:5555" in told and f"proxy={PROXY}:" in told and "max_clients" in told
    assert first.alive()
    first.expect("QUIT", 221)
    comes_in(gateway, header(client))


@CHECKED
def test_a_full_server_answers_health_checks(balanced, start):
    gateway = balanced(max_clients="1")
    first = connect(gateway, line(CLIENT))
    first.next(220)
    for _ in range(5):
        check(gateway, start)
    assert not refusals(gateway)
    refused(gateway, line(SECOND), "too many connected users")
    assert first.alive()


@CHECKED
def test_a_busy_server_refuses_clients_and_answers_health_checks(balanced, busy, start):
    gateway = balanced(max_load="0.02")
    refused(gateway, binary(CLIENT), "too busy")
    told, = refusals(gateway)
    assert f"peer={CLIENT}:5555" in told and "max_load" in told
    check(gateway, start)
    assert len(refusals(gateway)) == 1


def test_connections_without_a_client_take_nobodys_place(balanced, account):
    gateway = balanced(max_clients="1")
    silent = [connect(gateway, b"") for _ in range(5)]
    first = session(gateway, account, line(CLIENT))
    for connection in silent:
        connection.close()
    assert first.alive()
    # Nor do those that a client was refused on.
    for _ in range(5):
        refused(gateway, line(SECOND), "too many connected users")
    first.expect("QUIT", 221)
    comes_in(gateway, line(SECOND))


def test_connections_without_a_client_have_a_bound_of_their_own(balanced, account):
    bound = 1 + 128
    gateway = balanced(max_clients="1")
    first = session(gateway, account, line(CLIENT))
    flood = [connect(gateway, b"") for _ in range(bound + 20)]
    wait_until(lambda: refusals(gateway), what="the bound")
    assert "PROXY header" in refusals(gateway)[0] and f"peer={PROXY}:" in refusals(gateway)[0]
    assert len(gateway.wardens()) <= bound
    assert flood[-1].next(421) and first.alive()
    for connection in flood:
        connection.close()
    wait_until(lambda: len(gateway.wardens()) == 1, 20, "the end of the flood")
    check(gateway, CHECKS["local"])
    assert first.alive()


def test_the_proxy_has_no_share_of_its_own(balanced, account):
    """All clients come from the one address of the balancer, and `max_per_ip` is about theirs."""
    gateway = balanced(max_per_ip="1")
    for number in range(1, 6):
        connect(gateway, line(f"192.0.2.{number}")).next(220)
    refused(gateway, line("192.0.2.1"), "internet address")
    # Whoever comes without the balancer is counted alike.
    assert gateway.control("127.0.0.7").alive()
    assert gateway.control("127.0.0.7", greet=False).ended(421)
    refused(gateway, line("127.0.0.7"), "internet address")


def test_a_user_has_a_limited_number_of_sessions_over_all_addresses(balanced, account):
    gateway = balanced(max_per_user="1")
    first = session(gateway, account, line(CLIENT))

    def logs_in():
        second = connect(gateway, line(SECOND))
        second.next(220)
        second.secure().expect(f"USER {account.name}", 331)
        return second.command(f"PASS {account.password}")

    refused = logs_in()
    assert refused.text == "530 Login incorrect.", "the user is not at work from there"
    assert "max_per_user is reached" in gateway.log
    first.expect("QUIT", 221)
    wait_until(lambda: logs_in().code == 230, what="a place for one more")


@pytest.mark.parametrize("family,header", [(4, line), (6, binary)], ids=["v1-ipv4", "v2-ipv6"])
def test_bans_and_rates_hold_for_the_network_of_an_ipv6_client(balanced, ipv6, family, header):
    gateway = balanced(family=family, ban_failures="1", ban_time="3600", max_connection_rate="3")
    control = connect(gateway, header(CLIENT6))
    control.next(220)
    control.secure().expect("USER nobody-of-ours", 331)
    control.expect("PASS wrong", 530)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")
    # Whoever has the one address has all of its /64.
    refused(gateway, header("2001:db8:77::2"), "Too many failed logins")
    for number in range(3):
        connect(gateway, header(f"2001:db8:78::{number + 1}")).next(220)
    refused(gateway, header("2001:db8:78::9"), "Too many connections")
    assert f"proxy=[{proxy_of(gateway)}]:" in gateway.log or family == 4


def test_what_a_refused_client_says_is_not_carried_out(balanced, account):
    gateway = balanced(max_per_ip="1")
    connect(gateway, line(CLIENT)).next(220)
    hasty = connect(gateway, line(CLIENT) + f"USER {account.name}\r\nPASS x\r\n".encode())
    assert hasty.ended(421)
    wait_until(lambda: len(gateway.wardens()) == 1, what="the end of the refused connection")
    assert "login" not in gateway.log
