internal import FTPProtocol
internal import Glibc
internal import Isolation
package import LinuxSystem
internal import TLS

/// Looks on this machine for what people trip over, and logs in as a client would.
///
/// One check after the other; none changes anything, unless a file may be written. A process that is
/// root gives that up for good before it reads what others send.
package struct Doctor {
    let report: ConfigurationReport
    let questions: DoctorQuestions

    /// What was found to be wrong.
    package internal(set) var findings: [DoctorFinding] = []

    /// What could not be found out from here, and what need not be wrong.
    package internal(set) var notes: [String] = []

    /// The certificates in the files that the configuration names.
    var digests: Set<[UInt8]> = []

    /// Prepares to look at a configuration, with or without problems.
    package init(_ report: ConfigurationReport, _ questions: DoctorQuestions) {
        self.report = report
        self.questions = questions
    }

    var configuration: Configuration { report.configuration }

    /// Goes through every check.
    ///
    /// - Parameters:
    ///   - password: The password of ``DoctorQuestions/user``; an empty one logs nobody in.
    ///   - progress: Called with the name of each check before it begins.
    package mutating func examine(
        password: borrowing Secret,
        progress: (String) -> Void
    ) {
        progress("configuration")
        checkConfiguration()
        progress("kernel")
        checkKernel()
        progress("certificates")
        checkCertificates()
        progress("files")
        checkFiles()
        guard report.problems.isEmpty else {
            notes.append("the network was not looked at: mend the configuration first")
            return
        }
        progress("passive ports")
        checkPassiveRange()
        progress("control port")
        let isTaken = isControlPortTaken()
        // What follows reads what others send, and needs no right for that.
        guard let client = prepareClient(), dropRights() else { return }
        let isServing = isTaken && checkControlPort(client)
        progress("advertised address")
        checkAdvertisedAddress()
        checkOwnPorts()
        if let user = questions.user {
            progress("login")
            if isServing {
                logIn(as: user, password, client)
            } else {
                notes.append("nobody was logged in: the server does not run")
            }
        }
        notes.append(
            "firewalls between this machine and its clients, and rules that spare the machine itself,"
                + " cannot be seen from here; try from outside"
        )
    }

    mutating func find(_ check: String, _ text: String, mend: String) {
        findings.append(DoctorFinding(check, text, mend: mend))
    }

    /// Reads what a client needs to know, while this process may read it.
    private mutating func prepareClient() -> TLSClientContext? {
        do throws(TLSError) {
            let files = configuration.tls.certificates.map(\.certificate)
            digests = Set(files.compactMap { CertificateFacts.digest(ofFile: $0) })
            return try TLSClientContext.make(authorities: questions.authorities)
        } catch {
            find(
                "configuration",
                "the authorities in \(questions.authorities ?? "") cannot be read (\(error))",
                mend: "name a file in PEM by --ca-file"
            )
            return nil
        }
    }

    /// Becomes nobody for good, where this process is root.
    private mutating func dropRights() -> Bool {
        do {
            guard let nobody = try Gateway.unprivilegedCredentials(report) else { return true }
            try nobody.assume(groups: [])
            return true
        } catch {
            find(
                "root",
                "the rights of root cannot be given up: \(error)",
                mend: "see nopriv_user; the network was not looked at"
            )
            return false
        }
    }

    private mutating func checkConfiguration() {
        for entry in report.problems {
            guard case .refused(let why, let mend) = entry.disposition else { continue }
            let place = [entry.origin, entry.name].filter { !$0.isEmpty }
                .joined(separator: ": ")
            find("configuration", "\(place): \(why)", mend: mend)
        }
        guard report.problems.isEmpty else { return }
        do throws(ServerError) {
            _ = try Gateway.check(report)
        } catch {
            find(
                "configuration",
                error.description,
                mend: "see portcullis check-config; serve does not start like this"
            )
        }
    }

    private mutating func checkKernel() {
        for gap in HostKernel.gaps {
            find("kernel", gap, mend: "run a kernel of 6.12 or later with Landlock and seccomp")
        }
        if !Credentials.isRoot {
            find(
                "root",
                "without root nobody but this account can log in, and no port below 1024 opens",
                mend: "run it as root; the server drops every right that it has no use for"
            )
        }
    }

    private mutating func checkCertificates() {
        guard configuration.tls.isEnabled else { return }
        let hosts = hostNames
        for files in configuration.tls.certificates {
            let path = files.certificate
            guard let facts = CertificateFacts(file: path) else { continue }
            if facts.secondsLeft < 0 {
                find("certificate-expiry", "\(path) has expired", mend: "renew it and send SIGHUP")
            } else if facts.daysLeft < 30 {
                find(
                    "certificate-expiry",
                    "\(path) expires in \(facts.daysLeft) days",
                    mend: "renew it and send SIGHUP"
                )
            }
            switch facts.chainProblem {
            case .disorder:
                find(
                    "certificate-chain",
                    "\(path): the certificates are not in order",
                    mend: "put the server's first, then each one that vouches for the one before"
                )
            case .lacksIssuer:
                find(
                    "certificate-chain",
                    "\(path) lacks the certificate of its issuer, so clients may refuse it",
                    mend: "append the intermediate certificates, as in fullchain.pem"
                )
            case nil: break
            }
            for host in hosts
            where CertificateFacts(file: path, host: host)?.isForHost == false {
                find(
                    "certificate-name",
                    "\(path) is not for \(host), by which clients know this server",
                    mend: "have a certificate issued with that name as a subjectAltName"
                )
            }
        }
    }

    /// The names that clients use, as far as anybody has said.
    private var hostNames: [String] {
        if !questions.hosts.isEmpty { return questions.hosts }
        if let name = configuration.passive.announcedName { return [name] }
        return configuration.session.hostNames.sorted()
    }

    private mutating func checkFiles() {
        var files = configuration.tls.certificates.map { ($0.privateKey, "the private key") }
        if let file = configuration.login.virtualUsersFile { files.append((file, "the users")) }
        for (path, what) in files {
            guard let file = try? HostFile.read(path, limit: 0) else { continue }
            // The group of Debian's ssl-cert is made for that.
            if file.mode & 0o004 != 0 {
                find(
                    "permissions",
                    "everybody on this machine may read \(what) in \(path)",
                    mend: "run chmod o-r on the file"
                )
            }
            if file.belongsToOthers {
                find(
                    "permissions",
                    "\(path) belongs to somebody who is neither root nor this account",
                    mend: "run chown root on the file"
                )
            }
        }
        for entry in report.entries where entry.name.isEmpty && entry.remark != nil {
            find(
                "permissions",
                "\(entry.origin): \(entry.remark ?? "")",
                mend: "run chmod o-w on the file"
            )
        }
        if let root = configuration.login.localRoot, configuration.login.userSubToken == nil,
            !HostFile.isDirectory(root)
        {
            find(
                "home",
                "local_root=\(root) is not a directory, so nobody can log in",
                mend: "create it, or correct local_root"
            )
        }
        if let name = questions.user, let account = SystemAccount(named: name) {
            checkHome(of: account)
        }
    }

    private mutating func checkHome(of account: SystemAccount) {
        guard configuration.login.localRoot == nil else { return }
        // What follows `/./` is where a session begins, and not part of the jail's name.
        guard HostFile.isDirectory(account.home) else {
            find(
                "home",
                "the home \(account.home) of \(account.name) is not a directory",
                mend: "create it, and give it to \(account.name)"
            )
            return
        }
        if Credentials.isRoot, !account.mayEnter(account.home) {
            find(
                "home",
                "\(account.name) may not enter \(account.home)",
                mend: "give the directory to \(account.name), and let everybody through those above"
            )
        }
    }
}

extension SystemAccount {
    /// Whether the account may enter a directory, by the permission bits of all on the way.
    ///
    /// What groups and access lists add is not looked at, so the answer may be a false no only
    /// where nobody else has a right either.
    fileprivate func mayEnter(_ path: String) -> Bool {
        var place = ""
        for part in path.split(separator: "/") {
            place += "/\(part)"
            var status = stat()
            // SAFETY: the string is NUL-terminated for the call, and the kernel fills the structure.
            guard unsafe stat(place, &status) == 0 else { return false }
            let anybody = status.st_mode & (S_IXOTH | S_IXGRP) != 0
            let owner = status.st_uid == credentials.user && status.st_mode & S_IXUSR != 0
            guard anybody || owner || credentials.user == 0 else { return false }
        }
        return true
    }
}
