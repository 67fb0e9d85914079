// Starting one program with limits, and the Linux calls Swift's Glibc module does not import.
// The policy (which program, which limits, when to kill) is Swift's: ChildProcesses/LimitedProcess.
#ifndef LIMITED_PROCESS_H
#define LIMITED_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct limited_process_plan {
    const char *path;           // absolute path of the program; NULL: take the limits on and leave
    char *const *arguments;     // argv, ended by NULL
    int input;                  // becomes descriptor 0
    int output;                 // becomes descriptor 1
    int error;                  // becomes descriptor 2
    int extra;                  // becomes descriptor 3, unless -1; every other descriptor is closed
    bool network;               // it may open connections and start threads
    uint64_t address_space;     // bytes
    uint32_t cpu_seconds;
    uint32_t descriptors;
};

struct limited_process_child {
    pid_t pid;                  // to be reaped by the caller; its process group and session too
    int process_descriptor;     // readable once the process has ended; close-on-exec
    int failed_errno;           // 0, or why the program was not started
    const char *failed_step;    // NULL, or what failed
    bool filtered;              // the system-call filter is on
};

// Starts the program: environment empty, working directory "/", own session, no new privileges, dies
// with the calling thread, file size 0, no core, and a system-call filter that refuses sockets, new
// processes, signals to others and every way to change a file; with `network` it lets connections and threads
// through, no listening and no new process. Returns 0, or an errno with
// failed_step set; then there is no child.
int limited_process_start(
    const struct limited_process_plan *plan, struct limited_process_child *child);

// A sealed file in memory with these bytes, positioned at its start. A descriptor or -errno.
int limited_process_memory_file(const void *bytes, size_t count);

// A close-on-exec pipe: [0] is non-blocking, both are above 2. Asks for `capacity` bytes. 0 or -errno.
int limited_process_pipe(int descriptors[2], int capacity);

// Ends every process of the child's group. Call before the child is reaped.
void limited_process_kill(pid_t pid);

// openat2 below `directory` without leaving it and without following any symbolic link; reading,
// non-blocking, close-on-exec. A descriptor or -errno (ENOSYS or EPERM where openat2 is not there).
int limited_process_open_beneath(int directory, const char *path);

#endif
