internal import LinuxSystem
public import Portcullis
public import ServiceLifecycle

/// A server as a service of `swift-service-lifecycle`, beside others of one program.
///
/// ```swift
/// let server = try FTPServer(address: address, settings: settings, concurrency: .threads)
/// let group = ServiceGroup(
///     services: [try FTPService(server)],
///     gracefulShutdownSignals: [.sigterm],
///     logger: logger
/// )
/// try await group.run()
/// ```
///
/// A graceful shutdown lets transfers finish (`FTPServer.stop()`); a cancellation ends them where they
/// are (`FTPServer.closeAll()`). The server has a thread of its own, and takes none of those that
/// tasks run on.
public struct FTPService: Service {
    private let server: FTPServer

    /// Makes a service of a server that has not served.
    ///
    /// - Throws: `ServerError` for a server whose sessions are processes: a program with tasks has
    ///   threads, and cannot be forked.
    public init(_ server: FTPServer) throws(ServerError) {
        guard server.concurrency == .threads else {
            throw ServerError("concurrency: a service has threads: make the server with .threads")
        }
        self.server = server
    }

    /// Serves until the service is to end.
    public func run() async throws {
        let server = server
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await withCheckedThrowingContinuation { continuation in
                    do {
                        try DetachedThread.start("ftp-server") {
                            server.serveForever()
                            continuation.resume()
                        }
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            } onGracefulShutdown: {
                server.stop()
            }
        } onCancel: {
            server.closeAll()
        }
    }
}
