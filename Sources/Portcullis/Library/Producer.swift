internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem

/// What makes the bytes of a transfer, a piece at a time (``FTPHandler/pushDTPData(_:command:path:)``).
public protocol Producer: AnyObject {
    /// The next piece, of any size; `nil` or an empty one when there is no more.
    ///
    /// The transfer waits for it. What it throws breaks the transfer off.
    func more() throws -> [UInt8]?
}

/// The rest of a file, from its position on.
public final class FileProducer: Producer {
    /// Bytes that are read in one go.
    private static let pieceByteCount = 65_536

    private let file: FTPFile

    /// Takes a file over, of which only a piece is ever in memory.
    public init(_ file: FTPFile) { self.file = file }

    /// The next bytes of the file.
    public func more() throws -> [UInt8]? {
        let piece = try file.read(atMost: Self.pieceByteCount)
        return piece.isEmpty ? nil : piece
    }
}

/// What a sequence holds, gathered into pieces that are worth sending.
public final class BufferedIteratorProducer: Producer {
    /// A piece is sent once it has this many bytes.
    private static let pieceByteCount = 16_384

    private let next: () -> [UInt8]?

    /// Takes the elements of a sequence one after the other, when they are wanted.
    public init<Elements: Sequence>(_ elements: Elements) where Elements.Element == [UInt8] {
        var iterator = elements.makeIterator()
        next = { iterator.next() }
    }

    /// Takes lines, each of which is sent with CR and LF behind it.
    public convenience init<Lines: Sequence>(lines: Lines) where Lines.Element == String {
        self.init(lines.lazy.map { Array("\($0)\r\n".utf8) })
    }

    /// The next elements.
    public func more() throws -> [UInt8]? {
        var piece: [UInt8] = []
        while piece.count < Self.pieceByteCount, let element = next() { piece += element }
        return piece.isEmpty ? nil : piece
    }
}

extension FTPHandler {
    /// Sends what a producer makes over the data connection that the client has asked for.
    ///
    /// Everything from 150 to the final reply is done here, by the rules that hold for downloads: a
    /// command of the program's own calls this and sends no reply. The bytes go as they are, in
    /// ASCII mode, too. Without a data connection, or one of too little protection, the client is told
    /// so.
    ///
    /// - Parameters:
    ///   - producer: What makes the bytes.
    ///   - command: What is sent, for the log.
    ///   - path: What it is about, for the log; `nil` for the working directory.
    /// - Throws: ``SessionEnd`` when the session has to end.
    public final func pushDTPData(
        _ producer: any Producer,
        command: String,
        path: FTPPath? = nil
    ) throws(SessionEnd) {
        guard login != nil else {
            try reply(530, "Please login with USER and PASS.")
            return
        }
        guard transfer == nil else {
            try reply(503, "A transfer is running already.")
            return
        }
        guard try mayTransfer() else { return }
        try transfer(
            LogText.value(command.utf8),
            path?.base ?? workingDirectory,
            opening: "Here it comes.",
            done: "Transfer complete.",
            move: { handler throws(TransferFailure) in
                try handler.send(ProducedSource(producer))
            }
        )
    }

    /// Opens a file of the user's for reading, by the user's permissions and rights.
    ///
    /// - Parameter path: The file, as the client sees it.
    /// - Returns: The file, from its start.
    /// - Throws: ``FTPFileError``; also before the login.
    public final func openForReading(_ path: FTPPath) throws(FTPFileError) -> FTPFile {
        guard let login else { throw .accessDenied }
        do throws(FileError) {
            return FTPFile(try login.fileSystem.openForReading(path.base).takeDescriptor())
        } catch {
            throw FTPFileError(error)
        }
    }
}

/// What a producer makes, as transfers take it.
private final class ProducedSource: TransferSource {
    private let producer: any Producer
    private var piece: ArraySlice<UInt8> = []

    init(_ producer: any Producer) {
        self.producer = producer
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        if piece.isEmpty {
            piece = try reducingErrors { try producer.more() ?? [] }[...]
        }
        let count = min(buffer.count, piece.count)
        unsafe buffer.copyBytes(from: piece.prefix(count))
        piece = piece.dropFirst(count)
        return count
    }
}
