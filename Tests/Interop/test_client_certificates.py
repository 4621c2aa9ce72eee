"""Which client certificates are taken, and that data connections show the same one."""

import ftplib
import signal
import subprocess

import pytest

from certificates import Authority, make_certificate
from control import VERSIONS, Closed, wait_until
from downloading import code_of_download
from gateway import ResumingFTP
from test_curl import Curl

BOTH = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def partner(authority):
    """A certificate that the authority vouches for."""
    return authority.issue("partner")


def strict(serve, authority, **options):
    """A gateway that lets nobody in whom the authority does not vouch for."""
    return serve(require_cert="YES", validate_cert="YES", ca_certs_file=authority.chain, **options)


def showing(gateway, certificate, version=None):
    context = gateway.context(version)
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    return context


def is_let_in(gateway, account, certificate, version=None):
    """Whether a login works; under TLS 1.3 a client learns of a refusal when it reads next."""
    try:
        session = gateway.session(account, context=showing(gateway, certificate, version))
    except (Closed, OSError):
        return False
    assert session.retrieve("NLST") == b""
    return True


def refusal(gateway):
    return wait_until(
        lambda: [line for line in gateway.log.splitlines() if "certificate refused" in line],
        what="the line about the certificate")[-1]


# Whether one is demanded, and who vouches for it.

@BOTH
def test_a_client_without_a_certificate_fails_in_the_handshake(serve, account, version):
    gateway = serve(require_cert="YES")
    assert not is_let_in(gateway, account, None, version)
    assert "none was shown (require_cert)" in refusal(gateway)
    assert "login" not in gateway.log


@BOTH
def test_any_certificate_will_do_unless_they_are_validated(
        serve, account, version, tmp_path):
    assert is_let_in(serve(require_cert="YES"), account, make_certificate(tmp_path, "me"), version)


@BOTH
def test_a_certificate_that_nobody_vouches_for_is_refused(
        serve, account, authority, partner, version, tmp_path):
    gateway = strict(serve, authority)
    assert is_let_in(gateway, account, partner, version)
    assert not is_let_in(gateway, account, make_certificate(tmp_path, "nobody"), version)
    assert 'self-signed certificate, subject "CN=nobody"' in refusal(gateway)
    stranger = Authority(tmp_path).issue("partner")
    assert not is_let_in(gateway, account, stranger, version)


@BOTH
def test_without_require_cert_none_is_fine_and_a_bad_one_is_not(
        serve, account, authority, partner, version, tmp_path):
    gateway = serve(validate_cert="YES", ca_certs_file=authority.chain)
    assert is_let_in(gateway, account, None, version)
    assert is_let_in(gateway, account, partner, version)
    assert not is_let_in(gateway, account, make_certificate(tmp_path, "nobody"), version)


@pytest.mark.parametrize("made, reason", [
    ({"days": -2}, "certificate has expired"),
    ({"kind": "server"}, "unsuitable certificate purpose"),
], ids=["expired", "for-servers"])
@BOTH
def test_validity_and_purpose_are_checked(serve, account, authority, version, made, reason):
    gateway = strict(serve, authority)
    assert not is_let_in(gateway, account, authority.issue("partner", **made), version)
    assert reason in refusal(gateway)


def test_the_subject_of_a_refused_certificate_cannot_write_lines_into_the_log(
        serve, account, authority, tmp_path):
    gateway = strict(serve, authority)
    hostile = Authority(tmp_path).issue("x", subject="/CN=a\"\nlogin user=root")
    assert not is_let_in(gateway, account, hostile)
    assert "\\0Alogin" in refusal(gateway) or "\\x0A" in refusal(gateway)
    assert not any(line.startswith("login") for line in gateway.log.splitlines())


# Chains.

def chain(directory, length):
    """An authority at the end of a chain of so many below the first."""
    first = last = Authority(directory, "first")
    for number in range(length):
        last = Authority(directory, f"below{number}", last)
    return first, last


@BOTH
def test_a_chain_is_followed_as_far_as_it_is_reasonable(serve, account, version, tmp_path):
    first, last = chain(tmp_path, 1)
    gateway = strict(serve, first)
    assert is_let_in(gateway, account, last.issue("partner"), version)
    # Without the authority between, nobody can say who vouches.
    alone = last.issue("partner")
    alone.chain.write_bytes(
        alone.chain.read_bytes().partition(b"-----END CERTIFICATE-----\n")[0]
        + b"-----END CERTIFICATE-----\n")
    assert not is_let_in(gateway, account, alone, version)


def whole_chain(last, name):
    made = last.issue(name)
    above = last.parent
    while above and above.parent:
        made.chain.write_bytes(made.chain.read_bytes() + above.chain.read_bytes())
        above = above.parent
    return made


def test_a_chain_may_have_four_authorities_between_and_no_more(serve, account, tmp_path):
    first, last = chain(tmp_path, 4)
    gateway = strict(serve, first)
    assert is_let_in(gateway, account, whole_chain(last, "partner"))
    longer = Authority(tmp_path, "more", last)
    assert not is_let_in(gateway, account, whole_chain(longer, "partner"))
    assert "chain too long" in refusal(gateway)


def test_an_endless_chain_is_not_read(serve, account, authority, partner, tmp_path):
    gateway = strict(serve, authority)
    first = partner.chain.read_bytes()
    long = tmp_path / "long.pem"
    long.write_bytes(first + authority.chain.read_bytes() * 100)
    assert not is_let_in(gateway, account, type(partner)(long, partner.key))
    wait_until(lambda: "excessive message size" in gateway.log, what="the refusal")
    assert is_let_in(gateway, account, partner)


# What was revoked.

def with_revocations(serve, authority, *files, tmp_path):
    path = tmp_path / "revocations.pem"
    path.write_bytes(b"".join(file.read_bytes() for file in files))
    return strict(serve, authority, ca_crl_file=path), path


@BOTH
def test_a_revoked_certificate_is_refused(serve, account, version, tmp_path):
    authority = Authority(tmp_path)
    good, bad = authority.issue("good"), authority.issue("bad")
    authority.revoke(bad)
    gateway, _ = with_revocations(serve, authority, authority.revocations(), tmp_path=tmp_path)
    assert is_let_in(gateway, account, good, version)
    assert not is_let_in(gateway, account, bad, version)
    assert 'certificate revoked, subject "CN=bad"' in refusal(gateway)


def test_a_list_past_its_time_refuses_everybody(serve, account, tmp_path):
    authority = Authority(tmp_path)
    gateway, _ = with_revocations(
        serve, authority, authority.revocations(expired=True), tmp_path=tmp_path)
    assert not is_let_in(gateway, account, authority.issue("good"))
    assert "CRL has expired" in refusal(gateway)


def test_an_authority_without_a_list_refuses_whom_it_vouches_for(serve, account, tmp_path):
    """CVE-2019-19270 in ProFTPD: a list that is missing for an issuer was no obstacle."""
    first, last = chain(tmp_path, 1)
    client = last.issue("good")
    gateway, path = with_revocations(serve, first, first.revocations(), tmp_path=tmp_path)
    assert not is_let_in(gateway, account, client)
    assert "unable to get certificate CRL" in refusal(gateway)
    path.write_bytes(path.read_bytes() + last.revocations().read_bytes())
    reload(gateway)
    assert is_let_in(gateway, account, client)


def test_an_authority_that_was_revoked_vouches_for_nobody(serve, account, tmp_path):
    first, last = chain(tmp_path, 1)
    first.revoke(last)
    gateway, _ = with_revocations(
        serve, first, first.revocations(), last.revocations(), tmp_path=tmp_path)
    assert not is_let_in(gateway, account, last.issue("good"))
    assert "certificate revoked" in refusal(gateway)


def reload(gateway, word="certificates loaded"):
    count = gateway.log.count(word)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.log.count(word) > count, what=f"`{word}`")


def test_a_signal_reads_authorities_and_revocations_anew(serve, account, tmp_path):
    authority = Authority(tmp_path)
    client = authority.issue("partner")
    gateway, path = with_revocations(serve, authority, authority.revocations(), tmp_path=tmp_path)
    session = gateway.session(account, context=showing(gateway, client))
    authority.revoke(client)
    path.write_bytes(authority.revocations().read_bytes())
    assert is_let_in(gateway, account, client)
    reload(gateway)
    assert not is_let_in(gateway, account, client)
    assert session.alive()
    # A file that cannot be read leaves what was read before.
    path.write_bytes(b"nonsense")
    reload(gateway, "certificates not loaded")
    assert not is_let_in(gateway, account, client)


@pytest.mark.parametrize("option", ["ca_certs_file", "ca_crl_file"])
def test_a_file_that_holds_nothing_keeps_the_server_from_starting(
        serve, authority, option, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    options = {"validate_cert": "YES", "ca_certs_file": authority.chain, option: empty}
    with pytest.raises(AssertionError, match=f"{option}.*refused"):
        serve(**options)


# Data connections.

@BOTH
@pytest.mark.parametrize("reuse", ["YES", "NO"])
def test_the_data_connection_shows_the_certificate_of_its_control_connection(
        serve, account, version, reuse, authority, partner):
    account.file("f", b"content")
    other = authority.issue("other")
    gateway = strict(serve, authority, require_ssl_reuse=reuse)
    session = gateway.session(account, context=showing(gateway, partner, version))
    assert code_of_download(session, showing(gateway, partner, version)) == 226
    assert code_of_download(session, showing(gateway, other, version)) == 522
    assert session.alive()
    assert code_of_download(session, None, resume=True) == 226
    wait_until(lambda: "proof=session" in gateway.log, what="the line about the transfer")
    assert "proof=certificate" in gateway.log
    assert "proof=address" not in gateway.log


@BOTH
@pytest.mark.parametrize("reuse", ["YES", "NO"])
def test_a_data_connection_without_the_certificate_is_refused(
        serve, account, version, reuse, authority, partner):
    """Nobody demands one here, and the control connection showed one all the same."""
    account.file("f", b"content")
    gateway = serve(ssl_request_cert="YES", require_ssl_reuse=reuse)
    session = gateway.session(account, context=showing(gateway, partner, version))
    assert code_of_download(session, showing(gateway, None, version)) == 522
    assert code_of_download(session, showing(gateway, partner, version)) == 226
    assert code_of_download(session, None, resume=True) == 226


@BOTH
def test_a_bad_certificate_on_a_data_connection_is_named_in_the_log(
        serve, account, version, authority, partner, tmp_path):
    account.file("f", b"content")
    gateway = strict(serve, authority)
    session = gateway.session(account, context=showing(gateway, partner, version))
    bad = make_certificate(tmp_path, "nobody")
    assert code_of_download(session, showing(gateway, bad, version)) == 522
    assert 'subject "CN=nobody"' in refusal(gateway)


# Clients as they are.

@BOTH
@pytest.mark.parametrize("kind", [ftplib.FTP_TLS, ResumingFTP], ids=["stock", "resuming"])
def test_ftplib_with_a_certificate_satisfies_the_requirement_again_and_again(
        serve, account, authority, partner, version, kind):
    gateway = strict(serve, authority, require_ssl_reuse="YES")
    gateway.secrets.append(account.password)
    ftp = kind(context=showing(gateway, partner, version), timeout=20)
    gateway.clients.append(ftp)
    ftp.connect(gateway.host, gateway.port)
    ftp.login(account.name, account.password)
    ftp.prot_p()
    for number in range(20):
        name = f"f{number}"
        (account.home / "source").write_bytes(bytes([number]) * number * 1000)
        with open(account.home / "source", "rb") as source:
            assert ftp.storbinary(f"STOR {name}", source).startswith("226")
        content = bytearray()
        assert ftp.retrbinary(f"RETR {name}", content.extend).startswith("226")
        assert content == bytes([number]) * number * 1000
    assert len(ftp.nlst()) == 21
    expected = "proof=certificate" if kind is ftplib.FTP_TLS else "proof=session"
    wait_until(lambda: gateway.log.count(expected) == 41, what="41 proofs")


@BOTH
def test_curl_shows_its_certificate(serve, account, authority, partner, version):
    account.file("f", b"content")
    gateway = strict(serve, authority, require_ssl_reuse="YES")
    curl = Curl(gateway, account, version)
    arguments = ["--cert", partner.chain, "--key", partner.key]
    assert curl.run(*arguments, curl.url("f")) == b"content"
    curl = Curl(gateway, account, version)
    with pytest.raises(AssertionError):
        curl.run(curl.url("f"))


def test_the_authorities_are_named_to_the_client(serve, authority):
    gateway = strict(serve, authority)
    text = subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         "-tls1_2"], input=b"QUIT\r\n", capture_output=True, timeout=30).stdout.decode()
    assert "Acceptable client certificate CA names\nCN = Authority\n" in text
