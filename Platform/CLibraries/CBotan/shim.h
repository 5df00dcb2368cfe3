#pragma once
#include <botan/ffi.h>
