/* SHA-256 (FIPS 180-4) of bytes that lie in memory: how a device names its model. */
#ifndef QL_LINK_SHA256_H
#define QL_LINK_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define QL_SHA256_BYTES 32u

void ql_sha256(const uint8_t *bytes, size_t count, uint8_t digest[QL_SHA256_BYTES]);

#endif
