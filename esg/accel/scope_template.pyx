# cython: binding=False
"""What the scopes of a connection's requests have in common, made once.

All that is mutable is each request's own. Most applications do no more with the inner dicts than to
look at them: those that nobody holds any more, and nobody has changed, are the next request's.
"""

from cpython.dict cimport PyDict_CheckExact, PyDict_Next, PyDict_Size
from cpython.ref cimport PyObject
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_SIZE

from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.scope cimport decode_path

cdef extern from *:
    """
    /* Free-threaded Python counts references elsewhere, too: there nothing is nobody's. */
    #ifdef Py_GIL_DISABLED
    #define ESG_HOLDERS(object) PY_SSIZE_T_MAX
    #else
    #define ESG_HOLDERS(object) Py_REFCNT(object)
    #endif
    """
    Py_ssize_t _holders "ESG_HOLDERS"(PyObject *value)

cdef enum:
    # Of what is lent: the template, and the base of the next scope.
    OUR_REFERENCES = 2


cdef ScopeTemplate scope_template(dict scope):
    """Make the template of scopes like this one, of an HTTP/1.1 request."""
    cdef ScopeTemplate made = ScopeTemplate.__new__(ScopeTemplate)
    made._asgi = scope["asgi"].copy()
    made._extensions = _copy(scope["extensions"])
    made._extensions.pop("http.response.trailers", None)  # the request's, not the connection's
    made._asgi_entries = _entries(made._asgi)
    made._extensions_entries = _entries(made._extensions)
    made._base = scope.copy()
    # Nothing of this request stays with the connection, but for its request line.
    made._base.update(headers=None, state=None)
    made._method = scope["method"]
    made._raw_path = scope["raw_path"]
    made._query = scope["query_string"]
    return made


cdef class ScopeTemplate:
    """Make scopes."""

    cdef dict scope(self, RequestHead head, dict state, str root_path):
        """Make the scope of a request in HTTP/1.1."""
        cdef dict base = self._base
        cdef dict scope
        # Most clients ask for the same again, or at least in the same way.
        if self._raw_path != head.raw_path:
            self._raw_path = base["raw_path"] = head.raw_path
            base["path"] = decode_path(head.raw_path, root_path)
        if self._method is not head.method:
            self._method = base["method"] = head.method
        if self._query != head.query:
            self._query = base["query_string"] = head.query
        self._renew()
        scope = base.copy()
        scope["headers"] = head.headers
        scope["state"] = state.copy()
        if head.takes_trailers:
            scope["extensions"] = _copy(self._extensions)
            scope["extensions"]["http.response.trailers"] = {}
        return scope

    cdef int _renew(self) except -1:
        """See that what is lent is nobody's, and as it was made."""
        if not _is_untouched(<PyObject *> self._lent_asgi, self._asgi_entries, OUR_REFERENCES):
            self._lent_asgi = self._base["asgi"] = self._asgi.copy()
        if not _is_untouched(
            <PyObject *> self._lent_extensions, self._extensions_entries, OUR_REFERENCES
        ):
            self._lent_extensions = self._base["extensions"] = _copy(self._extensions)
        return 0


cdef dict _copy(dict extensions):
    return {name: (<dict> value).copy() for name, value in extensions.items()}


cdef tuple _entries(dict made):
    """Return names and values in turn, an inner dict as its own entries."""
    cdef list entries = []
    for name, value in made.items():
        entries += (name, _entries(value) if PyDict_CheckExact(value) else value)
    return tuple(entries)


cdef bint _is_untouched(PyObject *lent, tuple entries, Py_ssize_t references) noexcept:
    """Tell whether nobody else holds a dict, and it still is as it was made, all the way down.

    Args:
        lent: borrowed, for a reference of ours would count.
        entries: what it was made with.
        references: how many are ours.
    """
    cdef Py_ssize_t position = 0
    cdef Py_ssize_t index
    cdef PyObject *name
    cdef PyObject *value
    if _holders(lent) != references or not PyDict_CheckExact(<object> lent):
        return False
    if 2 * PyDict_Size(<object> lent) != PyTuple_GET_SIZE(entries):
        return False
    for index in range(0, PyTuple_GET_SIZE(entries), 2):
        PyDict_Next(<object> lent, &position, &name, &value)
        made = entries[index + 1]
        if <object> name is not entries[index]:
            return False
        if <object> value is not made and not (
            PyTuple_CheckExact(made) and _is_untouched(value, <tuple> made, 1)
        ):
            return False
    return True
