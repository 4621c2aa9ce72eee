internal import Glibc
internal import LinuxSystem

/// Processes that sessions have left behind, and that are the Listener's children now.
///
/// A program that a PAM module started outlives a Warden that is killed, because the program hung for
/// example. It is ended then. What a Warden leaves at an orderly end was meant to stay. Sessions and
/// Agents end by themselves, and have a while for that: an Agent may have an upload to end first. One
/// that takes longer does what none of ours does.
struct Orphans {
    /// How long an Agent may take, the same as where its Warden lives.
    static let grace = Warden.agentTimeout

    private var tolerated: Set<CInt> = []
    private var condemned: Set<CInt> = []
    /// Sessions and Agents, and by when they have to have ended.
    private var leaving: [CInt: Deadline] = [:]

    /// Whether there is a process whose end is to come and that has not been reaped.
    var isEnding: Bool { !condemned.isEmpty || !leaving.isEmpty }

    /// When ``endLate()`` has something to do.
    var next: Deadline { leaving.values.min() ?? .never }

    /// Leaves alone whatever has no parent now, but for Sessions and Agents.
    mutating func tolerate(besides known: Set<CInt>) {
        guard let children = DaemonProcess.children else { return }
        let others = children.filter {
            !known.contains($0) && !condemned.contains($0) && !Self.isOurs($0)
        }
        tolerated.formUnion(others)
    }

    /// Ends whatever else has no parent now, Sessions and Agents a while later.
    ///
    /// - Returns: Whether the kernel says what there is.
    @discardableResult
    mutating func end(besides known: Set<CInt>) -> Bool {
        guard let children = DaemonProcess.children else { return false }
        for process in children where !known.contains(process) && !tolerated.contains(process) {
            if DaemonProcess.standsApart(process) {
                if leaving[process] == nil, !condemned.contains(process) {
                    leaving[process] = Deadline(after: Self.grace)
                }
            } else {
                condemn(process)
            }
        }
        return true
    }

    /// Ends Sessions and Agents whose time is over.
    mutating func endLate() {
        for (process, deadline) in leaving where deadline.hasPassed { condemn(process) }
    }

    /// Forgets a process that has ended.
    ///
    /// - Returns: Whether it was condemned: its own children are without a parent now.
    mutating func remove(_ process: CInt) -> Bool {
        tolerated.remove(process)
        leaving[process] = nil
        return condemned.remove(process) != nil
    }

    private mutating func condemn(_ process: CInt) {
        leaving[process] = nil
        condemned.insert(process)
        DaemonProcess.signal(process, SIGKILL)
    }

    /// Whether this is a Session or an Agent, which cannot give itself another name.
    private static func isOurs(_ process: CInt) -> Bool {
        DaemonProcess.standsApart(process)
            && DaemonProcess.name(of: process)?.hasPrefix("ftps-") == true
    }
}
