/*
 * What the load generators have in common: files, the clock, latencies, sockets.
 *
 * A target is a port of 127.0.0.1, or the path of a UNIX socket.
 */
#ifndef LOAD_CORE_H
#define LOAD_CORE_H
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 256, READ_SIZE = 1 << 18, SLOWEST = 10 * 1000 * 1000, MOST_OPENING = 64 };

struct file {
    char *data;
    size_t size;
};

static uint32_t histogram[SLOWEST + 1]; /* by microseconds */
static uint64_t counted;                /* answers, messages or events */
static char input[READ_SIZE];
static int epoll_fd;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static struct file read_file(const char *path)
{
    struct file file = {NULL, 0};
    FILE *stream = fopen(path, "rb");

    if (!stream || fseek(stream, 0, SEEK_END))
        fail(path);
    file.size = (size_t)ftell(stream);
    rewind(stream);
    file.data = malloc(file.size + 1);
    if (!file.data || fread(file.data, 1, file.size, stream) != file.size)
        fail(path);
    fclose(stream);
    return file;
}

static void count(uint64_t microseconds)
{
    counted++;
    histogram[microseconds < SLOWEST ? microseconds : SLOWEST]++;
}

static double percentile(double share)
{
    uint64_t wanted = (uint64_t)(share * (double)counted), seen = 0;

    for (int i = 0; i <= SLOWEST; i++)
        if ((seen += histogram[i]) > wanted)
            return i;
    return 0;
}

/* The part of the line for load.py that is the same everywhere. */
static void print_summary(uint64_t duration)
{
    printf("SUMMARY {\"requests\": %lu, \"duration\": %lu, \"p50\": %.1f, \"p99\": %.1f, "
           "\"p999\": %.1f, ",
           counted, duration, percentile(0.5), percentile(0.99), percentile(0.999));
}

static void watch(int fd, void *owner, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(epoll_fd, operation, fd, &event))
        fail("epoll_ctl");
}

/* Begin a connection; with a receive_size, hold the kernel's buffer for input to about that. */
static int connect_to(const char *target, int receive_size)
{
    struct sockaddr_in tcp = {.sin_family = AF_INET};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr *address = (struct sockaddr *)&tcp;
    socklen_t size = sizeof tcp;
    int yes = 1, is_local = target[0] == '/';

    int fd = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        fail("socket");
    if (is_local) {
        strncpy(local.sun_path, target, sizeof local.sun_path - 1);
        address = (struct sockaddr *)&local;
        size = sizeof local;
    } else {
        tcp.sin_port = htons((uint16_t)atoi(target));
        tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    if (receive_size)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_size, sizeof receive_size);
    /* A UNIX socket whose listener's queue is full says EAGAIN, and has not begun to connect. */
    while (connect(fd, address, size) && errno != EINPROGRESS) {
        if (errno != EAGAIN)
            fail("connect");
        usleep(1000);
    }
    return fd;
}

/* Tell that the connections are open, and return whether the load is to begin: a byte of stdin. */
static int is_to_begin(int open_count, int refused)
{
    printf("READY {\"open\": %d, \"refused\": %d}\n", open_count, refused);
    fflush(stdout);
    return read(0, input, 1) == 1;
}

/* Keep the connections until stdin ends: closing them is not to be measured. */
static int wait_for_end(void)
{
    fflush(stdout);
    while (read(0, input, sizeof input) > 0)
        ;
    return 0;
}
#endif
