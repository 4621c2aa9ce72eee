import Glibc
import LinuxSystem
import Testing

@testable import Isolation

@Suite("What a process cannot do any more once it is confined")
struct ConfinementTests {
    /// How a process ends that makes a system call which its filter does not know.
    private static let killed = ExitTest.Condition.signal(SIGSYS)

    @Test func aSessionMayStillAskForTheFlagsOfADescriptor() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            DaemonProcess.exit(fcntl(0, F_GETFL) >= 0 ? 7 : 1)
        }
    }

    @Test func aSessionCannotHaveTheKernelSendSignals() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            _ = fcntl(0, F_SETOWN, getppid())
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            // F_SETSIG of fcntl(2), which the Glibc module does not name.
            _ = fcntl(0, 10, SIGKILL)
        }
    }

    @Test func aSessionLeavesAFileThatMayOnlyBeAddedToAsItIs() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            _ = fcntl(0, F_SETFL, 0)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            _ = ftruncate(0, 0)
        }
    }

    @Test func aSessionOpensNoFile() async {
        // Refused, not killed: libraries look for files where they need none.
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            DaemonProcess.exit(unsafe open("/etc/passwd", O_RDONLY) < 0 ? 7 : 1)
        }
    }

    @Test func aSessionMakesNoSocket() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            _ = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        }
    }

    @Test func aSessionSignalsNobody() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, usesSeccomp: true)
            _ = kill(getppid(), 0)
        }
    }

    @Test func aSessionWithoutFilterStillOpensNoFile() async {
        // Landlock, where the kernel has it; without it the process is somebody else's uid.
        guard Confinement.landlockABI > 0 else { return }
        await #expect(processExitsWith: .exitCode(EACCES)) {
            try Confinement.enterSession(as: nil, usesSeccomp: false)
            let number = unsafe open("/etc/passwd", O_RDONLY)
            DaemonProcess.exit(number < 0 ? errno : 0)
        }
    }

    @Test func anAgentMakesNoSocket() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterAgent(root: -1, usesSeccomp: true)
            _ = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        }
    }
}
