internal import COpenSSL
internal import Glibc
internal import LinuxSystem

/// What an administrator should know about a certificate before anybody else finds out.
package struct CertificateFacts: Hashable, Sendable {
    /// What keeps clients from following a chain to an authority.
    package enum ChainProblem: Hashable, Sendable {
        /// A certificate does not vouch for the one before it, and so comes to nothing.
        case disorder
        /// The issuer's certificate is neither in the file nor an authority that the system knows.
        case lacksIssuer
    }

    /// Seconds until it expires; negative once it has.
    package let secondsLeft: Int64

    /// The kind of key, such as `RSA` or `EC`.
    package let keyType: String

    /// The curve of an EC key as NIST names it, or else as OpenSSL does; `nil` for other keys.
    package let curve: String?

    /// The strength of the key in bits, as NIST SP 800-57 part 1 compares kinds of key.
    package let securityBits: Int

    /// What is wrong with the certificates behind it.
    package let chainProblem: ChainProblem?

    /// Whether it is for the host that was asked about (RFC 6125); `true` where none was.
    package let isForHost: Bool

    /// The kind of key with its curve, such as `EC P-256`.
    package var keyName: String { [keyType, curve].compactMap(\.self).joined(separator: " ") }

    /// Whether it has a key that common clients take: RSA, a NIST curve, or Ed25519.
    package var isCommon: Bool {
        switch keyType {
        case "RSA", "ED25519": true
        case "EC": ["P-256", "P-384", "P-521"].contains(curve)
        default: false
        }
    }

    /// Below this no key is good enough today (NIST SP 800-131A).
    package static let minimumSecurityBits = 112

    /// Whole days until it expires; negative once it has.
    package var daysLeft: Int { Int(secondsLeft / 86_400) }

    /// Looks at the first certificate of a PEM file, and at those that follow it.
    ///
    /// There is nothing to know of a file that holds none.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - host: A name that the certificate should be for.
    package init?(file path: String, host: String? = nil) {
        let chain = CertificateChain(file: path)
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let certificate = unsafe chain.pointers.first,
            let key = unsafe X509_get0_pubkey(certificate),
            let type = unsafe EVP_PKEY_get0_type_name(key)
        else { return nil }
        var days: CInt = 0
        var seconds: CInt = 0
        guard
            unsafe ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1
        else { return nil }
        secondsLeft = Int64(days) * 86_400 + Int64(seconds)
        keyType = unsafe String(cString: type)
        curve = unsafe Self.curve(of: key)
        securityBits = Int(unsafe EVP_PKEY_get_security_bits(key))
        chainProblem = chain.problem
        isForHost = host.map { chain.isFor($0) } ?? true
    }

    /// The SHA-256 digest of the first certificate of a PEM file, or `nil` when there is none.
    package static func digest(ofFile path: String) -> [UInt8]? {
        let chain = CertificateChain(file: path)
        defer { withExtendedLifetime(chain) {} }
        return unsafe chain.pointers.first.flatMap { unsafe certificateDigest($0) }
    }

    private static func curve(of key: OpaquePointer) -> String? {
        var name = [CChar](repeating: 0, count: 80)
        var count = 0
        guard unsafe EVP_PKEY_is_a(key, "EC") == 1,
            unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1
        else { return nil }
        let text = String(decoding: name.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return ["prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"][text] ?? text
    }
}
