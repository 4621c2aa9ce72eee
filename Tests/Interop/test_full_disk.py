"""A disk that fills up in the middle of an upload."""

import ftplib
import io
import os
import subprocess

import pytest

from disks import passable


@pytest.fixture
def small_disk(root, tmp_path):
    """A file system of 2 MiB that everybody may write to, also through its parents.

    Ask for it before `serve`, so that the daemon ends before the file system goes.
    """
    tmp_path.chmod(0o755)
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=1777", "tmpfs", disk], check=True)
    with passable(disk):
        yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("size", [3_000_000, 60_000_000])
@pytest.mark.parametrize("deletes", ["NO", "YES"])
@pytest.mark.parametrize("atomic", ["NO", "YES"])
def test_stock_ftplib_reads_452(small_disk, serve, account, size, deletes, atomic):
    gateway = serve(local_root=small_disk, delete_failed_uploads=deletes, atomic_uploads=atomic)
    client = gateway.ftp(account)
    with pytest.raises(ftplib.error_temp, match="^452 "):
        client.storbinary("STOR big", io.BytesIO(b"x" * size))
    # The part of an atomic upload always goes: nobody could reach it.
    keeps = deletes == "NO" and atomic == "NO"
    assert os.listdir(small_disk) == (["big"] if keeps else [])
    assert client.pwd() == "/"
    if not keeps:
        client.storbinary("STOR small", io.BytesIO(b"fits"))
        assert (small_disk / "small").read_bytes() == b"fits"
    client.quit()
