internal import Glibc

/// What a command that takes its time says meanwhile: one line on a terminal, and nothing elsewhere.
struct ProgressLine {
    private let isShown: Bool
    private var isEmpty = true

    /// Looks whether somebody sits at standard error.
    init() {
        isShown = isatty(STDERR_FILENO) == 1
    }

    /// Shows what is being done, in place of what was shown before.
    mutating func show(_ text: String) {
        guard isShown else { return }
        write("\r\u{1B}[K\(text) …")
        isEmpty = false
    }

    /// Takes the line away again.
    mutating func clear() {
        guard isShown, !isEmpty else { return }
        write("\r\u{1B}[K")
        isEmpty = true
    }

    private func write(_ text: String) {
        // SAFETY: the string is NUL-terminated for the call.
        _ = unsafe text.withCString { unsafe Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }
}
