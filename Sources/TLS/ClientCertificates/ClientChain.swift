internal import COpenSSL

/// A client's certificate, and those that it sent to vouch for it.
@safe struct ClientChain: ~Copyable {
    private let leaf: OpaquePointer
    private let others: OpaquePointer

    private init(leaf: OpaquePointer, others: OpaquePointer) {
        unsafe self.leaf = leaf
        unsafe self.others = others
    }

    /// Reads certificates in DER, the client's own first; each must fill its bytes.
    static func reading(_ encoded: [[UInt8]]) -> ClientChain? {
        guard let first = encoded.first, let leaf = unsafe read(first) else { return nil }
        guard let others = unsafe OPENSSL_sk_new_null() else {
            unsafe X509_free(leaf)
            return nil
        }
        let chain = unsafe ClientChain(leaf: leaf, others: others)
        for bytes in encoded.dropFirst() {
            guard let certificate = unsafe read(bytes) else { return nil }
            guard unsafe OPENSSL_sk_push(others, UnsafeRawPointer(certificate)) > 0 else {
                unsafe X509_free(certificate)
                return nil
            }
        }
        return chain
    }

    deinit {
        unsafe X509_free(leaf)
        unsafe COpenSSL_sk_X509_free_all(others)
    }

    private static func read(_ bytes: [UInt8]) -> OpaquePointer? {
        var certificate: OpaquePointer?
        let isWhole = unsafe bytes.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress
            unsafe certificate = d2i_X509(nil, &position, buffer.count)
            return unsafe position == buffer.baseAddress?.advanced(by: buffer.count)
        }
        guard isWhole else {
            unsafe X509_free(certificate)
            return nil
        }
        return unsafe certificate
    }

    /// The public key of the client's certificate.
    var key: OpaquePointer? { unsafe X509_get0_pubkey(leaf) }

    /// The subject of the client's certificate, for the log.
    var subject: String { unsafe subjectText(of: leaf) ?? "" }

    /// Who has issued it, and under which number, for the audit trail.
    var origin: (issuer: String, serial: String) {
        let number = unsafe X509_get0_serialNumber(leaf)
        var serial: [UInt8] = []
        if let number = unsafe number, let start = unsafe ASN1_STRING_get0_data(number) {
            let count = max(0, min(64, Int(unsafe ASN1_STRING_length(number))))
            serial = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
        }
        return unsafe (nameText(X509_get_issuer_name(leaf)) ?? "", hexadecimal(serial))
    }

    /// Why nobody vouches for the certificate, or `nil` (X509_verify_cert(3)).
    func refusal(by store: AuthorityStore) -> CertificateRefusal? {
        let failure = CertificateRefusal(reason: "the check failed", subject: nil, depth: 0)
        guard let context = unsafe X509_STORE_CTX_new() else { return failure }
        defer { unsafe X509_STORE_CTX_free(context) }
        guard
            unsafe X509_STORE_CTX_init(context, store.pointer, leaf, others) == 1,
            // Purpose and trust of a client's certificate, as in a handshake.
            unsafe X509_STORE_CTX_set_default(context, "ssl_client") == 1
        else { return failure }
        let parameters = unsafe X509_STORE_CTX_get0_param(context)
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, ClientCertificatePolicy.securityLevel)
        guard unsafe X509_verify_cert(context) != 1 else { return nil }
        return unsafe CertificateRefusal(refusedIn: context)
    }

    // MARK: Who it is

    /// Names of one kind in one certificate; more are left out.
    private static let maximumNameCount: CInt = 64
    /// The longest name, in bytes.
    private static let maximumNameByteCount = 512

    /// What the certificate says of its holder.
    func identities(isVouchedFor: Bool) -> [String] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: CUnsignedInt = 0
        guard unsafe X509_digest(leaf, EVP_sha256(), &digest, &count) == 1 else { return [] }
        let whole = ["sha256:" + hexadecimal(Array(digest.prefix(Int(count))))]
        // What nobody vouches for is anybody's claim.
        guard isVouchedFor else { return whole }
        var names = whole
        if let subject = unsafe subjectText(of: leaf), !subject.isEmpty {
            names.append("subject:\(subject)")
        }
        if let name = commonName { names.append("cn:\(name)") }
        return names + alternativeNames
    }

    /// The common name, if there is exactly one: of several, nobody knows which one is meant.
    private var commonName: String? {
        guard let name = unsafe X509_get_subject_name(leaf) else { return nil }
        let index = unsafe X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard index >= 0, unsafe X509_NAME_get_index_by_NID(name, NID_commonName, index) < 0,
            let entry = unsafe X509_NAME_get_entry(name, index)
        else { return nil }
        var text: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry))
        guard let text = unsafe text else { return nil }
        defer { unsafe CRYPTO_free(text, nil, 0) }
        return unsafe Self.text(UnsafeBufferPointer(start: text, count: max(0, Int(count))))
    }

    /// The alternative names (RFC 5280 section 4.2.1.6) that may name a user.
    private var alternativeNames: [String] {
        guard
            let memory = unsafe X509_get_ext_d2i(leaf, NID_subject_alt_name, nil, nil)
        else { return [] }
        let names = OpaquePointer(memory)
        defer { unsafe GENERAL_NAMES_free(names) }
        var found: [String] = []
        for index in 0..<min(Self.maximumNameCount, max(0, unsafe OPENSSL_sk_num(names))) {
            guard let item = unsafe OPENSSL_sk_value(names, index) else { continue }
            let name = unsafe item.assumingMemoryBound(to: GENERAL_NAME.self)
            if let text = unsafe Self.identity(name) { found.append(text) }
        }
        return found
    }

    private static func identity(_ name: UnsafeMutablePointer<GENERAL_NAME>) -> String? {
        switch unsafe name.pointee.type {
        case GEN_EMAIL: unsafe text(name.pointee.d.rfc822Name).map { "email:\($0)" }
        case GEN_DNS: unsafe text(name.pointee.d.dNSName).map { "dns:\($0)" }
        case GEN_URI:
            unsafe text(name.pointee.d.uniformResourceIdentifier).map { "uri:\($0)" }
        case GEN_OTHERNAME:
            unsafe userPrincipalName(name.pointee.d.otherName).map { "upn:\($0)" }
        default: nil
        }
    }

    private static func userPrincipalName(_ name: UnsafeMutablePointer<OTHERNAME>?) -> String? {
        guard let name = unsafe name, unsafe OBJ_obj2nid(name.pointee.type_id) == NID_ms_upn,
            let value = unsafe name.pointee.value, unsafe value.pointee.type == V_ASN1_UTF8STRING
        else { return nil }
        return unsafe text(value.pointee.value.utf8string)
    }

    private static func text(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String? {
        guard let string = unsafe string, let start = unsafe ASN1_STRING_get0_data(string) else {
            return nil
        }
        let count = max(0, Int(unsafe ASN1_STRING_length(string)))
        return unsafe text(UnsafeBufferPointer(start: start, count: count))
    }

    /// Text without control characters; a NUL in particular would end it for others
    /// (CVE-2009-2408).
    private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard (1...maximumNameByteCount).contains(bytes.count),
            let text = unsafe String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { return nil }
        return text
    }
}
