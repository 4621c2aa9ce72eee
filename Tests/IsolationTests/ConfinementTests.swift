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

    // F_SETLK, F_OFD_SETLK, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ and F_ADD_SEALS of fcntl(2).
    @Test(arguments: [6, 37, 1_024, 1_026, 1_031, 1_033])
    func neitherSessionNorAgentChangesWhatADescriptorIsToOthers(command: CInt) async {
        await #expect(processExitsWith: Self.killed) { [command] in
            try Confinement.enterSession(as: nil, .enforced)
            _ = fcntl(0, command, 0)
        }
        await #expect(processExitsWith: Self.killed) { [command] in
            try Confinement.enterAgent(root: -1, changesRoot: false, isOfProgram: false, .enforced)
            _ = fcntl(0, command, 0)
        }
    }

    @Test func aSessionOpensNoFile() async {
        // Refused, not killed: libraries look for files where they need none.
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, .enforced)
            DaemonProcess.exit(unsafe open("/etc/passwd", O_RDONLY) < 0 ? 7 : 1)
        }
    }

    @Test func aSessionHasTheKernelSendFilesOnlyWhereAProgramWantsIt() async {
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            _ = sendfile(-1, -1, nil, 0)
        }
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, .enforced, sendsFiles: true)
            DaemonProcess.exit(sendfile(-1, -1, nil, 0) < 0 ? 7 : 1)
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
            try Confinement.enterAgent(root: -1, changesRoot: false, isOfProgram: false, .enforced)
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

    @Test func aSessionSetsTheFewOptionsThatItNeeds() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, .enforced)
            var value: CInt = 1
            for (level, name) in [(6, 1), (6, 12), (1, 9), (1, 10)] as [(CInt, CInt)] {
                _ = unsafe setsockopt(0, level, name, &value, 4)
            }
            DaemonProcess.exit(7)
        }
    }

    // 12 is another option of another level.
    @Test(arguments: [12, 13, 26, 31, 50, 51, 52])
    func aSessionNeitherHandsProgramsToTheKernelNorHasOthersWait(option: CInt) async {
        await #expect(processExitsWith: Self.killed) { [option] in
            try Confinement.enterSession(as: nil, .enforced)
            var value: CInt = 0
            _ = unsafe setsockopt(0, SOL_SOCKET, option, &value, 4)
        }
    }

    // TCP_ULP, and TLS_TX of SOL_TLS.
    @Test(arguments: [(6, 31), (282, 1)] as [(CInt, CInt)])
    func aSessionOffersNoKeysToTheKernelWhereItMayNot(level: CInt, option: CInt) async {
        await #expect(processExitsWith: Self.killed) { [level, option] in
            try Confinement.enterSession(as: nil, .enforced)
            _ = unsafe setsockopt(0, level, option, "tls", 4)
        }
    }

    @Test func aSessionOffersKeysAndFilesToTheKernelWhereItMay() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, .enforced, encryptingBeside: [60, 61])
            _ = unsafe setsockopt(0, 6, 31, "tls", 4)
            _ = unsafe setsockopt(0, 282, 1, "", 0)
            DaemonProcess.exit(sendfile(-1, -1, nil, 0) < 0 ? 7 : 1)
        }
        // TLS_RX: what is received is not for the kernel.
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced, encryptingBeside: [60, 61])
            _ = unsafe setsockopt(0, 282, 2, "", 0)
        }
    }

    @Test func aSessionEndsTLSByTheKernelOnlyWhereItMay() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try Confinement.enterSession(as: nil, .enforced, encryptingBeside: [60, 61])
            var message = unsafe msghdr()
            DaemonProcess.exit(unsafe sendmsg(62, &message, 0) < 0 ? 7 : 1)
        }
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced)
            var message = unsafe msghdr()
            _ = unsafe sendmsg(62, &message, 0)
        }
    }

    @Test(arguments: [60, 61] as [CInt])
    func aSessionThatMayHandsNoDescriptorToItsChannels(channel: CInt) async {
        await #expect(processExitsWith: Self.killed) { [channel] in
            try Confinement.enterSession(as: nil, .enforced, encryptingBeside: [60, 61])
            var message = unsafe msghdr()
            _ = unsafe sendmsg(channel, &message, 0)
        }
        // Nor to a copy of them.
        await #expect(processExitsWith: Self.killed) { [channel] in
            try Confinement.enterSession(as: nil, .enforced, encryptingBeside: [60, 61])
            _ = fcntl(channel, F_DUPFD_CLOEXEC, 70)
        }
    }

    @Test func aSessionThatMayConnectsNothingBySending() async {
        // MSG_FASTOPEN of sendmsg(2).
        await #expect(processExitsWith: Self.killed) {
            try Confinement.enterSession(as: nil, .enforced, encryptingBeside: [60, 61])
            var message = unsafe msghdr()
            _ = unsafe sendmsg(62, &message, 0x2000_0000)
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
            try Confinement.enterAgent(root: -1, changesRoot: false, isOfProgram: false, .enforced)
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

    @Test(arguments: [
        (0, "this kernel has no Landlock; the jail rests on openat2 and seccomp"),
        (1, "this kernel's Landlock does not hold against truncating files, TCP and signals"),
        (2, "this kernel's Landlock does not hold against truncating files, TCP and signals"),
        (3, "this kernel's Landlock does not hold against TCP and signals"),
        (4, "this kernel's Landlock does not hold against signals"),
        (5, "this kernel's Landlock does not hold against signals"),
    ])
    func anOldKernelIsNamed(abi: Int, words: String) {
        #expect(Confinement.landlockGap(ofABI: abi) == words)
    }

    @Test func aNewKernelIsWorthNoWord() {
        #expect(Confinement.landlockGap(ofABI: 6) == nil)
        #expect(Confinement.landlockGap(ofABI: 99) == nil)
    }
}
