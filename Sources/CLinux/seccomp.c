#include "CLinux.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
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
    // What one condition takes at most, and the instructions around all of them.
    condition_length = 8,
    first_length = 4,
    // What a jump passes over at most.
    longest_jump = 255,
    maximum_action_count = 16,
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
    size_t arguments = offsetof(struct seccomp_data, args);
    uint16_t test = rule->has_any_bit ? BPF_JSET : BPF_JEQ;
    // What is passed over where the second argument is to be looked at as well.
    uint8_t more = rule->second_argument < 0 ? 0 : 2;
    add(program,
        (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->call, 0, (uint8_t)(4 + more)));
    load(program, arguments + 8 * (size_t)rule->argument);
    add(program,
        (struct sock_filter)BPF_JUMP(
            (uint16_t)(BPF_JMP | test | BPF_K), rule->value, 0, (uint8_t)(1 + more)));
    if (more) {
        load(program, arguments + 8 * (size_t)rule->second_argument);
        add(program,
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->second_value, 0, 1));
    }
    end(program, rule->action);
    load(program, offsetof(struct seccomp_data, nr));
}

/// Runs of numbers that come to the same action.
struct runs {
    size_t count;
    // Behind the last number of each.
    uint32_t ends[number_count + 1];
    // Where the action stands in `actions`.
    uint8_t places[number_count + 1];
    size_t action_count;
    uint32_t actions[maximum_action_count];
};

static int add_run(struct runs *runs, uint32_t end, uint32_t action) {
    size_t place = 0;
    while (place < runs->action_count && runs->actions[place] != action) {
        place++;
    }
    if (place == maximum_action_count) {
        return -E2BIG;
    }
    if (place == runs->action_count) {
        runs->actions[runs->action_count++] = action;
    }
    runs->ends[runs->count] = end;
    runs->places[runs->count] = (uint8_t)place;
    runs->count++;
    return 0;
}

/// How far it is from behind the next step to what decides about some runs, `first_step` steps further on
/// if that is more than one, and to the action at the end if it is one.
static int distance(
    const struct program *program, const struct runs *runs, size_t first, size_t count,
    size_t first_step, size_t ends) {
    if (count > 1) {
        return (int)first_step;
    }
    size_t steps = ends + runs->places[first] - (program->count + 1);
    return steps > longest_jump ? -E2BIG : (int)steps;
}

/// Finds the run of the number that is loaded, halving them with each step: a filter is read for every
/// number there is when it is installed, and for many a call afterwards.
static int add_search(
    struct program *program, const struct runs *runs, size_t first, size_t count, size_t ends) {
    if (count < 2) {
        return 0;
    }
    size_t below = count / 2;
    // A search among n runs has n - 1 steps.
    int under = distance(program, runs, first, below, 0, ends);
    int over = distance(program, runs, first + below, count - below, below - 1, ends);
    if (under < 0 || over < 0 || over > longest_jump) {
        return -E2BIG;
    }
    add(program,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, runs->ends[first + below - 1],
            (uint8_t)over, (uint8_t)under));
    int result = add_search(program, runs, first, below, ends);
    return result < 0 ? result
                      : add_search(program, runs, first + below, count - below, ends);
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
    if (!has_room(&program, first_length)) {
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
        if (rule->call >= number_count || rule->argument > 5 || rule->second_argument > 5) {
            return -EINVAL;
        }
        if (rule->argument >= 0) {
            if (!has_room(&program, condition_length)) {
                return -E2BIG;
            }
            add_condition(&program, rule);
        } else if (!is_set[rule->call]) {
            is_set[rule->call] = 1;
            actions[rule->call] = rule->action;
        }
    }
    struct runs runs = {0};
    for (uint32_t index = 1; index <= number_count; index++) {
        uint32_t next = index < number_count ? actions[index] : otherwise;
        if (next != actions[index - 1] && add_run(&runs, index, actions[index - 1]) < 0) {
            return -E2BIG;
        }
    }
    if (add_run(&runs, UINT32_MAX, otherwise) < 0
        || !has_room(&program, runs.count - 1 + runs.action_count)) {
        return -E2BIG;
    }
    size_t ends = program.count + runs.count - 1;
    int result = add_search(&program, &runs, 0, runs.count, ends);
    if (result < 0) {
        return result;
    }
    for (size_t index = 0; index < runs.action_count; index++) {
        end(&program, runs.actions[index]);
    }
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

int CLinux_has_seccomp(void) {
    // A kernel that takes filters looks at the address, and finds none there.
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;
}
