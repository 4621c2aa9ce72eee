internal import Isolation
internal import LinuxSystem
internal import TLS

// From a configuration to the process that signs and the context of every session.

extension Gateway {
    /// Has every process use OpenSSL's FIPS module where that is wished for and there is one.
    ///
    /// The lack of one is a warning of ``SecurityPosture``.
    static func useFIPSModule(_ report: ConfigurationReport) throws(ServerError) -> Bool {
        let tls = report.configuration.tls
        guard tls.isEnabled, tls.policy == .fips, FIPSModule.isInstalled else { return false }
        guard FIPSModule.use() else {
            throw .option(
                "ssl_policy",
                tls.policy.rawValue,
                report,
                "the system has a FIPS module, which cannot be put to use",
                mend: "see that openssl list -providers -provider fips works"
            )
        }
        return true
    }

    /// Starts the process that keeps the keys, where there are any.
    static func startSigner(
        _ certificates: ServerCertificates,
        _ report: ConfigurationReport
    ) throws(ServerError) -> Signer? {
        let files = certificates.all
        guard !files.isEmpty else { return nil }
        var settings = SignerSettings { () throws(SignerFailure) in
            do throws(TLSError) {
                let keys = try SigningKeys(files)
                return { (message) throws(MessageError) in
                    SignatureReply.encoded(try keys.answer(message))
                }
            } catch {
                throw SignerFailure(
                    kind: error.code.rawValue,
                    place: error.number.flatMap(UInt16.init(exactly:)),
                    text: "\(error)"
                )
            }
        }
        settings.unprivileged = try unprivilegedCredentials(report)
        settings.systemCalls = report.configuration.session.systemCalls
        do throws(SignerFailure) {
            return try Signer.start(settings)
        } catch {
            let code = TLSError.Code(rawValue: error.kind)
            throw certificates.problem(code, error.place.map(Int.init), error.text, report)
        }
    }

    /// Reads the keys once, to see whether they can be used.
    static func checkKeys(
        _ certificates: ServerCertificates,
        _ report: ConfigurationReport
    ) throws(ServerError) {
        do throws(TLSError) {
            _ = try SigningKeys(certificates.all)
        } catch {
            throw certificates.problem(error.code, error.number, "\(error)", report)
        }
    }

    /// What connections may negotiate.
    static func makePolicy(_ tls: Configuration.TLS) -> TLSPolicy {
        var policy = TLSPolicy(
            level: tls.policy,
            allows12: tls.allows12,
            allows13: tls.allows13,
            clientCertificates: ClientCertificatePolicy(
                isRequested: tls.requestsClientCertificate,
                isRequired: tls.requiresClientCertificate,
                isValidated: tls.validatesClientCertificate,
                authoritiesFile: tls.authoritiesFile,
                revocationsFile: tls.revocationsFile
            )
        )
        policy.choice = tls.suites
        policy.encryptsInKernel = encryptsInKernel(tls)
        policy.clientCertificates.isProved = tls.provesClientCertificates
        return policy
    }

    /// Whether data connections offer their keys to the kernel: where that is wished for and it can.
    static func encryptsInKernel(_ tls: Configuration.TLS) -> Bool {
        tls.isEnabled && tls.encryptsInKernel && KernelTLS.isAvailable
    }

    /// Makes the context of every session, without the keys.
    static func makeContext(
        _ certificates: ServerCertificates,
        _ report: ConfigurationReport
    ) throws(ServerError) -> TLSContext? {
        let tls = report.configuration.tls
        guard tls.isEnabled else { return nil }
        let policy = makePolicy(tls)
        var names = ServerNamePolicy()
        names.expected = tls.expectedNames
        names.isRequired = tls.requiresName
        names.known = report.configuration.session.hostNames
        do throws(TLSError) {
            return try TLSContext.server(
                certificates.own,
                hosts: certificates.hosts,
                names: names,
                keys: .elsewhere,
                policy: policy
            )
        } catch {
            throw certificates.problem(error.code, error.number, "\(error)", report)
        }
    }

    /// What Wardens check clients' certificates by; uses the context's authorities.
    static func certificateCheck(_ context: TLSContext?) -> CertificateCheck? {
        guard let check = context?.clientProofCheck else { return nil }
        return { (recording, challenge) in
            switch check.check(recording, challenge: challenge) {
            case .success(let proof):
                .proved(
                    subject: proof.subject,
                    identities: proof.identities,
                    issuer: proof.issuer,
                    serial: proof.serial
                )
            case .failure(let failure): .refused(reason: failure.reason)
            }
        }
    }
}
