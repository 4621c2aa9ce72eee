internal import FTPProtocol
internal import FileSystem
internal import Logging
internal import TLS

// HOST, LANG, CLNT and CSID: who speaks to whom, and how.

extension FTPHandler {
    /// HOST (RFC 7151 section 3).
    ///
    /// There is one set of accounts for every name, so the name decides whether the client is in the
    /// right place, and which certificate AUTH shows then.
    final func setHost(_ argument: [UInt8]) throws(SessionEnd) {
        guard login == nil else {
            try reply(503, "HOST has to come before the login.")
            return
        }
        guard let host = HostName(argument: argument) else {
            try countError()
            try reply(501, "HOST takes a name, or an address; an IPv6 address between brackets.")
            return
        }
        // Section 4.1: the certificate was chosen, and checked by the client, for the other name.
        if control.stream.isTLS, let name = tlsContext?.sessionHost, name != host.text {
            try reply(504, "HOST names another host than the one TLS was set up for (SNI).")
            return
        }
        let known = configuration.session.hostNames
        guard known.isEmpty || known.contains(host.text) else {
            try countError()
            try reply(504, "This server is not called so.")
            return
        }
        // Section 3.1: what the client said of a user was meant for another host.
        userName = nil
        self.host = host
        log(.info, "host \(LogText.value(host.text.utf8))")
        try reply(220, "Host accepted.")
    }

    /// LANG (RFC 2640 section 4).
    final func setLanguage(_ argument: [UInt8]) throws(SessionEnd) {
        guard !argument.isEmpty else {
            try reply(200, "Replies are in English.")
            return
        }
        guard let tag = LanguageTag(argument: argument) else {
            try reply(501, "LANG takes a language tag, such as EN.")
            return
        }
        guard tag.isEnglish else {
            try reply(504, "Replies are in English only.")
            return
        }
        try reply(200, "Replies are in English.")
    }

    /// CLNT: what the client says it is, for whoever looks for the reason of its behaviour.
    final func noteClient(_ argument: [UInt8]) throws(SessionEnd) {
        log(.info, "client \(LogText.value(argument, maximumByteCount: 128))")
        try reply(200, "Noted.")
    }

    /// CSID (draft-peterson-streamlined-ftp-command-extensions section 4).
    ///
    /// The version stays out of it, as out of the greeting.
    final func exchangeClientNames(_ argument: [UInt8]) throws(SessionEnd) {
        log(.info, "client \(LogText.value(argument, maximumByteCount: 128))")
        try reply(200, "Name=Portcullis; CaseSensitive=1; DirSep=/;")
    }
}
