internal import CLinux
internal import Glibc
internal import LinuxSystem

/// A seccomp filter: the system calls that a role may make, and what becomes of every other one.
struct SystemCallFilter {
    /// What becomes of a call.
    enum Outcome {
        /// It is carried out.
        case allow
        /// It fails with this errno value.
        case fail(CInt)
        /// It ends the process.
        case kill
    }

    /// What an argument is held against.
    enum Test {
        /// It is this number.
        case equals(UInt32)
        /// It has one of these bits.
        case hasAny(UInt32)
    }

    /// A call whose outcome depends on an argument.
    struct Condition {
        let call: String
        let argument: CInt
        let test: Test
        /// A second argument, and the number that it has to be as well.
        let second: (argument: CInt, value: UInt32)?
        let outcome: Outcome

        init(
            _ call: String,
            _ argument: CInt,
            _ test: Test,
            and second: (argument: CInt, value: UInt32)? = nil,
            _ outcome: Outcome
        ) {
            self.call = call
            self.argument = argument
            self.test = test
            self.second = second
            self.outcome = outcome
        }
    }

    /// More than any filter has.
    private static let maximumStepCount = 4_096

    // Kept for good, and by nobody in particular: every process that took hold of an array would have to
    // copy the page where its holders are counted.
    private let enforcingSteps: Steps
    private let reportingSteps: Steps

    /// The steps that the kernel takes for each call (`struct sock_filter`).
    var enforcing: [UInt64] { unsafe [UInt64](enforcingSteps.words) }

    /// Describes a filter.
    ///
    /// - Parameters:
    ///   - allowed: Calls that are carried out.
    ///   - absent: Calls that libraries try in passing and can do without: they get `ENOSYS`, and are
    ///     no report worth.
    ///   - forbidden: Calls that get `EPERM`.
    ///   - fatal: Calls that end the process, where `otherwise` does not.
    ///   - conditions: Calls whose arguments decide; the first that holds counts, before the lists.
    ///   - otherwise: What becomes of every call that stands nowhere.
    init(
        allowed: [String],
        absent: [String] = [],
        forbidden: [String] = [],
        fatal: [String] = [],
        conditions: [Condition] = [],
        otherwise: Outcome = .kill
    ) {
        let lists: [([String], Outcome)] = [
            (allowed, .allow), (absent, .fail(ENOSYS)), (forbidden, .fail(EPERM)), (fatal, .kill),
        ]
        let rules =
            conditions.map(Self.rule)
            + lists.flatMap { names, outcome in
                names.map { Self.rule(Condition($0, -1, .equals(0), outcome)) }
            }
        enforcingSteps = Self.steps(rules, otherwise: Self.action(otherwise))
        reportingSteps = Self.steps(rules.map(Self.reported), otherwise: CLinux_SECCOMP_LOG)
    }

    /// Installs the filter for good.
    ///
    /// - Parameters:
    ///   - policy: What becomes of calls that it does not allow.
    ///   - channels: What stands in the filter's ``channelPlaces``, in their order.
    /// - Throws: ``SystemError``; the process must not go on then.
    func install(
        _ policy: SystemCallPolicy,
        channels: [CInt] = []
    ) throws(SystemError) {
        let steps: Steps
        switch policy {
        case .unfiltered: return
        case .enforced: steps = enforcingSteps
        case .reported: steps = reportingSteps
        }
        guard channels.isEmpty else {
            let filled = unsafe steps.words.map { Self.filled($0, with: channels) }
            try checked("seccomp", unsafe CLinux_install_filter(filled, filled.count))
            return
        }
        try checked(
            "seccomp",
            unsafe CLinux_install_filter(steps.words.baseAddress, steps.words.count)
        )
    }

    /// The same rule, which has the kernel log a call instead of refusing it.
    private static func reported(_ rule: CLinux_call_rule) -> CLinux_call_rule {
        var rule = rule
        switch rule.action {
        case CLinux_SECCOMP_ALLOW, Self.action(.fail(ENOSYS)): break
        default: rule.action = CLinux_SECCOMP_LOG
        }
        return rule
    }

    /// What the kernel takes.
    private struct Steps: Sendable {
        private let address: UInt
        private let count: Int

        init(_ steps: some Collection<UInt64>) {
            let room = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: steps.count)
            _ = unsafe room.initialize(fromContentsOf: steps)
            address = UInt(bitPattern: room.baseAddress)
            count = steps.count
        }

        /// The steps themselves.
        // SAFETY: the memory is never given back, and never written to again.
        var words: UnsafeBufferPointer<UInt64> {
            unsafe UnsafeBufferPointer(start: UnsafePointer(bitPattern: address), count: count)
        }
    }

    private static func steps(_ rules: [CLinux_call_rule], otherwise: UInt32) -> Steps {
        var steps = [UInt64](repeating: 0, count: maximumStepCount)
        let count = unsafe CLinux_make_filter(rules, rules.count, otherwise, &steps, steps.count)
        precondition(count > 0, "a filter of ours is too long")
        return Steps(steps.prefix(Int(count)))
    }

    /// A step with the number of a channel in the place of what stands for it (`struct sock_filter`,
    /// whose last half is what is compared with).
    private static func filled(_ step: UInt64, with channels: [CInt]) -> UInt64 {
        let value = UInt32(truncatingIfNeeded: step >> 32)
        guard let index = channelPlaces.firstIndex(of: value), index < channels.count else {
            return step
        }
        let number = UInt64(UInt32(bitPattern: channels[index]))
        return step & 0xFFFF_FFFF | number << 32
    }

    private static func rule(_ condition: Condition) -> CLinux_call_rule {
        var rule = CLinux_call_rule()
        rule.call = number(of: condition.call)
        rule.argument = condition.argument
        switch condition.test {
        case .equals(let value): rule.value = value
        case .hasAny(let bits):
            rule.has_any_bit = 1
            rule.value = bits
        }
        rule.second_argument = condition.second?.argument ?? -1
        rule.second_value = condition.second?.value ?? 0
        rule.action = action(condition.outcome)
        return rule
    }

    /// The number of a call; -1 where this architecture has none.
    static func number(of call: String) -> CInt {
        let number = unsafe CLinux_system_call_number(call)
        precondition(number >= -1, "there is no such system call")
        return number
    }

    /// What the kernel is answered.
    static func action(_ outcome: Outcome) -> UInt32 {
        switch outcome {
        case .allow: CLinux_SECCOMP_ALLOW
        case .fail(let errno): CLinux_SECCOMP_ERRNO | UInt32(clamping: errno)
        case .kill: CLinux_SECCOMP_KILL_PROCESS
        }
    }

    /// The words of a text.
    static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
