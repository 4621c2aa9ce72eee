#include "CRemoteKey.h"

#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

static const char provider_name[] = "portcullis";
static const char property[] = "provider=portcullis";
// Nothing is computed here, so a key may be used where only approved algorithms are.
static const char definition[] = "provider=portcullis,fips=yes";
static const char others[] = "provider!=portcullis";
static const char number_parameter[] = "portcullis-key";
static CRemoteKey_sign sign_callback;

/// A key: its public half in OpenSSL's own form, and which one it is.
struct key {
    EVP_PKEY *half;
    int32_t number;
};

// MARK: Keys

static void *key_new(void *context) {
    (void)context;
    return OPENSSL_zalloc(sizeof(struct key));
}

static void key_free(void *data) {
    struct key *key = data;
    if (key != NULL) {
        EVP_PKEY_free(key->half);
        OPENSSL_free(key);
    }
}

static int key_has(const void *data, int selection) {
    const struct key *key = data;
    (void)selection;
    return key != NULL && key->half != NULL;
}

static int key_match(const void *first, const void *second, int selection) {
    const struct key *one = first, *other = second;
    (void)selection;
    return one->half != NULL && other->half != NULL && EVP_PKEY_eq(one->half, other->half) == 1;
}

static int key_import(struct key *key, const char *type, const OSSL_PARAM parameters[]) {
    const OSSL_PARAM *number = OSSL_PARAM_locate_const(parameters, number_parameter);
    if (number != NULL && !OSSL_PARAM_get_int32(number, &key->number)) {
        return 0;
    }
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, others);
    // The array is only read, whatever the prototype says.
    int result = context != NULL && EVP_PKEY_fromdata_init(context) == 1
        && EVP_PKEY_fromdata(
               context, &key->half, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)parameters) == 1;
    EVP_PKEY_CTX_free(context);
    return result;
}

static int rsa_import(void *key, int selection, const OSSL_PARAM parameters[]) {
    (void)selection;
    return key_import(key, "RSA", parameters);
}

static int ec_import(void *key, int selection, const OSSL_PARAM parameters[]) {
    (void)selection;
    return key_import(key, "EC", parameters);
}

static int ed25519_import(void *key, int selection, const OSSL_PARAM parameters[]) {
    (void)selection;
    return key_import(key, "ED25519", parameters);
}

static int key_export(void *data, int selection, OSSL_CALLBACK *callback, void *argument) {
    const struct key *key = data;
    // Whoever asks for the private half has to come back for signatures instead.
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
        return 0;
    }
    return EVP_PKEY_export(key->half, selection, callback, argument);
}

static const OSSL_PARAM rsa_types[] = {
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
    OSSL_PARAM_int32(number_parameter, NULL),
    OSSL_PARAM_END,
};

static const OSSL_PARAM ec_types[] = {
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
    OSSL_PARAM_int32(number_parameter, NULL),
    OSSL_PARAM_END,
};

static const OSSL_PARAM *rsa_import_types(int selection) {
    return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 ? rsa_types : NULL;
}

static const OSSL_PARAM *ec_import_types(int selection) {
    return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 ? ec_types : NULL;
}

static const OSSL_PARAM ed25519_types[] = {
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
    OSSL_PARAM_int32(number_parameter, NULL),
    OSSL_PARAM_END,
};

static const OSSL_PARAM *ed25519_import_types(int selection) {
    return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 ? ed25519_types : NULL;
}

static int key_get_params(void *data, OSSL_PARAM parameters[]) {
    const struct key *key = data;
    return key->half != NULL && EVP_PKEY_get_params(key->half, parameters);
}

static const OSSL_PARAM gettable[] = {
    OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
    OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
    OSSL_PARAM_END,
};

static const OSSL_PARAM *key_gettable(void *context) {
    (void)context;
    return gettable;
}

static const char *ec_operation_name(int operation) {
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

#define FUNCTION(identifier, function) {identifier, (void (*)(void))(function)}

static const OSSL_DISPATCH rsa_keys[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
    FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
    FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, rsa_import),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, rsa_import_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, rsa_import_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
    FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    {0, NULL},
};

static const OSSL_DISPATCH ec_keys[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
    FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
    FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, ec_import),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, ec_import_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, ec_import_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
    FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation_name),
    {0, NULL},
};

static const OSSL_DISPATCH ed25519_keys[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
    FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
    FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, ed25519_import),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, ed25519_import_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, ed25519_import_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
    FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    {0, NULL},
};

// MARK: Signatures

/// One signature in the making.
struct signature {
    const struct key *key;
    char digest[32];
    int is_pss;
};

static void *signature_new(void *context, const char *properties) {
    (void)context;
    (void)properties;
    return OPENSSL_zalloc(sizeof(struct signature));
}

static void signature_free(void *data) {
    OPENSSL_free(data);
}

static int signature_set_params(void *data, const OSSL_PARAM parameters[]) {
    struct signature *signature = data;
    const OSSL_PARAM *mode = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (mode == NULL) {
        return 1;
    }
    int padding = 0;
    if (mode->data_type == OSSL_PARAM_UTF8_STRING) {
        padding = strcmp(mode->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0 ? RSA_PKCS1_PSS_PADDING
            : strcmp(mode->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0 ? RSA_PKCS1_PADDING : 0;
    } else if (!OSSL_PARAM_get_int(mode, &padding)) {
        return 0;
    }
    signature->is_pss = padding == RSA_PKCS1_PSS_PADDING;
    return padding == RSA_PKCS1_PSS_PADDING || padding == RSA_PKCS1_PADDING;
}

static const OSSL_PARAM settable[] = {
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_END,
};

static const OSSL_PARAM *signature_settable(void *data, void *context) {
    (void)data;
    (void)context;
    return settable;
}

static int signature_begin(
    void *data, const char *digest, void *key, const OSSL_PARAM parameters[]) {
    struct signature *signature = data;
    if (key != NULL) {
        signature->key = key;
    }
    // Ed25519 hashes by itself, and is asked for without a digest.
    const char *name = digest == NULL ? "" : digest;
    if (signature->key == NULL || strlen(name) >= sizeof signature->digest) {
        return 0;
    }
    strcpy(signature->digest, name);
    return parameters == NULL || signature_set_params(data, parameters);
}

static int signature_make(
    void *data, uint8_t *output, size_t *count, size_t capacity, const uint8_t *message,
    size_t message_count) {
    struct signature *signature = data;
    size_t size = (size_t)EVP_PKEY_get_size(signature->key->half);
    if (output == NULL) {
        *count = size;
        return 1;
    }
    if (sign_callback == NULL || capacity < size) {
        return 0;
    }
    *count = size;
    return sign_callback(
        signature->key->number, signature->digest, signature->is_pss, message, message_count, output,
        count);
}

static const OSSL_DISPATCH signatures[] = {
    FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
    FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_begin),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_make),
    FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signature_set_params),
    FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signature_settable),
    {0, NULL},
};

// MARK: The provider

static const OSSL_ALGORITHM key_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", definition, rsa_keys, "RSA key of another process"},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", definition, ec_keys, "EC key of another process"},
    {"ED25519:1.3.101.112", definition, ed25519_keys, "Ed25519 key of another process"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signature_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", definition, signatures, "RSA by another process"},
    {"ECDSA", definition, signatures, "ECDSA by another process"},
    {"ED25519:1.3.101.112", definition, signatures, "Ed25519 by another process"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *query(void *context, int operation, int *must_not_cache) {
    (void)context;
    *must_not_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT: return key_algorithms;
    case OSSL_OP_SIGNATURE: return signature_algorithms;
    default: return NULL;
    }
}

static const OSSL_DISPATCH functions[] = {
    FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
    {0, NULL},
};

static int begin(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *from, const OSSL_DISPATCH **to,
    void **context) {
    (void)handle;
    (void)from;
    *to = functions;
    *context = (void *)(uintptr_t)provider_name;
    return 1;
}

int CRemoteKey_install(CRemoteKey_sign sign) {
    sign_callback = sign;
    if (OSSL_PROVIDER_available(NULL, provider_name)) {
        return 1;
    }
    // Naming any provider ends the automatic loading of the default one, which the FIPS module
    // takes the place of where it is in use.
    return (EVP_default_properties_is_fips_enabled(NULL) == 1
            || OSSL_PROVIDER_load(NULL, "default") != NULL)
        && OSSL_PROVIDER_add_builtin(NULL, provider_name, begin) == 1
        && OSSL_PROVIDER_load(NULL, provider_name) != NULL;
}

struct collected {
    OSSL_PARAM *parameters;
    int32_t number;
};

static int collect(const OSSL_PARAM parameters[], void *argument) {
    struct collected *collected = argument;
    OSSL_PARAM own[2] = {
        OSSL_PARAM_construct_int32(number_parameter, &collected->number),
        OSSL_PARAM_construct_end(),
    };
    collected->parameters = OSSL_PARAM_merge(parameters, own);
    // The array points into the key's export, which ends with this call.
    OSSL_PARAM *copy = OSSL_PARAM_dup(collected->parameters);
    OPENSSL_free(collected->parameters);
    collected->parameters = copy;
    return copy != NULL;
}

EVP_PKEY *CRemoteKey_new(EVP_PKEY *public_key, int32_t number) {
    const char *type = EVP_PKEY_is_a(public_key, "RSA") ? "RSA"
        : EVP_PKEY_is_a(public_key, "EC") ? "EC"
        : EVP_PKEY_is_a(public_key, "ED25519") ? "ED25519" : NULL;
    if (type == NULL) {
        return NULL;
    }
    struct collected collected = {.parameters = NULL, .number = number};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, property);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1
        || !EVP_PKEY_export(public_key, EVP_PKEY_PUBLIC_KEY, collect, &collected)
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, collected.parameters) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(collected.parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}
