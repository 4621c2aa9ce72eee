#include "CLinux.h"

#include <alloca.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// How much of the stack may have been used at most; what lies beneath that stays.
#define CLINUX_DEEPEST_STACK (256 * 1024)

// The largest piece of memory that the C library keeps by its size once it is freed (tcache).
#define CLINUX_LISTED_PIECE 1032

int CLinux_thread_count(void) {
    DIR *directory = opendir("/proc/self/task");
    if (directory == NULL) {
        return -errno;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(directory);
    return count;
}

void CLinux_restart(const char *name, const char *value, char *const *arguments) {
    static const char self[] = "/proc/self/exe";
    const char *path = (const char *)getauxval(AT_EXECFN);
    // A program with rights of its file's may lose the variable on the way, again and again.
    int stays = path == NULL || strcmp(path, self) == 0 || getauxval(AT_SECURE) != 0;
    if (!stays && getenv(name) == NULL && setenv(name, value, 1) == 0) {
        execv(self, arguments);
        unsetenv(name);
    }
}

void CLinux_gather_heap(void) {
    // Below the system's limit for mappings of their own (M_MMAP_THRESHOLD), and more than is free in
    // one piece anywhere but at the end of the heap.
    const size_t room = 96 * 1024;
    char *end = malloc(room);
    if (end == NULL) {
        return;
    }
    for (size_t size = room / 2; size >= 16; size -= 16) {
        char *piece;
        while ((piece = malloc(size)) != NULL && piece < end) {
        }
        // A small one would wait in a list of its own, and be the first of its size to be handed out: one
        // of each size, all over some ten pages. It stays taken.
        if (size > CLINUX_LISTED_PIECE) {
            free(piece);
        }
    }
    free(end);
}

static __attribute__((noinline)) void wipe_below(size_t size) {
    explicit_bzero(alloca(size), size);
}

void CLinux_wipe_freed_memory(int is_wiped) {
    mallopt(M_PERTURB, is_wiped ? 0xA5 : 0);
}

__attribute__((noinline)) void CLinux_wipe_stack(void) {
    size_t page = (size_t)getpagesize();
    wipe_below(3 * page);
    // Further down pages are given back, and read as zeros later; those that never were there cost
    // nothing. The page below this frame's is left out: the call itself returns by it.
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    uintptr_t end = (frame & ~(uintptr_t)(page - 1)) - page;
    // ENOMEM: the stack has never been that deep.
    if (madvise((void *)(end - CLINUX_WIPED_STACK), CLINUX_WIPED_STACK, MADV_DONTNEED) < 0 &&
        errno != ENOMEM) {
        wipe_below(CLINUX_WIPED_STACK);
    }
}

__attribute__((noinline)) void CLinux_release_free_memory(int trims_heap) {
    // A thread's stack may end anywhere beneath this frame.
    if (!__libc_single_threaded || getpid() != (pid_t)syscall(SYS_gettid)) {
        return;
    }
    if (trims_heap) {
        malloc_trim(0);
    }
    uintptr_t page = (uintptr_t)getpagesize();
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;
    // ENOMEM: the stack has never been that deep.
    (void)madvise((void *)(end - CLINUX_DEEPEST_STACK), CLINUX_DEEPEST_STACK, MADV_DONTNEED);
}

// Who has forked this process, 0 for the first one.
// With what the kernel itself writes to in each process.
static _Thread_local pid_t parent;

int CLinux_fork(void) {
    // The library knows of one thread for sure, or has to be asked in a way that takes longer.
    int threads = __libc_single_threaded ? 1 : CLinux_thread_count();
    // Out of descriptors or memory: no room for another process, which is no reason to abort this one.
    if (threads < 0) {
        return threads;
    }
    if (threads != 1) {
        static const char words[] = "portcullis: fork beside another thread\n";
        (void)!write(STDERR_FILENO, words, sizeof words - 1);
        abort();
    }
    // Not _Fork(3), though it copies fewer pages: libraries that modules of PAM bring along (GnuTLS, libsystemd)
    // ask to be told of a fork, and would go on with the parent's random numbers or process id.
    pid_t own = getpid();
    pid_t child = fork();
    if (child == 0) {
        parent = own;
        return 0;
    }
    return child < 0 ? -errno : child;
}

int CLinux_set_parent_death_signal(int signal) {
    if (prctl(PR_SET_PDEATHSIG, signal) < 0) {
        return -errno;
    }
    // One that died before the call above sends nothing any more.
    return parent != 0 && getppid() != parent ? -ESRCH : 0;
}

int CLinux_set_no_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int CLinux_set_not_dumpable(void) {
    return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

int CLinux_set_name(const char *name) {
    return prctl(PR_SET_NAME, name) < 0 ? -errno : 0;
}

int CLinux_limit_bounding_set(uint64_t kept) {
    // What an earlier call has left, in this process or in the one that it was forked from: nothing
    // comes back, and asking for each capability costs more than the rest of a confinement.
    static _Thread_local uint64_t left = UINT64_MAX;
    for (int capability = 0; capability < 64; capability++) {
        uint64_t bit = (uint64_t)1 << capability;
        if ((left & bit) == 0 || (kept & bit) != 0) {
            continue;
        }
        int present = prctl(PR_CAPBSET_READ, capability);
        if (present > 0 && prctl(PR_CAPBSET_DROP, capability) < 0) {
            return -errno;
        }
        left &= ~bit;
    }
    return 0;
}

int CLinux_limit_capabilities(uint64_t kept) {
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) < 0) {
        return -errno;
    }
    for (int half = 0; half < 2; half++) {
        sets[half].permitted &= (uint32_t)(kept >> (32 * half));
        sets[half].effective = sets[half].permitted;
        sets[half].inheritable = 0;
    }
    return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

int CLinux_keep_capabilities(int keeps) {
    return prctl(PR_SET_KEEPCAPS, keeps, 0, 0, 0) < 0 ? -errno : 0;
}

int CLinux_try_changing_root(void) {
    return chroot("/") < 0 ? -errno : 0;
}

int CLinux_change_root(int directory) {
    return fchdir(directory) < 0 || chroot(".") < 0 ? -errno : 0;
}

int CLinux_adopt_orphans(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
}

long CLinux_children(int *children, size_t capacity) {
    FILE *file = fopen("/proc/thread-self/children", "re");
    if (file == NULL) {
        return -errno;
    }
    long count = 0;
    for (int child; fscanf(file, "%d", &child) == 1; count++) {
        if ((size_t)count < capacity) {
            children[count] = child;
        }
    }
    fclose(file);
    return count;
}

int CLinux_close_range(unsigned int first, unsigned int last) {
#ifdef SYS_close_range
    return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
#else
    (void)first, (void)last;
    return -ENOSYS;
#endif
}

int CLinux_assume(uint32_t user, uint32_t group) {
    if (setresgid(group, group, group) < 0 || setresuid(user, user, user) < 0) {
        return -errno;
    }
    uid_t users[3];
    gid_t groups[3];
    if (getresuid(&users[0], &users[1], &users[2]) < 0
        || getresgid(&groups[0], &groups[1], &groups[2]) < 0) {
        return -errno;
    }
    for (int index = 0; index < 3; index++) {
        if (users[index] != user || groups[index] != group) {
            return -EPERM;
        }
    }
    // Nobody but root may get root back; if we can, something above did not work.
    if (user != 0 && (setresuid(0, 0, 0) == 0 || setresuid((uid_t)-1, 0, (uid_t)-1) == 0)) {
        return -EPERM;
    }
    return 0;
}

int CLinux_process_descriptor(int process) {
    long result = syscall(SYS_pidfd_open, process, 0);
    return result < 0 ? -errno : (int)result;
}

int CLinux_set_limit(int resource, uint64_t value) {
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

// The streams of the C library would take pages of their own, in every process.
static int read_text(const char *path, char *text, size_t capacity) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -errno;
    }
    ssize_t count = read(file, text, capacity - 1);
    int result = count < 0 ? -errno : 0;
    text[count < 0 ? 0 : count] = 0;
    close(file);
    return result;
}

int CLinux_limit_memory(uint64_t growth) {
    // Without /proc nobody knows what there is, and what there is is little.
    char text[32];
    unsigned long pages = 0;
    if (read_text("/proc/self/statm", text, sizeof text) == 0) {
        pages = strtoul(text, NULL, 10);
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) < 0) {
        return -errno;
    }
    uint64_t wanted = growth + (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    if (limit.rlim_max > wanted) {
        limit.rlim_max = wanted;
    }
    if (limit.rlim_cur > limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
    }
    return setrlimit(RLIMIT_AS, &limit) < 0 ? -errno : 0;
}

int CLinux_set_out_of_memory_score(int score) {
    static const char path[] = "/proc/self/oom_score_adj";
    char text[32];
    int result = read_text(path, text, sizeof text);
    if (result < 0 || strtol(text, NULL, 10) >= score) {
        return result;
    }
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) {
        return -errno;
    }
    int length = snprintf(text, sizeof text, "%d\n", score);
    result = write(file, text, (size_t)length) < 0 ? -errno : 0;
    close(file);
    return result;
}

int CLinux_set_soft_limit(int resource, uint64_t value) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0) {
        return -errno;
    }
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

int CLinux_limit_file_size(int process, uint64_t size) {
    struct rlimit limit;
    if (prlimit(process, RLIMIT_FSIZE, NULL, &limit) < 0) {
        return -errno;
    }
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    return prlimit(process, RLIMIT_FSIZE, &limit, NULL) < 0 ? -errno : 0;
}

int CLinux_exit_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int is_among(const char *names, const char *name, size_t length) {
    while (*names != 0) {
        size_t next = strcspn(names, " ");
        if (next == length && memcmp(names, name, length) == 0) {
            return 1;
        }
        names += next + strspn(names + next, " ");
    }
    return 0;
}

static int keeps_all(const char *kept) {
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        if (!is_among(kept, *entry, strcspn(*entry, "="))) {
            return 0;
        }
    }
    return 1;
}

// Where the variables lie as they were handed over: the C library may look at copies of some (env_start and
// env_end of proc_pid_stat(5)). Who sees no /proc shows nothing there either.
static void wipe_given_environment(void) {
    enum { state_field = 3, start_field = 50, end_field = 51 };
    char text[1024];
    char *rest = NULL;
    uintptr_t start = 0, end = 0;
    // The name in parentheses may hold anything.
    if (read_text("/proc/self/stat", text, sizeof text) != 0 || (rest = strrchr(text, ')')) == NULL) {
        return;
    }
    rest++;
    int field = state_field;
    for (char *word; (word = strtok_r(NULL, " ", &rest)) != NULL; field++) {
        if (field == start_field) {
            start = (uintptr_t)strtoull(word, NULL, 10);
        } else if (field == end_field) {
            end = (uintptr_t)strtoull(word, NULL, 10);
        }
    }
    if (start != 0 && start < end) {
        explicit_bzero((void *)start, end - start);
    }
}

int CLinux_keep_environment(const char *kept) {
    enum { maximum = 16 };
    // Mostly another process has been here before, and every page that is written to is one more.
    if (keeps_all(kept)) {
        return 0;
    }
    char *names[maximum], *values[maximum];
    size_t count = 0;
    char *list = strdup(kept), *rest = NULL;
    if (list == NULL) {
        return -ENOMEM;
    }
    int result = 0;
    for (char *name = strtok_r(list, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        const char *value = getenv(name);
        if (value == NULL) {
            continue;
        }
        char *copy = count < maximum ? strdup(value) : NULL;
        if (copy == NULL) {
            result = -ENOMEM;
            break;
        }
        names[count] = name;
        values[count++] = copy;
    }
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        explicit_bzero(*entry, strlen(*entry));
    }
    wipe_given_environment();
    if (clearenv() != 0) {
        result = -ENOMEM;
    }
    for (size_t index = 0; index < count; index++) {
        if (setenv(names[index], values[index], 1) != 0) {
            result = -ENOMEM;
        }
        free(values[index]);
    }
    free(list);
    return result;
}

static void do_nothing(int signal) {
    (void)signal;
}

int CLinux_watch_signal(int signal) {
    struct sigaction action = {.sa_handler = do_nothing};
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

int CLinux_signal_descriptor(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR2);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
        return -errno;
    }
    // Neither a log whose reader is gone must end the server, nor a file past RLIMIT_FSIZE, those that
    // lie in memory among them.
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int CLinux_read_signal(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t count = read(descriptor, &info, sizeof info);
    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    return count == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

int CLinux_reset_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    for (int signal = 1; signal < 32; signal++) {
        if (signal != SIGKILL && signal != SIGSTOP) {
            (void)sigaction(signal, &action, NULL);
        }
    }
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    // A file that grows past RLIMIT_FSIZE is an error of one transfer (EFBIG), not of the process.
    (void)sigaction(SIGXFSZ, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}
