internal import CCrypt
internal import Glibc
package import LinuxSystem
internal import TLS

/// A password's hash in the form of crypt(5), made by one of the methods that still protect.
package struct PasswordHash: Hashable, Sendable {
    /// The longest password that crypt(3) takes, in bytes.
    package static let maximumPasswordByteCount = 511

    /// Each method that is taken, with the number of characters behind the last `$` of its hashes.
    private static let methods: [(prefix: String, digestCount: Int)] = [
        ("$y$", 43), ("$gy$", 43), ("$7$", 43), ("$6$", 86), ("$5$", 43),
        ("$2b$", 53), ("$2y$", 53), ("$2a$", 53),
    ]

    /// The hash, with its method and salt in front.
    package let text: String

    /// Takes a hash that was made elsewhere.
    ///
    /// - Returns: `nil` for anything that is no whole hash of a method that protects: clear text,
    ///   DES and MD5 among them.
    package init?(_ text: String) {
        let characters = Array(text.utf8)
        guard (1..<Int(CRYPT_OUTPUT_SIZE)).contains(characters.count),
            characters.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }),
            let method = Self.methods.first(where: { text.utf8.starts(with: $0.prefix.utf8) }),
            let dollar = characters.lastIndex(of: UInt8(ascii: "$")),
            characters.count - dollar - 1 == method.digestCount,
            unsafe crypt_checksalt(text) != CRYPT_SALT_INVALID
        else { return nil }
        self.text = text
    }

    /// Hashes a password by yescrypt with a new salt (crypt_gensalt(3)).
    ///
    /// - Returns: `nil` when the password is longer than ``maximumPasswordByteCount``.
    package static func make(_ password: borrowing Secret) -> PasswordHash? {
        var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        let size = CInt(setting.count)
        guard unsafe crypt_gensalt_rn("$y$", 0, nil, 0, &setting, size) != nil,
            let end = setting.firstIndex(of: 0),
            let digest = digest(
                of: password,
                setting: String(decoding: setting[..<end].map(UInt8.init), as: UTF8.self)
            )
        else { return nil }
        return PasswordHash(String(decoding: digest, as: UTF8.self))
    }

    /// Whether this is the hash of `password`.
    ///
    /// Takes as long for a wrong password as for the right one.
    package func matches(_ password: borrowing Secret) -> Bool {
        guard let digest = Self.digest(of: password, setting: text) else { return false }
        return isEqualInConstantTime(digest, Array(text.utf8))
    }

    private static func digest(of password: borrowing Secret, setting: String) -> [UInt8]? {
        var memory: UnsafeMutableRawPointer?
        var size: CInt = 0
        defer {
            if let start = unsafe memory {
                let all = unsafe UnsafeMutableRawBufferPointer(start: start, count: Int(size))
                unsafe wipeMemory(all)
                unsafe free(start)
            }
        }
        return unsafe password.withCString { phrase -> [UInt8]? in
            // SAFETY: crypt_ra(3) allocates the memory; the result lies in it and ends in NUL.
            guard let result = unsafe crypt_ra(phrase, setting, &memory, &size) else { return nil }
            return unsafe Array(String(cString: result).utf8)
        }
    }
}
