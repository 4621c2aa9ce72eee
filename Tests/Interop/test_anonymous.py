"""Anonymous logins: who gets in, under which protection, and what is left of the rights."""

import ftplib
import os
import shutil
import stat

import pytest

from control import TIMEOUT


class Anonymous:
    name = "anonymous"
    password = "someone@example.org"


@pytest.fixture
def public(account):
    """A directory that belongs to a real account, which anonymous users become."""
    account.home.chmod(0o755)
    account.file("public", b"for everybody", 0o644)
    account.file("private", b"for the owner", 0o600)
    account.directory("incoming")
    return account


@pytest.fixture
def anonymous(serve, public):
    def start(**options):
        return serve(anonymous_enable="YES", ftp_username=public.name, anon_root=public.home,
                     **options)
    return start


def login(gateway, name="anonymous", password="someone@example.org"):
    client = ftplib.FTP_TLS(context=gateway.context(), timeout=TIMEOUT)
    gateway.clients.append(client)
    client.connect(gateway.host, gateway.port)
    client.login(name, password)
    client.prot_p()
    return client


def upload(client, name, content=b"new"):
    import io
    return client.storbinary(f"STOR {name}", io.BytesIO(content))


@pytest.mark.parametrize("name", ["anonymous", "ftp", "Anonymous", "FTP"])
def test_anybody_gets_in_and_may_read(anonymous, name):
    client = login(anonymous(), name)
    assert set(client.nlst()) == {"public", "private", "incoming"}
    content = []
    client.retrbinary("RETR public", content.append)
    assert b"".join(content) == b"for everybody"


def test_without_the_switch_the_name_is_one_like_any_other(serve, public):
    with pytest.raises(ftplib.error_perm, match="^530 Login incorrect"):
        login(serve(ftp_username=public.name))


def test_the_e_mail_address_is_not_logged(anonymous):
    gateway = anonymous()
    gateway.secrets.append("someone@example.org")
    login(gateway)
    assert "login" in gateway.log


def test_only_what_the_host_shows_to_everybody_is_sent(anonymous):
    client = login(anonymous())
    with pytest.raises(ftplib.error_perm, match="^550"):
        client.retrbinary("RETR private", lambda _: None)
    open_client = login(anonymous(anon_world_readable_only="NO"))
    content = []
    open_client.retrbinary("RETR private", content.append)
    assert b"".join(content) == b"for the owner"


def test_nothing_can_be_changed_unasked(anonymous, public):
    client = login(anonymous())
    for attempt in (lambda: upload(client, "incoming/x"), lambda: client.mkd("d"),
                    lambda: client.delete("public"), lambda: client.rename("public", "x"),
                    lambda: client.rmd("incoming"), lambda: client.voidcmd("SITE CHMOD 644 public"),
                    lambda: client.voidcmd("MFMT 20200101000000 public")):
        with pytest.raises(ftplib.error_perm, match="^55"):
            attempt()
    assert sorted(os.listdir(public.home)) == ["incoming", "private", "public"]


def test_uploads_neither_replace_nor_add(anonymous, public):
    gateway = anonymous(anon_upload_enable="YES", anon_umask="022", local_umask="077")
    client = login(gateway)
    upload(client, "incoming/new")
    created = public.home / "incoming/new"
    assert created.read_bytes() == b"new"
    assert stat.S_IMODE(created.stat().st_mode) == 0o644
    assert created.stat().st_uid == public.uid
    for command in ("STOR incoming/new", "APPE incoming/new", "STOR public"):
        with pytest.raises(ftplib.error_perm, match="^55"):
            client.storbinary(command, __import__("io").BytesIO(b"replaced"))
    assert created.read_bytes() == b"new"
    with pytest.raises(ftplib.error_perm, match="^55"):
        client.mkd("incoming/d")
    with pytest.raises(ftplib.error_perm, match="^55"):
        client.delete("incoming/new")


def test_each_switch_allows_its_own(anonymous, public):
    client = login(anonymous(anon_mkdir_write_enable="YES"))
    assert client.mkd("d") == "/d"
    with pytest.raises(ftplib.error_perm, match="^55"):
        client.rmd("d")
    client = login(anonymous(anon_other_write_enable="YES", anon_upload_enable="YES"))
    client.rmd("d")
    client.rename("public", "renamed")
    upload(client, "renamed", b"replaced")
    assert (public.home / "renamed").read_bytes() == b"replaced"
    client.delete("renamed")


def test_the_master_switch_stays_one(anonymous):
    client = login(anonymous(write_enable="NO", anon_upload_enable="YES"))
    with pytest.raises(ftplib.error_perm, match="^550"):
        upload(client, "incoming/x")


def test_tls_is_required_of_anonymous_users_too(anonymous):
    gateway = anonymous()
    gateway.control().expect("USER anonymous", 530)


def test_an_opt_out_for_anonymous_users_is_none_for_others(anonymous, public):
    gateway = anonymous(force_anon_logins_ssl="NO", force_anon_data_ssl="NO")
    control = gateway.control()
    control.expect(f"USER {public.name}", 530)
    control.expect("USER anonymous", 331)
    control.expect("PASS a@b", 230)
    assert control.retrieve("RETR public") == b"for everybody"
    named = gateway.control().secure()
    named.login(public)
    gateway.secrets.append(public.password)
    named.connect_data().close()
    named.expect("RETR public", 521)


def test_no_password_may_be_asked_for(anonymous):
    control = anonymous(no_anon_password="YES").control().secure().protect()
    control.expect("USER ftp", 230)
    assert control.retrieve("RETR public") == b"for everybody"


def test_lists_of_e_mail_addresses(anonymous, tmp_path):
    banned = tmp_path / "banned"
    banned.write_text("# worms\nmozilla@\n")
    gateway = anonymous(deny_email_enable="YES", banned_email_file=banned)
    with pytest.raises(ftplib.error_perm, match="^530"):
        login(gateway, password="Mozilla@")
    login(gateway, password="else@")
    allowed = tmp_path / "allowed"
    allowed.write_text("friend@example.org\n")
    gateway = anonymous(secure_email_list_enable="YES", email_password_file=allowed)
    with pytest.raises(ftplib.error_perm, match="^530"):
        login(gateway)
    login(gateway, password="friend@example.org")


def test_a_server_for_anonymous_users_alone(anonymous, public):
    gateway = anonymous(local_enable="NO", pam_conf_dir=None)
    login(gateway)
    with pytest.raises(ftplib.error_perm, match="^530"):
        login(gateway, public.name, public.password)
