#pragma once
#include <sys/epoll.h>
#include <unistd.h>
