internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import Logging
internal import TLS

// HASH, and the commands that each stand for one algorithm.

extension FTPHandler {
    /// HASH (draft-bryan-ftpext-hash section 3).
    final func hash(_ argument: [UInt8]) throws(SessionEnd) {
        let part = takeNextPart()
        guard let path = try path(argument) else { return }
        let algorithm = hashAlgorithm
        guard let found = try hash(path, part, algorithm, "HASH", uppercase: false) else { return }
        // Section 3.2: the first and the last offset; an empty part has no last one.
        let last = max(found.start, found.end - 1)
        try reply(
            213,
            "\(algorithm.rawValue) \(found.start)-\(last) \(found.text) \(name: argument)"
        )
    }

    /// XCRC and its kin: no draft, so as other servers have it.
    final func digest(
        _ argument: [UInt8],
        _ algorithm: HashAlgorithm,
        _ verb: String
    ) throws(SessionEnd) {
        let candidates = DigestArgument.candidates(argument)
        guard let last = candidates.prefix(2).last else {
            try reply(501, "\(verb) takes a path, and where to begin and to end.")
            return
        }
        var chosen = last
        if candidates.count > 1 {
            for candidate in candidates where try exists(candidate.path) {
                chosen = candidate
                break
            }
        }
        guard let path = try path(chosen.path) else { return }
        guard let found = try hash(path, chosen.range, algorithm, verb, uppercase: true) else {
            return
        }
        try reply(250, found.text)
    }

    /// MD5 (draft-twine-ftpmd5 section 3.1).
    final func md5(_ argument: [UInt8]) throws(SessionEnd) {
        guard let path = try path(argument) else { return }
        guard let found = try hash(path, nil, .md5, "MD5", uppercase: true) else { return }
        try reply(251, "\(name: argument) \(found.text)")
    }

    /// OPTS HASH (draft-bryan-ftpext-hash section 4).
    final func setHashAlgorithm(_ argument: [UInt8]) throws(SessionEnd) {
        guard offers(.hash) else {
            try reply(501, "Option not understood.")
            return
        }
        guard argument.isEmpty || HashAlgorithm(name: argument) != nil else {
            try reply(501, "Unknown algorithm; FEAT names those there are.")
            return
        }
        if let algorithm = HashAlgorithm(name: argument) { hashAlgorithm = algorithm }
        try reply(200, hashAlgorithm.rawValue)
    }

    private func exists(_ argument: [UInt8]) throws(SessionEnd) -> Bool {
        guard let login else { throw .processGone }
        guard let path = try? workingDirectory.resolving(argument) else { return false }
        do throws(FileError) {
            _ = try login.fileSystem.openForReading(path)
            return true
        } catch {
            if error == .unavailable { throw .processGone }
            return error != .notFound
        }
    }

    /// Hashes a part of a file, and replies why when it fails.
    private func hash(
        _ path: VirtualPath,
        _ range: ByteRange?,
        _ algorithm: HashAlgorithm,
        _ verb: String,
        uppercase: Bool
    ) throws(SessionEnd) -> (text: String, start: Int64, end: Int64)? {
        guard let login else { throw .processGone }
        let source: FilePart
        let start = range?.start ?? 0
        let end: Int64
        do throws(FileError) {
            let opened = try login.fileSystem.openForReading(path)
            let size = opened.facts.size
            let found = range.map { $0.end(in: size) } ?? size
            // Less than was asked for would be the hash of something else.
            if let count = range?.count, let found, count > UInt64(found - start) {
                throw .beyondEnd
            }
            guard let found else { throw FileError.beyondEnd }
            end = found
            source = try FilePart(opened.takeDescriptor(), from: start, count: end - start)
        } catch {
            try refuse(error, error == .beyondEnd ? 554 : 550, "\(verb) \(path.quoted)")
            return nil
        }
        let limit = configuration.files.maximumHashByteCount
        guard limit == 0 || end - start <= Int64(limit) else {
            try reply(550, "More than \(limit) bytes are not hashed on this server.")
            return nil
        }
        let content: ContentHash
        do throws(TLSError) {
            content = try ContentHash(algorithm)
        } catch {
            log(.error, "\(verb) not possible: \(error)")
            try reply(550, "The algorithm is not available.")
            return nil
        }
        let buffer = buffer
        let outcome = try work(verb, path) { () throws(FileError) in
            let count = try unsafe buffer.withBytes { memory throws(FileError) in
                try unsafe source.next(into: memory)
            }
            unsafe buffer.withBytes {
                unsafe content.update(UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            return count
        }
        switch outcome {
        case .done:
            guard source.isComplete else {
                try reply(451, "The file became shorter meanwhile.")
                return nil
            }
            logAction("\(verb) \(path.quoted) ok, \(end - start) bytes")
            return (content.finish(uppercase: uppercase), start, end)
        case .aborted: try replyAborted()
        case .failed(let error): try refuse(error, 451, "\(verb) \(path.quoted)")
        }
        return nil
    }
}
