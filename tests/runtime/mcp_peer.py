"""A small MCP server made with the official SDK: a program over stdio, or a server over streamable HTTP."""

import os
import sys

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("desk")


@server.tool(name="State-Tool", annotations=ToolAnnotations(read_only_hint=True))
def state() -> str:
    """Say what is on the screen."""
    return f"Mail, Calendar. {os.environ.get('DESK_TOKEN', '')}"


@server.tool(name="App-Tool", annotations=ToolAnnotations(destructive_hint=True))
def app(name: str) -> str:
    """Open a program."""
    return f"{name} is open"


@server.tool(name="Move-Tool", annotations=ToolAnnotations(destructive_hint=False, open_world_hint=False))
def move(x: int, y: int) -> str:
    """Move the pointer."""
    return f"{x},{y}"


@server.tool(name="Post-Tool", annotations=ToolAnnotations(destructive_hint=False, open_world_hint=True))
def post(text: str) -> str:
    """Post something."""
    return "posted"


@server.tool()
def unmarked() -> str:
    """Do something that nobody knows."""
    raise ValueError("no")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run()
