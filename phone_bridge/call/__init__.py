"""One call as a pure machine: facts in, duties out, time as an argument."""
