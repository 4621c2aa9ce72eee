"""What Prometheus is told, read by Prometheus's own tools."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

import proc
from certificates import make_certificate
from control import wait_until
from gateway import BINARY, PAM, ROOT

DASHBOARD = ROOT / "Packaging/grafana/portcullis.json"
LINE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")


def fetch(gateway, path="/metrics", method="GET"):
    request = urllib.request.Request(f"http://{gateway.metrics}{path}", method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers, answer.read().decode("utf-8")


def numbers(gateway):
    """Every number, by its name and its labels."""
    found = {}
    for line in fetch(gateway)[1].splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            labels = frozenset(re.findall(r'(\w+)="([^"]*)"', match["labels"] or ""))
            assert (match["name"], labels) not in found, f"twice: {line}"
            found[match["name"], labels] = float(match["value"])
    return found


def number(gateway, name, **labels):
    return numbers(gateway)[f"portcullis_{name}", frozenset(labels.items())]


def becomes(gateway, value, name, **labels):
    wait_until(lambda: number(gateway, name, **labels) == value, 10,
               f"{name} {labels} = {value}")


@pytest.fixture
def measured(serve):
    """Starts daemons that count; `.metrics` is where they tell."""
    def start(**options):
        gateway = serve(metrics_address="0", **options)
        gateway.metrics = gateway.wait_for_line(
            r"^metrics at http://(127\.0\.0\.1:\d+)/metrics$")[0].group(1)
        return gateway
    return start


def teller(gateway):
    found = [pid for pid in proc.children(gateway.pid) if proc.name(pid) == "ftps-metrics"]
    return found[0] if found else None


def test_prometheus_own_tool_has_nothing_to_say(measured, account):
    gateway = measured()
    session = gateway.session(account)
    session.store("STOR f", b"content")
    headers, text = fetch(gateway)
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert text.endswith("\n")
    if not shutil.which("promtool"):
        pytest.skip("promtool is missing: .ci/install-packages test")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0 and done.stderr == "" and done.stdout == "", done


def test_another_parser_reads_every_family(measured):
    parser = pytest.importorskip("prometheus_client.parser")
    families = list(parser.text_string_to_metric_families(fetch(measured())[1]))
    assert len(families) == len({family.name for family in families}) > 10
    assert all(family.documentation and family.samples or family.name.endswith("expiry")
               for family in families)
    kinds = {family.name: family.type for family in families}
    assert kinds["portcullis_logins"] == "counter" and kinds["portcullis_sessions"] == "gauge"
    assert kinds["portcullis_transfer_duration_seconds"] == "histogram"


def test_every_metric_of_the_dashboard_is_told_and_every_one_told_is_on_it(measured):
    gateway = measured()
    told = {name for name, _ in numbers(gateway)}
    used = set(re.findall(r"portcullis_[a-z_]+", DASHBOARD.read_text()))
    assert used <= told, used - told
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in told}
    assert {re.sub("_bucket$", "", name) for name in used} == families
    # Each label that an expression names is one that its metric has.
    labels = {}
    for name, pairs in numbers(gateway):
        labels.setdefault(name, set()).update(key for key, _ in pairs)
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            names = re.findall(r"portcullis_[a-z_]+", target["expr"])
            wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            wanted |= set(re.findall(r",(\w+)=\"", target["expr"]))
            assert wanted <= set().union(*(labels[name] for name in names)), target["expr"]


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_what_sessions_do_is_counted(measured, account, version):
    gateway = measured()
    short = version.removeprefix("TLSv")
    session = gateway.session(account, version)
    becomes(gateway, 1, "sessions", state="logged_in")
    assert number(gateway, "connections_total") == 1
    assert number(gateway, "logins_total", result="success") == 1
    control = {"connection": "control", "version": short, "outcome": "ok", "reuse": "full"}
    becomes(gateway, 1, "handshakes_total", **control)
    session.store("STOR f", b"x" * 5_000)
    becomes(gateway, 1, "transfers_total", direction="upload", result="ok")
    assert number(gateway, "transfer_bytes_total", direction="upload") == 5_000
    assert session.retrieve("RETR f", resume=True) == b"x" * 5_000
    becomes(gateway, 5_000, "transfer_bytes_total", direction="download")
    assert number(gateway, "transfer_duration_seconds_count", direction="download") == 1
    data = {"connection": "data", "version": short, "outcome": "ok"}
    assert number(gateway, "handshakes_total", reuse="full", **data) == 1
    assert number(gateway, "handshakes_total", reuse="resumed", **data) == 1
    session.connect_data().close()
    session.expect("RETR absent", 550)
    becomes(gateway, 1, "transfers_total", direction="download", result="failed")
    session.close()
    becomes(gateway, 1, "session_duration_seconds_count")
    becomes(gateway, 0, "sessions", state="logged_in")


def test_what_fails_is_counted_by_its_reason(measured, account):
    gateway = measured(max_per_ip="1", max_per_user="1", ban_failures="0")
    control = gateway.control().secure().protect()
    for name in (account.name, "nobody-of-ours"):
        control.expect(f"USER {name}", 331)
        control.expect("PASS wrong-word", 530)
    becomes(gateway, 2, "logins_total", result="failed")
    assert number(gateway, "login_check_duration_seconds_count") == 2
    assert gateway.control(greet=False).ended(421)
    becomes(gateway, 1, "refusals_total", reason="max_per_ip")
    first = gateway.session(account, source="127.0.0.2")
    second = gateway.control(source="127.0.0.3").secure().protect()
    second.expect(f"USER {account.name}", 331)
    second.expect(f"PASS {account.password}", 530)
    becomes(gateway, 1, "logins_total", result="refused")
    broken = gateway.control(source="127.0.0.4")
    broken.expect("AUTH TLS", 234)
    broken.raw(b"this is no handshake\r\n")
    becomes(gateway, 1, "handshakes_total", connection="control", version="none",
            outcome="failed", reuse="none")
    assert first.alive()


def test_the_buckets_of_a_histogram_add_up(measured, account):
    gateway = measured()
    gateway.session(account)
    becomes(gateway, 1, "login_check_duration_seconds_count")
    found = numbers(gateway)
    name = "portcullis_login_check_duration_seconds"
    buckets = sorted((float(dict(labels)["le"]), value)
                     for (family, labels), value in found.items() if family == f"{name}_bucket")
    values = [value for _, value in buckets]
    assert values == sorted(values) and buckets[-1] == (float("inf"), 1.0)
    assert 0 < found[f"{name}_sum", frozenset()] < 20


def test_certificates_and_starts_are_told(measured, tmp_path):
    made = make_certificate(tmp_path, "first")
    gateway = measured(rsa_cert_file=made.chain, rsa_private_key_file=made.key)
    expiry = number(gateway, "certificate_expiry_timestamp_seconds", certificate="1")
    assert 58 * 86_400 < expiry - time.time() < 61 * 86_400
    assert abs(number(gateway, "start_time_seconds") - time.time()) < 60
    assert number(gateway, "process_starts_total", role="signer") == 1
    later = make_certificate(tmp_path, "second")
    made.chain.write_bytes(later.chain.read_bytes())
    made.key.write_bytes(later.key.read_bytes())
    gateway.process.send_signal(signal.SIGHUP)
    becomes(gateway, 1, "reloads_total", result="ok")
    assert number(gateway, "process_starts_total", role="signer") == 2
    made.chain.write_text("nothing")
    gateway.process.send_signal(signal.SIGHUP)
    becomes(gateway, 1, "reloads_total", result="failed")


# Whoever asks.

@pytest.mark.parametrize("request_bytes, status", [
    (b"GET /other HTTP/1.1\r\n\r\n", 404), (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
    (b"GET /metrics\r\n\r\n", 400), (b"\r\n\r\n", 400), (b"\0" * 20_000, 400),
    (b"GET /metrics HTTP/2.0\r\n\r\n", 400), (b"HEAD /metrics HTTP/1.0\r\n\r\n", 200),
    (b"GET /metrics?x=1 HTTP/1.1\nHost: a\n\n", 200),
], ids=range(8))
def test_other_requests_are_refused(measured, request_bytes, status):
    gateway = measured()
    host, port = gateway.metrics.split(":")
    with socket.create_connection((host, int(port)), 20) as client:
        client.sendall(request_bytes)
        answer = b""
        try:
            while chunk := client.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:100]
    if request_bytes.startswith(b"HEAD"):
        assert answer.endswith(b"\r\n\r\n")


def test_slow_scrapers_hold_up_nobody(measured, account):
    gateway = measured()
    host, port = gateway.metrics.split(":")
    slow = []
    for _ in range(40):
        client = socket.create_connection((host, int(port)), 20)
        client.sendall(b"GET /metrics HT")
        slow.append(client)
    # More than are served at a time, each of whom may take five seconds: the first of them make room.
    begin = time.monotonic()
    assert number(gateway, "connections_total") == 0 and time.monotonic() - begin < 8
    assert gateway.session(account).alive()
    for client in slow:
        client.close()


def test_scrapers_who_read_no_answer_hold_up_nobody(measured):
    gateway = measured()
    host, port = gateway.metrics.split(":")
    deaf = []
    for _ in range(40):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.settimeout(20)
        client.connect((host, int(port)))
        # One question after another, whose answers nobody takes.
        client.setblocking(False)
        try:
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 2_000)
        except OSError:
            pass
        deaf.append(client)
    assert number(gateway, "connections_total") == 0
    wait_until(lambda: proc.internet_states(teller(gateway)) == ["0A"], what="the end of the others")
    assert proc.kibibytes(teller(gateway), "VmRSS") < 100_000
    for client in deaf:
        client.close()


def test_the_process_that_tells_holds_nothing(measured, account):
    gateway = measured()
    gateway.session(account)
    pid = teller(gateway)
    assert proc.is_confined(pid) and proc.internet_states(pid) == ["0A"]
    assert len([number for number in proc.descriptors(pid) if number > 2]) == 1
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: teller(gateway) not in (None, pid), what="another process")
    # What was counted is still there.
    wait_until(lambda: number(gateway, "process_starts_total", role="metrics") == 2, 10, "a number")
    assert number(gateway, "logins_total", result="success") == 1


def test_no_session_can_count_for_others(measured, account):
    gateway = measured()
    session = gateway.session(account)
    session.store("STOR f", b"content")
    becomes(gateway, 1, "transfers_total", direction="upload", result="ok")
    warden, = gateway.wardens()
    pages = {}
    for pid in [gateway.pid, warden, *proc.tree(warden)]:
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
            pages[proc.name(pid)] = {
                line.split()[4] for line in maps if "memfd:portcullis" in line}
    shared = pages["ftps-listener"]
    assert len(shared) == 1 and shared <= pages["ftps-warden"]
    assert not shared & pages["ftps-session"] and not shared & pages["ftps-agent"]


def test_nothing_is_told_unless_somebody_wants_it(gateway):
    assert teller(gateway) is None
    assert proc.internet_states(gateway.pid) == ["0A"]


@pytest.mark.parametrize("text", ["9121x", "localhost:1", "127.0.0.1:70000", "::1:5", "[::1]"])
def test_an_address_without_sense_is_refused(text, certificate):
    done = subprocess.run(
        [BINARY, "serve", "--set", f"rsa_cert_file={certificate.chain}", "--set",
         f"rsa_private_key_file={certificate.key}", "--set", f"pam_conf_dir={PAM}",
         "--set", f"metrics_address={text}"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 78 and "metrics_address" in done.stderr
