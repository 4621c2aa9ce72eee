import COpenSSL
import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import TLS

/// A client with a certificate, on the other end of a socket pair.
@safe private final class Client {
    private let context: OpaquePointer
    private let connection: OpaquePointer

    init(_ place: CertificatePlace, version: CInt, on descriptor: CInt) throws {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw Missing() }
        unsafe self.context = context
        guard let connection = unsafe SSL_new(context) else { throw Missing() }
        unsafe self.connection = connection
        guard
            unsafe SSL_use_certificate_file(connection, place.certificate, SSL_FILETYPE_PEM) == 1,
            unsafe SSL_use_PrivateKey_file(connection, place.privateKey, SSL_FILETYPE_PEM) == 1,
            unsafe COpenSSL_SSL_CTX_set_max_proto_version(context, version) == 1,
            unsafe SSL_set_fd(connection, descriptor) == 1
        else { throw Missing() }
        _ = unsafe SSL_ctrl(connection, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        unsafe SSL_set_connect_state(connection)
    }

    deinit {
        unsafe SSL_free(connection)
        unsafe SSL_CTX_free(context)
    }

    func step() { _ = unsafe SSL_do_handshake(connection) }
}

@Suite("What proves a client's certificate to a process that the network does not reach")
struct ClientProofTests {
    private let server: CertificatePlace
    private let client: CertificatePlace

    init() throws {
        server = try CertificatePlace()
        client = try CertificatePlace()
    }

    private func context(_ authorities: String? = nil) throws -> TLSContext {
        var policy = ClientCertificatePolicy(
            isRequested: true,
            isValidated: authorities != nil,
            authoritiesFile: authorities
        )
        policy.isProved = true
        let context = try server.context(policy: TLSPolicy(clientCertificates: policy))
        try context.beginSessionScope()
        return context
    }

    /// The recording of a handshake that carries `challenge`.
    private func record(
        _ context: TLSContext,
        _ challenge: [UInt8],
        _ version: CInt
    ) throws -> [UInt8] {
        var ends: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        let near = OwnedDescriptor(owning: ends[0])
        let far = OwnedDescriptor(owning: ends[1])
        let client = try Client(client, version: version, on: far.number)
        var connection = try TLSConnection.accepting(
            on: near,
            context: context,
            role: .control,
            challenge: challenge
        )
        for _ in 0..<20 {
            client.step()
            if connection.handshake() == .done { break }
        }
        guard let recording = connection.takeClientProof() else { throw Missing() }
        return recording
    }

    private func failure(
        _ check: ClientProofCheck,
        _ recording: [UInt8],
        _ challenge: [UInt8]
    ) -> String? {
        switch check.check(recording, challenge: challenge) {
        case .success: nil
        case .failure(let failure): failure.reason
        }
    }

    static let versions = [TLS1_2_VERSION, TLS1_3_VERSION]

    @Test(arguments: versions)
    func aHandshakeOfThisConnectionProvesTheCertificate(version: CInt) throws {
        let context = try context(client.certificate)
        let challenge = randomBytes(count: 32)
        let recording = try record(context, challenge, version)
        let outcome = context.clientProofCheck.check(recording, challenge: challenge)
        let proof = try outcome.get()
        #expect(proof.subject == "CN=localhost")
        #expect(proof.identities.first?.hasPrefix("sha256:") == true)
        #expect(proof.identities.contains("cn:localhost"))
        #expect(proof.identities.contains("dns:localhost"))
    }

    /// A Session that somebody took over may show what a client signed at another time.
    @Test(arguments: versions)
    func aHandshakeOfAnotherConnectionProvesNothing(version: CInt) throws {
        let context = try context()
        let challenge = randomBytes(count: 32)
        let recording = try record(context, challenge, version)
        let check = context.clientProofCheck
        #expect(failure(check, recording, challenge) == nil)
        for other in [randomBytes(count: 32), [], [UInt8](repeating: 0, count: 32)] {
            #expect(failure(check, recording, other)?.contains("this connection") == true)
        }
    }

    /// One that has the challenge exchanged for its own changes what the client has signed.
    @Test(arguments: versions)
    func aChallengeCannotBePutInAfterwards(version: CInt) throws {
        let context = try context()
        let (old, new) = (randomBytes(count: 32), randomBytes(count: 32))
        let recording = try record(context, old, version)
        let is13 = version == TLS1_3_VERSION
        let carried = is13 ? old : HandshakeRecording.name(carrying: old)
        let wanted = is13 ? new : HandshakeRecording.name(carrying: new)
        let place = try #require(
            (0..<(recording.count - carried.count)).first {
                recording[$0..<($0 + carried.count)].elementsEqual(carried)
            }
        )
        var changed = recording
        changed.replaceSubrange(place..<(place + carried.count), with: wanted)
        #expect(failure(context.clientProofCheck, changed, new)?.contains("signature") == true)
    }

    @Test(arguments: versions)
    func aHandshakeWithAnotherServerProvesNothing(version: CInt) throws {
        let challenge = randomBytes(count: 32)
        let other = try CertificatePlace()
        var policy = ClientCertificatePolicy(isRequested: true)
        policy.isProved = true
        let elsewhere = try other.context(policy: TLSPolicy(clientCertificates: policy))
        try elsewhere.beginSessionScope()
        let recording = try record(elsewhere, challenge, version)
        let check = try context().clientProofCheck
        #expect(failure(check, recording, challenge)?.contains("another server") == true)
    }

    @Test(arguments: versions)
    func aCertificateThatNobodyVouchesForProvesNothing(version: CInt) throws {
        let challenge = randomBytes(count: 32)
        // The Session took it, and the process that is asked does not.
        let recording = try record(try context(), challenge, version)
        let strict = try context(server.certificate).clientProofCheck
        #expect(failure(strict, recording, challenge)?.contains("self-signed") == true)
        let proof = try context().clientProofCheck.check(recording, challenge: challenge).get()
        #expect(proof.identities.count == 1, "names that nobody vouches for")
    }

    @Test(arguments: versions)
    func everyChangeOfAByteAndEveryCutIsNoticed(version: CInt) throws {
        let context = try context()
        let challenge = randomBytes(count: 32)
        let recording = try record(context, challenge, version)
        let check = context.clientProofCheck
        for index in stride(from: 0, to: recording.count, by: 3) {
            var changed = recording
            changed[index] ^= 1
            #expect(failure(check, changed, challenge) != nil, "byte \(index)")
        }
        for count in stride(from: 0, to: recording.count, by: 7) {
            let cut = [UInt8](recording.prefix(count))
            #expect(failure(check, cut, challenge) != nil, "\(count) bytes")
        }
        #expect(failure(check, recording + recording, challenge) != nil)
    }

    @Test func aClientThatShowsNothingLeavesNothing() throws {
        var recording = HandshakeRecording(challenge: randomBytes(count: 32))
        let message: [UInt8] = [11, 0, 0, 0]
        unsafe message.withUnsafeBytes { unsafe recording.take($0, isFromClient: true) }
        #expect(!recording.isComplete)
    }

    @Test func aHandshakeThatIsTooLongIsForgotten() throws {
        var recording = HandshakeRecording(challenge: randomBytes(count: 32))
        let message = [UInt8](repeating: 11, count: HandshakeRecording.maximumByteCount)
        for _ in 0..<3 {
            unsafe message.withUnsafeBytes { unsafe recording.take($0, isFromClient: true) }
        }
        let proof: [UInt8] = [15, 0, 0, 0]
        unsafe proof.withUnsafeBytes { unsafe recording.take($0, isFromClient: true) }
        #expect(recording.messages.isEmpty)
        #expect(!recording.isComplete)
    }
}
