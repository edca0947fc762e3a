"""Lets `python -m cli` be the `itr` command, also where the folder's name has spaces."""

from cli.main import main

main()
