#pragma once
#include <spawn.h>
// glibc 2.34 and 2.29 have these for _GNU_SOURCE only, which Swift's module of the C library doesn't define.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
