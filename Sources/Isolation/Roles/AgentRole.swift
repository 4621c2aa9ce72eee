internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import SystemPackage

/// The process that opens files: the logged-in user, without network.
enum AgentRole {
    /// What the Agent says once it stands behind its walls.
    static let ready: [UInt8] = [1]

    /// What an Agent said that does not stand there: the call that failed, behind its errno value.
    static func failure(_ message: [UInt8]) -> SystemError {
        // EBADF and EFAULT are nobody's to claim: a SystemError of them ends the process.
        guard let number = message.first, message.count > 1, number != 9, number != 14 else {
            return SystemError("home directory", .ioError)
        }
        // What is no name of a call comes from somebody else's Agent, and is not repeated.
        let name = message.dropFirst()
        let isName = name.count <= 32 && name.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x5F }
        let call = isName ? String(decoding: name, as: UTF8.self) : "?"
        return SystemError("home directory (\(call))", Errno(rawValue: CInt(number)))
    }

    /// Becomes the Agent of `account` and answers its Session until that one ends.
    ///
    /// `quota` is the page on which the user's Agents share what the user has stored, `journal` the
    /// one on which this one tells its Warden what it would leave behind.
    static func run(
        _ account: Account,
        _ profile: LoginProfile,
        channel: consuming MessageSocket,
        quota: SharedPage?,
        journal: UploadJournal,
        handover: consuming MessageSocket?,
        settings: WardenSettings
    ) -> Never {
        DaemonProcess.setName("ftps-agent")
        let fileSystem: PermittedFileSystem
        do throws(SystemError) {
            var kept = [channel.descriptor.number]
            if let number = handover?.descriptor.number { kept.append(number) }
            let jail = try enterJail(account, profile, keeping: kept, settings)
            if let socket = handover.take() {
                let client = HandoverClient(socket)
                jail.handOver = { (file) throws(FileError) in try client.handOver(file) }
            }
            jail.ledger = quota.map { QuotaLedger(on: $0) }
            jail.journal = journal
            let base = try settings.replaceFiles?(account, profile.root, jail)
            fileSystem = PermittedFileSystem(
                base ?? jail,
                rules: profile.rules,
                resolver: jail
            )
            try channel.send(ready)
        } catch {
            try? channel.send([UInt8(clamping: error.errno.rawValue)] + error.call.utf8)
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        do throws(MessageError) {
            try FileServer(channel, serving: fileSystem).run()
        } catch {
            DaemonProcess.exit(RoleStatus.violation)
        }
        DaemonProcess.exit(0)
    }

    /// Ends the upload of an Agent that was killed, in a process behind the same walls.
    static func endUpload(
        leftIn journal: UploadJournal,
        _ account: Account,
        _ profile: LoginProfile,
        quota: SharedPage?,
        settings: WardenSettings
    ) -> Never {
        DaemonProcess.setName("ftps-agent")
        do throws(SystemError) {
            let jail = try enterJail(account, profile, keeping: [], settings)
            jail.ledger = quota.map { QuotaLedger(on: $0) }
            jail.endUpload(leftIn: journal)
        } catch {
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        DaemonProcess.exit(0)
    }

    private static func enterJail(
        _ account: Account,
        _ profile: LoginProfile,
        keeping kept: [CInt],
        _ settings: WardenSettings
    ) throws(SystemError) -> Jail {
        // What PAM has read is gone by now, and nothing comes here that is not the user's.
        DaemonProcess.wipeFreedMemory(false)
        try DaemonProcess.closeDescriptors(except: kept)
        try DaemonProcess.resetSignals()
        try DaemonProcess.outliveTermination()
        Credentials.setFileModeMask(profile.rules.umask)
        let isSwitching = Credentials.isRoot
        try Confinement.becomeUser(
            isSwitching ? account.credentials : nil,
            groups: account.groups,
            fileSize: profile.rules.uploads.limits.fileSize,
            changesRoot: settings.changesRoot
        )
        // Opened as the user: the kernel decides whether the user may enter this directory.
        let jail = try Jail.opening(
            profile.root,
            openMode: profile.rules.openMode,
            uploads: profile.rules.uploads,
            refusesLinks: !profile.rules.places.isEmpty
        )
        try Confinement.enterAgent(
            root: jail.rootDescriptorNumber,
            changesRoot: settings.changesRoot,
            isOfProgram: settings.replaceFiles != nil,
            settings.systemCalls
        )
        return jail
    }
}
