"""The itr command."""
