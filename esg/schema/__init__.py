"""The settings, a module for each heading of `--help`: `esg.config.Config` is made of them."""
