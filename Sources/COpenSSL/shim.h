// Swift does not import function-like macros, nor macros built with a cast.
// Each wrapper below exists for exactly that reason and adds no behaviour.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ec.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// Wraps the macro SSL_CTX_set_min_proto_version(3). Returns 1 on success, 0 on failure.
static inline int COpenSSL_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_min_proto_version(ctx, version);
}

/// Wraps the macro SSL_CTX_set_max_proto_version(3). Returns 1 on success, 0 on failure.
static inline int COpenSSL_SSL_CTX_set_max_proto_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_max_proto_version(ctx, version);
}

/// Wraps the macro SSL_CTX_set1_groups_list(3). Returns 1 on success, 0 on failure.
static inline int COpenSSL_SSL_CTX_set1_groups_list(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_groups_list(ctx, list);
}

/// Wraps the macro SSL_CTX_set1_sigalgs_list(3). Returns 1 on success, 0 on failure.
static inline int COpenSSL_SSL_CTX_set1_sigalgs_list(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(ctx, list);
}

/// Wraps the macro OPENSSL_free(3).
static inline void COpenSSL_OPENSSL_free(void *memory) {
    OPENSSL_free(memory);
}

/// Wraps the macro SSL_CTX_set_mode(3). Returns the new mode bits.
static inline long COpenSSL_SSL_CTX_set_mode(SSL_CTX *ctx, long mode) {
    return SSL_CTX_set_mode(ctx, mode);
}

/// Wraps the macro SSL_CTX_set_session_cache_mode(3). Returns the mode before.
static inline long COpenSSL_SSL_CTX_set_session_cache_mode(SSL_CTX *ctx, long mode) {
    return SSL_CTX_set_session_cache_mode(ctx, mode);
}

/// Wraps the macro SSL_CTX_sess_set_cache_size(3). Returns the size before.
static inline long COpenSSL_SSL_CTX_sess_set_cache_size(SSL_CTX *ctx, long size) {
    return SSL_CTX_sess_set_cache_size(ctx, size);
}

/// Forgets every session of the cache (SSL_CTX_flush_sessions(3)).
static inline void COpenSSL_SSL_CTX_forget_sessions(SSL_CTX *ctx) {
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
    SSL_CTX_flush_sessions_ex(ctx, 0);
#else
    SSL_CTX_flush_sessions(ctx, 0);
#endif
}

/// Wraps the macro SSL_CTX_set_tlsext_ticket_keys(3). Returns 1 on success.
static inline long COpenSSL_SSL_CTX_set_tlsext_ticket_keys(
    SSL_CTX *ctx, void *keys, long count) {
    return SSL_CTX_set_tlsext_ticket_keys(ctx, keys, count);
}

/// Wraps the macro BIO_set_write_buffer_size(3). Returns 1 on success.
static inline long COpenSSL_BIO_set_write_buffer_size(BIO *bio, long size) {
    return BIO_set_write_buffer_size(bio, size);
}

/// Wraps the macro BIO_flush(3). Returns 1 on success, 0 or -1 otherwise.
static inline int COpenSSL_BIO_flush(BIO *bio) {
    return (int)BIO_flush(bio);
}

/// Wraps the macro BIO_get_ktls_send(3).
static inline int COpenSSL_BIO_get_ktls_send(BIO *bio) {
    return BIO_get_ktls_send(bio) ? 1 : 0;
}

/// Wraps the macro BIO_get_mem_data(3). Returns how many bytes `*bytes` points to, borrowed.
static inline long COpenSSL_BIO_get_mem_data(BIO *bio, const char **bytes) {
    return BIO_get_mem_data(bio, bytes);
}

/// Wraps the macro BIO_reset(3). Returns 1 on success.
static inline int COpenSSL_BIO_reset(BIO *bio) {
    return (int)BIO_reset(bio);
}

/// Wraps the macro BIO_should_retry(3).
static inline int COpenSSL_BIO_should_retry(BIO *bio) {
    return BIO_should_retry(bio);
}

/// Wraps the macro SSL_set_tlsext_host_name(3). Returns 1 on success.
static inline int COpenSSL_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

/// Wraps the macro SSL_set_app_data(3). Returns 1 on success.
static inline int COpenSSL_SSL_set_app_data(SSL *ssl, void *data) {
    return SSL_set_app_data(ssl, data);
}

/// Wraps the macro SSL_get_app_data(3).
static inline void *COpenSSL_SSL_get_app_data(const SSL *ssl) {
    return SSL_get_app_data(ssl);
}

/// Wraps the macro SSL_get_negotiated_group(3), with SSL_group_to_name(3).
/// Returns the name of the group of the key exchange, or NULL.
static inline const char *COpenSSL_SSL_group_name(SSL *ssl) {
    long group = SSL_get_negotiated_group(ssl);
    return group == NID_undef ? NULL : SSL_group_to_name(ssl, (int)group);
}

/// Wraps the macro sk_SSL_CIPHER_num(3). Returns the number of suites, or -1 for NULL.
static inline int COpenSSL_sk_SSL_CIPHER_num(const STACK_OF(SSL_CIPHER) *list) {
    return sk_SSL_CIPHER_num(list);
}

/// Wraps the macro sk_SSL_CIPHER_value(3). Returns a borrowed suite, or NULL out of range.
static inline const SSL_CIPHER *COpenSSL_sk_SSL_CIPHER_value(
    const STACK_OF(SSL_CIPHER) *list, int index) {
    return sk_SSL_CIPHER_value(list, index);
}

/// Wraps the macro SSL_CTX_get0_chain_certs(3). Returns 1 on success; `*chain` is borrowed.
static inline int COpenSSL_SSL_CTX_get0_chain_certs(SSL_CTX *ctx, STACK_OF(X509) **chain) {
    return (int)SSL_CTX_get0_chain_certs(ctx, chain);
}

/// Wraps the macro SSL_CTX_set_tlsext_servername_callback(3). Returns 1 on success.
static inline int COpenSSL_SSL_CTX_set_tlsext_servername_callback(
    SSL_CTX *ctx, int (*callback)(SSL *, int *, void *)) {
    return (int)SSL_CTX_set_tlsext_servername_callback(ctx, callback);
}

/// Wraps the macro SSL_CTX_set_tlsext_status_cb(3). Returns 1 on success.
static inline int COpenSSL_SSL_CTX_set_tlsext_status_cb(
    SSL_CTX *ctx, int (*callback)(SSL *, void *)) {
    return (int)SSL_CTX_set_tlsext_status_cb(ctx, callback);
}

/// Wraps the macro SSL_set_tlsext_status_ocsp_resp(3), which takes over `response`.
static inline int COpenSSL_SSL_set_tlsext_status_ocsp_resp(SSL *ssl, void *response, long count) {
    return (int)SSL_set_tlsext_status_ocsp_resp(ssl, response, count);
}

/// Wraps the macro OPENSSL_memdup(3). Returns memory for OPENSSL_free(3), or NULL.
static inline void *COpenSSL_OPENSSL_memdup(const void *memory, size_t count) {
    return OPENSSL_memdup(memory, count);
}

/// Wraps the macro sk_X509_new_null(3). Returns an empty list, or NULL.
static inline STACK_OF(X509) *COpenSSL_sk_X509_new_null(void) {
    return sk_X509_new_null();
}

/// Wraps the macro sk_X509_push(3), which takes no reference. Returns the new count, or 0.
static inline int COpenSSL_sk_X509_push(STACK_OF(X509) *list, X509 *certificate) {
    return sk_X509_push(list, certificate);
}

/// Wraps the macro sk_X509_free(3): the list goes, and its elements stay.
static inline void COpenSSL_sk_X509_free(STACK_OF(X509) *list) {
    sk_X509_free(list);
}

/// Wraps the macro EVP_EC_gen(3). Returns a new key, or NULL.
static inline EVP_PKEY *COpenSSL_EVP_EC_gen(const char *curve) {
    return EVP_EC_gen(curve);
}

/// Wraps the macro sk_X509_NAME_pop_free(3) over X509_NAME_free(3). Takes NULL, too.
static inline void COpenSSL_sk_X509_NAME_free_all(STACK_OF(X509_NAME) *names) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
}

/// Wraps the macro sk_X509_pop_free(3) over X509_free(3). Takes NULL, too.
static inline void COpenSSL_sk_X509_free_all(OPENSSL_STACK *certificates) {
    sk_X509_pop_free((STACK_OF(X509) *)certificates, X509_free);
}

/// Copies the list of SSL_get_client_CA_list(3) by SSL_dup_CA_list(3), or begins one, and appends
/// `name`, which belongs to the list then. Returns NULL, and leaves `name` alone, on failure.
static inline STACK_OF(X509_NAME) *COpenSSL_client_CA_list_with(const SSL *ssl, X509_NAME *name) {
    const STACK_OF(X509_NAME) *known = SSL_get_client_CA_list(ssl);
    STACK_OF(X509_NAME) *names = known != NULL ? SSL_dup_CA_list(known) : sk_X509_NAME_new_null();
    if (names != NULL && sk_X509_NAME_push(names, name) <= 0) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        names = NULL;
    }
    return names;
}

/// Wraps the macro SSL_CTX_set_max_cert_list(3). Returns the size before.
static inline long COpenSSL_SSL_CTX_set_max_cert_list(SSL_CTX *ctx, long size) {
    return SSL_CTX_set_max_cert_list(ctx, size);
}

/// Wraps the macro SSL_CTX_set1_verify_cert_store(3). Returns 1 on success.
static inline long COpenSSL_SSL_CTX_set1_verify_cert_store(SSL_CTX *ctx, X509_STORE *store) {
    return SSL_CTX_set1_verify_cert_store(ctx, store);
}

static const unsigned long COpenSSL_XN_FLAG_RFC2253 = XN_FLAG_RFC2253;
static const unsigned long COpenSSL_X509_V_FLAG_PARTIAL_CHAIN = X509_V_FLAG_PARTIAL_CHAIN;
static const int COpenSSL_MBSTRING_UTF8 = MBSTRING_UTF8;
static const uint64_t COpenSSL_SSL_OP_CLEANSE_PLAINTEXT = SSL_OP_CLEANSE_PLAINTEXT;
static const uint64_t COpenSSL_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t COpenSSL_SSL_OP_ENABLE_KTLS = SSL_OP_ENABLE_KTLS;
static const uint64_t COpenSSL_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
// Compressed certificates (RFC 8879), which OpenSSL knows since 3.2.
#if defined(SSL_OP_NO_RX_CERTIFICATE_COMPRESSION) && defined(SSL_OP_NO_TX_CERTIFICATE_COMPRESSION)
static const uint64_t COpenSSL_SSL_OP_NO_CERTIFICATE_COMPRESSION =
    SSL_OP_NO_RX_CERTIFICATE_COMPRESSION | SSL_OP_NO_TX_CERTIFICATE_COMPRESSION;
#else
static const uint64_t COpenSSL_SSL_OP_NO_CERTIFICATE_COMPRESSION = 0;
#endif
static const uint64_t COpenSSL_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t COpenSSL_SSL_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA;

#endif
