"""The practice exchange: a venue on loopback that real exchange clients cannot tell from the real one."""
