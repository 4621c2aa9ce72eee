import FileSystem
import Glibc
import LinuxSystem
import Synchronization
import TestSupport

/// A ``FileServer`` that runs beside the test, as the Agent runs beside a Session.
///
/// A thread of its own, because both sides block: two tests in the pool of Swift's tasks could wait
/// for servers that find no thread to run on.
final class ServerThread: Sendable {
    private final class Work: Sendable {
        let channel: Mutex<OwnedDescriptor?>
        let fileSystem: @Sendable () throws -> any FileSystem
        let end = Mutex<MessageError?>(nil)

        init(
            _ channel: consuming OwnedDescriptor,
            _ fileSystem: @escaping @Sendable () throws -> any FileSystem
        ) {
            self.channel = Mutex(channel)
            self.fileSystem = fileSystem
        }

        func run() {
            guard let channel = channel.withLock({ $0.take() }), let served = try? fileSystem()
            else { return }
            let server = FileServer(MessageSocket(owning: channel), serving: served)
            let error = thrown(MessageError.self) { try server.run() }
            end.withLock { $0 = error }
        }
    }

    private let work: Work
    private let thread: pthread_t

    private init(_ work: Work, _ thread: pthread_t) {
        self.work = work
        self.thread = thread
    }

    /// Starts a server and gives its client.
    static func start(
        serving fileSystem: @escaping @Sendable () throws -> any FileSystem
    ) throws -> (RemoteFileSystem, ServerThread) {
        let ends = try Ends.make()
        let work = Work(try ends.far.descriptor.duplicate(), fileSystem)
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                // SAFETY: `start` passed one retained Work.
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            Unmanaged.passRetained(work).toOpaque()
        )
        guard result == 0 else { throw Missing() }
        return (RemoteFileSystem(ends.takeNear()), ServerThread(work, thread))
    }

    /// Waits for the server's end.
    func join() -> MessageError? {
        _ = pthread_join(thread, nil)
        return work.end.withLock { $0 }
    }
}
