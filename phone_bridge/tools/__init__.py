"""What an assistant may do, knowing nothing of voice."""
