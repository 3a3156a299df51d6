"""The demonstration: the whole product on a local chain, told as a story a compliance officer can follow."""
