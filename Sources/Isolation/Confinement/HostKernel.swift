internal import CLinux
internal import Glibc
internal import LinuxSystem

/// What the kernel of this machine has of the walls between processes.
package enum HostKernel {
    /// Every wall that does not stand here, each in one sentence without its end.
    package static var gaps: [String] {
        var gaps: [String] = []
        if let gap = Confinement.landlockGap(ofABI: Confinement.landlockABI) { gaps.append(gap) }
        if CLinux_has_seccomp() == 0 {
            gaps.append("this kernel has no seccomp filters; processes keep every system call")
        }
        // SAFETY: the string is NUL-terminated for the call.
        let root = unsafe CLinux_openat2(AT_FDCWD, "/", UInt64(O_RDONLY | O_CLOEXEC), 0, 0)
        if root >= 0 {
            _ = close(root)
        } else if root == -ENOSYS {
            gaps.append("this kernel has no openat2(2), without which no file is served")
        }
        return gaps
    }
}
