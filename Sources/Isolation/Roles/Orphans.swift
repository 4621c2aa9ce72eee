internal import Glibc
internal import LinuxSystem

/// Processes that sessions have left behind, and that are the Listener's children now.
///
/// A program that a PAM module started outlives a Warden that is killed, because the program hung for
/// example. It is ended then. What a Warden leaves at an orderly end was meant to stay, and Sessions and
/// Agents, which stand apart, end by themselves: an Agent may have an upload to end first.
struct Orphans {
    private var tolerated: Set<CInt> = []
    private var condemned: Set<CInt> = []

    /// Whether a process was ended and has not been reaped.
    var isEnding: Bool { !condemned.isEmpty }

    /// Leaves alone whatever has no parent now.
    mutating func tolerate(besides known: Set<CInt>) {
        guard let children = DaemonProcess.children else { return }
        tolerated.formUnion(Set(children).subtracting(known).subtracting(condemned))
    }

    /// Ends whatever else has no parent now, but for Sessions and Agents.
    ///
    /// - Returns: Whether the kernel says what there is.
    @discardableResult
    mutating func end(besides known: Set<CInt>) -> Bool {
        guard let children = DaemonProcess.children else { return false }
        for process in children where !known.contains(process) && !tolerated.contains(process) {
            guard !DaemonProcess.standsApart(process) else { continue }
            condemned.insert(process)
            DaemonProcess.signal(process, SIGKILL)
        }
        return true
    }

    /// Forgets a process that has ended.
    ///
    /// - Returns: Whether it was condemned: its own children are without a parent now.
    mutating func remove(_ process: CInt) -> Bool {
        tolerated.remove(process)
        return condemned.remove(process) != nil
    }
}
