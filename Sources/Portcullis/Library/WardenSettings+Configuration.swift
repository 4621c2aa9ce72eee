internal import Authentication
internal import Isolation

extension WardenSettings {
    /// What follows from a configuration alone, wherever it was written.
    init(_ configuration: Configuration) {
        self.init()
        systemCalls = configuration.session.systemCalls
        confinesPAM = configuration.session.confinesPAM
        maximumFailures = configuration.login.maximumFailures
        locksUsers = configuration.listening.userLocks.failures > 0
        takesPlainSystemLogins = configuration.tls.takesPlainSystemLogins
        maximumPassivePerAddress = configuration.passive.maximumPerAddress
        serverRate = configuration.rates.server
        loginTimeout = configuration.timeouts.login
        checkTimeout = configuration.login.checkTimeout
        failureDelay = configuration.login.failureDelay
        maximumFailureDelay = configuration.login.maximumFailureDelay
        successDelay = configuration.login.successDelay
        let passive = configuration.passive
        if passive.isEnabled, passive.minimumPort <= passive.maximumPort {
            passivePorts = PassivePorts(passive.minimumPort...passive.maximumPort)
        }
        allowsActive = configuration.active.isEnabled
        allowsForeignActive = configuration.active.isPromiscuous
        allowsPrivilegedActive = configuration.active.allowsPrivilegedPorts
        activePort = configuration.active.usesDataPort ? configuration.active.dataPort : 0
        profile = { account throws(LoginRefusal) in
            try LoginProfile.make(for: account, configuration)
        }
        sendsFiles = configuration.sendsFilesInClear
        counts = configuration.admin.metrics != nil
        shutdownTimeout = configuration.timeouts.shutdown
    }
}
