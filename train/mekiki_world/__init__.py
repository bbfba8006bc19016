"""The drawn world that the built-in model learns: kinds, scenes, pictures and captions."""
