internal import FTPProtocol
internal import LinuxSystem

/// What a look for a user of `virtual_users_file` brought.
///
/// Made in a process of its own, which alone sees the hashes, and told to the Warden as a message.
enum VirtualUserCheck: Hashable {
    /// The password is right.
    case right(home: String, permissions: Permissions, options: [String])
    /// Nobody in the file has this name.
    case unknown
    /// The password is wrong.
    case wrong
    /// The user is kept out.
    case denied(rule: String, isGuess: Bool = false)
    /// The file cannot be used, or the user's line makes no sense.
    case unavailable(reason: String)

    /// The longest text, and the most options, in one message.
    private static let maximumTextByteCount = 65_536
    private static let maximumOptionCount: UInt32 = 1_024

    private enum Tag: UInt8 {
        case right = 1
        case unknown
        case wrong
        case denied
        case unavailable
    }

    /// The message.
    var encoded: [UInt8] {
        switch self {
        case .right(let home, let permissions, let options):
            var writer = MessageWriter(tag: Tag.right.rawValue)
            writer.put(home)
            writer.put(permissions.rawValue)
            writer.put(UInt32(options.count))
            for option in options { writer.put(option) }
            return writer.bytes
        case .unknown: return [Tag.unknown.rawValue]
        case .wrong: return [Tag.wrong.rawValue]
        case .denied(let rule, let isGuess):
            var writer = MessageWriter(tag: Tag.denied.rawValue)
            writer.put(rule)
            writer.put(isGuess)
            return writer.bytes
        case .unavailable(let reason):
            var writer = MessageWriter(tag: Tag.unavailable.rawValue)
            writer.put(reason)
            return writer.bytes
        }
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let tag = Tag(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        switch tag {
        case .right:
            let home = try reader.takeString(maximum: Self.maximumTextByteCount)
            let permissions = Permissions(rawValue: try reader.take())
            let count = try reader.take(UInt32.self)
            guard count <= Self.maximumOptionCount else { throw .tooLong(byteCount: Int(count)) }
            var options: [String] = []
            for _ in 0..<count {
                options.append(try reader.takeString(maximum: Self.maximumTextByteCount))
            }
            self = .right(home: home, permissions: permissions, options: options)
        case .unknown: self = .unknown
        case .wrong: self = .wrong
        case .denied:
            let rule = try reader.takeString(maximum: 1_024)
            self = .denied(rule: rule, isGuess: try reader.takeBool())
        case .unavailable: self = .unavailable(reason: try reader.takeString(maximum: 1_024))
        }
        try reader.finish()
    }
}

extension VirtualUserCheck {
    /// Reads the file, finds the user and checks the password; every way out costs one hash.
    init(_ path: String, _ name: String, _ password: borrowing Secret) {
        do throws(GuardedFileError) {
            self.init(try VirtualUserFile(at: path).lookUp(name), password)
        } catch {
            self = .unavailable(reason: error.reason)
        }
    }

    /// Reads the file and finds a user who needs no password.
    init(_ path: String, admitting name: String) {
        do throws(GuardedFileError) {
            switch try VirtualUserFile(at: path).lookUp(name) {
            case .absent: self = .unknown
            case .malformed(let problem, _): self = .unavailable(reason: "\(problem)")
            case .present(let user, _): self.init(admitting: user)
            }
        } catch {
            self = .unavailable(reason: error.reason)
        }
    }

    private init(_ finding: VirtualUserFinding, _ password: borrowing Secret) {
        switch finding {
        case .absent(let sample):
            Self.spend(password, sample)
            self = .unknown
        case .malformed(let problem, let sample):
            Self.spend(password, sample)
            self = .unavailable(reason: "\(problem)")
        case .present(let user, let sample):
            guard let hash = user.hash else {
                Self.spend(password, sample)
                self = .denied(rule: "the user has no password", isGuess: true)
                return
            }
            guard hash.matches(password), password.count > 0 else {
                self = .wrong
                return
            }
            self.init(admitting: user)
        }
    }

    private init(admitting user: VirtualUser) {
        guard !user.isLocked else {
            self = .denied(rule: "the user is locked")
            return
        }
        self = .right(home: user.home, permissions: user.permissions, options: user.options)
    }

    /// Takes the time that a check takes, so that nobody can tell by it which users there are.
    private static func spend(_ password: borrowing Secret, _ sample: PasswordHash?) {
        if let sample {
            _ = sample.matches(password)
        } else {
            _ = PasswordHash.make(password)
        }
    }
}
