"""The room with water: sockets, tasks, clocks; one call pumped between its two wires."""
