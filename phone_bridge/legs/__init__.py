"""How carriers speak: a folder a carrier, each a pure translator between its wire and the call's words."""
