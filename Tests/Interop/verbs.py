"""Every command that does something with a file or a directory, to be held against a rule."""

from control import finish, read_all

# With the path of a file, of an empty directory, and of a name that is free.
FILE = ["RETR {file}", "STOR {file}", "APPE {file}", "DELE {file}", "RNFR {file}", "SIZE {file}",
        "MDTM {file}", "MFMT 20200101000000 {file}", "SITE CHMOD 600 {file}", "MLST {file}",
        "STAT {file}", "LIST {file}", "NLST {file}", "LIST -d {file}",
        "HASH {file}", "XCRC {file}", "XMD5 {file}", "XSHA {file}", "XSHA1 {file}",
        "XSHA256 {file}", "XSHA512 {file}", "MD5 {file}", "CPFR {file}", "SITE CPFR {file}",
        "MFF UNIX.mode=600; {file}", "SITE UTIME 20200101000000 {file}", "SITE CHGRP {group} {file}"]
DIRECTORY = ["CWD {directory}", "RMD {directory}", "MLSD {directory}", "LIST {directory}",
             "NLST {directory}", "NLST {directory}/*", "STAT {directory}", "MLST {directory}",
             "RNFR {directory}", "LIST -d {directory}", "SITE CHMOD 700 {directory}",
             "SITE RMDIR {directory}"]
FREE = ["STOR {free}", "APPE {free}", "STOU {free}", "MKD {free}", "RNTO {free}", "CPTO {free}",
        "SITE MKDIR {free}", "SITE MKDIR -p {free}", "SITE SYMLINK any {free}"]


def accepted(session, line, source="spare"):
    """Whether a command is carried out; transfers are completed."""
    if line.startswith("RNTO"):
        session.expect(f"RNFR {source}", 350)
        return session.command(line).code == 250
    if line.startswith("CPTO"):
        session.expect(f"CPFR {source}", 350)
        return session.command(line).code == 250
    if line.split()[0] not in ("RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD"):
        return session.command(line).code < 400
    data = session.connect_data()
    try:
        if session.command(line).code != 150:
            return False
        data = session.wrap_data(data)
        if line.split()[0] in ("STOR", "APPE", "STOU"):
            data.sendall(b"written")
        else:
            read_all(data)
        finish(data)
    finally:
        data.close()
    session.next(226)
    return True
