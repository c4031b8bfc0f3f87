/* LD_PRELOAD layer that remembers what a disk would still have after the power
 * failed: only what was synced.
 *
 * Beside the real directory (POWER_DIR) it keeps a shadow (POWER_SHADOW):
 *   i/INODE  the octets of a file that were synced
 *   d/INODE  the entries of a directory that are durable: "f INODE NAME" lines
 *            for files, "d INODE NAME" for directories; a later line for a name
 *            wins, inode 0 means that the name is gone
 *   h/       second links to removed files, so that no inode number comes back
 *            while the shadow may still name it
 *
 * What is durable when:
 *   octets and size of a file     when its fsync or fdatasync returns
 *   names (create, rename, unlink) when the directory's fsync returns; and, if
 *            POWER_NAMES=file, a file's own present name also when the file's
 *            fsync returns, as ext4 has it
 *
 * Whoever cuts the power kills every process and puts the files together from
 * the shadow. A first sync of a file in a process copies all of it, since
 * earlier processes may have left unsynced octets that the kernel writes too.
 *
 * Not seen: writes through shared mappings (SQLite's -shm, which is rebuilt)
 * and system calls made without the C library.
 *
 * Build: cc -O2 -shared -fPIC -o power.so power.c -ldl -lpthread
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(ret, name, ...)                                                   \
    static ret (*real_##name)(__VA_ARGS__);                                    \
    if (!real_##name)                                                          \
        real_##name = (ret (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* More open ranges than this and the whole file is copied at its next sync. */
#define MAX_RANGES 1024
/* Files at once; a server under test has a few dozen. */
#define MAX_FILES 4096

struct range {
    off_t from, to;
};

struct file {
    ino_t inode;
    dev_t device;
    int whole;      /* copy everything at the next sync */
    off_t shortest; /* smallest size since the last sync, or -1 */
    int count;
    struct range ranges[MAX_RANGES];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files[MAX_FILES];
static char real_dir[PATH_MAX], shadow_dir[PATH_MAX];
static size_t real_len;
static int file_names;
static unsigned held;

__attribute__((constructor)) static void begin(void)
{
    const char *dir = getenv("POWER_DIR"), *shadow = getenv("POWER_SHADOW");
    const char *names = getenv("POWER_NAMES");
    if (!dir || !shadow || !realpath(dir, real_dir) || !realpath(shadow, shadow_dir))
        return;
    real_len = strlen(real_dir);
    file_names = names && !strcmp(names, "file");
}

static int inside(const char *path)
{
    return real_len && !strncmp(path, real_dir, real_len) &&
           (path[real_len] == '/' || !path[real_len]);
}

static int path_of(int fd, char *out)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, PATH_MAX - 1);
    if (n <= 0)
        return -1;
    out[n] = 0;
    return 0;
}

static int absolute(int at, const char *path, char *out)
{
    char base[PATH_MAX];
    if (!path)
        return -1;
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
        return 0;
    }
    if (at == AT_FDCWD ? !getcwd(base, sizeof base) : path_of(at, base) != 0)
        return -1;
    return snprintf(out, PATH_MAX, "%s/%s", base, path) < PATH_MAX ? 0 : -1;
}

static int shadow_open(const char *kind, ino_t inode, int flags)
{
    REAL(int, open, const char *, int, ...);
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s/%lu", shadow_dir, kind, (unsigned long)inode);
    return real_open(path, flags | O_CLOEXEC, 0600);
}

static void shadow_close(int fd)
{
    REAL(int, close, int);
    real_close(fd);
}

static ssize_t shadow_pwrite(int fd, const void *data, size_t size, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return real_pwrite(fd, data, size, at);
}

/* The record of a file; made on first sight. Called with the lock held. */
static struct file *record(const struct stat *st)
{
    for (int i = 0; i < MAX_FILES; i++) {
        if (!files[i]) {
            files[i] = calloc(1, sizeof **files);
            if (!files[i])
                return NULL;
            files[i]->inode = st->st_ino;
            files[i]->device = st->st_dev;
            files[i]->whole = 1;
            files[i]->shortest = -1;
            return files[i];
        }
        if (files[i]->inode == st->st_ino && files[i]->device == st->st_dev)
            return files[i];
    }
    return NULL;
}

/* The record if a file was seen before. Called with the lock held. */
static struct file *known(int fd, struct stat *st)
{
    if (!real_len || fstat(fd, st) != 0 || !S_ISREG(st->st_mode))
        return NULL;
    for (int i = 0; i < MAX_FILES && files[i]; i++)
        if (files[i]->inode == st->st_ino && files[i]->device == st->st_dev)
            return files[i];
    return NULL;
}

static void opened(int fd, const char *path, int flags)
{
    char full[PATH_MAX];
    struct stat st;
    (void)path;
    if (fd < 0 || !real_len || path_of(fd, full) != 0 || !inside(full))
        return;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    pthread_mutex_lock(&lock);
    struct file *f = record(&st);
    if (f && (flags & O_TRUNC))
        f->shortest = 0;
    pthread_mutex_unlock(&lock);
}

static void wrote(int fd, off_t from, ssize_t size)
{
    struct stat st;
    if (size <= 0 || !real_len)
        return;
    int saved = errno;
    pthread_mutex_lock(&lock);
    struct file *f = known(fd, &st);
    if (f && !f->whole) {
        struct range *last = f->count ? &f->ranges[f->count - 1] : NULL;
        if (last && last->to == from)
            last->to = from + size;
        else if (f->count == MAX_RANGES)
            f->whole = 1;
        else
            f->ranges[f->count++] = (struct range){from, from + size};
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}

static void wrote_at_offset(int fd, ssize_t size)
{
    if (size <= 0 || !real_len)
        return;
    int saved = errno;
    off_t end = lseek(fd, 0, SEEK_CUR);
    errno = saved;
    if (end >= size)
        wrote(fd, end - size, size);
}

static void wrote_somewhere(int fd)
{
    struct stat st;
    pthread_mutex_lock(&lock);
    struct file *f = known(fd, &st);
    if (f)
        f->whole = 1;
    pthread_mutex_unlock(&lock);
}

static void shortened(int fd, off_t size)
{
    struct stat st;
    pthread_mutex_lock(&lock);
    struct file *f = known(fd, &st);
    if (f && (f->shortest < 0 || size < f->shortest))
        f->shortest = size;
    pthread_mutex_unlock(&lock);
}

static void copy(int from, int to, off_t at, off_t end)
{
    char buffer[1 << 16];
    while (at < end) {
        size_t want = end - at < (off_t)sizeof buffer ? (size_t)(end - at) : sizeof buffer;
        ssize_t got = pread(from, buffer, want, at);
        if (got <= 0 || shadow_pwrite(to, buffer, (size_t)got, at) != got)
            return;
        at += got;
    }
}

static void entry(ino_t directory, char type, ino_t inode, const char *name)
{
    char line[NAME_MAX + 64];
    int n = snprintf(line, sizeof line, "%c %lu %s\n", type, (unsigned long)inode, name);
    int fd = shadow_open("d", directory, O_WRONLY | O_CREAT | O_APPEND);
    if (fd < 0)
        return;
    REAL(ssize_t, write, int, const void *, size_t);
    if (n > 0)
        real_write(fd, line, (size_t)n);
    shadow_close(fd);
}

/* The file's name and those of its directories become durable. */
static void name_is_durable(int fd)
{
    char path[PATH_MAX];
    struct stat child, parent;
    if (path_of(fd, path) != 0 || !inside(path) || lstat(path, &child) != 0)
        return;
    while (strlen(path) > real_len) {
        char *slash = strrchr(path, '/');
        *slash = 0;
        if (lstat(path, &parent) != 0)
            return;
        entry(parent.st_ino, S_ISDIR(child.st_mode) ? 'd' : 'f', child.st_ino, slash + 1);
        child = parent;
    }
}

/* Called before the real sync with the lock held: takes the ranges out. */
static struct file *begin_sync(int fd)
{
    struct stat st;
    struct file *f = known(fd, &st);
    if (!f)
        return NULL;
    struct file *taken = malloc(sizeof *taken);
    if (!taken)
        return NULL;
    *taken = *f;
    f->whole = 0;
    f->count = 0;
    f->shortest = -1;
    return taken;
}

static void end_sync(int fd, struct file *taken)
{
    struct stat st;
    if (fstat(fd, &st) == 0) {
        int to = shadow_open("i", taken->inode, O_RDWR | O_CREAT);
        if (to >= 0) {
            REAL(int, ftruncate, int, off_t);
            if (taken->shortest >= 0 && real_ftruncate(to, taken->shortest) != 0)
                taken->whole = 1;
            if (real_ftruncate(to, st.st_size) != 0)
                taken->whole = 1;
            /* The file may have been opened for writing only. */
            char link[64];
            REAL(int, open, const char *, int, ...);
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            int from = real_open(link, O_RDONLY | O_CLOEXEC);
            if (from >= 0) {
                if (taken->whole)
                    copy(from, to, 0, st.st_size);
                else
                    for (int i = 0; i < taken->count; i++)
                        copy(from, to, taken->ranges[i].from, taken->ranges[i].to);
                shadow_close(from);
            }
            shadow_close(to);
        }
    }
    if (file_names)
        name_is_durable(fd);
    free(taken);
}

static void directory_is_durable(int fd)
{
    char path[PATH_MAX], partial[PATH_MAX + 80], final[PATH_MAX + 64];
    struct stat st;
    if (path_of(fd, path) != 0 || !inside(path) || fstat(fd, &st) != 0)
        return;
    DIR *dir = opendir(path);
    if (!dir)
        return;
    pthread_mutex_lock(&lock);
    snprintf(final, sizeof final, "%s/d/%lu", shadow_dir, (unsigned long)st.st_ino);
    snprintf(partial, sizeof partial, "%s/d/%lu.new.%d", shadow_dir,
             (unsigned long)st.st_ino, (int)getpid());
    FILE *out = fopen(partial, "we");
    if (out) {
        struct dirent *e;
        while ((e = readdir(dir))) {
            if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
                continue;
            struct stat one;
            if (fstatat(dirfd(dir), e->d_name, &one, AT_SYMLINK_NOFOLLOW) != 0)
                continue;
            if (S_ISREG(one.st_mode) || S_ISDIR(one.st_mode))
                fprintf(out, "%c %lu %s\n", S_ISDIR(one.st_mode) ? 'd' : 'f',
                        (unsigned long)one.st_ino, e->d_name);
        }
        fclose(out);
        REAL(int, rename, const char *, const char *);
        real_rename(partial, final);
    }
    pthread_mutex_unlock(&lock);
    closedir(dir);
}

static int sync_with(int fd, int (*real)(int))
{
    struct stat st;
    if (!real_len)
        return real(fd);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        int done = real(fd);
        if (done == 0)
            directory_is_durable(fd);
        return done;
    }
    pthread_mutex_lock(&lock);
    struct file *taken = begin_sync(fd);
    pthread_mutex_unlock(&lock);
    int done = real(fd);
    if (taken) {
        if (done == 0)
            end_sync(fd, taken);
        else
            free(taken);
    }
    return done;
}

int fsync(int fd)
{
    REAL(int, fsync, int);
    return sync_with(fd, real_fsync);
}

int fdatasync(int fd)
{
    REAL(int, fdatasync, int);
    return sync_with(fd, real_fdatasync);
}

#define OPEN_LIKE(name, signature, call, path)                                 \
    int name signature                                                         \
    {                                                                          \
        mode_t mode = 0;                                                       \
        if (flags & (O_CREAT | O_TMPFILE)) {                                   \
            va_list rest;                                                      \
            va_start(rest, flags);                                             \
            mode = va_arg(rest, mode_t);                                       \
            va_end(rest);                                                      \
        }                                                                      \
        int fd = call;                                                         \
        int saved = errno;                                                     \
        opened(fd, path, flags);                                               \
        errno = saved;                                                         \
        return fd;                                                             \
    }

static int real_open_(const char *path, int flags, mode_t mode)
{
    REAL(int, open, const char *, int, ...);
    return real_open(path, flags, mode);
}

static int real_openat_(int at, const char *path, int flags, mode_t mode)
{
    REAL(int, openat, int, const char *, int, ...);
    return real_openat(at, path, flags, mode);
}

OPEN_LIKE(open, (const char *path, int flags, ...), real_open_(path, flags, mode), path)
OPEN_LIKE(open64, (const char *path, int flags, ...), real_open_(path, flags | O_LARGEFILE, mode), path)
OPEN_LIKE(openat, (int at, const char *path, int flags, ...), real_openat_(at, path, flags, mode), path)
OPEN_LIKE(openat64, (int at, const char *path, int flags, ...), real_openat_(at, path, flags | O_LARGEFILE, mode), path)

int creat(const char *path, mode_t mode)
{
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(ssize_t, write, int, const void *, size_t);
    ssize_t n = real_write(fd, data, size);
    wrote_at_offset(fd, n);
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    ssize_t n = real_writev(fd, parts, count);
    wrote_at_offset(fd, n);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    ssize_t n = real_pwrite(fd, data, size, at);
    wrote(fd, at, n);
    return n;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
    return pwrite(fd, data, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
    ssize_t n = real_pwritev(fd, parts, count, at);
    wrote(fd, at, n);
    return n;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
    return pwritev(fd, parts, count, at);
}

ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t size, unsigned flags)
{
    REAL(ssize_t, copy_file_range, int, off_t *, int, off_t *, size_t, unsigned);
    ssize_t n = real_copy_file_range(in, in_at, out, out_at, size, flags);
    if (n > 0)
        wrote_somewhere(out);
    return n;
}

ssize_t sendfile(int out, int in, off_t *at, size_t size)
{
    REAL(ssize_t, sendfile, int, int, off_t *, size_t);
    ssize_t n = real_sendfile(out, in, at, size);
    if (n > 0)
        wrote_somewhere(out);
    return n;
}

ssize_t sendfile64(int out, int in, off_t *at, size_t size)
{
    return sendfile(out, in, at, size);
}

int ftruncate(int fd, off_t size)
{
    REAL(int, ftruncate, int, off_t);
    int done = real_ftruncate(fd, size);
    if (done == 0)
        shortened(fd, size);
    return done;
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

/* A removed file keeps its inode number while the shadow may name it. */
static void hold(const char *path)
{
    struct stat st;
    char keep[PATH_MAX + 64];
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    snprintf(keep, sizeof keep, "%s/h/%d.%u", shadow_dir, (int)getpid(),
             __atomic_add_fetch(&held, 1, __ATOMIC_RELAXED));
    if (link(path, keep) != 0)
        return;
}

static void going(int at, const char *path)
{
    char full[PATH_MAX];
    int saved = errno;
    if (real_len && absolute(at, path, full) == 0 && inside(full))
        hold(full);
    errno = saved;
}

int unlink(const char *path)
{
    REAL(int, unlink, const char *);
    going(AT_FDCWD, path);
    return real_unlink(path);
}

int unlinkat(int at, const char *path, int flags)
{
    REAL(int, unlinkat, int, const char *, int);
    if (!(flags & AT_REMOVEDIR))
        going(at, path);
    return real_unlinkat(at, path, flags);
}

int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    going(AT_FDCWD, to);
    return real_rename(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    REAL(int, renameat, int, const char *, int, const char *);
    going(to_at, to);
    return real_renameat(from_at, from, to_at, to);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    going(to_at, to);
    return real_renameat2(from_at, from, to_at, to, flags);
}

/* A new directory has no durable entries, whatever had its number before. */
static void made(int at, const char *path)
{
    char full[PATH_MAX], stale[PATH_MAX + 64];
    struct stat st;
    int saved = errno;
    if (real_len && absolute(at, path, full) == 0 && inside(full) && lstat(full, &st) == 0) {
        REAL(int, unlink, const char *);
        snprintf(stale, sizeof stale, "%s/d/%lu", shadow_dir, (unsigned long)st.st_ino);
        real_unlink(stale);
    }
    errno = saved;
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, mkdir, const char *, mode_t);
    int done = real_mkdir(path, mode);
    if (done == 0)
        made(AT_FDCWD, path);
    return done;
}

int mkdirat(int at, const char *path, mode_t mode)
{
    REAL(int, mkdirat, int, const char *, mode_t);
    int done = real_mkdirat(at, path, mode);
    if (done == 0)
        made(at, path);
    return done;
}
