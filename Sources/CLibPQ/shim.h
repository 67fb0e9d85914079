#ifndef REWARDD_CLIBPQ_SHIM_H
#define REWARDD_CLIBPQ_SHIM_H

#include <libpq-fe.h>
#include <sys/eventfd.h>

/* The PG_DIAG_* macros are character literals; these names give Swift integers. */
enum {
    REWARDD_DIAG_SQLSTATE = PG_DIAG_SQLSTATE,
    REWARDD_DIAG_MESSAGE = PG_DIAG_MESSAGE_PRIMARY,
    REWARDD_DIAG_DETAIL = PG_DIAG_MESSAGE_DETAIL,
    REWARDD_DIAG_HINT = PG_DIAG_MESSAGE_HINT,
};

/* An event descriptor that never blocks and is not inherited by child processes: the flags of
   eventfd(2) form an anonymous enum, which Swift cannot pass as int. */
static inline int rewardd_eventfd(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

#endif
