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

typedef struct botan_hash_struct *botan_hash_t;
int botan_hash_init(botan_hash_t *hash, const char *hash_name, uint32_t flags);
int botan_hash_update(botan_hash_t hash, const uint8_t *in, size_t in_len);
int botan_hash_final(botan_hash_t hash, uint8_t out[]);
int botan_hash_destroy(botan_hash_t hash);
