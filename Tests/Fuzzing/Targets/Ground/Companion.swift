import Glibc

/// Work that goes on beside the thread that started it.
///
/// What the two share is theirs to order: they speak over sockets, and read each other's results
/// after ``join()`` only.
@safe
final class Companion {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private var thread = pthread_t()

    /// Starts a thread.
    init(_ body: @escaping () -> Void) throws {
        let result = unsafe pthread_create(
            &thread,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                // SAFETY: `init` passed one retained Work.
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            },
            Unmanaged.passRetained(Work(body)).toOpaque()
        )
        guard result == 0 else { throw Flaw(description: "no thread: \(result)") }
    }

    /// Waits for the end of the work.
    func join() {
        _ = pthread_join(thread, nil)
    }
}
