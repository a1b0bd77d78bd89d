"""When and whom we ring."""
