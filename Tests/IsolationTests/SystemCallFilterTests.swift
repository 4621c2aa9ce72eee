import TestSupport
import Testing

@testable import Isolation

@Suite("Filters of system calls")
struct SystemCallFilterTests {
    typealias Outcome = SystemCallFilter.Outcome
    typealias Condition = SystemCallFilter.Condition

    private static let calls = SystemCallFilter.words(
        """
        read write close lseek mmap mprotect brk readv pread64 socket connect accept4 sendto recvfrom
        sendmsg recvmsg shutdown bind listen getsockname setsockopt getsockopt clone execve exit
        exit_group kill fcntl fsync ftruncate mkdirat openat unlinkat renameat2 linkat fchownat setuid
        setresuid setgroups prctl chroot mount capset futex epoll_wait fadvise64 seccomp getrandom
        memfd_create statx openat2 sendfile ioctl ptrace
        """
    )

    private static let outcomes: [Outcome] = [.allow, .kill, .fail(1), .fail(38), .fail(95)]

    /// A filter as the words that it was made of.
    private struct Wishes {
        var lists: [(calls: [String], outcome: Outcome)] = []
        var conditions: [Condition] = []
        var otherwise: Outcome

        init(_ random: inout some RandomNumberGenerator) {
            otherwise = [.kill, .fail(1), .allow].randomElement(using: &random) ?? .kill
            let share = Double.random(in: 0...1, using: &random)
            for outcome in [Outcome.allow, .fail(38), .fail(1), .kill] {
                let some = SystemCallFilterTests.calls.filter { _ in
                    Double.random(in: 0...1, using: &random) < share
                }
                lists.append((some, outcome))
            }
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let value = UInt32.random(in: 0...3, using: &random)
                conditions.append(
                    Condition(
                        SystemCallFilterTests.calls.randomElement(using: &random) ?? "read",
                        CInt.random(in: 0...2, using: &random),
                        Bool.random(using: &random) ? .equals(value) : .hasAny(value),
                        and: Bool.random(using: &random) ? (argument: 1, value: value) : nil,
                        SystemCallFilterTests.outcomes.randomElement(using: &random) ?? .kill
                    )
                )
            }
        }

        var filter: SystemCallFilter {
            SystemCallFilter(
                allowed: lists[0].calls,
                absent: lists[1].calls,
                forbidden: lists[2].calls,
                fatal: lists[3].calls,
                conditions: conditions,
                otherwise: otherwise
            )
        }

        /// What becomes of a call, worked out from the words.
        func outcome(of number: UInt32, _ arguments: [UInt64]) -> Outcome {
            for condition in conditions
            where SystemCallFilter.number(of: condition.call) == CInt(bitPattern: number) {
                let value = UInt32(truncatingIfNeeded: arguments[Int(condition.argument)])
                let holds =
                    switch condition.test {
                    case .equals(let other): value == other
                    case .hasAny(let bits): value & bits != 0
                    }
                let second = condition.second.map {
                    UInt32(truncatingIfNeeded: arguments[Int($0.argument)]) == $0.value
                }
                if holds, second ?? true { return condition.outcome }
            }
            for (calls, outcome) in lists
            where calls.contains(where: {
                SystemCallFilter.number(of: $0) == CInt(bitPattern: number)
            }) {
                return outcome
            }
            return otherwise
        }
    }

    /// Runs a filter as the kernel does (BPF, as far as our filters use it).
    ///
    /// - Returns: The answer; `nil` where the filter leaves its own steps.
    private static func answer(
        of steps: [UInt64],
        to number: UInt32,
        _ arguments: [UInt64],
        architecture: UInt32
    ) -> UInt32? {
        // struct seccomp_data: number, architecture, instruction pointer, arguments.
        var words = [number, architecture, 0, 0]
        for argument in arguments {
            words += [UInt32(truncatingIfNeeded: argument), UInt32(argument >> 32)]
        }
        var loaded: UInt32 = 0
        var place = 0
        while place < steps.count {
            let step = steps[place]
            let value = UInt32(step >> 32)
            let (whenTrue, whenFalse) = (Int(step >> 16 & 0xFF), Int(step >> 24 & 0xFF))
            place += 1
            switch step & 0xFFFF {
            case 0x20: loaded = words[Int(value) / 4]
            case 0x06: return value
            case 0x15: place += loaded == value ? whenTrue : whenFalse
            case 0x35: place += loaded >= value ? whenTrue : whenFalse
            case 0x45: place += loaded & value != 0 ? whenTrue : whenFalse
            default: return nil
            }
        }
        return nil
    }

    /// The architecture that a filter lets pass, which it asks for first.
    private static func architecture(of steps: [UInt64]) -> UInt32 { UInt32(steps[1] >> 32) }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func everyCallIsAnsweredAsTheWordsSay(seed: UInt64) throws {
        var random = FixedGenerator(seed: seed)
        let wishes = Wishes(&random)
        let steps = wishes.filter.enforcing
        let architecture = Self.architecture(of: steps)
        let numbers =
            [UInt32](0...520) + [1_023, 0x4000_0000, 0x4000_0001, 0x7FFF_FFFF, 0x8000_0000, .max]
        for number in numbers {
            for _ in 0..<2 {
                let arguments = (0..<6).map { _ in
                    UInt64.random(in: 0...4, using: &random) | UInt64.random(
                        in: 0...1,
                        using: &random
                    ) << 32
                }
                let expected = SystemCallFilter.action(wishes.outcome(of: number, arguments))
                let answer = Self.answer(
                    of: steps,
                    to: number,
                    arguments,
                    architecture: architecture
                )
                try #require(answer == expected, "call \(number) with \(arguments)")
            }
        }
    }

    @Test func anotherArchitectureEndsTheProcess() {
        let steps = SystemCallFilter.session.enforcing
        let other = Self.architecture(of: steps) ^ 1
        for number in [0, 1, 59, 231] as [UInt32] {
            let answer = Self.answer(
                of: steps,
                to: number,
                [0, 0, 0, 0, 0, 0],
                architecture: other
            )
            #expect(answer == SystemCallFilter.action(.kill))
        }
    }
}
