// Swift does not import function-like macros.
// Each wrapper below exists for exactly that reason and adds no behaviour.
#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H

#include <zlib.h>

/// Wraps the macro deflateInit: a stream with zlib's header (RFC 1950). Returns Z_OK on success.
static inline int CZlib_deflateInit(z_stream *stream, int level) {
    return deflateInit(stream, level);
}

/// Wraps the macro inflateInit. Returns Z_OK on success.
static inline int CZlib_inflateInit(z_stream *stream) {
    return inflateInit(stream);
}

#endif
