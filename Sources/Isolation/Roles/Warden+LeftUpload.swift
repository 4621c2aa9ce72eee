internal import Authentication
internal import FileSystem
internal import LinuxSystem
internal import Logging

// What an Agent leaves behind that was killed.

extension Warden {
    /// Ends the upload that an Agent which was killed could not end.
    func endLeftUpload() {
        guard let journal, journal.isOpen, let profile, let account = login?.account else { return }
        logger.error("the agent was killed during an upload, which is ended in its place")
        do throws(SystemError) {
            let quota = try quotaPage(for: profile)
            switch try DaemonProcess.fork() {
            case .child:
                // It reads what an Agent has written that may have been somebody else's.
                forgetSharedPages()
                AgentRole.endUpload(
                    leftIn: journal,
                    account,
                    profile,
                    quota: quota,
                    settings: settings
                )
            case .parent(let process):
                _ = DaemonProcess.awaitEnd(of: process, until: Deadline(after: Self.agentTimeout))
                DaemonProcess.signal(process, 9)
                _ = DaemonProcess.reap(process, waits: true)
            }
        } catch {
            logger.error("what the upload has left stays: \(error)")
        }
    }
}
