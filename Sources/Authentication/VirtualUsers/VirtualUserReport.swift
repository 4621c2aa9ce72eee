package import LinuxSystem

/// What `virtual_users_file` holds, for `check-config`, the start and SIGHUP; without any hash.
package struct VirtualUserReport: Hashable, Sendable {
    /// How many users there are.
    package private(set) var userCount = 0

    /// Whether everybody on this machine may read the hashes.
    package private(set) var isReadableByOthers = false

    /// Every line that makes no sense, each `line N: why`.
    package private(set) var problems: [String] = []

    /// Why the file as a whole is not used; nobody of it can log in then.
    package private(set) var failure: Failure?

    /// Why a file is not used.
    package struct Failure: Hashable, Sendable {
        /// The end of a sentence that begins with the file.
        package let reason: String
        /// Whether it is there, and somebody else might have written it.
        package let isUnsafe: Bool
    }

    /// Reads the file in a short process, so that no hash stays in this one.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - problemWithOptions: Says what is wrong with the options of a user.
    package init(of path: String, _ problemWithOptions: ([String]) -> String? = { _ in nil }) {
        do {
            let message = try inShortProcess(maximumByteCount: 4 << 20) {
                VirtualUserReport(reading: path, problemWithOptions).encoded
            }
            try self.init(decoding: message)
        } catch {
            self.init(failure: "it cannot be read (\(error))")
        }
    }

    private init(failure reason: String) {
        failure = Failure(reason: reason, isUnsafe: false)
    }

    private init(reading path: String, _ problemWithOptions: ([String]) -> String?) {
        do throws(GuardedFileError) {
            let file = try GuardedFile(
                at: path,
                maximumByteCount: VirtualUserFile.maximumByteCount
            )
            isReadableByOthers = file.isReadableByOthers
            let (users, problems) = VirtualUserFile(file.content).read()
            userCount = users.count
            let others = users.compactMap { entry in
                problemWithOptions(entry.user.options).map {
                    NumberedProblem(line: entry.line, why: $0)
                }
            }
            self.problems = (problems + others).sorted { $0.line < $1.line }.map(\.description)
        } catch {
            failure = Failure(reason: error.reason, isUnsafe: error.isUnsafe)
        }
    }

    /// The most lines that are told, and bytes of each.
    private static let maximumProblemCount = 100
    private static let maximumProblemByteCount = 4_096

    private var encoded: [UInt8] {
        var writer = MessageWriter(tag: 1)
        writer.put(UInt32(clamping: userCount))
        writer.put(isReadableByOthers)
        writer.put(failure?.isUnsafe ?? false)
        writer.put(failure?.reason ?? "")
        let told = problems.prefix(Self.maximumProblemCount)
        writer.put(UInt32(told.count))
        for problem in told { writer.put(problem.cut(toByteCount: Self.maximumProblemByteCount)) }
        return writer.bytes
    }

    private init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        userCount = Int(try reader.take(UInt32.self))
        isReadableByOthers = try reader.takeBool()
        let isUnsafe = try reader.takeBool()
        let reason = try reader.takeString(maximum: 4_096)
        if !reason.isEmpty { failure = Failure(reason: reason, isUnsafe: isUnsafe) }
        let count = try reader.take(UInt32.self)
        for _ in 0..<min(count, UInt32(Self.maximumProblemCount)) {
            problems.append(try reader.takeString(maximum: Self.maximumProblemByteCount))
        }
        try reader.finish()
    }
}

extension VirtualUserFile {
    /// Reads a file that nobody else may write.
    ///
    /// - Throws: ``GuardedFileError``.
    package init(at path: String) throws(GuardedFileError) {
        self.init(try GuardedFile(at: path, maximumByteCount: Self.maximumByteCount).content)
    }
}
