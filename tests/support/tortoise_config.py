"""What `tortoise makemigrations` needs to know; it opens no connection (see CONTRIBUTING.md)."""

from itr.database import tortoise_config

CONFIG = tortoise_config("postgresql://127.0.0.1/itr")
