package import LinuxSystem

/// Where a Session writes what it is at, for `portcullis who`.
///
/// A page of memory that the Clerk reads when somebody asks: writing it costs no system call, and no
/// other session can write on it. What stands there is the word of the Session, which may be somebody
/// else's by now, and is read as such.
package final class SessionBoard {
    private let page: SharedPage?

    /// Writes on `page`; nowhere, where there is none.
    package init(on page: SharedPage?) {
        self.page = page
    }

    /// Notes what protects the control connection.
    package func note(tls text: String) {
        write { $0.put(text, at: SessionClaim.Place.tls) }
    }

    /// Notes the command that is carried out; an empty one once it is done.
    package func note(command: String) {
        write {
            $0.put(command, at: SessionClaim.Place.command)
            $0.store(MonotonicClock.milliseconds, at: SessionClaim.Place.lastMove)
        }
    }

    /// Notes that a transfer begins, of a file whose size may be known.
    package func beginTransfer(of path: String, byteCount: Int64?) {
        write {
            $0.put(path, at: SessionClaim.Place.path)
            $0.store(0, at: SessionClaim.Place.moved)
            $0.store(byteCount ?? -1, at: SessionClaim.Place.expected)
            $0.store(max(1, MonotonicClock.milliseconds), at: SessionClaim.Place.start)
        }
    }

    /// Notes how far the transfer is.
    package func note(byteCount: Int64) {
        // A number alone needs no care, and this is where the bytes are moved.
        guard let page, page.load(SessionClaim.Place.moved) != byteCount else { return }
        page.store(byteCount, at: SessionClaim.Place.moved)
        page.store(MonotonicClock.milliseconds, at: SessionClaim.Place.lastMove)
    }

    /// Notes that the transfer is over.
    package func endTransfer() {
        write {
            $0.store(0, at: SessionClaim.Place.start)
            $0.put("", at: SessionClaim.Place.path)
        }
    }

    /// Makes several changes of which a reader sees all or none.
    private func write(_ body: (SharedPage) -> Void) {
        guard let page else { return }
        page.add(1, to: SessionClaim.Place.turn)
        body(page)
        page.add(1, to: SessionClaim.Place.turn)
    }
}

/// What a Session says that it is at.
package struct SessionClaim: Hashable, Sendable {
    /// The command that is carried out, with nothing behind it; empty while none is.
    package var command = ""
    /// The file that is moved; empty while none is.
    package var path = ""
    /// What protects the control connection; empty in clear.
    package var tls = ""
    /// Bytes of the file that have been moved.
    package var byteCount: Int64 = 0
    /// How many there are to be moved, where that is known.
    package var expectedByteCount: Int64?
    /// How long the transfer has been going on; 0 while there is none.
    package var transferMilliseconds: Int64 = 0
    /// How long nothing was sent, received or moved.
    package var idleMilliseconds: Int64 = 0

    /// Where on the page it stands; texts come with their length in front.
    enum Place {
        /// Odd while something is being written.
        static let turn = 0
        static let moved = 1
        static let expected = 2
        static let start = 3
        static let lastMove = 4
        static let command = 8
        static let tls = 16
        static let path = 64
    }

    /// The longest texts, in bytes.
    static let maximumCommandByteCount = 32
    static let maximumTLSByteCount = 128
    static let maximumPathByteCount = 1_024

    /// How often a page is read again that was written meanwhile.
    private static let attemptCount = 8

    /// Describes nothing in particular.
    package init() {}

    /// Reads what stands on `page`, whatever that is.
    static func read(_ page: SharedPage) -> SessionClaim {
        var claim = SessionClaim(copying: page)
        for _ in 0..<attemptCount {
            let turn = page.load(Place.turn)
            claim = SessionClaim(copying: page)
            if turn & 1 == 0, page.load(Place.turn) == turn { break }
        }
        return claim
    }

    private init(copying page: SharedPage) {
        let now = MonotonicClock.milliseconds
        command = page.text(at: Place.command, maximum: Self.maximumCommandByteCount)
        tls = page.text(at: Place.tls, maximum: Self.maximumTLSByteCount)
        path = page.text(at: Place.path, maximum: Self.maximumPathByteCount)
        byteCount = max(0, page.load(Place.moved))
        let start = page.load(Place.start)
        let expected = page.load(Place.expected)
        expectedByteCount = expected < 0 || start == 0 ? nil : expected
        if start > 0, start <= now { transferMilliseconds = max(1, now - start) }
        let last = page.load(Place.lastMove)
        idleMilliseconds = last > 0 && last <= now ? now - last : 0
    }
}

extension SharedPage {
    /// Writes a text behind its length, eight bytes in a number; cut where it is too long.
    fileprivate func put(_ text: String, at place: Int) {
        let maximum =
            switch place {
            case SessionClaim.Place.command: SessionClaim.maximumCommandByteCount
            case SessionClaim.Place.tls: SessionClaim.maximumTLSByteCount
            default: SessionClaim.maximumPathByteCount
            }
        var count = 0
        var number: UInt64 = 0
        for byte in text.utf8.prefix(maximum) {
            number |= UInt64(byte) << UInt64(8 * (count % 8))
            count += 1
            if count % 8 == 0 {
                store(Int64(bitPattern: number), at: place + count / 8)
                number = 0
            }
        }
        if count % 8 != 0 { store(Int64(bitPattern: number), at: place + count / 8 + 1) }
        store(Int64(count), at: place)
    }

    /// Reads such a text of at most `maximum` bytes; what is no UTF-8 is replaced.
    fileprivate func text(at place: Int, maximum: Int) -> String {
        let count = Int(min(max(0, load(place)), Int64(maximum)))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in 0..<count {
            let number = UInt64(bitPattern: load(place + 1 + index / 8))
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * (index % 8))))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
