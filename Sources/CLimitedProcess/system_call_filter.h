// The system-call filter of the decoders, as a classic BPF program.
#ifndef SYSTEM_CALL_FILTER_H
#define SYSTEM_CALL_FILTER_H

// Puts the filter on the calling thread for good; needs no_new_privs. 0 or errno. Only system calls:
// safe between clone and exec.
int system_call_filter_install(void);

#endif
