internal import Authentication
internal import FTPProtocol

/// A user as an ``Authorizer`` describes one: the files, and what may be done to them.
public struct FTPUser: Hashable, Sendable {
    /// The name, for the log and for ``FTPHandler/onLogin(user:)``.
    public var name: String

    /// The directory that the user sees as `/`.
    public var home: String

    /// What the user may do.
    public var permissions: FTPPermissions

    /// What holds in single directories, in place of ``permissions``.
    public var overrides: [PermissionsOverride] = []

    /// What the client is told after the login; `nil` for the usual words.
    public var loginMessage: String?

    /// What the client is told in reply to QUIT; `nil` for the usual words.
    public var quitMessage: String?

    /// Sessions that the user may have at once; 0 for any number.
    public var maximumSessions = 0

    /// The account of the system under whose ids files are opened in ``Concurrency/processes`` where
    /// the program is root's.
    ///
    /// `nil` for the owner of ``home``, who must not be root then.
    public var systemAccount: String?

    /// Describes a user.
    ///
    /// - Parameters:
    ///   - name: The login name.
    ///   - home: An absolute path.
    ///   - permissions: What the user may do, such as `elradfmwMT`.
    public init(_ name: String, home: String, permissions: FTPPermissions = .readOnly) {
        self.name = name
        self.home = home
        self.permissions = permissions
    }

    /// What holds in one directory (``DummyAuthorizer/overridePerm(_:directory:permissions:recursive:)``).
    public struct PermissionsOverride: Hashable, Sendable {
        /// The directory, from the user's `/` on.
        public var directory: String
        /// What may be done there.
        public var permissions: FTPPermissions
        /// Whether it holds in every directory beneath, too.
        public var isRecursive: Bool

        /// Describes an override.
        public init(_ directory: String, _ permissions: FTPPermissions, recursive: Bool = false) {
            self.directory = directory
            self.permissions = permissions
            isRecursive = recursive
        }
    }

    /// Options in the configuration's own language, which each session applies.
    ///
    /// - Throws: ``LoginRefusal`` for what they cannot say.
    var options: [String] {
        get throws(LoginRefusal) {
            var options: [String] = []
            for (name, text) in [("login_message", loginMessage), ("quit_message", quitMessage)] {
                guard let text else { continue }
                // One line of a reply each; the option's own notation stands for the line ends.
                guard !text.utf8.contains(where: { $0 < 0x20 }) else {
                    throw .unavailable(reason: "\(name): control characters in a message")
                }
                options.append("\(name)=\(text)")
            }
            if maximumSessions > 0 { options.append("max_per_user=\(maximumSessions)") }
            let words = try overrides.map { override throws(LoginRefusal) in
                let directory = override.directory
                guard directory.hasPrefix("/"),
                    !directory.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ",") })
                else {
                    throw .unavailable(reason: "overrides: `\(directory)` cannot be a directory")
                }
                let suffix = override.isRecursive ? ":recursive" : ""
                return "\(directory):\(override.permissions.letters)\(suffix)"
            }
            if !words.isEmpty { options.append("override_perm=\(words.joined(separator: ","))") }
            return options
        }
    }
}

/// What a user may do, in the letters that pyftpdlib made known.
///
/// `e` change the directory, `l` list, `r` download, `a` append, `d` delete, `f` rename, `m` make
/// directories, `w` upload, `M` change modes, `T` change times.
public struct FTPPermissions: Hashable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    let base: Permissions

    init(_ base: Permissions) {
        self.base = base
    }

    /// Reads a set of letters, in any order.
    ///
    /// - Returns: `nil` when one of them means nothing.
    public init?(letters: String) {
        guard let base = Permissions(letters: letters) else { return nil }
        self.base = base
    }

    /// Reads a set of letters that stands in the program's text.
    ///
    /// - Precondition: Each of them means something.
    public init(stringLiteral letters: String) {
        guard let permissions = FTPPermissions(letters: letters) else {
            preconditionFailure("permissions are letters of elradfmwMT, not `\(letters)`")
        }
        self = permissions
    }

    /// Change the directory, list, download: `elr`.
    public static let readOnly: FTPPermissions = "elr"

    /// Everything: `elradfmwMT`.
    public static let all: FTPPermissions = "elradfmwMT"

    /// The letters, in the order `elradfmwMT`.
    public var letters: String { base.letters }

    /// The letters.
    public var description: String { letters }

    /// Whether everything is allowed that another set allows.
    public func allows(_ other: FTPPermissions) -> Bool { base.isSuperset(of: other.base) }
}
