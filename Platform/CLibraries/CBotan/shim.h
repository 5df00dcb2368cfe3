#pragma once
#include <stddef.h>
#include <stdint.h>

// Botan 2's C interface (botan/ffi.h), as far as it is used. The header lies outside the standard include path, and asking
// pkg-config for its flags makes the package manager warn about them on every build.
typedef struct botan_rng_struct *botan_rng_t;
int botan_rng_init(botan_rng_t *rng, const char *rng_type);
int botan_rng_destroy(botan_rng_t rng);
int botan_bcrypt_generate(
    uint8_t *out, size_t *out_len, const char *password, botan_rng_t rng, size_t work_factor, uint32_t flags);
int botan_bcrypt_is_valid(const char *pass, const char *hash);
