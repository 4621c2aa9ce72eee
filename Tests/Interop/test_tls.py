"""The TLS policy: what is demanded and what is refused."""

import socket
import ssl
import subprocess
import time

import pytest

from control import VERSIONS, Closed

BOTH = pytest.mark.parametrize("version", VERSIONS)


def test_user_in_clear_is_refused_before_a_password_is_asked(gateway):
    control = gateway.control()
    assert "AUTH TLS" in control.expect("USER someone", 530).text
    control.expect("PASS secret", 503, 530)


@pytest.mark.parametrize("mechanism", ["TLS", "TLS-C", "SSL", "TLS-P", "tls"])
def test_auth_takes_each_name(gateway, account, mechanism):
    session = gateway.control().secure(mechanism).protect().login(account)
    gateway.secrets.append(account.password)
    assert session.retrieve("NLST") == b""


def test_auth_takes_no_other_name_and_no_second_time(gateway):
    control = gateway.control()
    control.expect("AUTH FOO", 504)
    control.expect("AUTH", 501)
    control.expect("PBSZ 0", 503)
    control.expect("PROT P", 503)
    control.expect("CCC", 533)
    control.secure()
    control.expect("AUTH TLS", 503)
    control.expect("PROT P", 503)
    control.protect()


def test_protection_levels_have_their_codes(gateway, account):
    session = gateway.control().secure()
    session.expect("PROT P", 503)
    session.expect("PBSZ 0", 200)
    for line, code in (("PROT C", 534), ("PROT S", 536), ("PROT E", 536), ("PROT X", 504),
                       ("PROT", 501), ("PBSZ x", 501), ("PROT P", 200), ("CCC", 534)):
        session.expect(line, code)
    gateway.secrets.append(account.password)
    session.protected = True
    session.login(account)
    assert session.retrieve("NLST") == b""


def test_a_transfer_without_prot_p_is_521(gateway, account):
    gateway.secrets.append(account.password)
    account.file("f", b"x")
    session = gateway.control().secure().login(account)
    for line in ("LIST", "RETR f", "STOR g", "MLSD", "NLST", "APPE f", "STOU"):
        session.command("EPSV")
        assert "PROT P" in session.expect(line, 521).text
    assert [path.name for path in account.home.iterdir()] == ["f"]
    session.protect()
    assert session.retrieve("RETR f") == b"x"


def test_clear_data_is_possible_where_the_administrator_says_so(serve, account):
    gateway = serve(force_local_data_ssl="NO")
    gateway.secrets.append(account.password)
    session = gateway.control().secure().login(account)
    session.store("STOR f", b"clear")
    session.protect()
    assert session.retrieve("RETR f") == b"clear"
    session.expect("PROT C", 200)
    session.protected = False
    assert session.retrieve("RETR f") == b"clear"


def test_a_clear_login_is_possible_where_the_administrator_says_so(serve, account):
    gateway = serve(force_local_logins_ssl="NO", plain_system_logins="YES", force_local_data_ssl="NO")
    gateway.secrets.append(account.password)
    session = gateway.control().login(account)
    session.store("STOR f", b"clear")
    assert session.retrieve("RETR f") == b"clear"
    assert gateway.session(account).retrieve("RETR f") == b"clear"


@pytest.mark.parametrize("behind", [b"NOOP\r\n", b"USER x\r\nPASS y\r\n", b"X", b"\xff\xf4"])
def test_bytes_behind_auth_are_never_executed(gateway, behind):
    control = gateway.control()
    control.raw(b"AUTH TLS\r\n" + behind)
    assert control.ended(503)


def test_a_command_before_auth_in_the_same_packet_is_harmless(gateway, account):
    gateway.secrets.append(account.password)
    control = gateway.control()
    control.raw(b"NOOP\r\nAUTH TLS\r\n")
    control.next(200)
    control.next(234)
    control.handshake().protect().login(account)


def test_what_was_said_in_clear_is_forgotten_at_the_handshake(serve, account):
    gateway = serve(force_local_logins_ssl="NO", plain_system_logins="YES")
    gateway.secrets.append(account.password)
    control = gateway.control()
    control.expect(f"USER {account.name}", 331)
    control.secure()
    control.expect(f"PASS {account.password}", 503)


def s_client(gateway, *arguments):
    return subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         "-CAfile", gateway.certificate.chain, *arguments],
        input=b"QUIT\r\n", capture_output=True, timeout=30)


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused_by_the_server(gateway, version):
    done = s_client(gateway, version, "-cipher", "DEFAULT@SECLEVEL=0")
    assert done.returncode != 0
    assert b"alert protocol version" in done.stderr
    gateway.control().secure()


@BOTH
def test_both_versions_are_taken_with_a_forward_secret_aead(gateway, version):
    control = gateway.control().secure(context=gateway.context(version))
    name, protocol, _ = control.socket.cipher()
    assert control.socket.version() == version
    assert "GCM" in name or "CHACHA20" in name
    if version == "TLSv1.2":
        assert name.startswith("ECDHE-")
    assert control.socket.compression() is None


@pytest.mark.parametrize("cipher", [
    "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES256-GCM-SHA384", "AES128-SHA"])
def test_weak_suites_are_refused(gateway, cipher):
    done = s_client(gateway, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
    assert b"alert handshake failure" in done.stderr


@pytest.mark.parametrize("version,option", [("TLSv1.2", "ssl_tlsv12"), ("TLSv1.3", "ssl_tlsv13")])
def test_a_version_can_be_switched_off(serve, version, option):
    gateway = serve(**{option: "NO"})
    with pytest.raises(ssl.SSLError):
        gateway.control().secure(context=gateway.context(version)).alive()
    gateway.control().secure()


@BOTH
def test_alpn_for_another_protocol_is_refused(gateway, version):
    control = gateway.control()
    with pytest.raises(ssl.SSLError) as refusal:
        control.secure(context=gateway.context(version, ["http/1.1"]))
        control.alive()
    assert "APPLICATION_PROTOCOL" in str(refusal.value).upper().replace(" ", "_") \
        or "alert number 120" in str(refusal.value) or "1120" in str(refusal.value)


@BOTH
def test_alpn_for_ftp_is_accepted_on_both_connections(gateway, account, version):
    context = gateway.context(version, ["x-other", "ftp"])
    session = gateway.session(account, context=context)
    assert session.socket.selected_alpn_protocol() == "ftp"
    assert session.retrieve("NLST") == b""


def test_renegotiation_is_refused(gateway):
    client = subprocess.Popen(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         "-tls1_2", "-CAfile", gateway.certificate.chain],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # s_client takes a line that begins with R, read at once, as the wish to renegotiate.
    time.sleep(1)
    client.stdin.write(b"R\n")
    client.stdin.flush()
    time.sleep(1)
    _, errors = client.communicate(b"NOOP\n", timeout=30)
    assert b"RENEGOTIATING" in errors and b"no renegotiation" in errors, errors


def test_nothing_is_written_in_clear_after_tls_has_begun(gateway, account):
    """A broken record ends the connection with an alert at most, never with a reply in clear."""
    session = gateway.session(account)
    descriptor = session.socket.detach()
    plain = socket.socket(fileno=descriptor)
    plain.settimeout(20)
    plain.sendall(b"NOOP\r\nNOOP\r\nNOOP\r\n")
    received = b""
    try:
        while chunk := plain.recv(4096):
            received += chunk
    except ConnectionError:
        pass
    plain.close()
    while received:
        assert received[0] in (21, 22, 23) and received[1] == 3, received[:40]
        received = received[5 + int.from_bytes(received[3:5], "big"):]
    with pytest.raises((Closed, OSError)):
        session.alive()


def test_a_login_in_clear_does_not_outlive_auth(serve, account):
    gateway = serve(force_local_logins_ssl="NO", plain_system_logins="YES", force_local_data_ssl="NO")
    gateway.secrets.append(account.password)
    control = gateway.control().login(account)
    control.expect("PWD", 257)
    control.secure()
    control.expect("PWD", 530)
    control.login(account).expect("PWD", 257)
