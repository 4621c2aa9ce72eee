internal import ArgumentParser
internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import Portcullis
internal import TLS

/// `portcullis demo`.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a temporary directory on this machine, to try things out.",
        discussion: """
            Makes an account "demo" with a one-time password, and a certificate if none is given, \
            and prints commands to paste. Everything goes when the program ends.
            """
    )

    @Option(help: "The port on 127.0.0.1; 0 takes any free one.")
    var port: UInt16 = 2121

    @Option(help: "A directory with a PAM service file; system accounts may then log in, too.")
    var pamConfDir: String?

    @Option(help: "A certificate in PEM.")
    var certificate: String?

    @Option(help: "The certificate's key in PEM.")
    var key: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Set an option.", valueName: "option=value")
    )
    var settings: [String] = []

    @Flag(help: "Log every command, without passwords.")
    var verbose = false

    func run() throws {
        try DaemonProcess.protectMemory()
        try DaemonStart.dropInheritance()
        let place = try TemporaryDirectory.make(prefix: "portcullis-demo-")
        do {
            try serve(in: place)
        } catch {
            place.remove()
            throw error
        }
        place.remove()
    }

    private func serve(in place: borrowing TemporaryDirectory) throws {
        var assignments = [
            "listen_address=127.0.0.1", "listen_port=\(port)", "write_enable=YES",
            "local_umask=022",
        ]
        let trusted: String
        if let certificate {
            trusted = certificate
            assignments.append("rsa_cert_file=\(certificate)")
            if let key { assignments.append("rsa_private_key_file=\(key)") }
        } else {
            let made = try SelfSignedCertificate.make(days: 30)
            trusted = try place.write("certificate.pem", made.certificate)
            assignments.append("rsa_cert_file=\(trusted)")
            let keyFile = try place.write("key.pem", made.privateKey)
            assignments.append("rsa_private_key_file=\(keyFile)")
        }
        assignments.append("pam_conf_dir=\(try pamConfDir ?? makeClosedService(in: place))")

        let report = try readConfiguration(file: nil, settings: assignments + settings)
        let password = randomWord(count: 20)
        let account = try makeAccount(in: place, password: password)
        let server = try makeServer(report, demonstration: account, verbosely: verbose)
        server.serveForever {
            for port in server.localPorts {
                show("listening on \(port.address)")
                explain(port: port.address.port, password: password, trusted: trusted)
            }
        }
    }

    /// A PAM service that lets nobody in: the demo account needs none.
    private func makeClosedService(in place: borrowing TemporaryDirectory) throws -> String {
        let rules = ["auth", "account", "session"].map { "\($0) required pam_deny.so\n" }.joined()
        _ = try place.write("portcullis", Array(rules.utf8))
        return place.path
    }

    private func makeAccount(
        in place: borrowing TemporaryDirectory,
        password: String
    ) throws -> DemonstrationAccount {
        let directory = try place.makeDirectory("files")
        var credentials = Credentials.current
        if Credentials.isRoot {
            // A user id that no account has, from the range that systemd keeps for such uses.
            let free = (61_184...65_519).first { !SystemAccount.exists(user: $0) }
            let user = free ?? 65_519
            credentials = Credentials(user: user, group: user)
            try changeOwner(of: directory, to: credentials)
            // The account has to get through to its directory, and sees nothing else on the way.
            try changeMode(of: place.path, to: 0o711)
        }
        return DemonstrationAccount(
            name: "demo",
            password: Secret(copying: Array(password.utf8)),
            credentials: credentials,
            directory: directory
        )
    }

    private func explain(port: UInt16, password: String, trusted: String) {
        show(
            """

            Account demo, password: \(password)

            Paste one of these into another terminal:

            python3 -c "import ftplib; c = ftplib.FTP_TLS(); c.connect('127.0.0.1', \(port)); \
            c.login('demo', '\(password)'); c.prot_p(); c.retrlines('LIST'); c.quit()"

            curl --ssl-reqd --cacert '\(trusted)' --user 'demo:\(password)' \
            'ftp://127.0.0.1:\(port)/'

            lftp -e "set ftp:ssl-force yes; set ssl:ca-file '\(trusted)'; ls; quit" \
            -u 'demo,\(password)' 'ftp://127.0.0.1:\(port)'

            """
        )
        if pamConfDir != nil, Credentials.isRoot {
            show("System accounts log in through PAM with their own passwords.", "")
        }
        show("^C ends the server.")
    }
}
