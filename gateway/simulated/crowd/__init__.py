"""The crowd that trades on a generated market: seeded, pure but for the engine it feeds."""
