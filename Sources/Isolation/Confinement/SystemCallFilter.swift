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
        let outcome: Outcome

        init(_ call: String, _ argument: CInt, _ test: Test, _ outcome: Outcome) {
            self.call = call
            self.argument = argument
            self.test = test
            self.outcome = outcome
        }
    }

    /// More than any filter has.
    private static let maximumStepCount = 4_096

    private let rules: [CLinux_call_rule]
    private let otherwise: Outcome
    private let enforcing: [UInt64]

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
        rules =
            conditions.map(Self.rule)
            + lists.flatMap { names, outcome in
                names.map { Self.rule(Condition($0, -1, .equals(0), outcome)) }
            }
        self.otherwise = otherwise
        enforcing = Self.steps(rules, otherwise: Self.action(otherwise))
    }

    /// Installs the filter for good.
    ///
    /// - Throws: ``SystemError``; the process must not go on then.
    func install(_ policy: SystemCallPolicy) throws(SystemError) {
        var steps = enforcing
        switch policy {
        case .unfiltered: return
        case .enforced: break
        case .reported: steps = reporting
        }
        try checked("seccomp", unsafe CLinux_install_filter(steps, steps.count))
    }

    /// The same filter, which has the kernel log a call instead of refusing it.
    private var reporting: [UInt64] {
        let rules = rules.map { rule in
            var rule = rule
            switch rule.action {
            case CLinux_SECCOMP_ALLOW, Self.action(.fail(ENOSYS)): break
            default: rule.action = CLinux_SECCOMP_LOG
            }
            return rule
        }
        return Self.steps(rules, otherwise: CLinux_SECCOMP_LOG)
    }

    private static func steps(_ rules: [CLinux_call_rule], otherwise: UInt32) -> [UInt64] {
        var steps = [UInt64](repeating: 0, count: maximumStepCount)
        let count = unsafe CLinux_make_filter(rules, rules.count, otherwise, &steps, steps.count)
        precondition(count > 0, "a filter of ours is too long")
        return [UInt64](steps.prefix(Int(count)))
    }

    private static func rule(_ condition: Condition) -> CLinux_call_rule {
        let number = unsafe CLinux_system_call_number(condition.call)
        precondition(number >= -1, "there is no such system call")
        var rule = CLinux_call_rule()
        rule.call = number
        rule.argument = condition.argument
        switch condition.test {
        case .equals(let value): rule.value = value
        case .hasAny(let bits):
            rule.has_any_bit = 1
            rule.value = bits
        }
        rule.action = action(condition.outcome)
        return rule
    }

    private static func action(_ outcome: Outcome) -> UInt32 {
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
