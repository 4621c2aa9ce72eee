internal import FTPProtocol
package import LinuxSystem

/// What an Agent is asked in every session, before the first fork.
///
/// What Swift's runtime makes out meanwhile, no Agent has to make out again, nor to keep a copy of.
package enum FileRehearsal {
    /// Asks for a place that is there and for one that is not, and changes nothing.
    ///
    /// - Throws: ``SystemError`` where there is no room for a channel.
    package static func run(_ fileSystem: any FileSystem) throws(SystemError) {
        var requests: [FileRequest] = [
            .enterDirectory(.root), .facts(.root, .showing), .message(.root),
        ]
        if let path = VirtualPath("/rehearsal/of/nothing") {
            requests += [.facts(path, .showing), .openForReading(path)]
        }
        try MessageSocket.makePair().split { near, far in
            for request in requests { try? near.send(request.encoded) }
            // Whatever becomes of these questions, no more are waited for.
            near.descriptor.endWriting()
            try? FileServer(far, serving: fileSystem).run()
            while let answer = try? near.receive() { _ = try? FileReply(decoding: answer.bytes) }
        }
    }
}
