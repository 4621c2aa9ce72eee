import Glibc
import LinuxSystem
import Testing

@Suite("Processes that fork without exec")
struct ProcessTests {
    @Test func forkingBesideAnotherThreadStopsTheProcess() async {
        // The runner of the tests has threads of its own.
        await #expect(processExitsWith: .signal(SIGABRT)) {
            _ = try DaemonProcess.fork()
            DaemonProcess.exit(Seen.allWell)
        }
    }

    @Test func aProcessWithOneThreadMayForkAndReapItsChildren() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            endWithOneThread { forkAndReap() }
        }
    }

    @Test func librariesHearOfAForkInTheChild() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            endWithOneThread {
                // What a library does that keeps random numbers or its process id.
                _ = pthread_atfork(nil, nil) { DaemonProcess.exit(9) }
                guard case .parent(let process) = try child({ DaemonProcess.exit(7) }) else {
                    return false
                }
                return DaemonProcess.reap(process, waits: true)?.1 == 9
            }
        }
    }

    @Test func closingSparesOnlyWhatIsKept() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            endWithOneThread {
                let null = unsafe Glibc.open("/dev/null", O_RDWR)
                for number in [3, 20, 21, 22, 40, 1_000] as [CInt] { _ = dup2(null, number) }
                try DaemonProcess.closeDescriptors(except: [40, 1, 21, 21])
                return [0, 1, 2, 21, 40].allSatisfy { isOpen($0) }
                    && [3, null, 20, 22, 39, 41, 1_000].allSatisfy { !isOpen($0) }
            }
        }
    }

    @Test func closingWithoutExceptionsClosesAllButTheFirstThree() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            endWithOneThread {
                let null = unsafe Glibc.open("/dev/null", O_RDWR)
                _ = dup2(null, 3)
                try DaemonProcess.closeDescriptors(except: [])
                return isOpen(0) && isOpen(1) && isOpen(2) && !isOpen(3) && !isOpen(null)
            }
        }
    }

    @Test func silencedDescriptorsLeadNowhere() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            try DaemonProcess.silence(0...1)
            var first = stat()
            var null = stat()
            _ = unsafe fstat(1, &first)
            _ = unsafe stat("/dev/null", &null)
            DaemonProcess.exit(first.st_rdev == null.st_rdev ? Seen.allWell : Seen.amiss)
        }
    }

    @Test func whatIsInUseStaysWhenFreeMemoryIsGivenBack() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            endWithOneThread {
                let bytes = [UInt8](repeating: 7, count: 300_000)
                _ = [UInt8](repeating: 8, count: 100_000).last
                DaemonProcess.releaseFreeMemory(heap: true)
                DaemonProcess.releaseFreeMemory(heap: false)
                return bytes.allSatisfy { $0 == 7 }
            }
        }
    }

    @Test func noVariableOfTheEnvironmentIsLeft() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            _ = unsafe setenv("PORTCULLIS_TEST", "1", 1)
            DaemonProcess.keepEnvironment([])
            let left = unsafe getenv("PORTCULLIS_TEST") != nil || getenv("PATH") != nil
            DaemonProcess.exit(left ? Seen.amiss : Seen.allWell)
        }
    }

    @Test func variablesThatAreNamedStay() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            _ = unsafe setenv("PORTCULLIS_TEST", "1", 1)
            _ = unsafe setenv("PORTCULLIS_OTHER", "2", 1)
            DaemonProcess.keepEnvironment(["PORTCULLIS_TEST", "PORTCULLIS_ABSENT"])
            let value = unsafe getenv("PORTCULLIS_TEST").map { unsafe String(cString: $0) }
            let left = unsafe getenv("PORTCULLIS_OTHER") != nil || getenv("PATH") != nil
            DaemonProcess.exit(value == "1" && !left ? Seen.allWell : Seen.amiss)
        }
    }

    @Test func theChildrenOfAProcessAreKnown() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            endWithOneThread {
                let before = DaemonProcess.children
                guard case .parent(let child) = try child({ sleep(for: .seconds(60)) }) else {
                    return false
                }
                let during = DaemonProcess.children
                DaemonProcess.signal(child, SIGKILL)
                _ = DaemonProcess.reap(child, waits: true)
                return before == [] && during == [child] && DaemonProcess.children == []
            }
        }
    }

    @Test func aProcessWhoseParentHasJustDiedIsTold() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            endWithOneThread {
                var ends: [CInt] = [-1, -1]
                guard unsafe pipe(&ends) == 0 else { return false }
                let input = ends[1]
                _ = try child {
                    let parent = getpid()
                    _ = try? child {
                        while getppid() == parent { sleep(for: .milliseconds(5)) }
                        // A signal at its death comes no more.
                        guard (try? DaemonProcess.endWithParent()) == nil else { return }
                        _ = unsafe write(input, "!", 1)
                    }
                }
                close(input)
                var byte: UInt8 = 0
                return unsafe read(ends[0], &byte, 1) == 1
            }
        }
    }

    @Test(.enabled(if: Credentials.isRoot, "needs root"))
    func assumedIdsCannotBeGivenBack() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            let nobody = Credentials(user: 65_534, group: 65_533)
            try nobody.assume(groups: [65_532])
            let isOther = Credentials.current == nobody && !Credentials.isRoot
            let groups = try Credentials.supplementaryGroups()
            let isBack = setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0
            let isRight = isOther && groups == [65_532] && !isBack
            DaemonProcess.exit(isRight ? Seen.allWell : Seen.amiss)
        }
    }

    @Test func accountsAreLookedUpByName() throws {
        let root = try #require(SystemAccount(named: "root"))
        #expect(root.credentials == Credentials(user: 0, group: 0))
        #expect(root.home.hasPrefix("/"))
        #expect(SystemAccount(named: "no-such-account") == nil)
        #expect(SystemAccount.exists(user: 0))
        #expect(!SystemAccount.exists(user: 3_999_999_999))
    }
}

/// Calls `body` in a process with one thread and ends with what it found.
///
/// A process that was just forked has one thread, whatever its parent has; nothing else opens or
/// closes descriptors there.
private func endWithOneThread(_ body: () throws -> Bool) -> Never {
    let single = Glibc.fork()
    if single == 0 {
        let isRight = (try? body()) ?? false
        DaemonProcess.exit(isRight ? Seen.allWell : Seen.amiss)
    }
    DaemonProcess.exit(DaemonProcess.reap(single, waits: true)?.1 ?? Seen.amiss)
}

/// Forks as the daemon does and looks at how the children end.
private func forkAndReap() -> Bool {
    do {
        guard case .parent(let first) = try child({ DaemonProcess.exit(7) }),
            case .parent(let second) = try child({ sleep(for: .seconds(60)) })
        else { return false }
        let early = DaemonProcess.reap(second)
        DaemonProcess.signal(second, SIGKILL)
        let killed = DaemonProcess.reap(second, waits: true)
        let exited = DaemonProcess.reap(first, waits: true)
        let none = DaemonProcess.reap()
        return early == nil && killed?.0 == second && killed?.1 == 128 + SIGKILL
            && exited?.0 == first && exited?.1 == 7 && none == nil
    } catch {
        return false
    }
}

private func child(_ body: () -> Void) throws -> ForkOutcome {
    let outcome = try DaemonProcess.fork()
    guard outcome == .child else { return outcome }
    body()
    DaemonProcess.exit(Seen.amiss)
}
