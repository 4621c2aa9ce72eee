internal import LinuxSystem
internal import Logging

// What the first process gives up, and every later one with it.

extension Listener {
    /// Gives up what neither this process nor a later one needs.
    func confine() {
        if let gap = Confinement.landlockGap(ofABI: Confinement.landlockABI) {
            logger.warning("\(gap)")
        }
        do throws(SystemError) {
            try Confinement.enterListener(settings.warden)
        } catch {
            logger.critical(
                "this process cannot be confined: \(error); see pam_sandbox and seccomp_sandbox"
            )
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        settings.warden.changesRoot = Confinement.mayChangeRoot
        if !settings.warden.changesRoot { logger.warning("\(Confinement.rootGap)") }
    }
}
