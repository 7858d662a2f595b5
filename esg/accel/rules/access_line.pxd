"""C types of esg/rules/access_line.py."""


cpdef str access_line(tuple client, str method, bytes target, str http_version, int status)
cpdef str shown_address(tuple client)
cpdef str escaped(bytes value)
