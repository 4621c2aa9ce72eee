internal import Isolation
internal import LinuxSystem
internal import TLS

// What administrators ask of a server that runs.

extension Gateway {
    /// Opens the admin socket, where one is asked for.
    static func openAdminDesk(
        _ report: ConfigurationReport
    ) throws(ServerError) -> AdminDesk? {
        guard let (path, settings) = try adminSettings(report) else { return nil }
        do throws(SystemError) {
            return AdminDesk(try .listening(at: path, group: settings.group), settings)
        } catch {
            throw .option(
                "admin_socket",
                path,
                report,
                "it cannot be made (\(error))",
                mend: "name a place in a directory that exists, and where nothing else stands"
            )
        }
    }

    /// Opens the address that Prometheus asks at, where one is wished for.
    static func openMetricsDesk(
        _ report: ConfigurationReport
    ) throws(ServerError) -> MetricsDesk? {
        guard let address = report.configuration.admin.metrics else { return nil }
        let settings = MetricsSettings(
            address: address,
            version: ProgramVersion.text,
            unprivileged: try unprivilegedCredentials(report),
            systemCalls: report.configuration.session.systemCalls
        )
        do throws(SystemError) {
            return try MetricsDesk(settings)
        } catch {
            throw .option(
                "metrics_address",
                "\(address)",
                report,
                "it cannot be listened on (\(error))",
                mend: "write an address of this machine, and a port that is free"
            )
        }
    }

    /// Looks whether the admin socket could be opened, and leaves nothing behind.
    static func checkAdmin(_ report: ConfigurationReport) throws(ServerError) {
        _ = try adminSettings(report)
    }

    private static func adminSettings(
        _ report: ConfigurationReport
    ) throws(ServerError) -> (String, AdminSettings)? {
        let admin = report.configuration.admin
        guard let path = admin.socket else { return nil }
        if let problem = LocalSocket.problem(with: path) {
            throw .option(
                "admin_socket",
                path,
                report,
                problem,
                mend: "make a directory that belongs to root, and that nobody else may write to"
            )
        }
        var group = Credentials.current.group
        if let name = admin.group {
            guard let number = SystemAccount.number(ofGroup: name) else {
                throw .option(
                    "admin_group",
                    name,
                    report,
                    "no such group",
                    mend: "make it with groupadd, or leave the option out"
                )
            }
            group = number
        }
        let settings = AdminSettings(
            group: group,
            unprivileged: try unprivilegedCredentials(report),
            systemCalls: report.configuration.session.systemCalls
        )
        return (path, settings)
    }

    /// What the Listener does not know of the server.
    func status() -> ServerStatus {
        let configuration = report.configuration
        var status = ServerStatus()
        status.version = ProgramVersion.text
        status.since = start
        status.listening = localPorts.map(\.text)
        let listening = configuration.listening
        status.limits = [
            ("max_clients", listening.maximumClients),
            ("max_per_ip", listening.maximumClientsPerAddress),
            ("max_per_user", listening.maximumSessionsPerUser),
            ("max_before_login", listening.maximumClientsBeforeLogin),
            ("max_connection_rate", listening.maximumConnectionRate),
        ].map { "\($0)=\($1)" }
        status.certificates = certificateExpiries
        status.lastReload = lastReload
        status.hasReloaded = hasReloaded
        return status
    }

    /// When the certificates of `report` expire, as their files stand now.
    static func expiries(of certificates: ServerCertificates) -> [ServerStatus.Certificate] {
        let now = secondsSinceEpoch()
        return certificates.all.compactMap { files in
            CertificateFacts(file: files.certificate).map {
                .init(file: files.certificate, expiry: now + $0.secondsLeft)
            }
        }
    }
}

extension ControlPort {
    /// The address, and how clients begin where that is not what they expect.
    package var text: String {
        switch kind {
        case .explicitTLS: "\(address)"
        case .implicitTLS: "\(address), implicit TLS"
        case .plain: "\(address), plain FTP"
        }
    }
}
