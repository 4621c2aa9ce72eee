internal import Glibc
internal import SystemPackage

// What makes a file safe from other writers and from a power cut.

extension OwnedDescriptor {
    /// Waits until the file is on the disk, its size and blocks included.
    ///
    /// Wraps `fsync(2)`.
    ///
    /// - Throws: ``SystemError`` with `EIO`, `ENOSPC` or `EDQUOT` when something was lost.
    package borrowing func synchronize() throws(SystemError) {
        while fsync(number) != 0 {
            guard errno == EINTR else { throw SystemError("fsync") }
        }
    }

    /// Takes a lock on the open file, or gives up at once.
    ///
    /// Wraps `flock(2)`. The lock belongs to the open file, so it goes along with a duplicate that
    /// is sent to another process, and ends when the last one is closed.
    ///
    /// - Parameter isExclusive: Whether nobody else may have a lock; otherwise others may share it.
    /// - Returns: `false` when somebody else's lock is in the way.
    /// - Throws: ``SystemError``, such as `ENOLCK`.
    package borrowing func lock(isExclusive: Bool) throws(SystemError) -> Bool {
        while true {
            if flock(number, (isExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return false
            default: throw SystemError("flock")
            }
        }
    }

    /// Gives the lock back for all duplicates of the descriptor.
    package borrowing func unlock() {
        _ = flock(number, LOCK_UN)
    }
}
