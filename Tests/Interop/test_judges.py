"""What scanners that others wrote say of the control port: testssl.sh and sslyze."""

import json
import shutil
import subprocess

import pytest

from certificates import make_certificate_of
from gateway import ROOT

SSLYZE = ROOT / ".build/sslyze/bin/sslyze"
KINDS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}

SUITES_12 = {f"TLS_ECDHE_{{kind}}_WITH_{suite}" for suite in (
    "AES_256_GCM_SHA384", "AES_128_GCM_SHA256", "CHACHA20_POLY1305_SHA256")}
SUITES_13 = {
    "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"}


@pytest.fixture
def judged(serve, tmp_path):
    """A gateway with a certificate of some kind, for a client that connects often."""

    def start(kind, **options):
        certificate = make_certificate_of(KINDS[kind], tmp_path, kind)
        return serve(rsa_cert_file=certificate.chain, rsa_private_key_file=certificate.key,
                     max_per_ip="0", max_clients="0", **options)

    return start


def scan(gateway, tmp_path):
    """The results of sslyze, by the names of its checks."""
    if not SSLYZE.exists():
        pytest.skip("needs sslyze: run .ci/install-sslyze")
    report = tmp_path / "sslyze.json"
    done = subprocess.run(
        [SSLYZE, "--starttls=ftp", f"--json_out={report}", "--mozilla_config=intermediate",
         f"{gateway.host}:{gateway.port}"], capture_output=True, text=True, timeout=120)
    server, = json.loads(report.read_text())["server_scan_results"]
    assert server["scan_status"] == "COMPLETED", server
    found = {name: check["result"] for name, check in server["scan_result"].items()
             if check["status"] != "NOT_SCHEDULED"}
    assert None not in found.values(), server["scan_result"]
    return found, done.stdout


def accepted(found, version):
    return {entry["cipher_suite"]["name"]
            for entry in found[f"{version}_cipher_suites"]["accepted_cipher_suites"]}


@pytest.mark.parametrize("kind", KINDS)
def test_sslyze_finds_the_suites_that_are_offered_and_no_weakness(judged, tmp_path, kind):
    found, text = scan(judged(kind), tmp_path)
    for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        assert accepted(found, version) == set()
    assert accepted(found, "tls_1_2") == {name.format(kind=kind.upper()) for name in SUITES_12}
    assert accepted(found, "tls_1_3") == SUITES_13
    assert {curve["name"] for curve in found["elliptic_curves"]["supported_curves"]} == \
        {"X25519", "secp256r1", "secp384r1"}
    assert not found["heartbleed"]["is_vulnerable_to_heartbleed"]
    assert not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"]
    assert found["robot"]["robot_result"].startswith("NOT_VULNERABLE")
    assert not found["tls_compression"]["supports_compression"]
    assert not found["session_renegotiation"]["is_vulnerable_to_client_renegotiation_dos"]
    assert found["session_renegotiation"]["supports_secure_renegotiation"]
    assert found["tls_extended_master_secret"]["supports_ems_extension"]
    # Nobody vouches for the certificate of this run; Mozilla's guideline has no other complaint.
    complaints = [line.strip() for line in text.splitlines() if line.strip().startswith("* ")
                  and line.strip().endswith(".")]
    assert [line.split(":")[0] for line in complaints] == ["* certificate_path_validation"], text


def test_sslyze_finds_the_modern_policy_kept(judged, tmp_path):
    found, _ = scan(judged("ecdsa", ssl_policy="modern"), tmp_path)
    assert accepted(found, "tls_1_2") == set()
    assert accepted(found, "tls_1_3") == SUITES_13


@pytest.mark.timeout(300)
def test_testssl_finds_no_weakness(judged, tmp_path):
    if not shutil.which("testssl"):
        pytest.fail("missing: testssl; run .ci/install-packages test")
    gateway = judged("rsa")
    report = tmp_path / "testssl.json"
    done = subprocess.run(
        ["testssl", "--starttls", "ftp", "--warnings", "off", "--color", "0", "--quiet",
         "--ip", "one", "--openssl", shutil.which("openssl"), "--jsonfile", report,
         # Protocols, kinds of suites, forward secrecy, vulnerabilities.
         "-p", "-s", "-f", "-U", f"{gateway.host}:{gateway.port}"],
        capture_output=True, text=True, timeout=280, stdin=subprocess.DEVNULL)
    found = {entry["id"]: entry for entry in json.loads(report.read_text())}
    # What it says of the openssl that it runs is no finding about the server.
    worrying = [entry for entry in found.values() if entry["severity"] not in ("OK", "INFO")
                and entry["id"] not in ("engine_problem", "old_fart")]
    assert worrying == [], done.stdout
    for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert found[name]["finding"].startswith("not offered")
    for name in ("TLS1_2", "TLS1_3"):
        assert found[name]["finding"].startswith("offered")
    for name in ("heartbleed", "CCS", "ROBOT", "secure_client_renego", "CRIME_TLS", "POODLE_SSL",
                 "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4"):
        assert found[name]["severity"] == "OK", found[name]
