"""llhttp's public API, as far as the driver uses it, and nothing else."""

from libc.stdint cimport uint8_t, uint16_t, uint64_t


cdef extern from "llhttp.h":
    const int LLHTTP_VERSION_MAJOR
    const int LLHTTP_VERSION_MINOR
    const int LLHTTP_VERSION_PATCH

    ctypedef enum llhttp_errno_t:
        HPE_OK
        HPE_INTERNAL
        HPE_STRICT
        HPE_LF_EXPECTED
        HPE_UNEXPECTED_CONTENT_LENGTH
        HPE_CLOSED_CONNECTION
        HPE_INVALID_METHOD
        HPE_INVALID_URL
        HPE_INVALID_CONSTANT
        HPE_INVALID_VERSION
        HPE_INVALID_HEADER_TOKEN
        HPE_INVALID_CONTENT_LENGTH
        HPE_INVALID_CHUNK_SIZE
        HPE_INVALID_STATUS
        HPE_INVALID_EOF_STATE
        HPE_INVALID_TRANSFER_ENCODING
        HPE_CB_MESSAGE_BEGIN
        HPE_CB_HEADERS_COMPLETE
        HPE_CB_MESSAGE_COMPLETE
        HPE_CB_CHUNK_HEADER
        HPE_CB_CHUNK_COMPLETE
        HPE_PAUSED
        HPE_PAUSED_UPGRADE
        HPE_PAUSED_H2_UPGRADE
        HPE_USER

    ctypedef enum llhttp_type_t:
        HTTP_BOTH
        HTTP_REQUEST
        HTTP_RESPONSE

    ctypedef enum llhttp_method_t:
        HTTP_DELETE
        HTTP_GET
        HTTP_HEAD
        HTTP_POST
        HTTP_PUT
        HTTP_CONNECT
        HTTP_OPTIONS
        HTTP_TRACE
        HTTP_PATCH

    # Bits of llhttp_t.flags.
    ctypedef enum llhttp_flags_t:
        F_CONNECTION_KEEP_ALIVE
        F_CONNECTION_CLOSE
        F_CONNECTION_UPGRADE
        F_CHUNKED
        F_UPGRADE
        F_CONTENT_LENGTH
        F_SKIPBODY
        F_TRAILING
        F_TRANSFER_ENCODING

    # The parser's memory belongs to whoever declares it; llhttp allocates nothing.
    ctypedef struct llhttp_t:
        void *data
        uint64_t content_length
        uint8_t type
        uint8_t method
        uint8_t http_major
        uint8_t http_minor
        uint8_t upgrade
        uint8_t finish
        uint16_t flags

    ctypedef int (*llhttp_data_cb)(llhttp_t *, const char *at, size_t length) except -1
    ctypedef int (*llhttp_cb)(llhttp_t *) except -1

    ctypedef struct llhttp_settings_t:
        llhttp_cb on_message_begin
        llhttp_data_cb on_url
        llhttp_data_cb on_method
        llhttp_data_cb on_version
        llhttp_data_cb on_header_field
        llhttp_data_cb on_header_value
        llhttp_data_cb on_chunk_extension_name
        llhttp_data_cb on_chunk_extension_value
        llhttp_cb on_headers_complete
        llhttp_data_cb on_body
        llhttp_cb on_message_complete
        llhttp_cb on_url_complete
        llhttp_cb on_method_complete
        llhttp_cb on_version_complete
        llhttp_cb on_header_field_complete
        llhttp_cb on_header_value_complete
        llhttp_cb on_chunk_header
        llhttp_cb on_chunk_complete
        llhttp_cb on_reset

    # `settings` must outlive the parser.
    void llhttp_init(llhttp_t *parser, llhttp_type_t type, const llhttp_settings_t *settings)
    void llhttp_reset(llhttp_t *parser)
    void llhttp_settings_init(llhttp_settings_t *settings)

    llhttp_errno_t llhttp_execute(llhttp_t *parser, const char *data, size_t length)
    llhttp_errno_t llhttp_finish(llhttp_t *parser)
    int llhttp_message_needs_eof(const llhttp_t *parser)
    int llhttp_should_keep_alive(const llhttp_t *parser)
    void llhttp_pause(llhttp_t *parser)
    void llhttp_resume(llhttp_t *parser)
    void llhttp_resume_after_upgrade(llhttp_t *parser)

    uint8_t llhttp_get_method(llhttp_t *parser)
    uint8_t llhttp_get_upgrade(llhttp_t *parser)
    llhttp_errno_t llhttp_get_errno(const llhttp_t *parser)
    const char *llhttp_get_error_reason(const llhttp_t *parser)
    const char *llhttp_get_error_pos(const llhttp_t *parser)
    const char *llhttp_errno_name(llhttp_errno_t error)
    const char *llhttp_method_name(llhttp_method_t method)

    void llhttp_set_lenient_version(llhttp_t *parser, int enabled)
    void llhttp_set_lenient_headers(llhttp_t *parser, int enabled)
    void llhttp_set_lenient_keep_alive(llhttp_t *parser, int enabled)
    void llhttp_set_lenient_data_after_close(llhttp_t *parser, int enabled)
