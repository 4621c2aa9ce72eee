// Which of OpenSSL's long-lived objects a session writes to, as a process finds out that tries it.
//
// An object is known by the line of OpenSSL's source that makes it, and by how many that line has made
// before: algorithms are made in the order of a table, so the same ones have the same numbers again.
#ifndef LEARNED_OBJECTS_H
#define LEARNED_OBJECTS_H

#include <stddef.h>

enum learned_kind {
    /// A session only reads it, as far as is known.
    learned_constant,
    /// A session writes to it: holders are counted in it, it is a lock, a generator counts.
    learned_written,
    /// This process is the one that finds out.
    learned_observed,
};

/// Makes room for what is learned, for this process and one that it forks.
void learned_objects_open(void);

/// Forgets it.
void learned_objects_close(void);

/// What is known of the object of `size` bytes that `line` of `file` makes next.
enum learned_kind learned_objects_next(size_t size, const char *file, int line);

/// A page of its own for the object that was asked for last; NULL when there is none left.
void *learned_objects_page(void);

/// Lets the page that `bytes` lie in be used again.
void learned_objects_give_back(const void *bytes);

/// Whether `bytes` lie in such a page.
int learned_objects_has(const void *bytes);

#endif
