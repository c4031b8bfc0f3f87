/* LD_PRELOAD layer that counts and slows down syncs.
 *
 * SYNC_DELAY_US   microseconds that every fsync and fdatasync costs more: the
 *                 machine's disk then looks like an ordinary one.
 * SYNC_COUNT_FILE a file of 8 bytes that all processes map; the number of
 *                 syncs is added up in it.
 *
 * Build: cc -O2 -shared -fPIC -o syncs.so syncs.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t *counter;
static useconds_t delay;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("SYNC_DELAY_US");
    if (text)
        delay = (useconds_t)atoi(text);
    const char *path = getenv("SYNC_COUNT_FILE");
    if (!path)
        return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        counter = at;
}

static void seen(void)
{
    if (counter)
        __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
    if (delay)
        usleep(delay);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    seen();
    return real(fd);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    seen();
    return real(fd);
}
