/*
 * The load on a WebSocket: every connection sends one message, waits until it is back whole, and
 * sends it again.
 *
 * The opening handshake and the frame are files, made once by websocket_load.py: masking and
 * compressing cost the load nothing, and of what comes back only frame headers are looked at.
 *
 * Usage: websocket_load PORT CONNECTIONS SECONDS HANDSHAKE FRAME SIZE
 *   SIZE is the payload that must come back, 0 for any (it was compressed). With 0 seconds the
 *   connections are only opened: "READY" is printed, and they are kept until stdin ends.
 * Prints one line for websocket_load.py, as load/summary.lua does: times in microseconds.
 */
#define _GNU_SOURCE
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
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 256, READ_SIZE = 1 << 18, HEAD_LIMIT = 8192, SLOWEST = 10 * 1000 * 1000 };

struct connection {
    int fd;
    int is_open;           /* the handshake is answered */
    int waits_to_write;
    size_t written;        /* of the handshake or the frame under way */
    uint64_t sent_at;
    char head[HEAD_LIMIT]; /* what there is of the answer to the handshake, or of a frame header */
    size_t head_size;
    uint64_t payload_left; /* of the frame under way */
    uint64_t payload_size; /* of the message under way */
    unsigned is_final, opcode, in_payload;
};

struct file {
    char *data;
    size_t size;
};

static struct file handshake, frame;
static struct connection *connections;
static uint32_t histogram[SLOWEST + 1];
static char input[READ_SIZE];
static uint64_t expected_size, messages, wrong_sizes, closed, refused;
static int epoll_fd, open_count;

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

static void watch(struct connection *connection, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll_fd, operation, connection->fd, &event))
        fail("epoll_ctl");
}

static void give_up(struct connection *connection, uint64_t *counter)
{
    (*counter)++;
    close(connection->fd);
    connection->fd = -1;
}

/* Write what is left of the handshake or the frame; wait for the socket where it takes no more. */
static void write_on(struct connection *connection)
{
    struct file *file = connection->is_open ? &frame : &handshake;

    while (connection->written < file->size) {
        ssize_t count = send(connection->fd, file->data + connection->written,
                             file->size - connection->written, MSG_NOSIGNAL);
        if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            if (!connection->waits_to_write)
                watch(connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            connection->waits_to_write = 1;
            return;
        }
        if (count < 0) {
            give_up(connection, &closed);
            return;
        }
        connection->written += (size_t)count;
    }
    if (connection->waits_to_write)
        watch(connection, EPOLLIN, EPOLL_CTL_MOD);
    connection->waits_to_write = 0;
}

static void send_frame(struct connection *connection)
{
    connection->written = 0;
    connection->sent_at = now();
    write_on(connection);
}

static void message_ends(struct connection *connection)
{
    uint64_t taken = now() - connection->sent_at;

    if (expected_size && connection->payload_size != expected_size)
        wrong_sizes++;
    connection->payload_size = 0;
    messages++;
    histogram[taken < SLOWEST ? taken : SLOWEST]++;
    send_frame(connection);
}

/* Take the answer to the handshake; return how much of the data was its. */
static size_t take_answer(struct connection *connection, const char *data, size_t size)
{
    size_t taken = 0;

    while (taken < size) {
        if (connection->head_size == HEAD_LIMIT - 1) {
            give_up(connection, &refused);
            return size;
        }
        connection->head[connection->head_size++] = data[taken++];
        connection->head[connection->head_size] = 0;
        if (connection->head_size < 4 ||
            memcmp(connection->head + connection->head_size - 4, "\r\n\r\n", 4))
            continue;
        if (strncmp(connection->head, "HTTP/1.1 101", 12)) {
            give_up(connection, &refused);
            return size;
        }
        connection->head_size = 0;
        connection->is_open = 1;
        open_count++;
        return taken;
    }
    return taken;
}

/* Take a frame header (RFC 6455 section 5.2, unmasked); return how much of the data was its. */
static size_t take_header(struct connection *connection, const char *data, size_t size)
{
    size_t taken = 0;
    unsigned char *head = (unsigned char *)connection->head;

    while (taken < size) {
        size_t needed = 2;
        head[connection->head_size++] = (unsigned char)data[taken++];
        if (connection->head_size >= 2)
            needed = (head[1] & 127) == 127 ? 10 : (head[1] & 127) == 126 ? 4 : 2;
        if (connection->head_size < 2 || connection->head_size < needed)
            continue;
        connection->payload_left = head[1] & 127;
        if (needed > 2)
            connection->payload_left = 0;
        for (size_t i = 2; i < needed; i++)
            connection->payload_left = connection->payload_left << 8 | head[i];
        connection->is_final = head[0] >> 7;
        connection->opcode = head[0] & 15;
        connection->head_size = 0;
        connection->in_payload = 1;
        if (connection->opcode < 8)
            connection->payload_size += connection->payload_left;
        return taken;
    }
    return taken;
}

static void take_frames(struct connection *connection, const char *data, size_t size)
{
    for (;;) {
        if (!connection->in_payload) {
            size_t taken = take_header(connection, data, size);
            data += taken;
            size -= taken;
            if (!connection->in_payload)
                return;
        }
        size_t part = size < connection->payload_left ? size : connection->payload_left;
        data += part;
        size -= part;
        connection->payload_left -= part;
        if (connection->payload_left)
            return;
        connection->in_payload = 0;
        if (connection->opcode == 8) {
            give_up(connection, &closed);
            return;
        }
        if (connection->opcode < 8 && connection->is_final) {
            message_ends(connection);
            if (connection->fd < 0)
                return;
        }
    }
}

static void read_on(struct connection *connection)
{
    ssize_t count = recv(connection->fd, input, sizeof input, 0);
    size_t taken = 0;

    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        give_up(connection, connection->is_open ? &closed : &refused);
        return;
    }
    if (!connection->is_open)
        taken = take_answer(connection, input, (size_t)count);
    if (connection->fd >= 0 && connection->is_open && taken < (size_t)count)
        take_frames(connection, input + taken, (size_t)count - taken);
}

static void open_connection(struct connection *connection, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int yes = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connection->fd < 0)
        fail("socket");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect");
    watch(connection, EPOLLIN, EPOLL_CTL_ADD);
    write_on(connection);
}

static void turn(int milliseconds)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, milliseconds);

    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (connection->fd >= 0 && events[i].events & EPOLLOUT)
            write_on(connection);
        if (connection->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT)
            read_on(connection);
    }
}

static double percentile(double share)
{
    uint64_t wanted = (uint64_t)(share * (double)messages), seen = 0;

    for (int i = 0; i <= SLOWEST; i++)
        if ((seen += histogram[i]) > wanted)
            return i;
    return 0;
}

static void open_all(int count, int port)
{
    uint64_t deadline = now() + 60 * 1000000ull;

    for (int i = 0; i < count; i++) {
        open_connection(&connections[i], port);
        while (i + 1 - open_count - (int)(refused + closed) > 64 && now() < deadline)
            turn(100); /* no more at once than a listener's queue holds */
    }
    while (open_count + (int)refused < count && now() < deadline)
        turn(100);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: websocket_load PORT CONNECTIONS SECONDS HANDSHAKE FRAME SIZE\n");
        return 2;
    }
    int count = atoi(argv[2]), seconds = atoi(argv[3]);
    handshake = read_file(argv[4]);
    frame = read_file(argv[5]);
    expected_size = strtoull(argv[6], NULL, 10);
    connections = calloc((size_t)count, sizeof *connections);
    epoll_fd = epoll_create1(0);
    if (!connections || epoll_fd < 0)
        fail("start");
    open_all(count, atoi(argv[1]));
    if (!seconds) {
        printf("READY {\"open\": %d, \"refused\": %d}\n", open_count, count - open_count);
        fflush(stdout);
        while (read(0, input, sizeof input) > 0)
            ;
        return 0;
    }
    uint64_t started = now(), ends = started + (uint64_t)seconds * 1000000;
    for (int i = 0; i < count; i++)
        if (connections[i].fd >= 0 && connections[i].is_open)
            send_frame(&connections[i]);
    while (now() < ends)
        turn(10);
    uint64_t duration = now() - started;
    printf("SUMMARY {\"requests\": %lu, \"duration\": %lu, \"p50\": %.1f, \"p99\": %.1f, "
           "\"errors\": {\"refused\": %lu, \"closed\": %lu, \"wrong size\": %lu}}\n",
           messages, duration, percentile(0.5), percentile(0.99),
           (unsigned long)(count - open_count), closed, wrong_sizes);
    return 0;
}
