internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem

/// The process that opens files: the logged-in user, without network.
enum AgentRole {
    /// What the Agent says once it stands behind its walls.
    static let ready: [UInt8] = [1]

    /// Becomes the Agent of `account` and answers its Session until that one ends.
    ///
    /// `quota` is the page on which the user's Agents share what the user has stored.
    static func run(
        _ account: Account,
        _ profile: LoginProfile,
        channel: consuming MessageSocket,
        quota: SharedPage?,
        handover: consuming MessageSocket?,
        settings: WardenSettings
    ) -> Never {
        DaemonProcess.setName("ftps-agent")
        let fileSystem: PermittedFileSystem
        do throws(SystemError) {
            var kept = [channel.descriptor.number]
            if let number = handover?.descriptor.number { kept.append(number) }
            try DaemonProcess.closeDescriptors(except: kept)
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            Credentials.setFileModeMask(profile.rules.umask)
            let isSwitching = Credentials.isRoot
            try Confinement.becomeUser(
                isSwitching ? account.credentials : nil,
                groups: account.groups
            )
            // Opened as the user: the kernel decides whether the user may enter this directory.
            let jail = try Jail.opening(
                profile.root,
                openMode: profile.rules.openMode,
                uploads: profile.rules.uploads,
                refusesLinks: !profile.rules.places.isEmpty
            )
            if let socket = handover.take() {
                let client = HandoverClient(socket)
                jail.handOver = { (file) throws(FileError) in try client.handOver(file) }
            }
            jail.ledger = quota.map { QuotaLedger(on: $0) }
            try Confinement.enterAgent(
                root: jail.rootDescriptorNumber,
                usesSeccomp: settings.usesSeccomp
            )
            fileSystem = PermittedFileSystem(jail, rules: profile.rules, resolver: jail)
            try channel.send(ready)
        } catch {
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        do throws(MessageError) {
            try FileServer(channel, serving: fileSystem).run()
        } catch {
            DaemonProcess.exit(RoleStatus.violation)
        }
        DaemonProcess.exit(0)
    }
}
