"""pyftpdlib beside ours, in clear on the loopback: python3 peer_pyftpdlib.py DIRECTORY PASSWORD."""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main(directory, password):
    authorizer = DummyAuthorizer()
    authorizer.add_user("user", password, directory, perm="elradfmwMT")
    handler = type("Handler", (FTPHandler,), {
        "authorizer": authorizer, "auth_failed_timeout": 0, "max_login_attempts": 10})
    server = FTPServer(("127.0.0.1", 0), handler)
    print(server.socket.getsockname()[1], flush=True)
    server.serve_forever()


main(*sys.argv[1:])
