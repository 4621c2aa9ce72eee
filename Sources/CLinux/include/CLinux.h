// The few system calls that Swift cannot spell: no glibc wrapper, variadic, or built of macros.
//
// Every function reports failure by returning a negated errno value, so that nothing Swift does
// on the way back can overwrite errno.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

// MARK: Files

/// RESOLVE_IN_ROOT of openat2(2).
static const uint64_t CLinux_RESOLVE_IN_ROOT = 0x10;
/// RESOLVE_NO_MAGICLINKS of openat2(2).
static const uint64_t CLinux_RESOLVE_NO_MAGICLINKS = 0x02;

/// RESOLVE_NO_SYMLINKS of openat2(2).
static const uint64_t CLinux_RESOLVE_NO_SYMLINKS = 0x04;

/// O_PATH of open(2), which needs _GNU_SOURCE; the same on x86_64 and aarch64.
static const int CLinux_O_PATH = 010000000;

/// openat2(2), which glibc has no wrapper for. Returns a new descriptor.
int CLinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/// getdents64(2). Returns the number of bytes filled, 0 at the end.
long CLinux_getdents64(int directory, void *buffer, size_t size);

/// fchmodat2(2) with AT_EMPTY_PATH: changes the mode of what `descriptor` (O_PATH too) names.
int CLinux_fchmod_path(int descriptor, uint32_t mode);

/// utimensat(2) with AT_EMPTY_PATH: sets the modification time of what `descriptor` (O_PATH too)
/// names and leaves the access time.
int CLinux_set_modification_time(int descriptor, int64_t seconds);

/// fchownat(2) with AT_EMPTY_PATH: changes the group of what `descriptor` (O_PATH too) names.
int CLinux_set_group(int descriptor, uint32_t group);

/// renameat2(2); fails with -EEXIST when `to` exists and `replaces` is 0.
int CLinux_renameat(
    int from_directory, const char *from, int to_directory, const char *to, int replaces);

/// syncfs(2): writes everything of the file system that `descriptor` is on to its disk.
int CLinux_sync_file_system(int descriptor);

/// nftw(3) with remove(3): removes a directory and everything in it, without following links.
int CLinux_remove_tree(const char *path);

// MARK: Processes

/// fork(2) for a process that has exactly one thread.
///
/// Counts /proc/self/task first and aborts the process when there is more than one thread: a child
/// forked beside another thread may hang on a lock which that thread held.
int CLinux_fork(void);

/// Number of threads of this process, from /proc/self/task.
int CLinux_thread_count(void);

/// prctl(PR_SET_PDEATHSIG): `signal` is sent to this process when its parent dies.
int CLinux_set_parent_death_signal(int signal);

/// prctl(PR_SET_NO_NEW_PRIVS).
int CLinux_set_no_new_privileges(void);

/// prctl(PR_SET_DUMPABLE, 0): no core file, and no ptrace(2) by others of the same uid.
int CLinux_set_not_dumpable(void);

/// prctl(PR_SET_NAME): the name shown by ps(1), at most 15 bytes.
int CLinux_set_name(const char *name);

/// Takes every capability but those in `kept` (bit CAP_*) from the bounding set; needs CAP_SETPCAP
/// where there is one to take.
int CLinux_limit_bounding_set(uint64_t kept);

/// Takes every capability but those in `kept` from the effective and permitted sets, and empties the
/// inheritable and ambient ones.
int CLinux_limit_capabilities(uint64_t kept);

/// prctl(PR_SET_KEEPCAPS): whether a change of ids from root to somebody else leaves the permitted
/// capabilities as they are.
int CLinux_keep_capabilities(int keeps);
static const int CLinux_CAP_CHOWN = 0;
static const int CLinux_CAP_DAC_OVERRIDE = 1;
static const int CLinux_CAP_FOWNER = 3;
static const int CLinux_CAP_FSETID = 4;
static const int CLinux_CAP_KILL = 5;
static const int CLinux_CAP_SETGID = 6;
static const int CLinux_CAP_SETUID = 7;
static const int CLinux_CAP_SETPCAP = 8;
static const int CLinux_CAP_NET_BIND_SERVICE = 10;
static const int CLinux_CAP_SYS_CHROOT = 18;
static const int CLinux_CAP_SYS_NICE = 23;
static const int CLinux_CAP_SYS_RESOURCE = 24;
static const int CLinux_CAP_AUDIT_WRITE = 29;
static const int CLinux_CAP_AUDIT_CONTROL = 30;

/// prctl(PR_SET_CHILD_SUBREAPER): descendants whose parent dies become this process's children.
int CLinux_adopt_orphans(void);

/// Writes the ids of this process's children, as many as fit, and returns how many there are
/// (proc(5), /proc/tid/children).
long CLinux_children(int *children, size_t capacity);

/// close_range(2): closes all descriptors from `first` to `last`, inclusive.
int CLinux_close_range(unsigned int first, unsigned int last);

/// setresgid(2) and then setresuid(2): all three ids each, read back afterwards.
///
/// -EPERM also when the process could still become root although `user` is not root.
int CLinux_assume(uint32_t user, uint32_t group);

/// pidfd_open(2): a descriptor that becomes readable when `process` ends.
int CLinux_process_descriptor(int process);

/// Sets a resource limit (RLIMIT_* number), soft and hard alike.
int CLinux_set_limit(int resource, uint64_t value);

/// Sets the soft limit alone, at most to the hard one.
int CLinux_set_soft_limit(int resource, uint64_t value);

/// Lets this process's memory (RLIMIT_AS) grow by no more than `growth` bytes from what it has now.
int CLinux_limit_memory(uint64_t growth);

/// Has the kernel take this process before others when memory runs out (oom_score_adj of proc(5));
/// `score` counts only where it is higher than what it has.
int CLinux_set_out_of_memory_score(int score);

static const int CLinux_RLIMIT_FSIZE = 1;
static const int CLinux_RLIMIT_CORE = 4;
static const int CLinux_RLIMIT_NOFILE = 7;
static const int CLinux_RLIMIT_NPROC = 6;

/// Sends SIGKILL to this process in `seconds` (timer_create(2)); 0 calls it off.
int CLinux_set_kill_timer(unsigned int seconds);

/// prlimit(2): sets the soft limit RLIMIT_FSIZE of `process`, at most to its hard limit.
int CLinux_limit_file_size(int process, uint64_t size);

/// Takes apart a status of waitpid(2): the exit status, or 128 plus the signal number.
int CLinux_exit_status(int status);

/// Overwrites the environment that this process was started with, which /proc shows, and removes
/// every variable but those in `kept`, names with blanks between them.
int CLinux_keep_environment(const char *kept);

/// Installs an empty handler for `signal`, without SA_RESTART, so that poll(2) returns EINTR.
int CLinux_watch_signal(int signal);

/// Blocks SIGCHLD, SIGTERM, SIGINT, SIGHUP and SIGUSR2, ignores SIGPIPE, and returns a signalfd(2)
/// that delivers the five.
int CLinux_signal_descriptor(void);

// MARK: Waiting for many descriptors

/// epoll_create1(2).
int CLinux_make_wait_set(void);

/// epoll_ctl(2): `key` is reported while `descriptor` is readable, or its other end gone.
int CLinux_add_to_wait_set(int set, int descriptor, int key);

/// epoll_ctl(2); to be called before `descriptor` is closed, for a forked process may have it as well.
int CLinux_remove_from_wait_set(int set, int descriptor);

/// epoll_wait(2) without waiting: fills `keys`, of which there are `count`, and tells how many.
int CLinux_ready_in_wait_set(int set, int *keys, int count);

/// Reads one signal number from a descriptor of CLinux_signal_descriptor, or 0 when none waits.
int CLinux_read_signal(int descriptor);

/// Gives all signals their default action, ignores SIGPIPE and SIGXFSZ, and unblocks everything.
int CLinux_reset_signals(void);

// MARK: The log

/// Replaces a pipe at standard error by one that was opened anew, with O_NONBLOCK: the flag then
/// holds for nobody else who has the pipe. Leaves anything else as it is.
int CLinux_make_log_nonblocking(void);

/// Writes to standard error, without waiting where that can be avoided and without SIGPIPE.
///
/// Returns the number of bytes, or a negated errno value, -EAGAIN when there is no room.
long CLinux_write_log(const void *bytes, size_t count);

/// Makes a datagram socket that is connected to the Unix socket at path, and never waits.
///
/// A path that begins with '@' is a name in the abstract namespace. Returns the descriptor, or a
/// negated errno value.
int CLinux_connect_datagram(const char *path);

// MARK: Memory that processes share

static const int CLinux_SHARED_PAGE_SIZE = 4096;

/// memfd_create(2): makes a page of zeros that nobody can shrink. Returns its descriptor.
int CLinux_make_shared_page(const char *name);

/// memfd_create(2): makes an empty file that lies in memory. Returns its descriptor.
int CLinux_make_memory_file(const char *name);

/// mmap(2): maps such a page for reading and writing. NULL when it is none, or cannot be mapped.
int64_t *CLinux_map_shared_page(int descriptor);

/// munmap(2).
void CLinux_unmap_shared_page(int64_t *page);

/// Reads a number that other processes change.
int64_t CLinux_atomic_load(const int64_t *value);

/// Adds to such a number and returns the sum.
int64_t CLinux_atomic_add(int64_t *value, int64_t amount);

/// Sets such a number if it is `expected`; returns whether it was.
int CLinux_atomic_exchange_if(int64_t *value, int64_t expected, int64_t wanted);

/// Sets a number that other processes read.
void CLinux_atomic_store(int64_t *value, int64_t wanted);

/// madvise(2) with MADV_DONTFORK: children do not have such a page.
int CLinux_keep_page_from_children(int64_t *page);

// MARK: Sockets of this machine (unix(7))

/// Makes a SOCK_SEQPACKET socket that listens at `path`, which belongs to `group` and has `mode`, and
/// replaces a socket that is there; -EEXIST when something else is. Returns the descriptor.
int CLinux_listen_locally(const char *path, uint32_t mode, uint32_t group, int backlog);

/// Removes the socket at `path` if its inode number is `number`.
int CLinux_remove_local_socket(const char *path, uint64_t number);

/// The inode number of what is at `path`.
int64_t CLinux_file_number(const char *path);

/// Connects to the SOCK_SEQPACKET socket at `path`. Returns the descriptor.
int CLinux_connect_locally(const char *path);

/// Whether whoever connected is root or `user`, or was a member of `group` then (SO_PEERCRED,
/// SO_PEERGROUPS).
int CLinux_peer_belongs(int socket, uint32_t user, uint32_t group);

/// Who connected (SO_PEERCRED).
int64_t CLinux_peer_user(int socket);

// MARK: Sockets

/// Bytes the peer has acknowledged so far (TCP_INFO of tcp(7)); `*outstanding` tells whether any
/// byte still waits to be sent or acknowledged.
int64_t CLinux_acknowledged_bytes(int socket, int *outstanding);

/// Bytes that came from the peer so far (TCP_INFO of tcp(7)).
int64_t CLinux_received_bytes(int socket);

/// Whether the kernel can encrypt what TCP sends (TCP_ULP "tls" of tcp(7)). Where this process may load
/// modules, that loads the one it takes.
int CLinux_has_kernel_tls(void);

/// Has the kernel take the keys of TLS for a connection, once there are any.
int CLinux_await_tls_keys(int socket);

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC; `address` holds `*size` bytes.
int CLinux_accept(int listener, void *address, uint32_t *size);

/// Sends one message with at most one descriptor (`descriptor` < 0: none) over a Unix socket;
/// `waits` == 0 fails with -EAGAIN where there is no room.
long CLinux_send_message(
    int socket, const void *bytes, size_t count, int descriptor, int waits);

/// The most descriptors that CLinux_send_descriptors() sends at once.
enum { CLinux_MAXIMUM_DESCRIPTORS = 8 };

/// Sends one message with several descriptors over a Unix socket; fails with -EAGAIN where there is no
/// room.
long CLinux_send_descriptors(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// Waits for a message with at most CLinux_MAXIMUM_DESCRIPTORS descriptors, close-on-exec set, and
/// takes it; `*descriptor_count` is how many came.
///
/// A message that has no room in `bytes`, or that brought more, fails with -EMSGSIZE and whatever came
/// is closed. 0 means that the peer is gone.
long CLinux_receive_descriptors(
    int socket, void *bytes, size_t capacity, int *descriptors, size_t *descriptor_count);

/// Bytes that were sent over a Unix socket and not yet received (SIOCOUTQ), with what they cost.
int CLinux_unreceived_bytes(int socket);

/// Waits for a message and tells how long it is, in bytes, without taking it.
long CLinux_message_size(int socket);

/// Lends memory for what of a message finds no room elsewhere, until CLinux_return_message_rest();
/// NULL while another thread has it.
const void *CLinux_take_message_rest(void);

/// Gives that memory back, of which `count` bytes were written to and are overwritten.
void CLinux_return_message_rest(size_t count);

/// Receives one message and at most one descriptor, close-on-exec set.
///
/// What has no room in `bytes` stands in `rest`, which was lent by CLinux_take_message_rest(), or is
/// NULL; both take at most 65,536 bytes together, and `capacity` is no more than that.
/// `*descriptor` is -1 when none came. A message that does not fit, or that brought more than one
/// descriptor, fails with -EMSGSIZE and whatever came is closed. 0 means that the peer is gone.
long CLinux_receive_message(
    int socket, void *bytes, size_t capacity, const void *rest, int *descriptor);

// MARK: Confinement

/// mallopt(3): has free(3) overwrite what is given back from now on, or no longer.
void CLinux_wipe_freed_memory(int is_wiped);

/// chroot(2) to the root that this process has, which changes nothing: tells whether it may.
int CLinux_try_changing_root(void);

/// fchdir(2) and chroot(2): makes `directory` (O_PATH too) the root and the working directory.
int CLinux_change_root(int directory);

/// Starts this program anew with an environment variable, unless there is one of that name, or it was done
/// before: execv(3) of /proc/self/exe. Returns in these cases, and when that fails.
void CLinux_restart(const char *name, const char *value, char *const *arguments);

/// Takes the small free pieces of the heap out of use, so that what is allocated from now on, in this
/// process and in those forked from it, lies together at the heap's end.
void CLinux_gather_heap(void);

/// Puts a copy in pages of 2 MiB in the place of what the program and its libraries only read (code and
/// constants), as far as that fills such pages: memfd_create(2), sealed, and MADV_COLLAPSE of madvise(2).
///
/// No memory is writable and executable at any time. Returns how many bytes were moved, or a negative
/// errno when the kernel gives no such pages; then everything is as it was.
long CLinux_use_huge_text(void);

/// Maps what CLinux_use_huge_text has moved, all at once, in a process that was just forked: a fork
/// leaves it to page faults, each of which adds 2 MiB to what the process seems to use.
void CLinux_map_huge_text(void);

/// How much CLinux_wipe_stack overwrites, in bytes: deeper than OpenSSL and PAM's modules go.
#define CLINUX_WIPED_STACK 65536

/// malloc_trim(3) if asked for, and madvise(2) with MADV_DONTNEED for the stack beneath the caller's frame,
/// in a process of one thread.
void CLinux_release_free_memory(int trims_heap);

/// Overwrites the stack beneath the caller's frame.
///
/// What passed through a vector register may lie there: the dynamic loader saves all of them on the
/// stack when a function of a library is called for the first time.
void CLinux_wipe_stack(void);

/// The Landlock ABI of the kernel, 0 when there is none.
int CLinux_landlock_abi(void);

/// Confines this process by Landlock to what is beneath `directory` (a descriptor; < 0: no file at
/// all), forbids binding and connecting TCP sockets, abstract Unix sockets and signals beyond the
/// domain, as far as the kernel's ABI knows these. Returns the ABI used, 0 when there is none.
int CLinux_confine_to_directory(int directory);

/// Confines this process by Landlock to reading what is beneath `directories`, and to connecting TCP
/// sockets to `port` alone; otherwise as CLinux_confine_to_directory.
int CLinux_confine_to_reading(const int *directories, size_t count, uint16_t port);

/// prctl(2): whether this kernel takes seccomp filters. Returns 1 or 0; nothing is installed.
int CLinux_has_seccomp(void);

/// What becomes of a system call, in a seccomp filter.
struct CLinux_call_rule {
    /// The number; a rule for a call that this architecture lacks (< 0) is left out.
    int call;
    /// Which argument is looked at, 0 to 5; < 0: the rule holds whatever the arguments.
    int argument;
    /// Whether one bit of `value` is enough; 0: the low half of the argument has to equal it.
    int has_any_bit;
    uint32_t value;
    /// Another argument whose low half has to equal `second_value` as well; < 0: none.
    int second_argument;
    uint32_t second_value;
    /// One of CLinux_SECCOMP_*, with an errno value added to CLinux_SECCOMP_ERRNO.
    uint32_t action;
};
static const uint32_t CLinux_SECCOMP_ALLOW = 0x7fff0000;
static const uint32_t CLinux_SECCOMP_LOG = 0x7ffc0000;
static const uint32_t CLinux_SECCOMP_ERRNO = 0x00050000;
static const uint32_t CLinux_SECCOMP_KILL_PROCESS = 0x80000000;

/// Makes a seccomp filter: the rules with an argument first, in their order, then those without, of
/// which the first for a call counts, and `otherwise` for every call without a rule.
///
/// Returns how many of `steps` are filled.
long CLinux_make_filter(
    const struct CLinux_call_rule *rules, size_t rule_count, uint32_t otherwise, uint64_t *steps,
    size_t capacity);

/// seccomp(2): installs such a filter, for good.
int CLinux_install_filter(const uint64_t *steps, size_t count);

/// pthread_create(3): runs `body` on a thread that nobody waits for, with a stack of `stack` bytes and
/// every signal blocked.
int CLinux_start_thread(size_t stack, void *(*body)(void *), void *context);

/// eventfd(2): a descriptor with close-on-exec set on which nothing waits.
int CLinux_make_wake_up(void);

/// setgroups(2), setresgid(2) and setresuid(2) for the effective ids of this thread alone; the saved
/// ones stay, so that it can change back.
int CLinux_assume_in_thread(uint32_t user, uint32_t group, const uint32_t *groups, size_t count);

/// The same in the other order, for a thread that becomes again what it was.
int CLinux_return_in_thread(uint32_t user, uint32_t group, const uint32_t *groups, size_t count);

/// Number of the system call called `name`; -1 when this architecture has none of that name, and -2
/// when there is no such call at all.
int CLinux_system_call_number(const char *name);

#endif
