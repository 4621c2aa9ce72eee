internal import LinuxSystem

/// The process that reads a client's certificate for the Warden: an unprivileged uid, no files, no
/// network, and no longer than the check takes.
///
/// The Warden is root and has to decide by what a certificate says; certificates come from the
/// network, and so are not read there.
enum VerifierRole {
    /// How long a check may take.
    private static let timeout: Duration = .seconds(10)

    /// Has a process check a recording.
    ///
    /// - Returns: What it found; a process that ends in any other way has found nothing.
    static func run(
        _ check: CertificateCheck,
        _ recording: [UInt8],
        challenge: [UInt8],
        settings: WardenSettings
    ) -> CertificateFinding {
        do {
            let pair = try MessageSocket.makePair()
            switch try DaemonProcess.fork() {
            case .child:
                serve(pair.takeSecond(), check, recording, challenge, settings)
            case .parent(let process):
                let channel = pair.takeFirst()
                defer { _ = DaemonProcess.reap(process, waits: true) }
                guard let message = try channel.receive() else {
                    return .refused(reason: "the check was not finished")
                }
                return try CertificateFinding(decoding: message.bytes)
            }
        } catch {
            return .refused(reason: "not checked: \(error)")
        }
    }

    private static func serve(
        _ channel: consuming MessageSocket,
        _ check: CertificateCheck,
        _ recording: [UInt8],
        _ challenge: [UInt8],
        _ settings: WardenSettings
    ) -> Never {
        DaemonProcess.setName("ftps-verifier")
        do throws(SystemError) {
            try KillTimer.start(timeout)
            try DaemonProcess.closeDescriptors(except: [channel.descriptor.number])
            try DaemonProcess.resetSignals()
            try Confinement.enterVerifier(as: settings.unprivileged, settings.systemCalls)
            try channel.send(check(recording, challenge).encoded)
        } catch {
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        DaemonProcess.exit(0)
    }
}
