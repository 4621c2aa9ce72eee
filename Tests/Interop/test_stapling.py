"""OCSP responses that go out with the certificate (RFC 6066 section 8)."""

import datetime
import re
import shutil
import signal
import subprocess

import pytest

import gateway as daemon
from certificates import Authority, make_certificate_of, moment, openssl
from control import VERSIONS, wait_until

BOTH = pytest.mark.parametrize("version", VERSIONS)
FLAGS = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}


@pytest.fixture
def root_authority(tmp_path):
    return Authority(tmp_path, "Root")


@pytest.fixture
def authority(tmp_path, root_authority):
    """An intermediate, as it issues nearly every certificate."""
    return Authority(tmp_path, "Middle", root_authority)


@pytest.fixture
def made(authority):
    return authority.issue("localhost", "server", days=60, names="DNS:localhost,IP:127.0.0.1")


def stapled(gateway, *arguments, asks=True, roots=None):
    """The serial number that a response with the handshake says is good; None without one."""
    done = subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         *(["-status"] if asks else []), *(["-CAfile", roots] if roots else []), *arguments],
        input=b"QUIT\r\n", capture_output=True, timeout=30)
    text = done.stdout.decode(errors="replace")
    assert "Cipher is" in text and "Cipher is (NONE)" not in text, done.stderr
    if "OCSP Response Status: successful" not in text:
        assert not asks or "no response sent" in text
        return None
    assert "Cert Status: good" in text
    return re.search(r"Serial Number: (\w+)", text).group(1)


def serial(made):
    return openssl("x509", "-in", made.chain, "-noout", "-serial").decode().strip().partition("=")[2]


def options(made, file):
    return {"rsa_cert_file": made.chain, "rsa_private_key_file": made.key, "ssl_ocsp_file": file}


@BOTH
def test_a_good_response_goes_out_to_who_asks(serve, authority, made, tmp_path, version):
    gateway = serve(**options(made, authority.response(made, tmp_path / "ocsp.der")))
    assert stapled(gateway, FLAGS[version]) == serial(made)
    assert stapled(gateway, FLAGS[version], asks=False) is None
    assert "OCSP" not in gateway.log


@pytest.mark.parametrize("extra", [["-no_nonce"], ["-resp_no_certs"], ["-resp_key_id"]])
def test_responses_of_every_form_are_taken(serve, authority, made, tmp_path, extra):
    gateway = serve(**options(made, authority.response(made, tmp_path / "ocsp.der", None, *extra)))
    assert stapled(gateway) == serial(made)


def test_certificates_may_be_named_by_another_hash(serve, authority, made, tmp_path):
    file = tmp_path / "ocsp.der"
    openssl("ocsp", "-index", authority.directory / "index", "-CA", authority.chain, "-sha256",
            "-issuer", authority.chain, "-cert", made.chain, "-rsigner", authority.chain, "-rkey",
            authority.key, "-ndays", "7", "-respout", file)
    assert stapled(serve(**options(made, file))) == serial(made)


def spoil(kind, authority, root_authority, made, file):
    if kind == "revoked":
        authority.revoke(made)
        authority.response(made, file)
    elif kind == "other certificate":
        authority.response(authority.issue("other", "server"), file)
    elif kind == "forged":
        stranger = Authority(file.parent, "Stranger")
        authority.response(made, file, stranger)
    elif kind == "expired":
        authority.response(made, file)
        now = datetime.datetime.now(datetime.timezone.utc)
        content = file.read_bytes()
        end = moment(now + datetime.timedelta(days=7))[:8].encode()
        assert content.count(end) == 1
        file.write_bytes(content.replace(
            end, moment(now - datetime.timedelta(days=3))[:8].encode()))
    elif kind == "unknown":
        authority.response(root_authority.issue("other", "server"), file)
    elif kind == "garbage":
        file.write_bytes(b"\x30\x82\xff\xff" * 100)
    elif kind == "cut":
        file.write_bytes(authority.response(made, file).read_bytes()[:-50])
    elif kind == "no issuer":
        authority.response(made, file)
        text = made.chain.read_bytes()
        mark = b"-----END CERTIFICATE-----\n"
        made.chain.write_bytes(text.partition(mark)[0] + mark)
    elif kind == "huge":
        file.write_bytes(bytes(70_000))


BAD = [("revoked", "does not say that the certificate is good"),
       ("other certificate", "about another certificate"), ("forged", "has not signed it"),
       ("expired", "its time is over"), ("unknown", "about another certificate"),
       ("garbage", "no OCSP response in DER"), ("cut", "no OCSP response in DER"),
       ("absent", "cannot be read"), ("huge", "cannot be read"),
       ("no issuer", "does not go on with the issuer's")]


@pytest.mark.parametrize("kind, words", BAD, ids=[kind for kind, _ in BAD])
def test_no_other_response_goes_out_and_one_warning_says_why(
        serve, authority, root_authority, made, tmp_path, kind, words):
    file = tmp_path / "ocsp.der"
    spoil(kind, authority, root_authority, made, file)
    gateway = serve(**options(made, file))
    assert stapled(gateway) is None
    lines = [line for line in gateway.log.splitlines() if "OCSP response is not served" in line]
    assert len(lines) == 1 and words in lines[0] and "ssl_ocsp_file" in lines[0], gateway.log
    config = tmp_path / "c.conf"
    settings = {"pam_conf_dir": daemon.PAM, **options(made, file)}
    config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    done = subprocess.run([daemon.BINARY, "check-config", config], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0 and words in done.stdout


def test_each_certificate_has_its_own_response(serve, authority, made, tmp_path):
    rsa = make_certificate_of(["rsa:2048"], tmp_path, "rsa")
    gateway = serve(rsa_cert_file=rsa.chain, rsa_private_key_file=rsa.key,
                    ec_cert_file=made.chain, ec_private_key_file=made.key,
                    ec_ocsp_file=authority.response(made, tmp_path / "ocsp.der"))
    flags = ["-tls1_2", "-cipher"]
    assert stapled(gateway, *flags, "ECDHE+AESGCM+aECDSA") == serial(made)
    assert stapled(gateway, *flags, "ECDHE+AESGCM+aRSA") is None


@BOTH
def test_a_host_has_its_own_response(serve, authority, made, tmp_path, version):
    folder = tmp_path / "live" / "one.example"
    folder.mkdir(parents=True)
    one = authority.issue("one.example", "server", days=60, names="DNS:one.example")
    shutil.copy(one.chain, folder / "fullchain.pem")
    shutil.copy(one.key, folder / "privkey.pem")
    authority.response(one, folder / "ocsp.der")
    gateway = serve(ssl_sni_dir=folder.parent,
                    **options(made, authority.response(made, tmp_path / "ocsp.der")))
    assert stapled(gateway, FLAGS[version], "-servername", "one.example") == serial(one)
    assert stapled(gateway, FLAGS[version], "-servername", "two.example") == serial(made)


def test_a_reload_reads_responses_anew(serve, authority, made, tmp_path):
    file = tmp_path / "ocsp.der"
    gateway = serve(**options(made, file))
    assert stapled(gateway) is None
    authority.response(made, file)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.log.count("certificates loaded") == 1, what="the reload")
    assert stapled(gateway) == serial(made)
    file.write_bytes(b"nonsense")
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.log.count("certificates loaded") == 2, what="the reload")
    assert stapled(gateway) is None
    assert gateway.log.count(f"OCSP response {file} is not served: it is no OCSP response") == 1


@BOTH
def test_sessions_with_a_response_go_on_on_data_connections(
        serve, account, root_authority, authority, made, tmp_path, version):
    gateway = serve(require_ssl_reuse="YES",
                    **options(made, authority.response(made, tmp_path / "ocsp.der")))
    gateway.certificate = root_authority
    assert gateway.session(account, version).retrieve("NLST", resume=True) == b""
