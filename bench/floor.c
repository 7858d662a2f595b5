/*
 * The floor: an epoll loop that writes a fixed answer, what no HTTP server on sockets can beat.
 *
 * It counts the ends of request heads and parses nothing; requests with a body are not for it.
 * Usage: floor PORT (listens on 127.0.0.1).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER                                                            \
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n" \
    "\r\nHello, World!"
#define ANSWER_SIZE (sizeof(ANSWER) - 1)

enum { MAX_CONNECTIONS = 65536, MAX_EVENTS = 512, READ_SIZE = 65536, REPEATED = 64 };

/* What is left to do on a connection. Answers are all alike, so a byte count says what to write. */
struct connection {
    unsigned matched; /* bytes of the "\r\n\r\n" under way that have been seen */
    size_t pending;   /* bytes of answers not written yet */
    int waits_to_write;
};

static struct connection connections[MAX_CONNECTIONS]; /* by descriptor */
static char answers[REPEATED * ANSWER_SIZE];
static char input[READ_SIZE];
static int epoll_fd;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static size_t count_heads(unsigned *matched, const char *data, size_t size)
{
    size_t count = 0;
    unsigned state = *matched;

    for (size_t i = 0; i < size; i++) {
        char expected = state & 1 ? '\n' : '\r';
        if (data[i] == expected)
            state++;
        else
            state = data[i] == '\r';
        if (state == 4) {
            count++;
            state = 0;
        }
    }
    *matched = state;
    return count;
}

static void watch(int operation, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(epoll_fd, operation, fd, &event) < 0)
        fail("epoll_ctl");
}

/* Write what is pending; wait for room if the socket is full. Returns -1 if the client is gone. */
static int flush(int fd, struct connection *connection)
{
    while (connection->pending > 0) {
        size_t offset = (ANSWER_SIZE - connection->pending % ANSWER_SIZE) % ANSWER_SIZE;
        size_t size = sizeof(answers) - offset;
        if (size > connection->pending)
            size = connection->pending;
        ssize_t written = send(fd, answers + offset, size, MSG_NOSIGNAL);
        if (written < 0 && errno != EAGAIN)
            return -1;
        if (written < 0)
            break;
        connection->pending -= (size_t)written;
    }
    if ((connection->pending > 0) != connection->waits_to_write) {
        connection->waits_to_write = !connection->waits_to_write;
        watch(EPOLL_CTL_MOD, fd, connection->waits_to_write ? EPOLLOUT : EPOLLIN);
    }
    return 0;
}

static void serve(int fd, unsigned events)
{
    struct connection *connection = &connections[fd];

    if (!(events & EPOLLOUT)) {
        ssize_t size = recv(fd, input, sizeof(input), 0);
        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            close(fd);
            return;
        }
        connection->pending +=
            count_heads(&connection->matched, input, (size_t)size) * ANSWER_SIZE;
    }
    if (flush(fd, connection) < 0)
        close(fd);
}

static void accept_all(int listener)
{
    int fd, on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= MAX_CONNECTIONS) {
            close(fd);
            continue;
        }
        memset(&connections[fd], 0, sizeof(connections[fd]));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        fail("accept4");
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 2048) < 0)
        fail("listen");
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[MAX_EVENTS];

    if (argc != 2) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    for (int i = 0; i < REPEATED; i++)
        memcpy(answers + (size_t)i * ANSWER_SIZE, ANSWER, ANSWER_SIZE);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        fail("epoll_create1");
    int listener = listen_on(atoi(argv[1]));
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener);
            else
                serve(events[i].data.fd, events[i].events);
        }
    }
}
