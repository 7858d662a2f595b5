"""The rule modules of `esg.rules`, compiled from the same files; the types are in the .pxd here."""
