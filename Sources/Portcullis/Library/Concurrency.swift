/// How the sessions of a server are kept apart from each other, and from the program.
public enum Concurrency: Sendable, Hashable {
    /// Each session is a group of processes, as in the daemon.
    ///
    /// The process that reads the network has no rights and no files, another one opens files as the
    /// user who logged in, and the program's own process only accepts. A client that takes its
    /// session over by a mistake in the server has the bytes of that one session, and nothing else.
    ///
    /// The processes are forked from the program, which therefore must have one thread when it calls
    /// ``FTPServer/serveForever()``: no Swift concurrency, no Dispatch, no Foundation that has
    /// started one. Otherwise it ends there, with a line that says so.
    ///
    /// Nothing that a session changes in memory is seen by the program or by another session. The
    /// hooks of ``FTPHandler`` run in the process without rights, so they cannot open files or run
    /// programs; ``Authorizer`` runs in the one that has the program's rights.
    case processes

    /// Each session is a thread of the program.
    ///
    /// For servers inside other programs, in tests, and beside Swift concurrency. It starts no
    /// process. Hooks may do whatever the program may, and share its memory.
    ///
    /// What it gives up:
    /// - **Nothing holds a session that has been taken over.** A mistake in the code that reads the
    ///   network, in OpenSSL or in a hook is a mistake in the program: it has the program's rights,
    ///   its memory, every other session and the private key. A trap ends the program.
    /// - **Files are opened with the program's rights.** The jail still holds, since the kernel
    ///   resolves every path beneath the user's directory; seccomp, Landlock and the switch to
    ///   another user do not stand behind it. ``UnixAuthorizer`` in a program of root's makes the
    ///   session's thread that user, which guards against mistakes in rights and not against a
    ///   session that was taken over.
    /// - **A check of a login cannot be ended from outside.** A PAM module that hangs keeps its
    ///   thread.
    /// - **There is no second factor by PAM.** A user of whom it asks a second question, such as a
    ///   one-time code, is refused, and the log says so; nobody gets in without being asked.
    /// - **PAM opens no session** and establishes no credentials, which would be the whole program's.
    /// - **The umask is the program's.** ``FTPHandler/Settings/umask`` is applied beside it, so a
    ///   file never gets a bit that the program's own umask takes away.
    ///
    /// Logins by client certificates, quotas and the audit trail belong to the daemon and its
    /// configuration. ``FTPHandler/Settings`` cannot ask for them, in either form of concurrency.
    case threads
}
