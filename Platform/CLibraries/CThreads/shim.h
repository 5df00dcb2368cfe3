#pragma once
#include <sys/eventfd.h>
#include <sys/prctl.h>
// prctl is variadic, which Swift can't call; the name is cut at 15 bytes.
static inline void diboas_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
