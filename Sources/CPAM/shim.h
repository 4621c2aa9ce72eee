#ifndef CPAM_SHIM_H
#define CPAM_SHIM_H

#include <security/pam_appl.h>

static inline void CPAM_no_delay(int status, unsigned int microseconds, void *data) {
    (void)status;
    (void)microseconds;
    (void)data;
}

/// Sets PAM_FAIL_DELAY of pam_set_item(3) to a function that returns at once; a function is no
/// pointer to memory, which Swift insists on.
static inline int CPAM_take_over_delays(pam_handle_t *handle) {
    union {
        void (*function)(int, unsigned int, void *);
        const void *item;
    } delay = {CPAM_no_delay};
    return pam_set_item(handle, PAM_FAIL_DELAY, delay.item);
}

#endif
