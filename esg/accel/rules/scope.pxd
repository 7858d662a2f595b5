"""C types of esg/rules/scope.py."""


cpdef str decode_path(bytes raw_path, str root_path)
