// The system-call filter of child processes, as a classic BPF program.
#ifndef SYSTEM_CALL_FILTER_H
#define SYSTEM_CALL_FILTER_H

#include <stdbool.h>

// Puts the filter on the calling thread for good; needs no_new_privs. 0 or errno. Only system calls:
// safe between clone and exec. With `network` connections and threads pass.
int system_call_filter_install(bool network);

#endif
