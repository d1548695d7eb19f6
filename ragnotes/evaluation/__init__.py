"""Questions with known answers in, measures out: how well an index answers, and whether a change made it better."""
