import FTPProtocol

@testable import FileSystem
@testable import Portcullis

/// What a transfer makes of bytes does not depend on how they are cut, and is bounded.
enum TransfersTarget {
    static func run(_ input: [UInt8]) throws {
        let whole = decoded(input, inPiecesOf: max(1, input.count))
        try claim(whole == decoded(input, inPiecesOf: 1), "the cuts change what is stored")
        try claim(whole.count <= input.count, "line ends that nobody sent")
        let sent = encoded(input, inPiecesOf: max(1, input.count))
        try claim(sent == encoded(input, inPiecesOf: 1), "the cuts change what is sent")
        try claim(isOfNetworkLines(sent), "a line ends without CR")
        if !input.contains(0x0D) {
            try claim(decoded(sent, inPiecesOf: 3) == input, "sent and stored it is another file")
        }
        let inflated = Self.inflated(input, inPiecesOf: max(1, input.count))
        try claim(inflated == Self.inflated(input, inPiecesOf: 1), "the cuts change a stream")
        let level = Int(input.first ?? 0) % 10
        let source = try DeflateSource(Source(input), level: level)
        var stream: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 + Int(input.last ?? 0))
        while true {
            let count = try unsafe buffer.withUnsafeMutableBytes {
                try unsafe source.next(into: $0)
            }
            if count == 0 { break }
            stream += buffer[..<count]
        }
        try claim(
            Self.inflated(stream, inPiecesOf: 5) == .file(input),
            "a stream holds another file"
        )
    }

    private static func decoded(_ input: [UInt8], inPiecesOf count: Int) -> [UInt8] {
        var decoder = NetworkLineDecoder()
        var output: [UInt8] = []
        for start in stride(from: 0, to: input.count, by: count) {
            let piece = Array(input[start..<min(input.count, start + count)])
            decoder.decode(piece.span, into: &output)
        }
        decoder.finish(into: &output)
        return output
    }

    private static func encoded(_ input: [UInt8], inPiecesOf count: Int) -> [UInt8] {
        var encoder = NetworkLineEncoder()
        var output: [UInt8] = []
        for start in stride(from: 0, to: input.count, by: count) {
            let piece = Array(input[start..<min(input.count, start + count)])
            encoder.encode(piece.span, into: &output)
        }
        return output
    }

    private static func isOfNetworkLines(_ bytes: [UInt8]) -> Bool {
        bytes.indices.allSatisfy { bytes[$0] != 0x0A || $0 > 0 && bytes[$0 - 1] == 0x0D }
    }

    // MARK: MODE Z

    private enum Inflated: Equatable {
        case file([UInt8])
        case failed
    }

    private static func inflated(_ input: [UInt8], inPiecesOf count: Int) -> Inflated {
        let file = Sink()
        do {
            let sink = try InflateSink(file)
            for start in stride(from: 0, to: input.count, by: count) {
                let piece = Array(input[start..<min(input.count, start + count)])
                try unsafe piece.withUnsafeBytes { try unsafe sink.put($0) }
            }
            try sink.finish()
        } catch {
            return .failed
        }
        return .file(file.bytes)
    }

    private final class Sink: TransferSink {
        private(set) var bytes: [UInt8] = []

        func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
            // No stream of a few KiB inflates to more; nor is this test to keep it.
            guard self.bytes.count + bytes.count <= 16 << 20 else { throw .tooLarge }
            unsafe self.bytes.append(contentsOf: bytes)
        }

        func finish() throws(FileError) {}
    }

    private final class Source: TransferSource {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) {
            rest = bytes[...]
        }

        func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
            let piece = rest.prefix(min(buffer.count, 1_000))
            unsafe buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
    }
}
