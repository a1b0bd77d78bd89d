"""HTTP and WebSocket paths only: what arrives is handed down, what comes back is handed out."""
