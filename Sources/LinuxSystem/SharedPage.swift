internal import CLinux
internal import Glibc
internal import SystemPackage

/// A few numbers that several processes read and change at once (`memfd_create(2)`).
///
/// Whoever holds the page can set every number to anything, so share it only among processes that
/// may harm nobody but each other by that.
@safe package final class SharedPage {
    /// How many numbers there are.
    package static let count = 512

    private let memory: UnsafeMutablePointer<Int64>

    /// Makes the descriptor of a new page, all of whose numbers are 0.
    package static func make() throws(SystemError) -> OwnedDescriptor {
        let number = unsafe "portcullis".withCString { unsafe CLinux_make_shared_page($0) }
        return OwnedDescriptor(owning: try checked("memfd_create", number))
    }

    /// Maps the page that `descriptor` stands for; the descriptor is not needed afterwards.
    ///
    /// - Throws: ``SystemError`` when it is no page made by ``make()``.
    package init(mapping descriptor: borrowing OwnedDescriptor) throws(SystemError) {
        guard let memory = unsafe CLinux_map_shared_page(descriptor.number) else {
            throw SystemError("mmap", .invalidArgument)
        }
        unsafe self.memory = memory
    }

    deinit {
        unsafe CLinux_unmap_shared_page(memory)
    }

    /// Has the kernel leave the page out of processes that this one forks from now on, which must not
    /// touch it.
    package func keepFromChildren() throws(SystemError) {
        try checked("madvise", unsafe CLinux_keep_page_from_children(memory))
    }

    private func place(_ index: Int) -> UnsafeMutablePointer<Int64> {
        precondition((0..<Self.count).contains(index), "a page has \(Self.count) numbers")
        return unsafe memory + index
    }

    /// The number at `index`.
    package func load(_ index: Int) -> Int64 {
        unsafe CLinux_atomic_load(place(index))
    }

    /// Sets the number at `index`.
    package func store(_ number: Int64, at index: Int) {
        unsafe CLinux_atomic_store(place(index), number)
    }

    /// Adds to the number at `index` and returns the sum.
    @discardableResult
    package func add(_ amount: Int64, to index: Int) -> Int64 {
        unsafe CLinux_atomic_add(place(index), amount)
    }

    /// Sets the number at `index` to `wanted` if it is `expected`.
    ///
    /// - Returns: Whether it was.
    package func exchange(_ expected: Int64, for wanted: Int64, at index: Int) -> Bool {
        unsafe CLinux_atomic_exchange_if(place(index), expected, wanted) != 0
    }
}
