/// Which system accounts are kept inside a directory.
///
/// vsftpd's rule is that `chroot_local_user` decides, and the list turns its decision around.
/// Here everybody is jailed unless `chroot_local_user=NO` is written.
package enum JailPolicy: Hashable, Sendable {
    /// Everybody.
    case everybody
    /// Everybody whose name does not stand in this file.
    case allBut(listed: String)
    /// Those whose name stands in this file.
    case only(listed: String)
    /// Nobody: every user sees the whole file system of the host.
    case nobody
}
