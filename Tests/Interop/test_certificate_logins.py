"""Logins by a client certificate, beside the password or in its place."""

import ftplib
import subprocess

import pytest

import proc
from accounts import run
from certificates import Authority, fingerprint, make_certificate, openssl
from control import VERSIONS, Closed
from test_client_certificates import reload, showing
from test_curl import Curl
from test_lftp import lftp
from virtual_users import UserFile

BOTH = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def by_name(serve, authority, way, field="cn", **options):
    """A gateway that knows users by a name in their certificates."""
    return serve(cert_auth=way, cert_user_field=field, validate_cert="YES",
                 ca_certs_file=authority.chain, **options)


def user(gateway, account, certificate, version=None, name=None):
    """A protected session, and what is answered to USER."""
    gateway.secrets.append(account.password)
    session = gateway.control(context=showing(gateway, certificate, version)).secure().protect()
    return session, session.command(f"USER {name or account.name}").code


def login(gateway, account, certificate, version=None, password=None):
    """What is answered to PASS, where it is asked for."""
    session, code = user(gateway, account, certificate, version)
    assert code == 331
    return session.command(f"PASS {password or account.password}").code


# In place of a password.

@BOTH
def test_a_certificate_alone_lets_its_user_in(serve, account, authority, version):
    account.file("f", b"content")
    gateway = by_name(serve, authority, "alone", require_ssl_reuse="YES")
    session, code = user(gateway, account, authority.issue(account.name), version)
    assert code == 232
    assert session.retrieve("RETR f") == b"content"
    session.store("STOR g", b"mine")
    assert (account.home / "g").stat().st_uid == account.uid
    assert "by=certificate" in gateway.log
    assert f'subject="CN={account.name}"' in gateway.log
    session.expect("PASS x", 503)


KEYS = {
    "rsa": ("-newkey", "rsa:2048", "-nodes"),
    "ed25519": ("-newkey", "ed25519", "-nodes"),
    "p384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes"),
    "rsa-pss": ("-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes"),
}


@BOTH
@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key_proves_its_certificate(serve, account, authority, version, kind):
    gateway = by_name(serve, authority, "alone")
    certificate = authority.issue(account.name, key=KEYS[kind])
    assert user(gateway, account, certificate, version)[1] == 232


@BOTH
def test_whoever_shows_none_or_another_one_is_asked_for_the_password(
        serve, account, other_account, authority, version):
    gateway = by_name(serve, authority, "alone")
    for certificate in (None, authority.issue(other_account.name)):
        assert login(gateway, account, certificate, version, "wrong") == 530
        assert login(gateway, account, certificate, version) == 230
    assert "by=certificate" not in gateway.log


@BOTH
def test_where_one_is_demanded_a_password_does_not_stand_in_for_it(
        serve, account, other_account, authority, version):
    gateway = by_name(serve, authority, "alone", require_cert="YES")
    assert login(gateway, account, authority.issue(other_account.name), version) == 530
    assert "cert_auth: no certificate of the user's was proved" in gateway.log
    assert user(gateway, account, authority.issue(account.name), version)[1] == 232


def test_stock_ftplib_and_curl_log_in_without_a_password(serve, account, authority, tmp_path):
    account.file("f", b"content")
    certificate = authority.issue(account.name)
    gateway = by_name(serve, authority, "alone")
    ftp = ftplib.FTP_TLS(context=showing(gateway, certificate), timeout=20)
    gateway.clients.append(ftp)
    ftp.connect(gateway.host, gateway.port)
    assert ftp.login(account.name, "not sent").startswith("232")
    ftp.prot_p()
    assert ftp.nlst() == ["f"]
    curl = Curl(gateway, account, "TLSv1.3")
    curl.config = f'user = "{account.name}:wrong"\n'
    assert curl.run("--cert", certificate.chain, "--key", certificate.key,
                    curl.url("f")) == b"content"


@BOTH
def test_lftp_which_chooses_by_the_authorities_it_is_told_finds_its_certificate(
        serve, account, authority, version):
    account.file("f", b"content")
    certificate = authority.issue(account.name)
    gateway = by_name(serve, authority, "second", require_ssl_reuse="YES")
    assert lftp(gateway, account, f"set ssl:cert-file {certificate.chain}",
                f"set ssl:key-file {certificate.key}",
                f"set ssl:priority NORMAL:-VERS-ALL:+VERS-{version.replace('v', '')}",
                "cat f", "cat f") == "contentcontent"


def talk(gateway, certificate, line, *options):
    """The code that answers a line which `openssl s_client` sends."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-starttls", "ftp", "-quiet", "-no_ign_eof", "-connect",
         f"{gateway.host}:{gateway.port}", "-CAfile", gateway.certificate.chain,
         "-cert", certificate.chain, "-key", certificate.key, *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        process.stdin.write(line.encode() + b"\r\n")
        process.stdin.flush()
        while not (answer := process.stdout.readline())[:3].isdigit():
            assert answer
        return int(answer[:3])
    finally:
        process.stdin.close()
        process.wait(10)


def test_a_handshake_that_begins_twice_proves_the_certificate_as_well(serve, account, authority):
    """The client's first key share is of a group that the server does not have."""
    gateway = by_name(serve, authority, "alone")
    assert talk(gateway, authority.issue(account.name), f"USER {account.name}",
                "-tls1_3", "-groups", "P-521:P-256") == 232


FLAGS = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}


@BOTH
def test_a_stapled_response_is_part_of_what_the_client_signs(
        serve, account, authority, tmp_path, version):
    servers = Authority(tmp_path, "Servers")
    made = servers.issue("localhost", "server")
    gateway = by_name(serve, authority, "alone", rsa_cert_file=made.chain,
                      rsa_private_key_file=made.key,
                      ssl_ocsp_file=servers.response(made, tmp_path / "response.der"))
    assert talk(gateway, authority.issue(account.name), f"USER {account.name}",
                FLAGS[version], "-status") == 232


@BOTH
def test_any_host_of_this_server_is_this_server(serve, account, authority, tmp_path, version):
    folder = tmp_path / "live" / "one.example"
    folder.mkdir(parents=True)
    made = make_certificate(folder, "one.example")
    made.chain.rename(folder / "fullchain.pem")
    made.key.rename(folder / "privkey.pem")
    gateway = by_name(serve, authority, "alone", ssl_sni_dir=tmp_path / "live")
    assert talk(gateway, authority.issue(account.name), f"USER {account.name}",
                FLAGS[version], "-servername", "one.example") == 232


# Beside the password.

@BOTH
def test_the_certificate_and_the_password_have_to_be_the_same_users(
        serve, account, other_account, authority, version):
    gateway = by_name(serve, authority, "second")
    own = authority.issue(account.name)
    assert login(gateway, account, own, version, "wrong") == 530
    assert login(gateway, account, None, version) == 530
    assert login(gateway, account, authority.issue(other_account.name), version) == 530
    assert login(gateway, account, own, version) == 230
    assert "by=password and certificate" in gateway.log


def test_a_certificate_is_no_way_to_guess_passwords_faster(serve, account, authority):
    gateway = by_name(serve, authority, "second", max_login_fails="2")
    other = authority.issue("nobody")
    session, code = user(gateway, account, other)
    assert code == 331
    session.expect(f"PASS {account.password}", 530)
    session.expect(f"USER {account.name}", 331)
    session.expect(f"PASS {account.password}", 530)
    assert session.ended()


# Whose certificate it is.

@pytest.mark.parametrize("field, names", [
    ("email", "email:NAME"), ("dns", "DNS:NAME"), ("uri", "URI:NAME"),
    ("upn", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:NAME"),
    ("email", "email:somebody@example.org,email:NAME"),
])
def test_a_user_is_known_by_any_name_that_is_chosen(serve, account, authority, field, names):
    names = names.replace("NAME", account.name)
    certificate = authority.issue("somebody", names=names)
    assert user(by_name(serve, authority, "alone", field), account, certificate)[1] == 232
    assert user(by_name(serve, authority, "alone"), account, certificate)[1] == 331


def test_of_two_common_names_neither_counts(serve, account, authority):
    certificate = authority.issue("x", subject=f"/CN=somebody/CN={account.name}")
    assert user(by_name(serve, authority, "alone"), account, certificate)[1] == 331


def test_a_name_is_compared_whole(serve, account, authority):
    gateway = by_name(serve, authority, "alone")
    for name in (account.name + "x", account.name[:-1], account.name.upper(), account.name + " "):
        assert user(gateway, account, authority.issue(name))[1] == 331


def users_file(tmp_path, *lines):
    path = tmp_path / "users"
    path.write_text("# who is who\n\n" + "".join(f"{line}\n" for line in lines))
    path.chmod(0o600)
    return path


@BOTH
def test_a_fingerprint_needs_no_authority(serve, account, other_account, tmp_path, version):
    own, other = make_certificate(tmp_path, "own"), make_certificate(tmp_path, "other")
    path = users_file(tmp_path, f"{account.name} sha256:{fingerprint(own)}",
                      f"{other_account.name}\tSHA256:{fingerprint(other).replace(':', '').lower()}")
    gateway = serve(cert_auth="alone", cert_users_file=path)
    assert user(gateway, account, own, version)[1] == 232
    assert user(gateway, account, other, version)[1] == 331
    assert user(gateway, other_account, other, version)[1] == 232


def test_without_an_authority_a_subject_is_anybodys_claim(serve, account, tmp_path):
    path = users_file(tmp_path, f"{account.name} subject:CN=own")
    gateway = serve(cert_auth="alone", cert_users_file=path)
    assert user(gateway, account, make_certificate(tmp_path, "own"))[1] == 331


def test_with_one_it_names_the_user(serve, account, authority, tmp_path):
    named = authority.issue("x", subject="/O=Ex\u00e4mple, Inc./CN=own")
    text = openssl("x509", "-in", named.chain, "-noout", "-subject", "-nameopt", "RFC2253")
    path = users_file(tmp_path, f"{account.name} subject:{text.decode().strip()[8:]}",
                      f"{account.name} email:own@example.org")
    gateway = serve(cert_auth="alone", cert_users_file=path, validate_cert="YES",
                    ca_certs_file=authority.chain)
    for made in (named, authority.issue("x", names="email:own@example.org")):
        assert user(gateway, account, made)[1] == 232
    assert user(gateway, account, authority.issue("own"))[1] == 331


def test_the_file_is_read_for_each_login_and_must_be_trustworthy(serve, account, tmp_path):
    own = make_certificate(tmp_path, "own")
    path = users_file(tmp_path, f"{account.name} sha256:{fingerprint(own)}")
    gateway = serve(cert_auth="alone", cert_users_file=path)
    assert user(gateway, account, own)[1] == 232
    path.chmod(0o666)
    assert user(gateway, account, own)[1] == 331
    assert "others than its owner may write it" in gateway.log
    users_file(tmp_path)
    assert user(gateway, account, own)[1] == 331


# What else holds.

def test_revocation_and_a_signal_hold_for_logins_too(serve, account, tmp_path):
    authority = Authority(tmp_path)
    own = authority.issue(account.name)
    gateway = by_name(serve, authority, "alone")
    assert user(gateway, account, own)[1] == 232
    authority.chain.write_bytes(Authority(tmp_path, "another").chain.read_bytes())
    reload(gateway)
    with pytest.raises((Closed, OSError)):
        user(gateway, account, own)


def test_the_rules_of_the_account_hold_without_a_password(serve, account, authority, tmp_path):
    own = authority.issue(account.name)
    listed = tmp_path / "listed"
    listed.write_text(f"{account.name}\n")
    gateway = by_name(serve, authority, "alone", userlist_enable="YES", userlist_file=listed)
    assert user(gateway, account, own)[1] == 530
    assert user(by_name(serve, authority, "alone", check_shell="YES"), account, own)[1] == 530
    assert user(by_name(serve, authority, "alone", min_uid="60000"), account, own)[1] == 530
    gateway = by_name(serve, authority, "alone")
    run("chage", "--expiredate", "0", account.name)
    try:
        session, code = user(gateway, account, own)
    finally:
        run("chage", "--expiredate", "-1", account.name)
    assert code == 530
    assert "account expired" in gateway.log


def test_virtual_users_come_in_by_their_certificates(serve, authority, account, tmp_path):
    users = UserFile(tmp_path, account)
    alice = users.add("alice")
    (alice.home / "f").write_bytes(b"content")
    (alice.home / "f").chmod(0o644)
    gateway = by_name(serve, authority, "alone", **users.options())
    own = authority.issue("alice")
    session, code = user(gateway, alice, own)
    assert code == 232
    assert session.retrieve("RETR f") == b"content"
    users.passwd("alice", "--lock")
    assert user(gateway, alice, own)[1] == 530
    assert "the user is locked" in gateway.log


def test_root_does_not_come_in(serve, account, authority):
    gateway = by_name(serve, authority, "alone")
    assert user(gateway, account, authority.issue("root"), name="root")[1] == 530


def test_nothing_of_the_proof_is_left_in_another_process(serve, account, authority):
    """The process that reads certificates has ended when the login is answered."""
    gateway = by_name(serve, authority, "alone")
    session, code = user(gateway, account, authority.issue(account.name))
    assert code == 232
    names = {proc.status(pid)["Name"] for pid in proc.tree(gateway.pid)}
    assert names == {"ftps-signer", "ftps-warden", "ftps-session", "ftps-agent"}


def test_clients_of_tls_1_3_are_told_the_real_authorities_alone(serve, authority):
    gateway = by_name(serve, authority, "alone")

    def told(version):
        text = subprocess.run(
            ["openssl", "s_client", "-starttls", "ftp", "-connect",
             f"{gateway.host}:{gateway.port}", version], input=b"QUIT\r\n", capture_output=True,
            timeout=30).stdout.decode()
        names = text.partition("CA names\n")[2]
        return [line for line in names.splitlines() if line.startswith("CN = ")]

    assert told("-tls1_3") == ["CN = Authority"]
    first, second = told("-tls1_2"), told("-tls1_2")
    assert first[0] == second[0] == "CN = Authority"
    assert len(first) == len(second) == 2 and first[1] != second[1]
