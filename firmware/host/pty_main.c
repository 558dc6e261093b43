/* The firmware as a process: the same session on a pseudo-terminal. Prints the terminal's path, then serves.
 *
 *     qbench-host [--ring BYTES] MODEL...
 *
 * A thread stands for the receive interrupt; as on a board, what does not fit the ring is lost. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 600

#include "host_model.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "../kernels/kernels.h"
#include "../link/ring.h"

#define DEFAULT_RING 32768u

typedef struct {
    int terminal;
    ql_ring ring;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
} line;

static void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

/* Opens a raw pseudo-terminal. Its other end stays open here too: a client may come and go. */
static int open_terminal(void) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal)) fail("pseudo-terminal");
    const char *path = ptsname(terminal);
    int far_end = path ? open(path, O_RDWR | O_NOCTTY) : -1;
    struct termios settings;
    if (far_end < 0 || tcgetattr(far_end, &settings)) fail("pseudo-terminal");
    cfmakeraw(&settings);
    if (tcsetattr(far_end, TCSANOW, &settings)) fail("pseudo-terminal");
    printf("%s\n", path);
    fflush(stdout);
    return terminal;
}

static void *receive(void *context) {
    line *l = context;
    uint8_t bytes[512];
    ssize_t count;
    while ((count = read(l->terminal, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < count; i++) ql_ring_push(&l->ring, bytes[i]);
        pthread_mutex_lock(&l->lock);
        pthread_cond_signal(&l->arrived);
        pthread_mutex_unlock(&l->lock);
    }
    fail("read");
    return NULL;
}

/* Takes what has arrived; waits for the first byte. */
static size_t take(line *l, uint8_t *bytes, size_t limit) {
    size_t count;
    pthread_mutex_lock(&l->lock);
    while ((count = ql_ring_pop(&l->ring, bytes, limit)) == 0) pthread_cond_wait(&l->arrived, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return count;
}

static void send_all(void *context, const uint8_t *bytes, size_t count) {
    const line *l = context;
    while (count > 0) {
        ssize_t sent = write(l->terminal, bytes, count);
        if (sent < 0) fail("write");
        bytes += sent;
        count -= (size_t)sent;
    }
}

static uint32_t boot_nonce(void) {
    uint32_t nonce;
    FILE *file = fopen("/dev/urandom", "rb");
    if (!file || fread(&nonce, sizeof nonce, 1, file) != 1) fail("/dev/urandom");
    fclose(file);
    return nonce;
}

int main(int argc, char **argv) {
    size_t ring_bytes = DEFAULT_RING;
    if (argc > 2 && strcmp(argv[1], "--ring") == 0) {
        ring_bytes = strtoul(argv[2], NULL, 10);
        argc -= 2;
        argv += 2;
    }
    if (ring_bytes == 0 || (ring_bytes & (ring_bytes - 1u)) != 0) {
        fprintf(stderr, "--ring wants a power of two\n");
        return EXIT_FAILURE;
    }
    const ql_model *model = ql_host_model(argc - 1, argv + 1);
    if (!model) return EXIT_FAILURE;
    ql_device device = {.firmware = QL_FIRMWARE,
                        .board = "host",
                        .core = "native",
                        .kernels = qk_kernel_set(),
                        .counter = QL_COUNT_NANOSECONDS,
                        .boot = boot_nonce(),
                        .ring_bytes = (uint32_t)ring_bytes};
    line l = {.ring = {malloc(ring_bytes), ring_bytes, 0, 0}};
    size_t capacity = QL_FRAME_OVERHEAD + (size_t)ql_tensor_bytes(&model->input);
    uint8_t *buffer = malloc(capacity);
    pthread_t receiver;
    if (!l.ring.bytes || !buffer) fail("memory");
    pthread_mutex_init(&l.lock, NULL);
    pthread_cond_init(&l.arrived, NULL);
    l.terminal = open_terminal();
    ql_session session;
    ql_session_init(&session, &device, model, buffer, capacity, send_all, &l);
    if (pthread_create(&receiver, NULL, receive, &l)) fail("thread");
    for (;;) {
        uint8_t bytes[64];
        size_t count = take(&l, bytes, sizeof bytes);
        ql_session_receive(&session, bytes, count);
    }
}
