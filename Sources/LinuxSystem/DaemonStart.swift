internal import CLinux
internal import Glibc

/// What the first process does with what it was started with, before it does anything else.
package enum DaemonStart {
    /// Variables that mean something to a part of the server: the time zone, OpenSSL's own
    /// configuration, what the service manager hands over, wants to hear and does with the log, and where
    /// the demonstration may write.
    private static let honoured = [
        "TZ", "OPENSSL_CONF", "OPENSSL_MODULES", "CREDENTIALS_DIRECTORY", "LISTEN_PID",
        "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
        "JOURNAL_STREAM", "TMPDIR",
    ]

    /// Has glibc's malloc(3) keep no freed pieces in lists by their size (tcache), which a program can
    /// be told only when it starts: starts this one anew, in the same process.
    ///
    /// Every process that is forked later copies the pages that these lists lead to, one here and one
    /// there. Call it first of all. Nothing changes where the environment has tunables already, or where
    /// the program cannot be started by its name in /proc.
    package static func leaveThreadCaches() {
        unsafe CLinux_restart(
            "GLIBC_TUNABLES",
            "glibc.malloc.tcache_count=0",
            CommandLine.unsafeArgv
        )
    }

    /// Closes the descriptors and forgets the variables that nobody here has asked for.
    ///
    /// Call it once the configuration is read, which may come through such a descriptor.
    ///
    /// - Throws: ``SystemError``, when that cannot be done.
    package static func dropInheritance() throws(SystemError) {
        // Or the first socket would be what error messages go to.
        while true {
            let number = unsafe open("/dev/null", O_RDWR)
            guard number >= 0 else { throw SystemError("open") }
            if number <= 2 { continue }
            _ = close(number)
            break
        }
        let sockets = InheritedSocket.count
        try DaemonProcess.closeDescriptors(except: (0..<sockets).map { 3 + CInt($0) })
        DaemonProcess.keepEnvironment(honoured)
        // Left out it means the same file, which then is looked at for each line of the log (tzset(3)).
        _ = unsafe setenv("TZ", ":/etc/localtime", 0)
    }
}
