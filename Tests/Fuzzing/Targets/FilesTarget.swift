import FTPProtocol
import Glibc
import LinuxSystem
import TestSupport

@testable import FileSystem

/// Whatever a Session asks its Agent, nothing outside of the root is reached or changed, and nothing
/// inside is without permission.
///
/// The first byte of the input says what is permitted; each step is a message, or is made of a kind
/// and two paths.
enum FilesTarget {
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let flags = reader.byte()
        let scratch = try Scratch()
        let permissions: [Permissions] = [.all, .readOnly, [.enterDirectory, .list, .store], .all]
        let allowed = permissions[Int(flags & 3)]
        let fileSystem = try scratch.fileSystem(
            allowed,
            isAtomic: flags & 4 != 0,
            quota: flags & 8 != 0 ? 40 : 0
        )
        let before = allowed == .readOnly ? scratch.snapshot() : []
        // The mask belongs to the whole process, and requests may change it.
        defer { Credentials.setFileModeMask(0o022) }
        let ends = try Ends.make()
        let far = Holder(try ends.far.descriptor.duplicate())
        let channel = ends.takeNear()
        let agent = try Companion {
            guard let channel = far.take() else { return }
            let server = FileServer(MessageSocket(owning: channel), serving: fileSystem)
            try? server.run()
        }
        let outcome = Result { try talk(&reader, channel, scratch) }
        channel.descriptor.endWriting()
        agent.join()
        try outcome.get()
        try scratch.checkOutside()
        if allowed == .readOnly {
            try claim(scratch.snapshot() == before, "a reader changed something")
        }
    }

    private static func talk(
        _ reader: inout InputReader,
        _ channel: borrowing MessageSocket,
        _ scratch: Scratch
    ) throws {
        for _ in 0..<32 {
            guard !reader.isAtEnd else { return }
            let message = Self.message(&reader)
            guard !message.isEmpty else { continue }
            let request = try? FileRequest(decoding: message)
            do {
                try channel.send(message)
            } catch {
                throw Flaw(description: "the Agent went: \(error)")
            }
            guard var answer = try channel.receive() else {
                try claim(request == nil, "the Agent ends by \(request as Any)")
                return
            }
            guard let request else { throw Flaw(description: "nonsense was answered") }
            let reply = try FileReply(decoding: answer.bytes)
            try check(reply, to: request, answer.takeDescriptor(), scratch)
        }
    }

    /// A message of any bytes, or a request of any kind about one or two paths.
    private static func message(_ reader: inout InputReader) -> [UInt8] {
        let choice = reader.byte()
        guard choice & 0x80 == 0 else { return reader.piece() }
        var writer = MessageWriter(tag: choice & 0x1F)
        if choice & 0x20 == 0 { writer.put(path(&reader)) }
        if choice & 0x40 != 0 { writer.put(path(&reader)) }
        return writer.bytes + reader.piece()
    }

    private static func path(_ reader: inout InputReader) -> [UInt8] {
        let line = reader.line()
        return (try? VirtualPath.root.resolving(line).bytes) ?? line
    }

    private static func check(
        _ reply: FileReply,
        to request: FileRequest,
        _ file: consuming OwnedDescriptor?,
        _ scratch: Scratch
    ) throws {
        guard case .opened(_, let path, _, _) = reply else {
            try claim(!isThere(file), "a descriptor that nobody asked for")
            return
        }
        guard let file else { throw Flaw(description: "an opened file without a descriptor") }
        var status = stat()
        let isOpen = unsafe fstat(file.number, &status) == 0
        try claim(isOpen && status.st_mode & S_IFMT == S_IFREG, "\(path.quoted) is no regular file")
        try claim(scratch.holds(file), "\(path.quoted) lies outside")
        let mode = fcntl(file.number, F_GETFL) & O_ACCMODE
        switch request {
        case .openForReading: try claim(mode == O_RDONLY, "a file to be read can be written")
        case .openForWriting:
            let text: [UInt8] = Array("some text\r\n".utf8)
            try unsafe text.span.withUnsafeBytes { bytes throws(SystemError) in
                try unsafe file.writeAll(bytes)
            }
        default: throw Flaw(description: "\(request) opens a file")
        }
    }
}
