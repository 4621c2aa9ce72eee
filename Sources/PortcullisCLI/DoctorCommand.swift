internal import ArgumentParser
internal import Glibc
internal import LinuxSystem
internal import Portcullis

/// `portcullis doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find what keeps clients from this server, and say how to mend it.",
        discussion: """
            Looks at the configuration, the kernel, certificates, files, ports and addresses, and at a \
            server that runs, as a client would. With --user it logs in and lists; the password is \
            asked for on a terminal, or is one line of the standard input. Nothing is changed, \
            unless --write lets it store a file, fetch it, and remove it. Status 1 if there is \
            something to mend.
            """
    )

    @Option(help: "The configuration file of the server.")
    var config = "/etc/portcullis.conf"

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Set an option, after the file.", valueName: "option=value")
    )
    var settings: [String] = []

    @Option(help: "A name by which clients know the server.")
    var host: [String] = []

    @Option(help: "A file with authorities that clients know beside the system's.")
    var caFile: String?

    @Option(help: "Log in as this user.")
    var user: String?

    @Flag(help: "With --user, store a file, fetch it and remove it.")
    var write = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard !write || user != nil else { throw ValidationError("--write needs --user.") }
    }

    func run() throws {
        try DaemonProcess.protectMemory()
        // A server that hangs up is a finding, and no reason to die.
        _ = signal(SIGPIPE, SIG_IGN)
        let password =
            try user.map { try askForPassword(of: $0) } ?? PasswordBox(Secret(copying: []))
        var questions = DoctorQuestions()
        questions.hosts = host
        questions.authorities = caFile
        questions.user = user
        questions.mayWrite = write
        var doctor = Doctor(ConfigurationReader.read(file: config, settings: settings), questions)
        var progress = ProgressLine()
        doctor.examine(password: password.secret) { progress.show("looking at the \($0)") }
        progress.clear()
        tell(doctor)
        guard doctor.findings.isEmpty else { throw ExitCode.failure }
    }

    private func askForPassword(of user: String) throws -> PasswordBox {
        do throws(SecretInputError) {
            return PasswordBox(
                standardInputIsTerminal
                    ? try promptForSecret("Password of \(user): ", maximumByteCount: 1_024)
                    : try readSecretLine(maximumByteCount: 1_024)
            )
        } catch {
            throw failure("no password was given for \(user)")
        }
    }

    private func tell(_ doctor: Doctor) {
        if json {
            let findings = doctor.findings.map { finding in
                JSONValue.object([
                    ("check", .string(finding.check)),
                    ("finding", .string(finding.text)),
                    ("mend", .string(finding.mend)),
                ])
            }
            let notes = doctor.notes.map(JSONValue.string)
            show(JSONValue.object([("findings", .array(findings)), ("notes", .array(notes))]).text)
            return
        }
        for finding in doctor.findings {
            show("\(finding.check): \(finding.text)", "    mend: \(finding.mend)")
        }
        for note in doctor.notes { show("note: \(note)") }
        let count = doctor.findings.count
        show(count == 0 ? "nothing found" : "\(count) to mend")
    }
}

/// Holds a password where only copies of values may be held.
private final class PasswordBox {
    let secret: Secret

    init(_ secret: consuming Secret) {
        self.secret = secret
    }
}
