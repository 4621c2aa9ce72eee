internal import ArgumentParser
internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Portcullis

/// `portcullis passwd`.
struct Passwd: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the file of virtual users (virtual_users_file).",
        discussion: """
            Sets the password of USER: asked for twice on a terminal, or one line of the standard \
            input. A new user needs --home; an existing one keeps the password when an option \
            changes something else. The file is replaced as a whole, with mode 0600; the server \
            takes every change at once.
            """
    )

    @Argument(help: "The file; it is made when it does not exist.")
    var file: String

    @Argument(help: "The user's name.")
    var user: String?

    @Option(help: "The directory that the user sees as /.")
    var home: String?

    @Option(help: "What the user may do, letters of \(Permissions.all.letters); a new one: elr.")
    var permissions: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Set an option of this user, as in the configuration file; no value takes it back.",
            valueName: "option=value"
        )
    )
    var settings: [String] = []

    @Flag(help: "Keep the user out until --unlock; the password stays.")
    var lock = false

    @Flag(help: "Let the user in again.")
    var unlock = false

    @Flag(help: "Remove the user.")
    var delete = false

    @Flag(help: "List the users, without hashes.")
    var list = false

    @Option(
        name: .customLong("import"),
        help: ArgumentHelp(
            "Add the users of a plain file: name password permissions home, one user a line.",
            valueName: "oldfile"
        )
    )
    var oldFile: String?

    func validate() throws {
        guard let user else {
            guard list || oldFile != nil else { throw ValidationError("Name a user.") }
            guard !changesUser, !delete, !(list && oldFile != nil) else {
                throw ValidationError("Name a user, or leave out what is about a single one.")
            }
            return
        }
        guard !list, oldFile == nil else {
            throw ValidationError("--list and --import are about no single user.")
        }
        guard !(delete && changesUser), !(lock && unlock) else {
            throw ValidationError("These options exclude each other.")
        }
        guard VirtualUser.isAcceptable(name: user) else {
            throw ValidationError(
                "A name is 1 to 128 bytes without : and /, and does not begin with . or #."
            )
        }
        if let home, !VirtualUser.isAcceptable(home: home) {
            throw ValidationError("The home does not begin with /.")
        }
        if let permissions, permissions.isEmpty || Permissions(letters: permissions) == nil {
            throw ValidationError("Permissions are letters of \(Permissions.all.letters).")
        }
        for setting in settings {
            guard let (_, value) = Self.parts(of: setting) else {
                throw ValidationError("--set takes option=value.")
            }
            if !value.isEmpty, let problem = UserOptionCheck.problem(in: [setting]) {
                throw ValidationError("\(problem).")
            }
        }
    }

    func run() throws {
        try DaemonProcess.protectMemory()
        let store = UserStore(file)
        if list {
            try store.list()
        } else if let oldFile {
            try store.importUsers(of: oldFile)
        } else if let user {
            try delete ? store.delete(user) : change(user, in: store)
        }
    }

    private var changesUser: Bool {
        home != nil || permissions != nil || !settings.isEmpty || lock || unlock
    }

    private func change(_ name: String, in store: UserStore) throws {
        let known = try store.read().lookUp(name)
        var hash: PasswordHash?
        switch known {
        case .absent:
            guard home != nil else {
                throw failure("\(name) is not in \(file); a new user needs --home")
            }
            hash = try newPassword(of: name)
        case .present where changesUser: break
        case .malformed where home == nil:
            throw failure("the line of \(name) makes no sense; give --home to write it anew")
        case .present, .malformed: hash = try newPassword(of: name)
        }
        try store.change { (file) in
            var user: VirtualUser
            switch file.lookUp(name) {
            case .present(let present, _): user = present
            case .absent, .malformed:
                guard let home, let hash else {
                    throw failure("\(name) was removed in the meantime")
                }
                user = VirtualUser(name: name, hash: hash, home: home, permissions: .readOnly)
            }
            if let hash { user.hash = hash }
            if let home { user.home = home }
            if let letters = permissions, let permissions = Permissions(letters: letters) {
                user.permissions = permissions
            }
            apply(settings, to: &user)
            if lock { user.isLocked = true }
            if unlock {
                guard user.hash != nil else { throw failure("\(name) has no password") }
                user.isLocked = false
            }
            file.put(user)
        }
    }

    private func apply(_ settings: [String], to user: inout VirtualUser) {
        for setting in settings {
            guard let (name, value) = Self.parts(of: setting) else { continue }
            user.options.removeAll { Self.parts(of: $0)?.name == name }
            if !value.isEmpty { user.options.append("\(name)=\(value)") }
        }
    }

    private static func parts(of setting: String) -> (name: String, value: String)? {
        guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
            return nil
        }
        return (String(setting[..<equals]), String(setting[setting.index(after: equals)...]))
    }
}
