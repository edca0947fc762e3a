"""The `itr` command: start the product, and the few things done to it from a shell."""
