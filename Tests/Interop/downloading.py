"""Downloads that the server may refuse, or that come to nothing."""

from control import finish, read_all


def attempt_download(session, line):
    """The content, or `None` when the server refuses."""
    data = session.connect_data()
    try:
        if session.command(line).code != 150:
            return None
        data = session.wrap_data(data)
        content = read_all(data)
        finish(data)
        session.next(226)
        return content
    finally:
        data.close()


def code_of_download(session, context=None, resume=False, source=None):
    """The code that ends a download of `f`, which holds `content`."""
    data = session.connect_data(source=source)
    session.expect("RETR f", 150)
    content = b""
    try:
        data = session.wrap_data(data, resume, context=context)
        content = read_all(data)
        finish(data)
    except OSError:
        pass
    data.close()
    code = session.reply().code
    assert content == (b"content" if code == 226 else b"")
    return code
