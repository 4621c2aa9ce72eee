/// What a client did, or was not allowed to do, for the audit trail.
package struct AuditedAction: Hashable, Sendable {
    /// What was done.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// A directory was listed, or a file described.
        case list = 1
        /// A file was fetched.
        case read
        /// A file was sent.
        case write
        /// Something was added to a file.
        case append
        /// A file was removed.
        case delete
        /// A file or directory got another name.
        case rename
        /// A directory was made.
        case makeDirectory
        /// A directory was removed.
        case removeDirectory
        /// The permission bits were set.
        case changeMode
        /// The group was set.
        case changeGroup
        /// The time was set.
        case changeTime
        /// Several of these were set at once.
        case changeFacts
        /// A symbolic link was made.
        case link
        /// A file was copied on the server.
        case copy
        /// The content of a file was read for its hash.
        case digest
        /// Another SITE command.
        case site
        /// Something was refused before anybody had logged in.
        case refusal

        /// The word in the record.
        package var word: String {
            switch self {
            case .list: "list"
            case .read: "read"
            case .write: "write"
            case .append: "append"
            case .delete: "delete"
            case .rename: "rename"
            case .makeDirectory: "mkdir"
            case .removeDirectory: "rmdir"
            case .changeMode: "chmod"
            case .changeGroup: "chgrp"
            case .changeTime: "time"
            case .changeFacts: "facts"
            case .link: "symlink"
            case .copy: "copy"
            case .digest: "digest"
            case .site: "site"
            case .refusal: "refuse"
            }
        }

        /// Whether bytes are moved over a data connection.
        package var isTransfer: Bool {
            switch self {
            case .list, .read, .write, .append: true
            default: false
            }
        }

        /// What a command does; `nil` for one that leaves no record.
        package init?(_ verb: Verb) {
            switch verb {
            case .list, .nlst, .mlsd, .mlst: self = .list
            case .retr: self = .read
            case .stor, .stou: self = .write
            case .appe: self = .append
            case .dele: self = .delete
            case .rnfr, .rnto: self = .rename
            case .mkd: self = .makeDirectory
            case .rmd: self = .removeDirectory
            case .mfmt: self = .changeTime
            case .mff: self = .changeFacts
            case .cpfr, .cpto: self = .copy
            case .hash, .xcrc, .xmd5, .xsha, .xsha1, .xsha256, .xsha512, .md5: self = .digest
            case .site: self = .site
            default: return nil
            }
        }

        /// What a command behind SITE does.
        package init(_ command: SiteCommand) {
            switch command {
            case .chmod: self = .changeMode
            case .chgrp: self = .changeGroup
            case .utime: self = .changeTime
            case .symlink: self = .link
            case .mkdir: self = .makeDirectory
            case .rmdir: self = .removeDirectory
            case .cpfr, .cpto: self = .copy
            default: self = .site
            }
        }
    }

    /// The longest ``command``, in bytes.
    package static let maximumCommandByteCount = 64
    /// The longest ``reason`` or ``detail``, in bytes.
    package static let maximumTextByteCount = 512

    /// What was done, or attempted.
    package var kind: Kind
    /// The command, with `SITE` in front where that belongs to it.
    package var command: String
    /// The code of the reply; 0 where the session ended before one.
    package var code: UInt16 = 0
    /// The reply, where it says no.
    package var reason = ""
    /// What it was about, as far as it came to that.
    package var path: VirtualPath?
    /// The new name, or the copy.
    package var target: VirtualPath?
    /// The argument of another SITE command.
    package var detail: [UInt8] = []
    /// The permission bits, where they were set.
    package var mode: UInt16?
    /// The bytes that went over the data connection.
    package var byteCount: UInt64 = 0
    /// How long it took, in nanoseconds.
    package var nanoseconds: UInt64 = 0
    /// Where in the file it began (REST, RANG).
    package var offset: UInt64 = 0
    /// Whether the client had chosen TYPE A.
    package var isASCII = false
    /// The SHA-256 of the whole file, if it is known; else empty.
    package var digest: [UInt8] = []
    /// The data connection, if there was one.
    package var data: AuditedData?

    /// Describes an action.
    package init(_ kind: Kind, _ command: String) {
        self.kind = kind
        self.command = command
    }

    /// Whether it was done.
    package var isDone: Bool { (200..<300).contains(code) }

    /// The members of the record that say what was done.
    package var members: JSONObject {
        var object = JSONObject()
        object.put("result", isDone ? "ok" : "failed")
        object.put("command", command)
        if code > 0 { object.put("code", UInt64(code)) }
        if !isDone { object.put("reason", reason) }
        if let path { object.put("path", bytes: path.bytes) }
        if let target { object.put("target", bytes: target.bytes) }
        if !detail.isEmpty { object.put("argument", bytes: detail) }
        if let mode { object.put("mode", OctalMode.text(mode, digits: 4)) }
        if kind.isTransfer, data != nil || byteCount > 0 {
            object.put("bytes", byteCount)
            object.put("type", isASCII ? "A" : "I")
            if offset > 0 { object.put("offset", offset) }
        }
        object.put("duration_us", nanoseconds / 1_000)
        if !digest.isEmpty { object.put("sha256", hexadecimal: digest) }
        if let data { object.put("data", data.object) }
        return object
    }
}

/// What protected a connection.
package struct AuditedTLS: Hashable, Sendable {
    /// The longest name, in bytes.
    package static let maximumNameByteCount = 64

    /// The protocol, such as `TLSv1.3`.
    package var version: String
    /// The suite, as OpenSSL calls it.
    package var suite: String
    /// The group of the key exchange; empty where there was none.
    package var group: String
    /// Whether a session was resumed.
    package var isResumed: Bool

    /// Describes a connection.
    package init(version: String, suite: String, group: String, isResumed: Bool) {
        self.version = version
        self.suite = suite
        self.group = group
        self.isResumed = isResumed
    }

    /// The object of the record.
    package var object: JSONObject {
        var object = JSONObject()
        object.put("version", version)
        object.put("suite", suite)
        object.put("group", group)
        object.put("resumed", isResumed)
        return object
    }
}

/// A data connection, for the audit trail.
package struct AuditedData: Hashable, Sendable {
    /// What proved that it belongs to the control connection, weakest last.
    package enum Proof: UInt8, Hashable, Sendable, CaseIterable {
        /// It resumed the session of the control connection.
        case session = 1
        /// It showed the same certificate.
        case certificate
        /// It came from the same address.
        case address
        /// Nothing.
        case none

        /// The word in the record.
        package var word: String {
            switch self {
            case .session: "session"
            case .certificate: "certificate"
            case .address: "address"
            case .none: "none"
            }
        }
    }

    /// What protected it; `nil` in clear.
    package var tls: AuditedTLS?
    /// What bound it.
    package var proof: Proof

    /// Describes a connection.
    package init(tls: AuditedTLS?, proof: Proof) {
        self.tls = tls
        self.proof = proof
    }

    /// The object of the record.
    var object: JSONObject {
        var object = JSONObject()
        object.put("proof", proof.word)
        object.put("tls", tls?.object)
        return object
    }
}
