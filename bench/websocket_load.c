/*
 * The load on a WebSocket: every connection sends one message, waits until it is back whole, and
 * sends it again.
 *
 * The opening handshake and the frame are files, made once by websocket_load.py: masking and
 * compressing cost the load nothing, and of what comes back only frame headers are looked at.
 *
 * Usage: websocket_load TARGET CONNECTIONS SECONDS HANDSHAKE FRAME SIZE echo|broadcast
 *   SIZE is the payload that must come back, 0 for any (it was compressed). With broadcast, the
 *   first connection sends when its last message has come back to every one.
 * When all connections are open it prints READY, begins the load when stdin has a byte, prints one
 * line for load.py, and keeps the connections until stdin ends.
 */
#define _GNU_SOURCE
#include "load_core.h"

enum { HEAD_LIMIT = 8192 };

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

static struct file handshake, frame;
static struct connection *connections;
static uint64_t expected_size, wrong_sizes, closed, refused;
static int open_count, is_broadcast, still_due;
static uint64_t broadcast_at;
static const char *target;

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
                watch(connection->fd, connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
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
        watch(connection->fd, connection, EPOLLIN, EPOLL_CTL_MOD);
    connection->waits_to_write = 0;
}

static void send_frame(struct connection *connection)
{
    connection->written = 0;
    connection->sent_at = now();
    write_on(connection);
}

static void broadcast(void)
{
    broadcast_at = now();
    still_due = open_count;
    send_frame(&connections[0]);
}

static void message_ends(struct connection *connection)
{
    if (expected_size && connection->payload_size != expected_size)
        wrong_sizes++;
    connection->payload_size = 0;
    if (!is_broadcast) {
        count(now() - connection->sent_at);
        send_frame(connection);
        return;
    }
    count(now() - broadcast_at);
    if (!--still_due)
        broadcast();
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

static void open_connection(struct connection *connection)
{
    connection->fd = connect_to(target, 0);
    watch(connection->fd, connection, EPOLLIN, EPOLL_CTL_ADD);
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

static void open_all(int number)
{
    uint64_t deadline = now() + 60 * 1000000ull;

    for (int i = 0; i < number; i++) {
        open_connection(&connections[i]);
        while (i + 1 - open_count - (int)(refused + closed) > MOST_OPENING && now() < deadline)
            turn(100);
    }
    while (open_count + (int)refused < number && now() < deadline)
        turn(100);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr, "usage: websocket_load TARGET CONNECTIONS SECONDS HANDSHAKE FRAME SIZE "
                        "echo|broadcast\n");
        return 2;
    }
    target = argv[1];
    int number = atoi(argv[2]), seconds = atoi(argv[3]);
    handshake = read_file(argv[4]);
    frame = read_file(argv[5]);
    expected_size = strtoull(argv[6], NULL, 10);
    is_broadcast = !strcmp(argv[7], "broadcast");
    connections = calloc((size_t)number, sizeof *connections);
    epoll_fd = epoll_create1(0);
    if (!connections || epoll_fd < 0)
        fail("start");
    open_all(number);
    if (!is_to_begin(open_count, number - open_count))
        return 0;
    uint64_t started = now(), ends = started + (uint64_t)seconds * 1000000;
    if (is_broadcast && connections[0].fd >= 0)
        broadcast();
    for (int i = 0; i < number && !is_broadcast; i++)
        if (connections[i].fd >= 0 && connections[i].is_open)
            send_frame(&connections[i]);
    while (now() < ends)
        turn(10);
    print_summary(now() - started);
    printf("\"errors\": {\"closed\": %lu, \"wrong size\": %lu}}\n", closed, wrong_sizes);
    return wait_for_end();
}
