// The SQL files of migrations/, embedded. An array of 400,000 numbers cost the Swift compiler 40 s;
// clang copies the bytes.
#ifndef CMIGRATIONS_H
#define CMIGRATIONS_H

#include <stddef.h>

/// One file of migrations/.
struct rewardd_migration {
    /// Its name, without directory.
    const char *file;
    /// Its text, UTF-8, without a zero at the end.
    const unsigned char *bytes;
    /// How many bytes that is.
    size_t size;
};

/// How many there are.
size_t rewardd_migration_count(void);

/// One of them, in ascending order, by its place from 0; `place` must be less than the count.
struct rewardd_migration rewardd_migration(size_t place);

#endif
