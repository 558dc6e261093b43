"""Surrogates: differentiable stand-ins for a deployed network."""
