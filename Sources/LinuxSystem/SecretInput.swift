internal import Glibc

/// Why no secret was read.
package enum SecretInputError: Error, Hashable, Sendable {
    /// There was nothing more to read, or the person gave up.
    case ended
    /// More bytes than a password may have.
    case tooLong
    /// A byte that cannot be part of a password.
    case forbiddenByte
    /// A system call failed.
    case failed(SystemError)
}

/// Whether somebody sits at the standard input.
package var standardInputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

/// Reads one line from the standard input into memory that wipes itself.
///
/// Reads byte by byte: what stands behind the line is left for whoever comes next.
package func readSecretLine(maximumByteCount: Int) throws(SecretInputError) -> Secret {
    var line: [UInt8] = []
    // Growing would leave copies behind.
    line.reserveCapacity(maximumByteCount + 2)
    defer { line.wipe() }
    while true {
        guard let byte = try readByte() else {
            guard !line.isEmpty else { throw .ended }
            break
        }
        if byte == 0x0A { break }
        guard byte != 0 else { throw .forbiddenByte }
        line.append(byte)
        guard line.count <= maximumByteCount + 1 else { throw .tooLong }
    }
    if line.last == 0x0D { line.removeLast() }
    guard line.count <= maximumByteCount else { throw .tooLong }
    return Secret(copying: line)
}

/// Asks for a secret on the terminal at the standard input, without showing what is typed.
///
/// Takes the keys itself and lets the terminal make no signals of them (termios(3)), so that the
/// terminal is always put back the way it was.
///
/// - Throws: ``SecretInputError/ended`` also for ^C and ^D.
package func promptForSecret(
    _ prompt: String,
    maximumByteCount: Int
) throws(SecretInputError) -> Secret {
    var settings = termios()
    guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else {
        throw .failed(SystemError("tcgetattr"))
    }
    var quiet = settings
    quiet.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | ISIG)
    guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0 else {
        throw .failed(SystemError("tcsetattr"))
    }
    defer {
        _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        writeToStandardError("\n")
    }
    writeToStandardError(prompt)
    var line: [UInt8] = []
    line.reserveCapacity(maximumByteCount + 1)
    defer { line.wipe() }
    while true {
        switch try readByte() {
        case 0x0A, 0x0D: return Secret(copying: line)
        case nil, 0x03, 0x04: throw .ended
        case 0x08, 0x7F: _ = line.popLast()
        case 0x15: line.removeAll(keepingCapacity: true)
        case .some(let byte):
            guard byte >= 0x20 else { throw .forbiddenByte }
            guard line.count < maximumByteCount else { throw .tooLong }
            line.append(byte)
        }
    }
}

private func readByte() throws(SecretInputError) -> UInt8? {
    var byte: UInt8 = 0
    while true {
        let count = unsafe read(STDIN_FILENO, &byte, 1)
        if count >= 0 { return count == 0 ? nil : byte }
        guard errno == EINTR else { throw .failed(SystemError("read")) }
    }
}

private func writeToStandardError(_ text: String) {
    _ = unsafe text.withCString { unsafe write(STDERR_FILENO, $0, strlen($0)) }
}
