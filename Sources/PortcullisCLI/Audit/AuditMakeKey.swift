internal import ArgumentParser
internal import Isolation
internal import LinuxSystem

/// `portcullis audit key`.
struct AuditMakeKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make a key that signs the seals of the audit trail.",
        discussion: """
            Writes it into a new file, which audit_key_file is to name, and prints the public key. Keep \
            that somewhere else: `audit verify --key` holds the first signature against it, and each \
            signature vouches for the key of the next one.
            """
    )

    @Argument(help: "The file to make.")
    var file: String

    func run() throws {
        try DaemonProcess.protectMemory()
        do throws(LogFileError) {
            show(try AuditKey.make(at: file))
        } catch {
            complain("\(file): \(error.reason)")
            // EX_CANTCREAT of sysexits.h.
            throw ExitCode(73)
        }
    }
}
