internal import CLinux
package import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

// What a jail does for SITE CHGRP, SYMLINK and UMASK, MFF and AVBL, and to tell where a link leads.

extension Jail {
    package func setGroup(of path: VirtualPath, to group: UInt32) throws(FileError) {
        try reduced { () throws(SystemError) in
            let file = try root.locate(path)
            try checked("fchownat", CLinux_set_group(file.number, group))
        }
    }

    package func makeSymbolicLink(
        _ path: VirtualPath,
        to target: VirtualPath
    ) throws(FileError) {
        guard let name = path.lastComponent else { throw .exists }
        // A step up would lead somewhere else as soon as the link or a directory above it moves,
        // and out of the jail for programs that know none.
        guard target.isEqualOrBeneath(path.parent) else { throw .impossible }
        try reduced { () throws(SystemError) in
            try root.checkVisible(path)
            // What lies beneath is told by name, which is right only where no name is a link itself.
            let parent = try root.directory(path.parent, followsLinks: false)
            let number = parent.number
            let result = unsafe withPathPointer(target.relative(to: path.parent)) { target in
                unsafe withPathPointer(name) { unsafe symlinkat(target, number, $0) }
            }
            guard result == 0 else { throw SystemError("symlinkat") }
        }
    }

    /// Tells where the symbolic link at `path` leads, as it is written there; nothing is followed.
    ///
    /// - Returns: The target, which need not be inside, and not exist.
    /// - Throws: ``FileError``; ``FileError/impossible`` for anything that is no link.
    package func linkTarget(of path: VirtualPath) throws(FileError) -> [UInt8] {
        let target = try reduced { () throws(SystemError) -> [UInt8]? in
            let link = try root.locate(path, followsLinks: false)
            guard try FileFacts.of(link).kind == .symbolicLink else { return nil }
            let number = link.number
            var target = [CChar](repeating: 0, count: 4_096)
            // An empty name is the link that the descriptor stands for (readlinkat(2)).
            let count = unsafe readlinkat(number, "", &target, target.count)
            guard count >= 0 else { throw SystemError("readlinkat") }
            return target.prefix(count).map { UInt8(bitPattern: $0) }
        }
        guard let target else { throw .impossible }
        return target
    }

    package func setFileModeMask(_ mask: UInt16) throws(FileError) {
        guard ownMask == nil else {
            ownMask = mask
            return
        }
        Credentials.setFileModeMask(mask)
    }

    package func availableByteCount(in path: VirtualPath) throws(FileError) -> Int64 {
        let free = try reduced { () throws(SystemError) -> Int64 in
            let directory = try root.directory(path)
            var status = statvfs()
            guard unsafe fstatvfs(directory.number, &status) == 0 else {
                throw SystemError("fstatvfs")
            }
            let (count, overflowed) = UInt64(status.f_bavail)
                .multipliedReportingOverflow(by: UInt64(status.f_frsize))
            return overflowed ? .max : Int64(clamping: count)
        }
        // No more than what the limits leave of it.
        let limits = uploads.limits
        var left = max(0, free - min(free, max(0, limits.freeSpace)))
        if limits.bytes > 0, let used = countedLedger()?.usage.bytes {
            left = min(left, max(0, limits.bytes - min(limits.bytes, used)))
        }
        return left
    }
}
