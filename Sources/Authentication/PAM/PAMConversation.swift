internal import CPAM
internal import Glibc
internal import LinuxSystem

// What PAM modules ask, and what they are answered (pam_conv(3)).

/// What a conversation may answer; PAM hands its address back with every question.
@unsafe struct PAMAnswers {
    /// The password, only while pam_authenticate(3) runs.
    var password: UnsafePointer<CChar>?
}

/// Answers the questions of PAM modules.
///
/// A hidden prompt gets the password; texts are taken note of and not shown, since FTP has no place
/// for them; a visible prompt fails the conversation: nobody is there to answer it.
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
        switch unsafe messages[index]?.pointee.msg_style {
        case PAM_TEXT_INFO, PAM_ERROR_MSG:
            continue
        case PAM_PROMPT_ECHO_OFF:
            if let password = unsafe answers.pointee.password,
                let copy = unsafe strdup(password)
            {
                unsafe filled[index].resp = copy
                continue
            }
            fallthrough
        default:
            unsafe discard(filled, count: index)
            return PAM_CONV_ERR
        }
    }
    unsafe responses.pointee = filled
    return PAM_SUCCESS
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
