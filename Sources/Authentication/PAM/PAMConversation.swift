internal import CPAM
internal import Glibc
internal import LinuxSystem

// What PAM modules ask, and what they are answered (pam_conv(3)).

/// What a conversation may answer; PAM hands its address back with every question.
@unsafe struct PAMAnswers {
    /// The password, only while pam_authenticate(3) runs.
    var password: UnsafePointer<CChar>?
    /// What the client sent after USER.
    var user = ""
    /// Asks the client for more, only while pam_authenticate(3) runs.
    var question: SecondQuestion?
    /// The text of the first hidden prompt, which the password answered.
    var firstPrompt: String?
    /// How often the client may still be asked, so that no module can ask for ever.
    var questionsLeft = 3
}

/// Answers the questions of PAM modules, in the way that ``PAMPrompt`` tells.
///
/// Texts are taken note of and not shown, since FTP has no place for them. A question that nobody
/// can answer fails the conversation.
func converse(
    _ count: CInt,
    _ messages: UnsafeMutablePointer<UnsafePointer<pam_message>?>?,
    _ responses: UnsafeMutablePointer<UnsafeMutablePointer<pam_response>?>?,
    _ context: UnsafeMutableRawPointer?
) -> CInt {
    guard count > 0, count <= PAM_MAX_NUM_MSG, let messages = unsafe messages,
        let responses = unsafe responses,
        let answers = unsafe context?.assumingMemoryBound(to: PAMAnswers.self)
    else { return PAM_CONV_ERR }
    // PAM frees the array and each answer with free(3).
    guard
        let memory = unsafe calloc(Int(count), MemoryLayout<pam_response>.stride)
    else { return PAM_BUF_ERR }
    let filled = unsafe memory.assumingMemoryBound(to: pam_response.self)
    for index in 0..<Int(count) {
        let style = unsafe messages[index]?.pointee.msg_style
        if style == PAM_TEXT_INFO || style == PAM_ERROR_MSG { continue }
        let text = unsafe messages[index]?.pointee.msg.map { unsafe String(cString: $0) } ?? ""
        guard style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON,
            let copy = unsafe answer(text, isHidden: style == PAM_PROMPT_ECHO_OFF, answers)
        else {
            unsafe discard(filled, count: index)
            return PAM_CONV_ERR
        }
        unsafe filled[index].resp = copy
    }
    unsafe responses.pointee = filled
    return PAM_SUCCESS
}

/// Answers one prompt with memory that PAM frees, or not at all.
private func answer(
    _ text: String,
    isHidden: Bool,
    _ answers: UnsafeMutablePointer<PAMAnswers>
) -> UnsafeMutablePointer<CChar>? {
    guard let password = unsafe answers.pointee.password else { return nil }
    let first = unsafe answers.pointee.firstPrompt
    switch PAMPrompt(text, isHidden: isHidden, first: first) {
    case .password:
        if first == nil { unsafe answers.pointee.firstPrompt = text }
        return unsafe strdup(password)
    case .userName: return unsafe strdup(answers.pointee.user)
    case .code:
        guard unsafe answers.pointee.questionsLeft > 0 else { return nil }
        unsafe answers.pointee.questionsLeft -= 1
        let answer = unsafe answers.pointee.question?()
        return unsafe answer?.secret.withCString { unsafe strdup($0) }
    case .unanswerable: return nil
    }
}

/// Wipes and frees answers that will not be handed out after all.
private func discard(_ responses: UnsafeMutablePointer<pam_response>, count: Int) {
    for index in 0..<count {
        guard let answer = unsafe responses[index].resp else { continue }
        unsafe wipeMemory(UnsafeMutableRawBufferPointer(start: answer, count: strlen(answer)))
        unsafe free(answer)
    }
    unsafe free(responses)
}
