"""Python's ftplib with the one change that require_ssl_reuse=YES asks for.

Put this file beside a script, or the class into it, and use it in place of ftplib.FTP_TLS.
"""

import ftplib


class ResumingFTP_TLS(ftplib.FTP_TLS):
    """Resumes the control connection's TLS session on every data connection."""

    def ntransfercmd(self, cmd, rest=None):
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            data = self.context.wrap_socket(
                data, server_hostname=self.host, session=self.sock.session)
        return data, size
