/// What comes of system calls that a role has no use for (`seccomp_sandbox`, `seccomp_report`).
package enum SystemCallPolicy: Hashable, Sendable {
    /// They are carried out.
    case unfiltered
    /// They are carried out, and the kernel's log tells of them: for development.
    case reported
    /// They are refused, or end the process.
    case enforced
}
