import TLS
import Testing

@Suite struct RehearsalTests {
    @Test(arguments: TLSPolicy.Level.allCases)
    func everyPolicyCanBeRehearsed(_ level: TLSPolicy.Level) throws {
        try TLSRehearsal.run(TLSPolicy(level: level))
    }

    @Test func oneVersionAloneCanBeRehearsed() throws {
        try TLSRehearsal.run(TLSPolicy(allows13: false))
        try TLSRehearsal.run(TLSPolicy(allows12: false))
    }

    @Test func certificatesOfClientsAreNotAskedForInARehearsal() throws {
        try TLSRehearsal.run(
            TLSPolicy(
                clientCertificates: ClientCertificatePolicy(
                    isRequested: true,
                    isRequired: true,
                    isValidated: true,
                    authoritiesFile: "/nowhere",
                    revocationsFile: nil
                )
            )
        )
    }
}
