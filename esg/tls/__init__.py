"""TLS: certificates from files to contexts, again when they change, and what scopes say of it.

Must not know sockets or drivers. Imported only where TLS is configured.
"""
