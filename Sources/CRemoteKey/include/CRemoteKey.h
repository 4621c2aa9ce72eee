// An OpenSSL provider for private keys that another process holds.
//
// OpenSSL sees ordinary RSA and EC keys whose private half it cannot read; whenever it needs a
// signature the provider calls back. provider(7), provider-keymgmt(7), provider-signature(7).
#ifndef CREMOTEKEY_H
#define CREMOTEKEY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

/// Makes a signature: `digest` is a name such as "SHA2-256", or empty for Ed25519; `is_pss` asks for
/// RSA-PSS in place of PKCS #1 v1.5. Writes at most `*signature_count` bytes and sets the count.
/// Returns 1, or 0.
typedef int (*CRemoteKey_sign)(
    int32_t key, const char *digest, int is_pss, const uint8_t *message, size_t message_count,
    uint8_t *signature, size_t *signature_count);

/// Registers the provider with OpenSSL and has it call `sign`. Returns 1 on success, 0 on failure.
int CRemoteKey_install(CRemoteKey_sign sign);

/// Makes a key that has the public half of `public_key`; `number` is handed to the callback.
///
/// Returns a new reference, or NULL when the key is neither RSA nor EC nor Ed25519.
EVP_PKEY *CRemoteKey_new(EVP_PKEY *public_key, int32_t number);

/// Has OpenSSL's long-lived objects that each handshake writes to lie together, in few pages: those that
/// are made until CRemoteKey_settle_objects(). For a process of one thread that is to be forked, before its
/// first use of OpenSSL (CRYPTO_set_mem_functions of OPENSSL_malloc(3)).
///
/// Returns 1 on success; 0 where OpenSSL is in use already, and everything stays as it is.
int CRemoteKey_gather_objects(void);

/// Begins to find out which objects a session writes to, in a process that does nothing else: one that was
/// forked after CRemoteKey_gather_objects() and shares its findings with the process that forked it.
///
/// Returns 1 on success.
int CRemoteKey_observe_objects(void);

/// Says that what was made so far, every process makes in the same order.
void CRemoteKey_remember_objects(void);

/// Has writes count from here on. Returns 1 on success.
int CRemoteKey_watch_objects(void);

/// Has writes not count for a while, or count again; nothing in a process where they do not.
void CRemoteKey_look_away(int now);

/// Uses what the other process has found out for all objects that are made from here on.
void CRemoteKey_use_learned_objects(void);

/// Has all objects from here on lie where malloc(3) puts them.
void CRemoteKey_settle_objects(void);

#endif
