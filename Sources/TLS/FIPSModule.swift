internal import COpenSSL

/// OpenSSL's FIPS provider (fips_module(7)), where the system has one.
///
/// Debian and Ubuntu ship none; whoever needs it builds and installs it, and names it in openssl.cnf.
/// The provider through which keys of another process sign (``KeyPlace/elsewhere``) computes nothing
/// itself, so it counts as approved like OpenSSL's own provider `base`: the module signs where the
/// key is.
package enum FIPSModule {
    private static let name = "fips"

    /// Whether there is a module that passes its self-tests.
    ///
    /// Tried out in a library context of its own, so that nothing changes for this process.
    package static var isInstalled: Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let context = unsafe OSSL_LIB_CTX_new() else { return false }
        defer { unsafe OSSL_LIB_CTX_free(context) }
        if let file = unsafe CONF_get1_default_config_file() {
            // The module's checksum stands in the configuration; without it nothing loads.
            _ = unsafe OSSL_LIB_CTX_load_config(context, file)
            unsafe COpenSSL_OPENSSL_free(file)
        }
        guard let module = unsafe OSSL_PROVIDER_load(context, name) else { return false }
        _ = unsafe OSSL_PROVIDER_unload(module)
        return true
    }

    /// Has this process, and those that it forks from now on, compute with the module alone.
    ///
    /// There is no way back: an algorithm that is not approved fails from now on.
    ///
    /// - Returns: `false` when there is no module; then nothing has changed.
    package static func use() -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        if EVP_default_properties_is_fips_enabled(nil) == 1 { return true }
        // `base` reads the files of keys and certificates, which no module does.
        guard unsafe OSSL_PROVIDER_try_load(nil, name, 1) != nil,
            unsafe OSSL_PROVIDER_load(nil, "base") != nil
        else { return false }
        return EVP_default_properties_enable_fips(nil, 1) == 1
    }
}
