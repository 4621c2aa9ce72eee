extension ConfigurationOption {
    private static let ownIsolation =
        "every session has processes of its own, isolated by their own means"

    /// Processes and their confinement.
    static let processes: [ConfigurationOption] = [
        .toggle("seccomp_sandbox", sets: \.session.usesSeccomp),
        .toggle("seccomp_report", sets: \.session.reportsSystemCalls),
        .toggle("pam_sandbox", sets: \.session.confinesPAM),
        .ignoredToggle("isolate", why: ownIsolation),
        .ignoredToggle("isolate_network", why: ownIsolation),
        .ignoredToggle("ptrace_sandbox", when: true, why: ownIsolation),
        .ignoredToggle("one_process_model", when: true, why: ownIsolation),
        .ignoredToggle(
            "run_as_launching_user",
            when: true,
            why: "the account that starts the daemon decides what it may do"
        ),
        .ignoredToggle(
            "background",
            when: true,
            why: "the daemon stays in the foreground for its supervisor"
        ),
        .ignoredToggle(
            "setproctitle_enable",
            when: true,
            why: "the titles of processes stay as they are"
        ),
        .refusedToggle(
            "ftp_enable",
            when: false,
            why: "nothing but FTP is served",
            mend: "write ftp_enable=YES"
        ),
        .refusedToggle(
            "http_enable",
            when: true,
            why: "nothing but FTP is served",
            mend: "write http_enable=NO"
        ),
    ]
}
