internal import ArgumentParser
internal import Glibc
internal import Isolation
internal import LinuxSystem
internal import Portcullis

/// Files of the audit trail, the oldest first.
struct AuditFiles {
    private static let pieceByteCount = 262_144

    let names: [String]

    /// Puts files into the order in which they were written, whatever order a shell names them in.
    init(_ names: [String]) throws {
        guard names.count > 1 else {
            self.names = names
            return
        }
        var times: [(name: String, time: String)] = []
        for name in names {
            var first: [UInt8] = []
            try Self.read(name) { piece in
                first += piece
                return !piece.contains(UInt8(ascii: "\n")) && first.count < 1_048_576
            }
            let line = first.prefix { $0 != UInt8(ascii: "\n") }
            times.append((name, AuditLine([UInt8](line))?.time ?? ""))
        }
        self.names = times.sorted { ($0.time, $0.name) < ($1.time, $1.name) }.map(\.name)
    }

    /// Reads all of them through a verifier, and shows on a terminal how far it is.
    func verify(
        mustBeSealed: Bool,
        key: String? = nil,
        _ body: (AuditLine, [UInt8]) -> Void = { _, _ in }
    ) throws -> AuditVerifier {
        var verifier = AuditVerifier(key: key)
        var progress = Progress()
        for name in names {
            verifier.begin(name)
            try Self.read(name) { piece in
                verifier.take(piece, body)
                progress.note(piece.count, of: name)
                return true
            }
            verifier.end()
        }
        verifier.endAll(mustBeSealed: mustBeSealed)
        progress.end()
        return verifier
    }

    private static func read(_ name: String, _ body: (ArraySlice<UInt8>) -> Bool) throws {
        let number = unsafe open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard number >= 0 else { throw unreadable(name, SystemError("open")) }
        let file = OwnedDescriptor(owning: number)
        file.expectSequentialReads()
        var bytes = [UInt8](repeating: 0, count: pieceByteCount)
        while true {
            let count: Int
            do throws(SystemError) {
                var space = bytes.mutableSpan
                count = try unsafe space.withUnsafeMutableBytes { buffer throws(SystemError) in
                    try unsafe file.read(into: buffer)
                }
            } catch {
                throw unreadable(name, error)
            }
            guard count > 0, body(bytes[..<count]) else { return }
        }
    }

    private static func unreadable(_ name: String, _ error: SystemError) -> ExitCode {
        complain("\(name) cannot be read (\(error))")
        // EX_NOINPUT of sysexits.h: neither intact nor broken.
        return ExitCode(66)
    }
}

/// How far a long reading is, for whoever watches; nothing is shown in a pipe.
private struct Progress {
    private static let stepByteCount = 16 * 1_048_576

    private let isWatched = isatty(STDERR_FILENO) == 1
    private var byteCount = 0
    private var next = stepByteCount

    mutating func note(_ count: Int, of name: String) {
        byteCount += count
        guard isWatched, byteCount >= next else { return }
        next += Self.stepByteCount
        write("\r\(name): \(byteCount / 1_048_576) MiB read\u{1B}[K")
    }

    func end() {
        if isWatched, next > Self.stepByteCount { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        _ = unsafe text.withCString { unsafe Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }
}
