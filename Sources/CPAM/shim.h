#ifndef CPAM_SHIM_H
#define CPAM_SHIM_H

#include <security/pam_appl.h>

#endif
