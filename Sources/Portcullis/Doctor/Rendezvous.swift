internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// A passive port that is open for a moment, to see whether a connection to it comes through.
final class Rendezvous {
    let port: UInt16
    private let listener: OwnedDescriptor

    private init(_ listener: consuming OwnedDescriptor, _ port: UInt16) {
        self.listener = listener
        self.port = port
    }

    /// Opens any port of the range that is free.
    static func open(_ passive: Configuration.Passive) -> Rendezvous? {
        guard passive.minimumPort <= passive.maximumPort else { return nil }
        for _ in 0..<64 {
            let port = UInt16.random(in: passive.minimumPort...passive.maximumPort)
            let place = SocketAddress(.v4(0), port: port)
            if let listener = try? OwnedDescriptor.listening(on: place, backlog: 4) {
                return Rendezvous(listener, port)
            }
        }
        return nil
    }

    /// Connects to where clients would, and sees whether that comes out here.
    ///
    /// Both ends say a word that nobody else knows: something else may answer at that address.
    ///
    /// - Returns: What went wrong, or `nil`.
    func meet(at target: SocketAddress, within patience: Duration) -> String? {
        let deadline = Deadline(after: patience)
        let word = randomBytes(count: 16)
        do throws(ClientStreamError) {
            let stream = try ClientStream.connect(to: target, until: deadline)
            try stream.write(word, until: deadline)
            while !deadline.hasPassed {
                var entries = [PollEntry(listener.number, reading: true)]
                _ = try? poll(&entries, until: deadline)
                while let connection = try? listener.accept() {
                    if hears(word, on: connection.takeDescriptor(), until: deadline) { return nil }
                }
            }
            return "something else answers there"
        } catch {
            return error.description
        }
    }

    private func hears(
        _ word: [UInt8],
        on connection: consuming OwnedDescriptor,
        until deadline: Deadline
    ) -> Bool {
        var heard: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: word.count)
        while heard.count < word.count, !deadline.hasPassed {
            let outcome = unsafe buffer.withUnsafeMutableBytes {
                unsafe connection.receive(into: $0)
            }
            switch outcome {
            case .bytes(let count): heard += buffer.prefix(count)
            case .wantsRead, .wantsWrite:
                var entries = [PollEntry(connection.number, reading: true)]
                _ = try? poll(&entries, until: deadline)
            case .ended, .failed: return false
            }
        }
        return heard == word
    }
}
