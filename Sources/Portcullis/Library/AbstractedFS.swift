internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem

/// The files of one login: what stands behind the commands.
///
/// By itself it works on the kernel's files beneath the user's home. A subclass changes single
/// operations, or all of them and then needs no home (``usesHome``). The user's permissions have been
/// looked at before any of these is called. One login has one, used by one thread at a time: the
/// session's under ``Concurrency/threads``, and under ``Concurrency/processes`` that of a process
/// which is the user, has no network and sees nothing but the home.
///
/// Every operation may throw ``FTPFileError``; the client is told as much as that says, and of any
/// other error that something failed (451).
open class AbstractedFS {
    /// Whose files they are.
    public let login: FileLogin

    /// Begins a login.
    public required init(_ login: FileLogin) throws { self.login = login }

    /// Whether logins have a home on this machine that has to be there.
    open class var usesHome: Bool { true }

    /// The path on this machine of what the client sees as `path`; `nil` where there is none.
    ///
    /// By itself it puts the home in front. It is what ``TransferredFile/realPath`` tells, and no
    /// operation goes by it: those are carried out beneath the home, wherever links lead.
    open func realPath(of path: FTPPath) -> String? { login.realPath(of: path) }

    /// What the client sees of a path on this machine; `nil` for what lies outside of the home.
    open func virtualPath(of realPath: String) -> FTPPath? { login.virtualPath(of: realPath) }

    // MARK: Looking

    /// Enters a directory (CWD).
    open func changeDirectory(_ path: FTPPath) throws {
        try forProgram { () throws(FileError) in try login.base().enterDirectory(path.base) }
    }

    /// Describes an object (SIZE, MDTM, MLST).
    ///
    /// - Parameters:
    ///   - path: The object.
    ///   - followsLinks: Whether a symbolic link stands for what it leads to.
    /// - Returns: What is known about it.
    /// - Throws: ``FTPFileError/notFound`` and its like.
    open func info(_ path: FTPPath, followsLinks: Bool) throws -> FTPFileInfo {
        try forProgram { () throws(FileError) in
            FTPFileInfo(
                try login.base().facts(of: path.base, for: followsLinks ? .showing : .renaming)
            )
        }
    }

    /// Lists a directory, in any order, without `.` and `..` (LIST, NLST, MLSD).
    ///
    /// An entry whose name is empty, holds a `/` or is longer than 4000 bytes is left out.
    open func list(_ path: FTPPath) throws -> [FTPFileEntry] {
        try forProgram { () throws(FileError) in
            let base = try login.base()
            try base.beginListing(of: path.base, [.hidden])
            var entries: [FTPFileEntry] = []
            while true {
                let piece = try base.nextEntries()
                guard !piece.isEmpty else { return entries }
                entries += piece.map { FTPFileEntry(bytes: Array($0.name), FTPFileInfo($0.facts)) }
            }
        }
    }

    /// Tells where a symbolic link leads, as it is written there; nothing is followed.
    ///
    /// Called for each link that a listing shows (LIST, STAT), unless ``list(_:)`` has told so
    /// (``FTPFileEntry/target``). What is returned is shown, and no operation goes by it.
    ///
    /// - Returns: The target, byte for byte; nothing where it is not to be shown.
    /// - Throws: ``FTPFileError/impossible`` for anything that is no link. A listing shows the link
    ///   without a target then.
    open func readLink(_ path: FTPPath) throws -> [UInt8] {
        try forProgram { () throws(FileError) in try login.linkTarget(of: path.base) }
    }

    // MARK: Transfers

    /// Opens a file for reading, from its start (RETR).
    open func openForReading(_ path: FTPPath) throws -> FTPFile {
        try forProgram { () throws(FileError) in
            FTPFile(try login.base().openForReading(path.base).takeDescriptor())
        }
    }

    /// Opens a file for an upload, positioned where its first byte goes.
    ///
    /// ``commitUpload(_:)`` or ``discardUpload(_:)`` ends it; a login has one at a time.
    ///
    /// - Returns: The file, with the path that the upload has.
    open func openForWriting(_ path: FTPPath, _ mode: WriteMode) throws -> FTPUpload {
        try forProgram { () throws(FileError) in
            let base = try login.base()
            let opened = try base.openForWriting(path.base, mode.base)
            let (path, isNew) = (FTPPath(opened.path), opened.isNew)
            return FTPUpload(path, FTPFile(opened.takeDescriptor()), isNew: isNew)
        }
    }

    /// Empties the file of an upload that replaces an old one, once the data connection stands.
    open func emptyUpload(_ upload: FTPPath) throws {
        try forProgram { () throws(FileError) in try login.base().emptyUpload() }
    }

    /// Ends an upload that is whole; only when this has returned is the client told so (226).
    open func commitUpload(_ upload: FTPPath) throws {
        try forProgram { () throws(FileError) in try login.base().commitUpload() }
    }

    /// Ends an upload that broke off.
    open func discardUpload(_ upload: FTPPath) { try? login.base().discardUpload() }

    // MARK: Changes

    /// Makes a directory (MKD).
    open func makeDirectory(_ path: FTPPath) throws {
        try forProgram { () throws(FileError) in try login.base().makeDirectory(path.base) }
    }

    /// Removes an empty directory (RMD).
    open func removeDirectory(_ path: FTPPath) throws {
        try forProgram { () throws(FileError) in try login.base().removeDirectory(path.base) }
    }

    /// Removes a file (DELE).
    open func remove(_ path: FTPPath) throws {
        try forProgram { () throws(FileError) in try login.base().removeFile(path.base) }
    }

    /// Gives an object another name (RNTO), replacing a file that has it.
    open func rename(_ path: FTPPath, to newPath: FTPPath) throws {
        try forProgram { () throws(FileError) in
            try login.base().rename(path.base, to: newPath.base)
        }
    }

    /// Sets the permission bits (SITE CHMOD).
    open func changeMode(_ path: FTPPath, to mode: UInt16) throws {
        try forProgram { () throws(FileError) in try login.base().setMode(of: path.base, to: mode) }
    }

    /// Sets when the content last changed, in seconds since 1970 UTC (MFMT).
    open func changeTime(_ path: FTPPath, to seconds: Int64) throws {
        try forProgram { () throws(FileError) in
            try login.base().setModificationTime(of: path.base, to: seconds)
        }
    }

    /// How many bytes may still be stored in a directory (AVBL).
    open func availableByteCount(_ path: FTPPath) throws -> Int64 {
        try forProgram { () throws(FileError) in
            try login.base().availableByteCount(in: path.base)
        }
    }

    /// Where an upload goes (RFC 959 section 4.1.3).
    public enum WriteMode: Hashable, Sendable {
        /// STOR: a new file, or an old one, which is emptied later.
        case replace
        /// APPE: behind the last byte.
        case append
        /// STOR after REST: from this offset on, at most the file's size.
        case resume(offset: Int64)
        /// A file that did not exist ("name taken" otherwise).
        case create
        /// STOU: a file that did not exist, its name made of the path's.
        case unique

        init(_ base: WriteDisposition) {
            self =
                switch base {
                case .replace: .replace
                case .append: .append
                case .resume(let offset): .resume(offset: offset)
                case .create: .create
                case .unique: .unique
                }
        }

        var base: WriteDisposition {
            switch self {
            case .replace: .replace
            case .append: .append
            case .resume(let offset): .resume(offset: offset)
            case .create: .create
            case .unique: .unique
            }
        }
    }
}

/// A file that an upload goes into.
public struct FTPUpload {
    /// The path that it has, which STOU chooses.
    public let path: FTPPath
    /// The open file.
    public let file: FTPFile
    /// Whether it did not exist before.
    public let isNew: Bool

    /// Describes an upload.
    public init(_ path: FTPPath, _ file: FTPFile, isNew: Bool) {
        self.path = path
        self.file = file
        self.isNew = isNew
    }
}

/// A login, as its files know it.
public final class FileLogin {
    /// Who is logged in.
    public let user: String

    /// The directory on this machine that belongs to the user.
    public let home: String

    /// ``FTPHandler/Settings/attachment`` of the server.
    public let attachment: (any Sendable)?

    private let jail: Jail?

    init(
        user: String,
        home: String,
        attachment: (any Sendable)?,
        jail: Jail?
    ) {
        self.user = user
        self.home = home
        self.attachment = attachment
        self.jail = jail
    }

    /// The kernel's files.
    func base() throws(FileError) -> any FileSystem {
        guard let jail else { throw .notPermitted }
        return jail
    }

    func linkTarget(of path: VirtualPath) throws(FileError) -> [UInt8] {
        guard let jail else { throw .notPermitted }
        return try jail.linkTarget(of: path)
    }

    func realPath(of path: FTPPath) -> String? {
        guard jail != nil else { return nil }
        return home == "/" ? path.description : path.base.isRoot ? home : home + path.description
    }

    func virtualPath(of realPath: String) -> FTPPath? {
        guard jail != nil else { return nil }
        if home == "/" { return FTPPath(realPath) }
        guard realPath == home || realPath.hasPrefix(home + "/") else { return nil }
        return FTPPath("/" + realPath.dropFirst(home.count).drop { $0 == "/" })
    }
}
