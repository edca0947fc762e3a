"""Who may see which rows: row filters, and behind them PostgreSQL itself (Decision 6)."""
