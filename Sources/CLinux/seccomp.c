#include "CLinux.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#define CALL(name, x86_64, aarch64) {#name, x86_64},
#elif defined(__aarch64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#define CALL(name, x86_64, aarch64) {#name, aarch64},
#else
#error "no seccomp filter for this architecture"
#endif

enum {
    // Beyond every call there is; the numbers of the x32 ABI lie far above.
    number_count = 512,
    // What one condition and one run of numbers take at most, and the instructions around them.
    condition_length = 5,
    run_length = 2,
    first_length = 4,
    last_length = 3,
};

struct program {
    struct sock_filter *steps;
    size_t count;
    size_t capacity;
};

static int has_room(const struct program *program, size_t count) {
    return program->capacity - program->count >= count;
}

static void add(struct program *program, struct sock_filter step) {
    program->steps[program->count++] = step;
}

static void load(struct program *program, size_t offset) {
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void end(struct program *program, uint32_t action) {
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/// A call whose outcome depends on an argument; leaves the number of the call loaded.
///
/// Looks at the low half of the argument: the kernel takes no more of any that is asked about.
static void add_condition(struct program *program, const struct CLinux_call_rule *rule) {
    size_t argument = offsetof(struct seccomp_data, args) + 8 * (size_t)rule->argument;
    uint16_t test = rule->has_any_bit ? BPF_JSET : BPF_JEQ;
    add(program,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->call, 0, 4));
    load(program, argument);
    add(program, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | test | BPF_K), rule->value, 0, 1));
    end(program, rule->action);
    load(program, offsetof(struct seccomp_data, nr));
}

long CLinux_make_filter(
    const struct CLinux_call_rule *rules, size_t rule_count, uint32_t otherwise, uint64_t *steps,
    size_t capacity) {
    _Static_assert(sizeof(struct sock_filter) == sizeof *steps, "a step is as large as its room");
    struct program program = {.steps = (struct sock_filter *)steps, .capacity = capacity};
    uint32_t actions[number_count];
    uint8_t is_set[number_count] = {0};
    for (size_t index = 0; index < number_count; index++) {
        actions[index] = otherwise;
    }
    if (!has_room(&program, first_length + last_length)) {
        return -E2BIG;
    }
    load(&program, offsetof(struct seccomp_data, arch));
    add(&program,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCHITECTURE, 1, 0));
    end(&program, SECCOMP_RET_KILL_PROCESS);
    load(&program, offsetof(struct seccomp_data, nr));
    for (size_t index = 0; index < rule_count; index++) {
        const struct CLinux_call_rule *rule = &rules[index];
        if (rule->call < 0) {
            continue;
        }
        if (rule->call >= number_count || rule->argument > 5) {
            return -EINVAL;
        }
        if (rule->argument >= 0) {
            if (!has_room(&program, condition_length + last_length)) {
                return -E2BIG;
            }
            add_condition(&program, rule);
        } else if (!is_set[rule->call]) {
            is_set[rule->call] = 1;
            actions[rule->call] = rule->action;
        }
    }
    // Runs of numbers that come to the same.
    for (uint32_t index = 1; index < number_count; index++) {
        if (actions[index] == actions[index - 1]) {
            continue;
        }
        if (!has_room(&program, run_length + last_length)) {
            return -E2BIG;
        }
        add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, index, 1, 0));
        end(&program, actions[index - 1]);
    }
    add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, number_count, 1, 0));
    end(&program, actions[number_count - 1]);
    end(&program, otherwise);
    return (long)program.count;
}

int CLinux_install_filter(const uint64_t *steps, size_t count) {
    if (count > BPF_MAXINSNS) {
        return -E2BIG;
    }
    // The kernel only reads the steps.
    struct sock_fprog filter = {
        .len = (unsigned short)count, .filter = (struct sock_filter *)(uintptr_t)steps};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0 ? -errno : 0;
}

struct named_call {
    const char *name;
    int number;
};

static const struct named_call calls[] = {
#include "system_calls.h"
};

int CLinux_system_call_number(const char *name) {
    for (size_t index = 0; index < sizeof calls / sizeof calls[0]; index++) {
        if (strcmp(calls[index].name, name) == 0) {
            return calls[index].number;
        }
    }
    return -2;
}
