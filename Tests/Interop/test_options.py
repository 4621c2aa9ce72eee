"""Options that no other test turns, one by one at the socket."""

import ftplib
import io
import socket
import ssl
import stat
import time

import pytest

from accounts import run
from certificates import make_certificate
from control import Closed, Control, finish, read_all, wait_until


# Data connections that the server opens.

def listen_locally(address="127.0.0.1"):
    listener = socket.create_server((address, 0))
    listener.settimeout(20)
    return listener


def port_command(listener):
    address, port = listener.getsockname()
    return f"PORT {address.replace('.', ',')},{port >> 8},{port & 255}"


def fetch_actively(session, listener, name):
    session.expect(port_command(listener), 200)
    session.expect(f"RETR {name}", 150)
    data, peer = listener.accept()
    data = session.wrap_data(data)
    content = read_all(data)
    finish(data)
    session.next(226)
    return content, peer


def test_port_enable_switches_active_mode_off(serve, account):
    session = serve(port_enable="NO").session(account)
    session.expect("PORT 127,0,0,1,200,1", 502)
    session.expect("EPRT |1|127.0.0.1|51201|", 502)


def test_port_promiscuous_lets_the_client_name_another_address(serve, account):
    account.file("f", b"content")
    with listen_locally("127.0.0.9") as listener:
        serve().session(account).expect(port_command(listener), 500)
        session = serve(port_promiscuous="YES").session(account)
        assert fetch_actively(session, listener, "f")[0] == b"content"


def test_port_promiscuous_lets_the_client_name_a_port_of_a_service(serve, account):
    account.file("f", b"content")
    with socket.create_server(("127.0.0.1", 1018)) as listener:
        listener.settimeout(20)
        serve().session(account).expect(port_command(listener), 500)
        session = serve(port_promiscuous="YES").session(account)
        assert fetch_actively(session, listener, "f")[0] == b"content"


def test_foreign_addresses_are_permitted_in_both_directions(serve, account):
    account.file("f", b"content")
    session = serve(permit_foreign_addresses="YES", require_ssl_reuse="NO").session(account)
    with listen_locally("127.0.0.9") as listener:
        assert fetch_actively(session, listener, "f")[0] == b"content"
    assert session.retrieve("RETR f", source="127.0.0.8") == b"content"
    # Only port_promiscuous covers the ports of services.
    session.expect("PORT 127,0,0,9,0,80", 500)


def test_privileged_ports_have_a_switch_of_their_own(serve, account):
    account.file("f", b"content")
    session = serve(permit_privileged_ports="YES").session(account)
    with socket.create_server(("127.0.0.1", 1017)) as listener:
        listener.settimeout(20)
        assert fetch_actively(session, listener, "f")[0] == b"content"
    session.expect("PORT 127,0,0,9,3,249", 500)


def test_the_data_port_is_where_active_connections_come_from(serve, account):
    account.file("f", b"content")
    with listen_locally() as listener:
        session = serve(connect_from_port_20="YES", ftp_data_port="987").session(account)
        content, peer = fetch_actively(session, listener, "f")
    assert content == b"content"
    assert peer[1] == 987


def test_the_usual_data_port_is_20(serve, account):
    account.file("f", b"content")
    with listen_locally() as listener:
        session = serve(connect_from_port_20="YES").session(account)
        assert fetch_actively(session, listener, "f")[1][1] == 20


def test_pasv_enable_switches_passive_mode_off(serve, account):
    session = serve(pasv_enable="NO").session(account)
    session.expect("PASV", 502)
    session.expect("EPSV", 502)


# Files.

def test_dirlist_enable_switches_listings_off(serve, account):
    account.file("f", b"12345")
    session = serve(dirlist_enable="NO").session(account)
    for command in ("LIST", "NLST", "MLSD"):
        data = session.connect_data()
        session.expect(command, 550)
        data.close()
    session.expect("STAT .", 550)
    session.expect("TYPE I", 200)
    assert session.expect("SIZE f", 213).text == "213 5"


def test_file_open_mode_and_umask_make_the_mode(serve, account):
    serve(file_open_mode="0777", local_umask="027").session(account).store("STOR f", b"x")
    assert stat.S_IMODE((account.home / "f").stat().st_mode) == 0o750


@pytest.mark.parametrize("value, expected", [("YES", b"a\r\nb\r\n"), ("NO", b"a\nb\n")])
def test_ascii_download_enable(serve, account, value, expected):
    account.file("f", b"a\nb\n")
    session = serve(ascii_download_enable=value).session(account)
    session.expect("TYPE A", 200)
    assert session.retrieve("RETR f") == expected


@pytest.mark.parametrize("value, expected", [("YES", b"a\nb\n"), ("NO", b"a\r\nb\r\n")])
def test_ascii_upload_enable(serve, account, value, expected):
    session = serve(ascii_upload_enable=value).session(account)
    session.expect("TYPE A", 200)
    session.store("STOR f", b"a\r\nb\r\n")
    assert (account.home / "f").read_bytes() == expected


# Logins.

def test_a_home_may_be_divided_into_jail_and_start(serve, second_account):
    second_account.empty()
    inner = second_account.directory("inner")
    home = str(second_account.home)
    run("usermod", "--home", f"{home}/./inner", second_account.name)
    gateways = [serve(passwd_chroot_enable="YES"), serve()]
    try:
        divided = gateways[0].session(second_account)
        assert '"/inner"' in divided.expect("PWD", 257).text
        divided.store("STOR f", b"x")
        divided.expect("CWD /", 250)
        assert divided.retrieve("NLST") == b"inner\r\n"
        whole = gateways[1].session(second_account)
        assert '"/"' in whole.expect("PWD", 257).text
        assert whole.retrieve("NLST") == b"f\r\n"
    finally:
        # usermod(8) refuses to change a user who has processes.
        for gateway in gateways:
            gateway.close_clients()
            gateway.stop()
        run("usermod", "--home", home, second_account.name)
    assert (inner / "f").read_bytes() == b"x"


def test_the_token_in_local_root_stands_for_the_user(serve, account, tmp_path):
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(0o755)
    root = tmp_path / f"site-{account.name}"
    root.mkdir(mode=0o755)
    (root / "f").write_bytes(b"mine")
    session = serve(local_root=f"{tmp_path}/site-$USER", user_sub_token="$USER").session(account)
    assert session.retrieve("RETR f") == b"mine"


def test_accounts_below_a_user_id_do_not_log_in(serve, account):
    assert serve(min_uid=str(account.uid)).session(account).alive()
    with pytest.raises(ftplib.error_perm, match="^530 Login incorrect"):
        serve(min_uid=str(account.uid + 1)).ftp(account)


def test_a_success_may_be_told_late(serve, account):
    gateway = serve(delay_successful_login="2")
    start = time.monotonic()
    gateway.session(account)
    assert time.monotonic() - start >= 2


def test_failures_of_long_ago_do_not_lead_to_a_ban(serve):
    gateway = serve(ban_failures="2", ban_period="1")
    for _ in range(3):
        control = gateway.control().secure()
        control.expect("USER x", 331)
        control.expect("PASS wrong", 530)
        time.sleep(1.2)
    assert gateway.control().alive()


def test_userlist_deny_turns_the_list_around(serve, account, other_account, tmp_path):
    names = tmp_path / "users"
    names.write_text(f"{account.name}\n")
    only = serve(userlist_enable="YES", userlist_deny="NO", userlist_file=names)
    assert only.session(account).alive()
    with pytest.raises(ftplib.error_perm, match="^530"):
        only.ftp(other_account)
    but = serve(userlist_enable="YES", userlist_file=names)
    assert but.session(other_account).alive()
    with pytest.raises(ftplib.error_perm, match="^530"):
        but.ftp(account)


# The conversation.

def test_the_banner_may_come_from_a_file(serve, tmp_path):
    banner = tmp_path / "banner"
    banner.write_text("Authorised use only.\nEverything is logged.\n\n")
    greeting = serve(banner_file=banner).control().greeting
    assert greeting.lines == ["220-Authorised use only.", "220 Everything is logged."]


def test_only_the_commands_on_a_list_are_served(serve, account):
    session = serve(cmds_allowed="PASV,EPSV,RETR,QUIT,TYPE,PBSZ,PROT").session(account)
    account.file("f", b"content")
    assert session.retrieve("RETR f") == b"content"
    for command in ("LIST", "STOR x", "DELE f", "SITE HELP", "PWD"):
        session.expect(command, 550)
    assert (account.home / "f").exists()
    session.expect("QUIT", 221)


def test_denied_wins_over_allowed(serve, account):
    session = serve(cmds_allowed="DELE,MKD", cmds_denied="DELE").session(account)
    session.expect("DELE f", 550)
    session.expect("MKD d", 257)


# TLS.

@pytest.mark.parametrize("option, version", [("ssl_tlsv12", "TLSv1.2"), ("ssl_tlsv1_2", "TLSv1.2"),
                                             ("ssl_tlsv13", "TLSv1.3"), ("ssl_tlsv1_3", "TLSv1.3")])
def test_a_version_can_be_switched_off(serve, account, option, version):
    gateway = serve(**{option: "NO"})
    with pytest.raises((ssl.SSLError, ConnectionError)):
        gateway.session(account, version)
    other = "TLSv1.3" if version == "TLSv1.2" else "TLSv1.2"
    assert gateway.session(account, other).alive()


def test_a_client_certificate_may_be_asked_for(serve, account, tmp_path):
    client = make_certificate(tmp_path, "client")

    def is_asked(gateway):
        context = gateway.context()
        context.load_cert_chain(client.chain, client.key)
        session = gateway.session(account, context=context)
        session.retrieve("NLST")
        wait_until(lambda: "proof=" in gateway.log, what="the line about the transfer")
        return "proof=certificate" in gateway.log

    assert not is_asked(serve())
    assert is_asked(serve(ssl_request_cert="YES"))


@pytest.mark.parametrize("value, code", [("YES", 426), ("NO", 226)])
def test_strict_ssl_read_eof(serve, account, value, code):
    session = serve(strict_ssl_read_eof=value).session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"content")
    data.shutdown(socket.SHUT_WR)
    session.next(code)
    data.close()


@pytest.mark.parametrize("value, code", [("YES", 426), ("NO", 226)])
def test_strict_ssl_write_shutdown(serve, account, value, code):
    account.file("f", b"content")
    session = serve(strict_ssl_write_shutdown=value).session(account)
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    assert read_all(data) == b"content"
    # FIN without close_notify: perhaps somebody else's.
    data.shutdown(socket.SHUT_WR)
    session.next(code)
    data.close()


def test_implicit_ssl_speaks_tls_from_the_first_byte(serve, account):
    gateway = serve(implicit_ssl="YES")
    session = gateway.control(greet=False).handshake()
    session.next(220)
    session.protect().login(account)
    gateway.secrets.append(account.password)
    session.store("STOR f", b"content", resume=True)
    plain = gateway.control(greet=False)
    plain.send("USER x")
    assert plain.ended()


def test_an_implicit_port_stands_beside_the_explicit_one(serve, account):
    gateway = serve(implicit_listen_port="0", max_clients="2")
    account.file("f", b"content")
    explicit = gateway.session(account)
    port = int(gateway.wait_for_line(r"^listening on 127\.0\.0\.1:(\d+), implicit TLS$")[0][1])
    assert port != gateway.port
    gateway.port = port
    implicit = gateway.control(greet=False).handshake()
    implicit.next(220)
    implicit.expect("AUTH TLS", 503)
    implicit.protect().login(account)
    for session in (explicit, implicit):
        assert session.retrieve("RETR f", resume=True) == b"content"
    # One client too many: whoever awaits TLS gets no reply in clear.
    refused = gateway.control(greet=False)
    assert refused.ended() and not refused.pending
    explicit.close()
    ftp = ImplicitFTP(context=gateway.context(), timeout=20)
    gateway.clients.append(ftp)
    wait_until(lambda: len(gateway.wardens()) == 1, what="room for one more")
    ftp.connect(gateway.host, port)
    ftp.login(account.name, account.password)
    ftp.prot_p()
    assert ftp.nlst() == ["f"]


class ImplicitFTP(ftplib.FTP_TLS):
    """ftplib knows no implicit TLS; this is what its users write."""

    def connect(self, host, port):
        self.host, self.port = host, port
        self.sock = self.context.wrap_socket(
            socket.create_connection((host, port), self.timeout), server_hostname=host)
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def login(self, user, password):
        return ftplib.FTP.login(self, user, password)


def test_ssl_alpn_required_refuses_clients_without(serve, account):
    gateway = serve(ssl_alpn_required="YES")
    with pytest.raises((Closed, ssl.SSLError, ConnectionError)):
        gateway.session(account)
    context = gateway.context(alpn=["ftp"])
    assert gateway.session(account, context=context).alive()


def test_ssl_enable_switches_tls_off(serve, account):
    gateway = serve(ssl_enable="NO", plain_system_logins="YES", rsa_cert_file=None, rsa_private_key_file=None)
    assert "WARNING" in gateway.log
    gateway.secrets.append(account.password)
    control = gateway.control()
    control.expect("AUTH TLS", 502)
    assert "AUTH" not in control.expect("FEAT", 211).text
    control.login(account)
    assert control.store("STOR f", b"content")


def test_listening_on_ipv6_alone(serve, account, ipv6):
    gateway = serve(family=6)
    assert gateway.host == "::1"
    assert gateway.session(account).store("STOR f", b"content")
    other = serve(listen="NO", listen_ipv6="YES", listen_address=None, listen_address6="::1")
    assert other.host == "::1"
    with pytest.raises(OSError):
        Control("127.0.0.1", other.port, None)


def test_listening_on_one_address_of_many(serve):
    gateway = serve(listen_address="127.0.0.7")
    assert gateway.host == "127.0.0.7"
    with pytest.raises(OSError):
        Control("127.0.0.1", gateway.port, None)
