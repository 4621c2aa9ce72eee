internal import COpenSSL
internal import Glibc
internal import LinuxSystem

/// An OCSP response that goes out with a certificate (RFC 6066 section 8, RFC 6960).
package struct StapledResponse: Hashable, Sendable {
    /// No response is larger; one has about 2 KiB.
    private static let maximumByteCount = 65_536

    /// How far the clocks of the responder and of this machine may be apart.
    private static let clockSkew = 300

    /// The response in DER.
    let bytes: [UInt8]

    /// When a newer one is to be had, in seconds since 1970.
    private let expiry: Int

    /// Why a response is not handed out.
    package enum Problem: Error, Hashable, Sendable {
        /// There is no such file, or it is too large.
        case unreadable(String)
        /// It is no successful response in DER.
        case malformed
        /// It is about other certificates.
        case otherCertificate
        /// It does not say that the certificate is good.
        case notGood
        /// Its time is over, or has not begun.
        case expired
        /// The certificate's file does not go on with the issuer.
        case lacksIssuer
        /// Neither the issuer nor whom it delegated has signed it.
        case forged

        /// The end of a sentence that begins with the response.
        package var text: String {
            switch self {
            case .unreadable(let reason): "it cannot be read (\(reason))"
            case .malformed: "it is no OCSP response in DER"
            case .otherCertificate: "it is about another certificate"
            case .notGood: "it does not say that the certificate is good"
            case .expired: "its time is over, or has not begun"
            case .lacksIssuer: "the certificate's file does not go on with the issuer's"
            case .forged: "the certificate's issuer has not signed it"
            }
        }
    }

    /// Reads a response and holds it against the certificate that it should be about.
    ///
    /// A client that gets a bad response with a certificate refuses both, so anything in doubt is
    /// left out.
    ///
    /// - Parameters:
    ///   - path: A file in DER.
    ///   - certificate: The PEM file of the certificate, which goes on with its issuer.
    /// - Throws: ``Problem``.
    package init(file path: String, for certificate: String) throws(Problem) {
        do throws(SystemError) {
            bytes = try readFile(at: path, maximumByteCount: Self.maximumByteCount)
        } catch {
            throw .unreadable("\(error)")
        }
        ERR_clear_error()
        defer { ERR_clear_error() }
        let chain = CertificateChain(file: certificate)
        let response = try OCSPResponse(bytes)
        expiry = try response.check(chain, clockSkew: Self.clockSkew)
        guard isCurrent else { throw .expired }
    }

    /// Whether it may still be handed out.
    var isCurrent: Bool { time(nil) < expiry }
}

/// A response that was read to be looked at.
@safe private final class OCSPResponse {
    /// How long a response is good that names no end, in seconds.
    private static let maximumAge = 7 * 24 * 3_600

    private let pointer: OpaquePointer

    /// Reads a response whose status is `successful`.
    init(_ bytes: [UInt8]) throws(StapledResponse.Problem) {
        let basic = unsafe bytes.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var start = buffer.baseAddress
            guard let whole = unsafe d2i_OCSP_RESPONSE(nil, &start, buffer.count) else {
                return nil
            }
            defer { unsafe OCSP_RESPONSE_free(whole) }
            guard unsafe OCSP_response_status(whole) == OCSP_RESPONSE_STATUS_SUCCESSFUL else {
                return nil
            }
            return unsafe OCSP_response_get1_basic(whole)
        }
        guard let basic = unsafe basic else { throw .malformed }
        unsafe pointer = basic
    }

    deinit {
        unsafe OCSP_BASICRESP_free(pointer)
    }

    /// Looks for what the response says of the first certificate of a chain.
    ///
    /// - Returns: When its time is over, in seconds since 1970.
    func check(
        _ chain: CertificateChain,
        clockSkew: Int
    ) throws(StapledResponse.Problem) -> Int {
        guard let certificate = unsafe chain.pointers.first,
            let issuer = unsafe chain.issuerOfFirst
        else { throw .lacksIssuer }
        guard let entry = unsafe entry(for: certificate, issuer) else { throw .otherCertificate }
        var begin: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var end: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        guard
            unsafe OCSP_single_get0_status(entry, nil, nil, &begin, &end)
                == V_OCSP_CERTSTATUS_GOOD
        else { throw .notGood }
        // Without a date for the next one it is good for a week.
        let age = unsafe end == nil ? Self.maximumAge : -1
        guard unsafe OCSP_check_validity(begin, end, clockSkew, age) == 1 else { throw .expired }
        guard unsafe isSigned(by: issuer) else { throw .forged }
        guard let end = unsafe end else { return time(nil) + Self.maximumAge }
        var days: CInt = 0
        var seconds: CInt = 0
        guard unsafe ASN1_TIME_diff(&days, &seconds, nil, end) == 1 else { throw .expired }
        return time(nil) + Int(days) * 86_400 + Int(seconds)
    }

    /// The entry of a certificate, whatever the hash that names it there.
    private func entry(
        for certificate: OpaquePointer,
        _ issuer: OpaquePointer
    ) -> OpaquePointer? {
        for index in 0..<max(0, unsafe OCSP_resp_count(pointer)) {
            guard let entry = unsafe OCSP_resp_get0(pointer, index),
                let known = unsafe OCSP_SINGLERESP_get0_id(entry)
            else { continue }
            var algorithm: OpaquePointer?
            let name = unsafe OpaquePointer(
                UnsafeRawPointer(known).assumingMemoryBound(to: UInt8.self)
            )
            guard
                unsafe OCSP_id_get0_info(nil, &algorithm, nil, nil, name) == 1,
                let digest = unsafe EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(algorithm))),
                let ours = unsafe OCSP_cert_to_id(digest, certificate, issuer)
            else { continue }
            defer { unsafe OCSP_CERTID_free(ours) }
            if unsafe OCSP_id_cmp(ours, known) == 0 { return unsafe entry }
        }
        return nil
    }

    /// Whether the issuer signed the response, or a responder that it delegated.
    private func isSigned(by issuer: OpaquePointer) -> Bool {
        guard let store = unsafe X509_STORE_new() else { return false }
        defer { unsafe X509_STORE_free(store) }
        guard let signers = unsafe COpenSSL_sk_X509_new_null() else { return false }
        defer { unsafe COpenSSL_sk_X509_free(signers) }
        return unsafe COpenSSL_sk_X509_push(signers, issuer) == 1
            && X509_STORE_add_cert(store, issuer) == 1
            // The issuer may be an intermediate, and is what the certificate's clients trust in.
            && X509_STORE_set_flags(store, COpenSSL_X509_V_FLAG_PARTIAL_CHAIN) == 1
            && OCSP_basic_verify(pointer, signers, store, 0) == 1
    }
}
