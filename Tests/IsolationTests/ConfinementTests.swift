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
            try Confinement.enterSession(as: nil, .enforced)
            DaemonProcess.exit(fcntl(0, F_GETFL) >= 0 ? 7 : 1)
        }
    }

    @Test func aSessionCannotHaveTheKernelSendSignals() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            _ = fcntl(0, F_SETOWN, getppid())
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            // F_SETSIG of fcntl(2), which the Glibc module does not name.
            _ = fcntl(0, 10, SIGKILL)
        }
    }

    @Test func aSessionLeavesAFileThatMayOnlyBeAddedToAsItIs() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            _ = fcntl(0, F_SETFL, 0)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            _ = ftruncate(0, 0)
        }
    }

    @Test func aSessionOpensNoFile() async {
        // Refused, not killed: libraries look for files where they need none.
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, .enforced)
            DaemonProcess.exit(unsafe open("/etc/passwd", O_RDONLY) < 0 ? 7 : 1)
        }
    }

    @Test func aSessionMakesNoSocket() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            _ = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        }
    }

    @Test func aSessionSignalsNobody() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            _ = kill(getppid(), 0)
        }
    }

    @Test func aSessionWithoutFilterStillOpensNoFile() async {
        // Landlock, where the kernel has it; without it the process is somebody else's uid.
        guard Confinement.landlockABI > 0 else { return }
        await #expect(processExitsWith: .exitCode(EACCES)) {
            try Confinement.enterSession(as: nil, .unfiltered)
            let number = unsafe open("/etc/passwd", O_RDONLY)
            DaemonProcess.exit(number < 0 ? errno : 0)
        }
    }

    @Test func anAgentMakesNoSocket() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterAgent(root: -1, .enforced)
            _ = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        }
    }

    @Test func aSessionConnectsNothingBySending() async {
        // A passive listener that is shut down may be connected anew, and Landlock does not see it.
        await #expect(processExitsWith: Self.killed) {
            let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            try Confinement.enterSession(as: nil, .enforced)
            // MSG_FASTOPEN of sendto(2), which the Glibc module does not name.
            _ = unsafe sendto(number, "x", 1, 0x2000_0000, nil, 0)
        }
    }

    @Test(arguments: [13, 26, 31, 50, 51, 52])
    func aSessionNeitherHandsProgramsToTheKernelNorHasOthersWait(option: CInt) async {
        await #expect(processExitsWith: Self.killed) { [option] in
            try Confinement.enterSession(as: nil, .enforced)
            var value: CInt = 0
            _ = unsafe setsockopt(0, SOL_SOCKET, option, &value, 4)
        }
    }

    @Test func noRoleLoadsCode() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            _ = unsafe mmap(nil, 4_096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterVerifier(as: nil, .enforced)
            _ = unsafe mmap(nil, 4_096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterAgent(root: -1, .enforced)
            _ = unsafe mmap(nil, 4_096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        }
    }

    @Test func aVerifierHasNothingButMessages() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterVerifier(as: nil, .enforced)
            DaemonProcess.exit(unsafe open("/etc/passwd", O_RDONLY) < 0 ? 7 : 1)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterVerifier(as: nil, .enforced)
            _ = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterVerifier(as: nil, .enforced)
            _ = kill(getppid(), 0)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterVerifier(as: nil, .enforced)
            _ = Glibc.fork()
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterVerifier(as: nil, .enforced)
            _ = unsafe write(1, "x", 1)
        }
    }

    @Test func aReportIsNoRefusal() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, .reported)
            DaemonProcess.exit(kill(getpid(), 0) == 0 ? 7 : 1)
        }
    }

    @Test func theResolverSignalsNobodyAndStartsNothing() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterResolver(as: nil, .enforced)
            _ = kill(getppid(), 0)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterResolver(as: nil, .enforced)
            _ = setpriority(__priority_which_t(UInt32(PRIO_PROCESS.rawValue)), id_t(getppid()), 19)
        }
    }

    @Test(arguments: [(0, "no Landlock"), (1, "truncating"), (3, "TCP"), (5, "signals")])
    func anOldKernelIsNamed(abi: Int, words: String) {
        #expect(Confinement.landlockGap(ofABI: abi)?.contains(words) == true)
    }

    @Test func aNewKernelIsWorthNoWord() {
        #expect(Confinement.landlockGap(ofABI: 6) == nil)
        #expect(Confinement.landlockGap(ofABI: 99) == nil)
    }
}
