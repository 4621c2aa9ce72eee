"""Reply codes beside pyftpdlib's own: clients that were written against it find the same here.

Each case runs on both servers over directories of the same content. Where ours differs, the case
says what ours answers, and why.
"""

import subprocess
import sys
import types

import pytest

from control import Control, finish, read_all

# A name, the commands, and - where ours differs - our codes with the reason.
CASES = [
    ("USER again", ["USER other"], [530],
     "another user connects again, as with vsftpd; pyftpdlib would end the login"),
    ("PASS again", ["PASS x"], None),
    ("QUIT", ["QUIT"], None),
    ("NOOP", ["NOOP"], None),
    ("NOOP with argument", ["NOOP x"], None),
    ("SYST", ["SYST"], None),
    ("SYST with argument", ["SYST x"], None),
    ("FEAT", ["FEAT"], None),
    ("HELP", ["HELP", "HELP RETR", "HELP nonsense"], None),
    ("SITE HELP", ["SITE HELP"], None),
    ("SITE", ["SITE nonsense"], None),
    ("SITE alone", ["SITE"], None),
    ("an unknown command", ["NONSENSE"], None),
    ("an empty line", [""], None),
    ("PWD", ["PWD"], None),
    ("PWD with argument", ["PWD x"], None),
    ("CWD", ["CWD d", "PWD", "CDUP", "PWD", "CWD ..", "CWD /d", "CWD /"], None),
    ("CWD nowhere", ["CWD missing", "CWD a.txt"], None),
    ("CWD alone", ["CWD"], None),
    ("CDUP with argument", ["CDUP x"], None),
    ("MKD", ["MKD new", "MKD new", "RMD new", "RMD new"], None),
    ("MKD alone", ["MKD", "RMD"], None),
    ("MKD beneath nothing", ["MKD missing/x"], None),
    ("RMD of what is not empty", ["RMD full"], None),
    ("RMD of a file", ["RMD a.txt"], None),
    ("RMD of the root", ["RMD /"], None),
    ("DELE", ["DELE a.txt", "DELE a.txt"], None),
    ("DELE of a directory", ["DELE d", "DELE"], None),
    ("rename", ["RNFR a.txt", "RNTO b.txt", "RNFR a.txt"], None),
    ("RNTO alone", ["RNTO x"], None),
    ("RNFR of the root", ["RNFR /"], None),
    ("RNFR alone", ["RNFR", "RNFR missing"], None),
    ("something between RNFR and RNTO", ["RNFR a.txt", "NOOP", "RNTO b.txt"], [350, 200, 503],
     "RFC 959: RNTO has to follow at once; pyftpdlib keeps the name"),
    ("TYPE", ["TYPE A", "TYPE I", "TYPE L8", "TYPE L7", "TYPE a", "TYPE i"], None),
    ("TYPE of its own", ["TYPE ?", "TYPE"], [501, 501],
     "a type that no standard knows is a bad argument, not an unserved one"),
    ("TYPE E", ["TYPE E"], None),
    ("STRU", ["STRU F", "STRU f", "STRU", "STRU R", "STRU P", "STRU ?"], None),
    ("MODE", ["MODE S", "MODE s", "MODE", "MODE B", "MODE C", "MODE ?"], None),
    ("REST", ["TYPE I", "REST 3", "REST", "REST x", "REST -1", "REST 1.5"], None),
    ("REST in ASCII", ["TYPE A", "REST 3"], None),
    ("SIZE", ["TYPE I", "SIZE a.txt", "SIZE d", "SIZE missing", "SIZE"], None),
    ("SIZE in ASCII", ["TYPE A", "SIZE a.txt"], None),
    ("MDTM", ["MDTM a.txt", "MDTM missing", "MDTM"], None),
    ("MDTM of a directory", ["MDTM d"], [213],
     "a directory has a time; RFC 3659 section 3 leaves this open"),
    ("MFMT", ["MFMT 20200102030405 a.txt", "MDTM a.txt"], None),
    ("MFMT badly", ["MFMT 2020 a.txt", "MFMT 20201340000000 a.txt", "MFMT", "MFMT x"],
     [501, 501, 501, 501], "no time is an error of the argument (RFC 3659 section 2.3)"),
    ("MFMT of nothing", ["MFMT 20200102030405 missing"], None),
    ("SITE CHMOD", ["SITE CHMOD 600 a.txt", "SITE CHMOD 777 missing", "SITE CHMOD",
                    "SITE CHMOD 999 a.txt", "SITE CHMOD a.txt"], None),
    ("MLST", ["MLST", "MLST a.txt", "MLST d", "MLST missing"], None),
    ("OPTS", ["OPTS MLST type;size;", "OPTS MLST", "OPTS UTF8 ON", "OPTS nonsense", "OPTS"],
     [200, 200, 200, 501, 501], "clients ask for UTF8, and have it"),
    ("STAT", ["STAT", "STAT d", "STAT a.txt"], None),
    ("STAT of nothing", ["STAT missing"], None),
    ("ALLO", ["ALLO 10", "ALLO"], [200, 501], "the space was looked at"),
    ("ABOR", ["ABOR"], None),
    ("ABOR with argument", ["ABOR x"], None),
    ("PASV with argument", ["PASV x"], None),
    ("PASV", ["PASV", "ABOR"], None),
    ("EPSV", ["EPSV", "EPSV 1", "EPSV 2", "EPSV 3", "EPSV x"],
     [229, 229, 522, 522, 501], "RFC 2428 section 3 names 522 for an unknown protocol"),
    ("EPSV ALL", ["EPSV ALL", "EPSV", "PASV", "PORT 127,0,0,1,200,1",
                  "EPRT |1|127.0.0.1|2222|"],
     [200, 229, 501, 501, 501], "220 is the greeting's; vsftpd answers 200"),
    ("PORT badly", ["PORT", "PORT 1,2,3", "PORT 127,0,0,1,256,1", "PORT a,b,c,d,e,f"], None),
    ("PORT to a low port", ["PORT 127,0,0,1,0,22"], [500], "vsftpd's code"),
    ("PORT elsewhere", ["PORT 10,0,0,1,200,1"], [500], "vsftpd's code"),
    ("EPRT badly", ["EPRT", "EPRT |1|127.0.0.1|", "EPRT |1|127.0.0.1|99999|", "EPRT |3|x|1|",
                    "EPRT |2|::1|2222|"], [501, 501, 501, 522, 522],
     "RFC 2428 section 2 names 522 for an unknown protocol"),
    ("RETR without a data connection", ["RETR a.txt"], [425],
     "pyftpdlib announces the transfer and never makes it"),
    ("RETR of nothing", ["RETR! missing", "RETR! d", "RETR"], None),
    ("transfers", ["RETR! a.txt", "STOR! new.txt", "APPE! new.txt", "LIST!", "NLST!", "MLSD!",
                   "LIST! d", "NLST! d", "MLSD! d", "LIST! a.txt", "STOU!", "STOU! x"], None),
    ("a restarted download", ["TYPE I", "REST 3", "RETR! a.txt", "RETR! a.txt"], None),
    ("listings of nothing", ["LIST! missing", "NLST! missing", "MLSD! missing"], [550, 550, 550],
     "RFC 3659 section 7.2.1 keeps 501 for what is there and no directory"),
    ("MLSD of a file", ["MLSD! a.txt"], None),
    ("STOR beneath nothing", ["STOR! missing/x", "STOR! d"], [553, 553],
     "RFC 959 names 553 for a name that cannot be used, as vsftpd does"),
    ("the X commands", ["XPWD", "XMKD x", "XCWD x", "XCUP", "XRMD x"], None),
    ("lower case", ["pwd", "type i", "noop"], None),
    ("REIN", ["REIN", "PWD"], [502, 257], "under TLS REIN would end TLS (RFC 4217 section 13)"),
    ("ACCT", ["ACCT x"], [202], "superfluous once logged in (RFC 959); served before"),
    ("SMNT", ["SMNT x"], [502], "known and not served (RFC 959)"),
]

BEFORE_LOGIN = [
    "PWD", "CWD /", "LIST", "RETR a.txt", "STOR x", "PASV", "EPSV", "PORT 127,0,0,1,200,1", "TYPE I",
    "REST 1", "SIZE a.txt", "DELE a.txt", "MKD x", "RNFR a.txt", "STAT", "STAT /", "SYST", "NOOP",
    "FEAT", "HELP", "SITE CHMOD 600 a.txt", "PASS x", "USER", "MODE S", "STRU F", "ABOR",
    "ALLO 1", "NONSENSE",
]


def fill(directory, own=lambda path: None):
    (directory / "a.txt").write_bytes(b"0123456789")
    for name in ("d", "full"):
        (directory / name).mkdir()
    (directory / "full/x").write_bytes(b"x")
    for path in directory.rglob("*"):
        own(path)


@pytest.fixture
def peer(tmp_path):
    """pyftpdlib over a directory of its own."""
    home = tmp_path / "peer"
    home.mkdir()
    fill(home)
    script = __file__.replace("test_against_pyftpdlib.py", "peer_pyftpdlib.py")
    process = subprocess.Popen([sys.executable, "-B", script, str(home), "secret"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    port = int(process.stdout.readline())
    clients = []

    def control(logs_in=True):
        client = Control("127.0.0.1", port, None)
        clients.append(client)
        if logs_in:
            client.login(types.SimpleNamespace(name="user", password="secret"))
        return client

    yield control
    for client in clients:
        client.close()
    process.terminate()
    process.wait(10)
    process.stdout.close()


def codes(control, commands):
    """The codes of the replies; `VERB!` stands for a command with a data connection."""
    result = []
    for command in commands:
        verb, bang, argument = command.partition("!")
        if not bang:
            result.append(control.command(command).code)
            continue
        data = control.connect_data(command="PASV")
        reply = control.command(verb + argument)
        if reply.code in (125, 150):
            data = control.wrap_data(data)
            if verb in ("STOR", "APPE", "STOU"):
                data.sendall(b"content")
            else:
                read_all(data)
            finish(data)
            reply = control.reply()
        data.close()
        result.append(reply.code)
    return result


@pytest.mark.parametrize("commands, ours", [case[1:3] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_the_same_codes_as_pyftpdlib(serve, account, peer, commands, ours):
    fill(account.home, account.own)
    theirs = codes(peer(), commands)
    got = codes(serve().session(account), commands)
    assert got == (ours or theirs), f"{commands}: ours {got}, pyftpdlib {theirs}"
    assert ours is None or got != theirs, "no difference, so no reason for one"


@pytest.mark.parametrize("command", BEFORE_LOGIN)
def test_the_same_codes_before_login(serve, peer, command):
    theirs = codes(peer(logs_in=False), [command])
    got = codes(serve().control().secure(), [command])
    assert got == theirs, f"{command}: ours {got}, pyftpdlib {theirs}"
