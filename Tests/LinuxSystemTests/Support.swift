import Glibc
import LinuxSystem
import TestSupport

/// Whether `socket` becomes readable within a few seconds.
func becomesReadable(_ socket: borrowing OwnedDescriptor) throws -> Bool {
    var entries = [PollEntry(socket.number, reading: true)]
    return try poll(&entries, until: Deadline(after: .seconds(5))) > 0 && entries[0].isReadable
}

/// Whether `socket` becomes writable within a few seconds.
func becomesWritable(_ socket: borrowing OwnedDescriptor) throws -> Bool {
    var entries = [PollEntry(socket.number, writing: true)]
    return try poll(&entries, until: Deadline(after: .seconds(5))) > 0 && entries[0].isWritable
}

/// Whether every copy of the other end of `socket` is closed within a few seconds.
func loses(_ socket: borrowing MessageSocket) throws -> Bool {
    guard try becomesReadable(socket.descriptor) else { return false }
    let message = try socket.receive()
    return message == nil
}

/// The same open file under a number so high that nothing else in this process gets it.
func moved(_ descriptor: borrowing OwnedDescriptor, to number: CInt) -> CInt {
    fcntl(descriptor.number, F_DUPFD_CLOEXEC, number)
}

/// Whether `number` names an open file of this process.
func isOpen(_ number: CInt) -> Bool {
    fcntl(number, F_GETFD) >= 0
}

/// Exit statuses by which a test in a process of its own tells what it saw.
enum Seen {
    /// Everything was as expected.
    static let allWell: CInt = 0
    /// Something was not.
    static let amiss: CInt = 3
}

/// A temporary directory that lasts as long as this object.
final class Place {
    let path: String
    private var directory: TemporaryDirectory?

    init() throws {
        let directory = try TemporaryDirectory.make(prefix: "portcullis-test-")
        path = directory.path
        self.directory = consume directory
    }

    deinit {
        remove()
    }

    func write(_ name: String, _ content: [UInt8]) throws -> String {
        guard let written = try directory?.write(name, content) else { throw Missing() }
        return written
    }

    func makeDirectory(_ name: String) throws -> String {
        guard let made = try directory?.makeDirectory(name) else { throw Missing() }
        return made
    }

    func remove() {
        directory.take()?.remove()
    }
}
