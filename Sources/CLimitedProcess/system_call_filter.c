#define _GNU_SOURCE
#include "system_call_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef NATIVE_ARCHITECTURE

// Numbers that older headers lack; they are the same on both architectures.
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define REFUSE(number, error)                                                                      \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

// Low half of argument n (both architectures are little-endian).
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

// open-like calls pass only when they ask to read and to create nothing.
#define REFUSE_WRITING(number, flags_argument)                                                     \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 4),                                           \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(flags_argument)),                              \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),                 \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),                                      \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

// A new thread passes, a new process does not.
#define REFUSE_PROCESSES                                                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),                                          \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),                                           \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),                                  \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),                                      \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

#if defined(__x86_64__)
// The x32 numbering of the same calls.
#define REFUSE_OTHER_NUMBERING                                                                     \
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)
#else
#define REFUSE_OTHER_NUMBERING BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#endif

#define CHECK_ARCHITECTURE                                                                         \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),                       \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 1, 0),                            \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                                       \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),                     \
        REFUSE_OTHER_NUMBERING

// For programs that decode: no network, no threads.
static const struct sock_filter closed_beginning[] = {
    CHECK_ARCHITECTURE,
    REFUSE(SYS_socket, EPERM),
    REFUSE(SYS_socketpair, EPERM),
    REFUSE(SYS_connect, EPERM),
    REFUSE(SYS_bind, EPERM),
    REFUSE(SYS_sendto, EPERM),
    REFUSE(SYS_sendmsg, EPERM),
    REFUSE(SYS_clone, EPERM),
};

// For the program that asks servers: it resolves names on a thread.
static const struct sock_filter network_beginning[] = {
    CHECK_ARCHITECTURE,
    REFUSE_PROCESSES,
};

// For both.
static const struct sock_filter rest[] = {
    REFUSE(SYS_listen, EPERM),
    // The rings that can do everything.
    REFUSE(425 /* io_uring_setup */, ENOSYS),
    // ENOSYS for clone3 makes glibc try clone.
    REFUSE(SYS_clone3, ENOSYS),
    REFUSE(SYS_unshare, EPERM),
    REFUSE(SYS_setns, EPERM),
    // Other processes: the daemon runs as the same user.
    REFUSE(SYS_ptrace, EPERM),
    REFUSE(SYS_process_vm_readv, EPERM),
    REFUSE(SYS_process_vm_writev, EPERM),
    REFUSE(SYS_kill, EPERM),
    REFUSE(SYS_tkill, EPERM),
    REFUSE(SYS_tgkill, EPERM),
    REFUSE(SYS_rt_sigqueueinfo, EPERM),
    REFUSE(SYS_rt_tgsigqueueinfo, EPERM),
    REFUSE(424 /* pidfd_send_signal */, EPERM),
    REFUSE(434 /* pidfd_open */, EPERM),
    REFUSE(438 /* pidfd_getfd */, EPERM),
    // Kernel interfaces no decoder needs.
    REFUSE(SYS_bpf, EPERM),
    REFUSE(SYS_perf_event_open, EPERM),
    REFUSE(SYS_userfaultfd, EPERM),
    REFUSE(SYS_add_key, EPERM),
    REFUSE(SYS_request_key, EPERM),
    REFUSE(SYS_keyctl, EPERM),
    REFUSE(SYS_mount, EPERM),
    REFUSE(SYS_open_by_handle_at, EPERM),
    REFUSE(SYS_memfd_create, EPERM),
    // Changing files.
    REFUSE_WRITING(SYS_openat, 2),
    REFUSE(SYS_openat2, ENOSYS),
    REFUSE(SYS_truncate, EPERM),
    REFUSE(SYS_ftruncate, EPERM),
    REFUSE(SYS_unlinkat, EPERM),
    REFUSE(SYS_renameat2, EPERM),
    REFUSE(SYS_mkdirat, EPERM),
    REFUSE(SYS_mknodat, EPERM),
    REFUSE(SYS_linkat, EPERM),
    REFUSE(SYS_symlinkat, EPERM),
    REFUSE(SYS_fchmod, EPERM),
    REFUSE(SYS_fchmodat, EPERM),
    REFUSE(SYS_fchmodat2, EPERM),
    REFUSE(SYS_fchown, EPERM),
    REFUSE(SYS_fchownat, EPERM),
    REFUSE(SYS_utimensat, EPERM),
    REFUSE(SYS_setxattr, EPERM),
    REFUSE(SYS_lsetxattr, EPERM),
    REFUSE(SYS_fsetxattr, EPERM),
#ifdef SYS_renameat
    REFUSE(SYS_renameat, EPERM),
#endif
#if defined(__x86_64__)
    REFUSE_WRITING(SYS_open, 1),
    REFUSE(SYS_creat, EPERM),
    REFUSE(SYS_fork, EPERM),
    REFUSE(SYS_vfork, EPERM),
    REFUSE(SYS_unlink, EPERM),
    REFUSE(SYS_rmdir, EPERM),
    REFUSE(SYS_rename, EPERM),
    REFUSE(SYS_mkdir, EPERM),
    REFUSE(SYS_mknod, EPERM),
    REFUSE(SYS_link, EPERM),
    REFUSE(SYS_symlink, EPERM),
    REFUSE(SYS_chmod, EPERM),
    REFUSE(SYS_chown, EPERM),
    REFUSE(SYS_lchown, EPERM),
    REFUSE(SYS_utime, EPERM),
    REFUSE(SYS_utimes, EPERM),
    REFUSE(SYS_futimesat, EPERM),
#endif
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

#define COUNT(array) (sizeof array / sizeof array[0])

int system_call_filter_install(bool network) {
    const struct sock_filter *beginning = network ? network_beginning : closed_beginning;
    size_t count = network ? COUNT(network_beginning) : COUNT(closed_beginning);
    struct sock_filter instructions[COUNT(closed_beginning) + COUNT(network_beginning) + COUNT(rest)];
    for (size_t index = 0; index < count; index++) instructions[index] = beginning[index];
    for (size_t index = 0; index < COUNT(rest); index++) instructions[count + index] = rest[index];
    struct sock_fprog program = {
        .len = (unsigned short)(count + COUNT(rest)), .filter = instructions};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

#else

int system_call_filter_install(bool network) {
    (void)network;
    return ENOSYS;
}

#endif
