internal import CPAM
internal import LinuxSystem

/// A PAM call that did not succeed.
struct PAMError: Error, Hashable {
    /// The call, such as `pam_authenticate`.
    let call: String
    /// One of the return codes of pam(3).
    let code: CInt

    /// Text for the log.
    var logText: String {
        // SAFETY: pam_strerror(3) returns static text and ignores the handle.
        guard let text = unsafe pam_strerror(nil, code) else { return "\(call): \(code)" }
        return unsafe "\(call): \(String(cString: text))"
    }
}

/// One PAM transaction (pam_start(3) to pam_end(3)).
@safe struct PAMTransaction: ~Copyable {
    private let handle: OpaquePointer
    private let answers: UnsafeMutablePointer<PAMAnswers>
    private var lastStatus: CInt = PAM_SUCCESS

    private init(handle: OpaquePointer, answers: UnsafeMutablePointer<PAMAnswers>) {
        unsafe self.handle = handle
        unsafe self.answers = answers
    }

    deinit {
        _ = unsafe pam_end(handle, lastStatus)
        unsafe answers.deinitialize(count: 1)
        unsafe answers.deallocate()
    }

    /// Starts a transaction.
    ///
    /// - Parameters:
    ///   - service: The name of the service file.
    ///   - directory: Where the service file lies, or `nil` for the system's place
    ///     (pam_start_confdir(3)).
    ///   - user: The name that is to be checked.
    /// - Returns: A transaction that ends when it is dropped.
    /// - Throws: ``PAMError``, when there is no such service for example.
    static func start(
        service: String,
        directory: String?,
        user: String
    ) throws(PAMError) -> PAMTransaction {
        let answers = UnsafeMutablePointer<PAMAnswers>.allocate(capacity: 1)
        unsafe answers.initialize(to: PAMAnswers(user: user))
        var conversation = unsafe pam_conv(conv: converse, appdata_ptr: answers)
        var handle: OpaquePointer?
        let status =
            if let directory {
                unsafe pam_start_confdir(service, user, &conversation, directory, &handle)
            } else {
                unsafe pam_start(service, user, &conversation, &handle)
            }
        guard status == PAM_SUCCESS, let handle = unsafe handle else {
            unsafe answers.deinitialize(count: 1)
            unsafe answers.deallocate()
            throw PAMError(call: "pam_start", code: status)
        }
        return unsafe PAMTransaction(handle: handle, answers: answers)
    }

    /// Loads the modules of a service for good.
    ///
    /// pam_start(3) loads them and pam_end(3) would unload them again. Later transactions read the
    /// rules anew, and find the modules there.
    static func loadModules(service: String, directory: String?) {
        var conversation = unsafe pam_conv(conv: converse, appdata_ptr: nil)
        var handle: OpaquePointer?
        if let directory {
            _ = unsafe pam_start_confdir(service, nil, &conversation, directory, &handle)
        } else {
            _ = unsafe pam_start(service, nil, &conversation, &handle)
        }
    }

    /// Sets a text item, such as PAM_RHOST (pam_set_item(3)).
    mutating func set(_ item: CInt, to text: String) throws(PAMError) {
        try check("pam_set_item", unsafe pam_set_item(handle, item, text))
    }

    /// Leaves the delay after a failure to the caller (pam_fail_delay(3)).
    ///
    /// A module's own delay follows a wrong password only, and would tell the right one of somebody who
    /// may not log in for another reason, or whose user a name is.
    mutating func takeOverDelays() throws(PAMError) {
        try check("pam_set_item", unsafe CPAM_take_over_delays(handle))
    }

    /// The name of the user, which a module may have changed (PAM_USER).
    var user: String? {
        var item: UnsafeRawPointer?
        guard unsafe pam_get_item(handle, PAM_USER, &item) == PAM_SUCCESS,
            let text = unsafe item?.assumingMemoryBound(to: CChar.self)
        else { return nil }
        return unsafe String(cString: text)
    }

    /// Checks the password; empty ones never pass (pam_authenticate(3)).
    ///
    /// - Parameters:
    ///   - password: The password.
    ///   - question: Asks the client for whatever else a module wants.
    /// - Throws: ``PAMError``.
    mutating func authenticate(
        _ password: borrowing Secret,
        asking question: SecondQuestion?
    ) throws(PAMError) {
        let (handle, answers) = unsafe (handle, answers)
        let status = unsafe password.withCString { text in
            unsafe answers.pointee.password = text
            unsafe answers.pointee.question = question
            defer {
                unsafe answers.pointee.password = nil
                unsafe answers.pointee.question = nil
            }
            return unsafe pam_authenticate(handle, CInt(PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK))
        }
        try check("pam_authenticate", status)
    }

    /// Checks whether the account may be used now (pam_acct_mgmt(3)).
    mutating func checkAccount() throws(PAMError) {
        try check(
            "pam_acct_mgmt",
            unsafe pam_acct_mgmt(handle, CInt(PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK))
        )
    }

    /// Establishes credentials (pam_setcred(3)).
    mutating func establishCredentials() throws(PAMError) {
        try check("pam_setcred", unsafe pam_setcred(handle, CInt(PAM_ESTABLISH_CRED | PAM_SILENT)))
    }

    /// Opens a session (pam_open_session(3)).
    mutating func openSession() throws(PAMError) {
        try check("pam_open_session", unsafe pam_open_session(handle, CInt(PAM_SILENT)))
    }

    /// Closes the session and deletes the credentials; goes on when one of them fails.
    mutating func closeSession() {
        _ = unsafe pam_close_session(handle, CInt(PAM_SILENT))
        lastStatus = unsafe pam_setcred(handle, CInt(PAM_DELETE_CRED | PAM_SILENT))
    }

    private mutating func check(_ call: String, _ status: CInt) throws(PAMError) {
        lastStatus = status
        guard status == PAM_SUCCESS else { throw PAMError(call: call, code: status) }
    }
}
