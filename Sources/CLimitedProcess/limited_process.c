#define _GNU_SOURCE
#include "limited_process.h"

#include "system_call_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// The child's stack between clone and exec, and one page below it that must not be touched.
static const size_t stack_size = 64 * 1024;
static const size_t guard_size = 4096;

// CLONE_VM: the child borrows the parent's memory until it becomes the program; a copy would mean
// the page tables of a many-gigabyte daemon. The thread sanitizer takes every clone for a fork, so
// under it the child gets a copy and answers through a shared page.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COPIES_MEMORY 1
#endif
#endif
#ifdef COPIES_MEMORY
enum { memory_flag = 0, mapping_flag = MAP_SHARED };
#else
enum { memory_flag = CLONE_VM, mapping_flag = MAP_PRIVATE };
#endif

// At the top of the child's stack.
struct start {
    const struct limited_process_plan *plan;
    struct limited_process_child answer;
};

// Everything below runs in the child, in the parent's memory, while the calling thread waits: system
// calls and writes to the answer only.

static int leave(struct limited_process_child *child, const char *step) {
    child->failed_errno = errno;
    child->failed_step = step;
    _exit(127);
}

static int limit(int resource, uint64_t value) {
    struct rlimit limit = {value, value};
    return setrlimit(resource, &limit);
}

static void close_others(int first) {
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) return;
    struct rlimit limit;
    rlim_t last = 65536;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < last) last = limit.rlim_cur;
    for (rlim_t descriptor = (rlim_t)first; descriptor < last; descriptor++) close((int)descriptor);
}

static void reset_signals(void) {
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    // Fails for KILL, STOP and the two glibc keeps; exec resets those that have handlers.
    for (int signal = 1; signal < 65; signal++) sigaction(signal, &standard, NULL);
}

static int child_main(void *argument) {
    struct start *start = argument;
    const struct limited_process_plan *plan = start->plan;
    struct limited_process_child *child = &start->answer;

    reset_signals();
    if (setsid() < 0) return leave(child, "setsid");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return leave(child, "PR_SET_PDEATHSIG");
    if (chdir("/") != 0) return leave(child, "chdir");

    // The three are above 2, so no dup2 overwrites a later one.
    if (dup2(plan->input, 0) < 0 || dup2(plan->output, 1) < 0 || dup2(plan->error, 2) < 0)
        return leave(child, "dup2");
    if (plan->extra >= 0) {
        // A descriptor that is 3 already would keep its mark to be closed.
        int status = plan->extra == 3 ? fcntl(3, F_SETFD, 0) : dup2(plan->extra, 3);
        if (status < 0) return leave(child, "dup2");
    }
    close_others(plan->extra >= 0 ? 4 : 3);

    if (limit(RLIMIT_CORE, 0) != 0 || limit(RLIMIT_FSIZE, 0) != 0 ||
        limit(RLIMIT_NOFILE, plan->descriptors) != 0 || limit(RLIMIT_AS, plan->address_space) != 0 ||
        limit(RLIMIT_CPU, plan->cpu_seconds) != 0)
        return leave(child, "setrlimit");

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return leave(child, "no_new_privs");
    child->filtered = system_call_filter_install(plan->network) == 0;

    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) return leave(child, "sigprocmask");
    if (plan->path == NULL) _exit(0);

    char *const environment[] = {NULL};
    execve(plan->path, plan->arguments, environment);
    return leave(child, "execve");
}

int limited_process_start(
    const struct limited_process_plan *plan, struct limited_process_child *child) {
    memset(child, 0, sizeof *child);
    child->pid = -1;
    child->process_descriptor = -1;

    char *memory = mmap(NULL, guard_size + stack_size, PROT_READ | PROT_WRITE,
        mapping_flag | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        child->failed_step = "mmap";
        return child->failed_errno = errno;
    }
    mprotect(memory, guard_size, PROT_NONE);

    // No handler of this process may run in the child: it would see the parent's memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);

    // CLONE_VFORK: returns after exec or exit, so the child has left the parent's memory and, if it
    // runs, has its own session.
    struct start *start =
        (struct start *)(memory + guard_size + stack_size - (sizeof(struct start) + 63) / 64 * 64);
    start->plan = plan;
    int descriptor = -1;
    pid_t pid = clone(child_main, start, memory_flag | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, start,
        &descriptor);
    int clone_errno = errno;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *child = start->answer;
    munmap(memory, guard_size + stack_size);
    child->pid = -1;
    child->process_descriptor = -1;
    if (pid < 0) {
        child->failed_step = "clone";
        return child->failed_errno = clone_errno;
    }
    if (child->failed_errno != 0) {
        int error = child->failed_errno;
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        close(descriptor);
        return error;
    }
    child->pid = pid;
    child->process_descriptor = descriptor;
    return 0;
}

// Moves a descriptor above 2, so that the child's dup2 calls cannot collide.
static int above_standard(int descriptor) {
    if (descriptor > 2) return descriptor;
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    int error = errno;
    close(descriptor);
    errno = error;
    return moved;
}

int limited_process_memory_file(const void *bytes, size_t count) {
    int descriptor = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0 || (descriptor = above_standard(descriptor)) < 0) return -errno;
    for (size_t offset = 0; offset < count;) {
        ssize_t written =
            pwrite(descriptor, (const char *)bytes + offset, count - offset, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            int error = written < 0 ? errno : EIO;
            close(descriptor);
            return -error;
        }
        offset += (size_t)written;
    }
    fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    return descriptor;
}

int limited_process_pipe(int descriptors[2], int capacity) {
    if (pipe2(descriptors, O_CLOEXEC) != 0) return -errno;
    for (int end = 0; end < 2; end++) {
        descriptors[end] = above_standard(descriptors[end]);
        if (descriptors[end] < 0) {
            int error = errno;
            close(descriptors[1 - end]);
            return -error;
        }
    }
    fcntl(descriptors[0], F_SETFL, O_NONBLOCK);
    // Refused above the system's limits; the pipe then keeps its 64 KiB.
    if (capacity > 0) fcntl(descriptors[0], F_SETPIPE_SZ, capacity);
    return 0;
}

void limited_process_kill(pid_t pid) {
    if (pid > 1) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
}

int limited_process_open_beneath(int directory, const char *path) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    long descriptor = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return descriptor < 0 ? -errno : (int)descriptor;
}
