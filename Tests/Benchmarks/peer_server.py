"""pyftpdlib as a peer: python3 peer_server.py FILE, whose lines are the settings of `main`."""

import logging
import os
import pathlib
import pwd
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


def main(port, first, last, certificate, user, password, home, account):
    logging.basicConfig(level=logging.ERROR)
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, home, perm="elradfmwMT")
    members = {"authorizer": authorizer, "passive_ports": range(int(first), int(last) + 1)}
    if certificate:
        members.update(certfile=certificate, tls_control_required=True, tls_data_required=True)
    handler = type("Handler", (TLS_FTPHandler if certificate else FTPHandler,), members)
    if certificate:
        handler.ssl_context = handler.get_ssl_context()
    server = FTPServer(("127.0.0.1", int(port)), handler, backlog=1024)
    server.max_cons = server.max_cons_per_ip = 20000
    entry = pwd.getpwnam(account)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    server.serve_forever()


main(*pathlib.Path(sys.argv[1]).read_text(encoding="ascii").split("\n")[:8])
