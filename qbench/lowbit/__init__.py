"""Networks of 1- to 8-bit weights and activations: their quantizers, layers, and how they come about."""
