internal import Authentication
internal import LinuxSystem

/// The process that closes the PAM session of a Warden which was killed.
///
/// Modules may hang, so the Listener does not do it itself; and they may leave anything behind in
/// memory, so the process ends with it.
enum CloserRole {
    /// Closes the session and ends, at the latest after `limit`.
    static func run(
        _ left: LeftSession,
        _ authorizers: [any Authorizer],
        within limit: Duration
    ) -> Never {
        DaemonProcess.setName("ftps-closer")
        do throws(SystemError) {
            try KillTimer.start(limit)
            try DaemonProcess.closeDescriptors(except: [])
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            try Confinement.enterWarden()
        } catch {
            DaemonProcess.exit(1)
        }
        for authorizer in authorizers {
            authorizer.closeLeftSession(of: left.user, from: left.address)
        }
        DaemonProcess.exit(RoleStatus.ofModules)
    }
}
