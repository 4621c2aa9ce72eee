internal import FTPProtocol
package import LinuxSystem
internal import SystemPackage
internal import TLS

/// The key that signs seals, which is another one after each.
///
/// A seal names the key that the next one will be signed by, and then the old one is overwritten. So
/// whoever gets hold of the file can sign what comes, and nothing that has been sealed.
package final class AuditKey {
    private static let heading = "portcullis-audit-key 1\n"
    private static let none = [UInt8](repeating: 0, count: Ed25519Key.byteCount)

    /// Where it is kept; that of a branch is nowhere.
    private let file: OwnedDescriptor?
    private var seed: [UInt8]
    private var next: [UInt8]?

    /// The public key that the next seal is signed by, hexadecimal.
    private(set) var publicKey: String

    /// Reads a file that was opened for reading and writing.
    ///
    /// `announced` is the key that the last seal has announced, if that is the last record.
    ///
    /// - Throws: ``LogFileError`` for a file that holds no such key.
    init(
        _ file: consuming OwnedDescriptor,
        announced: [UInt8]? = nil
    ) throws(LogFileError) {
        var text: [UInt8] = []
        do throws(SystemError) {
            text = try file.beginning(maximumByteCount: 1_024)
        } catch {
            throw LogFileError("it cannot be read (\(error))")
        }
        guard let (seed, next) = Self.seeds(in: text) else {
            throw LogFileError("it holds no key; make one with `portcullis audit key`")
        }
        self.file = consume file
        self.seed = seed
        self.next = nil
        publicKey = ""
        // The server has ended between the seal and its own note of it, or before the seal.
        if let next, let announced, try Self.publicKey(of: next).utf8.elementsEqual(announced) {
            self.seed = next
        }
        publicKey = try Self.publicKey(of: self.seed)
    }

    /// Makes a key that lives no longer than this process, for a branch of the trail.
    ///
    /// - Throws: ``LogFileError`` where OpenSSL does not offer Ed25519.
    init() throws(LogFileError) {
        file = nil
        seed = randomBytes(count: Ed25519Key.byteCount)
        next = nil
        publicKey = ""
        publicKey = try Self.publicKey(of: seed)
    }

    deinit {
        wipeMemory(of: seed)
        if let next { wipeMemory(of: next) }
    }

    /// Makes a file with a new key.
    ///
    /// - Returns: The public key, hexadecimal.
    /// - Throws: ``LogFileError``, also when there is such a file.
    package static func make(at path: String) throws(LogFileError) -> String {
        let seed = randomBytes(count: Ed25519Key.byteCount)
        let file = try LogFile.makeSecret(path)
        do throws(SystemError) {
            let bytes = content(seed, nil)
            defer { wipeMemory(of: bytes) }
            try file.overwrite(bytes)
        } catch {
            throw LogFileError("it cannot be written (\(error))")
        }
        return try publicKey(of: seed)
    }

    /// Chooses the key after this one.
    ///
    /// - Returns: Its public half, hexadecimal.
    func prepareNext() throws(SystemError) -> String {
        let seed = randomBytes(count: Ed25519Key.byteCount)
        guard let text = try? Self.publicKey(of: seed) else {
            throw SystemError("Ed25519", .notSupported)
        }
        try keep(self.seed, seed)
        next = seed
        return text
    }

    /// Signs a seal, hexadecimal.
    func sign(_ message: [UInt8]) -> String? {
        do throws(TLSError) {
            return JSONObject.hexadecimal(try Ed25519Key.reading(seed).sign(message))
        } catch {
            return nil
        }
    }

    /// Forgets the key, once a seal has announced the next one.
    func advance() throws(SystemError) {
        guard let next = next.take() else { return }
        try keep(next, nil)
        wipeMemory(of: seed)
        seed = next
        publicKey = (try? Self.publicKey(of: seed)) ?? ""
    }

    private static func publicKey(of seed: [UInt8]) throws(LogFileError) -> String {
        do throws(TLSError) {
            return JSONObject.hexadecimal(try Ed25519Key.reading(seed).publicKey)
        } catch {
            throw LogFileError("OpenSSL does not offer Ed25519")
        }
    }

    private func keep(_ seed: [UInt8], _ next: [UInt8]?) throws(SystemError) {
        let bytes = Self.content(seed, next)
        defer { wipeMemory(of: bytes) }
        try file?.overwrite(bytes)
    }

    /// Always as many bytes, so that the old ones are overwritten; they stand in memory once only.
    private static func content(_ seed: [UInt8], _ next: [UInt8]?) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        func add(_ byte: UInt8) {
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
        bytes += Array("\(heading)current ".utf8)
        for byte in seed { add(byte) }
        bytes += Array("\nnext    ".utf8)
        for byte in next ?? none { add(byte) }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private static func seeds(in text: [UInt8]) -> (seed: [UInt8], next: [UInt8]?)? {
        let lines = text.split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard lines.count == 3, lines[0] + "\n" == heading, lines[1].hasPrefix("current "),
            lines[2].hasPrefix("next    "), let seed = bytes(of: lines[1].dropFirst(8)),
            let next = bytes(of: lines[2].dropFirst(8))
        else { return nil }
        return (seed, next.contains { $0 != 0 } ? next : nil)
    }

    /// The bytes of a key, from hexadecimal digits.
    package static func bytes(
        of digits: some StringProtocol,
        count: Int = Ed25519Key.byteCount
    ) -> [UInt8]? {
        let values = digits.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
        guard values.count == 2 * count else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: values.count, by: 2) {
            guard let high = values[index], let low = values[index + 1] else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: high << 4 | low))
        }
        return bytes
    }
}
